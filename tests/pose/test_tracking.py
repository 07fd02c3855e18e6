"""Tracking of painted people: found, followed, lost, found again, chosen by the user."""

import cv2
import numpy as np
import pytest

from gymform.errors import NoPersonError, OptionsError
from gymform.pose.estimator import PoseEstimator
from gymform.pose.tracking import (
    SAMPLE_INTERVAL_S,
    check_target,
    follow,
)
from gymform.types import Target
from gymform.video.sparse import SparseFrames
from tests.pose.painted import dot_model, paint, person_at

SIZE = (640, 360)
FPS = 30


@pytest.fixture(scope="module")
def estimator() -> PoseEstimator:
    return PoseEstimator(dot_model())


def sparse(pictures: list[np.ndarray], shots: list[int] | None = None) -> SparseFrames:
    """Sampled frames ``SAMPLE_INTERVAL_S`` apart; of the frames between them only the times."""
    step = round(SAMPLE_INTERVAL_S * FPS)
    count = (len(pictures) - 1) * step + 1
    size = (pictures[0].shape[1], pictures[0].shape[0])
    numbers = np.array(shots or [0] * len(pictures), dtype=np.int32)
    # a shot begins with its first sample
    between = np.repeat(numbers, step)[: count - 1]
    encoded = [cv2.imencode(".png", picture[..., ::-1])[1].tobytes() for picture in pictures]
    return SparseFrames(
        time_s=np.arange(count) / FPS,
        positions=np.arange(len(pictures)) * step,
        jpegs=tuple(encoded),
        scale=1.0,
        size=size,
        shots=numbers,
        frame_shots=np.append(between, numbers[-1]).astype(np.int32),
        problems=(),
    )


def contains(box: np.ndarray, keypoints: np.ndarray, slack: float = 4.0) -> bool:
    return bool((keypoints >= box[:2] - slack).all() and (keypoints <= box[2:] + slack).all())


def tightness(box: np.ndarray, keypoints: np.ndarray) -> float:
    """Height of the box as a multiple of the person's height."""
    return float((box[3] - box[1]) / np.ptp(keypoints[:, 1]))


def test_follows_somebody_who_walks_through_the_picture(estimator):
    people = [person_at(80 + 40 * i, 60, 240) for i in range(12)]
    frames = sparse([paint(SIZE, person) for person in people])
    boxes = follow(frames, estimator).boxes
    assert boxes.shape == (len(frames.time_s), 4)
    assert boxes.dtype == np.float32
    for sample, person in zip(frames.positions, people, strict=True):
        assert contains(boxes[sample], person, slack=12)
        assert tightness(boxes[sample], person) < 1.7


def test_finds_a_lifter_of_a_fifth_of_the_frame_height(estimator):
    size = (1280, 720)
    person = person_at(900, 500, 144)
    frames = sparse([paint(size, person)] * 3)
    boxes = follow(frames, estimator).boxes
    assert contains(boxes[0], person)
    assert tightness(boxes[0], person) < 1.7


def test_frames_without_anyone_stay_empty_until_somebody_comes(estimator):
    person = person_at(300, 60, 240)
    pictures = [paint(SIZE)] * 4 + [paint(SIZE, person)] * 8
    frames = sparse(pictures)
    lifter = follow(frames, estimator)
    before = frames.time_s < 3 * SAMPLE_INTERVAL_S
    after = frames.time_s >= 4 * SAMPLE_INTERVAL_S
    assert np.isnan(lifter.boxes[before]).all()
    assert np.isfinite(lifter.boxes[after]).all()
    assert any("Nobody" in note for note in lifter.notes)


def test_bridges_a_short_loss_and_leaves_a_long_one_open(estimator):
    person = person_at(300, 60, 240)
    here, gone = paint(SIZE, person), paint(SIZE)
    short = sparse([here] * 5 + [gone] * 2 + [here] * 5)
    assert np.isfinite(follow(short, estimator).boxes).all()
    long = sparse([here] * 5 + [gone] * 10 + [here] * 5)
    boxes = follow(long, estimator).boxes
    assert np.isnan(boxes[long.positions[9]]).all()
    assert np.isfinite(boxes[long.positions[17]]).all()


def test_prefers_the_large_person_to_one_in_the_background(estimator):
    lifter, bystander = person_at(250, 40, 280), person_at(540, 120, 110)
    frames = sparse([paint(SIZE, lifter, bystander, faint=0.8)] * 6)
    boxes = follow(frames, estimator).boxes
    assert all(contains(box, lifter) for box in boxes)


