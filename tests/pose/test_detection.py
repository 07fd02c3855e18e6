"""The people in one picture, on painted people."""

import numpy as np
import pytest

from gymform.pose.detection import (
    Detection,
    find_people,
    overlap,
    presence,
    same_body,
    search_windows,
    similarity,
)
from gymform.pose.estimator import PoseEstimator
from tests.pose.painted import dot_model, paint, person_at


def test_each_person_is_found_once():
    one, two = person_at(160, 60, 240), person_at(480, 60, 220)
    people = find_people(paint((640, 360), one, two, faint=0.9), PoseEstimator(dot_model()))
    centres = sorted(float(person.centre[0]) for person in people if person.confidence > 0.5)
    assert len(centres) >= 1
    assert len({round(centre / 60) for centre in centres}) == len(centres)


@pytest.mark.parametrize(("width", "height"), [(640, 360), (360, 640), (100, 100), (4000, 90)])
@pytest.mark.parametrize("share", [1.0, 0.6, 0.35])
def test_windows_cover_the_frame_and_overlap(width, height, share):
    windows = search_windows(width, height, share)
    left, right = windows[:, 0] - windows[:, 2] / 2, windows[:, 0] + windows[:, 2] / 2
    top, bottom = windows[:, 1] - windows[:, 3] / 2, windows[:, 1] + windows[:, 3] / 2
    assert left.min() <= 1
    assert right.max() >= width - 1
    assert top.min() <= 1
    assert bottom.max() >= height - 1
    columns = np.unique(windows[:, 0])
    assert (np.diff(columns) <= windows[0, 2] * 0.67 + 1e-6).all()


def test_similarity_is_one_for_the_same_and_small_for_others():
    xy = person_at(200, 50, 200).astype(np.float32)
    score = np.ones(17, np.float32)
    same = Detection(xy, score, 1.0)
    assert similarity(same, same) == pytest.approx(1.0)
    assert similarity(same, Detection(xy + 120, score, 1.0)) < 0.05


def test_a_body_with_its_legs_on_other_things_is_the_same_body():
    xy = person_at(200, 50, 200).astype(np.float32)
    score = np.full(17, 0.8, np.float32)
    lifter, elsewhere = Detection(xy, score, 0.8), xy.copy()
    elsewhere[:5] += (-60, -40)  # the head on the wall,
    elsewhere[13:] += (150, -70)  # knees and ankles on the rack
    assert same_body(lifter, Detection(elsewhere, score, 0.7))
    assert same_body(lifter, Detection(xy + 3, score, 0.7))
    elsewhere[5:9] += (60, 40)  # with the arms elsewhere, too, it is somebody else
    assert not same_body(lifter, Detection(elsewhere, score, 0.7))
    assert not same_body(lifter, Detection(xy + 90, score, 0.7))


def test_two_networks_see_somebody_where_they_agree():
    xy = person_at(200, 50, 200).astype(np.float32)
    score = np.full(17, 0.8, np.float32)
    one, other = Detection(xy, score, 0.8), Detection(xy + 1, score, 0.6)
    assert 0.55 < presence(one, other) <= 0.6
    assert presence(one, Detection(xy[::-1].copy(), score, 0.8)) < 0.3
    assert presence(one, None) == presence(None, other) == 0.0


def test_smaller_windows_are_left_out_when_told():
    looked = []

    class Watching(PoseEstimator):
        def keypoints_in_frame(self, rgb, crops):
            looked.extend(crops[:, 3].tolist())
            return super().keypoints_in_frame(rgb, crops)

    empty, estimator = np.zeros((360, 640, 3), np.uint8), Watching(dot_model())
    assert find_people(empty, estimator) == []
    assert min(looked) < 150
    looked.clear()
    assert find_people(empty, estimator, least=lambda: 200) == []
    assert min(looked) > 200


def test_overlap_is_the_intersection_over_the_union():
    box = np.array([0.0, 0.0, 10.0, 20.0])
    assert overlap(box, box) == pytest.approx(1)
    assert overlap(box, np.array([5.0, 0.0, 15.0, 20.0])) == pytest.approx(1 / 3)
    assert overlap(box, box + 30) == 0
