"""What rises and falls with every repetition, by family: one quantity that the exercise moves.

A press takes the hands away from the shoulders, a pull-up lifts the shoulders to the hands, a
sit-up raises the trunk. Each signal is high where the load, or the lifter, is high; lengths are in
statures, so neither the size of the picture nor the distance of the camera matters. Distances
between joints also hold for somebody who lies, and for a camera that moves.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gymform import skeleton as sk
from gymform.motion.body_size import feet_of, mean_known, steady_midpoint

ARM = 0.332
"""Length of the arm to the wrist as a share of the stature (Drillis & Contini 1966)."""

RACKED = -0.05
"""Hands this far above the shoulders, or lower, are at the start of a press: also hands that hang.
"""

HANGING = 0.2
"""Hands this far below the shoulders do not hold a bar above them."""


def _sides(of: Callable[[int], np.ndarray]) -> np.ndarray:
    """(T, 2): a value of the left and of the right side."""
    return np.stack([of(0), of(1)], axis=1)


def hands_from_shoulders(xy: np.ndarray) -> np.ndarray:
    """(T, 2): how far each wrist is from its shoulder, in whatever direction."""
    return _sides(
        lambda side: np.linalg.norm(xy[:, sk.WRISTS[side]] - xy[:, sk.SHOULDERS[side]], axis=-1)
    )


def hands_to_shoulders(xy: np.ndarray) -> np.ndarray:
    """(T, 2): the same with its sign turned, for pulls and curls."""
    return -hands_from_shoulders(xy)


def hands_height(xy: np.ndarray) -> np.ndarray:
    """(T, 2): how far each wrist is above its shoulder; below 0 where it is lower."""
    return _sides(lambda side: (xy[:, sk.SHOULDERS[side]] - xy[:, sk.WRISTS[side]])[:, 1])


def hands_over_shoulders(xy: np.ndarray) -> np.ndarray:
    """(T, 2): the same, at least :data:`RACKED`: picking up a weight is no part of a press."""
    return np.asarray(np.maximum(hands_height(xy), RACKED))


def shoulders_to_bar(xy: np.ndarray) -> np.ndarray:
    """(T, 2): how far each shoulder is above its wrist, which holds a bar overhead.

    Hands that hang count as a full hang: the lifter stands before or after the set.
    """
    above = -hands_height(xy)
    return np.where(above > HANGING, -ARM, above)


def hands_over_hips(xy: np.ndarray) -> np.ndarray:
    """(T, 1): how far the hands are above the hips."""
    return np.asarray((steady_midpoint(xy, sk.HIPS) - steady_midpoint(xy, sk.WRISTS))[:, 1:])


def hands_over_feet(xy: np.ndarray) -> np.ndarray:
    """(T, 1): how far the hands are above the feet; above the hips where feet are rarely seen."""
    return np.asarray((_ground(xy) - steady_midpoint(xy, sk.WRISTS))[:, 1:])


def hips_over_feet(xy: np.ndarray) -> np.ndarray:
    """(T, 1): how far the hips are above the feet."""
    return np.asarray((feet_of(xy) - steady_midpoint(xy, sk.HIPS))[:, 1:])


def shoulders_over_hips(xy: np.ndarray) -> np.ndarray:
    """(T, 1): how far the shoulders are above the hips."""
    return np.asarray((steady_midpoint(xy, sk.HIPS) - steady_midpoint(xy, sk.SHOULDERS))[:, 1:])


def trunk_rise(xy: np.ndarray) -> np.ndarray:
    """(T, 1): how far shoulders and head are above the hips: a crunch lifts little more."""
    hips = steady_midpoint(xy, sk.HIPS)[:, 1]
    tops = [steady_midpoint(xy, sk.SHOULDERS)[:, 1], xy[:, sk.NOSE, 1]]
    return mean_known(np.stack([hips - top for top in tops], axis=1))[:, None]


def apart(xy: np.ndarray) -> np.ndarray:
    """(T, 1): how far the feet are apart and the hands are raised, together."""
    feet = np.linalg.norm(xy[:, sk.LEFT_ANKLE] - xy[:, sk.RIGHT_ANKLE], axis=-1)
    hands = mean_known(hands_height(xy))
    return np.asarray(np.where(np.isfinite(feet), feet, 0) + hands)[:, None]


def _ground(xy: np.ndarray) -> np.ndarray:
    """(T, 2): what heights are counted from: the feet, or the hips where feet are rarely seen."""
    feet = feet_of(xy)
    return feet if np.isfinite(feet).all(-1).mean() >= 0.5 else steady_midpoint(xy, sk.HIPS)


SIGNALS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    one.__name__: one
    for one in (
        hands_from_shoulders,
        hands_to_shoulders,
        hands_height,
        hands_over_shoulders,
        shoulders_to_bar,
        hands_over_hips,
        hands_over_feet,
        hips_over_feet,
        shoulders_over_hips,
        trunk_rise,
        apart,
    )
}
"""Signals by the name that exercises use: of ``xy`` (T, 17, 2) in statures, NaN where missing, one
column, or one each for left and right."""

RESTS_ON: dict[str, tuple[tuple[int, int], ...]] = {
    "hands_from_shoulders": (sk.SHOULDERS, sk.WRISTS),
    "hands_to_shoulders": (sk.SHOULDERS, sk.WRISTS),
    "hands_height": (sk.SHOULDERS, sk.WRISTS),
    "hands_over_shoulders": (sk.SHOULDERS, sk.WRISTS),
    "shoulders_to_bar": (sk.SHOULDERS, sk.WRISTS),
    "hands_over_hips": (sk.HIPS, sk.WRISTS),
    "hands_over_feet": (sk.WRISTS, sk.ANKLES),
    "hips_over_feet": (sk.HIPS, sk.ANKLES),
    "shoulders_over_hips": (sk.SHOULDERS, sk.HIPS),
    "trunk_rise": (sk.SHOULDERS, sk.HIPS),
    "apart": (sk.WRISTS, sk.ANKLES),
}
"""The joints that each signal rests on."""
