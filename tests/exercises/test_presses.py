"""Presses: lying, standing and on the floor, counted and judged."""

import numpy as np
import pytest

from gymform.exercises import BENCH_PRESS, OVERHEAD_PRESS, PUSH_UP
from gymform.types import Verdict
from tests.exercises.movements import (
    again,
    bench_press,
    counted,
    mean,
    overhead_press,
    push_up,
    report,
    titles,
)

ALL = [(bench_press, BENCH_PRESS), (overhead_press, OVERHEAD_PRESS), (push_up, PUSH_UP)]


@pytest.mark.parametrize("degrees", [0, 45, 90, 180])
@pytest.mark.parametrize(("make", "one"), ALL, ids=lambda x: str(x)[:14])
def test_as_many_as_there_are_from_any_side(make, one, degrees):
    assert [counted(make(again(n)), degrees, one) for n in (1, 4)] == [1, 4]


@pytest.mark.parametrize(("make", "one"), ALL, ids=lambda x: str(x)[:14])
def test_a_set_that_begins_and_ends_at_the_other_end_is_counted_from_there(make, one):
    u = again(4)
    low = np.flatnonzero(u > 0.99)
    assert counted(make(u[low[0] : low[-1]]), 90, one) == 3


def test_what_is_short_at_one_end():
    deep = titles(report(bench_press(again(2)), 90, "bench_press"))
    assert deep["Deep: the elbows go below the shoulders"] is Verdict.GOOD
    assert deep["The arms are locked out"] is Verdict.GOOD
    assert deep["The bar ends over the shoulders"] is Verdict.GOOD
    high = titles(report(bench_press(again(2), low=0.25, top=0.3), 90, "bench_press"))
    assert high.get("Deep: the elbows go below the shoulders") is None
    bent = titles(report(bench_press(again(2), top=0.24), 90, "bench_press"))
    assert "The arms are locked out" not in bent  # elbows to the camera: nothing is said


def test_an_overhead_press_that_is_not_finished_or_leans_back():
    good = titles(report(overhead_press(again(2)), 90, "overhead_press"))
    assert set(good.values()) == {Verdict.GOOD}
    short = titles(report(overhead_press(again(2), short=0.2), 0, "overhead_press"))
    assert short["The arms stay bent overhead"] is Verdict.LOOK
    leant = report(overhead_press(again(2), lean=0.5), 90, "overhead_press")
    assert titles(leant)["The trunk leans back"] is Verdict.LOOK
    assert mean(leant, "lean_back") == pytest.approx(np.degrees(0.5), abs=3)


def test_a_push_up_that_is_high_or_sags():
    deep = titles(report(push_up(again(2)), 90, "push_up"))
    assert deep["Deep: the shoulders go below the elbows"] is Verdict.GOOD
    assert deep["The hips do not sag"] is Verdict.GOOD
    high = titles(report(push_up(again(2), low=0.22), 90, "push_up"))
    assert high["The shoulders stay above the elbows"] is Verdict.LOOK
    sagging = titles(report(push_up(again(2), sag=0.6), 90, "push_up"))
    assert sagging["The hips sag"] is Verdict.LOOK


def test_from_the_front_the_line_of_the_body_is_not_judged():
    form = report(push_up(again(2), sag=0.6), 0, "push_up")
    assert not {"The hips sag", "The hips do not sag"} & set(titles(form))
    assert any("Not seen from the side" in note for note in form.notes)
    assert mean(form, "even") == pytest.approx(0, abs=3)
