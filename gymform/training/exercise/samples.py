"""Training and test data of the classifier: labelled clips, their split, augmented samples."""

from __future__ import annotations

import csv
import logging
import warnings
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold
from tqdm import tqdm

from gymform.dataset.splits import check_apart
from gymform.errors import ModelDataError, PoseFileError
from gymform.exercise.features import features
from gymform.exercise.networks.registry import Encode
from gymform.exercises import class_of, trained_classes, training_shares
from gymform.pose.files import load_poses
from gymform.text import shortened
from gymform.timing import Progress, ignore_progress
from gymform.training.exercise import augment as aug
from gymform.training.exercise.synthesize import synthetic_lifters
from gymform.training.exercise.tracks import (
    LabelledPose,
    keypoint_digest,
    load_penn_tracks,
    load_snatch_tracks,
)
from gymform.types import OTHER

logger = logging.getLogger(__name__)

TRAINING_ONLY = "training only"
"""The source of clips that are trained on but never judged on, such as generated films."""

CLASSES = trained_classes()
"""What the networks are taught to tell apart, in order. All other exercises are ``other``."""

CLASS_SHARES = training_shares()
"""Share of each class in the training batches."""

SOURCE_SHARES = {
    "clips": 1.0,
    "penn": 0.7,
    "snatch3d": 1.5,
    "derived": 0.25,
    "made": 0.4,
    TRAINING_ONLY: 0.3,
}
"""Relative share of the sources within a class: ``clips`` are most like users' clips."""

OTHER_SOURCE_SHARES = {**SOURCE_SHARES, "penn": 0.15, "made": 0.6}
"""The same within ``other``: of Penn Action that is a single exercise, jumping rope."""

ACTION_SHARES = {
    "side_lunge": 2.0,
    "burpee": 2.0,
    "good_morning": 2.0,
    "front_raise": 2.0,
    "plank": 2.0,
}
"""Relative share of movements that are easily mistaken for an exercise of another class; 1 for all
others."""

BATCHES_AT_ONCE = 8
"""Number of batches that are drawn and sorted by length together."""

INDEX_COLUMNS = ("file", "exercise", "group")
REJECTED_COLUMNS = ("file", "reason")
RELABELLED_COLUMNS = ("file", "exercise")


@dataclass(frozen=True, eq=False)
class AugmentedSamples:
    """Network inputs of augmented samples, float16 (N, F) each, and the index of each one's
    original sample."""

    inputs: list[np.ndarray]
    original: np.ndarray


def load_clips(folder: Path, index: Path) -> list[LabelledPose]:
    """The keypoint files in ``folder`` that the CSV file ``index`` lists, with label and group.

    The file for ``squat/a.mp4`` is ``squat/a.npz``; missing ones are left out with a warning.
    """
    clips, missing = [], 0
    for row in _rows(index):
        path = folder / Path(row["file"]).with_suffix(".npz")
        if not path.is_file():
            missing += 1
            continue
        try:
            pose = load_poses(path)
        except PoseFileError as error:
            raise ModelDataError(f"{row['file']}: {error}") from error
        action = row["exercise"]
        clips.append(
            LabelledPose(row["file"], class_of(action), action, row["group"], "clips", pose)
        )
    if missing:
        logger.warning("%d of the clips in %s have no keypoint file", missing, index.name)
    return clips


def load_tracks(folder: Path) -> list[LabelledPose]:
    """Penn Action's gym tracks and the competition snatches."""
    return [
        *load_snatch_tracks(folder / "snatch_tracks.npz"),
        *load_penn_tracks(folder / "penn_action_gym.npz"),
    ]


def without_rejected(
    clips: Sequence[LabelledPose], rejected: Path
) -> tuple[list[LabelledPose], dict[str, int]]:
    """``clips`` without those that the CSV file ``rejected`` lists, and how many those are, by
    their reason. Raises ModelDataError when it is no such file, or lists one that is not there."""
    reasons = _by_file(clips, rejected, REJECTED_COLUMNS)
    kept = [clip for clip in clips if clip.name not in reasons]
    return kept, dict(Counter(reasons.values()))


def relabelled(clips: Sequence[LabelledPose], table: Path) -> list[LabelledPose]:
    """``clips``, those that the CSV file ``table`` lists with the exercise that they show instead.

    Raises ModelDataError as :func:`without_rejected` does.
    """
    shown = _by_file(clips, table, RELABELLED_COLUMNS)
    return [
        replace(clip, label=class_of(shown[clip.name]), action=shown[clip.name])
        if clip.name in shown
        else clip
        for clip in clips
    ]


def _by_file(
    clips: Sequence[LabelledPose], table: Path, columns: tuple[str, str]
) -> dict[str, str]:
    """What a CSV file says of some of the ``clips``: the second of its ``columns`` by the first."""
    said = {row[columns[0]]: row[columns[1]] for row in _rows(table, columns)}
    if strange := said.keys() - {clip.name for clip in clips}:
        raise ModelDataError(
            f"{table.name}: expected clips that the index lists and that have keypoints, got "
            f"{shortened(', '.join(sorted(strange)), 200)}."
        )
    return said


def _rows(index: Path, columns: Sequence[str] = INDEX_COLUMNS) -> list[dict[str, str]]:
    """The rows of the index. Raises ModelDataError when it is no CSV file with these columns."""
    try:
        with index.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ModelDataError(f"{index.name}: expected a CSV file that can be read.") from error
    if not rows or any(column not in rows[0] for column in columns):
        raise ModelDataError(f"{index.name}: expected rows with the columns {', '.join(columns)}.")
    return rows


# ---- the split -----------------------------------------------------------------------------


