"""Which way is up, with an estimator that is sure of people who stand and less sure of others."""

import numpy as np
import pytest

from gymform.pose.detection import Detection
from gymform.pose.tracking import follow
from gymform.pose.upright import is_up, turn_box, upward
from gymform.skeleton import ANKLES, HIPS, SHOULDERS
from tests.pose.one_by_one import OneByOne
from tests.pose.painted import paint, person_at
from tests.pose.silhouettes import person
from tests.pose.test_tracking import contains, sparse

SIDE = 400


class GravityEstimator(OneByOne):
    """Sees one person in square pictures whose first pixel holds a number, and whose other corners
    tell how the picture is turned; ``sure`` gives the score by how far the body points up."""

    def __init__(self, people: list[np.ndarray], sure: tuple[float, float, float]) -> None:
        self.people = people
        self.sure = sure
        self.looks = 0

    def pictures(self) -> list[np.ndarray]:
        made = []
        for number in range(len(self.people)):
            picture = np.zeros((SIDE, SIDE, 3), np.uint8)
            picture[0, 0] = (number, 1, 1)
            made.append(picture)
        return made

    def keypoints_in_frame(
        self, picture: np.ndarray, crops: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        self.looks += len(crops)
        xy = self._turned(picture)
        body = xy[list(SHOULDERS)].mean(axis=0) - xy[list(ANKLES)].mean(axis=0)
        up = -body[1] / np.hypot(*body)
        score = float(np.interp(up, (-1, 0, 1), self.sure))
        inside = [(np.abs(xy - crop[:2]) <= crop[2:] / 2).all(axis=1) for crop in crops]
        return np.stack([xy] * len(crops)), score * np.stack(inside)

    def _turned(self, picture: np.ndarray) -> np.ndarray:
        corners = [picture[0, 0], picture[-1, 0], picture[-1, -1], picture[0, -1]]
        [quarter] = [i for i, corner in enumerate(corners) if corner[1]]
        xy = self.people[corners[quarter][0]]
        for _ in range(quarter):  # a quarter turn counter-clockwise
            xy = np.stack((xy[:, 1], SIDE - 1 - xy[:, 0]), axis=1)
        return xy


def squats() -> list[np.ndarray]:
    return [person(200, 330, 260, depth=0.5 - 0.5 * np.cos(0.7 * i)) for i in range(16)]


def laid(people: list[np.ndarray], degrees: int) -> list[np.ndarray]:
    """The people in pictures turned by ``degrees`` counter-clockwise."""
    for _ in range(degrees // 90):
        people = [np.stack((xy[:, 1], SIDE - 1 - xy[:, 0]), axis=1) for xy in people]
    return people


def push_ups() -> list[np.ndarray]:
    """Somebody who lies and moves across the body, not along it."""
    lying = laid([person(200, 330, 260)] * 16, 90)
    moved = []
    for i, xy in enumerate(lying):
        up = (1 - np.cos(0.7 * i)) * np.interp(xy[:, 0], (xy[:, 0].min(), xy[:, 0].max()), (40, 0))
        moved.append(xy - np.stack((np.zeros(17), up), axis=1))
    return moved


CLEARLY, SLIGHTLY, ALIKE = (0.5, 0.6, 0.85), (0.7, 0.8, 0.85), (0.85, 0.86, 0.85)


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("sure", [CLEARLY, SLIGHTLY], ids=["clearly", "slightly"])
def test_a_picture_on_its_side_is_turned(degrees, sure):
    estimator = GravityEstimator(laid(squats(), degrees), sure)
    frames = sparse(estimator.pictures())
    followed = follow(frames, estimator)
    assert followed.turn == 360 - degrees
    assert any("it was turned by" in note for note in followed.notes)
    for box, upright in zip(followed.boxes[frames.positions], squats(), strict=True):
        assert contains(box, upright, slack=8)


@pytest.mark.parametrize("sure", [SLIGHTLY, ALIKE], ids=["slightly", "alike"])
def test_somebody_who_moves_across_the_body_lies(sure):
    estimator = GravityEstimator(push_ups(), sure)
    assert follow(sparse(estimator.pictures()), estimator).turn == 0


def test_somebody_who_is_seen_no_less_lying_lies():
    estimator = GravityEstimator(laid(squats(), 90), ALIKE)
    followed = follow(sparse(estimator.pictures()), estimator)
    assert followed.turn == 0
    assert not any("turned" in note for note in followed.notes)


def test_two_networks_that_agree_need_not_both_be_sure():
    """Movement does not tell here, so this one alone would leave the picture as it is."""
    estimator = GravityEstimator(push_ups(), SLIGHTLY)
    frames = sparse(estimator.pictures())
    assert follow(frames, estimator).turn == 0
    assert follow(frames, estimator, known_turn=90).turn == 0
    assert follow(frames, estimator, known_turn=270).turn == 270
    estimator = GravityEstimator(push_ups(), ALIKE)
    assert follow(sparse(estimator.pictures()), estimator, known_turn=270).turn == 0


def test_who_stands_costs_no_look_more(monkeypatch):
    def looks() -> int:
        estimator = GravityEstimator(squats(), CLEARLY)
        assert follow(sparse(estimator.pictures()), estimator).turn == 0
        return estimator.looks

    with_turns = looks()
    monkeypatch.setattr("gymform.pose.tracking.upright_turn", lambda *_: 0)
    assert looks() == with_turns


def test_up_is_told_by_legs_or_trunk():
    standing = Detection(person_at(200, 60, 240), np.full(17, 0.8), 0.8)
    assert is_up(standing)
    assert upward(standing, HIPS, SHOULDERS) > 0.9
    [lying] = laid([standing.xy], 90)
    assert not is_up(Detection(lying, standing.score, 0.8))
    bent = standing.xy.copy()  # the trunk level, the legs upright: a deadlift
    bent[:11, 1] = bent[11, 1]
    bent[:11, 0] += 80
    assert is_up(Detection(bent, standing.score, 0.8))


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_box_turns_with_its_picture(turn):
    picture = np.zeros((60, 100, 3), np.uint8)
    picture[10:30, 20:70] = 255
    turned = np.rot90(picture, turn // 90)
    x0, y0, x1, y1 = turn_box(np.array([20, 10, 70, 30]), np.array([100, 60]), turn).astype(int)
    assert (turned[y0:y1, x0:x1] == 255).all()
    assert int((turned == 255).sum()) == 3 * (x1 - x0) * (y1 - y0)


def test_turned_frames_swap_their_size():
    frames = sparse([paint((640, 360), person_at(300, 60, 240))] * 2)
    quarter = frames.turned(90)
    assert quarter.size == (360, 640)
    assert quarter.picture(0).shape == (640, 360, 3)
    back = quarter.turned(270)
    assert back.size == frames.size
    np.testing.assert_array_equal(back.picture(1), frames.picture(1))
