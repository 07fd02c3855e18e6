"""A measure over weeks: one value for each result, from what the history keeps of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

ASYMMETRY = "asymmetry"
"""How much left and right differ in height; see `compare.symmetry`."""

LOSS = "loss"
"""The loss of speed within a set, per cent of its fastest repetition."""

TITLES: dict[str, tuple[str, str]] = {
    "thigh_below_level": ("Depth", "° below level"),
    "speed": ("Speed on the way up", "% of height a second"),
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
