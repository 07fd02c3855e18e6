"""Train, judge and ship the exercise classifier: ``python -m gymform train-exercise``.

The command reads the accepted repetitions of a data set, or keypoint files with an index, and
ready-made tracks. It makes augmented samples of them once, cross-validates by group, fits the
temperature on the held-out logits, trains the ensemble on everything, and writes weights, manifest
entry and model card. Finished networks are kept in the work folder, so that a command that was
stopped resumes from there.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import torch
from scipy.special import softmax
from torch import nn
from tqdm import tqdm

from gymform.dataset.paths import dataset_dir
from gymform.errors import ModelDataError, OptionsError
from gymform.exercise import classifier as clf
from gymform.exercise.features import NUM_FEATURES, RATE_HZ
from gymform.exercise.nearest import Bank
from gymform.exercise.networks.registry import NetworkFamily, family_of
from gymform.exercise.networks.tcn import TCN, TCNConfig
from gymform.exercises import class_of
from gymform.motion.clean import clean
from gymform.storage import data_dir
from gymform.training.exercise import model_card
from gymform.training.exercise.augment import Sample
from gymform.training.exercise.corpus import (
    CONTEXT_S,
    Example,
    conditions,
    load_track,
    read_examples,
    trim,
)
from gymform.training.exercise.cross_validation import CrossValidated, CrossValidation, Design
from gymform.training.exercise.decisions import ENOUGH, Limits, fit_limits, recalls, recognised
from gymform.training.exercise.fitting import Plan
from gymform.training.exercise.keypoint_task import KeypointTask, Sampling
from gymform.training.exercise.metrics import fit_temperature
from gymform.training.exercise.records import LogRow
from gymform.training.exercise.references import Reference, make_bank, make_references
from gymform.training.exercise.samples import (
    CLASS_SHARES,
    CLASSES,
    TRAINING_ONLY,
    load_clips,
    load_tracks,
    make_samples,
    relabelled,
    split,
    without_rejected,
)
from gymform.training.exercise.source_digest import roots_of, source_digest
from gymform.training.exercise.tracks import LabelledPose, rotate
from gymform.types import OTHER
from gymform.weights import ModelEntry, set_default, write_entry

logger = logging.getLogger(__name__)

SIDE_VIEWS = (45, 90, 135, 180, 225, 270, 315)
"""Degrees by which held-out tracks with depth are rotated, to be judged in these views too."""


@dataclass(frozen=True)
class TrainConfig:
    """How the networks are trained. ``augmented_samples`` is their number in all, made once;
    ``synthetic_lifters`` is the number of each exercise."""

    seeds: int = 3
    folds: int = 5
    steps: int = 1500
    batch: int = 64
    augmented_samples: int = 24_000
    synthetic_lifters: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    label_smoothing: float = 0.05
    average: float = 0.995
    channels: int = 48
    dropout: float = 0.25
    seed: int = 0

    @property
    def family(self) -> NetworkFamily:
        """The TCN with this width and dropout."""
        shape = TCNConfig(NUM_FEATURES, len(CLASSES), self.channels, dropout=self.dropout)
        return replace(family_of("tcn"), build=lambda classes, width: TCN(shape))

    @property
    def plan(self) -> Plan:
        """How one network is fitted."""
        return Plan(
            self.steps, self.learning_rate, self.weight_decay, self.label_smoothing, self.average
        )


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Clips with the ``logits`` (n, K) of ``classes`` by networks that were not trained on their
    group, and the ``fold`` (n,) of these."""

    items: Sequence[LabelledPose]
    fold: np.ndarray
    logits: np.ndarray
    classes: tuple[str, ...] = CLASSES

    @property
    def labels(self) -> np.ndarray:
        """The labelled class of each, int (n,)."""
        return np.array([self.classes.index(item.label) for item in self.items])

    def of_classes(self, classes: tuple[str, ...]) -> HeldOut:
        """The same for fewer classes; the rest is ``other``."""
        items = [one if one.label in classes else replace(one, label=OTHER) for one in self.items]
        return HeldOut(items, self.fold, clf.merge(self.logits, self.classes, classes), classes)

    def source(self, name: str) -> HeldOut:
        """The items from one source."""
        return self.where(lambda item: item.source == name)

    def where(self, holds: Callable[[LabelledPose], bool]) -> HeldOut:
        """The items for which ``holds`` is true."""
        rows = [i for i, item in enumerate(self.items) if holds(item)]
        items = [self.items[i] for i in rows]
        return HeldOut(items, self.fold[rows], self.logits[rows], self.classes)


