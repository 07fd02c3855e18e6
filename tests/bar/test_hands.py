"""Where the hands are and when they lift (gymform/bar/hands.py)."""

import numpy as np
import pytest

from gymform.bar.hands import hands_of, moving, steady_middle
from gymform.skeleton import SHOULDERS, WRISTS
from gymform.types import PoseSequence
from tests.bar.films import bar_films as bf


def pose_without(joints: tuple[int, ...]) -> PoseSequence:
    """The squat's keypoints without some of them."""
    pose = bf.skeleton(bf.SQUAT, bf.View())
    xy, score = pose.xy.copy(), pose.score.copy()
    xy[:, list(joints)], score[:, list(joints)] = np.nan, 0
    return PoseSequence(xy, score, pose.boxes, pose.time_s, pose.image_size)


def test_hands_are_in_the_middle_of_the_wrists_and_lift_in_repetitions():
    pose = bf.skeleton(bf.SQUAT, bf.View())
    hands = hands_of(pose, bf.SQUAT.repetitions)
    assert hands is not None
    assert not hands.shoulders
    middle = pose.xy[:, list(WRISTS)].mean(1)
    assert np.abs(hands.xy - middle).max() < 6
    outside = (pose.time_s < 0.4) | (pose.time_s > 8.0)
    assert not hands.lifting[outside].any()
    assert hands.lifting.mean() > 0.7


def test_without_repetitions_they_lift_where_they_go_up_or_down():
    hands = hands_of(bf.skeleton(bf.DEADLIFT, bf.View()))
    assert hands is not None
    assert hands.lifting[(hands.time_s > 1) & (hands.time_s < 1.7)].all()
    assert not hands.lifting[0]


def test_shoulders_stand_in_for_hands_that_are_hidden():
    hands = hands_of(pose_without(WRISTS))
    assert hands is not None
    assert hands.shoulders


def test_nobody_s_hands():
    everything = tuple(range(17))
    assert hands_of(pose_without(everything)) is None
    assert hands_of(pose_without((*WRISTS, *SHOULDERS))) is None


def test_the_middle_does_not_jump_where_one_wrist_is_hidden():
    pair = np.zeros((10, 2, 2))
    pair[:, 0, 0], pair[:, 1, 0] = 10, 30
    pair[4, 1] = np.nan
    pair[5, 0] = np.nan
    pair[6] = np.nan
    middle = steady_middle(pair)
    assert middle[:6, 0] == pytest.approx(20)
    assert np.isnan(middle[6]).all()


def test_moving_needs_a_range_within_a_second():
    time_s = np.arange(0, 6, 0.1)
    height = np.where(time_s > 3, 100.0, 0.0)
    found = moving(height, time_s, 50)
    assert found[np.abs(time_s - 3) < 0.5].all()
    assert not found[np.abs(time_s - 3) > 1].any()
    assert not moving(np.full(60, np.nan), time_s, 50).any()


def test_hands_between_frames():
    hands = hands_of(bf.skeleton(bf.SQUAT, bf.View()))
    assert hands is not None
    between = hands.at((hands.time_s[10:11] + hands.time_s[11:12]) / 2)[0]
    assert between == pytest.approx(hands.xy[10:12].mean(0))
    assert np.isnan(hands.at(np.array([99.0]))).all()
