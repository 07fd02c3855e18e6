"""What a figure may rest on: which joints were really seen, in which frames, and if not, why.

This is the only gate between keypoints and everything that is said about them. A figure counts
when the joints that it rests on passed here in the frames that it rests on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from gymform import skeleton as sk
from gymform.motion.body_size import SEGMENTS, segment_lengths, stature
from gymform.motion.clean import stretches
from gymform.types import CleanTracks, PoseSequence

MIN_SCORE = 0.5
"""A joint counts from this score on: it is then more likely right than wrong."""

MARGIN = 0.015
"""A joint nearer to the picture's edge than this, in statures, may lie outside it."""

TOO_LONG = 1.3
"""A bone longer than this share of what it can be does not end at its joint."""

FASTEST = 4.5
"""Statures a second: no joint moves faster. See ``pose/decoding.py``."""

SLACK = 0.06
"""Statures by which the answers of a network differ from frame to frame."""

AROUND_S = 0.07
"""Seconds before and after a jump in which the joint is not trusted either."""


class Doubt(IntEnum):
    """Why a joint does not count in a frame; the larger one is said first."""

    NONE = 0
    INTERPOLATED = 1
    NOT_SURE = 2
    MISSING = 3
    JUMPS = 4
    BONE = 5
    OUTSIDE = 6
    NOBODY = 7
    STAND = 8


