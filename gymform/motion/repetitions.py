"""Repetitions, found from the movement itself, whatever the exercise and the view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from gymform import skeleton as sk
from gymform.exercises import Resting, Signal
from gymform.motion.body_size import (
    feet_of,
    mean_known,
    running_statures,
    stature,
    steady_midpoint,
)
from gymform.motion.clean import stretches
from gymform.motion.signals import SIGNALS
from gymform.types import CleanTracks, within

GRID_HZ = 20.0
"""Rate at which the movement is sampled, Hz."""

SMOOTHING_S = 0.12
"""Standard deviation of the smoothing of the movement signal, seconds."""

MIN_RANGE = 0.15
"""Smallest movement that can be a repetition: the root sum of squares over joints, in statures."""

HYSTERESIS = 0.4
"""A reversal counts when the signal comes back by this share of its range."""

REST_SPEED, REST_SHARE = 0.1, 0.25
"""A repetition starts and ends where the movement is slower than this share of its fastest, and
nearer to the extreme than this share of its amplitude."""

STILL_S = 0.3
"""A clip begins or ends still when the movement over this many seconds is slow."""

STILL_SPEED = 0.2
"""Slow: below this share of the fastest movement of the stretch."""

PARTIAL = 0.75
"""A clip that begins in the middle of a movement shows less than this share of it."""

RETURNED = 0.35
"""A repetition that comes back to within this share of its amplitude is whole."""

ALIKE = 0.5
"""The main movement goes up and down with the body from this correlation on."""

BEYOND = 0.15
"""A lifter is at rest as well who is beyond the usual rest by this share of a repetition."""

MIN_REP_S = 0.4
"""A shorter movement is no repetition, seconds."""

MIN_STRETCH_S = 0.5
"""A shorter stretch between two cuts shows no repetition, seconds."""

SEEN = 0.5
"""A side counts where its joints are known in this share of the frames."""

TOGETHER = -0.1
"""From this correlation on both sides do one movement; arms in turns move against each other."""

SLIGHT = 0.4
"""A movement by less than this share of what is usual in a set is none of its repetitions."""

IDLE = 0.65
"""A side that moves less than this share of the other does not take turns with it."""

HALF = 0.8
"""A repetition that ends farther than this share of its range from its start is half of one."""

JOINTS = (sk.NOSE, *sk.BODY)

START, END = "the start of the clip", "the end of the clip"
CUT, STAND = "a cut", "a picture that stands still"
"""What may cut off a repetition."""


@dataclass(frozen=True)
class Repetition:
    """From ``start_s`` to ``end_s``; ``cut_off_by`` says what hides a part of it, None if whole.

    ``side`` is 0 where the left arm alone does it, 1 the right one, None both or the body.
    """

    start_s: float
    end_s: float
    cut_off_by: str | None = None
    side: int | None = None


@dataclass(frozen=True)
class Rest:
    """Where the lifter rests: where the signal is ``high``, or low; None where that is not known.

    A clip that begins still at the other end and ends there, with whole movements, is counted from
    there, but not ``strictly``; ``either``: also one that does not begin still.
    """

    high: bool | None = None
    strictly: bool = False
    either: bool = False


def find_repetitions(
    tracks: CleanTracks, moving: Sequence[int] = JOINTS, resting: Resting | None = None
) -> list[Repetition]:
    """The repetitions of a clip in order, from rest to rest; empty when nothing moves enough.

    A repetition leaves the resting pose, reverses and comes back (down and up in a squat, up and
    down in a deadlift). None runs across a cut. Where an exercise rests is said by ``resting``;
    otherwise the lifter rests where the clip begins, unless it begins in mid-movement. Half a
    repetition that begins at rest and ends still counts as one; what the clip's ends or a cut hide
    is marked as cut off. ``moving`` are the keypoints to look at.
    """
    found: list[Repetition] = []
    parts = stretches(tracks.shots)
    signals = [_signal_in(tracks, part, moving) for part in parts]
    spans = [0.0 if signal is None else _range(signal[1]) for signal in signals]
    for part, movement, span in zip(parts, signals, spans, strict=True):
        if movement is None or span < MIN_RANGE or span < HYSTERESIS * max(spans):
            continue
        edges = _edges(tracks.shots, part)
        high = None if resting is None else _is_high(tracks, part, movement, resting)
        rest = Rest(high, resting is not None and resting.strictly)
        found += _in_stretch(*movement, edges, rest)
    return [rep for rep in found if rep.end_s - rep.start_s >= MIN_REP_S]


def signal_repetitions(tracks: CleanTracks, signal: Signal) -> list[Repetition]:
    """The repetitions of a clip in order, where a single quantity shows them; see `signals.py`.

    Arms that take turns are counted each by itself, where the signal allows it: curls with the
    left and the right in alternation are as many repetitions as both sides have. A side that rests
    while the other works is left out.
    """
    columns = {part: _columns_of(tracks, part, signal.name) for part in stretches(tracks.shots)}
    sides = _sides_at_work(list(columns.values()), signal)
    found: list[Repetition] = []
    for side in sides:
        chosen = {part: _side_of(both, side) for part, both in columns.items()}
        most = max((_range(one[1]) for one in chosen.values() if one is not None), default=0.0)
        for part, movement in chosen.items():
            if movement is None or _range(movement[1]) < max(signal.least, SLIGHT * most):
                continue
            rest = Rest(signal.high, signal.strictly, either=not signal.strictly)
            edges = _edges(tracks.shots, part)
            reps = _in_stretch(*movement, edges, rest)
            reps = _without_slight(*movement, reps)
            found += [replace(rep, side=side) for rep in reps]
    lasting = [rep for rep in found if rep.end_s - rep.start_s >= MIN_REP_S]
    return sorted(lasting, key=lambda rep: (rep.start_s, rep.end_s))


def _without_slight(
    time_s: np.ndarray, signal: np.ndarray, reps: Sequence[Repetition]
) -> list[Repetition]:
    """``reps`` without those that are far smaller than the others: getting ready, or shifting."""
    ways = [float(np.ptp(signal[within(time_s, rep.start_s, rep.end_s)])) for rep in reps]
    usual = float(np.median(ways)) if ways else 0.0
    return [rep for rep, way in zip(reps, ways, strict=True) if way >= SLIGHT * usual]


def _columns_of(
    tracks: CleanTracks, part: tuple[int, int], name: str
) -> tuple[np.ndarray, np.ndarray] | None:
    """(time_s, values (N, S)) of a signal in one stretch; a column of NaN where it is not seen."""
    here = tracks.part(slice(*part))
    if here.time_s[-1] - here.time_s[0] < MIN_STRETCH_S or len(here.time_s) < 3:
        return None
    sizes = running_statures(here.xy, here.time_s)
    if not np.isfinite(sizes).all():
        return None
    values = SIGNALS[name](here.xy.astype(np.float64) / sizes[:, None, None])
    duration = float(here.time_s[-1] - here.time_s[0])
    grid = here.time_s[0] + np.arange(int(duration * GRID_HZ) + 1) / GRID_HZ
    out = np.full((len(grid), values.shape[1]), np.nan)
    for column, one in enumerate(values.T):
        known = np.isfinite(one)
        if known.mean() >= SEEN:
            even = np.interp(grid, here.time_s[known], one[known])
            out[:, column] = gaussian_filter1d(even, SMOOTHING_S * GRID_HZ, mode="nearest")
    return grid, out


def _sides_at_work(
    columns: Sequence[tuple[np.ndarray, np.ndarray] | None], signal: Signal
) -> tuple[int | None, ...]:
    """Which sides to count: (None,) both as one, (0,) or (1,) one alone, (0, 1) in turns."""
    both = [one[1] for one in columns if one is not None and one[1].shape[1] == 2]
    both = [one for one in both if np.isfinite(one).all()]
    if not signal.by_side or not both:
        return (None,)
    values = np.concatenate(both)
    ranges = [_range(values[:, side]) for side in (0, 1)]
    if min(ranges) < IDLE * max(ranges) and max(ranges) > signal.least:
        return (int(np.argmax(ranges)),)
    if min(ranges) <= 0 or np.corrcoef(values.T)[0, 1] >= TOGETHER:
        return (None,)
    return (0, 1)


def _side_of(
    columns: tuple[np.ndarray, np.ndarray] | None, side: int | None
) -> tuple[np.ndarray, np.ndarray] | None:
    """(time_s, values (N,)) of a side, or of both together; None where it is not seen."""
    if columns is None:
        return None
    time_s, values = columns
    one = mean_known(values) if side is None else values[:, side]
    return (time_s, one) if np.isfinite(one).all() else None


def whole_repetitions(
    tracks: CleanTracks, moving: Sequence[int] = JOINTS, resting: Resting | None = None
) -> list[tuple[float, float]]:
    """(start_s, end_s) of those that nothing cuts off; of all when there is no whole one."""
    found = find_repetitions(tracks, moving, resting)
    whole = [rep for rep in found if rep.cut_off_by is None]
    return [(rep.start_s, rep.end_s) for rep in whole or found]


def _in_stretch(
    time_s: np.ndarray,
    signal: np.ndarray,
    edges: tuple[str, str],
    rest: Rest,
) -> list[Repetition]:
    """The repetitions of one stretch; ``edges`` say what its start and its end are."""
    turns = turning_points(signal, HYSTERESIS * _range(signal))
    if len(turns) < 2:
        return []
    first = 0 if _rests_at_first(signal, turns, rest) else 1
    level = _level(signal, turns[first:])
    found = []
    if first:
        found.append(_made(time_s, level, turns[:2], edges[0]))
    for i in range(first, len(turns) - 2, 2):
        cut_off_by = _cut_off(signal, turns[first:], i - first, edges)
        found.append(_made(time_s, level, turns[i : i + 3], cut_off_by))
    if (len(turns) - 1 - first) % 2:
        alone = len(turns) == 2 and edges[0] == START and edges[1] != CUT
        alone = alone and _still(signal, at_start=False)
        found.append(_made(time_s, level, turns[-2:], None if alone else edges[1]))
    return found


def _level(signal: np.ndarray, turns: Sequence[int]) -> np.ndarray:
    """The signal (N,), with what goes far beyond the usual rest of a set brought back to it.

    The first of the ``turns``, and every other one, are at rest. Whoever gets into position goes
    beyond; that is no part of the repetition that follows.
    """
    rests, reversals = signal[list(turns[::2])], signal[list(turns[1::2])]
    if len(rests) < 3:
        return signal
    rest = float(np.median(rests))
    farthest = rest + BEYOND * (rest - float(np.median(reversals)))
    one = np.minimum(signal, farthest) if farthest > rest else np.maximum(signal, farthest)
    return np.asarray(one)


def _rests_at_first(signal: np.ndarray, turns: Sequence[int], rest: Rest) -> bool:
    """Is the first of the ``turns`` a rest? Otherwise the second is, and all after it by twos."""
    starts_high = bool(signal[turns[0]] > signal[turns[1]])
    begins_still = turns[0] > 0 or _still(signal, at_start=True)
    if rest.high is not None:
        other = not rest.strictly and (begins_still or rest.either) and _is_round(signal, turns)
        return starts_high == rest.high or other
    if begins_still or len(turns) < 3:
        return True
    steps = np.abs(np.diff(signal[list(turns)]))
    return bool(steps[0] >= PARTIAL * np.median(steps[1:]))


def _is_round(signal: np.ndarray, turns: Sequence[int]) -> bool:
    """Does a stretch end at the extreme at which it begins, with whole movements at both ends?"""
    if len(turns) % 2 == 0:
        return False
    steps = np.abs(np.diff(signal[list(turns)]))
    return bool(min(steps[0], steps[-1]) >= PARTIAL * np.median(steps))


def _cut_off(
    signal: np.ndarray, turns: Sequence[int], first: int, edges: tuple[str, str]
) -> str | None:
    """What hides a part of the cycle from the turn ``first`` on: it goes on at the stretch's edge.

    The first of the ``turns``, and every other one, are at rest. A cycle at the edge of a set is
    compared with where the lifter rests between the others.
    """
    cycle = [float(signal[i]) for i in turns[first : first + 3]]
    rests = [float(signal[i]) for i in turns[2:-1:2]]
    at_first, at_last = first == 0, first + 3 == len(turns)
    usual = float(np.median(rests)) if len(rests) > 1 else None
    start = cycle[0] if usual is None or not at_last else usual
    end = cycle[2] if usual is None or not at_first else usual
    amplitude = max(abs(start - cycle[1]), abs(end - cycle[1]))
    if abs(start - end) <= RETURNED * amplitude:
        return None
    begun_late = abs(start - cycle[1]) < abs(end - cycle[1])
    if begun_late:
        hidden = at_first and not _still(signal, at_start=True)
        return edges[0] if hidden else None
    if at_last and (edges[1] == CUT or not _still(signal, at_start=False)):
        return edges[1]
    return None


def _still(signal: np.ndarray, *, at_start: bool) -> bool:
    """Is the movement slow at one end of the signal?"""
    speed = np.abs(np.gradient(signal))
    count = max(2, round(STILL_S * GRID_HZ))
    part = speed[:count] if at_start else speed[-count:]
    return bool(part.mean() < STILL_SPEED * np.percentile(speed, 95))


def _made(
    time_s: np.ndarray, signal: np.ndarray, turns: Sequence[int], cut_off_by: str | None
) -> Repetition:
    start, end = _trim(signal, turns)
    return Repetition(float(time_s[start]), float(time_s[end]), cut_off_by)


def _trim(signal: np.ndarray, turns: Sequence[int]) -> tuple[int, int]:
    """The first and the last of ``turns`` moved inwards to where the movement begins and ends."""
    first, last = begins(signal, turns[0], turns[1]), ends(signal, turns[-2], turns[-1])
    return first, max(last, first)


def begins(values: np.ndarray, start: int, stop: int) -> int:
    """Where the movement from index ``start`` to ``stop`` of a smooth signal (N,) begins.

    The last index before its fastest moment at which it is slow and near where it comes from.
    """
    part = values[start : stop + 1]
    speed = np.abs(np.gradient(part)) if len(part) > 1 else np.zeros(1)
    fastest = int(np.argmax(speed))
    near = np.abs(part - part[0]) <= REST_SHARE * abs(float(part[-1] - part[0]))
    at_rest = np.flatnonzero((near & (speed < REST_SPEED * speed.max()))[: fastest + 1])
    return start + (int(at_rest[-1]) if len(at_rest) else 0)


def ends(values: np.ndarray, start: int, stop: int) -> int:
    """Where the movement from index ``start`` to ``stop`` of a smooth signal (N,) ends."""
    return stop - begins(values[start : stop + 1][::-1], 0, stop - start)


def _edges(shots: np.ndarray, part: tuple[int, int]) -> tuple[str, str]:
    """What the start and the end of a stretch of frames are."""

    def what(neighbour: int, end: str) -> str:
        if not 0 <= neighbour < len(shots):
            return end
        return STAND if shots[neighbour] < 0 else CUT

    return what(part[0] - 1, START), what(part[1], END)


def _is_high(
    tracks: CleanTracks,
    part: tuple[int, int],
    movement: tuple[np.ndarray, np.ndarray],
    resting: Resting,
) -> bool | None:
    """Does the lifter rest where the signal is high? None when it does not go up and down."""
    xy, times = tracks.xy[slice(*part)], tracks.time_s[slice(*part)]
    height = (feet_of(xy, stature(xy)) - steady_midpoint(xy, resting.joints))[:, 1]
    known = np.isfinite(height)
    if known.mean() < 0.5:
        return None
    time_s, signal = movement
    likeness = np.corrcoef(signal, np.interp(time_s, times[known], height[known]))[0, 1]
    if not abs(likeness) >= ALIKE:
        return None
    return bool((likeness > 0) == resting.high)


def _signal_in(
    tracks: CleanTracks, part: tuple[int, int], moving: Sequence[int]
) -> tuple[np.ndarray, np.ndarray] | None:
    """The movement signal of one stretch of frames."""
    within = slice(*part)
    if tracks.time_s[part[1] - 1] - tracks.time_s[part[0]] < MIN_STRETCH_S:
        return None
    return movement_signal(tracks.part(within), moving)


def is_half(tracks: CleanTracks, start_s: float, end_s: float) -> bool:
    """Does the movement from ``start_s`` to ``end_s`` go one way only, up or down?

    Lifts that end in another pose than they start in, such as a snatch, still come back by at
    least a third when the lifter rises; half repetitions end at their extreme.
    """
    movement = movement_signal(tracks)
    if movement is None:
        return False
    time_s, signal = movement
    part = signal[within(time_s, start_s, end_s)]
    return len(part) > 1 and abs(float(part[-1] - part[0])) > HALF * float(np.ptp(part))


def movement_range(tracks: CleanTracks) -> float:
    """The range of the main movement in statures; 0 without a body."""
    signals = (_signal_in(tracks, part, JOINTS) for part in stretches(tracks.shots))
    return max((_range(signal[1]) for signal in signals if signal is not None), default=0.0)


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
    sizes = running_statures(tracks.xy, tracks.time_s)
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


def _columns(
    xy: np.ndarray, time_s: np.ndarray, grid: np.ndarray, moving: Sequence[int]
) -> np.ndarray | None:
    """(N, 2 J): keypoints seen in half of the frames, relative to the feet, on the grid."""
    feet, hips = feet_of(xy), steady_midpoint(xy, sk.HIPS)
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
