"""Cross-validation by group: every repetition is answered by a network that saw nothing like it.

The groups are shared out over parts. In fold i, part i is tested on, the part after it is validated
on, and the rest is trained on: so every item is tested once, validated once, and trained on by all
other folds. Probabilities are calibrated by a temperature from validation answers to items of other
parts than the one tested.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from scipy.special import log_softmax, softmax
from torch import nn

from gymform.dataset import splits
from gymform.errors import ModelDataError
from gymform.exercise import classifier as clf
from gymform.exercise.networks.registry import Family
from gymform.storage import atomic_path
from gymform.training.exercise.corpus import Corpus, Example
from gymform.training.exercise.fitting import Plan, fit
from gymform.training.exercise.metrics import fit_temperature
from gymform.training.exercise.readiness import MIN_GROUPS
from gymform.training.exercise.records import (
    TEST,
    TRAIN,
    VALIDATION,
    CurvePoint,
    LogRow,
    TrainOptions,
)
from gymform.training.exercise.samples import check_split
from gymform.training.exercise.source_digest import roots_of, source_digest
from gymform.training.exercise.tasks import make_task

PARTS = 5
"""Parts into which the groups are shared out when only one fold is trained."""

LOG_LINES = 20
"""Lines of the log a fold; every other has a look at the validation clips."""

CURVE_SHARES = (0.25, 0.5, 0.75)
"""Shares of the training groups that the learning curve is measured at."""


@dataclass(frozen=True, eq=False)
class Fold:
    """One fold: which rows were trained, validated and tested on, and the logits (n, K) of all."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    logits: np.ndarray


@dataclass(frozen=True, eq=False)
class Outcome:
    """What cross-validation gave: ``part`` int (n,) of each item, the folds, the final network.

    ``training_s`` is the time that the networks of the folds took.
    """

    part: np.ndarray
    folds: tuple[Fold, ...]
    curve: tuple[CurvePoint, ...]
    network: nn.Module
    training_s: float


# ---- the split -----------------------------------------------------------------------------


def share_out(corpus: Corpus, count: int, seed: int) -> np.ndarray:
    """The part int (n,) of each item, 0 to ``count`` - 1: see `gymform.dataset.splits`.

    Raises LeakError or ModelDataError when the parts would leak: see :func:`check_parts`.
    """
    if count < MIN_GROUPS:
        raise ModelDataError(
            f"Expected at least {MIN_GROUPS} persons or sources that share no recording, to train, "
            f"to validate and to test on; got {count}."
        )
    labelled = _labelled(corpus)
    part = np.array(splits.folds(labelled, count, copies=corpus.twins, seed=seed))
    check_parts(corpus, part)
    return part


def check_parts(corpus: Corpus, part: np.ndarray) -> None:
    """Raise LeakError when two parts share a group, a clip or a copy of one.

    Raises ModelDataError when they share the same keypoints: a copy that nobody noticed.
    """
    names = {example.clip_sha256: example.name for example in corpus.examples}
    splits.check_split(_labelled(corpus), part.tolist(), copies=corpus.twins, names=names)
    for i in np.unique(part):
        check_split(
            [track for track, p in zip(corpus.tracks, part, strict=True) if p != i],
            [track for track, p in zip(corpus.tracks, part, strict=True) if p == i],
        )


def _labelled(corpus: Corpus) -> list[Example]:
    """The examples with their classes as exercises, since parts are to be even in these."""
    pairs = zip(corpus.examples, corpus.tracks, strict=True)
    return [replace(example, exercise=track.label) for example, track in pairs]


# ---- training ------------------------------------------------------------------------------


class Watcher(Protocol):
    """Hears how the training goes."""

    def prepare(self, stage: str, done: int, total: int) -> None:
        """``done`` of ``total`` clips are cleaned, augmented or decoded; may raise Cancelled."""

    def begin_fold(self, fold: int) -> None:
        """A fold (from 1) is trained from its beginning."""

    def log(self, row: LogRow) -> None:
        """A line of the curves."""

    def progress(self, stage: str, done: int, total: int) -> None:
        """``done`` of ``total`` steps of all networks; may raise Cancelled to stop."""


