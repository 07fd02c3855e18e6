"""What exercises are made of: rules with three answers, and names inside sentences."""

import pytest

from gymform.exercises.definition import Exercise, Rule, Signal
from gymform.types import Verdict


def rule(more: bool, **how) -> Rule:
    return Rule("k", 100.0, 10.0, more, "good", "look", "{value}", "A book.", **how)


@pytest.mark.parametrize("more", [True, False])
def test_a_value_is_good_past_the_margin_on_one_side_alone(more):
    past = 11 if more else -11
    assert rule(more).verdict(100 + past, 10) is Verdict.GOOD
    assert rule(more).verdict(100 - past, 10) is Verdict.LOOK
    assert rule(more).verdict(100 + past / 2, 10) is Verdict.CLOSE
    assert rule(more, gap=2).verdict(100 + past, 10) is Verdict.CLOSE


def test_only_a_rule_with_a_title_for_it_calls_something_level():
    assert rule(True, level="about").is_level(95, 10)
    assert not rule(True, level="about").is_level(85, 10)
    assert not rule(True).is_level(100, 10)


@pytest.mark.parametrize(
    ("title", "name", "article"),
    [("Bench press", "bench press", "a"), ("Overhead press", "overhead press", "an"),
     ("Romanian deadlift", "Romanian deadlift", "a")],
)  # fmt: skip
def test_a_title_inside_a_sentence(title, name, article):
    one = Exercise("key", title)
    assert (one.name, one.article) == (name, article)


def test_phases_are_told_by_a_signal_or_by_joints():
    assert not Exercise("a", "A").has_phases
    assert Exercise("a", "A", phases_by=(1, 2)).has_phases
    assert Exercise("a", "A", signal=Signal("apart", high=False)).has_phases
