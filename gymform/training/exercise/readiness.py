"""Whether a data set is large enough to train on: one rule, for pages and terminal.

Pages import this module, so it must not import PyTorch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gymform.types import OTHER

MIN_GROUPS = 3
"""Groups (persons or sources) that a class needs: to train, to validate and to test on."""


@dataclass(frozen=True)
class Contents:
    """What a data set holds: the number of accepted repetitions and the groups by exercise, and the
    number of pending repetitions; ``unconfirmed`` accepted ones are of groups that nobody stated or
    confirmed."""

    accepted: dict[str, int]
    people: dict[str, frozenset[str]]
    pending: int
    unconfirmed: int = 0

    @property
    def total(self) -> int:
        """Number of accepted repetitions."""
        return sum(self.accepted.values())

    @property
    def groups(self) -> dict[str, int]:
        """Number of groups (persons or sources) by exercise."""
        return {name: len(people) for name, people in self.people.items()}

    @property
    def everyone(self) -> int:
        """Number of groups of all exercises together."""
        return len(frozenset().union(*self.people.values()))

    def groups_of(self, classes: Sequence[str]) -> dict[str, int]:
        """Number of groups by class when ``classes`` are told apart and the rest is ``other``."""
        rest = [people for name, people in self.people.items() if name not in classes]
        found = {name: len(self.people.get(name, ())) for name in classes}
        if rest:
            found[OTHER] = len(frozenset().union(self.people.get(OTHER, frozenset()), *rest))
        return found


def why_not(classes: Sequence[str], contents: Contents) -> str:
    """The reason why these exercises cannot be trained on, for the user; "" when they can."""
    if not contents.total:
        return "There is nothing to train on until some repetitions are accepted."
    groups = contents.groups_of(classes)
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


def large_enough(contents: Contents) -> list[str]:
    """The exercises to tell apart by default: those with enough groups.

    All of them when that would leave too few groups for ``other``, or fewer than two classes.
    """
    names = list(contents.accepted)
    large = [name for name in names if contents.groups[name] >= MIN_GROUPS]
    return names if why_not(large, contents) else large


def too_small(groups: Mapping[str, int]) -> dict[str, int]:
    """The classes with too few groups to be trained on, with their number of groups."""
    return {name: number for name, number in groups.items() if number < MIN_GROUPS}


def _counted(groups: Mapping[str, int]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} ({number})" for name, number in groups.items())
