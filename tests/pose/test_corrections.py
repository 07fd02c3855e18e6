"""Corrections: exact where somebody put a keypoint, following between, and never lost in others."""

import dataclasses
import json

import numpy as np
import pytest

from gymform import skeleton as sk
from gymform.errors import OptionsError
from gymform.pose import corrections as co
from gymform.pose.corrections import (
    CONCEALED,
    EXCHANGE,
    EXCHANGED,
    FOLLOWED,
    HIDDEN,
    PLACED,
    POINT,
    PREDICTED,
    Correction,
    check_in_picture,
    corrected,
    from_plain,
)
from tests.fakes import make_pose

ELBOW = sk.LEFT_ELBOW
POSE = make_pose(90, noise=0.5)


def point(pose, row, x, y, keypoint=ELBOW):
    return Correction(POINT, float(pose.time_s[row]), float(pose.time_s[row]), (keypoint,), x, y)


def wrong_for(pose, rows, offset):
    """The same pose with the left elbow off by ``offset`` (n, 2) px in these frames."""
    xy = pose.xy.copy()
    xy[rows, ELBOW] += np.asarray(offset, np.float32)
    return dataclasses.replace(pose, xy=xy)


@pytest.mark.parametrize("drift", [0.0, 1.5])
def test_three_points_mend_twenty_frames(drift):
    """An elbow that is off by a constant, or by more and more: the path between is right again."""
    rows = np.arange(30, 50)
    offset = np.array([40.0, -25.0]) + drift * np.arange(20)[:, None]
    wrong = wrong_for(POSE, rows, offset)
    drags = [point(wrong, row, *POSE.xy[row, ELBOW].tolist()) for row in (30, 40, 49)]
    mended = corrected(wrong, drags)
    off = np.linalg.norm(mended.pose.xy[:, ELBOW] - POSE.xy[:, ELBOW], axis=1)
    assert off[rows].max() < 0.5
    assert np.linalg.norm(wrong.xy[rows, ELBOW] - POSE.xy[rows, ELBOW], axis=1).min() > 30
    outside = np.delete(np.arange(90), rows)
    np.testing.assert_array_equal(mended.pose.xy[outside], wrong.xy[outside])
    others = np.delete(np.arange(17), ELBOW)
    np.testing.assert_array_equal(mended.pose.xy[:, others], wrong.xy[:, others])
    assert (mended.source[[30, 40, 49], ELBOW] == PLACED).all()
    assert (mended.source[31:40, ELBOW] == FOLLOWED).all()
    assert (mended.source[outside] == PREDICTED).all()
    assert (mended.pose.score[rows, ELBOW] >= co.FOLLOWED_SCORE).all()


def test_what_the_network_said_is_not_touched():
    before = POSE.xy.copy()
    mended = corrected(POSE, [point(POSE, 10, 1.0, 2.0)])
    np.testing.assert_array_equal(POSE.xy, before)
    assert mended.pose.xy[10, ELBOW].tolist() == [1.0, 2.0]
    assert "Corrected by hand" in mended.pose.provenance.note
    assert corrected(POSE, []).pose is POSE


def test_the_later_of_two_points_in_a_frame_counts():
    mended = corrected(POSE, [point(POSE, 10, 1.0, 2.0), point(POSE, 10, 3.0, 4.0)])
    assert mended.pose.xy[10, ELBOW].tolist() == [3.0, 4.0]


def test_a_gap_between_two_points_is_filled():
    gap = make_pose(90, missing=slice(20, 40))
    mended = corrected(gap, [point(gap, 22, 100.0, 100.0), point(gap, 30, 180.0, 140.0)])
    assert mended.pose.xy[22, ELBOW].tolist() == [100.0, 100.0]
    assert np.isfinite(mended.pose.xy[22:31, ELBOW]).all()
    between = mended.pose.xy[22:31, ELBOW]
    assert ((between > 90) & (between < 190)).all()
    assert np.isnan(mended.pose.xy[31:40, ELBOW]).all()
    assert np.isnan(mended.pose.xy[22:31, sk.NOSE]).all()


@pytest.mark.parametrize("apart", ["time", "shots"])
def test_frames_do_not_follow_over_a_long_time_or_a_cut(apart):
    pose = make_pose(200 if apart == "time" else 40)
    if apart == "shots":
        pose = dataclasses.replace(pose, shots=(np.arange(40) >= 20).astype(np.int32))
    last = len(pose) - 5
    mended = corrected(pose, [point(pose, 5, 10.0, 10.0), point(pose, last, 20.0, 20.0)])
    assert (mended.source[6:last, ELBOW] == PREDICTED).all()
    assert mended.source[[5, last], ELBOW].tolist() == [PLACED, PLACED]


