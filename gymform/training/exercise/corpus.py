"""The corpus: the accepted repetitions of a data set with their keypoints.

The classes come from the data: all exercises with accepted repetitions, or those that the user
names; all others are then ``other``.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gymform import skeleton as sk
from gymform.dataset import export
from gymform.dataset.corrections import load_corrected
from gymform.dataset.groups import unconfirmed
from gymform.dataset.items import ACCEPTED, DISPUTED, Filter
from gymform.dataset.reviews import ReviewStore
from gymform.dataset.splits import linked_groups
from gymform.errors import ModelDataError, PoseFileError
from gymform.motion.body_size import TORSO, stature
from gymform.motion.clean import clean
from gymform.training.exercise.readiness import MIN_GROUPS, too_small
from gymform.training.exercise.tracks import LabelledPose
from gymform.types import OTHER, PoseSequence, within

MIN_FRAMES = 3
"""Fewest frames that show a movement."""

CONTEXT_S = 1.5
"""Seconds before and after a repetition that the shipped classifier is trained on too: users' clips
are not cut to the movement either."""

FRONTAL = 0.8
"""Shoulder breadth over torso length in a front view (0.23 / 0.288, Drillis & Contini 1966)."""

CAMERA_MOTION = "camera motion"
"""The problem that extraction notes when the camera moves."""


@dataclass(frozen=True)
class Example(export.Example):
    """An accepted repetition with its clip's name and the problems that extraction noted.

    ``problems`` is None when the quality was not measured; ``confirmed`` is False where nobody
    stated or confirmed who is in the clip.
    """

    name: str = ""
    problems: tuple[str, ...] | None = None
    confirmed: bool = True


@dataclass(frozen=True, eq=False)
class Corpus:
    """Examples and, in the same order, their tracks: class, group, keypoints of the repetition."""

    name: str
    folder: Path
    classes: tuple[str, ...]
    examples: tuple[Example, ...]
    tracks: tuple[LabelledPose, ...]
    copies: tuple[tuple[str, str], ...] = ()
    """Pairs of clips (sha256) of the same recording: re-encoded, mirrored or trimmed."""
    disputed: int = 0
    """Number of repetitions that were left out since reviewers disagree about them."""

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def labels(self) -> np.ndarray:
        """The labelled class of each example, int (n,)."""
        return np.array([self.classes.index(track.label) for track in self.tracks])

    @property
    def clips(self) -> dict[str, int]:
        """Number of repetitions by class."""
        count = Counter(track.label for track in self.tracks)
        return {name: count[name] for name in self.classes}

    @property
    def groups(self) -> dict[str, int]:
        """Number of groups (persons or sources) by class."""
        pairs = {(track.label, track.group) for track in self.tracks}
        return {name: sum(label == name for label, _ in pairs) for name in self.classes}

    @property
    def unconfirmed(self) -> int:
        """Number of repetitions in groups that nobody stated or confirmed."""
        return sum(not one.confirmed for one in self.examples)

    @property
    def linked_group_count(self) -> int:
        """Number of groups, where those that share a recording count as one."""
        return len(set(linked_groups(self.examples, self.copies)))

    def digest(self) -> str:
        """sha256 hex of everything in it that influences a network."""
        digest = hashlib.sha256(repr(self.classes).encode())
        for example, track in zip(self.examples, self.tracks, strict=True):
            digest.update(f"{example.item_id} {track.label} {track.group}".encode())
            digest.update(np.ascontiguousarray(track.pose.xy).tobytes())
            digest.update(np.ascontiguousarray(track.pose.time_s).tobytes())
        return digest.hexdigest()


def read_corpus(dataset: Path, chosen: Sequence[str] = ()) -> Corpus:
    """The corpus of the data set in this folder; ``chosen`` are the exercises to tell apart.

    Raises DatasetError when there is no data set, ModelDataError when too little was accepted.
    """
    examples, copies = read_examples(dataset)
    with ReviewStore.open(dataset) as store:
        disputed = store.counts()[DISPUTED]
    return replace(make_corpus(dataset, examples, chosen, copies), disputed=disputed)


def read_examples(dataset: Path) -> tuple[list[Example], tuple[tuple[str, str], ...]]:
    """(accepted repetitions, pairs of clips of one recording) of a data set."""
    with ReviewStore.open(dataset) as store:
        judged = {one.item.id: one for one in store.judged(Filter(verdicts=(ACCEPTED,)))}
        guessed = unconfirmed(store)
        examples = []
        for one in export.examples(store, (ACCEPTED,)):
            known = judged[one.item_id]
            problems = None if known.quality is None else known.problems
            confirmed = one.clip_sha256 not in guessed
            examples.append(Example(**vars(one), name=known.item.name, problems=problems,
                                    confirmed=confirmed))  # fmt: skip
        copies = tuple((copy.clip, copy.of) for copy in store.copies())
    return examples, copies


def make_corpus(
    folder: Path,
    examples: Sequence[Example],
    chosen: Sequence[str] = (),
    copies: Sequence[tuple[str, str]] = (),
) -> Corpus:
    """The corpus of these examples, sorted by id, with their keypoints.

    Raises ModelDataError for keypoints that cannot be read and for classes that are too small.
    """
    ordered = sorted(examples, key=lambda example: example.item_id)
    labels = label_all([example.exercise for example in ordered], chosen)
    check_classes(labels, [example.group for example in ordered])
    tracks = [
        LabelledPose(one.item_id, label, one.exercise, one.group, "clips", load_track(one))
        for one, label in zip(ordered, labels, strict=True)
    ]
    return Corpus(
        folder.resolve().name, folder, order_classes(labels), tuple(ordered), tuple(tracks),
        tuple(copies),
    )  # fmt: skip


def label_all(exercises: Sequence[str], chosen: Sequence[str] = ()) -> list[str]:
    """The class of each exercise: its name, or ``other`` when it is not among ``chosen``.

    Raises ModelDataError when a chosen exercise does not occur.
    """
    if not chosen:
        return list(exercises)
    unknown = sorted(set(chosen) - set(exercises) - {OTHER})
    if unknown:
        accepted = ", ".join(sorted(set(exercises))) or "none"
        raise ModelDataError(
            f"--classes: expected accepted exercises ({accepted}), got {', '.join(unknown)}."
        )
    return [name if name in chosen else OTHER for name in exercises]


def order_classes(labels: Sequence[str]) -> tuple[str, ...]:
    """The classes sorted by name, ``other`` last."""
    return tuple(sorted(set(labels), key=lambda name: (name == OTHER, name)))


def check_classes(labels: Sequence[str], groups: Sequence[str]) -> None:
    """Raise ModelDataError, saying what to add, unless there is enough to train and to test on."""
    if not labels:
        raise ModelDataError(
            "Nothing was accepted in this data set yet. Review its clips first, then train."
        )
    if len(set(labels)) < 2:
        raise ModelDataError(
            f"Only {labels[0]!r} was accepted, and at least two classes are needed. Add clips of "
            "another exercise, or clips of something else as 'other'."
        )
    count = Counter(label for label, _ in set(zip(labels, groups, strict=True)))
    small = too_small(dict(sorted(count.items())))
    if small:
        listed = ", ".join(f"{name} ({number})" for name, number in small.items())
        raise ModelDataError(
            f"Too few persons or sources: {listed}. Expected at least {MIN_GROUPS} for each "
            "exercise: to train on, to validate on and to test on. Add clips of other people, or "
            "choose exercises with --classes: all others are then 'other'."
        )


def trim(pose: PoseSequence, start_s: float, end_s: float) -> PoseSequence:
    """The frames of ``pose`` from ``start_s`` to ``end_s``; times stay those of the clip.

    Where these are fewer than :data:`MIN_FRAMES`, the nearest ones are added.
    """
    time_s = pose.time_s
    inside = within(time_s, start_s, end_s)
    if inside.sum() < MIN_FRAMES:
        nearest = np.argsort(np.abs(time_s - (start_s + end_s) / 2), kind="stable")
        inside[nearest[:MIN_FRAMES]] = True
    if inside.all():
        return pose
    return pose.part(inside)


def load_track(example: Example, margin_s: float = 0.0) -> PoseSequence:
    """The keypoints of a repetition as corrected, and ``margin_s`` seconds before and after it.

    Raises ModelDataError when they cannot be read.
    """
    try:
        pose = load_corrected(example.pose_path, example.corrections)
        return trim(pose, example.start_s - margin_s, example.end_s + margin_s)
    except PoseFileError as error:
        raise ModelDataError(f"{example.name}: {error} Extract its keypoints again.") from error


# ---- how it was filmed ---------------------------------------------------------------------


def conditions(example: Example, pose: PoseSequence) -> dict[str, str]:
    """View, camera motion and coverage of a repetition, in words.

    The view is estimated from the shoulder breadth; camera motion is what extraction noted.
    """
    xy = clean(pose).xy
    coverage = float(pose.present.mean())
    return {
        "view": _view(xy, stature(xy)),
        "camera": _camera(example.problems),
        "coverage": "95 % or more" if coverage >= 0.95 else "70 to 95 %" if coverage >= 0.7
        else "under 70 %",
    }  # fmt: skip


def _camera(problems: tuple[str, ...] | None) -> str:
    if problems is None:
        return "unknown"
    return "moving" if CAMERA_MOTION in problems else "still"


def _view(xy: np.ndarray, size: float) -> str:
    """``front`` (or back), ``oblique`` or ``side``, with limits at 50 and 70 degrees, which agree
    best with visual inspection: the median share in real clips is 0.64 in front views and 0.14 in
    side views."""
    breadth = np.linalg.norm(xy[:, sk.LEFT_SHOULDER] - xy[:, sk.RIGHT_SHOULDER], axis=-1)
    breadth = breadth[np.isfinite(breadth)]
    if len(breadth) == 0 or not np.isfinite(size):
        return "unknown"
    share = float(np.median(breadth)) / (TORSO * size * FRONTAL)
    if share >= np.cos(np.radians(50)):
        return "front"
    return "oblique" if share >= np.cos(np.radians(70)) else "side"
