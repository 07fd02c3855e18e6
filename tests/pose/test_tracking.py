"""Tracking of painted people: found, followed, lost, found again, chosen by the user."""

import re

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
from tests.pose.one_by_one import OneByOne
from tests.pose.painted import dot_model, paint, person_at
from tests.pose.silhouettes import SilhouetteEstimator, person

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
    for sample, walker in zip(frames.positions, people, strict=True):
        assert contains(boxes[sample], walker, slack=12)
        assert tightness(boxes[sample], walker) < 1.7


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


@pytest.mark.parametrize("gone", [1, 2, 3])
def test_somebody_who_stands_still_elsewhere_after_a_loss_is_found(estimator, gone):
    before, after = person_at(100, 60, 240), person_at(300, 60, 240)
    away = [paint(SIZE)] * gone
    frames = sparse([paint(SIZE, before)] * 6 + away + [paint(SIZE, after)] * 6)
    boxes = follow(frames, estimator).boxes
    assert contains(boxes[frames.positions[-1]], after, slack=12)


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


class ClearestPersonEstimator(OneByOne):
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


# -- several people --------------------------------------------------------------------------


def squatting(count: int, x: float = 300) -> list[np.ndarray]:
    return [person(x, 300, 240, depth=0.5 - 0.5 * np.cos(i * 0.6)) for i in range(count)]


def passing(feet: float, height: float, step: float, count: int = 30) -> list[np.ndarray]:
    """Somebody who enters from the left in the sixth picture."""
    return [person(-60 + step * (i - 5), feet, height) for i in range(count)]


def follow_scenes(*scenes: list[tuple[np.ndarray, float]]):
    estimator = SilhouetteEstimator(*scenes)
    frames = sparse(estimator.pictures())
    return frames, follow(frames, estimator)


@pytest.mark.parametrize(
    ("feet", "height", "step", "score"),
    [(306, 240, 36, 0.8), (306, 240, 36, 0.95), (350, 330, 60, 0.9), (306, 240, 60, 0.9)],
    ids=["same size", "seen more clearly", "larger", "quick"],
)
def test_somebody_who_passes_is_never_followed(feet, height, step, score):
    lifters, passers = squatting(30), passing(feet, height, step)
    frames, followed = follow_scenes(
        *([(a, 0.85), (b, score)] for a, b in zip(lifters, passers, strict=True))
    )
    boxes = followed.boxes[frames.positions]
    seen = np.isfinite(boxes).all(axis=1)
    assert not seen.all(), "a gap while the lifter is hidden"
    assert seen.mean() > 0.6
    assert seen[-5:].all(), "found again"
    for box, lifter in zip(boxes[seen], np.array(lifters)[seen], strict=True):
        assert contains(box, lifter, slack=30)
        assert box[2] - box[0] < 1.6 * np.ptp(lifter[:, 0]) + 60
    [note] = [note for note in followed.notes if "passed before the lifter" in note]
    assert re.search(r"from \d\.\d to \d\.\d s: nothing is judged there", note)


def test_somebody_who_passes_behind_makes_no_gap():
    lifters, passers = squatting(30), passing(270, 220, 36)
    _, followed = follow_scenes(
        *([(b, 0.7), (a, 0.9)] for a, b in zip(lifters, passers, strict=True))
    )
    assert np.isfinite(followed.boxes).all()
    assert not any("passed" in note for note in followed.notes)


def test_a_larger_partner_nearer_the_middle_is_not_the_lifter():
    lifters, partner = squatting(20, x=150), person(340, 330, 280)
    frames, followed = follow_scenes(*([(a, 0.8), (partner, 0.9)] for a in lifters))
    for box, lifter in zip(followed.boxes[frames.positions], lifters, strict=True):
        assert contains(box, lifter, slack=20)
    assert any("second person of like size" in note for note in followed.notes)


@pytest.mark.parametrize(("x", "height"), [(140, 125), (140, 160), (500, 110), (200, 200)])
def test_a_lifter_who_unfolds_is_not_taken_for_a_thing_nearby(x, height):
    """In the start of a snatch a lifter is less than half as high as with the arms overhead; what
    is half taken for a person, and as high as something between the two, is not the lifter."""
    heights = np.interp(np.arange(36), [6, 14, 24, 32], [100, 262, 262, 100])
    lifters = [person(340, 340, tall) for tall in heights]
    thing = person(x, 270, height)
    scores = [0.44] * 12 + [0.2] * 24
    frames, followed = follow_scenes(
        *([(thing, score), (one, 0.9)] for score, one in zip(scores, lifters, strict=True))
    )
    assert np.isfinite(followed.boxes).all()
    for box, lifter in zip(followed.boxes[frames.positions], lifters, strict=True):
        assert contains(box, lifter, slack=20)
        assert box[2] - box[0] < 1.6 * np.ptp(lifter[:, 0]) + 60


