"""The classifier's input: numbers that describe how a body moves, and nothing else.

They do not depend on position, size, distance, frame rate or on which side is called left. The
direction of gravity stays in, since it tells lying from standing exercises. Only keypoints that all
sources of training tracks have are used: the nose and the twelve body joints.
"""

from __future__ import annotations

import numpy as np

from gymform import skeleton as sk
from gymform.motion.body_size import mean_known, midpoint, statures
from gymform.motion.clean import MAX_GAP_S
from gymform.skeleton import ANKLES, BODY_PAIRS, ELBOWS, HIPS, KNEES, SHOULDERS, WRISTS
from gymform.types import CleanTracks

RATE_HZ = 12.0
"""Steps a second to which every clip is resampled. Cleaning leaves nothing above 6 Hz."""

ANGLES: tuple[tuple[tuple[int, int], tuple[int, int], tuple[int, int]], ...] = (
    (HIPS, KNEES, ANKLES),
    (SHOULDERS, HIPS, KNEES),
    (SHOULDERS, ELBOWS, WRISTS),
    (HIPS, SHOULDERS, ELBOWS),
)
"""Joint pairs (from, at, to): knee, hip, elbow and shoulder angle, one a side."""

NAMES: tuple[str, ...] = (
    *(f"{part}_{axis}" for part in ("nose", "shoulders", "elbows", "wrists", "knees", "ankles")
      for axis in "xy"),
    *(f"{part}_height" for part in ("hips", "shoulders", "wrists", "nose")),
    *(f"{part}_{axis}_velocity"
      for part in ("nose", "shoulders", "elbows", "wrists", "knees", "ankles") for axis in "xy"),
    *(f"{part}_height_velocity" for part in ("hips", "shoulders", "wrists", "nose")),
    *(f"{part}_apart_{axis}"
      for part in ("shoulders", "elbows", "wrists", "hips", "knees", "ankles") for axis in "xy"),
    *(f"cos_{part}" for part in ("knee", "hip", "elbow", "shoulder")),
    *(f"cos_{part}_difference" for part in ("knee", "hip", "elbow", "shoulder")),
    *(f"torso_{axis}" for axis in "xy"),
    *(f"{part}_seen"
      for part in ("nose", "shoulders", "elbows", "wrists", "hips", "knees", "ankles")),
)  # fmt: skip
"""The columns of :func:`features`, in order."""

NUM_FEATURES = len(NAMES)

MAX_POSITION = 1.5
"""Positions are clipped to this many statures from the hips: no body part is farther away."""

MAX_SPEED = 4.0
"""Speeds are clipped to this many statures a second; a snatch's bar reaches about 1.5."""


def resample(tracks: CleanTracks, rate_hz: float = RATE_HZ) -> np.ndarray:
    """xy float64 (N, 17, 2) px at even steps of 1/``rate_hz`` from first to last frame.

    Linear between frames no further apart than the longest gap that cleaning fills, NaN elsewhere;
    as many steps as the clip is long, never padded.
    """
    time_s = tracks.time_s
    count = int((time_s[-1] - time_s[0]) * rate_hz + 1e-6) + 1
    grid = time_s[0] + np.arange(count) / rate_hz
    out = np.full((count, sk.NUM_KEYPOINTS, 2), np.nan)
    for k in range(sk.NUM_KEYPOINTS):
        known = np.flatnonzero(np.isfinite(tracks.xy[:, k]).all(-1))
        if len(known):
            out[:, k] = _read_off(tracks.xy[known, k], time_s[known], grid)
    return out


