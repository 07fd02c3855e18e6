"""From noisy keypoints to trajectories fit for measuring: mask, reject, fill, smooth, derive.

All limits are in seconds, never in frames: the same lift filmed at 24, 60 or 240 fps, or with a
variable frame rate, gives the same trajectories.
"""

from __future__ import annotations

import itertools

import numpy as np
from scipy.signal import butter, sosfiltfilt

from gymform.motion.body_size import stature
from gymform.types import CleanTracks, PoseSequence

MIN_SCORE = 0.25
"""A keypoint below this score is not trusted; 0.3 is often used with ViTPose's scores."""

MAX_GAP_S = 0.5
"""The longest gap that is filled, in seconds: half a repetition must not be invented."""

CUTOFF_HZ = 6.0
"""Cut-off of the low-pass filter: lifts move little above 4-6 Hz (Winter; Yu et al. 1999)."""

OUTLIER_WINDOW_S = 0.5
OUTLIER_MADS = 4.0
OUTLIER_STATURES = 0.06
"""A point is rejected if it exceeds both limits in its distance from the neighbours' median."""

MIN_SMOOTHING_RATE = 2.2 * CUTOFF_HZ
"""Below this frame rate (Hz) movement and noise share all frequencies: nothing is smoothed."""


def clean(pose: PoseSequence) -> CleanTracks:
    """Masked, outlier-free, gap-filled and smoothed trajectories; ``pose`` itself is unchanged.

    Each shot is cleaned by itself: nothing is filled, smoothed or derived across a cut. Where the
    picture stands still nothing is known. Frames that no network looked at are filled.
    """
    skipped = pose.interpolated
    trusted = (pose.score >= MIN_SCORE) & ((pose.shots >= 0) & ~skipped)[:, None]
    raw = np.where(trusted[..., None], pose.xy, np.nan).astype(np.float64)
    xy, velocity = np.full_like(raw, np.nan), np.full_like(raw, np.nan)
    filled = np.zeros(raw.shape[:2], bool)
    for start, stop in stretches(pose.shots):
        part, times = raw[start:stop], pose.time_s[start:stop]
        part = reject_outliers(part, times)
        whole = fill_gaps(part, times)
        filled[start:stop] = np.isfinite(whole).all(-1) & ~np.isfinite(part).all(-1)
        xy[start:stop] = smooth(whole, times)
        velocity[start:stop] = derive(xy[start:stop], times)
    return CleanTracks(
        xy.astype(np.float32), velocity.astype(np.float32), filled, pose.time_s, pose.shots, skipped
    )


def stretches(shots: np.ndarray) -> list[tuple[int, int]]:
    """Half-open index ranges (start, stop) without a cut, of ``shots`` (T,) as in PoseSequence.

    Where the picture stands still there is none.
    """
    edges = [0, *(np.flatnonzero(np.diff(shots)) + 1).tolist(), len(shots)]
    return [(a, b) for a, b in itertools.pairwise(edges) if a < b and shots[a] >= 0]


