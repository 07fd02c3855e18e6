"""What a bar's path says of each repetition, and how a set slows down.

The concentric phase is the time around the greatest upward speed in which the bar goes up faster
than a twentieth of it. The propulsive phase ends where the bar slows down faster than gravity alone
would slow it (Sanchez-Medina, Perez & Gonzalez-Badillo, "Importance of the propulsive phase in
strength assessment", Int J Sports Med 2010). Velocity loss compares the slowest repetition so far
with the fastest one (Sanchez-Medina & Gonzalez-Badillo, Med Sci Sports Exerc 2011).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gymform.bar.carrier import Bar
from gymform.bar.hands import Hands
from gymform.bar.smooth import smooth_positions

GRAVITY = 9.81
"""m/s^2."""

STARTS = 0.05
"""The concentric phase is faster than this share of its greatest speed."""

MIN_SEEN = 0.8
"""Least share of a phase's frames in which the bar is seen, for its figures to be given."""

MIN_FRAMES = 6
"""Fewer frames of a phase give no speed."""

LOSS = 20.0
"""Per cent of velocity loss from which on a set is called slowed down."""

HANDS_JERK, HANDS_NOISE = 12.0, 0.02
"""How suddenly the hands' acceleration changes, torsos / s^2.5, and their noise, torsos."""


@dataclass(frozen=True)
class RepFigures:
    """One repetition from ``start_s`` to ``end_s``, by its concentric phase from ``lifts_s`` on.

    ``seconds`` is how long that takes. Metres a second and cm; None where there is no scale.
    ``drift_cm`` is how far the bar is from the vertical through its start at most; ``speed`` is the
    mean in px a second, which is what a loss of speed is told from.
    """

    start_s: float
    end_s: float
    lifts_s: float
    seconds: float
    speed: float
    time_to_peak_s: float
    rise_cm: float | None
    mean_velocity: float | None
    peak_velocity: float | None
    propulsive_velocity: float | None
    drift_cm: float | None


@dataclass(frozen=True)
class SetFigures:
    """All whole repetitions, and the set's ``loss`` of mean velocity in per cent.

    ``slowed_from`` is the number of the repetition, from 1, from which on the loss exceeds
    :data:`LOSS`; None where it does not. ``loss`` is None of fewer than two repetitions.
    """

    repetitions: tuple[RepFigures, ...]
    loss: float | None
    slowed_from: int | None


def figures(bar: Bar, repetitions: Sequence[tuple[float, float]]) -> SetFigures:
    """The figures of whole repetitions (start, end) in seconds, by the plate's path.

    Repetitions in which the plate is not seen well enough are left out.
    """
    found = [
        _repetition(bar.time_s, bar.still, bar.velocity, bar.observed, span, bar.mm_per_px)
        for span in repetitions
    ]
    return _set([one for one in found if one is not None])


def figures_of_hands(hands: Hands, repetitions: Sequence[tuple[float, float]]) -> SetFigures:
    """The same by the hands' path: no metres, but the loss of velocity."""
    known = np.isfinite(hands.xy[:, 0])
    noise = np.full(len(hands.time_s), HANDS_NOISE * hands.torso)
    path = smooth_positions(hands.time_s, hands.xy, noise, HANDS_JERK * hands.torso)
    found = [
        _repetition(hands.time_s, path.position, path.velocity, known, span, None)
        for span in repetitions
    ]
    return _set([one for one in found if one is not None])


