"""A measure over weeks, from summaries."""

from __future__ import annotations

import pytest

from gymform.compare.trend import LOSS, TITLES, changes, followed, value_of
from gymform.exercises import EXERCISES


def summary(*speeds: float, **measures: float):
    reps = [{"measures": {"speed": speed, **measures}, "cut_off": False} for speed in speeds]
    return {"repetitions": [*reps, {"measures": {"speed": 1.0}, "cut_off": True}]}


def test_a_result_s_value_is_the_mean_of_its_whole_repetitions():
    assert value_of(summary(40, 30), "speed") == 35
    assert value_of(summary(40), "thigh_below_level") is None
    assert value_of({}, "speed") is None


def test_the_loss_is_that_of_the_last_against_the_fastest():
    assert value_of(summary(30, 40, 30), LOSS) == pytest.approx(25)
    assert value_of(summary(30), LOSS) is None


def test_the_loss_is_the_one_that_the_result_says_where_it_says_one():
    said = summary(30, 40, 30)
    assert value_of({**said, "set": {"loss": 18.0, "by": "plate"}}, LOSS) == 18.0
    assert value_of({**said, "set": None}, LOSS) is None


def test_what_two_results_have_can_be_followed():
    deep = summary(30, thigh_below_level=5.0)
    assert followed([deep, summary(31, thigh_below_level=3.0)]) == ["thigh_below_level", "speed"]
    assert followed([deep, summary(31)]) == ["speed"]
    assert followed([deep]) == []


def test_changes_name_what_both_have():
    found = changes(summary(30, tip=4.0), summary(40))
    assert [(one.title, one.here, one.there) for one in found] == [(TITLES["speed"][0], 30, 40)]


def test_every_rule_can_be_followed():
    missing = {rule.key for one in EXERCISES for rule in one.rules} - set(TITLES)
    assert missing <= {"press_out", "catch_ahead"}
