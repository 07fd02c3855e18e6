"""What can be measured of a body at a moment, by the name that exercises use.

Each quantity is one value a frame, NaN where the joints that it rests on were not seen. Angles are
in degrees, lengths in per cent of the lifter's stature. Up is up in the picture, which is level
enough for somebody who stands, hangs or lies.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gymform import skeleton as sk
from gymform.form.body import FULL, Body, median
from gymform.motion.body_size import midpoint
from gymform.motion.signals import RESTS_ON as SIGNAL_RESTS_ON
from gymform.skeleton import ANKLES, ELBOWS, HIPS, KNEES, SHOULDERS, WRISTS

BELOW_LEVEL = "° below level"
"""Unit of depth: above 0 the top of the knee is higher than the hip crease."""

ABOVE_LEVEL = "° above level"
"""Unit of a limb that should point up, or down: below 0 it points the other way."""

BEHIND = "° behind"
"""Unit of an upper arm beside the trunk: below 0 it is before it."""

BEFORE = "% before"
"""Unit of the hands' distance from the middle of the feet: above 0 in front, below 0 behind."""

ABOVE = "% above"
"""Unit of a height over another joint, in per cent of the stature: below 0 it is lower."""

CM_BEFORE = "cm before"
"""Unit of the bar's distance from the middle of the feet: above 0 in front, below 0 behind."""

OF_HEIGHT = "% of height"

EITHER_WAY: dict[str, tuple[str, str]] = {
    BELOW_LEVEL: ("° below level", "° above level"),
    ABOVE_LEVEL: ("° above level", "° below level"),
    BEHIND: ("° behind", "° before"),
    BEFORE: (" % before", " % behind"),
    ABOVE: (" % above", " % below"),
    CM_BEFORE: (" cm before", " cm behind"),
}
"""Units of what may lie to either side, in words for values from 0 on and below 0."""

SHORT_ARM = 0.4
"""Upper arms and forearms that look shorter than this share of their length point at the camera, or
end behind the plate: the angle between them in the picture then says little."""

AGREE = 25.0
"""Degrees by which an elbow in the picture may differ from what the hand's distance tells."""

FRONT_LEG = 15.0
"""Degrees by which the front thigh of a lunge is nearer to level than the rear one, at least."""


def upper_arm(body: Body) -> np.ndarray:
    """How far (T,) the elbow is below the shoulder, as the slope of the upper arm, °."""
    drop = body.xy[:, list(ELBOWS), 1] - body.xy[:, list(SHOULDERS), 1]  # (T, 2)
    slopes = np.degrees(np.arcsin(np.clip(drop / body.upper_arms, -1, 1)))
    return body.of_pair(np.where(body.arm_bones[..., 0] <= FULL[1], slopes, np.nan))


def arm(body: Body) -> np.ndarray:
    """Degrees (T,) at the elbow where the arm moves across the line of sight.

    An elbow that points to the camera looks straight however much it is bent, but its hand is then
    nearer to the shoulder than a straight arm allows: where the distance of the hand tells another
    angle than the picture, nothing is said.
    """
    flat = ((body.arm_bones >= FULL[0]) & (body.arm_bones <= FULL[1])).all(-1)  # (T, 2)
    seen = body.angles[:, list(ELBOWS)]
    with np.errstate(invalid="ignore"):
        flat &= np.abs(seen - _elbow_by_reach(body)) <= AGREE
    return body.of_pair(np.where(flat, seen, np.nan))


def elbow_overhead(body: Body) -> np.ndarray:
    """Degrees (T,) at the elbow of arms that hold a bar, and may point halfway to the camera.

    A wide grip shortens both bones in a view from the side, but does not bend a straight arm.
    """
    with np.errstate(invalid="ignore"):
        shown = (body.arm_bones >= SHORT_ARM).all(-1)  # (T, 2)
    return body.of_pair(np.where(shown, body.angles[:, list(ELBOWS)], np.nan))


def _elbow_by_reach(body: Body) -> np.ndarray:
    """Degrees (T, 2) at the elbows by how far hands are from shoulders (law of cosines)."""
    reach = np.linalg.norm(body.xy[:, list(WRISTS)] - body.xy[:, list(SHOULDERS)], axis=-1)
    upper, fore = body.upper_arms, body.forearms
    cosine = (upper**2 + fore**2 - reach**2) / (2 * upper * fore)
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def hip_bend(body: Body) -> np.ndarray:
    """Degrees (T,) by which hips hang below the line from shoulders to knees; below 0 above it."""
    bends = []
    for side in (0, 1):
        shoulder, hip, knee = (body.xy[:, pair[side]] for pair in (SHOULDERS, HIPS, KNEES))
        along = (hip - shoulder)[:, 0] / _not_zero((knee - shoulder)[:, 0])
        line = shoulder[:, 1] + along * (knee - shoulder)[:, 1]
        side_of_line = np.sign(hip[:, 1] - line)
        bends.append((180 - body.angles[:, HIPS[side]]) * side_of_line)
    return body.of_pair(np.stack(bends, axis=1))


