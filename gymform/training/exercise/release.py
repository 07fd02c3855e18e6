"""Train, judge and ship the exercise classifier: ``python -m gymform train-exercise``.

The command reads what was accepted in a data set, or keypoint files with an index, and ready-made
tracks, makes augmented recordings of them once, cross-validates by group, fits the temperature on
the held-out answers, trains the ensemble on everything, and writes weights, manifest entry and
model card. Every finished network is kept in the work folder, so that a command that was stopped
goes on where it was.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
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
from gymform.exercise.networks.registry import family_of
from gymform.exercise.networks.tcn import TCN, TCNConfig
from gymform.motion.clean import clean
from gymform.storage import data_dir
from gymform.training.exercise import model_card
from gymform.training.exercise.augment import Sample
from gymform.training.exercise.corpus import CONTEXT_S, Example, load_track, read_examples, trim
from gymform.training.exercise.fitting import Plan, fit, fit_scale
from gymform.training.exercise.metrics import fit_temperature
from gymform.training.exercise.samples import (
    CLASS_SHARES,
    CLASSES,
    Views,
    draw_batches,
    load_clips,
    load_tracks,
    make_samples,
    make_views,
    split,
    weights_of_views,
)
from gymform.training.exercise.source_digest import roots_of, source_digest
from gymform.training.exercise.tracks import LabelledPose, turn
from gymform.types import OTHER
from gymform.weights import ModelEntry, set_default, write_entry

logger = logging.getLogger(__name__)

SIDE_VIEWS = (45, 90, 135, 180, 225, 270, 315)
"""Degrees by which held-out tracks with depth are turned, to be judged from there too."""


@dataclass(frozen=True)
class TrainConfig:
    """How the networks are trained. ``views`` are augmented recordings, made once for all,
    ``figures`` calculated ones of each kind."""

    seeds: int = 3
    folds: int = 5
    steps: int = 1500
    batch: int = 64
    views: int = 24_000
    figures: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 0.02
    label_smoothing: float = 0.05
    average: float = 0.995
    channels: int = 48
    dropout: float = 0.25
    seed: int = 0

    @property
    def network(self) -> TCNConfig:
        """The shape of one network."""
        return TCNConfig(NUM_FEATURES, len(CLASSES), self.channels, dropout=self.dropout)

    @property
    def plan(self) -> Plan:
        """How one network is fitted."""
        return Plan(
            self.steps, self.learning_rate, self.weight_decay, self.label_smoothing, self.average
        )


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Answers on clips that the networks were not trained on: ``logits`` (n, K), ``fold`` (n,)."""

    items: Sequence[LabelledPose]
    fold: np.ndarray
    logits: np.ndarray

    @property
    def labels(self) -> np.ndarray:
        """The true class of each, int (n,)."""
        return np.array([CLASSES.index(item.label) for item in self.items])


# ---- one network ---------------------------------------------------------------------------


