"""Where the hands are in each frame, and when they lift: the bar is where they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gymform.motion.body_size import TORSO, midpoint, stature
from gymform.motion.clean import clean
from gymform.skeleton import SHOULDERS, WRISTS
from gymform.types import PoseSequence, within_any

MIN_KNOWN = 0.5
"""Hands that are known in a smaller share of a lift's frames do not tell where the bar is."""

WINDOW_S, LEAST_RANGE = 1.6, 0.35
"""Hands lift while they go up or down by so many torsos within so many seconds."""

MARGIN_S = 0.15
"""A lift is looked at from so long before it to so long after it, seconds."""


@dataclass(frozen=True, eq=False)
class Hands:
    """``xy`` float64 (T, 2) px: the middle of the hands, NaN unknown; ``time_s`` (T,) rising.

    ``lifting`` bool (T,) are the frames in which repetitions are done, ``torso`` px from the
    shoulders to the hips, ``head`` float64 (T, 2) px the middle of the face. ``shoulders`` says
    that wrists were not seen and shoulders stand in.
    """

    xy: np.ndarray
    time_s: np.ndarray
    lifting: np.ndarray
    torso: float
    head: np.ndarray
    shoulders: bool

    def at(self, time_s: np.ndarray) -> np.ndarray:
        """Where the hands are (N, 2) px at seconds (N,), interpolated; NaN outside what is known.

        Between two frames of the pose sequence both have to be known.
        """
        return np.stack([np.interp(time_s, self.time_s, self.xy[:, i], np.nan, np.nan)
                         for i in (0, 1)], axis=-1)  # fmt: skip


def hands_of(
    pose: PoseSequence, repetitions: Sequence[tuple[float, float]] | None = None
) -> Hands | None:
    """The hands of a clip's lifter; None where neither hands nor size are known.

    ``repetitions`` are (start, end) in seconds; None: the hands lift where they go up or down.
    """
    tracks = clean(pose)
    torso = TORSO * stature(tracks.xy)
    if not np.isfinite(torso):
        return None
    xy = tracks.xy.astype(np.float64)
    spans = [(start - MARGIN_S, end + MARGIN_S) for start, end in repetitions or ()]
    said = within_any(pose.time_s, spans)
    for joints in (WRISTS, SHOULDERS):
        middle = steady_middle(xy[:, list(joints)])
        counted = said if said.any() else pose.present
        if np.isfinite(middle[counted, 0]).mean() < MIN_KNOWN:
            continue
        ups = moving(middle[:, 1], pose.time_s, LEAST_RANGE * torso)
        lifting = said if said.any() else ups
        return _hands(xy, middle, pose.time_s, lifting, joints) if (ups & lifting).any() else None
    return None


def moving(height: np.ndarray, time_s: np.ndarray, least: float) -> np.ndarray:
    """bool (T,): around which frames a height (T,) changes by at least so much within a second.

    NaN where the height is unknown: such frames do not move.
    """
    known = np.isfinite(height)
    out = np.zeros(len(time_s), bool)
    if known.sum() < 2:
        return out
    times, heights = time_s[known], height[known]
    first = np.searchsorted(times, times - WINDOW_S / 2)
    last = np.searchsorted(times, times + WINDOW_S / 2, side="right")
    out[known] = [np.ptp(heights[a:b]) >= least for a, b in zip(first, last, strict=True)]
    return out


def _hands(
    xy: np.ndarray,
    middle: np.ndarray,
    time_s: np.ndarray,
    lifting: np.ndarray,
    joints: tuple[int, int],
) -> Hands | None:
    torso = TORSO * stature(xy[lifting])
    if not np.isfinite(torso):
        return None
    head = midpoint(xy, (0, 1, 2, 3, 4))
    return Hands(middle, time_s, lifting, torso, head, joints == SHOULDERS)


def steady_middle(pair: np.ndarray) -> np.ndarray:
    """The middle (T, 2) of two joints (T, 2, 2), NaN where neither is known.

    Where one of them is known only, the other is taken to be as far from it as it usually is, so
    that the middle does not jump.
    """
    known = np.isfinite(pair).all(-1)  # (T, 2)
    both = known.all(-1)
    middle = pair.mean(1)
    half = np.median(pair[both, 1] - pair[both, 0], axis=0) / 2 if both.any() else np.zeros(2)
    for side, sign in ((0, 1), (1, -1)):
        alone = known[:, side] & ~both
        middle[alone] = pair[alone, side] + sign * half
    return np.asarray(middle)
