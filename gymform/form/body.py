"""The lifter's body for measuring form: heights over the feet, angles, and what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from gymform.motion.angles import joint_angles, trunk_lean, turned
from gymform.motion.body_size import (
    SEGMENTS,
    feet_of,
    mean_known,
    segment_lengths,
    stature,
    steady_midpoint,
)
from gymform.motion.clean import stretches
from gymform.motion.evidence import Evidence, evidence_of
from gymform.motion.signals import SIGNALS
from gymform.skeleton import ANKLES, BODY_PAIRS, HIPS, KNEES
from gymform.types import FRONT, SIDE, CleanTracks, PoseSequence, Rest

WINDOW_S = 0.1
"""A value at a moment is the median over this many seconds before and after it."""

HALF_SEEN = 0.5
"""Share of those frames in which the value must be known, of those that were looked at."""

DENSE_S = 0.07
"""In these seconds frames are looked at that are no farther apart than this."""

MIN_FEET = 0.2
"""Share of a shot's frames in which an ankle must be seen for heights above the feet."""

NEAR_FEET_S = 0.4
"""Seconds before ankles are first seen, and after the last time, in which they are where they were.
"""

SHORTEST, LONGEST = 0.72, 1.25
"""Limits of a bone's apparent length over its true one: the least in a side view, and the most."""


NEAR_BIAS, FAR_BIAS, OTHER_BIAS = 4.3, -3.3, 2.0
"""Degrees to add to a thigh's slope to get that of the line from the top of the knee to the hip
crease: of the near and the far thigh in a side view, and of either in other views
(``benchmarks/depth.md``)."""

FULL = (0.72, 1.25)
"""Limits of the apparent length of an arm's bone over its true one, for the angle at the elbow."""

APART = 25.0
"""The two thighs of a squat differ by fewer degrees than this, or one is not the lifter's."""


