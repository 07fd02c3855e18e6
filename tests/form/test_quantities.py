"""Quantities: what is true of a calculated figure is measured, from where it can be."""

import numpy as np
import pytest

from gymform import skeleton as sk
from gymform.form.body import body_of
from gymform.form.quantities import EITHER_WAY, QUANTITIES, RESTS_ON, values_of
from tests.exercises.movements import (
    again,
    bench_press,
    jumping_jack,
    lunge,
    overhead_press,
    pull_up,
    push_up,
    sit_up,
)
from tests.form.figures import angle_at, film


def body(points, degrees=90.0, *, lying=False):
    pose, tracks = film(points, degrees)
    found = body_of(pose, tracks, lying=lying)
    assert found is not None
    return found


def steady(make, u, **how):
    """A figure that holds one pose for a second."""
    return make(np.full(30, u), **how)


@pytest.mark.parametrize("name", QUANTITIES)
def test_a_value_a_frame_and_nothing_where_nothing_is_seen(name):
    pose, tracks = film(lunge(again(1)), 90)
    values, unit = values_of(body_of(pose, tracks), name)
    assert values.shape == (len(pose),)
    assert unit[0] in "°%"
    found = body(lunge(again(1)))
    found.xy[:] = np.nan
    found.angles[:], found.lean[:], found.thighs[:] = np.nan, np.nan, np.nan
    assert np.isnan(values_of(found, name)[0]).all()
    assert RESTS_ON[name]


def test_units_that_go_either_way_have_words_for_both():
    assert all(one != other for one, other in EITHER_WAY.values())


def test_the_upper_arm_of_a_bench_press_points_down_at_the_bottom():
    points = steady(bench_press, 1.0)
    arm = points[0, sk.LEFT_ELBOW] - points[0, sk.LEFT_SHOULDER]
    truth = np.degrees(np.arcsin(arm[1] / np.linalg.norm(arm)))
    moving = bench_press(np.r_[again(1), np.ones(30)])
    for degrees in (90, 0):
        values = values_of(body(moving, degrees, lying=True), "upper_arm")[0]
        assert np.median(values[-25:]) == pytest.approx(truth, abs=8)


def test_an_elbow_to_the_camera_is_not_called_straight():
    points = bench_press(again(1), top=0.24)
    truth = angle_at(points, sk.LEFT_ELBOW, sk.LEFT_SHOULDER, sk.LEFT_WRIST)
    found = body(points, 90, lying=True)
    plain, flat = values_of(found, "elbow")[0], values_of(found, "arm")[0]
    assert plain[0] - truth[0] > 30
    assert not np.isfinite(flat[0])


@pytest.mark.parametrize("sag", [-0.4, 0.0, 0.4])
def test_hips_off_the_line_have_a_sign(sag):
    values = values_of(body(steady(push_up, 0.0, sag=sag), lying=True), "sag")[0]
    pike = values_of(body(steady(push_up, 0.0, sag=sag), lying=True), "pike")[0]
    np.testing.assert_allclose(values, -pike)
    if sag:
        assert np.sign(np.median(values)) == np.sign(sag)


@pytest.mark.parametrize("degrees", [0, 45, 90])
def test_heights_over_other_joints_are_the_same_from_any_side(degrees):
    hang = body(steady(pull_up, 1.0, top=0.1), degrees)
    nose = np.median(values_of(hang, "nose_over_hands")[0])
    assert nose == pytest.approx(100 * (0.11 - 0.1), abs=2)
    jack = body(steady(jumping_jack, 1.0), degrees)
    assert np.median(values_of(jack, "hands_over_nose")[0]) > 10
    press = body(steady(overhead_press, 1.0), degrees)
    assert np.median(values_of(press, "hands_up")[0]) == pytest.approx(32.5, abs=3)


@pytest.mark.parametrize("turn", [90, 270])
@pytest.mark.parametrize("top", [0.2, 0.8, 1.4])
def test_a_trunk_that_sits_up_is_measured_from_the_floor(top, turn):
    values = values_of(body(steady(sit_up, 1.0, top=top), turn, lying=True), "sit")[0]
    assert np.median(values) == pytest.approx(np.degrees(top), abs=3)


def test_the_front_leg_of_a_lunge_is_told_from_the_rear_one():
    found = body(lunge(again(1)))
    low = int(np.nanargmin(found.height(sk.HIPS)))
    assert values_of(found, "front_thigh")[0][low] > 10
    assert values_of(found, "front_knee")[0][low] < 90
    assert values_of(found, "rear_knee")[0][low] < 5


def test_a_lean_back_is_positive_whichever_way_the_lifter_faces():
    for degrees in (90, 270):
        found = body(steady(overhead_press, 0.5, lean=0.4), degrees)
        values = values_of(found, "lean_back")[0]
        assert np.median(values) == pytest.approx(np.degrees(0.4), abs=4)
