"""Angles in the picture: synthetic lifters with known angles, seen from known sides."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gymform import skeleton as sk
from gymform.motion.angles import joint_angles, trunk_lean, turned
from tests.form.figures import angle_at, film, once, squat


def test_a_right_angle_and_a_straight_limb():
    xy = np.full((17, 2), np.nan)
    xy[[sk.LEFT_HIP, sk.LEFT_KNEE, sk.LEFT_ANKLE]] = (0, 0), (10, 0), (10, 12)
    xy[[sk.RIGHT_HIP, sk.RIGHT_KNEE, sk.RIGHT_ANKLE]] = (0, 0), (0, 10), (0, 25)
    angles = joint_angles(xy)
    assert angles[sk.LEFT_KNEE] == pytest.approx(90)
    assert angles[sk.RIGHT_KNEE] == pytest.approx(180)
    assert np.isnan(angles[[sk.NOSE, sk.LEFT_WRIST, sk.LEFT_ANKLE, sk.LEFT_HIP]]).all()


@pytest.mark.parametrize(("shoulder", "lean"), [((0, -10), 0), ((10, 0), 90), ((-10, -10), 45)])
def test_the_trunk_leans_from_upright_to_either_side(shoulder, lean):
    xy = np.full((17, 2), np.nan)
    xy[[sk.LEFT_HIP, sk.RIGHT_HIP]] = 0
    xy[[sk.LEFT_SHOULDER, sk.RIGHT_SHOULDER]] = shoulder
    assert trunk_lean(xy) == pytest.approx(lean)


@given(
    st.floats(0, 360), st.floats(0.1, 50), st.floats(-500, 500), st.integers(0, 2**31)
)  # fmt: skip
def test_angles_do_not_change_with_place_size_and_rotation(degrees, scale, shift, seed):
    xy = np.random.default_rng(seed).uniform(0, 100, (17, 2))
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    moved = scale * xy @ np.array([[cos, -sin], [sin, cos]]) + shift
    np.testing.assert_allclose(joint_angles(moved), joint_angles(xy), atol=1e-4)


def test_from_the_side_angles_are_those_in_space():
    points = squat(once(30), knees_out=0.0)
    pose, _ = film(points, 90)
    found = joint_angles(pose.xy.astype(float))[:, sk.LEFT_KNEE]
    true = angle_at(points, sk.LEFT_KNEE, sk.LEFT_HIP, sk.LEFT_ANKLE)
    assert true.min() < 90
    np.testing.assert_allclose(found, true, atol=2)


@pytest.mark.parametrize("degrees", [0, 30, 50, 70, 90])
def test_turned_tells_the_side_from_which_the_lifter_is_seen(degrees):
    pose, tracks = film(squat(once(30)), degrees)
    assert turned(tracks.xy, 300) == pytest.approx(degrees, abs=15)
    assert np.isnan(turned(np.full_like(pose.xy, np.nan), 300))
