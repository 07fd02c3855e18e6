"""Movement patterns: what can be said where the exercise is unsure."""

import pytest

from gymform.exercises import find_exercise
from gymform.movement_patterns import PATTERNS, partial_answer, pattern_of, shown_title
from gymform.types import OTHER, UNKNOWN, Prediction

CLASSES = ("deadlift", "romanian_deadlift", "squat", OTHER)


def prediction(*candidates: str, label: str = UNKNOWN) -> Prediction:
    return Prediction(CLASSES, (0.4, 0.35, 0.15, 0.1), label, None, "", candidates=candidates)


def test_patterns_hold_known_exercises_and_share_none():
    names = [name for one in PATTERNS for name in one.exercises]
    assert len(names) == len(set(names))
    assert all(find_exercise(name).key == name for name in names)


@pytest.mark.parametrize(
    ("names", "key"),
    [
        (["deadlift", "romanian_deadlift"], "hinge"),
        (["rdl", "Sumo deadlift"], "hinge"),
        (["squat"], "knee_bend"),
        (["deadlift", "squat"], None),
        (["deadlift", OTHER], None),
        (["sit_up"], None),
        (["my own exercise"], None),
        ([], None),
    ],
)
def test_the_pattern_of_several_exercises_is_the_one_of_each(names, key):
    found = pattern_of(names)
    assert (found.key if found else None) == key


def test_an_unsure_answer_of_one_pattern_is_a_partial_answer():
    found = partial_answer(prediction("romanian_deadlift", "deadlift"))
    assert found.title == "A hinge: Romanian deadlift or deadlift"
    assert found.exercises == ("romanian_deadlift", "deadlift")


@pytest.mark.parametrize(
    "unsure",
    [
        prediction("deadlift", "romanian_deadlift", label="deadlift"),  # named: nothing is open
        prediction("deadlift", "squat"),
        prediction("deadlift", "romanian_deadlift", OTHER),
        prediction("deadlift"),
        prediction(),
    ],
)
def test_else_there_is_none(unsure):
    assert partial_answer(unsure) is None


def test_the_title_is_the_exercise_or_what_is_sure_of_it():
    assert shown_title(prediction("deadlift", "romanian_deadlift")) == (
        "A hinge: deadlift or Romanian deadlift"
    )
    assert shown_title(prediction("deadlift")) == "Unknown exercise"
    assert shown_title(prediction("squat", label="romanian_deadlift")) == "Romanian deadlift"
