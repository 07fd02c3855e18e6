"""Whether a data set is large enough to train on: one rule, for pages and terminal.

Pages import this module, so it must not import PyTorch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gymform.dataset.groups import unconfirmed
from gymform.dataset.items import ACCEPTED, DISPUTED, PENDING, Filter
from gymform.dataset.reviews import ReviewStore
from gymform.types import OTHER

ENOUGH_CLIPS, ENOUGH_GROUPS = 30, 8
"""Repetitions and groups of an exercise below which its figures say little: with 30, an accuracy of
90 % is known to 10 points either way; with fewer than 8 people, one odd one decides a fold."""

MIN_GROUPS = 3
"""Groups (persons or sources) that a class needs: to train, to validate and to test on."""


@dataclass(frozen=True)
class Contents:
    """What a data set holds: the number of accepted repetitions and the groups by exercise, and the
    number of pending repetitions; ``unconfirmed`` accepted ones are of groups that nobody stated or
    confirmed. About ``disputed`` repetitions reviewers disagree: they are not trained on."""

    accepted: dict[str, int]
    people: dict[str, frozenset[str]]
    pending: int
    unconfirmed: int = 0
    disputed: int = 0

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


def contents_of(dataset: Path) -> Contents:
    """What the data set in this folder holds now. Raises DatasetError."""
    with ReviewStore.open(dataset) as store:
        accepted = [one.item for one in store.judged(Filter(verdicts=(ACCEPTED,)))]
        counts = store.counts()
        guessed = unconfirmed(store)
    count = Counter(item.exercise for item in accepted)
    people = {
        name: frozenset(item.group for item in accepted if item.exercise == name) for name in count
    }
    unsure = sum(item.clip_sha256 in guessed for item in accepted)
    accepted_by_exercise = dict(count.most_common())
    return Contents(accepted_by_exercise, people, counts[PENDING], unsure, counts[DISPUTED])


def advice(classes: Sequence[str], contents: Contents) -> list[str]:
    """What to add before a training on these exercises says much, in sentences; [] when enough."""
    groups = contents.groups_of(classes)
    clips = {name: contents.accepted.get(name, 0) for name in classes}
    if OTHER in groups:
        named = sum(count for name, count in clips.items() if name != OTHER)
        clips[OTHER] = contents.total - named
    lines = []
    for name, people in groups.items():
        lacks = [
            f"{ENOUGH_CLIPS - clips[name]} more repetitions" if clips[name] < ENOUGH_CLIPS else "",
            f"clips of {ENOUGH_GROUPS - people} more people" if people < ENOUGH_GROUPS else "",
        ]
        if any(lacks):
            lines.append(
                f"{name.replace('_', ' ')}: {clips[name]} repetitions of {people} people or "
                f"sources are few. Add {' and '.join(filter(None, lacks))}."
            )
    return lines


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
