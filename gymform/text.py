"""Makes text from users safe to store: no control characters, no formulas, limited length.

File names, exercises, names of people and comments come from outside. Whatever is stored or
written goes through here; ``pages.components.text`` is for showing them on a page.
"""

from __future__ import annotations

import itertools
import re
import unicodedata

NAME_LENGTH = 200
"""Most characters of the name of a clip, an exercise, a person or source."""

FILE_NAME_BYTES = 255
"""Longest name of a file on the usual file systems, bytes in UTF-8."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet evaluates a cell that starts with one of these, and may run commands."""

_MARK = re.compile(r"[\\`*\[\]<>~$|{}&]|(?<![^\W_])_|_(?![^\W_])")
"""Markdown's markup in the middle of a line; ``_`` only at the edge of a word."""

_FIRST = re.compile(r"[#+=-]|\d+(?=[.)])")
"""Markdown's headings, lists and rules at the start of a line."""

_FOUND = re.compile(r":(?=[a-z_/+-]|\d\w*:)|@(?=\S)|www(?=\.)|<(?=-)|-(?=[->])", re.IGNORECASE)
"""Where Streamlit finds URLs, icons, emoji and arrows, escaped or not."""

_JOINER = "\u2060"
"""Is invisible, and prevents matches across it."""

_JOINERS = "\u200c\u200d"
"""Invisible characters that Persian and many emoji need."""

_LETTER = re.compile(
    r".(?:[\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]"
    r"|\u200d.)*",
    re.DOTALL,
)
"""A letter or emoji with the accents, colours and joined parts that belong to it."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


def cleaned(text: str, length: int = NAME_LENGTH, *, lines: bool = False) -> str:
    """``text`` without control characters, on one line unless ``lines``, at most ``length`` long.

    NUL, escape sequences, characters that turn the reading direction and halves of characters
    (from file names that are not UTF-8) are removed; runs of white space become one space.
    """
    kept = "".join(map(_kept, text))
    rows = kept.split("\n") if lines else [kept]
    return "\n".join(" ".join(row.split()) for row in rows)[:length].strip()


def _kept(char: str) -> str:
    kind = unicodedata.category(char)
    if char.isspace() or kind in ("Zl", "Zp"):
        return "\n" if char == "\n" else " "
    if char.isprintable() or char in _JOINERS:
        return char
    return "" if kind in ("Cc", "Cf") else "?"


def shortened(name: str, columns: int = 60) -> str:
    """``name`` in at most so many columns of text: what is too much in the middle becomes "…".

    Its end stays, which holds the suffix or the number that tells similar names apart. Letters of
    Chinese, Japanese and Korean take two columns; no letter is parted from its accents.
    """
    letters = _LETTER.findall(name)
    widths = [_columns(letter) for letter in letters]
    if sum(widths) <= columns:
        return name
    end_columns = min(15, (columns - 1) // 2)
    start = _fitting(widths, columns - 1 - end_columns)
    end = _fitting(widths[::-1], end_columns)
    return f"{''.join(letters[:start])}…{''.join(letters[len(letters) - end :])}"


def _columns(letter: str) -> int:
    return 2 if unicodedata.east_asian_width(letter[0]) in "WF" else 1


def _fitting(widths: list[int], columns: int) -> int:
    """How many of the first ``widths`` fit into so many columns."""
    return sum(used <= columns for used in itertools.accumulate(widths))


def csv_safe(cell: str) -> str:
    """``cell`` such that no spreadsheet takes it for a formula: after an apostrophe if needed.

    Numbers are not changed. :func:`csv_raw` reverses it for every text.
    """
    return f"'{cell}" if _is_risky(cell.lstrip("'")) else cell


def csv_raw(cell: str) -> str:
    """The text that :func:`csv_safe` was given."""
    return cell[1:] if cell.startswith("'") and _is_risky(cell.lstrip("'")) else cell


def markdown(text: str) -> str:
    """``text``, one line, escaped so that Markdown shows it as it is."""
    parted = _FOUND.sub(lambda found: found[0] + _JOINER, text)
    escaped = _MARK.sub(lambda found: "\\" + found[0], parted)
    if first := _FIRST.match(escaped):
        end = first.end() if first[0].isdigit() else 0
        escaped = f"{escaped[:end]}\\{escaped[end:]}"
    return escaped


def _is_risky(cell: str) -> bool:
    return cell.startswith(FORMULA) and not _NUMBER.fullmatch(cell)


def file_stem(stem: str, room: int) -> str:
    """``stem`` cut so that the name of a file with ``room`` bytes more still fits; never empty.

    Counts bytes in UTF-8, and never cuts a character in two.
    """
    whole = stem.encode("utf-8", "surrogateescape")
    if len(whole) <= FILE_NAME_BYTES - room:
        return stem
    return whole[: FILE_NAME_BYTES - room].decode("utf-8", "ignore").rstrip() or "clip"
