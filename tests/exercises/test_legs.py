"""Lunges: counted from any side, and what their rules say. Squats: see tests/form."""

import pytest

from gymform.exercises import LUNGE
from gymform.types import Verdict
from tests.exercises.movements import again, counted, lunge, mean, report, titles


@pytest.mark.parametrize("degrees", [0, 45, 90, 180])
def test_as_many_as_there_are_from_any_side(degrees):
    assert [counted(lunge(again(n)), degrees, LUNGE) for n in (1, 4)] == [1, 4]


@pytest.mark.parametrize("degrees", [0, 90])
def test_a_deep_lunge_and_a_high_one(degrees):
    deep = titles(report(lunge(again(2)), degrees, "lunge"))
    assert deep["Deep: the front thigh goes below level"] is Verdict.GOOD
    assert deep["The rear knee comes near the floor"] is Verdict.GOOD
    high = titles(report(lunge(again(2), 0.08), degrees, "lunge"))
    assert high["The front thigh stays above level"] is Verdict.LOOK
    assert "The rear knee comes near the floor" not in high


def test_a_trunk_that_falls_forward_shows_from_the_side_alone():
    side = report(lunge(again(2), lean=0.8), 90, "lunge")
    assert titles(side)["The trunk falls forward"] is Verdict.LOOK
    assert mean(side, "trunk_lean") == pytest.approx(45.8, abs=3)
    assert "The trunk falls forward" not in titles(report(lunge(again(2), lean=0.8), 0, "lunge"))
