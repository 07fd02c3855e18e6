"""The phases of a repetition: lowering, lifting, and the rest between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from gymform.motion.repetitions import begins, ends

GRID_HZ = 30.0
"""Heights are looked at at this rate, Hz, whatever the film's: phases do not depend on it."""

SMOOTHING_S = 0.08
"""Standard deviation of the smoothing of heights, seconds."""

FLAT = 0.003
"""Heights that are apart by less than this, in statures, cannot be told from each other."""

LEAST = 0.05
"""A movement smaller than this, in statures, is no repetition."""

BEYOND_S = 0.4
"""Seconds before and after a repetition in which its movement may still start or end."""

GAP_S = 0.15
"""Heights may be unknown for this many seconds without a doubt about the extremes."""

BESIDE_S = 0.1
"""An extreme this near to a longer gap may lie in it, seconds."""

LEAST_S = 0.15
"""A phase shorter than this, in seconds, is a cut in the film."""

SUDDEN = 0.55
"""A phase that goes this share of its way between two frames is a cut as well."""

HALF = 0.3
"""A repetition that stays within this share of its range of the straight line between its ends goes
one way only: it is half a repetition."""

Span = tuple[int, int]
"""First and last frame of a phase."""


@dataclass(frozen=True)
class Phases:
    """Frames of a repetition.

    ``lowering`` or ``lifting`` is None when it is not in the clip. ``bottom`` and ``top`` are the
    lowest and the highest frame of the lifting, or of the lowering when there is no lifting.
    ``hold_s`` is how long the lifter rests between the two; None in half a repetition.
    ``lowering_s`` and ``lifting_s`` are how long they take, more exactly than their frames tell.
    """

    lowering: Span | None
    lifting: Span | None
    bottom: int
    top: int
    hold_s: float | None
    lowering_s: float | None
    lifting_s: float | None


def phases_of(height: np.ndarray, time_s: np.ndarray, first: int, last: int) -> Phases | None:
    """The phases between two frames by ``height`` (T,), NaN unknown; None where most is unknown.

    A phase begins and ends where the movement does (`motion.repetitions.begins`), on a grid that
    is the same for every frame rate.
    """
    frames = np.flatnonzero(
        (time_s >= time_s[first] - BEYOND_S) & (time_s <= time_s[last] + BEYOND_S)
    )
    known = frames[np.isfinite(height[frames])]
    if len(known) < 5 or np.isfinite(height[first : last + 1]).mean() < 0.5:
        return None
    grid = np.arange(time_s[known[0]], time_s[known[-1]] + 0.5 / GRID_HZ, 1 / GRID_HZ)
    rough = np.interp(grid, time_s[known], height[known])
    part = gaussian_filter1d(rough, SMOOTHING_S * GRID_HZ, mode="nearest")
    if len(part) < 3 or np.ptp(part) < LEAST:
        return None
    inner = [int(np.abs(grid - time_s[frame]).argmin()) for frame in (first, last)]
    reversal, low = _reversal(rough, part, *inner)
    end = len(part) - 1
    if reversal is None:
        halves = {bool(part[inner[1]] > part[inner[0]]): (0, end)}
    else:
        halves = {not low: (0, reversal), low: (reversal, end)}
    found: dict[bool, Span] = {}
    for up, half in halves.items():
        span = _phase(part, half, up)
        if reversal is None or _is_whole(rough, span, float(np.median(np.diff(time_s[known])))):
            found[up] = span
    if not found:
        return None
    return _in_frames((rough, part), grid, time_s, found, halves, _gaps(time_s[known]))


def _in_frames(
    heights: tuple[np.ndarray, np.ndarray],
    grid: np.ndarray,
    time_s: np.ndarray,
    found: dict[bool, Span],
    halves: dict[bool, Span],
    gaps: list[tuple[float, float]],
) -> Phases:
    """The phases ``found`` on the ``grid`` of ``heights``, rough and smooth, in the film's frames.

    An extreme beside a gap lies in it: where it was cannot be said, nor how it looked there.
    """

    def frame(index: int, *, is_extreme: bool = False) -> int:
        moment = float(grid[index])
        for start, end in gaps if is_extreme else ():
            if start - BESIDE_S <= moment <= end + BESIDE_S:
                moment = (start + end) / 2
        return int(np.abs(time_s - moment).argmin())

    spans = {up: (frame(a), frame(b)) for up, (a, b) in found.items()}
    lowering, lifting = spans.get(False), spans.get(True)
    hold_s = None
    if lowering and lifting:
        before, after = sorted(found.values())
        hold_s = max(0.0, (after[0] - before[1]) / GRID_HZ)
    begin, stop = halves[lifting is not None]
    rough, smooth = (one[begin : stop + 1] for one in heights)
    bottom, top = (
        frame(begin + _lowest(sign * rough, sign * smooth), is_extreme=True) for sign in (1, -1)
    )
    seconds = {up: (b - a) / GRID_HZ for up, (a, b) in found.items()}
    return Phases(lowering, lifting, bottom, top, hold_s, seconds.get(False), seconds.get(True))


def _lowest(rough: np.ndarray, smooth: np.ndarray) -> int:
    """The index of the lowest height (T,): of those that are as low, where the smooth one is.

    A bottom that is held would otherwise be where noise is lowest.
    """
    return int(np.where(rough <= rough.min() + FLAT, smooth, np.inf).argmin())


def _gaps(known_s: np.ndarray) -> list[tuple[float, float]]:
    """(start, end) of the seconds without a height, too long to be looked over."""
    steps = np.diff(known_s)
    limit = max(GAP_S, 2.5 * float(np.median(steps)))
    return [(float(known_s[i]), float(known_s[i + 1])) for i in np.flatnonzero(steps > limit)]


def _is_whole(heights: np.ndarray, span: Span, step_s: float) -> bool:
    """Does a phase span enough of the movement, and take as long as a person needs?

    No person goes `SUDDEN` of the way from one frame of the film to the next, ``step_s`` later.
    """
    way = abs(float(heights[span[1]] - heights[span[0]]))
    step = max(1, round(step_s * GRID_HZ))
    part = heights[span[0] : span[1] + 1]
    sudden = np.abs(part[step:] - part[:-step]).max(initial=0) > SUDDEN * way
    far = way >= HALF * float(np.ptp(heights))
    return far and not sudden and (span[1] - span[0]) / GRID_HZ >= LEAST_S


def _reversal(
    part: np.ndarray, smooth: np.ndarray, first: int, last: int
) -> tuple[int | None, bool]:
    """The index where the direction reverses, and whether it is a low; None when it never does."""
    inner = part[first : last + 1]
    line = np.linspace(inner[0], inner[-1], len(inner))
    away = inner - line
    farthest = int(np.argmax(np.abs(away)))
    if abs(away[farthest]) < HALF * float(np.ptp(inner)):
        return None, False
    low = bool(away[farthest] < 0)
    sign = 1 if low else -1
    return first + _lowest(sign * inner, sign * smooth[first : last + 1]), low


def _phase(part: np.ndarray, span: Span, up: bool) -> Span:
    """First and last index of a phase: from leaving one extreme to reaching the other."""
    values = part[span[0] : span[1] + 1] * (1 if up else -1)
    low = int(np.argmin(values))
    high = low + int(np.argmax(values[low:]))
    return span[0] + begins(values, low, high), span[0] + ends(values, low, high)
