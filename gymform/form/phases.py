"""The way down and the way up of a repetition, and where it rests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

REST_SHARE = 0.03
"""The lifter rests where the height is within this share of its range of an end's."""

BEYOND_S = 0.4
"""So long before and after a repetition the ends of its movement may lie: seconds."""

HALF = 0.3
"""A repetition that is never farther than this share of its range from the line between its ends
goes one way only."""

Span = tuple[int, int]
"""First and last frame of a phase."""


@dataclass(frozen=True)
class Phases:
    """Frames of a repetition.

    ``lowering`` and ``lifting`` are None where one is not in the clip; ``bottom`` and ``top`` are
    the lowest and the highest frame of the lifting, or of the lowering where that is all;
    ``hold_s`` is how long the lifter rests between the two, None in half a repetition.
    """

    lowering: Span | None
    lifting: Span | None
    bottom: int
    top: int
    hold_s: float | None


def phases_of(height: np.ndarray, time_s: np.ndarray, first: int, last: int) -> Phases | None:
    """The phases between two frames by ``height`` (T,), NaN unknown; None where little is known."""
    frames = np.flatnonzero(
        (time_s >= time_s[first] - BEYOND_S) & (time_s <= time_s[last] + BEYOND_S)
    )
    known = np.isfinite(height[frames])
    if known.sum() < 5 or np.isfinite(height[first : last + 1]).mean() < 0.5:
        return None
    part = np.interp(frames, frames[known], height[frames][known])
    offset = int(frames[0])
    turn, low = _turn(part, first - offset, last - offset)
    if turn is None:
        up = part[last - offset] > part[first - offset]
        way = _way(part, (0, len(part) - 1), bool(up))
        bottom, top = (int(np.argmin(part)), int(np.argmax(part)))
        span = _shift(way, offset)
        lowering, lifting = (None, span) if up else (span, None)
        return Phases(lowering, lifting, bottom + offset, top + offset, None)
    before = _way(part, (0, turn), up=not low)
    after = _way(part, (turn, len(part) - 1), up=low)
    hold_s = float(time_s[after[0] + offset] - time_s[before[1] + offset])
    if low:
        top = turn + int(np.argmax(part[turn:]))
        lowering, lifting, bottom = before, after, turn
    else:
        bottom = int(np.argmin(part[: turn + 1]))
        lowering, lifting, top = after, before, turn
    return Phases(
        _shift(lowering, offset), _shift(lifting, offset), bottom + offset, top + offset, hold_s
    )


def _turn(part: np.ndarray, first: int, last: int) -> tuple[int | None, bool]:
    """The frame at which down becomes up or up down, and whether it is low; None: one way only."""
    inner = part[first : last + 1]
    line = np.linspace(inner[0], inner[-1], len(inner))
    away = inner - line
    farthest = int(np.argmax(np.abs(away)))
    if abs(away[farthest]) < HALF * float(np.ptp(inner)):
        return None, False
    low = bool(away[farthest] < 0)
    return first + int(np.argmin(inner) if low else np.argmax(inner)), low


def _way(part: np.ndarray, span: Span, up: bool) -> Span:
    """The frames from where one end of a way is left to where the other is reached."""
    values = part[span[0] : span[1] + 1] * (1 if up else -1)
    low, high = float(values.min()), float(values.max())
    band = REST_SHARE * (high - low)
    reached = int(np.argmax(values >= high - band))
    left = int(np.flatnonzero(values[: reached + 1] <= low + band)[-1:].sum())
    return span[0] + left, span[0] + reached


def _shift(span: Span, by: int) -> Span:
    return span[0] + by, span[1] + by
