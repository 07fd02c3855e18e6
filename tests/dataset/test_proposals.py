"""Items are the repetitions that are there, and every problem is named and explained."""

from dataclasses import replace

import numpy as np
import pytest

from gymform.dataset import proposals as pr
from gymform.dataset.proposals import Scene, propose
from gymform.motion.clean import clean
from gymform.types import PoseSequence
from tests.dataset.makers import clip_record
from tests.exercises import movements
from tests.fakes import make_quality
from tests.form import figures
from tests.motion.makers import sequence, squat, squat_sequence

STILL = Scene(np.arange(0, 7, 0.2), np.zeros(35, np.intp), np.zeros(34))


def proposed(pose: PoseSequence, scene: Scene = STILL, copies=()):
    clip = clip_record(0, duration_s=float(pose.time_s[-1]), frames=len(pose))
    return propose(clip, pose, clean(pose), scene, copies)


def one(pose: PoseSequence, scene: Scene = STILL, copies=()):
    items, qualities = proposed(pose, scene, copies)
    assert len(items) == len(qualities) == 1
    return items[0], qualities[0]


def part(pose: PoseSequence, start: int, stop: int) -> PoseSequence:
    inside = slice(start, stop)
    return PoseSequence(
        pose.xy[inside], pose.score[inside], pose.boxes[inside],
        pose.time_s[inside] - pose.time_s[start], pose.image_size,
    )  # fmt: skip


def test_every_repetition_is_an_item_of_its_own():
    items, qualities = proposed(squat_sequence())
    assert [item.part for item in items] == [1, 2]
    assert len({item.id for item in items}) == 2
    assert items[0].end_s <= items[1].start_s + 0.3
    assert all(quality.problems == () for quality in qualities)
    assert all(quality.score > 0.8 for quality in qualities)


def test_one_repetition_is_one_item_within_its_bounds():
    item, quality = one(part(squat_sequence(), 0, 110))
    assert 0.2 < item.start_s < 0.9
    assert 3.0 < item.end_s < 3.65
    assert quality.problems == ()


@pytest.mark.parametrize("frames", [(15, 60), (60, 105)])
def test_half_a_repetition_is_said_to_be_one(frames):
    _, quality = one(part(squat_sequence(), *frames))
    assert quality.problems == (pr.HALF_REPETITION,)
    assert "one way and never back" in quality.notes[0]
    assert quality.score < 0.6


def test_no_repetition_is_the_whole_clip_and_says_so():
    time_s = np.arange(90) / 30
    pose = sequence(squat(time_s, depth=0.0) + np.array([320, 300]), time_s)
    item, quality = one(pose)
    assert (item.start_s, item.end_s) == (0.0, pytest.approx(time_s[-1], abs=1e-3))
    assert quality.problems == (pr.NO_REPETITION,)


@pytest.mark.parametrize(
    ("movement", "exercise"),
    [(movements.curl, "bicep_curl"), (movements.push_up, "push-up"), (movements.pull_up, "pull up"),
     (movements.jumping_jack, "jumping_jack"), (figures.deadlift, "deadlift")],
)  # fmt: skip
def test_the_repetitions_are_those_of_the_labelled_exercise(movement, exercise):
    """By their number: two, whatever else moves when the lifter comes and goes."""
    pose, _ = figures.film(movement(movements.again(2)), 30.0)
    clip = clip_record(0, exercise=exercise, duration_s=float(pose.time_s[-1]), frames=len(pose))
    items, _ = propose(clip, pose, clean(pose), STILL)
    assert len(items) == 2


def test_who_picks_the_weight_up_has_not_curled_it():
    """A clip that begins with a squat down to the dumbbells, before two curls."""
    squats, curls = figures.squat(figures.once(30.0)), movements.curl(movements.again(2))
    pose, _ = figures.film(np.concatenate([squats, curls]), 30.0)
    of = {}
    for exercise in ("bicep_curl", "my own movement"):
        clip = clip_record(0, exercise=exercise, duration_s=float(pose.time_s[-1]))
        of[exercise] = propose(clip, pose, clean(pose), STILL)[0]
    assert len(of["bicep_curl"]) == 2
    assert of["bicep_curl"][0].start_s > 0.8 * len(squats) / 30
    assert of["my own movement"][0].start_s < 0.5 * len(squats) / 30  # any movement counts


def test_a_label_that_fits_nothing_in_the_clip_leaves_what_moves():
    pose = squat_sequence()
    clip = clip_record(0, exercise="bicep_curl", duration_s=float(pose.time_s[-1]))
    assert len(propose(clip, pose, clean(pose), STILL)[0]) == 2


def test_nobody_is_the_worst():
    pose = squat_sequence()
    nobody = replace(pose, xy=np.full_like(pose.xy, np.nan), score=np.zeros_like(pose.score))
    _, quality = one(nobody)
    assert quality.score == 0
    assert quality.problems[0] == pr.PERSON_LOST


def test_a_cut_within_the_repetition_counts_and_one_outside_does_not():
    pose = part(squat_sequence(), 0, 110)
    inside = replace(STILL, shots=(STILL.time_s > 2.05).astype(np.intp))
    _, quality = one(pose, inside)
    assert quality.problems == (pr.SCENE_CUT,)
    assert "at about 2.1 s" in quality.notes[0]
    after = replace(STILL, shots=(STILL.time_s > 5.0).astype(np.intp))
    assert one(pose, after)[1].problems == ()


def test_a_camera_that_follows_is_a_problem_and_a_calm_hand_is_none():
    pose = part(squat_sequence(), 0, 110)
    scores = {}
    for speed, problems in ((0.005, ()), (0.06, (pr.CAMERA_MOTION,)), (np.nan, ())):
        _, quality = one(pose, replace(STILL, camera_speed=np.full(34, speed)))
        assert quality.problems == problems
        scores[speed] = quality.score
    assert scores[0.06] < 0.5 * scores[0.005]


def test_poor_measures_become_problems_with_their_notes():
    pose = squat_sequence()
    doubtful = replace(pose, score=np.where(pose.score > 0, np.float32(0.35), np.float32(0)))
    _, qualities = proposed(doubtful)
    assert all(pr.LOW_CONFIDENCE in quality.problems for quality in qualities)
    noise = np.random.default_rng(0).normal(0, 14, pose.xy.shape)
    _, qualities = proposed(replace(pose, xy=(pose.xy + noise).astype(np.float32)))
    assert any(pr.JITTER in quality.problems for quality in qualities)
    assert all(len(quality.problems) == len(quality.notes) for quality in qualities)


def test_a_low_score_is_explained_though_nothing_alone_is_a_problem(monkeypatch):
    middling = make_quality(score=0.45, mean_confidence=0.51, missing=0.2, coverage=0.8)
    monkeypatch.setattr(pr, "assess", lambda pose, tracks: middling)
    _, quality = one(part(squat_sequence(), 0, 110))
    assert quality.problems == (pr.LOW_CONFIDENCE,)
    assert "the weakest of them" in quality.notes[0]


def test_copies_are_named():
    _, quality = one(part(squat_sequence(), 0, 110), copies=("a.mp4", "b.mp4"))
    assert quality.problems == (pr.COPY,)
    assert "a.mp4 and 1 more" in quality.notes[0]


def test_every_problem_has_a_name_in_the_list():
    assert set(pr.PROBLEMS) >= {pr.COPY, pr.HALF_REPETITION, pr.SCENE_CUT, pr.PERSON_LOST}
    assert len(pr.PROBLEMS) == len(set(pr.PROBLEMS)) == 11
