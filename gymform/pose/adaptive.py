"""Which frames the large network looks at: those around which somebody moves.

Where a body moves evenly, or not at all, its joints lie on the straight line between the frames
before and after. Frames are looked at every `GRID_S` seconds first, and wherever the small
network's keypoints move fast. Then the middle between two of them is looked at: where it lies on
the line, the frames beside it are left out, which halves the gap that was checked; otherwise both
halves are split again (bisection), down to neighbouring frames.

The small network looks every `SCOUT_S` seconds, and at the frames in between where somebody moves
fast.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from gymform import skeleton as sk
from gymform.motion.body_size import TORSO, stature
from gymform.motion.evidence import MIN_SCORE
from gymform.types import Rest, answered_in

GRID_S = 0.3
"""Seconds between the first looks; the middle between two is looked at in any case. With 0.4 one
clip of 38 had another number of repetitions, and 5 in 100 fewer frames were looked at."""

FAST = 3.0
"""Torsos a second from which on every frame is looked at: pulls, jumps, dropped weights. Without it
a tenth fewer frames are."""

SCOUT_S = 1 / 15
"""Seconds between the small network's looks. Even what falls freely is off the line between two of
them by 0.01 torsos only."""

SPEED_S = 0.05
"""Speeds are taken over so many seconds before and after a frame."""

TOLERANCE = 0.05
"""Torsos by which a joint in the middle may be off the line between its neighbours. What is then
interpolated is off by 0.008 in the median, by 0.028 in 5 of 100. With 0.08 an eighth fewer frames
are looked at, and 0.966 instead of 0.985 of the figures of 51 clips are within their margins."""

SCOUT_TOLERANCE = 0.15
"""The same for the small network's joints in the frames that are left out."""

CHANGED = 0.2
"""Where a joint is surely seen on one side of this limit only, its scores differ by more."""

_JOINTS = (sk.NOSE, *sk.BODY)

Look = Callable[[np.ndarray], np.ndarray]
"""The large network's peaks (N, 17, K, 3) in rising frames (N,) of the clip."""

Interval = tuple[int, int]
"""Two frames that were looked at, with none between them that was."""


def runs_of(followed: np.ndarray, shots: np.ndarray) -> list[np.ndarray]:
    """Frames that follow each other without a gap or a cut, in which somebody was ``followed``
    bool (T,). ``shots`` (T,) are as in PoseSequence: where the picture stands still there is none.
    """
    rows = np.flatnonzero(followed & (shots >= 0))
    breaks = (np.diff(rows) > 1) | (np.diff(shots[rows]) != 0)
    return [run for run in np.split(rows, np.flatnonzero(breaks) + 1) if len(run)]


def now_and_then(time_s: np.ndarray, runs: Iterable[np.ndarray]) -> np.ndarray:
    """bool (T,): the frames of the ``runs`` that the small network looks at in any case.

    ``time_s`` (T,) are rising seconds. First and last frame of each run are looked at.
    """
    chosen = np.zeros(len(time_s), bool)
    for run in runs:
        chosen[run] = _on_grid(time_s[run], SCOUT_S)
    return chosen


def where_fast(
    scouts: np.ndarray, time_s: np.ndarray, runs: Iterable[np.ndarray], looked: np.ndarray
) -> np.ndarray:
    """bool (T,): the other frames that the small network looks at, since somebody moves fast.

    ``scouts`` (T, 17, 3) are its likeliest joints in the frames ``looked`` at, as
    :func:`now_and_then` chose them. All frames where the length of the torso is not known.
    """
    chosen = np.zeros(len(time_s), bool)
    for run in runs:
        rows = run[looked[run]]
        speed = _speed(scouts[rows], time_s[rows])
        fast = ~(speed < FAST * _torso(scouts[rows]))
        after = np.searchsorted(rows, run)  # the frame that was looked at, or the one after it
        before = np.maximum(after - 1, 0)
        chosen[run] = (fast[after] | fast[before]) & ~looked[run]
    return chosen


