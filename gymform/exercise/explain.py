"""What an answer rests on: what it would be, had a part of the body kept still.

A part keeps still by staying where it usually is from the joint that it hangs on; what hangs on it
goes along. The networks then judge a movement that did not happen, so that only large differences
say something.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gymform import skeleton as sk
from gymform.types import Prediction

MATTERS = 0.1
"""A part matters when the likeliest class loses so much probability without its movement."""

PARTS: dict[str, tuple[tuple[int, int], ...]] = {
    "arms": (
        (sk.LEFT_SHOULDER, sk.LEFT_ELBOW),
        (sk.RIGHT_SHOULDER, sk.RIGHT_ELBOW),
        (sk.LEFT_ELBOW, sk.LEFT_WRIST),
        (sk.RIGHT_ELBOW, sk.RIGHT_WRIST),
    ),
    "trunk": (
        (sk.LEFT_HIP, sk.LEFT_SHOULDER),
        (sk.RIGHT_HIP, sk.RIGHT_SHOULDER),
    ),
    "legs": (
        (sk.LEFT_HIP, sk.LEFT_KNEE),
        (sk.RIGHT_HIP, sk.RIGHT_KNEE),
        (sk.LEFT_KNEE, sk.LEFT_ANKLE),
        (sk.RIGHT_KNEE, sk.RIGHT_ANKLE),
    ),
}
"""Bones (from, to) of each part, in the order in which they hang on each other."""

HANGING: dict[int, tuple[int, ...]] = {
    sk.LEFT_SHOULDER: (sk.LEFT_ELBOW, sk.LEFT_WRIST),
    sk.RIGHT_SHOULDER: (sk.RIGHT_ELBOW, sk.RIGHT_WRIST),
    sk.LEFT_ELBOW: (sk.LEFT_WRIST,),
    sk.RIGHT_ELBOW: (sk.RIGHT_WRIST,),
    sk.LEFT_KNEE: (sk.LEFT_ANKLE,),
    sk.RIGHT_KNEE: (sk.RIGHT_ANKLE,),
}
"""What goes along when a joint is moved. The head goes along with the trunk."""


def with_part_still(xy: np.ndarray, part: str) -> np.ndarray:
    """``xy`` (T, 17, 2) with a part of :data:`PARTS` kept still; NaN stays NaN."""
    out = xy.copy()
    for start, end in PARTS[part]:
        bone = out[:, end] - out[:, start]
        known = np.isfinite(bone).all(-1)
        if not known.any():
            continue
        usual = np.median(bone[known], axis=0)
        shift = np.where(known[:, None], usual - bone, 0.0)  # (T, 2)
        for joint in (end, *HANGING.get(end, ())):
            out[:, joint] += shift
        if end in sk.SHOULDERS:
            out[:, list(sk.HEAD)] += shift[:, None] / len(sk.SHOULDERS)
    return out


@dataclass(frozen=True)
class Reason:
    """A part whose movement an answer rests on.

    Had it kept still, the likeliest class would be left with ``probability``, and ``instead`` would
    be the likeliest.
    """

    part: str
    probability: float
    instead: str


def reasons(prediction: Prediction) -> list[Reason]:
    """The parts of the body that decide, the most decisive first; none when none does alone."""
    best = prediction.classes.index(prediction.likeliest())
    found = [
        Reason(one.part, one.probabilities[best], prediction.likeliest(one.probabilities))
        for one in prediction.ablations
        if prediction.probabilities[best] - one.probabilities[best] >= MATTERS
    ]
    return sorted(found, key=lambda reason: reason.probability)
