"""Whether a data set holds enough to train on: the one rule, for pages and terminal.

This module is light: pages import it, PyTorch stays outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gymform.types import OTHER

MIN_GROUPS = 3
"""Persons or sources that a class needs: to train on, to validate on, and to test on."""


@dataclass(frozen=True)
class Contents:
    """What a data set holds: accepted repetitions by exercise, whose they are, and the rest."""

    accepted: dict[str, int]
    people: dict[str, frozenset[str]]
    pending: int

    @property
    def total(self) -> int:
        """All accepted repetitions."""
        return sum(self.accepted.values())

    @property
    def groups(self) -> dict[str, int]:
        """Groups (persons or sources) of every exercise."""
        return {name: len(people) for name, people in self.people.items()}

    @property
    def everyone(self) -> int:
        """Groups of all exercises together."""
        return len(frozenset().union(*self.people.values()))

    def groups_of(self, classes: Sequence[str]) -> dict[str, int]:
        """Groups of every class when these exercises are told apart, the rest being ``other``."""
        rest = [people for name, people in self.people.items() if name not in classes]
        found = {name: len(self.people.get(name, ())) for name in classes}
        if rest:
            found[OTHER] = len(frozenset().union(self.people.get(OTHER, frozenset()), *rest))
        return found


def why_not(classes: Sequence[str], what: Contents) -> str:
    """Why these exercises cannot be trained on, in words; "" when they can."""
    if not what.total:
        return "There is nothing to train on until some repetitions are accepted."
    groups = what.groups_of(classes)
    if len(groups) < 2:
        chosen = ", ".join(name.replace("_", " ") for name in classes)
        return (
            f"Only {chosen or 'nothing'} is chosen: "
            "there must be at least two exercises to tell apart."
        )
    few = too_small(groups)
    if few:
        return (
            f"Too few groups: {_counted(few)}. Every exercise needs clips of at least {MIN_GROUPS} "
            "people or sources: some to train on, others to choose by and to test on. Add clips, "
            "or choose fewer exercises under Options: the rest is then “other”."
        )
    return ""


def large_enough(what: Contents) -> list[str]:
    """The exercises to tell apart unless the user says otherwise: those with enough groups.

    All of them where that would leave too few groups for the rest, or nothing to tell apart.
    """
    names = list(what.accepted)
    large = [name for name in names if what.groups[name] >= MIN_GROUPS]
    return names if why_not(large, what) else large


def too_small(groups: Mapping[str, int]) -> dict[str, int]:
    """Those of the classes, with their number of groups, that have too few to be trained on."""
    return {name: number for name, number in groups.items() if number < MIN_GROUPS}


def _counted(groups: Mapping[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} ({number})" for name, number in groups.items())