def test_the_marked_person_is_followed_though_another_moves():
    lifters, partner = squatting(20, x=150), person(440, 330, 280)
    estimator = SilhouetteEstimator(*([(a, 0.8), (partner, 0.9)] for a in lifters))
    frames = sparse(estimator.pictures())
    followed = follow(frames, estimator, target=Target(time_s=1.0, point=(440.0, 200.0)))
    assert all(contains(box, partner, slack=20) for box in followed.boxes)


@pytest.mark.parametrize("ends", [(10, 0), (0, 8), (6, 5)], ids=["before", "after", "both"])
def test_what_lies_there_before_and_after_the_lifter_is_nobody(ends):
    """A barbell on the floor was followed until the lifter lay down above it, as if it were him."""
    before, after = ends
    poses = squatting(30)
    lifting = np.array([before <= i < 30 - after for i in range(30)])
    main, witness = (
        SilhouetteEstimator(
            *([(xy, 0.9 if up else least)] for xy, up in zip(poses, lifting, strict=True))
        )
        for least in (0.62, 0.15)
    )
    frames = sparse(main.pictures())
    seen = np.isfinite(follow(frames, main, witness=witness).boxes[frames.positions]).all(axis=1)
    assert (seen == lifting).all()


def test_a_lifter_who_is_dim_at_the_end_for_both_networks_stays():
    main, witness = (
        SilhouetteEstimator(
            *([(xy, 0.9 if i < 20 else 0.62)] for i, xy in enumerate(squatting(30)))
        )
        for _ in range(2)
    )
    assert np.isfinite(follow(sparse(main.pictures()), main, witness=witness).boxes).all()


def test_one_person_alone_costs_one_look_a_picture():
    estimator = SilhouetteEstimator(*([(xy, 0.85)] for xy in squatting(40)))
    follow(sparse(estimator.pictures()), estimator)
    assert estimator.looks < 40 + 3 * 12


def test_one_person_alone_is_plain():
    _, followed = follow_scenes(*([(xy, 0.85)] for xy in squatting(30)))
    assert followed.plain


def behind(score: float) -> list[list[tuple[np.ndarray, float]]]:
    """Scenes in which something of a person's shape passes behind the lifter."""
    pairs = zip(squatting(30), passing(270, 220, 36), strict=True)
    return [[(passer, score), (lifter, 0.9)] for lifter, passer in pairs]


def test_a_change_in_which_nobody_is_seen_leaves_it_plain():
    assert not follow_scenes(*behind(0.7))[1].plain
    assert follow_scenes(*behind(0.2))[1].plain


class PlateEstimator(SilhouetteEstimator):
    """Takes what passes for somebody where a crop shows it askew, not where it is in the middle."""

    def _clearest(self, picture: np.ndarray, crop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        xy, score = super()._clearest(picture, crop)
        weak = score.max() < 0.5
        middle = (xy.min(axis=0) + xy.max(axis=0)) / 2
        return xy, score * (0.2 if weak and np.abs(crop[:2] - middle).max() < 1 else 1.0)


@pytest.mark.parametrize("score", [0.4, 0.48])
def test_what_is_half_seen_counts_where_a_second_look_agrees(score):
    person = SilhouetteEstimator(*behind(score))
    plate = PlateEstimator(*behind(score))
    assert not follow(sparse(person.pictures()), person).plain
    assert follow(sparse(plate.pictures()), plate).plain


def test_another_network_may_look_for_newcomers():
    frames = sparse(SilhouetteEstimator(*behind(0.7)).pictures())
    short, long = SilhouetteEstimator(*behind(0.0)), SilhouetteEstimator(*behind(0.7))
    assert follow(frames, short).plain
    assert not follow(frames, short, newcomers=long).plain


@pytest.mark.parametrize(("score", "plain"), [(0.05, True), (0.4, False)])
def test_what_is_half_seen_counts_where_both_networks_see_it(score, plain):
    """A rack was half a body for the large network, twice in the same pose, in a film of 720p."""
    large = SilhouetteEstimator(*behind(0.4))
    small = SilhouetteEstimator(*behind(score))
    frames = sparse(large.pictures())
    assert follow(frames, small, newcomers=large).plain == plain


@pytest.mark.parametrize(
    "kind", ["somebody passes", "a partner stands there", "the lifter is lost"]
)
def test_whatever_troubles_the_search_is_not_plain(kind):
    lifters = squatting(30)
    if kind == "somebody passes":
        scenes = [
            [(a, 0.85), (b, 0.8)] for a, b in zip(lifters, passing(306, 240, 36), strict=True)
        ]
    elif kind == "a partner stands there":
        scenes = [[(a, 0.85), (person(520, 320, 260), 0.8)] for a in lifters]
    else:
        scenes = [[(a, 0.85)] if not 8 < i < 20 else [] for i, a in enumerate(lifters)]
    assert not follow_scenes(*scenes)[1].plain
