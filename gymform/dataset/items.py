"""What a data set is made of: clips, the repetitions in them, and the decisions about those.

Frozen data classes only; `gymform.dataset.reviews` stores them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PENDING, ACCEPTED, REJECTED, SKIPPED = "pending", "accepted", "rejected", "skipped"
DISPUTED = "disputed"
GIVEN = (PENDING, ACCEPTED, REJECTED, SKIPPED)
"""Verdicts that a reviewer can give."""

JUDGED = (ACCEPTED, REJECTED)
"""Verdicts that two reviewers can agree or disagree in."""

VERDICTS = (*GIVEN, DISPUTED)
"""What an item can be. `DISPUTED` it is while two who judged it blind disagree: `standing.py`."""

REASONS = (
    "poor keypoints",
    "wrong person",
    "several people",
    "occluded",
    "moving camera",
    "not the exercise",
    "not one repetition",
    "cut in the scene",
    "other",
)
"""Why a repetition is not suitable for training."""

IMPORTED, EXTRACTED, FAILED = "imported", "extracted", "failed"
STATES = (IMPORTED, EXTRACTED, FAILED)
"""States of a clip."""

VERDICT, RELABEL, TRIM, SETTLE, UNDO = "verdict", "relabel", "trim", "settle", "undo"
"""Kinds of a :class:`Decision`; `SETTLE` is the final one about an item that was disputed."""

GROUP, CORRECTION = "group", "correction"
"""Kinds of a :class:`ClipDecision`."""

WORST, BEST, NAME, RECENT, LEARN = "worst", "best", "name", "recent", "learn"
ORDERS = (WORST, BEST, NAME, RECENT, LEARN)
"""Orders: worst or best keypoints first, by name, the latest decisions first, or those first that
the model would learn most from, see `next_clips.py`."""


@dataclass(frozen=True)
class ClipRecord:
    """A video of the data set; its bytes are ``clips/<sha256><suffix>``.

    ``group`` is the person or source, which is never in two parts of a split. ``reason`` says why
    the clip ``FAILED``. ``imported_at`` is UTC, ISO 8601; ``source`` the original file's name.
    """

    sha256: str
    name: str
    suffix: str
    exercise: str
    group: str
    width: int
    height: int
    duration_s: float
    fps: float
    frames: int
    imported_at: str
    source: str
    state: str = IMPORTED
    reason: str = ""


@dataclass(frozen=True)
class Copy:
    """``clip`` shows the same recording as ``of``: re-encoded, scaled, trimmed or ``mirrored``.

    Both are sha256s of clips; ``likeness`` in [0, 1] is how certain that is.
    """

    clip: str
    of: str
    mirrored: bool
    likeness: float


@dataclass(frozen=True)
class Item:
    """One repetition to judge, seconds ``start_s`` to ``end_s`` of a clip.

    ``part`` numbers a clip's items from 1; the whole clip is one item when no repetition was found.
    """

    id: str
    clip_sha256: str
    exercise: str
    group: str
    start_s: float
    end_s: float
    part: int
    name: str


@dataclass(frozen=True)
class Quality:
    """How good an item's keypoints are: ``score`` in [0, 1], problems, and a note on each."""

    score: float
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Opinion:
    """What one reviewer says of an item, with the exercise that it shows in their eyes."""

    reviewer: str
    verdict: str
    exercise: str
    reasons: tuple[str, ...] = ()
    comment: str = ""
    at: str = ""


@dataclass(frozen=True)
class Judged:
    """An item as it is now: relabelled, trimmed, and with the verdict that counts.

    ``revision`` is the number of the latest decision about it, 0 before the first. ``opinions`` are
    those of the reviewers that count now, the latest last; ``settled`` says that they disagreed,
    and that ``reviewer`` made the final decision.
    """

    item: Item
    verdict: str = PENDING
    reasons: tuple[str, ...] = ()
    comment: str = ""
    reviewer: str = ""
    decided_at: str = ""
    revision: int = 0
    quality: float | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    settled: bool = False


@dataclass(frozen=True)
class Decision:
    """What a reviewer decided, when and why. Decisions are never changed: an undo is another one.

    ``value`` depends on the kind: exercise; start_s and end_s; the number that is undone. Where the
    reviewer did not see what others decided, its ``blind`` is true and it holds the exercise. When
    many items were decided at once, its ``batch`` is the number of the first decision.
    """

    number: int
    item_id: str
    kind: str
    verdict: str
    reasons: tuple[str, ...]
    comment: str
    reviewer: str
    at: str
    value: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ClipDecision:
    """What somebody decided about a whole clip: who is in it, or where a keypoint is.

    Like a :class:`Decision` it is never changed. Those with the same ``batch`` were made, and are
    undone, together. ``value`` depends on the kind: ``group``; a correction as JSON.
    """

    number: int
    clip_sha256: str
    kind: str
    reviewer: str
    at: str
    batch: int
    value: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Filter:
    """Which items to show, and in which order; an empty tuple does not filter."""

    exercises: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    order: str = WORST

    def passes(self, judged: Judged) -> bool:
        """Whether the item passes, as it is now."""
        return (
            (not self.exercises or judged.item.exercise in self.exercises)
            and (not self.groups or judged.item.group in self.groups)
            and (not self.verdicts or judged.verdict in self.verdicts)
            and (not self.problems or not set(self.problems).isdisjoint(judged.problems))
        )


@dataclass(frozen=True)
class DatasetFiles:
    """The paths of a data set's files."""

    folder: Path

    @property
    def store(self) -> Path:
        """The database of clips, items and decisions."""
        return self.folder / "dataset.sqlite"

    @property
    def extraction_lock(self) -> Path:
        """Locked while an extraction runs, by whichever process."""
        return self.folder / "extract.lock"

    @property
    def extraction_order(self) -> Path:
        """Exists from when a page starts an extraction until it ends or is stopped; JSON."""
        return self.folder / "extract.json"

    @property
    def ranking(self) -> Path:
        """From which repetitions the model would learn most; JSON, may be deleted at any time."""
        return self.folder / "ranking.json"

    def clip(self, clip: ClipRecord) -> Path:
        """The copy of the original clip."""
        return self.folder / "clips" / f"{clip.sha256}{clip.suffix}"

    def poses(self, sha256: str) -> Path:
        """Keypoints of the whole clip."""
        return self.folder / "poses" / f"{sha256}.npz"

    def proxy(self, sha256: str) -> Path:
        """The clip with its skeleton, scaled down for viewing."""
        return self.folder / "proxies" / f"{sha256}.mp4"

    def thumb(self, item: str) -> Path:
        """One frame of an item with its skeleton; ``item`` is the item's id."""
        return self.folder / "thumbs" / f"{item}.jpg"

    def look(self, sha256: str) -> Path:
        """What the lifter and the place look like in numbers; may be deleted at any time."""
        return self.folder / "looks" / f"{sha256}.json"

    def frames(self, sha256: str, key: str) -> Path:
        """Decoded frames of a clip, kept for trainings on pixels; may be deleted at any time."""
        return self.folder / "pixels" / f"{sha256[:16]}-{key}.npz"

    def all_frames(self, sha256: str) -> list[Path]:
        """All :meth:`frames` of a clip, and files whose names do not say of which clip they are."""
        return [
            path
            for path in (self.folder / "pixels").glob("*.npz")
            if path.name.startswith(f"{sha256[:16]}-") or "-" not in path.name
        ]


def item_id(clip_sha256: str, part: int) -> str:
    """The id of a clip's ``part``-th item: the same when the clip is extracted again."""
    return f"{clip_sha256[:16]}-{part}"
