"""Repetitions, found from the movement itself, whatever the exercise and the view."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_filter1d

from gymform import skeleton as sk
from gymform.motion.body_size import midpoint, statures
from gymform.types import CleanTracks

GRID_HZ = 20.0
"""Rate at which the movement is sampled, Hz."""

SMOOTHING_S = 0.12
"""Standard deviation of the smoothing of the movement signal, seconds."""

MIN_RANGE = 0.15
"""Smallest movement that can be a repetition: the root sum of squares over joints, in statures."""

HYSTERESIS = 0.4
"""A reversal counts when the signal comes back by this share of its range."""

REST_SHARE = 0.1
"""A repetition starts and ends where the signal is within this share of its amplitude of rest."""

MIN_REP_S = 0.4
"""A shorter movement is no repetition, seconds."""

HALF = 0.8
"""A repetition that ends farther than this share of its range from its start is half of one."""

JOINTS = (sk.NOSE, *sk.BODY)


def find_repetitions(
    tracks: CleanTracks, moving: Sequence[int] = JOINTS
) -> list[tuple[float, float]]:
    """(start_s, end_s) of every repetition, in order; empty when nothing moves enough.

    A repetition leaves the resting pose, reverses and comes back (down and up in a squat, up and
    down in a deadlift). A clip that holds half a repetition counts as one. The pose at the start of
    the clip is taken for the resting one. ``moving`` are the keypoints to look at.
    """
    movement = movement_signal(tracks, moving)
    if movement is None:
        return []
    time_s, signal = movement
    span = _range(signal)
    if span < MIN_RANGE:
        return []
    reversals = turning_points(signal, HYSTERESIS * span)
    cycles = _cycles(reversals)
    reps = [_trim(signal, *cycle) for cycle in cycles]
    found = [(float(time_s[a]), float(time_s[b])) for a, b in reps]
    return [(start, end) for start, end in found if end - start >= MIN_REP_S]


def is_half(tracks: CleanTracks, start_s: float, end_s: float) -> bool:
    """Does the movement from ``start_s`` to ``end_s`` go one way only, up or down?

    Lifts that end in another pose than they start in, such as a snatch, still come back by at
    least a third when the lifter rises; half repetitions end at their extreme.
    """
    movement = movement_signal(tracks)
    if movement is None:
        return False
    time_s, signal = movement
    part = signal[(time_s >= start_s - 1e-6) & (time_s <= end_s + 1e-6)]
    return len(part) > 1 and abs(float(part[-1] - part[0])) > HALF * float(np.ptp(part))


def movement_range(tracks: CleanTracks) -> float:
    """The range of the main movement in statures; 0 without a body."""
    movement = movement_signal(tracks)
    return 0.0 if movement is None else _range(movement[1])


def movement_signal(
    tracks: CleanTracks, moving: Sequence[int] = JOINTS
) -> tuple[np.ndarray, np.ndarray] | None:
    """(time_s, signal), both (N,) at :data:`GRID_HZ`: the main movement in statures, or None.

    The first principal component of the keypoints ``moving`` relative to the feet (to the hips
    where no foot is seen), which no pan of the camera changes. None without a body or with a single
    frame.
    """
    if len(tracks.time_s) < 3:
        return None
    sizes = statures(tracks.xy, 1 / float(np.median(np.diff(tracks.time_s))))
    if not np.isfinite(sizes).all():
        return None
    duration = float(tracks.time_s[-1] - tracks.time_s[0])
    grid = tracks.time_s[0] + np.arange(int(duration * GRID_HZ) + 1) / GRID_HZ
    lengths = tracks.xy.astype(np.float64) / sizes[:, None, None]
    columns = _columns(lengths, tracks.time_s, grid, moving)
    if columns is None or len(grid) < 3:
        return None
    columns = gaussian_filter1d(columns, SMOOTHING_S * GRID_HZ, axis=0, mode="nearest")
    columns -= columns.mean(0)
    _, _, axes = np.linalg.svd(columns, full_matrices=False)
    return grid, columns @ axes[0]


def turning_points(signal: np.ndarray, hysteresis: float) -> list[int]:
    """Indices of alternating highs and lows, each at least ``hysteresis`` from the next.

    The first and the last entry are the ends of the signal's first and last excursion.
    """
    turns: list[int] = []
    low = high = 0
    direction = 0
    for i, value in enumerate(signal):
        if value < signal[low]:
            low = i
        if value > signal[high]:
            high = i
        if direction >= 0 and signal[high] - value >= hysteresis:
            turns.append(high)
            direction, low, high = -1, i, i
        elif direction <= 0 and value - signal[low] >= hysteresis:
            turns.append(low)
            direction, low, high = 1, i, i
    if turns:
        turns.append(high if direction > 0 else low)
    return turns


def _range(signal: np.ndarray) -> float:
    """The range of the signal without its outliers."""
    return float(np.percentile(signal, 98) - np.percentile(signal, 2))


def _cycles(turns: list[int]) -> list[tuple[int, int]]:
    """Index pairs from rest to rest; half a cycle counts only when there is no whole one."""
    cycles = [(turns[i], turns[i + 2]) for i in range(0, len(turns) - 2, 2)]
    if not cycles and len(turns) == 2:
        cycles = [(turns[0], turns[1])]
    return cycles


def _trim(signal: np.ndarray, start: int, end: int) -> tuple[int, int]:
    """``start`` and ``end`` moved inwards to where the signal leaves and reaches its rest."""
    part = signal[start : end + 1]
    for_start, for_end = np.abs(part - part[0]), np.abs(part - part[-1])
    left = np.flatnonzero(for_start > REST_SHARE * for_start.max())
    right = np.flatnonzero(for_end > REST_SHARE * for_end.max())
    if len(left) == 0 or len(right) == 0:
        return start, end
    return start + max(int(left[0]) - 1, 0), start + min(int(right[-1]) + 1, len(part) - 1)


def _columns(
    xy: np.ndarray, time_s: np.ndarray, grid: np.ndarray, moving: Sequence[int]
) -> np.ndarray | None:
    """(N, 2 J): keypoints seen in half of the frames, relative to the feet, on the grid."""
    feet = midpoint(xy, sk.ANKLES)
    hips = midpoint(xy, sk.HIPS)
    seen = [np.isfinite(points).all(-1).mean() for points in (feet, hips)]
    if max(seen) < 0.5:
        return None
    origin = feet if seen[0] >= 0.5 else hips
    columns = []
    for joint in moving:
        relative = xy[:, joint] - origin
        known = np.isfinite(relative).all(-1)
        if known.mean() >= 0.5:
            columns += [np.interp(grid, time_s[known], relative[known, i]) for i in range(2)]
    return np.stack(columns, axis=1) if columns else None
