"""Text from users: stripped of control characters, harmless as a cell and as Markdown."""

import csv
import io
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from gymform.text import (
    FILE_NAME_BYTES,
    cleaned,
    csv_raw,
    csv_safe,
    file_stem,
    markdown,
    shortened,
)


@given(some.text())
@example("a\0b\x1b[31mc\r\nd\u202egnp.exe\udcff")
def test_what_is_kept_has_no_control_characters(text):
    for lines in (False, True):
        kept = cleaned(text, 50, lines=lines)
        assert len(kept) <= 50
        assert all(char.isprintable() or char in "\u200c\u200d\n" for char in kept)
        kept.encode("utf-8")
    assert "\n" not in cleaned(text)
    assert cleaned(cleaned(text)) == cleaned(text)


def test_letters_of_every_script_and_emoji_stay():
    for name in ("Присед со штангой", "背蹲", "می\u200cخواهم", "👩🏽\u200d🏫 row"):
        assert cleaned(name) == name


RISKY = [
    "=1+1",
    '=HYPERLINK("http://evil")',
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
]


@pytest.mark.parametrize("cell", RISKY)
def test_a_formula_is_no_formula_in_a_cell(cell):
    assert csv_safe(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["-3.25", "+4", "1e-5", "-1e-05", ".5", "squat", "", "a=b"])
def test_numbers_and_ordinary_names_stay(cell):
    assert csv_safe(cell) == cell


@given(some.text(alphabet="'=+-@\t\r1.a"))
def test_a_cell_comes_back_as_it_was(text):
    stream = io.StringIO(newline="")
    csv.writer(stream).writerow([csv_safe(text), "x"])
    stream.seek(0)
    assert csv_raw(next(csv.reader(stream))[0]) == text


@given(some.text(min_size=1), some.integers(0, 60))
@example("п" * 122, 12)
@example("🏋" * 61, 12)
@example("a" * 300, 40)
def test_a_stem_leaves_room_for_what_is_added(stem, room):
    stem = stem.encode("utf-8", "ignore").decode() or "a"
    assert 0 < len(file_stem(stem, room).encode()) <= max(FILE_NAME_BYTES - room, len("clip"))
    if len(stem.encode()) <= FILE_NAME_BYTES - room:
        assert file_stem(stem, room) == stem


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("The disk is full: nothing was saved at 12:01.", None),
        ("pre-trained, 1. try", None),
        ("![x](http://evil/x.png)", "!\\[x\\](http:\u2060//evil/x.png)"),
        ("# big", "\\# big"),
        ("- item", "\\- item"),
        ("1. item", "1\\. item"),
        ("WWW.evil.example", "WWW\u2060.evil.example"),
        ("me@evil.example", "me@\u2060evil.example"),
        (":material/delete: :red[x]", ":\u2060material/delete: :\u2060red\\[x\\]"),
        ("GYMFORM_HOME", None),
        ("_a_ b__c", "\\_a\\_ b\\_\\_c"),
        ("b*c`d~e$f|g<h>&lt;", "b\\*c\\`d\\~e\\$f\\|g\\<h\\>\\&lt;"),
    ],
)
def test_markdown_that_shows_a_text_and_does_nothing_else(text, shown):
    assert markdown(text) == (text if shown is None else shown)


# --- long names -----------------------------------------------------------------------------------


def columns(text: str) -> int:
    """Columns that a terminal gives to ``text``, which has no accents apart from their letter."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


@pytest.mark.parametrize("wide", ["a", "Ж", "背", "ｗ"])
@pytest.mark.parametrize("length", [10, 24, 60])
def test_a_long_name_keeps_start_and_end(wide, length):
    name = f"start{wide * 200}0012.mp4"
    short = shortened(name, length)
    assert columns(short) <= length
    assert columns(short) >= length - 2
    assert short.count("…") == 1
    assert short[0] == "s"
    assert short.endswith(".mp4"[-3:])


@given(some.text(max_size=300), some.integers(3, 80))
def test_any_name_is_shortened_to_parts_of_itself(name, length):
    short = shortened(name, length)
    if short != name:
        start, _, end = short.partition("…") if "…" not in name else ("", "", "")
        assert name.startswith(start)
        assert name.endswith(end)
    assert shortened(short, length) == short


@pytest.mark.parametrize("letter", ["e\u0301", "👩🏽\u200d🏫", "👍🏿", "❤\ufe0f"])
def test_no_letter_is_parted_from_what_belongs_to_it(letter):
    for length in range(5, 20):
        start, end = shortened(letter * 60, length).split("…")
        assert start == letter * (len(start) // len(letter))
        assert end == letter * (len(end) // len(letter))
        assert start or end


def test_a_short_name_stays():
    for name in ("", "squat.mp4", "背蹲.mp4", "x" * 60):
        assert shortened(name) == name
