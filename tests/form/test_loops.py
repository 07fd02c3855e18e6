"""The bar sideways: signed by where the lifter faces, and over feet that are really seen."""

from dataclasses import replace

import numpy as np
import pytest

from gymform import skeleton as sk
from gymform.bar.figures import figures
from gymform.exercises import BENCH_PRESS, DEADLIFT, SQUAT
from gymform.form.body import bodies_of
from gymform.form.loops import Feet, facing_of, lift_rows, loop_measures, midfoot, midfoots
from gymform.form.metrics import MIDFOOT
from gymform.types import FormReport, Measure, RepForm
from tests import fakes
from tests.form.figures import deadlift, film, once

MM = 4.0


def lift(mirrored=False, sway=10.0, nearer=0.0):
    """(body, bar, figures) of a deadlift whose plate is on its hands, but sways by so many px.

    ``nearer`` px is by how much the camera sees the plate beside the hands.
    """
    pose, tracks = film(deadlift(once(60)), 270 if mirrored else 90, 60)
    (body,) = bodies_of(pose, tracks)
    count = len(body.time_s)
    time_s = body.time_s
    way = (1 - np.cos(np.pi * np.clip(time_s - 0.5, 0, 1))) / 2
    hands = np.nanmean(body.xy[:, list(sk.WRISTS)], axis=1)
    x = hands[0, 0] + sway * np.sin(2 * np.pi * way) * (1 - way / 2)
    body.xy[:, list(sk.WRISTS), 0] = x[:, None]
    xy = np.stack([x + nearer, 300 - 150 * way], 1)
    bar = fakes.make_bar(count, time_s=time_s, xy=xy, still=xy, r=np.full(count, 10.0),
                         velocity=np.gradient(xy, time_s, axis=0), mm_per_px=MM)  # fmt: skip
    (one,) = figures(bar, [(0.0, 1.7)]).repetitions
    return body, bar, one


def values(body, bar, one, exercise=DEADLIFT):
    feet = midfoot(bar, body, exercise, one)
    return {m.key: m.value for m in loop_measures(bar, one, facing_of(body, exercise), feet)}


@pytest.mark.parametrize("mirrored", [False, True])
def test_forwards_and_backwards_are_the_lifter_s(mirrored):
    body, bar, one = lift(mirrored)
    found = values(body, bar, one)
    assert facing_of(body, DEADLIFT) == (1 if mirrored else -1)
    to_either_side = (found["bar_forwards"], found["bar_backwards"])
    right_first = (3.5, 2.5)  # 10 px to the right, then as far to the left, fading
    assert to_either_side == pytest.approx(right_first if mirrored else right_first[::-1], abs=0.3)


def test_the_larger_of_both_is_the_drift_that_was_there_before():
    body, bar, one = lift()
    found = values(body, bar, one)
    assert max(found["bar_forwards"], found["bar_backwards"]) == pytest.approx(one.drift_cm)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("nearer", [0.0, 12.0, -12.0])
def test_the_midfoot_is_before_the_ankle_whatever_shifts_the_plate(mirrored, nearer):
    body, bar, one = lift(mirrored, nearer=nearer)
    start = lift_rows(bar, one)[0]
    ankle = np.mean(body.xy[start, list(sk.ANKLES), 0])
    x = bar.still[start, 0] - nearer
    true = body.facing * (x - ankle) - MIDFOOT * body.size
    assert values(body, bar, one)["bar_midfoot"] == pytest.approx(true * MM / 10, abs=0.3)


@pytest.mark.parametrize(
    ("exercise", "why"),
    [(SQUAT, "only hands that hold the bar"), (BENCH_PRESS, "told from the side only")],
)
def test_exercises_in_which_it_is_not_told(exercise, why):
    body, bar, one = lift()
    assert why in midfoot(bar, body, exercise, one).why


def test_from_the_front_nothing_is_signed():
    body, bar, one = lift()
    body = replace(body, turned=10.0)
    assert facing_of(body, DEADLIFT) is None
    assert values(body, bar, one) == {}


def test_ankles_behind_the_plate_are_a_guess():
    body, bar, one = lift()
    feet = midfoot(replace(bar, r=np.full(len(bar.r), 500.0)), body, DEADLIFT, one)
    assert "behind the plate" in feet.why


def test_hands_that_are_hidden_or_leave_the_bar():
    body, bar, one = lift()
    body.xy[:, list(sk.WRISTS), 0] = 300 + 40 * np.sin(40 * body.time_s)[:, None]
    assert midfoot(bar, body, DEADLIFT, one).why == "plate and hands do not move as one"
    body.xy[:, list(sk.WRISTS)] = np.nan
    assert midfoot(bar, body, DEADLIFT, one).why == "the hands are not seen well enough"


def test_without_a_scale_there_are_no_cm():
    _, bar, one = lift()
    assert not [*loop_measures(replace(bar, mm_per_px=None), one, 1, Feet(300.0))]


@pytest.mark.parametrize(("facing", "right"), [(1, -5.0), (-1, 5.0)])
def test_where_a_chart_draws_the_midfoot(facing, right):
    rep = RepForm(0.0, 2.0, (Measure("bar_midfoot", "", 5.0, "cm before", 0.5),))
    assert midfoots(FormReport("deadlift", 90.0, (rep,), facing=facing)) == [(0.5, right)]
    assert midfoots(FormReport("deadlift", 90.0, (rep,))) == []
