"""Texts of pages: durations and dates as people say them, users' names as harmless text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.components.text import as_text, clock, count, duration, listed, plain, when


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "a few seconds"),
        (5, "about 5 seconds"),
        (33, "about 35 seconds"),
        (57, "about 55 seconds"),
        (58, "about a minute"),
        (89, "about a minute"),
        (90, "about 2 min"),
        (5399, "about 90 min"),
        (5400, "about 1.5 hours"),
    ],
)
def test_estimates_are_rounded_as_people_say_them(seconds, text):
    assert duration(seconds) == text


@given(st.integers(0, 400_000))
def test_a_clock_shows_every_second(seconds):
    *hours, minutes, rest = map(int, clock(seconds).split(":"))
    assert (hours[0] if hours else 0) * 3600 + minutes * 60 + rest == seconds
    assert minutes < 60
    assert rest < 60
    assert not hours or len(clock(seconds).partition(":")[2]) == 5


def test_a_clock_carries_what_it_rounds():
    assert clock(59.7) == "1:00"
    assert clock(3599.6) == "1:00:00"


def test_a_time_is_shown_where_gymform_runs_and_nonsense_as_it_is():
    assert when("2026-03-05T12:30:00") == "5 Mar, 12:30"
    assert when("yesterday") == "yesterday"


def test_numbers_agree_with_their_nouns():
    assert [count(n, "clip") for n in (0, 1, 1024)] == ["0 clips", "1 clip", "1,024 clips"]
    assert count(2, "person", "people") == "2 people"
    assert count(1, "person", "people") == "1 person"


@pytest.mark.parametrize(
    ("names", "text"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_names_are_listed(names, text):
    assert listed(names) == text


def test_a_long_name_keeps_its_start_and_its_end():
    name = "x" * 500 + "last.mp4"
    shown = plain(name).replace("\\", "")
    assert len(shown) <= 60
    assert shown.startswith("xxx")
    assert shown.endswith("last.mp4")
    assert "…" in shown


@pytest.mark.parametrize("show", [plain, as_text])
def test_a_name_is_no_markup(show):
    shown = show("**bold** [link](http://x.example) <b>")
    assert "**bold**" not in shown
    assert "[link](" not in shown
    assert "<b>" not in shown


def test_a_text_has_an_end_and_an_error_is_shown_by_its_words():
    assert len(as_text("a" * 10_000)) == 2000
    assert as_text(ValueError("No clip")) == "No clip"
