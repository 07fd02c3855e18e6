"""What exercises are made of: rules with three answers, and names inside sentences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gymform.exercises import find_exercise
from gymform.exercises.definition import Exercise, Rule, Signal
from gymform.types import Verdict
from tests.exercises import movements as move

FIGURES = {
    "bicep_curl": move.curl,
    "row": move.row,
    "bench_press": move.bench_press,
    "push_up": move.push_up,
    "sit_up": lambda u: move.sit_up(u, 1.3),
    "lunge": lambda u: move.lunge(u, 0.2, 0.5),
    "romanian_deadlift": move.romanian_deadlift,
    "overhead_press": lambda u: move.overhead_press(u, 0.3),
    "kettlebell_swing": move.kettlebell_swing,
}


@pytest.mark.parametrize("key", FIGURES)
def test_a_camera_that_is_not_quite_at_the_side_adds_less_than_the_margin(key):
    points = FIGURES[key](move.again(1))
    straight = move.report(points, 90, key).repetitions[0]
    rules = find_exercise(key).rules
    compared = 0
    for degrees in (52, 75, 0):
        seen = move.report(points, degrees, key).repetitions[0]
        for rule in rules:
            here, there = straight.value(rule.key), seen.value(rule.key)
            if here and there:
                margin = rule.margin if degrees >= 50 else rule.oblique or rule.margin
                assert abs(here.value - there.value) < margin, (rule.key, degrees)
                compared += 1
    assert compared >= len(rules)


def rule(more: bool, **how) -> Rule:
    return Rule("k", 100.0, 10.0, more, "good", "look", "{value}", "A book.", **how)


@pytest.mark.parametrize("more", [True, False])
def test_a_value_is_good_past_the_margin_on_one_side_alone(more):
    past = 11 if more else -11
    assert rule(more).verdict(100 + past, 10) is Verdict.GOOD
    assert rule(more).verdict(100 - past, 10) is Verdict.LOOK
    assert rule(more).verdict(100 + past / 2, 10) is Verdict.CLOSE
    assert rule(more, gap=2).verdict(100 + past, 10) is Verdict.CLOSE


@given(
    more=st.booleans(), value=st.floats(50, 150), margin=st.floats(1, 20), gap=st.floats(0, 5),
    level=st.sampled_from([None, "About: so"]),
)  # fmt: skip
def test_every_value_has_one_name(more, value, margin, gap, level):
    """Good, level, one of two, a fault or too close: never two of these, and never none."""
    one = rule(more, level=level, gap=gap)
    verdict = one.verdict(value, margin)
    names = [one.is_level(value, margin), one.beside_level(value, margin) is not None]
    if level is None:
        assert not any(names)
        assert one.is_good(value, margin) is (verdict is Verdict.GOOD)
    else:
        assert sum(names) == (verdict is Verdict.CLOSE)
        assert not (one.is_good(value, margin) and verdict is Verdict.LOOK)


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
