"""What a bar's path says of each repetition.

The concentric phase is the time around the greatest upward speed in which the bar goes up faster
than a twentieth of it. The propulsive phase ends where the bar slows down faster than gravity alone
would slow it (Sanchez-Medina, Perez & Gonzalez-Badillo, "Importance of the propulsive phase in
strength assessment", Int J Sports Med 2010). Velocity loss compares a repetition with the fastest
one before it (Sanchez-Medina & Gonzalez-Badillo, Med Sci Sports Exerc 2011).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gymform.bar.carrier import Bar
from gymform.bar.hands import Hands
from gymform.bar.smooth import smooth_positions
from gymform.types import within

GRAVITY = 9.81
"""m/s^2."""

STARTS = 0.05
"""The concentric phase is faster than this share of its greatest speed."""

MIN_SEEN = 0.8
"""Least share of a phase's frames in which the bar is seen, for its figures to be given."""

AT_REST = 0.15
"""A way up whose begin or end is not in the film, or not seen, is whole where the bar moves slower
there than this share of its greatest speed."""

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
    """The whole repetitions that were seen; how the set slows down: see `form.set_speed`."""

    repetitions: tuple[RepFigures, ...]


def figures(
    bar: Bar, repetitions: Sequence[tuple[float, float]], slow_motion: float = 1.0
) -> SetFigures:
    """The figures of whole repetitions (start, end) in seconds, by the plate's path.

    Repetitions in which the plate is not seen well enough are left out. Where the film is
    ``slow_motion`` times slower than life, moments are the film's, durations and speeds life's.
    """
    return _set(track_of(bar), repetitions, bar.mm_per_px, slow_motion)


def figures_of_hands(
    hands: Hands, repetitions: Sequence[tuple[float, float]], slow_motion: float = 1.0
) -> SetFigures:
    """The same by the hands' path: no metres, but speeds that can be compared."""
    return _set(track_of_hands(hands), repetitions, None, slow_motion)


@dataclass(frozen=True, eq=False)
class Track:
    """A path: ``time_s`` (T,), ``xy`` (T, 2) px, ``velocity`` (T, 2) px/s, ``observed`` (T,)."""

    time_s: np.ndarray
    xy: np.ndarray
    velocity: np.ndarray
    observed: np.ndarray


def track_of(bar: Bar) -> Track:
    """The plate's path, as a camera that does not move sees it."""
    return Track(bar.time_s, bar.still, bar.velocity, bar.observed)


def track_of_hands(hands: Hands) -> Track:
    """The smoothed path of the hands."""
    known = np.isfinite(hands.xy[:, 0])
    noise = np.full(len(hands.time_s), HANDS_NOISE * hands.torso)
    path = smooth_positions(hands.time_s, hands.xy, noise, HANDS_JERK * hands.torso)
    return Track(hands.time_s, path.position, path.velocity, known)


def _repetition(
    track: Track, span: tuple[float, float], mm_per_px: float | None, slow_motion: float
) -> RepFigures | None:
    time_s, up = track.time_s, -track.velocity[:, 1]
    phase = concentric(up, within(time_s, *span))
    if phase is None or not is_whole(up, *phase):
        return None
    lift = np.arange(phase[0], phase[1] + 1)
    if len(lift) < MIN_FRAMES or track.observed[lift].mean() < MIN_SEEN:
        return None
    start, end = crossings(time_s, up, int(lift[0]), int(lift[-1]))
    heights = np.interp([start, end], time_s, -track.xy[:, 1])
    rise, seconds = float(heights[1] - heights[0]), (end - start) / slow_motion
    speeds = slow_motion * up[lift]
    to_m = None if mm_per_px is None else mm_per_px / 1000
    moments = time_s[lift] / slow_motion
    metres = _metres(moments, track.xy[lift], speeds, rise / seconds, rise, to_m)
    peak_s = (float(time_s[lift[int(np.argmax(speeds))]]) - start) / slow_motion
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


def concentric(up: np.ndarray, inside: np.ndarray | None = None) -> tuple[int, int] | None:
    """First and last index of the phase around the greatest of upward speeds (T,); None if none.

    The greatest one is ``inside`` (T,) a repetition; its phase may begin before and end after it,
    since a repetition is told by the lifter, who moves before the bar and after it.
    """
    part = up if inside is None else np.where(inside, up, np.nan)
    if not np.isfinite(part).any() or not np.nanmax(part) > 0:
        return None
    peak = int(np.nanargmax(part))
    rising = np.nan_to_num(up, nan=0.0) > STARTS * up[peak]
    falls = np.flatnonzero(~rising)
    first = int(falls[falls < peak].max(initial=-1)) + 1
    last = int(falls[falls > peak].min(initial=len(up))) - 1
    return first, last


def is_whole(up: np.ndarray, first: int, last: int) -> bool:
    """Is all of a phase seen, of :func:`concentric` by upward speeds ``up`` (T,)?

    Else it goes on before or after where the path is not known, or outside the film.
    """
    slow = AT_REST * float(up[first : last + 1].max())
    for inside, outside in ((first, first - 1), (last, last + 1)):
        followed = 0 <= outside < len(up) and np.isfinite(up[outside])
        if not followed and up[inside] > slow:
            return False
    return True


def crossings(time_s: np.ndarray, up: np.ndarray, first: int, last: int) -> tuple[float, float]:
    """Seconds at which a phase begins and ends, between frames.

    ``first`` and ``last`` are its frames as of :func:`concentric`: it begins and ends where the
    upward speed ``up`` (T,) passes its share of the greatest one.
    """
    least = STARTS * float(up[first : last + 1].max())
    ends = [float(time_s[first]), float(time_s[last])]
    for i, (inside, outside) in enumerate(((first, first - 1), (last, last + 1))):
        if 0 <= outside < len(up) and up[outside] < least:
            share = (up[inside] - least) / (up[inside] - up[outside])
            ends[i] += float(share * (time_s[outside] - time_s[inside]))
    return ends[0], ends[1]


def propulsive(time_s: np.ndarray, speeds: np.ndarray) -> float:
    """Mean of upward speeds (T,) m/s until the bar slows down faster than by gravity alone."""
    slowing = np.gradient(speeds, time_s) < -GRAVITY
    peak = int(np.argmax(speeds))
    after = np.flatnonzero(slowing[peak:])
    end = peak + int(after[0]) if len(after) else len(speeds) - 1
    if end == 0:
        return float(speeds[0])
    return float(np.trapezoid(speeds[: end + 1], time_s[: end + 1]) / (time_s[end] - time_s[0]))


def _set(
    track: Track,
    spans: Sequence[tuple[float, float]],
    mm_per_px: float | None,
    slow_motion: float,
) -> SetFigures:
    found = [_repetition(track, span, mm_per_px, slow_motion) for span in spans]
    return SetFigures(tuple(one for one in found if one is not None))


def loss_of(speeds: np.ndarray) -> np.ndarray:
    """Per cent (N,) by which each repetition is slower than the fastest one up to it."""
    return np.asarray(100 * (1 - speeds / np.maximum.accumulate(speeds)))