def train_network(
    samples: Sequence[Sample],
    views: Views,
    rows: np.ndarray,
    config: TrainConfig,
    seed: int,
    note: str = "train",
) -> nn.Module:
    """A network trained on the views of the samples at ``rows``: the running mean of its weights.

    AdamW with a one-cycle schedule; the same seed gives the same network.
    """
    torch.manual_seed(seed)
    chosen, weight = weights_of_views(samples, views, rows, CLASS_SHARES)
    label = np.array([CLASSES.index(s.label) for s in samples])
    network = TCN(config.network)
    fit_scale(network, [views.inputs[i] for i in chosen[:: max(1, len(chosen) // 2000)]])
    picked = draw_batches(views, chosen, weight, config.steps, config.batch, seed)
    batches = (
        (clf.batch([views.inputs[i] for i in picks]), torch.from_numpy(label[views.sample[picks]]))
        for picks in picked
    )
    with tqdm(total=config.steps, desc=note, unit="step", leave=False, mininterval=1.0) as bar:

        def heard(step: int, loss: float, averaged: nn.Module) -> None:
            bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
            bar.update()

        return fit(network, batches, config.plan, heard)


# ---- all networks --------------------------------------------------------------------------


class Workshop:
    """Trains networks and keeps the finished ones in ``folder``, by what they were made from."""

    def __init__(self, samples: Sequence[Sample], config: TrainConfig, folder: Path) -> None:
        self.samples, self.config, self.folder = samples, config, folder
        self._views: Views | None = None
        self._digest = _digest(samples, config)

    def networks(self, rows: np.ndarray, note: str) -> list[nn.Module]:
        """One network a seed, trained on the samples at ``rows``; finished ones are read back."""
        return [self._network(rows, seed, note) for seed in range(self.config.seeds)]

    def _network(self, rows: np.ndarray, seed: int, note: str) -> nn.Module:
        seed += self.config.seed
        key = hashlib.sha256(f"{self._digest} {seed} {sorted(rows)}".encode()).hexdigest()[:16]
        path = self.folder / f"tcn-{key}.safetensors"
        if path.is_file():
            return clf.read_networks(path, lambda: TCN(self.config.network), 1)[0]
        if self._views is None:
            self._views = make_views(self.samples, self.config.views, self.config.seed)
        note = f"{note}, network {seed - self.config.seed + 1} of {self.config.seeds}"
        network = train_network(self.samples, self._views, rows, self.config, seed, note)
        clf.write_networks(path, [network])
        return network


def cross_validate(
    items: Sequence[LabelledPose], samples: Sequence[Sample], workshop: Workshop
) -> HeldOut:
    """The answers to every item by networks that have not seen its group."""
    folds = workshop.config.folds
    fold = split(items, folds, workshop.config.seed)
    logits = np.zeros((len(items), len(CLASSES)))
    for i in range(folds):
        held_out = {item.group for item, f in zip(items, fold, strict=True) if f == i}
        rows = np.array([r for r, s in enumerate(samples) if s.group not in held_out])
        networks = workshop.networks(rows, f"fold {i + 1} of {folds}")
        for row in np.flatnonzero(fold == i).tolist():
            logits[row] = judge(networks, items[row])
    return HeldOut(items, fold, logits)


def judge(networks: Sequence[nn.Module], item: LabelledPose) -> np.ndarray:
    """The networks' logits (K,) for one item, by the same way as for a user's clip."""
    stretches = clf.cut(clean(item.pose))
    return clf.combine(clf.votes(networks, stretches))


def judge_turned(workshop: Workshop, items: Sequence[LabelledPose], fold: np.ndarray) -> HeldOut:
    """Held-out answers to the tracks with depth, seen from the sides and from behind."""
    turned, folds, logits = [], [], []
    for i in range(workshop.config.folds):
        held_out = {item.group for item, f in zip(items, fold, strict=True) if f == i}
        rows = np.array([r for r, s in enumerate(workshop.samples) if s.group not in held_out])
        networks = workshop.networks(rows, f"fold {i + 1}")
        for item in (x for x, f in zip(items, fold, strict=True) if f == i and x.depth is not None):
            for degrees in SIDE_VIEWS:
                turned.append(turn(item, degrees))
                folds.append(i)
                logits.append(judge(networks, turned[-1]))
    return HeldOut(turned, np.array(folds), np.array(logits).reshape(-1, len(CLASSES)))


def calibrated(answers: HeldOut, fitted_on: HeldOut) -> np.ndarray:
    """Probabilities (n, K), those of each fold with the temperature of ``fitted_on``'s others."""
    out = np.zeros_like(answers.logits)
    for i in np.unique(answers.fold):
        others = fitted_on.fold != i
        temperature = fit_temperature(fitted_on.labels[others], fitted_on.logits[others])
        out[answers.fold == i] = softmax(answers.logits[answers.fold == i] / temperature, axis=-1)
    return out


def _digest(samples: Sequence[Sample], config: TrainConfig) -> str:
    """A name for everything that decides what a network becomes."""
    digest = hashlib.sha256(json.dumps(asdict(config), sort_keys=True).encode())
    digest.update(source_digest(*roots_of(family_of("tcn"))).encode())
    for sample in samples:
        digest.update(f"{sample.name} {sample.label} {sample.group} {sample.source}".encode())
        digest.update(np.ascontiguousarray(sample.points).tobytes())
    return digest.hexdigest()


# ---- the command ---------------------------------------------------------------------------


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``train-exercise``."""
    default = TrainConfig()
    parser.add_argument("--dataset", metavar="DATASET",
                        help="a data set, by name or folder; or else")  # fmt: skip
    parser.add_argument("--clips", type=Path, metavar="DIR",
                        help="folder with the clips' keypoint files (.npz), and")  # fmt: skip
    parser.add_argument("--index", type=Path, metavar="CSV",
                        help="their table with the columns file, exercise, group")  # fmt: skip
    parser.add_argument("--tracks", type=Path, metavar="DIR",
                        help="folder with penn_action_gym.npz and snatch_tracks.npz")  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, metavar="DIR",
                        help="where weights, manifest entry and model card go")  # fmt: skip
    parser.add_argument("--name", default="exercise-tcn", help="the model's name")
    parser.add_argument("--work", type=Path, metavar="DIR",
                        help="where finished networks are kept for a rerun")  # fmt: skip
    parser.add_argument("--seeds", type=int, default=default.seeds, help="networks an ensemble")
    parser.add_argument("--folds", type=int, default=default.folds, help="of cross-validation")
    parser.add_argument("--steps", type=int, default=default.steps, help="of each training")
    parser.add_argument("--views", type=int, default=default.views, help="augmented recordings")
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--threads", type=int, default=2, help="of the processor")


def run(args: argparse.Namespace) -> int:
    """Do what the options say; 0 when weights and card are written."""
    for name, least in (("seeds", 1), ("folds", 2), ("steps", 1), ("views", 1), ("threads", 1)):
        if getattr(args, name) < least:
            raise OptionsError(f"--{name}: expected at least {least}, got {getattr(args, name)}.")
    torch.set_num_threads(args.threads)
    config = TrainConfig(seeds=args.seeds, folds=args.folds, steps=args.steps, views=args.views,
                         seed=args.seed)  # fmt: skip
    clips, taught = _load(args)
    tracks = load_tracks(args.tracks) if args.tracks else []
    items = clips + tracks
    samples = make_samples(taught + tracks, config.figures, config.seed)
    workshop = Workshop(samples, config, args.work or data_dir() / "training")
    answers = cross_validate(items, samples, workshop)
    on_clips = subset(answers, "clips")
    temperature = fit_temperature(on_clips.labels, on_clips.logits)
    networks = workshop.networks(np.arange(len(samples)), "all clips")
    entry = ship(networks, temperature, config, args.name, args.out)
    judged = {"clips": on_clips}
    judged |= {source: subset(answers, source) for source in sorted({i.source for i in items})}
    judged["snatch3d turned"] = judge_turned(workshop, items, answers.fold)
    cards = {
        name: model_card.Judged(part.items, calibrated(part, on_clips))
        for name, part in judged.items()
        if len(part.items)
    }
    command = _command(config, args.dataset is not None, args.tracks is not None)
    model_card.write(args.out / f"{args.name}.md", entry, cards, asdict(config), command)
    logger.info("held-out clips: %s", model_card.headline(cards["clips"]))
    return 0


def _load(args: argparse.Namespace) -> tuple[list[LabelledPose], list[LabelledPose]]:
    """The clips that the options name, to judge by and to learn from.

    That is what was accepted in a data set, to learn from with what is around it, or the clips of
    an index.
    """
    if (args.dataset is None) == (args.clips is None) or (args.clips is None) != (
        args.index is None
    ):
        raise OptionsError("Expected either --dataset, or both --clips and --index.")
    if args.dataset is None:
        clips = load_clips(args.clips, args.index)
        return clips, clips
    examples, _ = read_examples(dataset_dir(args.dataset))
    if not examples:
        raise ModelDataError("Nothing was accepted in this data set yet: review its clips first.")
    taught = [label_example(example) for example in examples]
    clips = [
        replace(wide, pose=trim(wide.pose, example.start_s, example.end_s))
        for wide, example in zip(taught, examples, strict=True)
    ]
    return clips, taught


def label_example(example: Example) -> LabelledPose:
    """An accepted repetition and what is around it as a clip to learn from; an exercise that is no
    class is ``other``."""
    label = example.exercise if example.exercise in CLASSES else OTHER
    pose = load_track(example, CONTEXT_S)
    return LabelledPose(example.item_id, label, example.exercise, example.group, "clips", pose)


def _command(config: TrainConfig, from_dataset: bool, with_tracks: bool) -> str:
    """The command line to repeat this training, without anybody's folders."""
    source = "--dataset DATASET" if from_dataset else "--clips POSES --index clips/index.csv"
    tracks = " --tracks tracks" if with_tracks else ""
    return (
        f"python -m gymform train-exercise {source}{tracks} "
        f"--out weights --seeds {config.seeds} --folds {config.folds} --steps {config.steps} "
        f"--views {config.views} --seed {config.seed}"
    )


def subset(answers: HeldOut, source: str) -> HeldOut:
    """Those of ``answers`` that come from ``source``."""
    rows = [i for i, item in enumerate(answers.items) if item.source == source]
    items = [answers.items[i] for i in rows]
    return HeldOut(items, answers.fold[rows], answers.logits[rows])


def ship(
    networks: Sequence[nn.Module], temperature: float, config: TrainConfig, name: str, folder: Path
) -> ModelEntry:
    """Write the weights and their manifest entry; the first exercise model becomes the default."""
    path = folder / f"{name}.safetensors"
    clf.write_networks(path, networks)
    settings = clf.Settings(
        classes=CLASSES,
        networks=len(networks),
        channels=config.channels,
        features=NUM_FEATURES,
        rate_hz=RATE_HZ,
        temperature=round(temperature, 4),
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
