"""Synthetic lifters: bones of constant length, feet on the floor, plausible movements."""

import numpy as np
import pytest

from gymform import skeleton as sk
from gymform.exercise.features import NUM_FEATURES, features
from gymform.exercises import class_of, trained_exercises
from gymform.training.exercise import synthesize as syn
from gymform.training.exercise.augment import augment

MAKERS = list(syn.MAKERS)
BONES = [
    (sk.LEFT_HIP, sk.LEFT_KNEE, syn.THIGH),
    (sk.RIGHT_KNEE, sk.RIGHT_ANKLE, syn.SHANK),
    (sk.LEFT_SHOULDER, sk.LEFT_ELBOW, syn.UPPER_ARM),
    (sk.RIGHT_ELBOW, sk.RIGHT_WRIST, syn.FOREARM),
]


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("seed", range(4))
def test_bones_keep_their_length(maker, seed):
    points = maker(np.random.default_rng(seed))
    for start, end, length in BONES:
        found = np.linalg.norm(points[:, start] - points[:, end], axis=-1)
        np.testing.assert_allclose(found, length, atol=2e-3)


@pytest.mark.parametrize("maker", MAKERS)
def test_nothing_is_below_the_floor_and_nothing_jumps(maker):
    for seed in range(4):
        points = maker(np.random.default_rng(seed))[:, [0, *sk.BODY]]
        assert np.nanmax(points[..., 1]) < 0.05  # y points down
        assert np.abs(np.diff(points, axis=0)).max() < 0.2  # body heights in 1/24 s
        assert len(points) > 12


def heights(maker, joint, seed=3):
    return -maker(np.random.default_rng(seed))[:, joint, 1]


def test_a_squat_goes_down_and_a_deadlift_keeps_the_hands_low():
    assert np.ptp(heights(syn.squat, sk.LEFT_HIP)) > 0.15
    for seed in range(6):
        assert heights(syn.deadlift, sk.LEFT_WRIST, seed).max() < 0.55
        assert heights(syn.deadlift, sk.LEFT_WRIST, seed).min() < 0.25


def test_a_snatch_never_rests_at_the_shoulders_and_a_clean_and_jerk_does():
    for seed in range(6):
        for maker, rests in ((syn.snatch, False), (syn.clean_and_jerk, True)):
            points = maker(np.random.default_rng(seed))
            wrist, shoulder = points[:, sk.LEFT_WRIST, 1], points[:, sk.LEFT_SHOULDER, 1]
            nose = points[:, sk.NOSE, 1]
            assert wrist[-1] < nose[-1]  # overhead at the end
            assert wrist[0] > points[0, sk.LEFT_KNEE, 1] - 0.1  # and from the floor
            still = np.abs(np.diff(wrist)) < 0.004
            at_shoulder = np.abs(wrist - shoulder)[1:] < 0.08
            assert ((still & at_shoulder).sum() > 8) == rests


def test_a_row_moves_the_arms_only():
    points = syn.row(np.random.default_rng(1))
    assert np.ptp(points[:, sk.LEFT_HIP, 1]) < 0.05
    assert np.ptp(points[:, sk.LEFT_WRIST, 1]) > 0.08


def test_a_romanian_deadlift_keeps_its_knees_and_lowers_its_hands():
    for seed in range(6):
        points = syn.romanian_deadlift(np.random.default_rng(seed))
        assert np.ptp(points[:, sk.LEFT_HIP, 1]) < 0.09
        assert np.ptp(points[:, sk.LEFT_WRIST, 1]) > 0.12


def test_a_push_up_lowers_a_straight_body_and_a_plank_holds_it():
    for seed in range(6):
        points = syn.push_up(np.random.default_rng(seed))
        assert np.ptp(points[:, sk.LEFT_SHOULDER, 1]) > 0.1
        assert np.ptp(points[:, sk.LEFT_WRIST, 1]) < 0.03  # the hands stay on the floor
        assert np.ptp(syn.plank(np.random.default_rng(seed))[:, sk.LEFT_SHOULDER, 1]) < 0.05


def test_a_pull_up_lifts_the_body_to_hands_that_stay():
    for seed in range(6):
        points = syn.pull_up(np.random.default_rng(seed))
        assert np.ptp(points[:, sk.LEFT_WRIST, 1]) < 0.03
        assert np.ptp(points[:, sk.LEFT_SHOULDER, 1]) > 0.15
        nose, hands = points[:, sk.NOSE, 1], points[:, sk.LEFT_WRIST, 1]
        assert (nose < hands).any()  # the head ends over the hands
        assert (points[:, sk.LEFT_ANKLE, 1] < -0.05).all()  # the feet in the air


def test_a_bench_press_is_lying_and_its_hands_go_up():
    for seed in range(6):
        points = syn.bench_press(np.random.default_rng(seed))
        assert np.ptp(points[:, sk.LEFT_HIP, 1]) < 0.01
        assert np.ptp(points[:, sk.LEFT_WRIST, 1]) > 0.1
        assert (points[:, sk.LEFT_WRIST, 1] < points[:, sk.LEFT_SHOULDER, 1]).all()


def test_a_jumping_jack_takes_feet_and_hands_apart_together():
    points = syn.jumping_jack(np.random.default_rng(2))
    feet = np.abs(points[:, sk.LEFT_ANKLE, 0] - points[:, sk.RIGHT_ANKLE, 0])
    assert np.corrcoef(feet, -points[:, sk.LEFT_WRIST, 1])[0, 1] > 0.8
    assert feet.max() > 2 * feet.min()


def test_every_new_class_has_calculated_lifters():
    shown = set(syn.MAKERS.values())
    assert {one.key for one in trained_exercises()} <= shown
    labels = {one.label for one in syn.synthetic_lifters(1, 0)}
    assert labels == {class_of(name) for name in shown}


def test_samples_are_repeatable_and_can_be_augmented():
    first, second = syn.synthetic_lifters(2, seed=1), syn.synthetic_lifters(2, seed=1)
    assert len(first) == 2 * len(MAKERS)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.points, other.points)
        seen = features(augment(one, np.random.default_rng(0)))
        assert seen.shape[1] == NUM_FEATURES
        assert np.isfinite(seen).all()