def test_left_and_right_are_exchanged_in_a_span_and_twice_is_never():
    span = Correction(EXCHANGE, float(POSE.time_s[10]), float(POSE.time_s[19]))
    once = corrected(POSE, [span])
    order = list(sk.FLIP_ORDER)
    np.testing.assert_array_equal(once.pose.xy[10:20], POSE.xy[10:20][:, order])
    np.testing.assert_array_equal(once.pose.score[10:20], POSE.score[10:20][:, order])
    np.testing.assert_array_equal(once.pose.xy[:10], POSE.xy[:10])
    np.testing.assert_array_equal(once.pose.xy[20:], POSE.xy[20:])
    assert (once.source[10:20, ELBOW] == EXCHANGED).all()
    assert (once.source[:, sk.NOSE] == PREDICTED).all()
    twice = corrected(POSE, [span, span])
    np.testing.assert_array_equal(twice.pose.xy, POSE.xy)
    assert (twice.source == PREDICTED).all()


def test_only_some_pairs_can_be_exchanged():
    arms = Correction(EXCHANGE, 0.0, 9.0, (sk.RIGHT_ELBOW,))
    made = corrected(POSE, [arms]).pose
    np.testing.assert_array_equal(made.xy[:, ELBOW], POSE.xy[:, sk.RIGHT_ELBOW])
    np.testing.assert_array_equal(made.xy[:, sk.LEFT_KNEE], POSE.xy[:, sk.LEFT_KNEE])


def test_a_point_names_the_side_that_it_is_whenever_sides_are_exchanged():
    span = Correction(EXCHANGE, 0.0, 9.0)
    mended = corrected(POSE, [point(POSE, 10, 1.0, 2.0), span])
    assert mended.pose.xy[10, ELBOW].tolist() == [1.0, 2.0]


def test_what_is_hidden_is_missing_in_its_span():
    hidden = Correction(HIDDEN, float(POSE.time_s[10]), float(POSE.time_s[19]), (ELBOW, sk.NOSE))
    mended = corrected(POSE, [hidden, point(POSE, 12, 5.0, 5.0)])
    assert np.isnan(mended.pose.xy[10:20, [ELBOW, sk.NOSE]]).all()
    assert (mended.pose.score[10:20, ELBOW] == 0).all()
    assert (mended.source[10:20, ELBOW] == CONCEALED).all()
    assert np.isfinite(mended.pose.xy[[9, 20], ELBOW]).all()


@pytest.mark.parametrize(
    "one",
    [
        Correction(POINT, 1.5, 1.5, (ELBOW,), 12.25, -3.0),
        Correction(EXCHANGE, 0.5, 1.25),
        Correction(HIDDEN, 0.0, 2.0, (0, 16)),
    ],
)
def test_they_come_back_from_json(one):
    assert from_plain(json.loads(json.dumps(one.as_plain()))) == one


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "the field kind"),
        ({"kind": "twist", "start_s": 0, "end_s": 1, "keypoints": []}, "point, exchange, hidden"),
        ({"kind": "point", "time_s": 1, "keypoint": "tail", "x": 1, "y": 1}, "one of nose"),
        ({"kind": "point", "time_s": 1, "keypoint": "nose", "x": 1}, "the field y"),
        ({"kind": "point", "time_s": 1, "keypoint": "nose", "x": "a", "y": 1}, "numbers and names"),
        ({"kind": "point", "time_s": 1, "keypoint": "nose", "x": float("nan"), "y": 1}, "of px"),
        ({"kind": "point", "time_s": -1, "keypoint": "nose", "x": 1, "y": 1}, "from 0 s on"),
        ({"kind": "exchange", "start_s": 2, "end_s": 1, "keypoints": []}, "not before it"),
        ({"kind": "hidden", "start_s": 0, "end_s": 1, "keypoints": []}, "at least one"),
        ({"kind": "hidden", "start_s": 0, "end_s": float("inf"), "keypoints": ["nose"]}, "times"),
        ({"kind": "hidden", "start_s": 0, "end_s": 1, "keypoints": 3}, "numbers and names"),
    ],
)
def test_what_is_none_is_refused_in_words(values, words):
    with pytest.raises(OptionsError, match="Correction, ") as raised:
        from_plain(values)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("x", "time_s", "fits"), [(10.0, 1.0, True), (10_000.0, 1.0, False), (10.0, 99.0, False)]
)
def test_it_lies_in_the_picture_and_in_the_clip(x, time_s, fits):
    one = Correction(POINT, time_s, time_s, (ELBOW,), x, 10.0)
    if fits:
        check_in_picture(one, POSE)
    else:
        with pytest.raises(OptionsError):
            check_in_picture(one, POSE)
