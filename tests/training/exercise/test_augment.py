"""Augmented samples: plausible, different, repeatable."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from gymform.exercise.features import RATE_HZ, features
from gymform.training.exercise import augment as aug
from gymform.training.exercise.tracks import LabelledPose
from tests.motion.makers import sequence, squat_sequence


def track(pose, label="squat", action="squat", depth=None):
    return LabelledPose("made-up", label, action, "somebody", "clips", pose, depth)


@pytest.fixture(scope="module")
def sample():
    return aug.make_sample(track(squat_sequence(30.0)))


def test_a_sample_is_in_body_heights_on_an_even_grid(sample):
    assert sample.seconds == pytest.approx(7, abs=0.1)
    assert np.nanmax(np.ptp(sample.points[..., 1], axis=1)) == pytest.approx(1, abs=0.15)
    assert len(sample.reps) == 2


def test_repetitions_count_from_the_first_row_wherever_the_clip_was_cut(sample):
    pose = squat_sequence(30.0)
    later = aug.make_sample(track(replace(pose, time_s=pose.time_s + 40)))
    np.testing.assert_allclose(later.reps, sample.reps, atol=1e-6)
    assert later.reps[-1][1] <= later.seconds


def test_a_track_without_a_body_gives_no_sample():
    time_s = np.arange(10) / 30
    assert aug.make_sample(track(sequence(np.full((10, 17, 2), np.nan), time_s))) is None


def test_augmented_samples_are_finite_of_sensible_length_and_size(sample):
    rng = np.random.default_rng(0)
    lengths = []
    for _ in range(60):
        xy = aug.augment(sample, rng)
        lengths.append(len(xy))
        assert xy.shape[1:] == (17, 2)
        assert np.isfinite(features(xy)).all()
        assert np.nanmax(np.abs(xy)) < 3  # body heights from the middle
    assert max(lengths) <= aug.MAX_SECONDS * RATE_HZ
    assert min(lengths) >= 2
    assert len(set(lengths)) > 10


def test_the_same_seed_gives_the_same_augmented_sample(sample):
    first, second = (aug.augment(sample, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("make", [aug.standing, aug.noise])
def test_generated_negatives_are_other(sample, make):
    made = make(sample)
    assert (made.label, made.group) == ("other", sample.group)
    xy = aug.augment(made, np.random.default_rng(0))
    assert np.isfinite(features(xy)).all()


def test_standing_stands(sample):
    def travel(made):
        augmented = [aug.augment(made, np.random.default_rng(seed)) for seed in range(10)]
        bodies = [xy[:, 5:] for xy in augmented]
        seen = [xy[:, np.isfinite(xy).any(axis=(0, 2))] for xy in bodies]
        return np.median([np.median(np.nanstd(xy, axis=0)) for xy in seen])

    assert travel(aug.standing(sample)) < 0.5 * travel(sample)


def test_a_track_with_depth_is_seen_from_all_sides():
    """The breadth of the hips over their height above the feet tells the yaw."""
    pose = squat_sequence(30.0)
    depth = np.zeros(pose.xy.shape[:2], np.float32)
    sample = aug.make_sample(track(pose, depth=depth))
    rng = np.random.default_rng(0)
    hips = [aug.augment(sample, rng)[:, [11, 12], 0] for _ in range(80)]
    breadths = [
        np.nanmedian(np.abs(x[:, 0] - x[:, 1])) for x in hips if not np.isnan(x).all(0).any()
    ]
    assert min(breadths) < 0.03
    assert max(breadths) > 0.1


@pytest.mark.shared
def test_snatches_yield_their_second_half_and_their_pull(shared_data):
    from gymform.training.exercise.tracks import load_snatch_tracks

    tracks = load_snatch_tracks(shared_data / "tracks" / "snatch_tracks.npz")
    sample = aug.make_sample(tracks[2])
    overhead, pull = aug.overhead_squat(sample), aug.wide_deadlift(sample)
    assert (overhead.label, pull.label) == ("squat", "deadlift")
    assert overhead.group == pull.group == sample.group
    wrists, nose = overhead.points[:, [9, 10], 1].mean(1), overhead.points[:, 0, 1]
    assert (wrists < nose).all()  # the bar stays overhead: y points down
    assert (pull.points[:, [9, 10], 1].mean(1) > pull.points[:, 0, 1]).all()


def test_what_is_no_snatch_has_no_second_half(sample):
    assert aug.overhead_squat(sample) is None
    assert aug.wide_deadlift(sample) is None


def test_slow_motion_and_films_sped_up_are_trained_on():
    rng = np.random.default_rng(0)
    speeds = [2.0 * 12 / len(aug._playback_times(2.0, 0.0, rng)) for _ in range(600)]
    assert 0.24 < min(speeds) < 0.35
    assert 1.7 < max(speeds) < 2.1
    assert 0.7 < np.median(speeds) < 1.2


def test_a_movement_with_a_direction_is_never_so_slow_that_its_end_is_lost(sample):
    """A snatch in slow motion still ends overhead within the longest stretch."""
    rising = np.linspace(0, -1, 97)[:, None, None] * np.ones((1, 17, 3))
    snatch = replace(sample, points=rising, reps=(), departs=True)
    reached = []
    for seed in range(60):
        points = aug._play(snatch, np.random.default_rng(seed))
        assert len(points) <= aug.MAX_SECONDS * 12
        reached.append(np.ptp(points[:, 0, 1]))
    assert np.mean(np.array(reached) > 0.5) > 0.9


def test_joints_are_hidden_in_blocks_of_time(sample):
    xy = np.tile(sample.points[:1, :, :2], (96, 1, 1))
    runs = []
    for seed in range(40):
        hidden = np.isnan(aug._add_pose_errors(xy, np.random.default_rng(seed))[..., 0])
        for joint in hidden[:, 5:].T:
            edges = np.flatnonzero(np.diff(np.r_[0, joint.astype(int), 0]))
            runs += (edges[1::2] - edges[::2]).tolist()
    assert np.median(runs) > 6  # half a second: no single frames


def test_low_rates_are_interpolated_linearly():
    xy = np.cumsum(np.ones((60, 17, 2)), 0)
    for seed in range(30):
        low = aug._lower_rate(xy, np.random.default_rng(seed))
        np.testing.assert_allclose(low[:50], xy[:50], atol=1.01)


def test_a_stretch_without_a_body_makes_no_noise(sample):
    """Part of a clip in which nobody is seen: features without a number that is none."""
    empty = replace(sample, points=np.full((60, 17, 3), np.nan), has_depth=False)
    empty.points[..., 2] = 0.0  # depth is 0 where it is not known
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        xy = aug._project(empty.points, empty, np.random.default_rng(0))
    assert np.isfinite(features(xy)).all()