@dataclass(frozen=True, eq=False)
class Body:
    """What was seen of a lifter over T frames.

    ``evidence`` says which joints count, and why others do not; ``shots`` (T,) are those of the
    film, and ``observed`` bool (T,) the frames that a network looked at. ``xy`` (T, 17, 2) px of
    the joints that count, or lie between two frames in which they do, NaN elsewhere; ``size`` the
    stature in px; ``turned`` the degrees by which the lifter faces away from the camera, NaN
    unknown; ``side`` the one nearer to the camera, 0 left or 1 right. In degrees, NaN where a
    bone's length is impossible: ``angles`` (T, 17) and ``lean`` (T,) as in ``motion/angles.py``,
    and ``thighs`` (T, 2), how far the left and the right one point below level. ``slow_motion``:
    how many times slower than life the film is whose moments are spoken of. ``arm_bones``
    (T, 2, 2) are the apparent lengths of the left and the right upper arm and forearm over the true
    ones, and ``upper_arms`` and ``forearms`` (2,) px the true ones. ``only`` is the side that a
    one-sided repetition is done with, None both. ``asked`` collects what figures were taken from:
    by :meth:`about`, and by whom calls :meth:`rest_on`.
    """

    evidence: Evidence
    time_s: np.ndarray
    shots: np.ndarray
    xy: np.ndarray
    size: float
    turned: float
    side: int
    angles: np.ndarray
    lean: np.ndarray
    thighs: np.ndarray
    arm_bones: np.ndarray
    upper_arms: np.ndarray
    forearms: np.ndarray
    observed: np.ndarray
    slow_motion: float = 1.0
    only: int | None = None
    asked: list[Rest] = field(default_factory=list)

    @property
    def thigh_bias(self) -> np.ndarray:
        """Degrees (2,) to add to the slopes of the left and the right thigh."""
        bias = np.full(2, OTHER_BIAS)
        if self.from_side:
            bias[[self.side, 1 - self.side]] = NEAR_BIAS, FAR_BIAS
        return bias

    @property
    def depth(self) -> np.ndarray:
        """How far (T,) the hip crease is below the top of the knee, as the slope of that line, °.

        The mean of both sides where both are seen: knees that point outwards are nearer to the
        camera on one side and farther on the other, and what tilts one thigh in the picture of a
        camera above or below them tilts the other the opposite way. From the side the near one must
        be seen, from elsewhere both.
        """
        slopes = self.thighs + self.thigh_bias
        with np.errstate(invalid="ignore"):
            doubtful = np.abs(self.thighs[:, 0] - self.thighs[:, 1]) > APART
        needed = slopes[:, [self.side]] if self.from_side else slopes
        doubtful |= np.isnan(needed).any(axis=1)
        slopes[doubtful] = np.nan
        return mean_known(slopes)

    @property
    def from_side(self) -> bool:
        """Is it a side view, in which angles in the picture are those of knees, hips and trunk?"""
        return self.turned >= SIDE

    @property
    def from_front(self) -> bool:
        """Is it a front or back view, in which widths in the picture are those of the body?"""
        return self.turned <= FRONT

    def height(self, joints: tuple[int, ...]) -> np.ndarray:
        """Height (T,) of the joints' midpoint above the ankles', in statures.

        Ankles that are hidden for a while are taken to be where they were before and after: they
        stand on the floor. Before they are first seen, and after the last time, a camera that
        moves may have left them.
        """
        feet, there = np.full((2, len(self.xy)), np.nan)
        for start, stop in stretches(self.shots):
            xy = self.xy[start:stop]
            part = feet_of(xy, self.size)[:, 1]
            there[start:stop] = steady_midpoint(xy, joints)[:, 1]
            known = np.isfinite(part)
            if known.mean() >= MIN_FEET:
                time_s = self.time_s[start:stop]
                seen_s = time_s[known]
                near = (time_s >= seen_s[0] - NEAR_FEET_S) & (time_s <= seen_s[-1] + NEAR_FEET_S)
                there_s = np.interp(time_s, seen_s, part[known])
                feet[start:stop] = np.where(near, there_s, np.nan)
        return np.asarray((feet - there) / self.size)

    def angle(self, pair: tuple[int, int]) -> np.ndarray:
        """Degrees (T,) at a pair of joints: their mean, or in a side view the near one's."""
        return self.of_pair(self.angles[:, list(pair)])

    def of_pair(self, both: np.ndarray) -> np.ndarray:
        """One value (T,) of a left and a right one (T, 2): the mean, or from the side the near one.

        In a side view the far joint is hidden behind the near one and mostly guessed. Of a
        repetition with one side it is that side's, which must not be the far one.
        """
        if self.only is not None:
            hidden = self.from_side and self.only != self.side
            return np.full(len(both), np.nan) if hidden else np.asarray(both[:, self.only])
        return np.asarray(both[:, self.side]) if self.from_side else mean_known(both)

    def frame_at(self, time_s: float) -> int:
        """The frame nearest to a second."""
        return int(np.abs(self.time_s - time_s).argmin())

    def why_not(self, joints: Sequence[int], frames: np.ndarray) -> str | None:
        """What speaks against ``joints`` in ``frames``, with the film's seconds."""
        evidence = replace(self.evidence, time_s=self.time_s * self.slow_motion)
        return evidence.why_not(joints, frames)

    def about(self, values: np.ndarray, frame: int) -> float:
        """The median of ``values`` (T,) around a frame; NaN where less than half was seen."""
        self.rest_on(frame)
        part = values[self.near(frame) & self.observed]
        seen = len(part) > 0 and np.isfinite(part).mean() >= HALF_SEEN
        return median(part) if seen else float("nan")

    def rest_on(self, first: int, last: int | None = None) -> None:
        """Note that a figure is taken from what is around a frame, which has to be looked at; or
        from all frames from ``first`` to ``last``."""
        at_s = float(self.time_s[first])
        if last is None:
            self.asked.append(around(at_s))
        self.asked.append((at_s, float(self.time_s[first if last is None else last]), 0.0))

    def near(self, frame: int) -> np.ndarray:
        """bool (T,): the frames that a value at ``frame`` is taken from, in the same shot."""
        near = np.abs(self.time_s - self.time_s[frame]) <= WINDOW_S + 1e-9
        return np.asarray(near & (self.shots == self.shots[frame]))

    def signal(self, name: str) -> np.ndarray:
        """A signal (T,) of ``motion/signals.py`` in statures, of the side that is looked at."""
        values = SIGNALS[name](self.xy / self.size)
        if values.shape[1] == 1:
            return np.asarray(values[:, 0])
        return self.of_pair(values) if self.only is not None else mean_known(values)

    @property
    def facing(self) -> float:
        """1 when the lifter faces right in a side view, -1 left: knees bend forwards."""
        bent = self.xy[:, list(KNEES)] - (self.xy[:, list(HIPS)] + self.xy[:, list(ANKLES)]) / 2
        return 1.0 if np.nansum(bent[..., 0]) >= 0 else -1.0


