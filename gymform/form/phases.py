"""The phases of a repetition: lowering, lifting, and the rest between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEAR = 0.1
"""A phase starts and ends where the height is within this share of its range of an extreme."""

LEAST = 0.05
"""A movement smaller than this, in statures, is no repetition."""

BEYOND_S = 0.4
"""Seconds before and after a repetition in which its movement may still start or end."""

LEAST_S = 0.15
"""A phase shorter than this, in seconds, is a cut in the film."""

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
    """

    lowering: Span | None
    lifting: Span | None
    bottom: int
    top: int
    hold_s: float | None


def phases_of(height: np.ndarray, time_s: np.ndarray, first: int, last: int) -> Phases | None:
    """The phases between two frames by ``height`` (T,), NaN unknown; None where most is unknown."""
    frames = np.flatnonzero(
        (time_s >= time_s[first] - BEYOND_S) & (time_s <= time_s[last] + BEYOND_S)
    )
    known = np.isfinite(height[frames])
    if known.sum() < 5 or np.isfinite(height[first : last + 1]).mean() < 0.5:
        return None
    part = np.interp(frames, frames[known], height[frames][known])
    if np.ptp(part) < LEAST:
        return None
    offset = int(frames[0])
    end = len(part) - 1
    reversal, low = _reversal(part, first - offset, last - offset)
    if reversal is None:
        up = bool(part[last - offset] > part[first - offset])
        halves = {up: (0, end)}
    else:
        halves = {not low: (0, reversal), low: (reversal, end)}
    times = time_s[frames]
    found: dict[bool, Span] = {}
    for up, half in halves.items():
        span = _phase(part, half, up)
        if reversal is None or _is_whole(part, span, times):
            found[up] = (offset + span[0], offset + span[1])
    if not found:
        return None
    lowering, lifting = found.get(False), found.get(True)
    hold_s = None
    if lowering and lifting:
        before, after = sorted((lowering, lifting))
        hold_s = float(time_s[after[0]] - time_s[before[1]])
    begin, stop = halves[lifting is not None]
    heights = part[begin : stop + 1]
    bottom, top = (offset + begin + int(at(heights)) for at in (np.argmin, np.argmax))
    return Phases(lowering, lifting, bottom, top, hold_s)


def _is_whole(part: np.ndarray, span: Span, time_s: np.ndarray) -> bool:
    """Does a phase span enough of the movement, and take as long as a person needs?"""
    far = abs(float(part[span[1]] - part[span[0]])) >= HALF * float(np.ptp(part))
    return far and float(time_s[span[1]] - time_s[span[0]]) >= LEAST_S


def _reversal(part: np.ndarray, first: int, last: int) -> tuple[int | None, bool]:
    """The frame where the direction reverses, and whether it is a low; None when it never does."""
    inner = part[first : last + 1]
    line = np.linspace(inner[0], inner[-1], len(inner))
    away = inner - line
    farthest = int(np.argmax(np.abs(away)))
    if abs(away[farthest]) < HALF * float(np.ptp(inner)):
        return None, False
    low = bool(away[farthest] < 0)
    return first + int(np.argmin(inner) if low else np.argmax(inner)), low


def _phase(part: np.ndarray, span: Span, up: bool) -> Span:
    """First and last frame of a phase: from leaving one extreme to reaching the other.

    Near the extremes the movement is followed for as long as it goes on, since nobody stands
    perfectly still.
    """
    values = part[span[0] : span[1] + 1] * (1 if up else -1)
    low, high = float(values.min()), float(values.max())
    reached = int(np.argmax(values >= high - NEAR * (high - low)))
    left = int(np.flatnonzero(values[: reached + 1] <= low + NEAR * (high - low))[-1:].sum())
    while left > 0 and values[left - 1] < values[left]:
        left -= 1
    while reached < len(values) - 1 and values[reached + 1] > values[reached]:
        reached += 1
    return span[0] + left, span[0] + reached