def features(xy: np.ndarray, rate_hz: float = RATE_HZ) -> np.ndarray:
    """float32 (N, F) of one clip, always finite; a missing joint is zero and marked as not seen.

    ``xy`` (N, 17, 2) px at even steps, NaN where missing. Left and right enter only as their mean
    and their distance, so that swapped sides change nothing.
    """
    sizes = statures(xy, rate_hz)
    if not np.isfinite(sizes).all():
        return np.zeros((len(xy), NUM_FEATURES), np.float32)
    body = xy / sizes[:, None, None]
    hips = _filled(midpoint(body, HIPS), midpoint(body, SHOULDERS))
    feet = _filled(midpoint(body, ANKLES), np.full_like(hips, np.nan))
    points = [body[:, sk.NOSE], *(midpoint(body, pair) for pair in BODY_PAIRS)]
    nose, shoulders, elbows, wrists, _, knees, ankles = points
    places = np.stack([nose, shoulders, elbows, wrists, knees, ankles], 1) - hips[:, None]
    heights = feet[:, None, 1] - np.stack([p[:, 1] for p in (hips, shoulders, wrists, nose)], 1)
    places, heights = _clip(places, MAX_POSITION), _clip(heights, MAX_POSITION)
    apart = np.stack([np.abs(body[:, a] - body[:, b]) for a, b in BODY_PAIRS], 1)
    bends = np.stack([_cosines(body, *angle) for angle in ANGLES], 1)  # (N, 4, 2 sides)
    torso = _unit(shoulders - hips)
    seen = np.stack([np.isfinite(p).all(-1) for p in points], 1)
    columns = [
        places.reshape(len(xy), -1),
        heights,
        _clip(_velocity(places, rate_hz), MAX_SPEED).reshape(len(xy), -1),
        _clip(_velocity(heights, rate_hz), MAX_SPEED),
        _clip(apart, MAX_POSITION).reshape(len(xy), -1),
        mean_known(bends),
        np.abs(bends[..., 0] - bends[..., 1]),
        torso,
        seen,
    ]
    return np.asarray(np.nan_to_num(np.concatenate(columns, 1), nan=0.0), np.float32)


def _read_off(points: np.ndarray, time_s: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """``points`` (M, 2) at ``grid`` (N,), linear; NaN outside them and inside long gaps."""
    after = np.clip(np.searchsorted(time_s, grid), 0, len(time_s) - 1)
    before = np.maximum(after - 1, 0)
    exact = np.abs(grid - time_s[after]) < 1e-9
    inside = (grid >= time_s[0] - 1e-9) & (grid <= time_s[-1] + 1e-9)
    bridged = exact | (time_s[after] - time_s[before] <= MAX_GAP_S)
    values = np.stack([np.interp(grid, time_s, points[:, i]) for i in range(2)], 1)
    return np.where((inside & bridged)[:, None], values, np.nan)


def _filled(points: np.ndarray, fallback: np.ndarray) -> np.ndarray:
    """``points`` (N, 2) with all holes bridged; ``fallback`` when there is none at all."""
    known = np.isfinite(points).all(-1)
    if not known.any():
        known = np.isfinite(fallback).all(-1)
        points = fallback
    if not known.any():
        return points
    steps = np.arange(len(points))
    return np.stack([np.interp(steps, steps[known], points[known, i]) for i in range(2)], 1)


def _velocity(values: np.ndarray, rate_hz: float) -> np.ndarray:
    """Central differences a second along the first axis; 0 at the ends and beside holes."""
    out = np.zeros_like(values)
    out[1:-1] = (values[2:] - values[:-2]) * (rate_hz / 2)
    return np.asarray(np.nan_to_num(out, nan=0.0))


def _cosines(
    body: np.ndarray, start: tuple[int, int], at: tuple[int, int], end: tuple[int, int]
) -> np.ndarray:
    """Cosine (N, 2) of the projected angle at a joint, one column a side; NaN where missing."""
    sides = []
    for side in range(2):
        first = _unit(body[:, start[side]] - body[:, at[side]])
        second = _unit(body[:, end[side]] - body[:, at[side]])
        sides.append((first * second).sum(-1))
    return np.stack(sides, 1)


def _unit(vectors: np.ndarray) -> np.ndarray:
    """``vectors`` (..., 2) at length 1; shorter ones (a joint on another) shrink towards 0."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 0.02))


def _clip(values: np.ndarray, limit: float) -> np.ndarray:
    return np.asarray(np.clip(values, -limit, limit))