class ClearestPersonEstimator:
    """An estimator that, like real ones, returns the person in a crop who is seen most clearly.

    ``scenes`` lists (keypoints, score) of the people in each picture; a picture's grey value is its
    number. Keypoints outside a crop have score 0.
    """

    def __init__(self, *scenes: list[tuple[np.ndarray, float]]) -> None:
        self.scenes = scenes

    def pictures(self) -> list[np.ndarray]:
        width, height = SIZE
        return [np.full((height, width, 3), number, np.uint8) for number in range(len(self.scenes))]

    def keypoints_in_frame(
        self, picture: np.ndarray, crops: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        found = [
            max(
                (
                    (xy, self._scores(xy, score, crop))
                    for xy, score in self.scenes[picture[0, 0, 0]]
                ),
                key=lambda person: float(person[1].sum()),
            )
            for crop in crops
        ]
        return np.stack([xy for xy, _ in found]), np.stack([scores for _, scores in found])

    @staticmethod
    def _scores(xy: np.ndarray, score: float, crop: np.ndarray) -> np.ndarray:
        return score * (np.abs(xy - crop[:2]) <= crop[2:] / 2).all(axis=1)


@pytest.mark.parametrize("blurred", [1, 2])
def test_a_blurred_lifter_is_still_the_lifter(blurred):
    lifter, spectator = person_at(250, 40, 280), person_at(420, 120, 150)
    clear, blur = ([(lifter, score), (spectator, 0.76)] for score in (0.8, 0.4))
    estimator = ClearestPersonEstimator(*[clear] * 6, *[blur] * blurred, *[clear] * 2)
    boxes = follow(sparse(estimator.pictures()), estimator).boxes
    assert all(contains(box, lifter) for box in boxes)


@pytest.mark.parametrize("kind", ["point", "box"])
def test_follows_the_person_the_user_marked(estimator, kind):
    lifter, other = person_at(200, 40, 280), person_at(520, 100, 160)
    frames = sparse([paint(SIZE, lifter, other, faint=0.8)] * 6)
    target = (
        Target(time_s=0.5, point=(520.0, 180.0))
        if kind == "point"
        else Target(time_s=0.5, box=(460.0, 90.0, 120.0, 180.0))
    )
    boxes = follow(frames, estimator, target=target).boxes
    assert all(contains(box, other, slack=8) for box in boxes)


def test_searches_again_after_a_cut(estimator):
    first, second = person_at(120, 60, 240), person_at(500, 140, 180)
    frames = sparse([paint(SIZE, first)] * 5 + [paint(SIZE, second)] * 5, shots=[0] * 5 + [1] * 5)
    lifter = follow(frames, estimator)
    assert contains(lifter.boxes[frames.positions[4]], first, slack=8)
    assert contains(lifter.boxes[frames.positions[5]], second, slack=8)
    assert any("cut" in note for note in lifter.notes)


@pytest.mark.parametrize(
    "target",
    [Target(point=(600.0, 30.0)), Target(box=(560.0, 10.0, 60.0, 60.0))],
    ids=["point", "box"],
)
def test_says_that_nobody_is_where_the_user_marked(estimator, target):
    with pytest.raises(NoPersonError, match="where you marked"):
        follow(sparse([paint(SIZE, person_at(160, 60, 240))] * 2), estimator, target=target)


def test_drops_a_shot_that_hardly_looks_like_a_person(estimator):
    person = person_at(300, 60, 240)
    title = paint(SIZE, person_at(900, 60, 240), person_at(320, 60, 240), faint=0.71)
    frames = sparse([title] * 3 + [paint(SIZE, person)] * 6, shots=[0] * 3 + [1] * 6)
    boxes = follow(frames, estimator).boxes
    assert np.isnan(boxes[frames.positions[:2]]).all()
    assert np.isfinite(boxes[frames.positions[4:]]).all()


def test_says_that_nobody_is_there(estimator, monkeypatch):
    monkeypatch.setattr("gymform.pose.tracking.MAX_EXTRA_SEEDS", 2)
    with pytest.raises(NoPersonError, match="no person"):
        follow(sparse([paint(SIZE)] * 4), estimator)


@pytest.mark.parametrize("point", [(-1.0, 50.0), (640.0, 50.0), (100.0, 360.0)])
def test_refuses_a_mark_outside_the_frame(point):
    with pytest.raises(OptionsError, match="outside the frame of 640 x 360"):
        check_target(Target(point=point), SIZE)


def test_reports_progress_to_the_end(estimator):
    heard: list[tuple[int, int]] = []
    frames = sparse([paint(SIZE, person_at(300, 60, 240))] * 6)
    follow(frames, estimator, progress=lambda done, total: heard.append((done, total)))
    assert heard[-1] == (6, 6)
    assert heard == sorted(heard)
