"""The way down and the way up of a repetition, and where it rests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEAR = 0.1
"""An end of a way is near where the height is within this share of its range of it."""

LEAST = 0.05
"""A movement by less, in statures, is none."""

BEYOND_S = 0.4
"""So long before and after a repetition the ends of its movement may lie: seconds."""

LEAST_S = 0.15
"""A way that takes less is a cut in the film."""

HALF = 0.3
"""A repetition that is never farther than this share of its range from the line between its ends
goes one way only."""

Span = tuple[int, int]
"""First and last frame of a phase."""


@dataclass(frozen=True)
class Phases:
    """Frames of a repetition.

    ``lowering`` and ``lifting`` are None where one is not in the clip; ``bottom`` and ``top`` are
    the lowest and the highest frame on that side of the turn on which the lifting lies, or the
    lowering where that is all; ``hold_s`` is how long the lifter rests between the two, None in
    half a repetition.
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
    if np.ptp(part) < LEAST:
        return None
    offset = int(frames[0])
    end = len(part) - 1
    turn, low = _turn(part, first - offset, last - offset)
    if turn is None:
        up = bool(part[last - offset] > part[first - offset])
        halves = {up: (0, end)}
    else:
        halves = {not low: (0, turn), low: (turn, end)}
    times = time_s[frames]
    ways: dict[bool, Span] = {}
    for up, half in halves.items():
        way = _way(part, half, up)
        if turn is None or _is_whole(part, way, times):
            ways[up] = (offset + way[0], offset + way[1])
    if not ways:
        return None
    lowering, lifting = ways.get(False), ways.get(True)
    hold_s = None
    if lowering and lifting:
        before, after = sorted((lowering, lifting))
        hold_s = float(time_s[after[0]] - time_s[before[1]])
    begin, stop = halves[lifting is not None]
    heights = part[begin : stop + 1]
    bottom, top = (offset + begin + int(at(heights)) for at in (np.argmin, np.argmax))
    return Phases(lowering, lifting, bottom, top, hold_s)


def _is_whole(part: np.ndarray, way: Span, time_s: np.ndarray) -> bool:
    """Does a way go as far as the movement does, in a time in which somebody could go it?"""
    far = abs(float(part[way[1]] - part[way[0]])) >= HALF * float(np.ptp(part))
    return far and float(time_s[way[1]] - time_s[way[0]]) >= LEAST_S


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
    """The frames from where one end of a way is left to where the other is reached.

    From where the ends are near the movement is followed as long as it goes on: nobody stands
    quite still.
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
