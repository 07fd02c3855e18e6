"""Features: what must not matter does not, whatever is missing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gymform import skeleton as sk
from gymform.exercise.features import NAMES, NUM_FEATURES, RATE_HZ, features, resample
from gymform.motion.clean import clean
from tests.motion.makers import sequence, squat, squat_sequence


def of(pose):
    return features(resample(clean(pose)))


def test_every_column_has_a_name():
    assert of(squat_sequence()).shape[1] == NUM_FEATURES == len(NAMES) == len(set(NAMES))


def test_as_many_steps_as_the_clip_is_long():
    for fps in (3.0, 24.0, 59.94, 240.0):
        pose = squat_sequence(fps, seconds=5.0)
        assert len(of(pose)) == int((len(pose) - 1) / fps * RATE_HZ + 1e-6) + 1


@settings(max_examples=20)
@given(st.floats(-3000, 3000), st.floats(-3000, 3000), st.floats(0.3, 8))
def test_neither_place_nor_size_matters(right, down, scale):
    pose = squat_sequence(20.0, seconds=4.0)
    moved = sequence(pose.xy * scale + np.array([right, down]), pose.time_s)
    np.testing.assert_allclose(of(moved), of(pose), atol=0.01)


@pytest.mark.parametrize("fps", [20.0, 25.0, 59.94, 120.0, 240.0])
def test_the_rate_does_not_matter(fps):
    """Within 2 % of each column's range over the movement."""
    plain, other = of(squat_sequence(30.0)), of(squat_sequence(fps))
    count = min(len(plain), len(other)) - 2
    apart = np.abs(plain[1:count] - other[1:count])
    span = np.ptp(plain, axis=0)
    assert (apart.mean(0) <= 0.02 * np.maximum(span, 0.1)).all()


def test_swapped_sides_do_not_matter():
    xy = resample(clean(squat_sequence()))
    swapped = xy.copy()
    swapped[20:50] = xy[20:50][:, list(sk.FLIP_ORDER)]
    np.testing.assert_allclose(features(swapped), features(xy), atol=1e-6)


def test_gravity_matters():
    xy = resample(clean(squat_sequence()))
    lying = xy[..., ::-1] * [1, -1]
    assert np.abs(features(lying) - features(xy)).max() > 0.5


def test_a_mirror_image_differs_by_signs_only():
    xy = resample(clean(squat_sequence()))
    mirrored = features(xy[:, list(sk.FLIP_ORDER)] * [-1, 1])
    np.testing.assert_allclose(np.abs(mirrored), np.abs(features(xy)), atol=1e-6)


def test_the_head_is_the_nose_alone():
    pose = squat_sequence()
    xy = pose.xy.copy()
    xy[:, 1:5] = np.nan
    np.testing.assert_array_equal(of(sequence(xy, pose.time_s)), of(pose))


@settings(max_examples=30)
@given(st.floats(0, 1), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_always_finite(missing, count, seed):
    rng = np.random.default_rng(seed)
    time_s = np.arange(count) / 15
    xy = squat(time_s) + rng.normal(0, 5, (count, 17, 2))
    xy[rng.random((count, 17)) < missing] = np.nan
    out = of(sequence(xy, time_s))
    assert np.isfinite(out).all()
    assert np.abs(out).max() < 10


def test_a_missing_joint_is_marked():
    pose = squat_sequence()
    xy = pose.xy.copy()
    xy[:, [sk.LEFT_WRIST, sk.RIGHT_WRIST]] = np.nan
    out = of(sequence(xy, pose.time_s))
    assert (out[:, NAMES.index("wrists_seen")] == 0).all()
    assert (out[:, NAMES.index("wrists_x")] == 0).all()
    assert (out[:, NAMES.index("elbows_seen")] == 1).all()


def test_heights_are_statures_over_the_ankles():
    out = of(squat_sequence())
    hips = out[:, NAMES.index("hips_height")]
    assert hips[0] == pytest.approx(85 / 170, abs=0.07)
    assert hips.min() == pytest.approx(hips[0] - 38 / 170, abs=0.05)