def nose_over_hands(body: Body) -> np.ndarray:
    """How far (T,) the nose is above the hands."""
    return _above(body, body.xy[:, sk.NOSE], midpoint(body.xy, WRISTS))


def hands_up(body: Body) -> np.ndarray:
    """How far (T,) the hands are above the shoulders."""
    return _above(body, *(_pair(body, pair) for pair in (WRISTS, SHOULDERS)))


def hands_beside(body: Body) -> np.ndarray:
    """How far (T,) the hands are from a plumb line through the shoulders, to either side."""
    aside = _pair(body, WRISTS)[:, 0] - _pair(body, SHOULDERS)[:, 0]
    return np.asarray(100 * np.abs(aside) / body.size)


def lean_back(body: Body) -> np.ndarray:
    """Degrees (T,) by which the trunk leans away from where the nose points; below 0 forward."""
    trunk = midpoint(body.xy, SHOULDERS) - midpoint(body.xy, HIPS)
    ahead = median(body.xy[:, sk.NOSE, 0] - midpoint(body.xy, SHOULDERS)[:, 0])
    if not abs(ahead) > 0.01 * body.size:
        return np.full(len(trunk), np.nan)
    lean = np.degrees(np.arctan2(-np.sign(ahead) * trunk[:, 0], -trunk[:, 1]))
    return np.where(np.isfinite(body.lean), lean, np.nan)


def sit(body: Body) -> np.ndarray:
    """Degrees (T,) of the trunk from the floor: 0 lying, 90 upright, more bent to the knees."""
    hips = midpoint(body.xy, HIPS)
    trunk, thighs = midpoint(body.xy, SHOULDERS) - hips, midpoint(body.xy, KNEES) - hips
    to_knees = np.sign(median(thighs[:, 0]))
    angle = np.degrees(np.arctan2(-trunk[:, 1], -to_knees * trunk[:, 0]))
    return np.where(np.isfinite(body.lean), angle, np.nan)


def front_thigh(body: Body) -> np.ndarray:
    """How far (T,) the front thigh of a lunge points below level; the rear one points down."""
    slopes = body.thighs + body.thigh_bias
    return np.where(_splits(slopes), slopes.max(-1), np.nan)


def front_knee(body: Body) -> np.ndarray:
    """Degrees (T,) at the knee of the front leg of a lunge."""
    front = np.argmax(np.nan_to_num(body.thighs, nan=-1e9), axis=-1)
    angles = body.angles[:, list(KNEES)][np.arange(len(front)), front]
    return np.where(_splits(body.thighs), angles, np.nan)


def rear_knee(body: Body) -> np.ndarray:
    """How far (T,) the lower knee of a lunge is above the lower ankle."""
    knees, ankles = body.xy[:, list(KNEES), 1], body.xy[:, list(ANKLES), 1]
    return np.asarray(100 * (ankles.max(-1) - knees.max(-1)) / body.size)


def feet_apart(body: Body) -> np.ndarray:
    """Distance (T,) of the ankles, in per cent of that of the shoulders."""
    feet, shoulders = (np.abs(body.xy[:, a, 0] - body.xy[:, b, 0]) for a, b in (ANKLES, SHOULDERS))
    return np.asarray(100 * feet / max(median(shoulders), 1e-6))


def elbow_behind(body: Body) -> np.ndarray:
    """Degrees (T,) by which the upper arm points behind the trunk; below 0 before it.

    Before and behind are told by the forearm, which hangs or points forward from the elbow.
    """
    trunk = midpoint(body.xy, HIPS) - midpoint(body.xy, SHOULDERS)
    angles = []
    for side in (0, 1):
        upper = body.xy[:, ELBOWS[side]] - body.xy[:, SHOULDERS[side]]
        fore = body.xy[:, WRISTS[side]] - body.xy[:, ELBOWS[side]]
        forward = np.sign(median(_cross(trunk, fore)))
        behind = np.arctan2(-forward * _cross(trunk, upper), (trunk * upper).sum(-1))
        angles.append(np.degrees(behind))
    both = np.stack(angles, axis=1)
    return body.of_pair(np.where(body.arm_bones[..., 0] <= FULL[1], both, np.nan))