def filled(peaks: np.ndarray, time_s: np.ndarray, runs: Iterable[np.ndarray]) -> np.ndarray:
    """Peaks (T, 17, K, 3) with those in between where a network found nothing in a frame.

    The likeliest places are interpolated; the others are those of the frame before.
    """
    whole = peaks.copy()
    looked = answered_in(peaks)
    for span in with_gaps(runs, looked):
        best = peaks[span, :, 0]
        xy, score = interpolated(best[..., :2], best[..., 2], time_s[span], looked[span])
        seen = span.start + np.flatnonzero(looked[span])
        frames = np.arange(span.start, span.stop)
        whole[span] = peaks[seen[np.searchsorted(seen, frames, "right") - 1]]
        whole[span, :, 0, :2], whole[span, :, 0, 2] = xy, score
    return whole


def with_gaps(runs: Iterable[np.ndarray], looked: np.ndarray) -> Iterator[slice]:
    """The frames of each run from the first to the last that was ``looked`` at (T,), where some of
    the run were not."""
    for run in runs:
        seen = run[looked[run]]
        if 0 < len(seen) < len(run):
            yield slice(int(seen[0]), int(seen[-1]) + 1)


def look_where_it_moves(
    look: Look, scouts: np.ndarray, time_s: np.ndarray, runs: Iterable[np.ndarray]
) -> np.ndarray:
    """The frames (N,) that were looked at, rising.

    ``scouts`` (T, 17, K, 3) are the small network's peaks in all frames, ``time_s`` (T,) rising
    seconds; ``runs`` are those of :func:`runs_of`, or parts of them. First and last frame of each
    run are looked at.
    """
    runs = list(runs)
    peaks = np.full_like(scouts, np.nan)
    looked = np.zeros(len(scouts), bool)
    torso = np.full(len(scouts), np.nan)
    for run in runs:
        torso[run] = _torso(scouts[run, :, 0])
    lines = _Lines(peaks[:, :, 0], scouts[:, :, 0], time_s, torso)

    def see(rows: Iterable[int]) -> None:
        new = np.unique(np.array(list(rows), int))
        new = new[~looked[new]]
        if len(new):
            peaks[new] = look(new)
            looked[new] = True

    first = [run[_first(scouts[run, :, 0], time_s[run], torso[run[0]])].tolist() for run in runs]
    between = [one for rows in first for one in itertools.pairwise(rows) if _gap(one)]
    see(itertools.chain(*first, map(_middle, between)))
    while between:
        between = [half for one in between for half in lines.still_open(one)]
        see(map(_middle, between))
    return np.flatnonzero(looked)