WORDS = {
    Doubt.INTERPOLATED: "was not looked at",
    Doubt.NOT_SURE: "is not seen clearly",
    Doubt.MISSING: "is hidden",
    Doubt.JUMPS: "jumps",
    Doubt.BONE: "is not where the limb can reach",
    Doubt.OUTSIDE: "is at the edge of the picture or outside it",
    Doubt.NOBODY: "cannot be seen, the lifter was not found",
    Doubt.STAND: "does not move, the picture stands still",
}
"""The same in a sentence whose subject is the joint."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """``doubt`` uint8 (T, 17), a :class:`Doubt` for each joint; ``time_s`` (T,) seconds."""

    doubt: np.ndarray
    time_s: np.ndarray

    @property
    def seen(self) -> np.ndarray:
        """bool (T, 17): the joints that count."""
        return np.asarray(self.doubt == Doubt.NONE)

    @property
    def known(self) -> np.ndarray:
        """bool (T, 17): those, and the ones that lie between two frames in which they count.

        They tell where a movement turns, so that it is looked at there. No figure is taken of them.
        """
        return np.asarray(self.doubt <= Doubt.INTERPOLATED)

    def why_not(self, joints: Sequence[int], frames: Iterable[int]) -> str | None:
        """What speaks against ``joints`` in ``frames``, as a clause with the joint and the seconds.

        "the left hip is hidden from 2.1 to 2.6 s"; None when nothing does.
        """
        rows = np.array(sorted(frames), int)
        if not len(rows):
            return None
        doubt = self.doubt[rows][:, np.array(joints, int)]
        if not doubt.any():
            return None
        if (doubt > Doubt.INTERPOLATED).any():  # what is hidden is worth more words
            doubt = np.where(doubt > Doubt.INTERPOLATED, doubt, np.uint8(0))
        column = int((doubt > 0).sum(0).argmax())
        kinds, counts = np.unique(doubt[:, column][doubt[:, column] > 0], return_counts=True)
        kind = Doubt(int(kinds[counts.argmax()]))
        when = self._when(joints[column], rows, min(kind, Doubt.NOT_SURE))
        return f"the {joint_name(joints[column])} {WORDS[kind]} {when}"

    def _when(self, joint: int, rows: np.ndarray, least: Doubt) -> str:
        """The stretch of doubt, ``least`` or more, about a joint that the frames ``rows`` touch."""
        doubtful = self.doubt[:, joint] >= least
        hits = rows[doubtful[rows]]
        first, last = int(hits[0]), int(hits[-1])
        while first > 0 and doubtful[first - 1]:
            first -= 1
        while last < len(doubtful) - 1 and doubtful[last + 1]:
            last += 1
        start, end = (float(self.time_s[i]) for i in (first, last))
        if end - start < 0.15:
            return f"at {start:.1f} s"
        return f"from {start:.1f} to {end:.1f} s"


def joint_name(joint: int) -> str:
    """ "left hip" for ``sk.LEFT_HIP``."""
    return sk.KEYPOINTS[joint].replace("_", " ")


def evidence_of(pose: PoseSequence, tracks: CleanTracks, min_score: float = MIN_SCORE) -> Evidence:
    """What was seen of the lifter in ``pose``, ``tracks`` being ``clean(pose)``.

    A frame that no network looked at has the doubts of those on both sides of it, and one of its
    own.
    """
    skipped, size = pose.interpolated, stature(tracks.xy)
    if not skipped.any():
        return Evidence(_doubts(pose, tracks, size, min_score), pose.time_s)
    looked = np.flatnonzero(~skipped)
    seen = _doubts(pose.part(looked), tracks.part(looked), size, min_score)
    doubt = np.full(pose.score.shape, Doubt.INTERPOLATED, np.uint8)
    doubt[looked] = seen
    after = np.searchsorted(looked, np.flatnonzero(skipped))
    for side in (np.maximum(after - 1, 0), np.minimum(after, len(looked) - 1)):
        doubt[skipped] = np.maximum(doubt[skipped], seen[side])
    return Evidence(doubt, pose.time_s)


def _doubts(pose: PoseSequence, tracks: CleanTracks, size: float, min_score: float) -> np.ndarray:
    """A :class:`Doubt` uint8 (T, 17) for each joint, of frames that were all looked at."""
    doubt = np.zeros(pose.score.shape, np.uint8)

    def mark(where: np.ndarray, kind: Doubt) -> None:
        np.maximum(doubt, np.where(where, np.uint8(kind), np.uint8(0)), out=doubt)

    mark(pose.score < min_score, Doubt.NOT_SURE)
    mark(~np.isfinite(tracks.xy).all(-1) | tracks.filled | (pose.score == 0), Doubt.MISSING)
    if np.isfinite(size):
        mark(_jumps(pose, size), Doubt.JUMPS)
        mark(_beyond_reach(tracks.xy, size), Doubt.BONE)
        mark(_outside(pose, size), Doubt.OUTSIDE)
    mark(np.broadcast_to(~pose.present[:, None], doubt.shape), Doubt.NOBODY)
    mark(np.broadcast_to((pose.shots < 0)[:, None], doubt.shape), Doubt.STAND)
    return doubt


def _jumps(pose: PoseSequence, size: float) -> np.ndarray:
    """bool (T, 17): the joint moves faster to or from there than a joint can."""
    sudden = np.zeros(pose.score.shape, bool)
    for start, stop in stretches(pose.shots):
        if stop - start < 2:
            continue
        step_s = np.diff(pose.time_s[start:stop])[:, None]
        step = np.linalg.norm(np.diff(pose.xy[start:stop], axis=0), axis=-1) / size
        with np.errstate(invalid="ignore"):
            fast = step > FASTEST * step_s + SLACK
        for row, joint in zip(*np.nonzero(fast), strict=True):
            sudden[_around(pose.time_s, start + int(row), start + int(row) + 1), joint] = True
    return sudden


def _around(time_s: np.ndarray, first: int, last: int) -> np.ndarray:
    return np.asarray((time_s >= time_s[first] - AROUND_S) & (time_s <= time_s[last] + AROUND_S))


def _beyond_reach(xy: np.ndarray, size: float) -> np.ndarray:
    """bool (T, 17): the joint's bone is longer than a body of ``size`` has."""
    lengths = segment_lengths(xy)
    too_long = np.zeros(xy.shape[:2], bool)
    for i, (ends, others, share) in enumerate(SEGMENTS):
        with np.errstate(invalid="ignore"):
            far = lengths[:, i] > TOO_LONG * share * size
        for joint in others if len(others) == 1 else (*ends, *others):
            too_long[:, joint] |= far
    return too_long


def _outside(pose: PoseSequence, size: float) -> np.ndarray:
    """bool (T, 17): the joint is at the edge of the picture or beyond it."""
    margin = max(1.0, MARGIN * size)
    limit = np.array(pose.image_size) - 1 - margin
    with np.errstate(invalid="ignore"):
        return np.asarray(((pose.xy < margin) | (pose.xy > limit)).any(-1))
