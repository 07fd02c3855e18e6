"""Corrections of keypoints by people: a carrier of its own beside the network's predictions.

A prediction is never overwritten. Corrections are applied to it when it is used, in this order:

1. *exchange*: left and right are exchanged in a span; twice is never;
2. *point*: a keypoint is put where it is, in one frame. Frames between two such points follow: to
   the network's own path comes the difference at the points, interpolated between them;
3. *hidden*: keypoints that cannot be seen in a span are missing there.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gymform.errors import OptionsError
from gymform.skeleton import FLIP_PAIRS, INDEX, KEYPOINTS, NUM_KEYPOINTS
from gymform.types import PoseSequence, within

POINT, EXCHANGE, HIDDEN = "point", "exchange", "hidden"
KINDS = (POINT, EXCHANGE, HIDDEN)

PREDICTED, PLACED, FOLLOWED, EXCHANGED, CONCEALED = range(5)
"""Where a keypoint of a frame comes from: the network; a person who put it there; between two
frames in which somebody did; exchanged with the other side; said to be hidden."""

PLACED_SCORE, FOLLOWED_SCORE = 1.0, 0.9
"""Scores of corrected keypoints; those between are at least as sure as this."""

MAX_GAP_S = 2.0
"""Frames between two points follow when these are at most this far apart, s."""

MAX_OUTSIDE = 0.5
"""A point may lie outside the picture by this share of its width and height."""


@dataclass(frozen=True)
class Correction:
    """One correction. Times are s of the clip, ``x`` and ``y`` px of the upright frame.

    A point has one keypoint, and ``start_s`` equal to ``end_s``. In an exchange and a hidden span
    ``keypoints`` are indices; for an exchange either side stands for both, and none means all.
    """

    kind: str
    start_s: float
    end_s: float
    keypoints: tuple[int, ...] = ()
    x: float = 0.0
    y: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise _expected("kind", f"one of {', '.join(KINDS)}", self.kind)
        times = (self.start_s, self.end_s)
        if not all(map(math.isfinite, times)) or not 0 <= self.start_s <= self.end_s:
            raise _expected("times", "a start from 0 s on, and an end not before it", times)
        if any(not 0 <= one < NUM_KEYPOINTS for one in self.keypoints):
            raise _expected("keypoints", f"numbers below {NUM_KEYPOINTS}", self.keypoints)
        if self.kind == POINT and (len(self.keypoints) != 1 or self.start_s != self.end_s):
            raise _expected("point", "one keypoint at one time", (self.keypoints, times))
        if self.kind == POINT and not (math.isfinite(self.x) and math.isfinite(self.y)):
            raise _expected("x and y", "numbers of px", (self.x, self.y))
        if self.kind == HIDDEN and not self.keypoints:
            raise _expected("keypoints", "at least one that is hidden", self.keypoints)

    def as_plain(self) -> dict[str, Any]:
        """The correction as JSON, with keypoints by name."""
        names = [KEYPOINTS[one] for one in self.keypoints]
        if self.kind == POINT:
            return {"kind": POINT, "time_s": self.start_s, "keypoint": names[0],
                    "x": self.x, "y": self.y}  # fmt: skip
        return {"kind": self.kind, "start_s": self.start_s, "end_s": self.end_s,
                "keypoints": names}  # fmt: skip


def from_plain(values: Mapping[str, Any]) -> Correction:
    """The correction that :meth:`Correction.as_plain` gave.

    Raises OptionsError with the field, what was expected and what came.
    """
    try:
        kind = str(values["kind"])
        if kind == POINT:
            time_s = float(values["time_s"])
            place = float(values["x"]), float(values["y"])
            return Correction(POINT, time_s, time_s, (_index(values["keypoint"]),), *place)
        names = tuple(_index(name) for name in values["keypoints"])
        return Correction(kind, float(values["start_s"]), float(values["end_s"]), names)
    except KeyError as error:
        raise _expected("correction", f"the field {error.args[0]}", sorted(values)) from None
    except (TypeError, ValueError):
        raise _expected("correction", "numbers and names of keypoints", dict(values)) from None


def _index(name: object) -> int:
    if name not in INDEX:
        raise _expected("keypoint", f"one of {', '.join(KEYPOINTS)}", name)
    return INDEX[str(name)]


def _expected(field: str, expected: str, got: object) -> OptionsError:
    return OptionsError(f"Correction, {field}: expected {expected}, got {str(got)[:80]}.")


@dataclass(frozen=True, eq=False)
class Corrected:
    """A pose with its corrections applied; ``source`` uint8 (T, 17) says where each keypoint comes
    from, see :data:`PREDICTED`."""

    pose: PoseSequence
    source: np.ndarray


def corrected(pose: PoseSequence, corrections: Iterable[Correction]) -> Corrected:
    """``pose`` with the corrections applied; of two points in a frame the later one counts."""
    given = list(corrections)
    xy, score = pose.xy.copy(), pose.score.copy()
    source = np.zeros(score.shape, np.uint8)
    for one in given:
        if one.kind == EXCHANGE:
            _exchange(one, pose.time_s, xy, score, source)
    for keypoint, points in _points(given, pose.time_s).items():
        _follow(keypoint, points, pose, xy, score, source)
    for one in given:
        if one.kind == HIDDEN:
            rows = np.ix_(within(pose.time_s, one.start_s, one.end_s), np.array(one.keypoints))
            xy[rows], score[rows], source[rows] = np.nan, 0, CONCEALED
    if not source.any():
        return Corrected(pose, source)
    note = " ".join(filter(None, (pose.provenance.note, "Corrected by hand.")))
    made = dataclasses.replace(pose.provenance, note=note)
    return Corrected(dataclasses.replace(pose, xy=xy, score=score, provenance=made), source)


def _exchange(
    one: Correction, time_s: np.ndarray, xy: np.ndarray, score: np.ndarray, source: np.ndarray
) -> None:
    rows = within(time_s, one.start_s, one.end_s)
    for pair in FLIP_PAIRS:
        if one.keypoints and not set(pair) & set(one.keypoints):
            continue
        there, back = np.ix_(rows, np.array(pair)), np.ix_(rows, np.array(pair[::-1]))
        xy[there], score[there] = xy[back], score[back]
        source[there] = np.where(source[there] == EXCHANGED, PREDICTED, EXCHANGED)


def _points(given: Sequence[Correction], time_s: np.ndarray) -> dict[int, dict[int, Correction]]:
    """The points by keypoint and frame, without those at a time where the clip has no frame."""
    points: dict[int, dict[int, Correction]] = {}
    gap = float(np.median(np.diff(time_s))) if len(time_s) > 1 else math.inf
    for one in given:
        row = int(np.abs(time_s - one.start_s).argmin())
        if one.kind == POINT and abs(time_s[row] - one.start_s) <= gap:
            points.setdefault(one.keypoints[0], {})[row] = one
    return points


def _follow(
    keypoint: int,
    points: Mapping[int, Correction],
    pose: PoseSequence,
    xy: np.ndarray,
    score: np.ndarray,
    source: np.ndarray,
) -> None:
    """Put the keypoint where the points say, and let the frames between them follow."""
    path = _without_gaps(xy[:, keypoint], pose.time_s)
    rows = sorted(points)
    places = np.array([(points[row].x, points[row].y) for row in rows])
    residual = places - path[rows]
    for run in _runs(rows, pose):
        frames = np.arange(rows[run[0]], rows[run[-1]] + 1)
        moved = _interpolated(pose.time_s[frames], pose.time_s[[rows[i] for i in run]],
                              residual[run])  # fmt: skip
        xy[frames, keypoint] = path[frames] + moved
        score[frames, keypoint] = np.maximum(score[frames, keypoint], FOLLOWED_SCORE)
        source[frames, keypoint] = FOLLOWED
    score[rows, keypoint], source[rows, keypoint] = PLACED_SCORE, PLACED
    xy[rows, keypoint] = places


def _runs(rows: Sequence[int], pose: PoseSequence) -> list[list[int]]:
    """Points that belong together, by their places in ``rows``: near in time and in one shot."""
    runs = [[0]]
    for place in range(1, len(rows)):
        before, here = rows[place - 1], rows[place]
        near = pose.time_s[here] - pose.time_s[before] <= MAX_GAP_S
        shots = pose.shots[before : here + 1]
        together = near and len(set(shots[shots >= 0].tolist())) <= 1
        if together:
            runs[-1].append(place)
        else:
            runs.append([place])
    return runs


def _interpolated(at: np.ndarray, times: np.ndarray, values: np.ndarray) -> np.ndarray:
    """``values`` (n, 2) at ``times`` (n,), interpolated at ``at`` (m,) without overshooting."""
    if len(times) == 1:
        return np.repeat(values, len(at), axis=0)
    from scipy.interpolate import PchipInterpolator  # the page Review does not wait for SciPy

    return np.asarray(PchipInterpolator(times, values)(at))


def _without_gaps(path: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """A keypoint's path (T, 2) as float64, straight where it is missing; 0 where it always is."""
    known = np.isfinite(path).all(1)
    if not known.any():
        return np.zeros(path.shape)
    columns = [np.interp(time_s, time_s[known], path[known, axis]) for axis in range(2)]
    return np.stack(columns, axis=1)


def check_in_picture(one: Correction, pose: PoseSequence) -> None:
    """Raise OptionsError when a point lies far outside the picture, or a time after the clip."""
    size = np.array(pose.image_size)
    place = np.array([one.x, one.y])
    if (
        one.kind == POINT
        and ((place < -MAX_OUTSIDE * size) | (place > (1 + MAX_OUTSIDE) * size)).any()
    ):
        raise _expected("x and y", f"a place near the picture of {size[0]} x {size[1]} px",
                        (one.x, one.y))  # fmt: skip
    if one.start_s > pose.time_s[-1] + 0.5:
        raise _expected("times", f"moments of the clip, up to {pose.time_s[-1]:.2f} s", one.start_s)
