"""Who is in which clip: groups of clips that show one person or come from one source.

A split never divides a group. Where an import only guessed the groups, from folders or because
nobody named any, they count as unconfirmed until a curator has said who is who.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gymform.dataset.items import GROUP
from gymform.dataset.reviews import ReviewStore
from gymform.errors import OptionsError
from gymform.text import NAME_LENGTH, cleaned

IMPORT = "import"
"""The reviewer of groups that a table, a pattern or a name stated when the clips were imported."""

UNCONFIRMED = (
    "Nobody confirmed which clips show the same person: people of the training may be among those "
    "it was tested on."
)
"""What reports and exports say then."""


def assign(store: ReviewStore, groups: Mapping[str, str], *, reviewer: str) -> None:
    """Put clips (by sha256) into groups, which counts as confirmed; one :func:`undo` undoes it.

    Raises OptionsError for names that are empty or too long, DatasetError for clips not there.
    """
    decided = [(sha256, {"group": checked(name)}) for sha256, name in groups.items()]
    if decided:
        store.decide_on_clips(GROUP, decided, reviewer=reviewer)


def merge(store: ReviewStore, sha256s: Sequence[str], name: str, *, reviewer: str) -> None:
    """Put all these clips into one group."""
    assign(store, dict.fromkeys(sha256s, name), reviewer=reviewer)


def separate(store: ReviewStore, sha256s: Sequence[str], *, reviewer: str) -> None:
    """Put each of these clips into a group of its own, named after the clip."""
    taken = {clip.group for clip in store.clips() if clip.sha256 not in set(sha256s)}
    groups: dict[str, str] = {}
    for sha256 in sha256s:
        clip = store.clip(sha256)
        stem = clip.name.rpartition(".")[0] or clip.name
        name = stem if stem not in taken else f"{stem} {sha256[:8]}"
        taken.add(name)
        groups[sha256] = name[:NAME_LENGTH]
    assign(store, groups, reviewer=reviewer)


def confirm(store: ReviewStore, *, reviewer: str) -> int:
    """Say that all groups are right as they are; how many clips were unconfirmed."""
    left = unconfirmed(store)
    groups = {clip.sha256: clip.group for clip in store.clips() if clip.sha256 in left}
    assign(store, groups, reviewer=reviewer)
    return len(groups)


def undo(store: ReviewStore, *, reviewer: str) -> int:
    """Take back the reviewer's last decision about groups; how many clips it was about."""
    return len(store.undo_on_clips(GROUP, reviewer=reviewer))


def unconfirmed(store: ReviewStore, sha256s: Iterable[str] | None = None) -> frozenset[str]:
    """Those of the clips (by sha256; None means all) whose group nobody stated or confirmed."""
    known = {one.clip_sha256 for one in store.clip_decisions(GROUP)}
    asked = (clip.sha256 for clip in store.clips()) if sha256s is None else sha256s
    return frozenset(asked) - known


def checked(name: str) -> str:
    """A group's name as it is kept. Raises OptionsError when nothing is left of it."""
    kept = cleaned(name)
    if not kept:
        raise OptionsError(
            f"Expected the name of a person or source, 1 to {NAME_LENGTH} characters."
        )
    return kept