def _splits(slopes: np.ndarray) -> np.ndarray:
    """bool (T,): are both thighs seen, and one clearly before the other?"""
    return np.asarray(np.abs(slopes[:, 0] - slopes[:, 1]) >= FRONT_LEG)


def _pair(body: Body, pair: tuple[int, int]) -> np.ndarray:
    """(T, 2) px: the middle of a pair, or the joint of the side that is looked at."""
    return np.stack([body.of_pair(body.xy[:, list(pair), axis]) for axis in (0, 1)], axis=-1)


def _above(body: Body, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.asarray(100 * (other - one)[:, 1] / body.size)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])


def _not_zero(values: np.ndarray) -> np.ndarray:
    return np.where(np.abs(values) < 1e-6, np.nan, values)


Quantity = Callable[[Body], np.ndarray]

QUANTITIES: dict[str, tuple[Quantity, str]] = {
    "knee": (lambda body: body.angle(KNEES), "°"),
    "hip": (lambda body: body.angle(HIPS), "°"),
    "elbow": (lambda body: body.angle(ELBOWS), "°"),
    "shoulder": (lambda body: body.angle(SHOULDERS), "°"),
    "lean": (lambda body: body.lean, "°"),
    "depth": (lambda body: body.depth, BELOW_LEVEL),
    "arm": (arm, "°"),
    "upper_arm": (upper_arm, BELOW_LEVEL),
    "arm_up": (lambda body: -upper_arm(body), ABOVE_LEVEL),
    "sag": (hip_bend, "°"),
    "pike": (lambda body: -hip_bend(body), "°"),
    "nose_over_hands": (nose_over_hands, ABOVE),
    "hands_over_nose": (lambda body: -nose_over_hands(body), ABOVE),
    "hands_up": (hands_up, ABOVE),
    "hands_beside": (hands_beside, OF_HEIGHT),
    "lean_back": (lean_back, "°"),
    "sit": (sit, "°"),
    "front_thigh": (front_thigh, BELOW_LEVEL),
    "front_knee": (front_knee, "°"),
    "rear_knee": (rear_knee, ABOVE),
    "feet_apart": (feet_apart, "%"),
    "elbow_behind": (elbow_behind, BEHIND),
}
"""What can be measured at a moment: a function of the body that gives values (T,), and the unit."""

RESTS_ON: dict[str, tuple[tuple[int, int], ...]] = {
    "knee": (HIPS, KNEES, ANKLES),
    "hip": (SHOULDERS, HIPS, KNEES),
    "elbow": (SHOULDERS, ELBOWS, WRISTS),
    "shoulder": (HIPS, SHOULDERS, ELBOWS),
    "lean": (SHOULDERS, HIPS),
    "depth": (HIPS, KNEES),
    "arm": (SHOULDERS, ELBOWS, WRISTS),
    "upper_arm": (SHOULDERS, ELBOWS),
    "arm_up": (SHOULDERS, ELBOWS),
    "sag": (SHOULDERS, HIPS, KNEES),
    "pike": (SHOULDERS, HIPS, KNEES),
    "nose_over_hands": ((sk.NOSE, sk.NOSE), WRISTS),
    "hands_over_nose": ((sk.NOSE, sk.NOSE), WRISTS),
    "hands_up": (WRISTS, SHOULDERS),
    "hands_beside": (WRISTS, SHOULDERS),
    "lean_back": (SHOULDERS, HIPS),
    "sit": (SHOULDERS, HIPS, KNEES),
    "front_thigh": (HIPS, KNEES),
    "front_knee": (HIPS, KNEES, ANKLES),
    "rear_knee": (KNEES, ANKLES),
    "feet_apart": (ANKLES, SHOULDERS),
    "elbow_behind": (SHOULDERS, ELBOWS, WRISTS),
    "tip": (SHOULDERS, HIPS),
    "knees_apart": (KNEES, ANKLES),
    "bar_ahead": (WRISTS, ANKLES),
    "catch_elbow": (SHOULDERS, ELBOWS, WRISTS),
    "press_out": (SHOULDERS, ELBOWS, WRISTS),
    "rack_elbow": (SHOULDERS, ELBOWS, WRISTS),
    "catch_ahead": (WRISTS, ANKLES),
    **SIGNAL_RESTS_ON,
}
"""The joints that a quantity, a signal, or a measure of its own, rests on."""


def values_of(body: Body, name: str) -> tuple[np.ndarray, str]:
    """The values (T,) of a quantity, and its unit."""
    quantity, unit = QUANTITIES[name]
    return quantity(body), unit