def interpolated(
    xy: np.ndarray, score: np.ndarray, time_s: np.ndarray, looked: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (T, 17, 2) and scores (T, 17) of a run of frames, between those ``looked`` at.

    ``looked`` (T,) is true in the first frame and in the last; ``xy`` (T, 17, 2) and ``score``
    (T, 17) count there only. Linear in time, with the lesser score of the two sides; missing where
    one of them lacks the joint.
    """
    rows = np.flatnonzero(looked)
    frames = np.arange(len(looked))
    before = rows[np.searchsorted(rows, frames, "right") - 1]
    after = rows[np.searchsorted(rows, frames, "left")]
    span = np.where(after > before, time_s[after] - time_s[before], 1.0)
    share = ((time_s - time_s[before]) / span)[:, None, None].astype(np.float32)
    where = xy[before] + share * (xy[after] - xy[before])
    least = np.minimum(score[before], score[after])
    where[least == 0] = np.nan
    return where, least


def frames_of(rests: Iterable[Rest], time_s: np.ndarray, looked: np.ndarray) -> np.ndarray:
    """bool (T,): the frames to look at, besides those ``looked`` at (T,), that figures rest on."""
    seen = looked.copy()
    for start_s, end_s, gap_s in sorted(rests, key=lambda rest: rest[2]):
        first, stop = np.searchsorted(time_s, (start_s - 1e-6, end_s + 1e-6))
        row = int(np.flatnonzero(seen[: first + 1])[-1]) if seen[: first + 1].any() else -1
        while True:
            begin_s = time_s[row] if row >= 0 else -np.inf
            far = int(np.searchsorted(time_s, begin_s + gap_s + 1e-6)) - 1
            known = np.flatnonzero(seen[row + 1 : far + 1])
            row = row + 1 + int(known[-1]) if len(known) else max(far, row + 1, int(first))
            if row >= stop:
                break
            seen[row] = True
    return np.asarray(seen & ~looked)


@dataclass(frozen=True, eq=False)
class _Lines:
    """Whether joints lie on the line between two frames.

    ``found`` and ``scouts`` (T, 17, 3) are the likeliest places by the large network, NaN where it
    has not looked, and by the small one; ``torso`` (T,) is the length of the lifter's, px.
    """

    found: np.ndarray
    scouts: np.ndarray
    time_s: np.ndarray
    torso: np.ndarray

    def still_open(self, one: Interval) -> list[Interval]:
        """The halves of an interval, whose middle was looked at, that have to be split again."""
        start, end = one
        middle = _middle(one)
        halves = [half for half in ((start, middle), (middle, end)) if _gap(half)]
        if self._agrees(start, middle, end):
            return [half for half in halves if not self._scouts_agree(*half)]
        return halves

    def _agrees(self, start: int, middle: int, end: int) -> bool:
        """Does the large network see the joints in the middle where the line has them?"""
        first, seen, last = (self.found[row][list(_JOINTS)] for row in (start, middle, end))
        share = (self.time_s[middle] - self.time_s[start]) / (self.time_s[end] - self.time_s[start])
        line = first[:, :2] + share * (last[:, :2] - first[:, :2])
        off = np.linalg.norm(seen[:, :2] - line, axis=-1) / self.torso[middle]
        least = np.minimum(first[:, 2], last[:, 2])
        sure = (least >= MIN_SCORE, seen[:, 2] >= MIN_SCORE)
        moved = sure[0] & sure[1] & ~(off <= TOLERANCE)
        changed = (sure[0] != sure[1]) & (np.abs(seen[:, 2] - least) > CHANGED)
        return not bool((moved | changed).any())

    def _scouts_agree(self, start: int, end: int) -> bool:
        """Does the small network see the joints near the line in the frames between?"""
        part = self.scouts[start : end + 1][:, list(_JOINTS)]
        share = self.time_s[start : end + 1] - self.time_s[start]
        share = (share / share[-1])[:, None, None]
        line = part[0, :, :2] + share * (part[-1, :, :2] - part[0, :, :2])
        off = np.linalg.norm(part[..., :2] - line, axis=-1) / self.torso[start]
        sure = np.minimum(part[..., 2], part[[0, -1], :, 2].min(axis=0)) >= MIN_SCORE
        return not bool((sure & (off > SCOUT_TOLERANCE)).any())


def _first(scouts: np.ndarray, time_s: np.ndarray, torso: float) -> np.ndarray:
    """bool (N,): the frames of a run on the grid, at its ends, and where the lifter moves fast.

    ``scouts`` (N, 17, 3) are the small network's likeliest joints. All frames where the length of
    the ``torso`` is not known.
    """
    if not np.isfinite(torso):
        return np.ones(len(time_s), bool)
    return _on_grid(time_s, GRID_S) | (_speed(scouts, time_s) >= FAST * torso)


def _on_grid(time_s: np.ndarray, interval_s: float) -> np.ndarray:
    """bool (N,): the first frame in each interval, and the last of all."""
    cells = np.floor((time_s - time_s[0]) / interval_s + 1e-6)
    chosen = np.r_[True, np.diff(cells) > 0]
    chosen[-1] = True
    return np.asarray(chosen)


def _speed(scouts: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """How fast (N,) the fastest joint moves that is surely seen, px a second."""
    frames = np.arange(len(time_s))
    first = np.searchsorted(time_s, time_s - SPEED_S - 1e-6)
    last = np.searchsorted(time_s, time_s + SPEED_S + 1e-6, "right") - 1
    before = np.minimum(first, np.maximum(frames - 1, 0))
    after = np.maximum(last, np.minimum(frames + 1, len(frames) - 1))
    body = scouts[:, list(_JOINTS)]
    way = np.linalg.norm(body[after, :, :2] - body[before, :, :2], axis=-1)
    sure = np.minimum(body[after, :, 2], body[before, :, 2]) >= MIN_SCORE
    seconds = np.maximum(time_s[after] - time_s[before], 1e-6)[:, None]
    return np.asarray(np.where(sure, way / seconds, 0).max(1))


def _torso(scouts: np.ndarray) -> float:
    """Length of the lifter's torso, px, by joints (N, 17, 3); NaN where unknown."""
    xy = scouts[..., :2].astype(np.float64)
    return TORSO * stature(np.where(scouts[..., 2:] >= MIN_SCORE, xy, np.nan))


def _gap(one: Interval) -> bool:
    return one[1] - one[0] > 1


def _middle(one: Interval) -> int:
    return (one[0] + one[1]) // 2
