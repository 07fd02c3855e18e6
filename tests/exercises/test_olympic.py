"""Clean and jerk: one repetition from the floor to overhead. Snatches: see tests/form."""

import pytest

from gymform.exercises import CLEAN_AND_JERK
from gymform.types import Verdict
from tests.exercises.movements import clean_and_jerk, counted, report, titles


@pytest.mark.parametrize("falls", [False, True])
@pytest.mark.parametrize("degrees", [0, 45, 90])
def test_clean_and_jerk_are_one_whether_the_bar_falls_or_not(degrees, falls):
    assert counted(clean_and_jerk(falls=falls), degrees, CLEAN_AND_JERK) == 1


def test_straight_arms_and_a_press_out():
    good = report(clean_and_jerk(elbow=0.331, late=0.331), 90, "clean_and_jerk")
    said = titles(good)
    assert said["Jerked onto straight arms"] is Verdict.GOOD
    assert said["Racked on the shoulders"] is Verdict.GOOD
    assert Verdict.LOOK not in said.values()
    assert good.repetitions[0].value("clean_depth") is not None
    pressed = titles(report(clean_and_jerk(elbow=0.25, late=0.331), 90, "clean_and_jerk"))
    assert pressed["The arms are bent under the jerk"] is Verdict.LOOK
    assert pressed["The arms straighten after the jerk"] is Verdict.LOOK