def reject_outliers(xy: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """``xy`` (T, K, 2) with isolated outliers replaced by NaN (Hampel filter, 1974).

    An outlier is far from the median of its window both in robust deviations and in statures. A
    fast but steady movement keeps its points, since the median moves along.
    """
    size = stature(xy)
    reach = _reach(time_s, OUTLIER_WINDOW_S)
    if len(xy) < 5 or not np.isfinite(size):
        return xy
    padded = np.pad(xy, ((reach, reach), (0, 0), (0, 0)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
    median = _nanmedian(windows)  # (T, K, 2)
    spread = 1.4826 * _nanmedian(np.abs(windows - median[..., None]))
    distance = np.linalg.norm(xy - median, axis=-1)
    limit = OUTLIER_MADS * np.linalg.norm(spread, axis=-1)
    outlier = (distance > limit) & (distance > OUTLIER_STATURES * size)
    return np.where(outlier[..., None], np.nan, xy)


def fill_gaps(xy: np.ndarray, time_s: np.ndarray, max_gap_s: float = MAX_GAP_S) -> np.ndarray:
    """``xy`` (T, K, 2) with inner gaps of at most ``max_gap_s`` filled linearly in time.

    A gap's length is from the last point before it to the first after it. Nothing is extrapolated:
    missing points at the start and the end stay NaN.
    """
    out = xy.copy()
    for k in range(xy.shape[1]):
        known = np.flatnonzero(np.isfinite(xy[:, k]).all(-1))
        for left, right in itertools.pairwise(known):
            if right - left > 1 and time_s[right] - time_s[left] <= max_gap_s:
                share = (time_s[left + 1 : right] - time_s[left]) / (time_s[right] - time_s[left])
                out[left + 1 : right, k] = xy[left, k] + share[:, None] * (
                    xy[right, k] - xy[left, k]
                )
    return out


def smooth(xy: np.ndarray, time_s: np.ndarray, cutoff_hz: float = CUTOFF_HZ) -> np.ndarray:
    """``xy`` (T, K, 2) low-pass filtered at ``cutoff_hz``, without delay; NaN stays NaN.

    A second-order Butterworth filter, run forwards and backwards (fourth order, zero phase) on an
    even time grid; frames of a variable rate are interpolated to it and back.
    """
    out = xy.copy()
    for k in range(xy.shape[1]):
        for start, stop in _runs(np.isfinite(xy[:, k]).all(-1)):
            out[start:stop, k] = _smooth_run(xy[start:stop, k], time_s[start:stop], cutoff_hz)
    return out


def derive(xy: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """px/s (T, K, 2): central differences by the real times; NaN for a point alone."""
    out = np.full_like(xy, np.nan)
    for k in range(xy.shape[1]):
        for start, stop in _runs(np.isfinite(xy[:, k]).all(-1)):
            if stop - start >= 2:
                out[start:stop, k] = np.gradient(xy[start:stop, k], time_s[start:stop], axis=0)
    return out


def _smooth_run(points: np.ndarray, time_s: np.ndarray, cutoff_hz: float) -> np.ndarray:
    """One run (N, 2) without gaps, low-pass filtered on an even grid of about its own rate."""
    if len(points) < 4:
        return points
    steps = np.diff(time_s)
    step = float(np.percentile(steps, 25))
    if 1 / step < MIN_SMOOTHING_RATE * cutoff_hz / CUTOFF_HZ:
        return points
    even = np.allclose(steps, step, rtol=0.02)
    count = max(4, round((time_s[-1] - time_s[0]) / step) + 1)
    grid = time_s if even else np.linspace(time_s[0], time_s[-1], count)
    rate = (len(grid) - 1) / (grid[-1] - grid[0])
    sos = butter(2, cutoff_hz, fs=rate, output="sos")
    padding = min(len(grid) - 1, max(9, round(4 * rate / cutoff_hz)))
    low = sosfiltfilt(sos, _at(points, time_s, grid), axis=0, padlen=padding)
    return low if even else _at(low, grid, time_s)


def _at(points: np.ndarray, time_s: np.ndarray, new_time_s: np.ndarray) -> np.ndarray:
    """``points`` (N, 2) interpolated linearly at other times."""
    columns = [np.interp(new_time_s, time_s, points[:, i]) for i in range(points.shape[1])]
    return np.stack(columns, axis=1)


def _runs(known: np.ndarray) -> list[tuple[int, int]]:
    """Half-open index ranges (start, stop) of the runs in which ``known`` (T,) is true."""
    edges = np.flatnonzero(np.diff(np.r_[False, known, False].astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _reach(time_s: np.ndarray, window_s: float) -> int:
    """Frames on each side in a window of ``window_s`` seconds; at least two."""
    if len(time_s) < 2:
        return 2
    return max(2, round(window_s / 2 / float(np.median(np.diff(time_s)))))


def _nanmedian(values: np.ndarray) -> np.ndarray:
    """The median over the last axis, ignoring NaN; NaN without a warning where all are NaN."""
    ordered = np.sort(values, axis=-1)  # NaN last
    count = np.isfinite(ordered).sum(-1)
    low = np.take_along_axis(ordered, np.maximum((count - 1) // 2, 0)[..., None], -1)[..., 0]
    high = np.take_along_axis(
        ordered, np.maximum(count // 2, 0)[..., None] * (count > 0)[..., None], -1
    )
    high = np.where(count % 2 == 1, low, high[..., 0])
    return np.where(count > 0, (low + high) / 2, np.nan)
