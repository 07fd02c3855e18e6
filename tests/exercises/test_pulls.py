"""Pull-ups and rows: counted from any side, and what their rules say."""

import numpy as np
import pytest

from gymform.exercises import PULL_UP, ROW
from gymform.types import Verdict
from tests.exercises.movements import again, counted, mean, pull_up, report, row, titles


@pytest.mark.parametrize("degrees", [0, 45, 90, 180])
@pytest.mark.parametrize(
    ("make", "one"), [(pull_up, PULL_UP), (row, ROW)], ids=lambda x: str(x)[:9]
)
def test_as_many_as_there_are_from_any_side(make, one, degrees):
    assert [counted(make(again(n)), degrees, one) for n in (1, 4)] == [1, 4]


def test_hands_that_hang_before_and_after_the_set_are_no_repetition():
    before = pull_up(np.zeros(30))
    down = before.copy()
    for shoulder, elbow, wrist in ((5, 7, 9), (6, 8, 10)):
        down[:, elbow] = down[:, shoulder] + [0, 0.17, 0]
        down[:, wrist] = down[:, shoulder] + [0, 0.32, 0]
    points = np.concatenate([down, pull_up(again(2)), down])
    assert counted(points, 0, PULL_UP) == 2


@pytest.mark.parametrize("degrees", [0, 90])
def test_the_chin_over_the_bar_and_below_it(degrees):
    over = titles(report(pull_up(again(2), top=-0.04), degrees, "pull_up"))
    assert over["The chin goes over the bar"] is Verdict.GOOD
    assert over["Every repetition starts from a full hang"] is Verdict.GOOD
    below = titles(report(pull_up(again(2), top=0.14), degrees, "pull_up"))
    assert below["The chin stays below the bar"] is Verdict.LOOK
    half = titles(report(pull_up(again(2), hang=0.1), degrees, "pull_up"))
    if degrees == 0:
        assert half["The arms stay bent in the hang"] is Verdict.LOOK
    assert "Every repetition starts from a full hang" not in half


def test_a_trunk_that_helps_in_a_row():
    still = titles(report(row(again(2)), 90, "row"))
    assert still["The trunk stays still"] is Verdict.GOOD
    assert still["Pulled in: the elbows pass the trunk"] is Verdict.GOOD
    helped = report(row(again(2), swing=0.6), 90, "row")
    assert titles(helped)["The trunk helps"] is Verdict.LOOK
    assert mean(helped, "trunk_swing") == pytest.approx(np.degrees(0.6), abs=4)


def test_one_arm_rows_count():
    assert counted(row(again(3), sides=(1, 0)), 60, ROW) == 3
