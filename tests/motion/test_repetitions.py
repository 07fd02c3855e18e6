"""Repetitions: as many as there are, where they are, from any side and at any size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gymform import skeleton as sk
from gymform.motion.clean import clean
from gymform.motion.repetitions import find_repetitions, movement_range, turning_points
from tests.motion.makers import STANDING, sequence, squat, squat_sequence


def reps_of(xy, time_s):
    return find_repetitions(clean(sequence(xy, time_s)))


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
    assert find_repetitions(nobody) == []
    assert movement_range(nobody) == 0


@settings(max_examples=20)
@given(st.floats(-1000, 1000), st.floats(0.3, 6))
def test_neither_place_nor_size_matters(shift, scale):
    pose = squat_sequence(20.0)
    moved = sequence(pose.xy * scale + shift, pose.time_s)
    assert find_repetitions(clean(moved)) == find_repetitions(clean(pose))


def test_the_rate_does_not_matter():
    spans = [find_repetitions(clean(squat_sequence(fps))) for fps in (20.0, 30.0, 120.0)]
    for other in spans[1:]:
        np.testing.assert_allclose(other, spans[0], atol=0.11)


def test_turning_points_alternate_and_keep_their_distance():
    signal = np.array([0, 1, 5, 4.5, 5.2, 1, 0, 0.4, 4, 8, 7.8])
    assert turning_points(signal, 2.0) == [0, 4, 6, 9]
    assert turning_points(np.zeros(5), 1.0) == []
