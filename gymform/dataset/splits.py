"""Splits into training, validation and test: no person, clip or copy of it is in two parts.

Groups are never divided, and groups that share a recording are kept together: those are *linked
groups*. Where linked groups go depends on the seed alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np

from gymform.errors import LeakError, OptionsError

TRAIN, VAL, TEST = "train", "val", "test"
SHARES: Mapping[str, float] = {TRAIN: 0.7, VAL: 0.15, TEST: 0.15}


class Splittable(Protocol):
    """What a split needs to know of an item, such as an `Item` or an `Example`."""

    @property
    def clip_sha256(self) -> str:
        """The sha256 of the clip."""

    @property
    def exercise(self) -> str:
        """The class, which should be in every part."""

    @property
    def group(self) -> str:
        """The person or source."""


_ALL = ""

Pair = tuple[str, str]
"""Two sha256s of clips that show the same recording."""


def split(
    items: Sequence[Splittable],
    *,
    copies: Iterable[Pair] = (),
    shares: Mapping[str, float] = SHARES,
    seed: int = 0,
) -> list[str]:
    """The part of every item: by default train, val or test.

    Linked groups go together to the part that needs most of their exercises, one set after the
    other, large ones first. With fewer such sets than parts, later parts stay empty. Raises
    OptionsError unless every share is above 0.
    """
    if not shares or min(shares.values()) <= 0:
        raise OptionsError("Expected a share above 0 for every part of the split.")
    members: dict[int, list[int]] = {}
    for row, linked in enumerate(linked_groups(items, copies)):
        members.setdefault(linked, []).append(row)
    order = np.random.default_rng(seed).permutation(sorted(members)).tolist()
    order.sort(key=lambda linked: -len(members[linked]))  # stable: equal sizes stay shuffled
    all_shares = sum(shares.values())
    total = _count(item.exercise for item in items)
    missing = {
        part: Counter({name: count * share / all_shares for name, count in total.items()})
        for part, share in shares.items()
    }
    parts = [""] * len(items)
    for linked in order:
        offered = _count(items[row].exercise for row in members[linked])
        best = max(shares, key=lambda part: _need(missing[part], offered, total))
        missing[best].subtract(offered)
        for row in members[linked]:
            parts[row] = best
    return parts


def folds(
    items: Sequence[Splittable], count: int, *, copies: Iterable[Pair] = (), seed: int = 0
) -> list[int]:
    """For each item the number, 0 to ``count`` - 1, of the fold that tests it.

    Raises OptionsError when there are fewer sets of linked groups than folds.
    """
    copies = list(copies)
    most = len(set(linked_groups(items, copies)))
    if not 2 <= count <= most:
        raise OptionsError(
            f"Expected 2 to {most} folds, since there are {most} people or sources that "
            f"share no recording; got {count}."
        )
    shares = {str(fold): 1.0 for fold in range(count)}
    return [int(part) for part in split(items, copies=copies, shares=shares, seed=seed)]


def check_split(
    items: Sequence[Splittable],
    parts: Sequence[object],
    *,
    copies: Iterable[Pair] = (),
    names: Mapping[str, str] | None = None,
    contents: Sequence[Hashable | None] | None = None,
) -> None:
    """Raise LeakError, naming two clips, when one recording or person is in two parts.

    ``parts`` is the part of each item, None for an item that is left out; ``names`` are the clips'
    names by sha256; ``contents`` are digests of what the items show, or None: they reveal copies
    that nobody noticed.
    """
    shown = names or {}
    called = [shown.get(item.clip_sha256, item.clip_sha256[:12]) for item in items]
    held = contents if contents is not None else [None] * len(items)
    check_apart(
        called,
        parts,
        {
            "are one clip": [item.clip_sha256 for item in items],
            "are of one group, {}": [item.group for item in items],
            "hold the same": held,
        },
    )
    where = {item.clip_sha256: row for row, item in enumerate(items) if parts[row] is not None}
    for first, second in copies:
        a, b = where.get(first), where.get(second)
        if a is not None and b is not None and parts[a] != parts[b]:
            raise _leak(called[b], parts[b], called[a], parts[a], "show the same recording")


def check_apart(
    names: Sequence[str], parts: Sequence[object], marks: Mapping[str, Sequence[Hashable | None]]
) -> None:
    """Raise LeakError, naming two items, when items with the same mark are in two parts.

    Each of ``marks`` holds a mark or None for every item, under the words that describe two items
    with the same one ("are of one group, {}", with the mark put in for ``{}``); ``parts`` is the
    part of each item, None for an item that is left out.
    """
    for why, values in marks.items():
        first: dict[Hashable, int] = {}
        for row, value in enumerate(values):
            if value is None or parts[row] is None:
                continue
            other = first.setdefault(value, row)
            if parts[other] != parts[row]:
                raise _leak(names[other], parts[other], names[row], parts[row], why.format(value))


def linked_groups(items: Sequence[Splittable], copies: Iterable[Pair] = ()) -> list[int]:
    """A number for each item: equal when group, clip or a chain of copies links two items."""
    parent: dict[object, object] = {}

    def root(node: object) -> object:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = node = parent[parent[node]]
        return node

    for item in items:
        parent[root(("group", item.group))] = root(("clip", item.clip_sha256))
    here = {item.clip_sha256 for item in items}
    for first, second in copies:
        if first in here and second in here:
            parent[root(("clip", first))] = root(("clip", second))
    numbers: dict[object, int] = {}
    return [numbers.setdefault(root(("group", item.group)), len(numbers)) for item in items]


def _count(exercises: Iterable[str]) -> Counter[str]:
    """The number of each exercise, and their sum under :data:`_ALL`."""
    counts = Counter(exercises)
    counts[_ALL] = counts.total()
    return counts


def _need(missing: Counter[str], offered: Counter[str], total: Counter[str]) -> float:
    """How much a part needs what is offered: each exercise and the sum of all weigh the same."""
    return sum(count * missing[name] / total[name] for name, count in offered.items())


def _leak(first: str, here: object, second: str, there: object, why: str) -> LeakError:
    return LeakError(
        f"The split leaks: {first} ({here}) and {second} ({there}) {why}. Give both the same "
        "group and split again, or reject one of them."
    )
