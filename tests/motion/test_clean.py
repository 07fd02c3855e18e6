"""Cleaning: nothing invented, nothing shifted, the same at every rate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gymform import skeleton as sk
from gymform.motion.clean import MAX_GAP_S, clean, fill_gaps, smooth
from tests.motion.makers import sequence, sparsely, squat, squat_sequence

RATES = (3.0, 10.0, 24.0, 30.0, 59.94, 240.0)


@pytest.mark.parametrize("fps", RATES)
def test_a_clean_track_stays_where_it_is(fps):
    pose = squat_sequence(fps)
    tracks = clean(pose)
    assert np.abs(tracks.xy - pose.xy).max() < 1.0  # of a stature of 170 px
    assert not tracks.filled.any()


@pytest.mark.parametrize("fps", [24.0, 60.0, 240.0])
def test_noise_goes_and_the_movement_stays(fps):
    rng = np.random.default_rng(0)
    pose = squat_sequence(fps)
    noisy = sequence(pose.xy + rng.normal(0, 2, pose.xy.shape), pose.time_s)
    before = np.abs(noisy.xy - pose.xy).mean()
    after = np.abs(clean(noisy).xy - pose.xy).mean()
    assert after < (0.85 if fps < 30 else 0.65 if fps < 100 else 0.35) * before


@pytest.mark.parametrize("fps", [20.0, 30.0, 120.0])
def test_the_cut_off_follows_the_true_rate(fps):
    time_s = np.arange(round(10 * fps)) / fps
    for frequency, low, high in ((1.0, 0.98, 1.02), (9.0, 0.0, 0.35)):
        wave = np.sin(2 * np.pi * frequency * time_s)[:, None, None] * np.ones((1, 17, 2))
        gain = smooth(wave, time_s)[len(time_s) // 4 : -len(time_s) // 4].std() / wave.std()
        assert low <= gain <= high


def test_a_variable_frame_rate_does_not_matter():
    rng = np.random.default_rng(1)
    uneven = np.cumsum(rng.choice([1 / 60, 1 / 30, 1 / 20], 240))
    uneven -= uneven[0]
    tracks = clean(sequence(squat(uneven) + 300, uneven))
    assert np.abs(tracks.xy - (squat(uneven) + 300)).max() < 1.5
    steady = np.arange(0, uneven[-1], 1 / 60)
    expected = np.gradient(squat(steady), steady, axis=0)
    at = np.interp(steady, uneven, tracks.velocity[:, sk.LEFT_HIP, 1])
    assert np.abs(at - expected[:, sk.LEFT_HIP, 1])[30:-30].max() < 8  # px/s, of about 40


def test_velocity_is_px_a_second_at_every_rate():
    for fps in (10.0, 30.0, 240.0):
        time_s = np.arange(round(3 * fps)) / fps
        xy = np.zeros((len(time_s), 17, 2)) + 50 * time_s[:, None, None]
        velocity = clean(sequence(xy, time_s)).velocity
        np.testing.assert_allclose(velocity, 50, atol=0.5)


def test_short_gaps_are_filled_and_long_ones_are_not():
    pose = squat_sequence(30.0)
    xy = pose.xy.copy()
    xy[60:70, sk.LEFT_WRIST] = np.nan  # a third of a second
    xy[60:90, sk.RIGHT_WRIST] = np.nan  # a second
    xy[:5, sk.NOSE] = np.nan  # not seen at the start
    tracks = clean(sequence(xy, pose.time_s))
    assert tracks.filled[60:70, sk.LEFT_WRIST].all()
    assert np.abs(tracks.xy - pose.xy)[60:70, sk.LEFT_WRIST].max() < 3
    assert np.isnan(tracks.xy[60:90, sk.RIGHT_WRIST]).all()
    assert np.isnan(tracks.xy[:5, sk.NOSE]).all()
    assert np.isnan(tracks.velocity[60:90, sk.RIGHT_WRIST]).all()


def test_the_longest_gap_is_in_seconds():
    for fps in (10.0, 100.0):
        time_s = np.arange(round(4 * fps)) / fps
        xy = np.zeros((len(time_s), 17, 2))
        hole = (time_s > 1) & (time_s < 1 + 0.8 * MAX_GAP_S)
        wide = (time_s > 2) & (time_s < 2 + 1.2 * MAX_GAP_S)
        xy[hole | wide] = np.nan
        known = np.isfinite(fill_gaps(xy, time_s)).all((1, 2))
        assert known[hole].all()
        assert not known[wide].any()


def test_an_outlier_is_replaced():
    pose = squat_sequence(30.0)
    xy = pose.xy.copy()
    xy[100, sk.LEFT_WRIST] += 120
    xy[101, sk.LEFT_WRIST] += 110
    tracks = clean(sequence(xy, pose.time_s))
    assert np.abs(tracks.xy - pose.xy)[95:107, sk.LEFT_WRIST].max() < 4
    assert tracks.filled[100, sk.LEFT_WRIST]


def test_a_fast_steady_movement_is_no_outlier():
    time_s = np.arange(90) / 30
    xy = squat(time_s) + 300
    swing = np.clip((time_s - 1) / 0.5, 0, 1)  # a wrist overhead in half a second
    xy[:, [sk.LEFT_WRIST, sk.RIGHT_WRIST], 1] -= 200 * swing[:, None]
    tracks = clean(sequence(xy, time_s))
    assert not tracks.filled[:, [sk.LEFT_WRIST, sk.RIGHT_WRIST]].any()


def test_a_point_of_low_score_counts_as_missing():
    pose = squat_sequence(30.0)
    score = pose.score.copy()
    score[:, sk.LEFT_ANKLE] = 0.1
    doubtful = type(pose)(pose.xy, score, pose.boxes, pose.time_s, pose.image_size)
    assert np.isnan(clean(doubtful).xy[:, sk.LEFT_ANKLE]).all()


def test_the_pose_sequence_itself_is_unchanged():
    pose = squat_sequence(30.0)
    before = pose.xy.copy()
    clean(pose)
    np.testing.assert_array_equal(pose.xy, before)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8])
def test_few_frames(count):
    time_s = np.arange(count) / 30
    tracks = clean(sequence(squat(time_s) + 300, time_s))
    assert np.isfinite(tracks.xy).all()
    assert np.isfinite(tracks.velocity).all() == (count > 1)


@pytest.mark.parametrize("fps", [3.0, 30.0, 240.0])
def test_nobody_there(fps):
    time_s = np.arange(20) / fps
    tracks = clean(sequence(np.full((20, 17, 2), np.nan), time_s))
    assert np.isnan(tracks.xy).all()
    assert not tracks.filled.any()


@settings(max_examples=25)
@given(
    st.floats(-2000, 2000),
    st.floats(0.2, 8),
    st.sampled_from([5.0, 24.0, 30.0, 60.0]),
    st.integers(0, 2**32 - 1),
)
def test_cleaning_commutes_with_shift_and_scale(shift, scale, fps, seed):
    rng = np.random.default_rng(seed)
    time_s = np.arange(60) / fps
    xy = squat(time_s) + rng.normal(0, 1, (60, 17, 2))
    xy[rng.random((60, 17)) < 0.1] = np.nan
    plain = clean(sequence(xy, time_s))
    moved = clean(sequence(xy * scale + shift, time_s))
    np.testing.assert_array_equal(plain.filled, moved.filled)
    np.testing.assert_allclose(moved.xy, plain.xy * scale + shift, rtol=1e-3, atol=2e-2 * scale)
    np.testing.assert_allclose(moved.velocity, plain.velocity * scale, rtol=1e-2, atol=1 * scale)


def test_frames_that_no_network_looked_at_are_filled():
    pose = sparsely(squat_sequence())
    tracks = clean(pose)
    np.testing.assert_array_equal(tracks.interpolated, pose.interpolated)
    np.testing.assert_array_equal(tracks.filled, np.repeat(pose.interpolated[:, None], 17, axis=1))
    whole = clean(squat_sequence())
    assert not whole.interpolated.any()
    assert np.abs(tracks.xy - whole.xy).max() < 4