def _repetition(
    time_s: np.ndarray,
    xy: np.ndarray,
    velocity: np.ndarray,
    observed: np.ndarray,
    span: tuple[float, float],
    mm_per_px: float | None,
) -> RepFigures | None:
    frames = np.flatnonzero((time_s >= span[0] - 1e-6) & (time_s <= span[1] + 1e-6))
    up = -velocity[frames, 1]
    phase = concentric(up)
    if phase is None:
        return None
    lift = frames[phase[0] : phase[1] + 1]
    if len(lift) < MIN_FRAMES or observed[lift].mean() < MIN_SEEN:
        return None
    start, end = crossings(time_s, -velocity[:, 1], int(lift[0]), int(lift[-1]))
    heights = np.interp([start, end], time_s, -xy[:, 1])
    rise, seconds = float(heights[1] - heights[0]), end - start
    speeds = -velocity[lift, 1]
    to_m = None if mm_per_px is None else mm_per_px / 1000
    metres = _metres(time_s[lift], xy[lift], speeds, rise / seconds, rise, to_m)
    peak_s = float(time_s[lift[int(np.argmax(speeds))]]) - start
    return RepFigures(*span, start, seconds, rise / seconds, peak_s, *metres)


def _metres(
    time_s: np.ndarray,
    xy: np.ndarray,
    speeds: np.ndarray,
    mean: float,
    rise: float,
    to_m: float | None,
) -> tuple[float | None, ...]:
    """Rise, mean, peak and propulsive velocity and drift of a phase; all None without a scale."""
    if to_m is None:
        return (None,) * 5
    drift = float(np.abs(xy[:, 0] - xy[0, 0]).max())
    pushed = propulsive(time_s, speeds * to_m)
    return (100 * rise * to_m, mean * to_m, float(speeds.max()) * to_m, pushed, 100 * drift * to_m)


def concentric(up: np.ndarray) -> tuple[int, int] | None:
    """First and last index of the phase around the greatest of upward speeds (T,); None if none."""
    if not np.isfinite(up).any() or not np.nanmax(up) > 0:
        return None
    peak = int(np.nanargmax(up))
    rising = np.nan_to_num(up, nan=0.0) > STARTS * up[peak]
    falls = np.flatnonzero(~rising)
    first = int(falls[falls < peak].max(initial=-1)) + 1
    last = int(falls[falls > peak].min(initial=len(up))) - 1
    return first, last


def crossings(time_s: np.ndarray, up: np.ndarray, first: int, last: int) -> tuple[float, float]:
    """Seconds between frames at which a phase begins and ends, by where its speed passes zero.

    At most one frame before and after it.
    """
    start, end = float(time_s[first]), float(time_s[last])
    if first > 0 and up[first - 1] < up[first]:
        share = min(1.0, up[first] / (up[first] - up[first - 1]))
        start -= share * float(time_s[first] - time_s[first - 1])
    if last + 1 < len(up) and up[last + 1] < up[last]:
        share = min(1.0, up[last] / (up[last] - up[last + 1]))
        end += share * float(time_s[last + 1] - time_s[last])
    return start, end


def propulsive(time_s: np.ndarray, speeds: np.ndarray) -> float:
    """Mean of upward speeds (T,) m/s until the bar slows down faster than by gravity alone."""
    slowing = np.gradient(speeds, time_s) < -GRAVITY
    peak = int(np.argmax(speeds))
    after = np.flatnonzero(slowing[peak:])
    end = peak + int(after[0]) if len(after) else len(speeds) - 1
    if end == 0:
        return float(speeds[0])
    return float(np.trapezoid(speeds[: end + 1], time_s[: end + 1]) / (time_s[end] - time_s[0]))


def _set(repetitions: list[RepFigures]) -> SetFigures:
    speeds = np.array([one.speed for one in repetitions])
    if len(speeds) < 2:
        return SetFigures(tuple(repetitions), None, None)
    losses = loss_of(speeds)
    slow = np.flatnonzero(losses > LOSS)
    first = int(slow[0]) + 1 if len(slow) else None
    return SetFigures(tuple(repetitions), float(losses[-1]), first)


def loss_of(speeds: np.ndarray) -> np.ndarray:
    """Per cent (N,) by which each repetition is slower than the fastest one up to it."""
    return np.asarray(100 * (1 - speeds / np.maximum.accumulate(speeds)))
