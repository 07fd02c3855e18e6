"""A measure over weeks: one value for each result, from what the history keeps of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

ASYMMETRY = "asymmetry"
"""How much left and right differ in height; see `compare.symmetry`."""

LOSS = "loss"
"""The loss of speed within a set, per cent of its fastest repetition: see `form.set_speed`."""

SET = "set"
"""Where a summary has the loss of its set, and what it was told by; older summaries lack it."""

TITLES: dict[str, tuple[str, str]] = {
    "thigh_below_level": ("Depth", "° below level"),
    "speed": ("Speed on the way up", "% of height a second"),
    "bar_speed": ("Mean speed of the bar", "m/s"),
    "bar_rise": ("Rise of the bar", "cm"),
    ASYMMETRY: ("Left and right differ in height", "% of height"),
    LOSS: ("Loss of speed in the set", "%"),
    "lifting_s": ("Time up", "s"),
    "lowering_s": ("Time down", "s"),
    "trunk_lean": ("Trunk lean at the bottom", "°"),
    "tip": ("Trunk tips on the way up by", "°"),
    "knees_apart": ("Knees apart, of the ankles", "%"),
    "bar_ahead": ("Hands before the midfoot", "%"),
    "top_hip": ("Hip angle at the top", "°"),
    "top_knee": ("Knee angle at the top", "°"),
    "catch_elbow": ("Elbow angle at the catch", "°"),
    "rack_elbow": ("Elbow angle in the rack", "°"),
    "low_lean": ("Trunk lean at the bottom", "°"),
    "knee_change": ("Knees bend and stretch by", "°"),
    "low_depth": ("Hips at the bottom", "° below level"),
    "front_thigh": ("Front thigh at the bottom", "° below level"),
    "rear_knee": ("Rear knee above the foot", "% of height"),
    "low_arm": ("Elbows at the bottom", "° below level"),
    "low_shoulders": ("Shoulders below the elbows", "°"),
    "low_elbow": ("Elbow angle, arms stretched", "°"),
    "top_elbow": ("Elbow angle at the top", "°"),
    "top_hands": ("Hands at the top", "% of height"),
    "low_hands": ("Hands above the shoulders", "% of height"),
    "lean_back": ("Trunk leans back by", "°"),
    "sag": ("Hips sag by", "°"),
    "pike": ("Hips stick up by", "°"),
    "top_chin": ("Nose above the hands", "% of height"),
    "hang_elbow": ("Elbow angle in the hang", "°"),
    "kip": ("Hips bend and stretch by", "°"),
    "trunk_swing": ("The trunk moves by", "°"),
    "top_upper_arm": ("Elbow behind the trunk", "°"),
    "upper_arm_swing": ("The upper arm moves by", "°"),
    "top_arm": ("Elbows below the shoulders", "°"),
    "top_trunk": ("Trunk at the top", "°"),
    "low_trunk": ("Trunk at the bottom", "°"),
    "hands_over_head": ("Hands above the nose", "% of height"),
    "top_feet": ("Feet apart, of the shoulders", "%"),
    "even": ("Left and right differ by", "% of the way"),
}
"""What can be followed over weeks: title and unit by the key of the measure."""


@dataclass(frozen=True)
class Change:
    """A measure in one result and in another: the means of their repetitions."""

    title: str
    unit: str
    here: float
    there: float


def value_of(summary: Mapping[str, Any], key: str) -> float | None:
    """The mean of a measure over the whole repetitions of a result, as its summary has it."""
    reps = [rep["measures"] for rep in summary.get("repetitions", ()) if not rep.get("cut_off")]
    if key == LOSS and SET in summary:
        loss = (summary[SET] or {}).get("loss")
        return None if loss is None else float(loss)
    if key == LOSS:
        speeds = [float(rep["speed"]) for rep in reps if rep.get("speed", 0) > 0]
        return 100 * (1 - speeds[-1] / max(speeds)) if len(speeds) > 1 else None
    values = [float(rep[key]) for rep in reps if key in rep]
    return fmean(values) if values else None


def followed(summaries: list[Mapping[str, Any]]) -> list[str]:
    """The keys of :data:`TITLES` that two or more results have."""
    return [
        key for key in TITLES
        if sum(value_of(summary, key) is not None for summary in summaries) > 1
    ]  # fmt: skip


def changes(here: Mapping[str, Any], there: Mapping[str, Any]) -> list[Change]:
    """How the measures of one result differ from those of another, where both have them."""
    found = []
    for key, (title, unit) in TITLES.items():
        one, other = value_of(here, key), value_of(there, key)
        if one is not None and other is not None:
            found.append(Change(title, unit, one, other))
    return found
