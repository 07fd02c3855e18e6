"""Training, validation and test apart: no person, no clip and no copy of it on two sides.

Groups are never torn apart, and groups that share a copied recording are kept together: such a
union is a *family*. Which family goes where follows from the seed alone.
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
    """What a split has to know of an item: an `Item` or an `Example` will do."""

    @property
    def clip_sha256(self) -> str:
        """The clip."""

    @property
    def exercise(self) -> str:
        """The class, to be found on every side."""

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

    Families go whole, one after the other, to the part that lacks most of their exercises, large
    ones first. With fewer families than parts, later parts stay empty. Raises OptionsError for
    shares that are no shares.
    """
    if not shares or min(shares.values()) <= 0:
        raise OptionsError("Expected a share above 0 for every part of the split.")
    families = family_of(items, copies)
    members: dict[int, list[int]] = {}
    for row, family in enumerate(families):
        members.setdefault(family, []).append(row)
    order = np.random.default_rng(seed).permutation(sorted(members)).tolist()
    order.sort(key=lambda family: -len(members[family]))  # stable: equal sizes stay shuffled
    whole = sum(shares.values())
    total = _counted(item.exercise for item in items)
    lacking = {
        part: Counter({name: count * share / whole for name, count in total.items()})
        for part, share in shares.items()
    }
    parts = [""] * len(items)
    for family in order:
        wanted = _counted(items[row].exercise for row in members[family])
        best = max(shares, key=lambda part: _need(lacking[part], wanted, total))
        lacking[best].subtract(wanted)
        for row in members[family]:
            parts[row] = best
    return parts


def folds(
    items: Sequence[Splittable], count: int, *, copies: Iterable[Pair] = (), seed: int = 0
) -> list[int]:
    """The number 0 to ``count`` - 1 of the fold that tests each item, for cross-validation.

    Raises OptionsError when there are fewer families than folds.
    """
    copies = list(copies)
    families = len(set(family_of(items, copies)))
    if not 2 <= count <= families:
        raise OptionsError(
            f"Expected 2 to {families} folds, since there are {families} people or sources that "
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
    """Raise LeakError, naming two clips, when one recording or person is on two sides.

    ``parts`` says where each item is, None being nowhere; ``names`` what to call a clip by its
    sha256; ``contents`` are digests of what items show, None where they show nothing: by them
    copies come out that nobody noticed.
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

    ``marks`` are what must not be shared, by what is said of two items that share it ("are of one
    group, {}", in which the mark stands for ``{}``), a mark or None for every item; ``parts`` says
    where each item is, None being nowhere.
    """
    for why, values in marks.items():
        first: dict[Hashable, int] = {}
        for row, value in enumerate(values):
            if value is None or parts[row] is None:
                continue
            other = first.setdefault(value, row)
            if parts[other] != parts[row]:
                raise _leak(names[other], parts[other], names[row], parts[row], why.format(value))


def family_of(items: Sequence[Splittable], copies: Iterable[Pair] = ()) -> list[int]:
    """A number for each item: equal when group, clip or a chain of copies ties two together."""
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


def _counted(exercises: Iterable[str]) -> Counter[str]:
    """How often each comes, and all of them together under :data:`_ALL`."""
    counts = Counter(exercises)
    counts[_ALL] = counts.total()
    return counts


def _need(lacking: Counter[str], wanted: Counter[str], total: Counter[str]) -> float:
    """How much a part lacks what a family brings: each exercise counts alike, and so do all."""
    return sum(count * lacking[name] / total[name] for name, count in wanted.items())


def _leak(first: str, here: object, second: str, there: object, why: str) -> LeakError:
    return LeakError(
        f"The split leaks: {first} ({here}) and {second} ({there}) {why}. Give both the same "
        "group and split again, or reject one of them."
    )