# ---- cross-validation ----------------------------------------------------------------------


def cross_validation(
    items: Sequence[LabelledPose], samples: Sequence[Sample], config: TrainConfig, work: Path
) -> CrossValidation:
    """The cross-validation of the shipped classifier: an ensemble a fold, without validation part.

    Finished networks are kept in ``work``. Raises ModelDataError when there is too little data,
    LeakError when the split would leak.
    """
    family = config.family
    sampling = Sampling(
        config.augmented_samples, config.steps, config.batch, config.seed, CLASS_SHARES
    )
    task = KeypointTask(items, samples, CLASSES, family, config.channels, sampling)
    part = split(items, config.folds, config.seed)
    design = Design(part, config.folds, config.seed, ensemble=config.seeds, validate=False)
    return CrossValidation(task, design, config.plan, cache_key(samples, config), work, Bar())


def held_out_logits(items: Sequence[LabelledPose], result: CrossValidated) -> HeldOut:
    """The logits of each item by the networks that were not trained on its group."""
    logits = np.zeros((len(items), len(CLASSES)))
    for fold in result.folds:
        logits[fold.test] = fold.logits[fold.test]
    return HeldOut(items, result.part, logits)


def evidence(outputs: HeldOut) -> HeldOut:
    """What decides which exercises are named: the real clips, and the tracks that people annotated
    of exercises with fewer clips than :data:`ENOUGH`, of which one more or less would decide."""
    clips = Counter(item.label for item in outputs.items if item.source == "clips")
    few = {label for label in outputs.classes if clips[label] < ENOUGH}
    return outputs.where(
        lambda item: item.source == "clips" or (item.source == "penn" and item.label in few)
    )


def judge_rotated(items: Sequence[LabelledPose], validation: CrossValidation) -> HeldOut:
    """Held-out logits of the tracks with depth, rotated to :data:`SIDE_VIEWS`."""
    rotated, folds, logits = [], [], []
    for fold in range(validation.design.folds):
        networks = validation.networks_of(fold)
        tested = [items[row] for row in np.flatnonzero(validation.design.part == fold).tolist()]
        for item in (one for one in tested if one.depth is not None):
            for degrees in SIDE_VIEWS:
                rotated.append(rotate(item, degrees))
                folds.append(fold)
                logits.append(judge(networks, rotated[-1]))
    return HeldOut(rotated, np.array(folds), np.array(logits).reshape(-1, len(CLASSES)))


def judge_nearest(
    items: Sequence[LabelledPose], references: Sequence[Reference], validation: CrossValidation
) -> list[bool]:
    """For each of the ``references``, some of the ``items``: is the nearest one of the other folds
    of its class? Judged by networks that saw neither its group nor anything made of it."""
    right = []
    fold_of = {item.name: part for item, part in zip(items, validation.design.part, strict=True)}
    for fold in range(validation.design.folds):
        networks = validation.networks_of(fold)
        bank = make_bank(networks, [one for one in references if fold_of[one.clip.name] != fold])
        for one in references:
            if bank is not None and fold_of[one.clip.name] == fold:
                found = bank.nearest(clf.look(networks, one.stretches)[1])
                right.append(class_of(found[0].exercise) == one.clip.label)
    return right


def judge(networks: Sequence[nn.Module], item: LabelledPose) -> np.ndarray:
    """The networks' logits (K,) of one item, computed as for a user's clip."""
    return clf.clip_logits(networks, clf.cut(clean(item.pose)))


