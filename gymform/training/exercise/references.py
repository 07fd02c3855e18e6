"""The clips that a model keeps to compare with: what its networks make of them, and a skeleton."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from gymform.exercise import classifier as clf
from gymform.exercise.features import features
from gymform.exercise.nearest import Bank, bank_of, shown_poses
from gymform.exercise.networks.registry import Encode
from gymform.motion.body_size import stature
from gymform.motion.clean import clean
from gymform.motion.repetitions import whole_repetitions
from gymform.skeleton import BODY
from gymform.training.exercise.tracks import LabelledPose
from gymform.types import CleanTracks, within

LONGEST_S = 4.0
"""Of a clip without a repetition so much is shown, from its middle."""

LEAST_SEEN = 0.6
"""Clips in whose repetition a smaller share of the body is known are not kept: nobody would
recognise it."""


@dataclass(frozen=True, eq=False)
class Reference:
    """A clip that can be compared with: its stretches, and one repetition to look at, ``poses``
    (P, 17, 2) statures over ``seconds``."""

    clip: LabelledPose
    stretches: list[clf.Stretch]
    poses: np.ndarray
    seconds: float


def make_references(clips: Iterable[LabelledPose], encode: Encode = features) -> list[Reference]:
    """The ``clips`` that are seen well enough to be shown."""
    found = []
    for clip in clips:
        tracks = clean(clip.pose)
        shown = _one_repetition(tracks)
        if shown is not None:
            found.append(Reference(clip, clf.cut(tracks, encode), *shown))
    return found


def make_bank(networks: Sequence[nn.Module], references: Sequence[Reference]) -> Bank | None:
    """The ``references`` as ``networks`` see them; None where there are none."""
    return bank_of(
        [
            (one.clip.action, one.clip.group, clf.look(networks, one.stretches)[1],
             one.poses, one.seconds)
            for one in references
        ]
    )  # fmt: skip


def _one_repetition(tracks: CleanTracks) -> tuple[np.ndarray, float] | None:
    """(poses (P, 17, 2) statures, seconds) of the repetition in which most is known; else None."""
    best, most = None, LEAST_SEEN
    for start, end in whole_repetitions(tracks) or [_middle(tracks)]:
        inside = within(tracks.time_s, start, end)
        known = float(np.isfinite(tracks.xy[inside][:, list(BODY)]).all(-1).mean())
        if inside.sum() > 2 and known >= most:
            best, most = inside, known
    if best is None:
        return None
    xy, time_s, size = tracks.xy[best], tracks.time_s[best], stature(tracks.xy)
    return (shown_poses(xy, time_s, size), float(time_s[-1] - time_s[0])) if size > 0 else None


def _middle(tracks: CleanTracks) -> tuple[float, float]:
    """Seconds of the middle of a clip."""
    start, end = float(tracks.time_s[0]), float(tracks.time_s[-1])
    spare = max(0.0, end - start - LONGEST_S) / 2
    return start + spare, end - spare
