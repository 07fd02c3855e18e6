"""Lengths of the body: the stature of a figure of known size; cuts to another scale."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gymform import skeleton as sk
from gymform.motion import body_size
from gymform.motion.body_size import (
    SEGMENTS,
    feet_of,
    mean_known,
    midpoint,
    segment_lengths,
    stature,
    statures,
    steady_midpoint,
)
from tests.motion.makers import STANDING, squat

RATE_HZ = 12.0


def figure(size=170.0):
    """(17, 2) px: each segment has its share of ``size`` and hangs straight down."""
    xy = np.zeros((17, 2))
    for start, end, share in SEGMENTS:
        for joint in end:
            at = np.mean([xy[i] for i in start], axis=0)
            xy[joint] = at + np.array([0, share * size])
    return xy


def test_a_segment_is_as_long_as_its_share_says():
    np.testing.assert_allclose(
        segment_lengths(figure(200.0)), [200 * share for _, _, share in SEGMENTS]
    )
    assert stature(figure(200.0)[None]) == pytest.approx(200)


@settings(max_examples=30)
@given(st.floats(-2000, 2000), st.floats(0.05, 20), st.floats(0, 360))
def test_the_stature_grows_with_the_body_and_not_with_place_or_rotation(shift, scale, degrees):
    xy = squat(np.arange(40) / RATE_HZ)
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert stature(scale * xy @ turn.T + shift) == pytest.approx(scale * stature(xy), rel=1e-6)


def test_neither_a_hidden_trunk_nor_one_misplaced_joint_changes_it():
    xy = np.repeat(figure()[None], 20, 0)
    bent = xy.copy()
    bent[:, :5] = np.nan
    bent[:, list(sk.SHOULDERS)] = bent[:, list(sk.HIPS)] + [3, 0]  # foreshortened to nothing
    bent[:, [sk.LEFT_ELBOW, sk.RIGHT_ELBOW, sk.LEFT_WRIST, sk.RIGHT_WRIST]] = np.nan
    assert stature(bent) == pytest.approx(170)
    wrong = xy.copy()
    wrong[:, sk.LEFT_WRIST] += [0, 500]  # one segment of nine is far too long
    assert stature(wrong) == pytest.approx(170)


def test_a_segment_that_is_hardly_ever_seen_does_not_count():
    xy = np.full((100, 17, 2), np.nan)
    xy[:5] = figure()
    assert np.isnan(stature(xy))
    xy[:10] = figure()
    assert stature(xy) == pytest.approx(170)


@given(
    hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=9),
               elements=st.one_of(st.floats(-1e3, 1e3), st.just(float("nan")))),
    st.floats(0, 1),
)  # fmt: skip
def test_the_quantile_is_numpy_s(values, share):
    values[0] = 1.0
    known = np.isfinite(values).sum(0)
    found = body_size._quantile(values, known, share)
    np.testing.assert_allclose(found, np.nanquantile(values, share, axis=0), atol=1e-9)


@pytest.mark.parametrize("xy", [np.full((9, 17, 2), np.nan), np.zeros((9, 17, 2))])
def test_nobody_and_a_point_have_no_stature(xy):
    assert np.isnan(stature(xy))
    assert np.isnan(statures(xy, RATE_HZ)).all()


def test_the_midpoint_is_of_the_joints_that_are_known():
    xy = np.repeat(STANDING[None], 3, 0)
    xy[1, sk.LEFT_HIP] = np.nan
    xy[2, list(sk.HIPS)] = np.nan
    both, one, none = midpoint(xy, sk.HIPS)
    assert both.tolist() == STANDING[list(sk.HIPS)].mean(0).tolist()
    assert one.tolist() == STANDING[sk.RIGHT_HIP].tolist()
    assert np.isnan(none).all()


@given(st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(float("nan"))), min_size=1))
def test_the_mean_is_over_what_is_known(values):
    known = [value for value in values if not np.isnan(value)]
    expected = np.mean(known) if known else np.nan
    np.testing.assert_allclose(mean_known(np.array(values)), expected, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("factor", [0.5, 2.0])
@pytest.mark.parametrize("cut", [30, 40])
def test_a_cut_to_another_scale_begins_a_new_stature(factor, cut):
    xy = squat(np.arange(80) / RATE_HZ)
    xy[cut:] *= factor
    found = statures(xy, RATE_HZ)
    assert (found[:cut] == found[0]).all()
    assert (found[cut:] == found[-1]).all()
    assert found[-1] / found[0] == pytest.approx(factor, rel=0.05)


@pytest.mark.parametrize("factor", [1.0, 0.8, 1.3])
def test_less_than_a_cut_changes_nothing(factor):
    """... nor does a camera that comes nearer little by little."""
    xy = squat(np.arange(80) / RATE_HZ)
    xy[50:] *= factor
    assert len(set(statures(xy, RATE_HZ))) == 1
    slowly = squat(np.arange(80) / RATE_HZ) * np.linspace(1, 2.5, 80)[:, None, None]
    assert body_size._cuts(body_size.segment_lengths(slowly), RATE_HZ) == []


def test_the_middle_of_two_joints_does_not_jump_when_one_is_hidden():
    time_s = np.arange(60) / 30
    xy = squat(time_s) + 300
    middle = midpoint(xy, sk.WRISTS)
    np.testing.assert_allclose(steady_midpoint(xy, sk.WRISTS), middle)
    xy[20:40, sk.LEFT_WRIST] = np.nan
    xy[50:, sk.RIGHT_WRIST] = np.nan
    np.testing.assert_allclose(steady_midpoint(xy, sk.WRISTS), middle, atol=3)
    assert np.abs(midpoint(xy, sk.WRISTS) - middle).max() > 20
    xy[10, list(sk.WRISTS)] = np.nan
    assert np.isnan(steady_midpoint(xy, sk.WRISTS)[10]).all()
    xy[:, sk.LEFT_WRIST] = np.nan
    np.testing.assert_array_equal(steady_midpoint(xy, sk.WRISTS), xy[:, sk.RIGHT_WRIST])


@pytest.mark.parametrize(("first", "last"), [(0, 20), (0, 40), (30, 60)])
@pytest.mark.parametrize("side", [0, 1])
def test_a_foot_that_strays_does_not_move_the_feet(first, last, side):
    """Such as an ankle on somebody who stands behind, for a third or two thirds of the film."""
    xy = squat(np.arange(60) / 30) + 300
    truth = feet_of(xy, 170)
    np.testing.assert_allclose(truth, midpoint(xy, sk.ANKLES))
    xy[first:last, sk.ANKLES[side]] += (-15, -90)
    assert np.ptp(feet_of(xy, 170)[:, 1] - truth[:, 1]) < 1e-6


def test_feet_that_jump_together_have_moved():
    xy = np.repeat(STANDING[None], 30, axis=0) + 300
    xy[10:20, :, 1] -= 40
    np.testing.assert_allclose(feet_of(xy, 170), midpoint(xy, sk.ANKLES))
    np.testing.assert_array_equal(
        np.isnan(feet_of(np.full((5, 17, 2), np.nan))), np.ones((5, 2), bool)
    )
