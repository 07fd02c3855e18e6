"""Which parts of the body a prediction depends on, by ablation.

A part is kept still: its bones stay at their median position relative to the joint they start from,
and everything attached to them moves along. The networks then judge a movement that never happened,
so only large differences mean anything.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gymform import skeleton as sk
from gymform.types import Prediction

MATTERS = 0.1
"""A part matters when the likeliest class loses this much probability without its movement."""

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
"""Bones (from, to) of each part, from the trunk outwards."""

HANGING: dict[int, tuple[int, ...]] = {
    sk.LEFT_SHOULDER: (sk.LEFT_ELBOW, sk.LEFT_WRIST),
    sk.RIGHT_SHOULDER: (sk.RIGHT_ELBOW, sk.RIGHT_WRIST),
    sk.LEFT_ELBOW: (sk.LEFT_WRIST,),
    sk.RIGHT_ELBOW: (sk.RIGHT_WRIST,),
    sk.LEFT_KNEE: (sk.LEFT_ANKLE,),
    sk.RIGHT_KNEE: (sk.RIGHT_ANKLE,),
}
"""The joints that move along with a joint. The head moves along with the trunk."""


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
    """A part whose movement a prediction depends on.

    Without its movement the likeliest class has only ``probability``, and ``instead`` is the
    likeliest.
    """

    part: str
    probability: float
    instead: str


def reasons(prediction: Prediction) -> list[Reason]:
    """The parts that the prediction depends on, the most decisive first; maybe none."""
    best = prediction.classes.index(prediction.likeliest())
    found = [
        Reason(one.part, one.probabilities[best], prediction.likeliest(one.probabilities))
        for one in prediction.ablations
        if prediction.probabilities[best] - one.probabilities[best] >= MATTERS
    ]
    return sorted(found, key=lambda reason: reason.probability)
