"""The language of --where: what it selects, and what it says about conditions that are none."""

import dataclasses

import pytest

from gymform.dataset.items import ACCEPTED, Judged
from gymform.dataset.where import FIELDS, MAX_DEPTH, MAX_LENGTH, fields_in, parse
from gymform.errors import OptionsError
from tests.dataset.makers import clip_record, item_of

SQUAT = Judged(
    item=item_of(clip_record(0, group="Anna", name="Anna's best.mp4"), 2, 1.0, 2.5),
    quality=0.85,
    problems=("jitter", "low confidence"),
)
DONE = dataclasses.replace(
    SQUAT, verdict=ACCEPTED, reviewer="Ben", comment="very good", reasons=("other",)
)
UNKNOWN = dataclasses.replace(SQUAT, quality=None, problems=())


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("quality>0.8 and exercise=squat", True),
        ("quality > 0.8 and exercise = squat", True),
        ("quality>=0.85", True),
        ("quality<.85", False),
        ("quality!=0.85", False),
        ("exercise==SQUAT", True),
        ("exercise=squats", False),
        ("group~nn", True),
        ("group!=anna", False),
        ("problem=jitter", True),
        ('problem="Low confidence"', True),
        ("problem!=jitter", False),
        ("problem~confid", True),
        ("reason=occluded", False),
        ("verdict=pending", True),
        ("seconds=1.5 and part=2 and start=1 and end<2.6", True),
        ("not exercise=squat", False),
        ("not not exercise=squat", True),
        ("exercise=row or exercise=squat and quality>0.9", False),
        ("(exercise=row or exercise=squat) and quality>0.8", True),
        ("exercise=squat or exercise=row and quality>0.9", True),
        ('name="Anna\'s best.mp4"', True),
        ("NOT group=ben AND Exercise=squat", True),
        ('reviewer=""', True),
    ],
)
def test_what_a_condition_selects(text, fits):
    assert parse(text)(SQUAT) is fits


def test_decisions_can_be_asked_for():
    for text in ("verdict=accepted", "reviewer=ben", "comment~GOOD", "reason=other"):
        assert parse(text)(DONE)
        assert not parse(text)(SQUAT)


def test_what_is_not_known_never_matches():
    for sign in ("<", "<=", ">", ">=", "=", "!="):
        assert not parse(f"quality{sign}0.5")(UNKNOWN)
    assert not parse("problem=jitter")(UNKNOWN)
    assert parse("problem!=jitter")(UNKNOWN)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("", 1, "got the end"),
        ("quality", 8, "after quality, got the end"),
        ("quality>", 9, "a value after quality>"),
        ("quality>high", 9, "a number for quality, got 'high'"),
        ("quality~0.8", 8, "for the number quality"),
        ("qualty>0.8", 1, "Did you mean quality?"),
        ("colour=red", 1, "expected one of quality, start"),
        ("exercise<squat", 9, "for the text exercise"),
        ("exercise=squat quality>0.8", 16, "got 'quality'"),
        ("exercise=front squat", 16, "in quotes"),
        ("exercise=squat and", 19, "got the end"),
        ("(exercise=squat", 16, "got the end"),
        ("exercise=squat)", 15, "got ')'"),
        ("verdict=good", 9, "pending, accepted, rejected, skipped"),
        ("reason=ugly", 8, "poor keypoints"),
        ('exercise="squat', 10, "a closing quote"),
        ("exercise!squat", 9, "expected a field, a sign or a value"),
        ("exercise==", 11, "got the end"),
    ],
)
def test_what_is_no_condition_is_refused_with_its_place(text, place, words):
    with pytest.raises(OptionsError) as raised:
        parse(text)
    assert f"character {place}:" in str(raised.value)
    assert words in str(raised.value)


def test_conditions_without_end_are_refused():
    deep = "(" * (MAX_DEPTH + 1) + "part=1" + ")" * (MAX_DEPTH + 1)
    for text in (deep, "not " * 400 + "part=1"):
        with pytest.raises(OptionsError, match="nested too deeply"):
            parse(text)
    with pytest.raises(OptionsError, match="at most 2000"):
        parse("part=1 or " * MAX_LENGTH)


def test_it_is_never_run_as_code():
    with pytest.raises(OptionsError):
        parse("__import__('os').system('true')")
    assert not parse('name="__import__"')(SQUAT)


def test_the_fields_that_it_names():
    assert fields_in("Quality>0.8 and (verdict=pending or not group~a)") == {
        "quality", "verdict", "group",
    }  # fmt: skip
    assert len(set(FIELDS)) == len(FIELDS)