def split(items: Sequence[LabelledPose], folds: int, seed: int) -> np.ndarray:
    """The fold int (n,) in which each item is tested; groups stay whole, classes are balanced."""
    strata = [f"{item.label} {item.source}" for item in items]
    groups = [item.group for item in items]
    count = Counter(item.label for item in items)
    if sum(number >= folds for number in count.values()) < 2:
        raise ModelDataError(
            f"Expected at least two classes with {folds} clips each, got {dict(count) or 'none'}. "
            "Add clips or use fewer folds."
        )
    kfold = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    fold = np.zeros(len(items), int)
    with warnings.catch_warnings():
        # some classes have fewer clips than there are folds: they cannot be balanced exactly
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        for i, (_, held_out) in enumerate(kfold.split(strata, strata, groups)):
            fold[held_out] = i
    check_split(items, fold.tolist())
    return fold


def check_split(items: Sequence[LabelledPose], parts: Sequence[object]) -> None:
    """Raise LeakError when two parts share a group, a video or the keypoints of a track."""
    check_apart(
        [item.name for item in items],
        parts,
        {
            "are of one group, {}": [item.group for item in items],
            "are of one video": [item.pose.provenance.clip_sha256 or None for item in items],
            "hold the same": [keypoint_digest(item) for item in items],
        },
    )


# ---- samples -------------------------------------------------------------------------------


def make_samples(tracks: Sequence[LabelledPose], lifters: int, seed: int) -> list[aug.Sample]:
    """Training samples: ``tracks``, samples derived from them, and synthetic lifters.

    There are ``lifters`` of these for each exercise; see ``augment.py`` and ``synthesize.py``.
    """
    samples = [
        s
        for s in map(aug.make_sample, tqdm(tracks, "clean", leave=False, disable=None))
        if s is not None
    ]
    derived: list[aug.Sample | None] = []
    for sample in samples:
        if sample.source == "snatch3d":
            derived += [aug.overhead_squat(sample), aug.wide_deadlift(sample)]
        if sample.source in ("clips", "snatch3d"):
            derived += [aug.standing(sample), aug.noise(sample)]
    samples += [s for s in derived if s is not None]
    return samples + synthetic_lifters(lifters, seed)


def shares(
    samples: Sequence[aug.Sample], class_shares: Mapping[str, float] = CLASS_SHARES
) -> np.ndarray:
    """How often each sample is used (n,), summing to 1.

    Balanced over classes, by ``class_shares``, and sources. Within them, actions, groups and the
    members of a group count by the square root of their number, so that neither a prolific channel
    nor a single odd clip dominates.
    """
    groups: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for s in samples:
        groups[s.label, s.source, s.action].add(s.group)
    members = Counter((s.label, s.source, s.action, s.group) for s in samples)
    weight = np.array([
        ACTION_SHARES.get(s.action, 1.0)
        / np.sqrt(members[s.label, s.source, s.action, s.group])
        / np.sqrt(len(groups[s.label, s.source, s.action]))
        for s in samples
    ])  # fmt: skip
    for label, share in class_shares.items():
        of_source = OTHER_SOURCE_SHARES if label == OTHER else SOURCE_SHARES
        sources = {s.source for s in samples if s.label == label}
        total = sum(of_source[source] for source in sources)
        for source in sources:
            rows = [s.label == label and s.source == source for s in samples]
            weight[rows] *= share * of_source[source] / total / weight[rows].sum()
    return np.asarray(weight / weight.sum())


def make_augmented_samples(
    samples: Sequence[aug.Sample],
    count: int,
    seed: int,
    *,
    encode: Encode = features,
    class_shares: Mapping[str, float] = CLASS_SHARES,
    progress: Progress = ignore_progress,
) -> AugmentedSamples:
    """About ``count`` augmented samples, distributed over the samples by their share.

    ``encode`` makes the input of the network family.
    """
    number = np.maximum(2, np.round(shares(samples, class_shares) * count).astype(int))
    inputs, original = [], []
    for i, sample in enumerate(tqdm(samples, "augment", unit="clip", leave=False, disable=None)):
        rng = np.random.default_rng([seed, i])
        for _ in range(number[i]):
            inputs.append(encode(aug.augment(sample, rng)).astype(np.float16))
            original.append(i)
        progress("augment", i + 1, len(samples))
    return AugmentedSamples(inputs, np.array(original))


def sampling_weights(
    samples: Sequence[aug.Sample],
    augmented: AugmentedSamples,
    rows: np.ndarray,
    class_shares: Mapping[str, float],
) -> tuple[np.ndarray, np.ndarray]:
    """(indices of augmented samples of the samples at ``rows``, probability to draw each)."""
    chosen = np.flatnonzero(np.isin(augmented.original, rows))
    share = np.zeros(len(samples))
    share[rows] = shares([samples[i] for i in rows], class_shares)
    number = np.bincount(augmented.original, minlength=len(samples))
    weight = (share / np.maximum(number, 1))[augmented.original[chosen]]
    return chosen, weight / weight.sum()


def draw_batches(
    augmented: AugmentedSamples,
    chosen: np.ndarray,
    weight: np.ndarray,
    steps: int,
    batch: int,
    seed: int,
) -> list[np.ndarray]:
    """Indices of augmented samples for every step; those of a batch are of similar length, to keep
    the padding short."""
    rng = np.random.default_rng(seed)
    lengths = np.array([len(x) for x in augmented.inputs])
    batches: list[np.ndarray] = []
    while len(batches) < steps:
        picks = rng.choice(chosen, BATCHES_AT_ONCE * batch, p=weight)
        picks = picks[np.argsort(lengths[picks], kind="stable")].reshape(BATCHES_AT_ONCE, -1)
        batches += list(rng.permutation(picks))
    return batches[:steps]
