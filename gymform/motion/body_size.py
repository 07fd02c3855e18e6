"""Lengths of the body in px, and the stature: the unit of length in clips without metres."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.ndimage import gaussian_filter1d

from gymform import skeleton as sk

SEGMENTS: tuple[tuple[tuple[int, ...], tuple[int, ...], float], ...] = (
    (sk.SHOULDERS, sk.HIPS, 0.288),
    ((sk.LEFT_HIP,), (sk.LEFT_KNEE,), 0.245),
    ((sk.RIGHT_HIP,), (sk.RIGHT_KNEE,), 0.245),
    ((sk.LEFT_KNEE,), (sk.LEFT_ANKLE,), 0.246),
    ((sk.RIGHT_KNEE,), (sk.RIGHT_ANKLE,), 0.246),
    ((sk.LEFT_SHOULDER,), (sk.LEFT_ELBOW,), 0.186),
    ((sk.RIGHT_SHOULDER,), (sk.RIGHT_ELBOW,), 0.186),
    ((sk.LEFT_ELBOW,), (sk.LEFT_WRIST,), 0.146),
    ((sk.RIGHT_ELBOW,), (sk.RIGHT_WRIST,), 0.146),
)
"""Segments as (joints at one end, joints at the other, length as a share of stature).

Source of the ratios: Drillis & Contini, "Body Segment Parameters", 1966 (in Winter, Biomechanics
and Motor Control of Human Movement).
"""

STRAYS = 0.08
"""A foot that is so much higher or lower than usual, in statures, while the other is not, does not
stand."""

TORSO = 0.288
"""Length of the torso (mid-shoulder to mid-hip) as a share of stature."""


def midpoint(xy: np.ndarray, joints: tuple[int, ...]) -> np.ndarray:
    """The mean (..., 2) of those of ``joints`` that are known; NaN where none is."""
    if len(joints) == 1:
        point = xy[..., joints[0], :].astype(np.float64)
        return np.where(np.isfinite(point).all(-1, keepdims=True), point, np.nan)
    points = xy[..., list(joints), :]  # (..., J, 2)
    known = np.isfinite(points).all(-1, keepdims=True)
    count = known.sum(-2)
    total = np.where(known, points, 0).sum(-2)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def steady_midpoint(xy: np.ndarray, pair: tuple[int, ...]) -> np.ndarray:
    """The middle (T, 2) of the two joints of a ``pair`` over a shot; NaN where none is known.

    Where only one is known, the middle is as far from it as it is before and after: it does not
    jump when the other is hidden.
    """
    return _middle(xy[:, list(pair)].astype(np.float64))


def feet_of(xy: np.ndarray, size: float = 1.0) -> np.ndarray:
    """The middle (T, 2) of the ankles over the frames of a shot, ``size`` being the stature.

    A foot that leaves the height at which it usually is while the other stays there is lifted, or
    taken for something else: then the other one tells.
    """
    ankles = xy[:, list(sk.ANKLES)].astype(np.float64)
    known = np.isfinite(ankles).all(-1)
    if known.all(-1).any():
        usual = np.nanmedian(np.where(known, ankles[..., 1], np.nan), axis=0)
        away = ankles[..., 1] - usual  # (T, 2)
        apart = np.abs(away[:, 0] - away[:, 1]) > STRAYS * size
        strays = apart[:, None] & (np.abs(away) >= np.abs(away).max(axis=1, keepdims=True))
        ankles[strays] = np.nan
    return _middle(ankles)


def _middle(points: np.ndarray) -> np.ndarray:
    """The middle (T, 2) of two points (T, 2, 2) over time, also where only one is known."""
    known = np.isfinite(points).all(-1)
    both = np.flatnonzero(known.all(-1))
    middle = np.where(known[:, :1], points[:, 0], points[:, 1])
    if len(both):
        half = (points[both, 1] - points[both, 0]) / 2
        frames = np.arange(len(points))
        ways = np.stack([np.interp(frames, both, half[:, i]) for i in range(2)], axis=1)
        middle = middle + np.where(known[:, :1], ways, -ways)
    return np.asarray(middle)


def mean_known(values: np.ndarray) -> np.ndarray:
    """The mean of the known values over the last axis; NaN where none is known."""
    known = np.isfinite(values)
    total = np.where(known, values, 0).sum(-1)
    return np.asarray(np.where(known.any(-1), total / np.maximum(known.sum(-1), 1), np.nan))


def segment_lengths(xy: np.ndarray) -> np.ndarray:
    """px (..., 9): the length of each of :data:`SEGMENTS`, NaN where an end is missing."""
    middle = {end: midpoint(xy, end) for a, b, _ in SEGMENTS for end in (a, b)}
    ends = [middle[a] - middle[b] for a, b, _ in SEGMENTS]
    return np.asarray(np.linalg.norm(np.stack(ends, axis=-2), axis=-1))


def stature(xy: np.ndarray) -> float:
    """The lifter's standing height in px, estimated over a whole clip; NaN without a segment.

    A projected segment is never longer than the real one, so each segment gives an estimate: a high
    percentile over time, divided by its share of stature. The third highest is returned:
    neither a foreshortened torso (front view, bent over) nor one misplaced joint can change it.
    ``xy`` (T, 17, 2) px, NaN where missing.
    """
    return _stature(segment_lengths(xy).reshape(-1, len(SEGMENTS)))


def _stature(lengths: np.ndarray) -> float:
    """:func:`stature` by the :func:`segment_lengths` (T, 9) px."""
    seen = np.isfinite(lengths).sum(0)
    usable = seen >= max(1, 0.1 * len(lengths))
    if not usable.any():
        return float("nan")
    ratios = np.array([ratio for _, _, ratio in SEGMENTS])
    estimates = _quantile(lengths[:, usable], seen[usable], 0.85) / ratios[usable]
    estimates = np.sort(estimates)[::-1]
    size = float(estimates[min(2, len(estimates) - 1)])
    return size if size > 1e-6 else float("nan")


def _quantile(values: np.ndarray, known: np.ndarray, share: float) -> np.ndarray:
    """`numpy.nanquantile` (N,) of columns (T, N) in which ``known`` (N,) values are not NaN, one at
    least; that needs ten times as long."""
    ordered = np.sort(values, axis=0)  # NaN last
    place = share * (known - 1)
    below = place.astype(int)
    columns = np.arange(values.shape[1])
    low, high = ordered[below, columns], ordered[np.minimum(below + 1, known - 1), columns]
    return np.asarray(low + (place - below) * (high - low))


def statures(xy: np.ndarray, rate_hz: float) -> np.ndarray:
    """:func:`stature` px (T,) within the shot of each frame; NaN without a segment.

    A shot ends where the whole body suddenly grows or shrinks by more than movement can explain,
    as when the clip cuts to a close-up. ``xy`` (T, 17, 2) px at even steps of 1 / ``rate_hz``.
    """
    lengths = segment_lengths(xy)
    whole = _stature(lengths)
    out = np.full(len(xy), whole)
    edges = [0, *_cuts(lengths, rate_hz), len(xy)]
    if len(edges) > 2:
        for start, stop in itertools.pairwise(edges):
            size = _stature(lengths[start:stop])
            out[start:stop] = size if np.isfinite(size) else whole
    return out


RUNNING_S = 3.0
"""A running size is estimated over this many seconds: long enough to see the lifter upright."""

RUNNING_CHANGE = 1.25
"""A size that changes by less is taken for constant: bent limbs look shorter."""


def running_statures(xy: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """:func:`stature` px (T,) at each moment of a shot, for somebody who walks up to the camera.

    Constant where it changes little; NaN without a segment. ``xy`` (T, 17, 2) px, NaN missing,
    ``time_s`` (T,) rising seconds.
    """
    whole = stature(xy)
    constant = np.full(len(xy), whole)
    duration = float(time_s[-1] - time_s[0])
    if not np.isfinite(whole) or duration < RUNNING_S:
        return constant
    moments = np.linspace(time_s[0], time_s[-1], max(2, round(2 * duration)) + 1)
    sizes = np.array([
        stature(xy[np.abs(time_s - moment) <= RUNNING_S / 2]) for moment in moments
    ])  # fmt: skip
    known = np.isfinite(sizes)
    if known.sum() < 2 or sizes[known].max() < RUNNING_CHANGE * sizes[known].min():
        return constant
    sizes = np.interp(moments, moments[known], sizes[known])
    smooth = gaussian_filter1d(np.log(sizes), RUNNING_S / 4 * 2, mode="nearest")
    return np.asarray(np.exp(np.interp(time_s, moments, smooth)))


CUT_FACTOR = 1.5
"""At a cut the body's scale changes by at least this factor, within :data:`CUT_S`."""

