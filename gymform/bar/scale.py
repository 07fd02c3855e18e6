"""Does the lifter's height bear out the scale that the plate gives? And what plates measure.

A plate is nearer to the camera than the lifter, so it is larger in the picture than beside a body.
By how much, its path tells: it goes up so much farther than the hands do.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gymform.bar.carrier import Bar
from gymform.bar.hands import Hands, hands_of
from gymform.motion.body_size import TORSO
from gymform.types import PoseSequence

PLATES = {
    "Bumper plate, 10 to 25 kg": 450.0,
    "Iron plate, 20 or 25 kg": 450.0,
    "Iron plate, 15 kg": 400.0,
    "Iron plate, 10 kg": 325.0,
    "Iron plate, 5 kg": 228.0,
}
"""Diameters in mm. The largest discs measure 450 mm by the rules of weightlifting (IWF Technical
and Competition Rules, 3.3) and at most 450 mm by those of powerlifting (IPF Technical Rules, bars
and discs). Rules say nothing of the smaller ones of iron: those are usual sizes of calibrated sets,
and others differ, so that measuring is better."""

MOST_APART = 0.10
"""Share by which the two scales may differ."""

NEARER = (1.0, 1.4)
"""How many times as large a thing is at the plate as at the body: half a bar nearer, seen from 2.6
metres or farther away. What goes beyond is the hands' error."""

MIN_FRAMES = 6


def checked_by_height(bar: Bar, pose: PoseSequence, height_cm: float) -> Bar:
    """``bar``, without metres where the lifter's height contradicts them, and why in a sentence.

    ``pose`` are the keypoints by which the bar was followed and ``height_cm`` is said by the user.
    A bar that has no metres, or whose lifter cannot be measured, comes back as it is. Check the bar
    as it was found: one that was checked by a wrong height has lost its scale.
    """
    measured = height_by(bar, pose)
    if measured is None or abs(measured / height_cm - 1) <= MOST_APART:
        return bar
    return replace(
        bar, mm_per_px=None, reasons=(*bar.reasons, _contradiction(bar, measured, height_cm))
    )


def height_by(bar: Bar, pose: PoseSequence) -> float | None:
    """How tall the lifter is by the plate's scale, cm; None without a scale or a lifter."""
    hands = hands_of(pose)
    if bar.mm_per_px is None or hands is None:
        return None
    return hands.torso / TORSO * nearer(bar, hands) * bar.mm_per_px / 10


def nearer(bar: Bar, hands: Hands) -> float:
    """How many times as large things are in the picture at the plate as at the hands.

    The slope of the plate's height against the hands', within `NEARER`; 1 of too few frames.
    """
    middle = hands.at(bar.time_s)[:, 1]
    both = bar.observed & bar.lifting & np.isfinite(middle)
    if both.sum() < MIN_FRAMES or middle[both].std() < 1e-6:
        return NEARER[0]
    slope = np.polyfit(middle[both], bar.xy[both, 1], 1)[0]
    return float(np.clip(slope, *NEARER))


def _contradiction(bar: Bar, measured: float, height_cm: float) -> str:
    return (
        f"By a plate of {bar.plate_mm:.0f} mm the lifter would be {measured:.0f} cm tall, and "
        f"{height_cm:.0f} cm were said: that is {abs(measured / height_cm - 1):.0%} apart, more "
        f"than {MOST_APART:.0%}, so there are no metres. Say the plate's diameter, or check the "
        "height."
    )
