"""Where the picture stands still in mid-film: the same frame again, not a scene without movement.

Recorders, calls and webcams repeat a frame while they wait, and go on as if nothing had happened.
A lens always sees something: noise, breath, light. A repeated frame that was compressed anew shows
next to nothing of that, and it begins or ends at once, out of full movement.
"""

from __future__ import annotations

import cv2
import numpy as np

MIN_STANDING_S = 0.25
"""A picture that stands for less than this is not noticed, seconds."""

MIN_REPEATS = 3
"""A frame must be repeated at least this often, so that a slow clip is not taken for it."""

REPEATED = 0.3
"""Levels by which the most changed part of a repeated frame differs from the one before. Seen in
frozen pictures that were compressed anew: up to 0.25; in people who stand still: 0.3 and more."""

PULSE = 3.0
"""A key frame in a standing picture may change it by so much, once."""

ABRUPT = 1.0
"""The movement before a picture stops, or after it goes on, must be at least this, levels."""

USUAL = 3.0
"""It must stand for so many times as long as frames of this clip usually do."""

_PART = 8
_BESIDE = 4


def changes(pictures: list[np.ndarray]) -> np.ndarray:
    """How much each picture differs from the one before, float64 (T,), in levels; the first 0.

    That of the 8 px square that differs most. ``pictures`` are uint8 (h, w, 3), small.
    """
    found = np.zeros(len(pictures))
    for i in range(1, len(pictures)):
        difference = cv2.absdiff(pictures[i - 1], pictures[i])
        height, width = difference.shape[:2]
        parts = (max(1, width // _PART), max(1, height // _PART))
        coarse = cv2.resize(difference.astype(np.float32), parts, interpolation=cv2.INTER_AREA)
        found[i] = coarse.reshape(-1, 3).mean(axis=1).max()
    return found


def standing(changed: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """Which frames only repeat the one before, bool (T,), where it stands for long enough.

    ``changed`` are their :func:`changes`. Frames that are repeated to fill a higher frame rate
    are none of these.
    """
    repeated = changed < REPEATED
    repeated[0] = False
    repeated = _without_pulses(repeated, changed)
    runs = _runs(repeated)
    usual = _usual_length(runs, repeated)
    found = np.zeros(len(changed), dtype=bool)
    for first, end in runs:
        span = time_s[end - 1] - time_s[first - 1]
        is_long = span >= MIN_STANDING_S - 1e-3 and end - first >= max(MIN_REPEATS, USUAL * usual)
        if is_long and _is_abrupt(changed, repeated, first, end):
            found[first:end] = True
    return found


def _without_pulses(repeated: np.ndarray, changed: np.ndarray) -> np.ndarray:
    """``repeated`` with single small changes between long standing stretches filled in."""
    filled = repeated.copy()
    for i in range(_BESIDE, len(repeated) - _BESIDE):
        beside = repeated[i - _BESIDE : i].all() and repeated[i + 1 : i + 1 + _BESIDE].all()
        if not repeated[i] and beside and changed[i] < PULSE:
            filled[i] = True
    return filled


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """(first, end) of each run of true values."""
    edges = np.flatnonzero(np.diff(np.r_[0, flags.astype(np.int8), 0]))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _usual_length(runs: list[tuple[int, int]], repeated: np.ndarray) -> float:
    """How many frames usually repeat one: 0 where most frames are new."""
    fresh = int((~repeated).sum())
    lengths = np.array([b - a for a, b in runs] + [0] * max(0, fresh - len(runs)))
    return float(np.median(lengths)) if len(lengths) else 0.0


def _is_abrupt(changed: np.ndarray, repeated: np.ndarray, first: int, end: int) -> bool:
    """Does the movement stop at once, or, where the clip begins still, start at once?"""
    inside = float(np.quantile(changed[first:end], 0.9))
    needed = max(ABRUPT, 5 * inside)
    before = changed[max(1, first - _BESIDE) : first]
    before = before[~repeated[max(1, first - _BESIDE) : first]]
    if len(before):
        return bool(np.median(before) >= needed)
    return end < len(changed) and bool(changed[end] >= needed)