def calibrated(held_out: HeldOut, fitted_on: HeldOut) -> np.ndarray:
    """Probabilities (n, K); for each fold the temperature is fitted on the other folds of
    ``fitted_on``."""
    out = np.zeros_like(held_out.logits)
    for i in np.unique(held_out.fold):
        others = fitted_on.fold != i
        temperature = fit_temperature(fitted_on.labels[others], fitted_on.logits[others])
        rows = held_out.fold == i
        out[rows] = softmax(held_out.logits[rows] / temperature, axis=-1)
    return out


def cache_key(samples: Sequence[Sample], config: TrainConfig) -> str:
    """A digest of everything that influences a network, besides rows and seed."""
    settings = {**asdict(config), "seeds": None, "folds": None}  # in rows and seed
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    digest.update(source_digest(*roots_of(config.family)).encode())
    for sample in samples:
        digest.update(f"{sample.name} {sample.label} {sample.group} {sample.source}".encode())
        digest.update(np.ascontiguousarray(sample.points).tobytes())
    return digest.hexdigest()


class Bar:
    """A `Watcher` that shows a progress bar on the terminal."""

    def __init__(self) -> None:
        self._bar = tqdm(unit="step", leave=False, mininterval=1.0, disable=None)

    def prepare(self, stage: str, done: int, total: int) -> None:
        """Nothing: preparation has a bar of its own."""

    def begin_fold(self, fold: int) -> None:
        """Nothing."""

    def log(self, row: LogRow) -> None:
        """Show the loss."""
        self._bar.set_postfix(loss=f"{row.train_loss:.3f}", refresh=False)

    def progress(self, stage: str, done: int, total: int) -> None:
        """Move the bar."""
        self._bar.total = total
        self._bar.set_description(stage, refresh=False)
        self._bar.update(done - self._bar.n)


