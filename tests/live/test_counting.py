"""Repetitions that are counted while they happen."""

from __future__ import annotations

import numpy as np
import pytest

from gymform import skeleton as sk
from gymform.live.counting import GAP_S, RepetitionCounter
from gymform.pose.detection import Detection

FPS = 15.0
LEG = 200.0


def lifter(height: float, *, seen: bool = True) -> Detection:
    """Somebody from the side whose hips are ``height`` legs above the ankles."""
    xy = np.zeros((sk.NUM_KEYPOINTS, 2), np.float32)
    hips_y = 400 - height * LEG
    half = LEG / 2
    forward = np.sqrt(max(0.0, half**2 - (height * half) ** 2))
    for hip, knee, ankle in zip(sk.HIPS, sk.KNEES, sk.ANKLES, strict=True):
        xy[hip], xy[ankle] = (300, hips_y), (300, 400)
        xy[knee] = (300 + forward, (hips_y + 400) / 2)
    return Detection(xy, np.full(sk.NUM_KEYPOINTS, 0.9 if seen else 0.1, np.float32), 0.9)


def run(heights: list[tuple[float, float]], counter: RepetitionCounter | None = None) -> list[int]:
    """The count after each of some stretches: seconds, and the height that is reached in them."""
    counter, now, last, counts = counter or RepetitionCounter(), 0.0, 1.0, []
    for seconds, height in heights:
        frames = max(1, round(seconds * FPS))
        for one in range(1, frames + 1):
            now += 1 / FPS
            counter.add(now, lifter(last + (height - last) * one / frames))
        last = height
        counts.append(counter.count)
    return counts


STAND, SIT, RISE = (0.6, 1.0), (1.0, 0.45), (1.0, 1.0)


def test_a_repetition_counts_at_its_lockout_and_not_before():
    assert run([STAND, SIT, (0.9, 0.97), (0.4, 1.0), SIT, RISE, STAND]) == [0, 0, 0, 1, 1, 1, 2]


@pytest.mark.parametrize("count", [1, 5])
def test_every_repetition_counts_once_however_long_somebody_stands(count):
    assert run([STAND, *[SIT, RISE, STAND] * count, (30.0, 1.0)])[-1] == count


def test_a_deadlift_that_begins_below_counts_at_the_top():
    assert run([(0.1, 0.6), (1.0, 0.6), (1.0, 1.0), STAND])[-1] == 1


def test_the_pull_of_a_snatch_is_no_lockout():
    pull = [(0.1, 0.5), (0.5, 0.5), (0.4, 0.98), (0.07, 0.98), (0.3, 0.5), (0.5, 0.5)]
    assert run([*pull, RISE, STAND]) == [0] * 7 + [1]


def test_bending_the_knees_a_little_does_not_count():
    assert run([STAND, (0.5, 0.85), (0.5, 1.0), STAND])[-1] == 0


def test_who_is_lost_in_between_begins_anew():
    counter = RepetitionCounter()
    for number in range(30):
        counter.add(number / FPS, lifter(0.5))
    counter.add(2.0, None)
    counter.add(2.1, lifter(0.5, seen=False))
    for number in range(30):
        counter.add(2.0 + GAP_S + number / FPS, lifter(1.0))
    assert counter.count == 0