def around(at_s: float) -> Rest:
    """What a value at a moment rests on."""
    return at_s - WINDOW_S, at_s + WINDOW_S, DENSE_S


def body_of(pose: PoseSequence, tracks: CleanTracks, *, lying: bool = False) -> Body | None:
    """The lifter of a clip, ``tracks`` being ``clean(pose)``; None when nobody was found.

    ``lying`` says that the exercise has a level trunk: see :func:`motion.angles.turned`.

    Where plates hide the lifter a network puts joints somewhere else, sometimes with confidence.
    Bones do not change their length: in a side view those of legs and trunk must show all of it;
    in other views they may look shorter.
    """
    size = stature(tracks.xy)
    if not np.isfinite(size):
        return None
    evidence = evidence_of(pose, tracks)
    xy = np.where(evidence.known[..., None], tracks.xy, np.nan).astype(np.float64)
    view = turned(xy, size, lying=lying)
    every = segment_lengths(xy)  # (T, 9)
    lengths = every[:, :5]
    whole = np.array([_whole(lengths[:, i], SEGMENTS[i][2] * size) for i in range(5)])
    shortest = SHORTEST if view >= SIDE else 0.0
    trunk, left_thigh, right_thigh, left_shank, right_shank = (
        (lengths >= shortest * whole) & (lengths <= LONGEST * whole)
    ).T
    angles, lean = joint_angles(xy), trunk_lean(xy)
    angles[:, HIPS[0]][~(trunk & left_thigh)] = np.nan
    angles[:, HIPS[1]][~(trunk & right_thigh)] = np.nan
    angles[:, KNEES[0]][~(left_thigh & left_shank)] = np.nan
    angles[:, KNEES[1]][~(right_thigh & right_shank)] = np.nan
    lean[~trunk] = np.nan
    # a thigh of length L whose ends differ in height by h is tilted by asin(h / L), from whichever
    # side a level camera looks
    drop = (xy[:, list(HIPS)] - xy[:, list(KNEES)])[..., 1] / np.maximum(whole[1:3], 1e-6)
    thighs = np.degrees(np.arcsin(np.clip(drop, -1, 1)))
    thighs[~np.stack([left_thigh, right_thigh], axis=1)] = np.nan
    arms = np.array([_whole(every[:, i], SEGMENTS[i][2] * size) for i in range(5, 9)])
    bones = (every[:, 5:] / np.maximum(arms, 1e-6))[:, [[0, 2], [1, 3]]]
    left, right = (pose.score[:, list(joints)].mean() for joints in zip(*BODY_PAIRS, strict=True))
    return Body(
        evidence,
        tracks.time_s,
        tracks.shots,
        xy,
        size,
        view,
        int(right > left),
        angles,
        lean,
        thighs,
        bones,
        np.maximum(arms[:2], 1e-6),
        np.maximum(arms[2:], 1e-6),
        ~pose.interpolated,
    )


def bodies_of(pose: PoseSequence, tracks: CleanTracks, *, lying: bool = False) -> list[Body]:
    """The lifter in each shot in which somebody was found: size and view differ between shots.

    Stands of the picture belong to the shot around them. Empty when nobody was found.
    """
    found = []
    for shot in np.unique(pose.shots[pose.shots >= 0]):
        frames = np.flatnonzero(pose.shots == shot)
        part = slice(int(frames[0]), int(frames[-1]) + 1)
        body = body_of(pose.part(part), tracks.part(part), lying=lying)
        if body is not None:
            found.append(body)
    return found


def nearest_body(bodies: Sequence[Body], second: float) -> Body:
    """The one of ``bodies`` whose shot shows a second of life, or is nearest to it."""
    return min(bodies, key=lambda body: float(np.abs(body.time_s - second).min()))


def _whole(lengths: np.ndarray, usual: float) -> float:
    """A bone's true length in px: the longest seen, within what a body of this size can have."""
    known = lengths[np.isfinite(lengths)]
    longest = float(np.percentile(known, 85)) if len(known) else usual
    return float(np.clip(longest, 0.8 * usual, 1.2 * usual))


def median(values: np.ndarray) -> float:
    """The median of the finite ``values``; NaN when there are none."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")