# ---- the command ---------------------------------------------------------------------------


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``train-exercise``."""
    default = TrainConfig()
    parser.add_argument("--dataset", metavar="DATASET",
                        help="a data set, name or folder; or use --clips and --index")  # fmt: skip
    parser.add_argument("--clips", type=Path, metavar="DIR",
                        help="folder with the keypoint files (.npz) of clips")  # fmt: skip
    parser.add_argument("--index", type=Path, metavar="CSV",
                        help="table of clips, with columns file, exercise, group")  # fmt: skip
    parser.add_argument("--rejected", type=Path, metavar="CSV",
                        help="clips of --index that were rejected by eye, with columns file, "
                             "reason: neither trained nor judged on")  # fmt: skip
    parser.add_argument("--relabelled", type=Path, metavar="CSV",
                        help="clips of --index that show another exercise than it says, with "
                             "columns file, exercise")  # fmt: skip
    parser.add_argument("--tracks", type=Path, metavar="DIR",
                        help="folder with penn_action_gym.npz and snatch_tracks.npz")  # fmt: skip
    parser.add_argument("--training-only", metavar="GROUPS", default="",
                        help="clips of these groups are trained on but never judged on: a pattern "
                             "such as 'generated_*'")  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, metavar="DIR",
                        help="folder for weights, manifest entry and model card")  # fmt: skip
    parser.add_argument("--name", default="exercise-tcn", help="the model's name")
    parser.add_argument("--work", type=Path, metavar="DIR",
                        help="folder for finished networks; a rerun reuses them")  # fmt: skip
    parser.add_argument("--seeds", type=int, default=default.seeds, help="networks in the ensemble")
    parser.add_argument(
        "--folds", type=int, default=default.folds, help="folds of the cross-validation"
    )
    parser.add_argument("--steps", type=int, default=default.steps, help="steps of each training")
    parser.add_argument("--augmented-samples", "--views", type=int, metavar="N",
                        default=default.augmented_samples,
                        help="number of augmented samples")  # fmt: skip
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--least-recall", type=float, default=0.0, metavar="SHARE",
                        help="exercises that are told in a smaller share of their held-out clips, "
                             "or whose name is wrong more often than right, are not named, but "
                             "`other` (0: all are named)")  # fmt: skip
    parser.add_argument("--threads", type=int, default=2, help="processor threads")


def run(args: argparse.Namespace) -> int:
    """Train and ship as the options say; 0 when weights and card are written."""
    least = {"seeds": 1, "folds": 2, "steps": 1, "augmented_samples": 1, "threads": 1}
    for name, bound in least.items():
        if (value := getattr(args, name)) < bound:
            option = name.replace("_", "-")
            raise OptionsError(f"--{option}: expected at least {bound}, got {value}.")
    torch.set_num_threads(args.threads)
    config = TrainConfig(seeds=args.seeds, folds=args.folds, steps=args.steps,
                         augmented_samples=args.augmented_samples, seed=args.seed)  # fmt: skip
    clips = _load(args)
    tracks = load_tracks(args.tracks) if args.tracks else []
    items = clips.judged + tracks
    samples = make_samples(clips.trained + tracks, config.synthetic_lifters, config.seed)
    validation = cross_validation(items, samples, config, args.work or data_dir() / "training")
    result = validation.run()
    outputs = held_out_logits(items, result)
    judged_on = evidence(outputs)
    groups = [item.group for item in judged_on.items]
    classes = recognised(judged_on.labels, judged_on.logits, groups, CLASSES, args.least_recall)
    held_out = outputs.of_classes(classes)
    on_clips = held_out.source("clips")
    temperature = fit_temperature(on_clips.labels, on_clips.logits)
    limits = fit_limits(on_clips.labels, calibrated(on_clips, on_clips))
    references = make_references(clips.judged)
    bank = make_bank(result.networks, references)
    calibration = Calibration(classes, temperature, limits)
    entry = ship(result.networks, calibration, config, args.name, args.out, bank)
    judged = {"clips": on_clips}
    judged |= {source: held_out.source(source) for source in sorted({i.source for i in items})}
    judged["snatch3d turned"] = judge_rotated(items, validation).of_classes(classes)
    cards = {
        name: model_card.Judged(part.items, calibrated(part, on_clips), classes, part.fold)
        for name, part in judged.items()
        if len(part.items)
    }
    nearest = judge_nearest(items, references, validation)
    cards["clips"] = replace(cards["clips"], conditions=clips.conditions, nearest=nearest)
    command = _command(config, args)
    taught = recalls(judged_on.labels, judged_on.logits.argmax(1), CLASSES)
    facts = _facts(config, args, clips)
    model_card.write(args.out / f"{args.name}.md", entry, cards, facts, command, taught)
    logger.info("held-out clips: %s", model_card.headline(cards["clips"]))
    return 0


@dataclass(frozen=True, eq=False)
class TrainingClips:
    """Clips to be ``judged``, how each was filmed (``conditions``, of a data set only), and those
    to be ``trained`` on: the same with the seconds around them, and those for training only. How
    many clips of an index were ``rejected``, by reason, and what others were ``relabelled`` to."""

    judged: list[LabelledPose]
    trained: list[LabelledPose]
    conditions: Sequence[Mapping[str, str]] = ()
    rejected: Mapping[str, int] = field(default_factory=dict)
    relabelled: Sequence[str] = ()


def _facts(
    config: TrainConfig, args: argparse.Namespace, clips: TrainingClips
) -> dict[str, float | str]:
    """What the card says of the training, by name."""
    facts: dict[str, float | str] = {**asdict(config), "least_recall": args.least_recall}
    if apart := len(clips.trained) - len(clips.judged):
        facts["clips_trained_on_and_never_judged"] = f"{apart} ({args.training_only})"
    if clips.rejected:
        told = ", ".join(f"{reason} {number}" for reason, number in clips.rejected.items())
        facts["clips_rejected_by_eye"] = f"{sum(clips.rejected.values())} ({told})"
    if clips.relabelled:
        facts["clips_relabelled_by_eye"] = ", ".join(clips.relabelled)
    return facts


def _load(args: argparse.Namespace) -> TrainingClips:
    """The clips that the options name: accepted repetitions of a data set, or those of an index."""
    if (args.dataset is None) == (args.clips is None) or (args.clips is None) != (
        args.index is None
    ):
        raise OptionsError("Expected either --dataset, or both --clips and --index.")
    for name in ("rejected", "relabelled"):
        if getattr(args, name) is not None and args.index is None:
            raise OptionsError(
                f"--{name}: expected with --index; a data set knows its own verdicts."
            )
    if args.dataset is None:
        clips = load_clips(args.clips, args.index)
        rejected: dict[str, int] = {}
        if args.rejected is not None:
            clips, rejected = without_rejected(clips, args.rejected)
        changes: list[str] = []
        if args.relabelled is not None:
            before, clips = clips, relabelled(clips, args.relabelled)
            changes = [
                f"{old.action} to {new.action}"
                for old, new in zip(before, clips, strict=True)
                if old.action != new.action
            ]
        clips = _set_apart(clips, args.training_only)
        judged = [clip for clip in clips if clip.source == "clips"]
        return TrainingClips(judged, clips, rejected=rejected, relabelled=changes)
    examples, _ = read_examples(dataset_dir(args.dataset))
    if not examples:
        raise ModelDataError("Nothing was accepted in this data set yet. Review its clips first.")
    trained = _set_apart([label_example(one) for one in examples], args.training_only)
    pairs = [
        (replace(wide, pose=trim(wide.pose, example.start_s, example.end_s)), example)
        for wide, example in zip(trained, examples, strict=True)
        if wide.source == "clips"
    ]
    filmed = [conditions(example, clip.pose) for clip, example in pairs]
    return TrainingClips([clip for clip, _ in pairs], trained, filmed)


def _set_apart(clips: Sequence[LabelledPose], pattern: str) -> list[LabelledPose]:
    """``clips`` with the source of those whose group fits ``pattern`` changed: training only."""
    return [
        replace(clip, source=TRAINING_ONLY) if fnmatchcase(clip.group, pattern) else clip
        for clip in clips
    ]


def label_example(example: Example) -> LabelledPose:
    """An accepted repetition, with :data:`CONTEXT_S` before and after it, as a clip to train on; an
    exercise that is no class becomes ``other``."""
    label = class_of(example.exercise)
    pose = load_track(example, CONTEXT_S)
    return LabelledPose(example.item_id, label, example.exercise, example.group, "clips", pose)


def _command(config: TrainConfig, args: argparse.Namespace) -> str:
    """The command line that repeats this training, without paths."""
    source = "--dataset DATASET" if args.dataset else "--clips POSES --index clips/index.csv"
    source += f" --rejected weights/{args.rejected.name}" if args.rejected else ""
    source += f" --relabelled weights/{args.relabelled.name}" if args.relabelled else ""
    tracks = " --tracks tracks" if args.tracks else ""
    least = f" --least-recall {args.least_recall:g}" if args.least_recall else ""
    tracks += f' --training-only "{args.training_only}"' if args.training_only else ""
    return (
        f"python -m gymform train-exercise {source}{tracks} "
        f"--out weights --seeds {config.seeds} --folds {config.folds} --steps {config.steps} "
        f"--augmented-samples {config.augmented_samples} --seed {config.seed}{least}"
    )


@dataclass(frozen=True, eq=False)
class Calibration:
    """What held-out clips decide: the ``classes`` that are named, temperature and limits."""

    classes: tuple[str, ...]
    temperature: float
    limits: Limits


def ship(
    networks: Sequence[nn.Module],
    calibration: Calibration,
    config: TrainConfig,
    name: str,
    folder: Path,
    bank: Bank | None = None,
) -> ModelEntry:
    """Write the weights and their manifest entry; the first exercise model becomes the default.

    The clips of ``bank`` go to the file of the weights.
    """
    path = folder / f"{name}.safetensors"
    clf.write_networks(path, networks, bank)
    settings = clf.Settings(
        classes=calibration.classes,
        networks=len(networks),
        channels=config.channels,
        features=NUM_FEATURES,
        rate_hz=RATE_HZ,
        temperature=round(calibration.temperature, 4),
        thresholds=calibration.limits.of(calibration.classes),
        candidate_from=round(calibration.limits.candidate_from, 5),
        outputs=CLASSES if calibration.classes != CLASSES else (),
    )
    entry = ModelEntry.of(
        path,
        name=name,
        kind="exercise",
        licence="MIT (this project); see the model card for the training data's terms",
        provenance="gymform train-exercise; see the model card",
        config=settings.as_config(),
    )
    write_entry(entry)
    set_default(entry)
    return entry
