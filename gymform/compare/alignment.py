"""Which moment of one repetition belongs to which moment of another.

The moments that both have a name for (start, bottom, lockout, end) are laid over each other. In
between time runs evenly, or is warped so that the movements are as alike as can be (dynamic time
warping: Sakoe & Chiba 1978).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from gymform.form.events import Events

SAMPLES = 60
"""Samples of each phase, between two moments with a name."""

EVENLY, WARPED = "evenly", "warped"
"""How time runs between two moments."""

REACH = 0.25
"""Warping moves a sample by at most this share of its phase: more is another movement."""


LEAST_RANGE = 0.1
"""A quantity that changes by less than this is still: its noise is not warped to."""


@dataclass(frozen=True, eq=False)
class Alignment:
    """Two repetitions, sample by sample.

    ``first_s`` and ``second_s`` float64 (N,) are the seconds of each in its clip, rising;
    ``moments`` are the names with the sample at which both have them.
    """

    first_s: np.ndarray
    second_s: np.ndarray
    moments: tuple[tuple[str, int], ...]


def align(
    first: Events,
    second: Events,
    *,
    how: str = EVENLY,
    movements: tuple[Movement, Movement] | None = None,
) -> Alignment:
    """Lay two repetitions over each other at the moments that both have.

    With ``how`` :data:`WARPED` the ``movements`` decide in between.
    """
    pairs = shared_moments(first, second)
    firsts, seconds, moments = [], [], [(pairs[0][0], 0)]
    for number, (start, end) in enumerate(itertools.pairwise(pairs)):
        one = np.linspace(start[1], end[1], SAMPLES + 1)
        other = np.linspace(start[2], end[2], SAMPLES + 1)
        if how == WARPED and movements is not None:
            other = warped(movements[0].at(one), movements[1].at(other), other)
        firsts.append(one[:-1])
        seconds.append(other[:-1])
        moments.append((end[0], (number + 1) * SAMPLES))
    return Alignment(
        np.append(np.concatenate(firsts), pairs[-1][1]),
        np.append(np.concatenate(seconds), pairs[-1][2]),
        tuple(moments),
    )


def shared_moments(first: Events, second: Events) -> list[tuple[str, float, float]]:
    """(name, second of the one, second of the other) of the moments that both have, rising in both.

    The first and the last moment always belong together, whatever they are called.
    """
    inner = [
        (name, moment, other)
        for name, moment in first.moments[1:-1]
        if (other := _inner(second, name)) is not None
    ]
    (start, start_s), (end, end_s) = first.moments[0], first.moments[-1]
    pairs = [
        (start, start_s, second.moments[0][1]), *inner, (end, end_s, second.moments[-1][1])
    ]  # fmt: skip
    kept, last = [pairs[0]], pairs[-1]
    for one in pairs[1:-1]:
        before = kept[-1]
        if before[1] < one[1] < last[1] and before[2] < one[2] < last[2]:
            kept.append(one)
    return [*kept, last]


def _inner(events: Events, name: str) -> float | None:
    """The second of a moment that is neither the first nor the last."""
    return next((second for one, second in events.moments[1:-1] if one == name), None)


@dataclass(frozen=True, eq=False)
class Movement:
    """What a body does over time: ``values`` (T, K) at ``time_s`` (T,), NaN where unknown.

    Quantities are scaled so that a step of 1 means about the same in each.
    """

    time_s: np.ndarray
    values: np.ndarray

    def at(self, moments_s: np.ndarray) -> np.ndarray:
        """The values (N, K) at some seconds; where nothing is known, 0 for every moment."""
        columns = [interpolated(self.time_s, column, moments_s) for column in self.values.T]
        return np.asarray(np.nan_to_num(np.stack(columns, axis=1)))


def interpolated(time_s: np.ndarray, values: np.ndarray, moments_s: np.ndarray) -> np.ndarray:
    """Values (N,) at ``moments_s``, between the known ones of ``values`` (T,); NaN without any."""
    known = np.isfinite(values)
    if not known.any():
        return np.full(len(moments_s), np.nan)
    return np.asarray(np.interp(moments_s, time_s[known], values[known]))


def warped(first: np.ndarray, second: np.ndarray, second_s: np.ndarray) -> np.ndarray:
    """The second (N,) of the other movement that is most like each sample of the first.

    ``first`` and ``second`` (N, K) are both at even samples; both ends stay. It never runs back.
    """
    count = len(first)
    known = (first.std(axis=0) > 0) & (second.std(axis=0) > 0)
    first, second = first[:, known], second[:, known]
    cost = np.linalg.norm(_shape_of(first)[:, None] - _shape_of(second)[None], axis=-1)
    far = np.abs(np.subtract.outer(np.arange(count), np.arange(count))) > REACH * count
    cost[far] = np.inf
    total = np.full((count + 1, count + 1), np.inf)
    total[0, 0] = 0.0
    came = np.zeros((count, count), np.int8)
    for i, j in itertools.product(range(count), range(count)):
        # a step on both sides counts twice, or two movements of unlike bodies are never warped
        costs = (2 * cost[i, j] + total[i, j], cost[i, j] + total[i, j + 1],
                 cost[i, j] + total[i + 1, j])  # fmt: skip
        came[i, j] = min(range(3), key=costs.__getitem__)
        total[i + 1, j + 1] = costs[came[i, j]]
    matches: list[list[int]] = [[] for _ in range(count)]
    for i, j in _path(came):
        matches[i].append(j)
    mean = np.array([np.mean(one) for one in matches])
    mean[0], mean[-1] = 0, count - 1
    rising = np.maximum.accumulate(mean)
    return np.asarray(np.interp(rising, np.arange(count), second_s))


def _shape_of(values: np.ndarray) -> np.ndarray:
    """How each of K quantities (N, K) changes, from 0 to 1 of its range: in its level and its range
    two bodies, and two cameras, differ."""
    low, high = values.min(axis=0), values.max(axis=0)
    return np.asarray((values - low) / (high - low + LEAST_RANGE))


_STEPS = ((1, 1), (1, 0), (0, 1))
"""The ways from one pair of samples to the next."""


def _path(came: np.ndarray) -> list[tuple[int, int]]:
    """The cheapest way, from the last pair of samples to the first; ``came`` says by which step."""
    i = j = len(came) - 1
    way = []
    while i >= 0 and j >= 0:
        way.append((i, j))
        back = _STEPS[came[i, j]]
        i, j = i - back[0], j - back[1]
    return way
