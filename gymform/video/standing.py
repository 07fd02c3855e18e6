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

REPEATED, REPEATED_SHARE, REPEATED_MOST = 0.3, 0.05, 1.0
"""Levels by which the most changed part of a repeated frame differs from the one before, at most.
Seen in frozen pictures that were compressed anew: up to 0.25; in people who stand still: 0.3 and
more. After fast movement the encoder takes a few frames to settle: there this share of it is
allowed, up to the last figure."""

PULSE, MAX_PULSE = 3.0, 3
"""When an encoder refines a standing picture, it changes by less than so many levels, in so many
frames at most."""

ABRUPT = 1.5
"""The movement in two frames before a picture stops must be at least this, levels, and five times
what is left of it; where a clip begins with it, that with which it goes on."""

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
    repeated = changed < _allowed(changed)
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


def _allowed(changed: np.ndarray) -> np.ndarray:
    """Levels (T,) up to which a frame counts as repeated, by the movement before it."""
    allowed = np.full(len(changed), REPEATED)
    for t in range(1, len(changed)):
        recent = changed[max(1, t - 2 * _BESIDE) : t]
        recent = recent[recent >= REPEATED_MOST]
        if len(recent):
            share = REPEATED_SHARE * float(np.median(recent))
            allowed[t] = min(max(REPEATED, share), REPEATED_MOST)
    return allowed


def _without_pulses(repeated: np.ndarray, changed: np.ndarray) -> np.ndarray:
    """``repeated`` with short small changes between longer standing stretches filled in."""
    filled = repeated.copy()
    for first, end in _runs(~repeated):
        before, after = repeated[max(0, first - _BESIDE) : first], repeated[end : end + _BESIDE]
        stands = min(len(before), len(after)) == _BESIDE and before.all() and after.all()
        if stands and end - first <= MAX_PULSE and (changed[first:end] < PULSE).all():
            filled[first:end] = True
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
    inside = float(np.median(changed[first:end]))
    needed = max(ABRUPT, 5 * inside)
    start = max(1, first - 2 * _BESIDE)
    before = np.sort(changed[start:first][~repeated[start:first]])
    if len(before):
        return bool(before[-2:].min() >= needed)
    return end < len(changed) and bool(changed[end] >= needed)
