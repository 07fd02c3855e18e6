"""Keypoints chosen over time: joints that vanish are missing, and never on the other leg."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gymform import skeleton as sk
from gymform.pose import decoding
from gymform.pose.decoding import PEAKS, choose_keypoints
from tests.motion.makers import STANDING, squat

FPS = 30.0
COUNT = 90
TIME_S = np.arange(COUNT) / FPS
ONE_SHOT = np.zeros(COUNT, np.int32)
HIDDEN = slice(40, 52)
"""Frames in which something stands before a limb."""


def peaks_of(xy: np.ndarray, score: float = 0.9) -> np.ndarray:
    """(T, 17, 3, 3): one sure peak for each joint of ``xy`` (T, 17, 2)."""
    peaks = np.full((*xy.shape[:2], PEAKS, 3), np.nan, np.float32)
    peaks[..., 2] = 0
    peaks[:, :, 0, :2], peaks[:, :, 0, 2] = xy, score
    return peaks


def squatting() -> np.ndarray:
    return squat(TIME_S) * 2 + np.array([320, 400])


def apart() -> np.ndarray:
    """Somebody with their legs wide apart."""
    xy = squatting()
    xy[:, [13, 15], 0] += 60
    xy[:, [14, 16], 0] -= 60
    return xy


def test_sure_peaks_are_taken_as_they_are():
    xy = squatting()
    chosen, score = choose_keypoints(peaks_of(xy), TIME_S, ONE_SHOT)
    np.testing.assert_allclose(chosen, xy, atol=1e-3)
    assert (score == np.float32(0.9)).all()


@pytest.mark.parametrize("joint", [sk.LEFT_ANKLE, sk.RIGHT_WRIST, sk.LEFT_KNEE])
@pytest.mark.parametrize("score", [0.3, 0.6])
def test_a_joint_that_is_elsewhere_for_a_moment_is_missing_there(joint, score):
    peaks = peaks_of(squatting())
    peaks[HIDDEN, joint, 0] = [520, 90, score]  # on a rack, half the picture away
    chosen, scores = choose_keypoints(peaks, TIME_S, ONE_SHOT)
    assert (scores[HIDDEN, joint] == 0).all()
    assert np.isnan(chosen[HIDDEN, joint]).all()
    others = np.delete(scores, joint, axis=1)
    assert (others[:, [5, 6, 11, 12]] > 0).all()


def test_the_second_peak_is_taken_where_the_first_lies_on_the_other_leg():
    xy = apart()
    peaks = peaks_of(xy)
    peaks[HIDDEN, sk.LEFT_ANKLE, 1] = [*[0, 0], 0.5]
    peaks[HIDDEN, sk.LEFT_ANKLE, 1, :2] = xy[HIDDEN, sk.LEFT_ANKLE]
    peaks[HIDDEN, sk.LEFT_ANKLE, 0, :2] = xy[HIDDEN, sk.RIGHT_ANKLE]
    chosen, score = choose_keypoints(peaks, TIME_S, ONE_SHOT)
    np.testing.assert_allclose(chosen[:, sk.LEFT_ANKLE], xy[:, sk.LEFT_ANKLE], atol=1e-3)
    assert score[HIDDEN, sk.LEFT_ANKLE] == pytest.approx(0.5)


@pytest.mark.parametrize("frames", [slice(30, 31), slice(30, 36), slice(50, 60)])
def test_legs_that_change_sides_for_a_moment_are_put_right(frames):
    xy = apart()
    mixed = xy.copy()
    for left, right in (sk.HIPS, sk.KNEES, sk.ANKLES):
        mixed[frames, left], mixed[frames, right] = xy[frames, right], xy[frames, left]
    chosen, _ = choose_keypoints(peaks_of(mixed), TIME_S, ONE_SHOT)
    np.testing.assert_allclose(chosen[:, 11:], xy[:, 11:], atol=1e-3)


def test_a_fast_lift_keeps_its_hands():
    """From the floor to overhead in half a second: 1.2 statures."""
    xy = np.repeat(STANDING[None] * 2 + [320, 400], COUNT, 0)
    lift = np.clip((TIME_S - 1) / 0.5, 0, 1)
    share = (1 - np.cos(np.pi * lift)) / 2
    for wrist in sk.WRISTS:
        xy[:, wrist, 1] = 380 - 410 * share
    for elbow in sk.ELBOWS:
        xy[:, elbow, 1] = 250 - 210 * share
    _, score = choose_keypoints(peaks_of(xy), TIME_S, ONE_SHOT)
    assert (score[:, list(sk.WRISTS)] > 0).mean() > 0.97


def test_nothing_is_chosen_across_a_cut_or_in_a_picture_that_stands_still():
    xy = squatting()
    xy[45:] += [150, 40]  # another place after the cut: no jump
    shots = np.where(np.arange(COUNT) < 45, 0, 1).astype(np.int32)
    shots[60:70] = -1
    chosen, score = choose_keypoints(peaks_of(xy), TIME_S, shots)
    assert (score[60:70] == 0).all()
    there = shots >= 0
    np.testing.assert_allclose(chosen[there], xy[there], atol=1e-3)


def test_nobody_stays_nobody():
    nothing = peaks_of(squatting() * np.nan, 0)
    chosen, score = choose_keypoints(nothing, TIME_S, ONE_SHOT)
    assert np.isnan(chosen).all()
    assert not score.any()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([10.0, 30.0, 60.0]))
def test_only_peaks_are_chosen_whatever_they_are(seed, fps):
    rng = np.random.default_rng(seed)
    peaks = rng.uniform(0, 400, (20, 17, PEAKS, 3)).astype(np.float32)
    peaks[..., 2] = rng.random((20, 17, PEAKS))
    gone = rng.random((20, 17, PEAKS)) < 0.3
    peaks[gone] = [np.nan, np.nan, 0]
    chosen, score = choose_keypoints(peaks, np.arange(20) / fps, np.zeros(20, np.int32))
    taken = score > 0
    assert np.isnan(chosen[~taken]).all()
    for frame, joint in zip(*np.nonzero(taken), strict=True):
        both = np.concatenate([peaks[:, :, :, :2], peaks[..., 2:]], -1)[frame]
        mates = [joint, sk.FLIP_ORDER[joint]]
        found = np.abs(both[mates, :, :2] - chosen[frame, joint]).sum(-1)
        assert np.nanmin(found) == 0


@pytest.mark.parametrize("fps", [10.0, 15.0, 60.0])
def test_the_frame_rate_does_not_matter(fps):
    time_s = np.arange(round(3 * fps)) / fps
    xy = squat(time_s) * 2 + np.array([320, 400])
    peaks = peaks_of(xy)
    hidden = (time_s >= 1.3) & (time_s < 1.75)
    peaks[hidden, sk.LEFT_ANKLE, 0] = [520, 90, 0.6]
    _, score = choose_keypoints(peaks, time_s, np.zeros(len(time_s), np.int32))
    np.testing.assert_array_equal(score[:, sk.LEFT_ANKLE] == 0, hidden)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_frames_that_were_not_looked_at_are_interpolated_and_chosen_again_alike(seed):
    rng = np.random.default_rng(seed)
    xy = squatting()
    looked = rng.random(COUNT) < 0.4
    followed = np.ones(COUNT, bool)
    followed[60:66] = False
    looked[60:66] = False
    looked[[0, 59, 66, -1]] = True
    shots = (np.arange(COUNT) >= 30).astype(np.int32)
    looked[[29, 30]] = True
    boxes = np.where(followed[:, None], np.float32([0, 0, 640, 480]), np.float32(np.nan))
    peaks = peaks_of(xy)
    peaks[~looked] = np.nan
    peaks[~looked, ..., 2] = 0
    chosen, score = choose_keypoints(peaks, TIME_S, shots, boxes)
    np.testing.assert_allclose(chosen[looked], xy[looked], atol=1e-3)
    assert np.isnan(chosen[60:66]).all()
    assert (score[followed] > 0).all()
    for frame in np.flatnonzero(followed & ~looked):
        a, b = (np.flatnonzero(looked[:frame])[-1], frame + np.flatnonzero(looked[frame:])[0])
        share = (TIME_S[frame] - TIME_S[a]) / (TIME_S[b] - TIME_S[a])
        np.testing.assert_allclose(chosen[frame], xy[a] + share * (xy[b] - xy[a]), atol=0.05)
    again, _ = choose_keypoints(peaks, TIME_S, shots, boxes)
    np.testing.assert_array_equal(again, chosen)


def test_each_joint_goes_its_own_way():
    rng = np.random.default_rng(4)
    places, merit = rng.uniform(0, 0.3, (5, 40, 3, 2)), rng.uniform(-0.2, 0.6, (5, 40, 3))
    merit[rng.random(merit.shape) < 0.3] = -np.inf
    time_s = np.cumsum(rng.choice([0.03, 0.1, 0.7], 40))
    together = decoding._paths(places, merit, time_s)
    for joint, chosen in enumerate(together):
        [alone] = decoding._paths(places[[joint]], merit[[joint]], time_s)
        np.testing.assert_array_equal(chosen, alone)
    assert any((chosen >= 0).any() and (chosen < 0).any() for chosen in together)
