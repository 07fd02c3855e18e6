"""Repetitions: as many as there are, where they are, from any side and at any size."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gymform import skeleton as sk
from gymform.exercises import Resting, Signal
from gymform.motion.clean import clean
from gymform.motion.repetitions import (
    CUT,
    END,
    STAND,
    START,
    find_repetitions,
    movement_range,
    signal_repetitions,
    turning_points,
    whole_repetitions,
)
from gymform.types import CleanTracks
from tests.motion.makers import STANDING, sequence, squat, squat_sequence


def reps_of(xy, time_s):
    return whole_repetitions(clean(sequence(xy, time_s)))


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("fps", [6.0, 24.0, 60.0])
def test_as_many_as_there_are(count, fps):
    time_s = np.arange(round((0.5 + 3 * count) * fps) + 1) / fps
    reps = reps_of(squat(time_s) + 300, time_s)
    assert len(reps) == count
    for i, (start, end) in enumerate(reps):
        assert 0.4 + 3 * i <= start <= 1.2 + 3 * i
        assert 2.6 + 3 * i <= end <= 3.7 + 3 * i


@pytest.mark.parametrize("view", [1.0, 0.4, 0.05, -1.0])
def test_from_any_side(view):
    time_s = np.arange(200) / 30
    xy = squat(time_s) * [view, 1] + 300
    assert len(reps_of(xy, time_s)) == 2


def test_idle_time_is_not_part_of_a_repetition():
    time_s = np.arange(0, 12, 1 / 30)
    moving = squat(np.clip(time_s - 4, 0, 3.5))
    (rep,) = reps_of(moving + 300, time_s)
    assert rep[0] == pytest.approx(4.5, abs=0.5)
    assert rep[1] == pytest.approx(7.5, abs=0.5)


def test_half_a_repetition_counts_as_one():
    time_s = np.arange(0, 2, 1 / 30)
    assert len(reps_of(squat(time_s, period_s=4, still_s=0) + 300, time_s)) == 1


def test_a_pan_of_the_camera_is_no_repetition():
    time_s = np.arange(0, 6, 1 / 30)
    pan = 80 * np.sin(time_s)[:, None, None] * np.ones((1, 17, 2))
    assert reps_of(STANDING[None] + 300 + pan, time_s) == []


def test_without_feet():
    time_s = np.arange(200) / 30
    xy = squat(time_s) + 300
    xy[:, [sk.LEFT_ANKLE, sk.RIGHT_ANKLE]] = np.nan
    assert len(reps_of(xy, time_s)) == 2


@pytest.mark.parametrize("count", [1, 2, 3, 30])
def test_nothing_moves_or_nobody_is_there(count):
    time_s = np.arange(count) / 30
    assert reps_of(np.repeat(STANDING[None], count, 0) + 300, time_s) == []
    nobody = clean(sequence(np.full((count, 17, 2), np.nan), time_s))
    assert whole_repetitions(nobody) == []
    assert movement_range(nobody) == 0


@settings(max_examples=20)
@given(st.floats(-1000, 1000), st.floats(0.3, 6))
def test_neither_place_nor_size_matters(shift, scale):
    pose = squat_sequence(20.0)
    moved = sequence(pose.xy * scale + shift, pose.time_s)
    assert whole_repetitions(clean(moved)) == whole_repetitions(clean(pose))


def test_the_rate_does_not_matter():
    spans = [whole_repetitions(clean(squat_sequence(fps))) for fps in (20.0, 30.0, 120.0)]
    for other in spans[1:]:
        np.testing.assert_allclose(other, spans[0], atol=0.11)


def test_turning_points_alternate_and_keep_their_distance():
    signal = np.array([0, 1, 5, 4.5, 5.2, 1, 0, 0.4, 4, 8, 7.8])
    assert turning_points(signal, 2.0) == [0, 4, 6, 9]
    assert turning_points(np.zeros(5), 1.0) == []


# ---- from rest to rest, whatever the clip begins with

STANDING_RESTS = Resting(sk.HIPS, high=True, strictly=True)
FLOOR_RESTS = Resting(sk.SHOULDERS, high=False)


def found(start_s: float, end_s: float, resting=STANDING_RESTS, fps: float = 30.0):
    """The repetitions of three squats, of 3 s each after 0.5 s, cut out from start to end."""
    time_s = np.arange(0, end_s - start_s, 1 / fps)
    pose = sequence(squat(time_s + start_s) + 300, time_s)
    return find_repetitions(clean(pose), resting=resting)


@pytest.mark.parametrize("fps", [10.0, 30.0, 60.0])
@pytest.mark.parametrize("start_s", [2.0, 2.2, 2.5])
def test_a_clip_that_begins_in_the_hole_has_its_repetitions_from_rest_to_rest(start_s, fps):
    first, *others = found(start_s, 9.5, fps=fps)
    assert first.cut_off_by == START
    assert [rep.cut_off_by for rep in others] == [None, None]
    for number, rep in enumerate(others, 1):
        assert rep.start_s + start_s == pytest.approx(0.5 + 3 * number, abs=0.5)
        assert rep.end_s + start_s == pytest.approx(3.5 + 3 * number, abs=0.5)


@pytest.mark.parametrize("end_s", [8.0, 8.5])
def test_what_the_end_cuts_off_is_marked(end_s):
    *whole, last = found(0, end_s)
    assert [rep.cut_off_by for rep in whole] == [None, None]
    assert last.cut_off_by == END


def test_without_a_pose_of_rest_the_clip_begins_at_rest():
    assert [rep.cut_off_by for rep in found(0, 9.5, None)] == [None] * 3


def test_an_exercise_that_rests_low_counts_from_there():
    first, *others = found(0.6, 9.4, FLOOR_RESTS)
    assert first.cut_off_by == START
    assert others[0].start_s + 0.6 == pytest.approx(2.0, abs=0.5)


def test_none_runs_across_a_cut_or_a_picture_that_stands_still():
    pose = squat_sequence(seconds=9.5)
    shots = np.where(pose.time_s < 4.8, 0, 1).astype(np.int32)
    reps = find_repetitions(clean(replace(pose, shots=shots)), resting=STANDING_RESTS)
    assert all(rep.end_s < 4.85 or rep.start_s > 4.75 for rep in reps)
    assert [rep.cut_off_by for rep in reps] == [None, CUT, CUT, None]
    shots = np.where((pose.time_s > 4.4) & (pose.time_s < 5.4), -1, 0).astype(np.int32)
    reps = find_repetitions(clean(replace(pose, shots=shots)), resting=STANDING_RESTS)
    assert STAND in {rep.cut_off_by for rep in reps}
    assert all(rep.end_s < 4.5 or rep.start_s > 5.3 for rep in reps)


def test_who_walks_up_to_the_camera_does_no_repetition():
    """The body grows by half within three seconds, then there is a squat, then it shrinks."""
    time_s = np.arange(0, 11, 1 / 30)
    scale = np.interp(time_s, [0, 3, 8, 11], [1, 1.6, 1.6, 1])
    xy = squat(np.clip(time_s - 4, 0, 3.5)) * scale[:, None, None] + 300
    (rep,) = whole_repetitions(clean(sequence(xy, time_s)), resting=STANDING_RESTS)
    assert rep[0] == pytest.approx(4.6, abs=0.6)
    assert rep[1] == pytest.approx(7.4, abs=0.6)


def test_a_lift_that_ends_still_is_whole_before_a_picture_that_stands_still():
    """A snatch goes one way only; what is frozen after it has not cut it off."""
    time_s = np.arange(0, 5, 1 / 30)
    pose = sequence(squat(np.clip(time_s, 0, 2.0), period_s=4, still_s=0) + 300, time_s)
    (whole,) = find_repetitions(clean(pose))
    shots = np.where(time_s > 4, -1, 0).astype(np.int32)
    (frozen,) = find_repetitions(clean(replace(pose, shots=shots)))
    assert whole.cut_off_by is frozen.cut_off_by is None
    assert frozen.end_s == pytest.approx(whole.end_s, abs=0.15)
    after_a_cut = np.where(time_s > 4, 1, 0).astype(np.int32)
    (cut,) = find_repetitions(clean(replace(pose, shots=after_a_cut)))
    assert cut.cut_off_by == CUT


def pushing_up(begins: float, plank: float) -> CleanTracks:
    """Arms from bent to straight: from ``begins`` up to 1.3, a rest at ``plank``, three push-ups.

    1 is the usual top, 0 the bottom.
    """
    time_s = np.arange(0, 13, 1 / 30)
    top = np.interp(time_s, [0, 2, 3, 5, 6], [begins, 1.3, plank, plank, 1])
    reps = np.where((time_s > 6) & (time_s < 12), (np.cos(np.pi * (time_s - 6)) - 1) / 2, 0)
    xy = np.repeat(STANDING[None] + 300, len(time_s), axis=0)
    for wrist, shoulder in zip(sk.WRISTS, sk.SHOULDERS, strict=True):
        xy[:, wrist] = xy[:, shoulder] + np.array([0, 1.0]) * (40 + 40 * (top + reps))[:, None]
    return clean(sequence(xy, time_s))


@pytest.mark.parametrize("begins", [0.0, 0.5, 1.3])
@pytest.mark.parametrize("plank", [1.0, 1.15])
def test_getting_into_position_changes_no_repetition(begins, plank):
    signal = Signal("hands_from_shoulders", high=True, least=0.05)
    reps = [rep for rep in signal_repetitions(pushing_up(begins, plank), signal)]
    whole = [rep for rep in reps if rep.cut_off_by is None]
    assert [round(rep.end_s) for rep in whole] == [8, 10, 12]
    assert whole[0].start_s > 4.5


def squatting(points: list[tuple[float, float]]) -> CleanTracks:
    """Squats as deep at each second as the (second, share of the depth) ``points`` say."""
    time_s = np.arange(0, points[-1][0], 1 / 30)
    down = np.interp(time_s, *np.array(points).T)
    phase = np.arccos(1 - 2 * down) / (2 * np.pi)
    return clean(sequence(squat(phase, period_s=1, still_s=0) + 300, time_s))


@pytest.mark.parametrize(("end", "cut_off_by"), [(0.15, None), (0.5, END)])
def test_the_last_repetition_is_compared_with_the_rests_of_the_set(end, cut_off_by):
    """Before it the lifter did not rise as far as usual: from there the end would seem near."""
    tracks = squatting([
        (0, 0), (1, 1), (2, 0), (3, 1), (4, 0), (5, 1), (6, 0.2), (7, 1), (7.9, end)
    ])  # fmt: skip
    *others, last = find_repetitions(tracks, resting=STANDING_RESTS)
    assert [rep.cut_off_by for rep in others] == [None] * 3
    assert last.cut_off_by == cut_off_by
