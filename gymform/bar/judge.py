"""Is it the plate of a barbell, and can its size be trusted? Where not, why not, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gymform.bar.find import Candidate
from gymform.bar.hands import Hands
from gymform.bar.windows import MIDDLE, TORSO_PX, Window

MIN_SCORE = 0.26
"""Least support of the rim in the mean of all windows, of -1 to 1."""

MIN_ARC = 0.7
"""Least share of the rim that is supported."""

ARC = 0.15
"""Support from which on a part of the rim counts as seen, in the mean of all windows."""

MIN_SEEN = 0.6
"""Least share of the lift's frames in which the plate is seen."""

MIN_LIKENESS = 0.95
"""Least correlation of the plate's height with that of the hands."""

RATIO = (0.7, 1.75)
"""How far a plate may go up for each px that the hands do: it is nearer to the camera."""

MAX_CHANGE = 0.05
"""A plate whose radius differs by more than this share from what it usually is has no scale."""

MIN_ASPECT = 0.65
"""A plate seen narrower than this is seen too obliquely for its size to be trusted."""

MAX_CAMERA = 0.05
"""Picture diagonals a second: a camera that moves faster pans too much for metres."""

OBLIQUE, BESIDE = 0.88, 0.25
"""A plate that is narrower than this is at the end of a bar that points away from the camera or to
it, so it lies at least so many torsos beside the hands: a chest or a back does not."""

TORSOS = (0.36, 0.76)
"""Radii in torsos of plates of the usual 450 mm: others are smaller, or nearer to the camera."""


@dataclass(frozen=True)
class Evidence:
    """What was measured of a followed plate; shares from 0 to 1.

    ``seen`` of the lift's frames, ``likeness`` the correlation of its height with the hands' and
    ``ratio`` its range against theirs, ``change`` how much its radius varies either way, ``camera``
    picture diagonals a second, ``torsos`` its radius in torsos.
    """

    seen: float
    likeness: float
    ratio: float
    change: float
    camera: float
    aspect: float
    torsos: float


def is_seen(candidate: Candidate) -> bool:
    """Is the rim supported well enough, all around, and where a plate can be?"""
    arcs = float((candidate.arcs > ARC).mean())
    beside = abs(candidate.x - MIDDLE) / TORSO_PX
    placed = candidate.aspect > OBLIQUE or beside >= BESIDE
    return bool(candidate.score >= MIN_SCORE and arcs >= MIN_ARC and placed)


def is_head(candidate: Candidate, windows: list[Window], hands: Hands) -> bool:
    """Does the face lie inside the disc, which is no larger than a head with its hair?"""
    inside = [_on_face(candidate, i, window, hands) for i, window in enumerate(windows)]
    return candidate.r < 0.42 * TORSO_PX and float(np.mean(inside)) > 0.5


def _on_face(candidate: Candidate, i: int, window: Window, hands: Hands) -> bool:
    frame = int(np.abs(hands.time_s - window.time_s).argmin())
    face = window.to_window(hands.head[frame])
    centre = np.array([candidate.x, candidate.y]) + candidate.shifts[i]
    return bool(np.hypot(*(face - centre)) < candidate.r)


def why_no_plate(evidence: Evidence) -> Iterator[str]:
    """Sentences about what speaks against its being the plate; none where nothing does."""
    if evidence.seen < MIN_SEEN:
        yield f"A round thing at the hands is seen in {evidence.seen:.0%} of the lift only."
    low, high = RATIO
    if not evidence.likeness >= MIN_LIKENESS or not low <= evidence.ratio <= high:
        yield "What is round near the hands does not go up and down as they do."


def doubts_of_size(evidence: Evidence, plate_given: bool) -> Iterator[str]:
    """Sentences about what makes the scale unsure; none where metres can be trusted."""
    if evidence.change > MAX_CHANGE:
        yield (
            f"The plate's size in the picture changes by {evidence.change:.0%} either way: the bar "
            "or the camera comes nearer, so there are no metres."
        )
    if evidence.aspect < MIN_ASPECT:
        yield "The plate is seen too obliquely for metres: film it from the side."
    if evidence.camera > MAX_CAMERA:
        yield "The camera pans too much for metres: keep it still."
    if not plate_given and not TORSOS[0] <= evidence.torsos <= TORSOS[1]:
        yield (
            "The plate does not have the size of a 450 mm plate beside the lifter's body: say its "
            "diameter to get metres."
        )
