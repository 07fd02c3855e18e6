"""Text that a stranger typed, made fit to be kept: no control characters, formulas or novels.

File names, exercises, people and comments come from outside. What of them is kept or written goes
through here; how a page shows them is the business of ``pages.components.text``.
"""

from __future__ import annotations

import re
import unicodedata

NAME_LENGTH = 200
"""Characters of a name that are kept: of a clip, an exercise, a person or source."""

FILE_NAME_BYTES = 255
"""Longest name of a file on the usual file systems, bytes in UTF-8."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins with one of these is calculated by a spreadsheet, and may run commands."""

_MARK = re.compile(r"[\\`*\[\]<>~$|{}&]|(?<![^\W_])_|_(?![^\W_])")
"""What Markdown reads as markup in the middle of a line; ``_`` only at the edge of a word."""

_FIRST = re.compile(r"[#+=-]|\d+(?=[.)])")
"""What it reads as a heading, a list or a rule at the beginning of one."""

_FOUND = re.compile(r":(?=[a-z_/+-]|\d\w*:)|@(?=\S)|www(?=\.)|<(?=-)|-(?=[->])", re.IGNORECASE)
"""Where Streamlit finds addresses, icons, emoji and arrows, escaped or not."""

_JOINER = "\u2060"
"""Cannot be seen, and nothing is found across it."""

_JOINERS = "\u200c\u200d"
"""Invisible characters that Persian and many emoji need."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


def cleaned(text: str, length: int = NAME_LENGTH, *, lines: bool = False) -> str:
    """``text`` without control characters, on one line unless ``lines``, at most ``length`` long.

    NUL, escape sequences, characters that turn the reading direction and halves of characters
    (from file names that are not UTF-8) go; runs of white space become one space.
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


def csv_safe(cell: str) -> str:
    """``cell`` as no spreadsheet takes it for a formula: with an apostrophe before it if need be.

    Numbers stay as they are. :func:`csv_raw` is the way back, for every text.
    """
    return f"'{cell}" if _is_risky(cell.lstrip("'")) else cell


def csv_raw(cell: str) -> str:
    """What :func:`csv_safe` was given."""
    return cell[1:] if cell.startswith("'") and _is_risky(cell.lstrip("'")) else cell


def markdown(text: str) -> str:
    """``text`` of one line as Markdown that shows it and does nothing else."""
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
