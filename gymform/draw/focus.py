"""What is drawn over the picture while a remark about the form is looked at."""

from __future__ import annotations

from gymform.types import FRONT, SIDE

THIGH, TRUNK, HANDS, KNEES = "thigh", "trunk", "hands", "knees"
"""The thigh and its level; the lean of the trunk; the way of the hands; the width of the knees."""

_OF_MEASURE = {
    "thigh_below_level": THIGH,
    "tip": TRUNK,
    "trunk_lean": TRUNK,
    "start_lean": TRUNK,
    "bar_ahead": HANDS,
    "catch_ahead": HANDS,
    "speed": HANDS,
    "knees_apart": KNEES,
    "catch_elbow": "elbow",
    "press_out": "elbow",
    "top_hip": "hip",
    "hip_angle": "hip",
    "top_knee": "knee",
    "knee_angle": "knee",
    "start_knee": "knee",
    "front_thigh": THIGH,
    "low_depth": THIGH,
    "rear_knee": "knee",
    "front_knee": "knee",
    "low_knee": "knee",
    "knee_change": "knee",
    "low_lean": TRUNK,
    "lean_back": TRUNK,
    "trunk_swing": TRUNK,
    "top_trunk": TRUNK,
    "low_trunk": TRUNK,
    "sag": "hip",
    "pike": "hip",
    "kip": "hip",
    "low_arm": "elbow",
    "low_shoulders": "elbow",
    "low_elbow": "elbow",
    "top_elbow": "elbow",
    "hang_elbow": "elbow",
    "rack_elbow": "elbow",
    "top_upper_arm": "elbow",
    "upper_arm_swing": "elbow",
    "top_arm": "elbow",
    "top_hands": HANDS,
    "low_hands": HANDS,
    "top_chin": HANDS,
    "hands_over_head": HANDS,
    "top_feet": KNEES,
}

LOOP_S = 0.7
"""Seconds of life before and after a moment that are played again and again."""


_FROM_SIDE = (THIGH, TRUNK, HANDS)
"""What lies before or behind, or leans: seen from the front, a line would mislead."""


def focus_of(measure: str, turned: float) -> str:
    """What shows the measure of this key in the picture; "" where nothing does.

    ``turned`` are the degrees by which the lifter faces away from the camera, NaN unknown: a line
    is drawn only where it shows in this view what it stands for.
    """
    focus = _OF_MEASURE.get(measure, "")
    if focus in _FROM_SIDE and not turned >= SIDE:
        return ""
    if focus == KNEES and not turned <= FRONT:
        return ""
    return focus


def loop_around(at_s: float, end_s: float, slow_motion: float = 1.0) -> tuple[float, float]:
    """From and to, seconds of a clip that ends at ``end_s``: what to play around a moment."""
    reach = LOOP_S * slow_motion
    return max(0.0, at_s - reach), min(end_s, at_s + reach)
