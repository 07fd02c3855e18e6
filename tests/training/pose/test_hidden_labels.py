"""Joints that something hides: labelled by the trusted teachers, or from frames beside."""

import numpy as np
import pytest

from gymform import skeleton as sk
from gymform.training.pose.hidden_labels import (
    BESIDE_S,
    carry_over,
    in_frame,
    in_picture,
    label_with_hidden,
    marked_inferred,
    picture_crop,
)
from gymform.training.pose.label_fusion import ClipPeople, TeacherKeypoints
from gymform.training.pose.pseudo_labels import stored_size

TEACHERS = ("movenet", "mediapipe", "vitpose-x@0123456789ab")
CROP = np.array([160.0, 200, 150, 200])
ANKLE = sk.LEFT_ANKLE


@pytest.fixture
def person() -> np.ndarray:
    """Keypoints (17, 3) in the middle of a picture of 225 x 300 px with a torso of 60 px."""
    points = np.array(
        [[100, 40], [104, 36], [96, 36], [108, 40], [92, 40], [115, 60], [85, 60], [120, 90],
         [80, 90], [122, 115], [78, 115], [110, 118], [90, 118], [110, 145], [90, 145],
         [110, 170], [90, 170]]
    )  # fmt: skip
    return np.column_stack((points + np.array([12, 49.5]), np.full(17, 2.0)))


def asked(person: np.ndarray, frames: int, step_s: float = 0.5) -> TeacherKeypoints:
    """All teachers give ``person`` in each of the frames of one clip."""
    answer = np.stack((person, person)).astype(float)
    answer[..., 2] = 0.8
    of_clips = np.stack([np.stack([answer] * frames)] * len(TEACHERS))
    clip = np.array(["squat/one.mp4"] * frames)
    people = ClipPeople(clip, step_s * np.arange(frames), np.stack([CROP] * frames))
    nothing = np.empty((len(TEACHERS), 0, 2, 17, 3))
    return TeacherKeypoints("", TEACHERS, np.empty(0, int), nothing, people, of_clips)


def disagree(seen: TeacherKeypoints, row: int, joint: int, teachers: dict[int, float]) -> None:
    """Move the answers of ``teachers`` about one joint by so many px."""
    for teacher, x in teachers.items():
        seen.of_clips[teacher, row, :, joint, 0] += x


def test_a_guess_of_the_fooled_teacher_moves_nothing_and_marks_nothing(person):
    seen = asked(person, 3)
    disagree(seen, 1, ANKLE, {1: 60.0})
    for labels in label_with_hidden(seen):
        assert np.allclose(labels, person, atol=0.1)


def test_two_teachers_are_enough_where_the_fooled_one_found_nobody(person):
    seen = asked(person, 1)
    seen.of_clips[1] = np.nan
    assert np.allclose(label_with_hidden(seen)[0], person, atol=0.1)


def test_what_all_together_had_not_labelled_is_marked_as_inferred(person):
    by_all = person.copy()
    by_all[ANKLE] = 0
    marked = marked_inferred(person, by_all)
    assert marked[ANKLE, 2] == 1
    assert (np.delete(marked, ANKLE, 0)[:, 2] == 2).all()
    assert (person[:, 2] == 2).all()  # unchanged itself


def test_labels_of_all_stay_where_the_trusted_ones_know_nobody(person):
    assert marked_inferred(None, person) is person
    assert marked_inferred(None, None) is None
    assert (marked_inferred(person, None)[:, 2] == 1).all()


def test_a_joint_on_which_the_trusted_differ_comes_from_the_frames_beside(person):
    seen = asked(person, 3)
    disagree(seen, 1, ANKLE, {0: 60.0, 1: -50.0, 2: -90.0})
    labels = label_with_hidden(seen)[1]
    assert np.allclose(labels[ANKLE, :2], person[ANKLE, :2], atol=0.5)
    assert labels[ANKLE, 2] == 1
    assert (np.delete(labels, ANKLE, 0)[:, 2] == 2).all()


def carried(person, places, time_s, crops=None):
    """What `carry_over` makes of an ankle that is missing where its place is None."""
    count = len(places)
    labels = [person.copy() for _ in range(count)]
    for points, place in zip(labels, places, strict=True):
        if place is None:
            points[ANKLE] = 0
        else:
            points[ANKLE, 0] += place
    crops = np.stack([CROP] * count) if crops is None else crops
    people = ClipPeople(np.array(["a"] * count), np.array(time_s), crops)
    filled = carry_over(labels, people, range(count))
    return labels, filled


def test_between_two_places_a_joint_lies_on_the_way(person):
    labels, filled = carried(person, [0.0, None, 6.0, 6.0], [0.0, 0.5, 2.0 / 3, 1.2])
    assert filled == [(1, ANKLE)]
    assert labels[1][ANKLE, 0] == pytest.approx(person[ANKLE, 0] + 4.5, abs=1e-6)
    assert labels[1][ANKLE, 2] == 1


@pytest.mark.parametrize(
    ("places", "time_s"),
    [
        ([0.0, None, 40.0, 40.0], [0.0, 0.5, 1.0, 1.5]),  # it moved
        ([0.0, None, 0.0, 0.0], [0.0, BESIDE_S + 0.1, 1.4, 1.9]),  # too long ago
        ([None, 0.0, 0.0, 0.0], [0.0, 0.5, 1.0, 1.5]),  # nothing before
        ([0.0, 0.0, 0.0, None], [0.0, 0.5, 1.0, 1.5]),  # nothing after
    ],
)
def test_what_moved_or_was_long_not_seen_stays_missing(person, places, time_s):
    labels, filled = carried(person, places, time_s)
    assert filled == []
    assert sum(points[ANKLE, 2] == 0 for points in labels) == 1


def test_a_crop_that_moves_does_not_move_a_foot_that_stands(person):
    crops = np.stack([CROP, CROP + np.array([10, -20, 0, 0]), CROP])
    labels, filled = carried(person, [0.0, None, 0.0], [0.0, 0.5, 1.0], crops)
    assert filled == [(1, ANKLE)]
    moved = labels[1][ANKLE, :2] - person[ANKLE, :2]
    scale = (np.array(stored_size(CROP)) - 1) / (CROP[2:] * 1.5)
    np.testing.assert_allclose(moved, [-10, 20] * scale, atol=1e-6)


def test_a_place_goes_to_the_frame_and_back(person):
    placed = in_frame(person, CROP)
    np.testing.assert_allclose(in_picture(placed[ANKLE], CROP), person[ANKLE, :2], atol=1e-9)
    middle = np.array([*(np.array(stored_size(CROP)) - 1) / 2, 2.0])
    np.testing.assert_allclose(in_frame(np.stack([middle] * 17), CROP)[0], CROP[:2])
    missing = person.copy()
    missing[ANKLE] = 0
    assert np.isnan(in_frame(missing, CROP)[ANKLE]).all()
    assert np.isnan(in_frame(None, CROP)).all()
    assert picture_crop(CROP).shape == (4,)