CUT_WINDOW_S = 0.5
CUT_S = 0.2


def _cuts(lengths: np.ndarray, rate_hz: float) -> list[int]:
    """Indices of the frames where a shot of another scale begins, by :func:`segment_lengths`."""
    known = np.isfinite(lengths).sum(0) > len(lengths) / 2
    if not known.any() or len(lengths) < 4 * CUT_WINDOW_S * rate_hz:
        return []
    usual = np.nanmedian(lengths[:, known], axis=0)
    share = lengths[:, known] / np.maximum(usual, 1e-6)
    ordered = np.sort(share, axis=1)  # NaN last
    count = np.isfinite(share).sum(1)
    seen = np.flatnonzero(count)
    steps = []
    for quantile in (0.3, 0.75):  # both must jump, so that a few bad segments make no cut
        scale = ordered[seen, np.round(quantile * (count[seen] - 1)).astype(int)]
        scale = np.interp(np.arange(len(lengths)), seen, np.log(np.maximum(scale, 1e-3)))
        steps += [_step(scale, CUT_WINDOW_S * rate_hz), _step(scale, CUT_S * rate_hz / 2)]
    sudden = np.flatnonzero(np.min(steps, axis=0) > np.log(CUT_FACTOR))
    cuts: list[int] = []
    for i in sudden.tolist():
        if not cuts or i - cuts[-1] >= CUT_WINDOW_S * rate_hz:
            cuts.append(i)
    return cuts


def _step(values: np.ndarray, reach: float) -> np.ndarray:
    """Difference (T,) between the medians of the ``reach`` values before and after each index."""
    width = max(1, round(reach))
    medians = np.median(np.lib.stride_tricks.sliding_window_view(values, width), axis=1)
    out = np.zeros(len(values))
    out[width : len(values) - width + 1] = np.abs(medians[width:] - medians[:-width])
    return out
