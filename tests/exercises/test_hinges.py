"""Romanian deadlifts and swings: counted and judged. Deadlifts: see tests/form."""

import pytest

from gymform.exercises import KETTLEBELL_SWING, ROMANIAN_DEADLIFT
from gymform.types import Verdict
from tests.exercises.movements import (
    again,
    counted,
    kettlebell_swing,
    report,
    romanian_deadlift,
    titles,
)


@pytest.mark.parametrize("degrees", [0, 45, 90, 180])
@pytest.mark.parametrize(
    ("make", "one"),
    [(romanian_deadlift, ROMANIAN_DEADLIFT), (kettlebell_swing, KETTLEBELL_SWING)],
    ids=lambda x: str(x)[:12],
)
def test_as_many_as_there_are_from_any_side(make, one, degrees):
    assert [counted(make(again(n)), degrees, one) for n in (1, 4)] == [1, 4]


def test_a_deep_hinge_a_shallow_one_and_one_with_the_knees():
    deep = titles(report(romanian_deadlift(again(2)), 90, "romanian_deadlift"))
    assert deep["A deep hinge"] is Verdict.GOOD
    assert deep["The knees keep their angle"] is Verdict.GOOD
    shallow = titles(report(romanian_deadlift(again(2), 0.7), 90, "romanian_deadlift"))
    assert shallow["A shallow hinge"] is Verdict.LOOK
    bent = titles(report(romanian_deadlift(again(2), bend=0.2), 90, "romanian_deadlift"))
    assert bent["The knees bend like in a deadlift"] is Verdict.LOOK


def test_a_swing_that_is_finished_and_one_that_is_a_squat():
    good = titles(report(kettlebell_swing(again(2)), 90, "kettlebell_swing"))
    assert set(good.values()) == {Verdict.GOOD}
    stooped = titles(report(kettlebell_swing(again(2), top_lean=0.7), 90, "kettlebell_swing"))
    assert stooped["The hips stay bent at the top"] is Verdict.LOOK
    squat = titles(report(kettlebell_swing(again(2), low=0.32), 90, "kettlebell_swing"))
    assert squat["More of a squat than a hinge"] is Verdict.LOOK