class CrossValidation:
    """Trains the networks of all folds and keeps finished ones in ``folder``, by what made them."""

    def __init__(
        self, corpus: Corpus, family: Family, options: TrainOptions, folder: Path, watcher: Watcher
    ) -> None:
        self.corpus, self.family, self.options = corpus, family, options
        self.task = make_task(corpus, family, options, watcher.prepare)
        self.parts = min(PARTS if options.folds == 1 else options.folds, corpus.family_count)
        self.folds = 1 if options.folds == 1 else self.parts
        self._plan = Plan(options.steps or family.steps, family.learning_rate)
        self._folder, self._watcher = folder, watcher
        self._digest = _digest(corpus, family, options)
        self._finished = 0
        self._seconds = 0.0

    @property
    def networks(self) -> int:
        """How many networks are trained in all."""
        curve = self.folds * len(CURVE_SHARES) if self.options.learning_curve else 0
        return self.folds + curve + 1

    def run(self) -> Outcome:
        """Train and judge everything. Raises ModelDataError when the split would leak."""
        part = share_out(self.corpus, self.parts, self.options.seed)
        folds = [self._fold(part, i) for i in range(self.folds)]
        cv_seconds = self._seconds
        curve = self._curve(folds) if self.options.learning_curve else ()
        everything = np.arange(len(self.corpus))
        final = self._network(everything, np.array([], int), self.folds + 1, "all clips")
        return Outcome(part, tuple(folds), curve, final, cv_seconds)

    def _fold(self, part: np.ndarray, i: int) -> Fold:
        test, validation = part == i, part == (i + 1) % self.parts
        train, held_out = np.flatnonzero(~test & ~validation), np.flatnonzero(validation)
        network = self._network(train, held_out, i + 1, f"fold {i + 1} of {self.folds}")
        logits = self.task.logits(network, range(len(self.corpus)))
        return Fold(train, held_out, np.flatnonzero(test), logits)

    def _curve(self, folds: Sequence[Fold]) -> tuple[CurvePoint, ...]:
        """Accuracy by number of clips trained on; the last point is that of the folds."""
        points = []
        for share in CURVE_SHARES:
            few = []
            for fold in folds:
                rows = self._some_of(fold.train, share)
                network = self._network(rows, np.array([], int), 0, f"{share:.0%} of the clips")
                logits = self.task.logits(network, range(len(self.corpus)))
                few.append(replace(fold, train=rows, logits=logits))
            points.append(curve_point(few, self.corpus.labels))
        return (*points, curve_point(folds, self.corpus.labels))

    def _some_of(self, rows: np.ndarray, share: float) -> np.ndarray:
        """The rows of a share of the groups, chosen class by class, at least one of each."""
        rng = np.random.default_rng(self.options.seed)
        labels, tracks = self.corpus.labels, self.corpus.tracks
        kept: set[str] = set()
        for label in np.unique(labels[rows]):
            groups = sorted({tracks[row].group for row in rows if labels[row] == label})
            count = max(1, round(share * len(groups)))
            kept |= set(rng.permutation(groups)[:count].tolist())
        return np.array([row for row in rows if tracks[row].group in kept])

    def _network(self, rows: np.ndarray, held_out: np.ndarray, fold: int, stage: str) -> nn.Module:
        """A network trained on ``rows``: one that was finished earlier, or a new one.

        The curves of ``fold`` 0 are not logged.
        """
        key = hashlib.sha256(f"{self._digest} {fold} {rows.tolist()}".encode()).hexdigest()[:16]
        path, note = self._folder / f"{key}.safetensors", self._folder / f"{key}.json"
        if not path.is_file():
            started = time.perf_counter()
            trained = self._train(rows, held_out, fold, stage)
            with atomic_path(note) as temporary:
                temporary.write_text(json.dumps({"seconds": time.perf_counter() - started}))
            clf.write_networks(path, [trained])
        self._finished += 1
        self._seconds += float(json.loads(note.read_text())["seconds"])
        return clf.read_networks(path, self._build, 1)[0].to(self.task.device)

    def _build(self) -> nn.Module:
        return self.family.build(len(self.corpus.classes), self.options.width or self.family.width)

    def _train(self, rows: np.ndarray, held_out: np.ndarray, fold: int, stage: str) -> nn.Module:
        """A new network trained on ``rows``, watched on the way."""
        steps, losses = self._plan.steps, []
        every = max(1, steps // LOG_LINES)
        seed = self.options.seed + fold
        torch.manual_seed(seed)
        network = self._build().to(self.task.device)
        if fold:
            self._watcher.begin_fold(fold)

        def heard(step: int, loss: float, averaged: nn.Module) -> None:
            losses.append(loss)
            if fold and (step % every == 0 or step == steps):
                look = step % (2 * every) == 0 or step == steps
                val = self._validate(averaged, held_out) if look and len(held_out) else (None, None)
                self._watcher.log(LogRow(fold, step, float(np.mean(losses)), *val))
                losses.clear()
            done = self._finished * steps + step
            self._watcher.progress(stage, done, self.networks * steps)

        return fit(network, self.task.batches(network, rows, seed), self._plan, heard)

    def _validate(self, network: nn.Module, rows: np.ndarray) -> tuple[float, float]:
        """(loss, accuracy) on whole items."""
        logits, labels = self.task.logits(network, rows.tolist()), self.corpus.labels[rows]
        loss = -log_softmax(logits, axis=1)[np.arange(len(rows)), labels].mean()
        return float(loss), float((logits.argmax(1) == labels).mean())


def curve_point(folds: Sequence[Fold], labels: np.ndarray) -> CurvePoint:
    """Accuracy on the clips trained on and tested on, all folds together."""
    right = [fold.logits.argmax(1) == labels for fold in folds]
    trained = np.concatenate([r[fold.train] for r, fold in zip(right, folds, strict=True)])
    tested = np.concatenate([r[fold.test] for r, fold in zip(right, folds, strict=True)])
    clips = round(len(trained) / len(folds))
    return CurvePoint(clips, float(trained.mean()), float(tested.mean()), len(tested))


def _digest(corpus: Corpus, family: Family, options: TrainOptions) -> str:
    """A name for everything but the rows that decides what a network becomes."""
    chosen = asdict(replace(options, learning_curve=False, threads=1))
    digest = hashlib.sha256(f"{corpus.digest()} {chosen}".encode())
    numbers = (family.name, family.width, family.steps, family.batch, family.learning_rate)
    digest.update(f"{numbers} {family.views} {source_digest(*roots_of(family))}".encode())
    return digest.hexdigest()


# ---- probabilities -------------------------------------------------------------------------


def answers(outcome: Outcome, labels: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For train, validation and test: (rows, calibrated probabilities (len(rows), K)).

    An item that several folds trained on gets the mean of their probabilities.
    """
    total = {part: np.zeros(outcome.folds[0].logits.shape) for part in (TRAIN, VALIDATION, TEST)}
    seen = {part: np.zeros(len(labels)) for part in total}
    for fold in outcome.folds:
        probabilities = softmax(fold.logits / _temperature(outcome, labels, fold), axis=1)
        for part, rows in ((TRAIN, fold.train), (VALIDATION, fold.validation), (TEST, fold.test)):
            total[part][rows] += probabilities[rows]
            seen[part][rows] += 1
    found = {part: np.flatnonzero(count) for part, count in seen.items()}
    return {
        part: (rows, total[part][rows] / seen[part][rows, None]) for part, rows in found.items()
    }


def _temperature(outcome: Outcome, labels: np.ndarray, fold: Fold) -> float:
    """From validation answers to items that are not among those which ``fold`` tests."""
    rows = [np.setdiff1d(other.validation, fold.test) for other in outcome.folds]
    logits = np.concatenate([f.logits[r] for f, r in zip(outcome.folds, rows, strict=True)])
    return fit_temperature(labels[np.concatenate(rows)], logits)


def final_temperature(outcome: Outcome, labels: np.ndarray) -> float:
    """For the network trained on everything: from the answers to all test items."""
    rows = np.concatenate([fold.test for fold in outcome.folds])
    logits = np.concatenate([fold.logits[fold.test] for fold in outcome.folds])
    return fit_temperature(labels[rows], logits)
