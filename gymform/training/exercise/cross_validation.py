"""Cross-validation by group: every item is answered by networks that saw nothing like it.

The groups are shared out over parts. In fold i, part i is tested on; where the training is watched,
the part after it is validated on; the rest is trained on. So every item is tested once. Data sets
of the user and the shipped classifier go the same way: the one watched, by one network a fold, the
other by an ensemble. Probabilities are calibrated by a temperature from answers to items of other
parts than the one tested.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from scipy.special import log_softmax, softmax
from torch import nn

from gymform.dataset import splits
from gymform.errors import ModelDataError
from gymform.exercise import classifier as clf
from gymform.storage import atomic_path
from gymform.training.exercise.corpus import Corpus, Example
from gymform.training.exercise.fitting import Plan, fit
from gymform.training.exercise.metrics import fit_temperature
from gymform.training.exercise.readiness import MIN_GROUPS
from gymform.training.exercise.records import TEST, TRAIN, VALIDATION, CurvePoint, LogRow
from gymform.training.exercise.tasks import Task
from gymform.training.exercise.tracks import keypoint_digest

PARTS = 5
"""Parts into which the groups are shared out when only one fold is trained."""

LOG_LINES = 20
"""Lines of the log a fold; every other has a look at the validation clips."""

CURVE_SHARES = (0.25, 0.5, 0.75)
"""Shares of the training groups that the learning curve is measured at."""


@dataclass(frozen=True, eq=False)
class Fold:
    """One fold: which rows were trained, validated and tested on, and the logits (n, K).

    Of rows that nobody asked for the logits are NaN.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    logits: np.ndarray


@dataclass(frozen=True, eq=False)
class CrossValidated:
    """What cross-validation gave: ``part`` int (n,) of each item, the folds, the final networks.

    ``training_s`` is the time that the networks of the folds took.
    """

    part: np.ndarray
    folds: tuple[Fold, ...]
    curve: tuple[CurvePoint, ...]
    networks: tuple[nn.Module, ...]
    training_s: float


@dataclass(frozen=True, eq=False)
class Design:
    """How a cross-validation is laid out.

    ``part`` int (n,) says in which fold each item is tested; only the first ``folds`` are trained.
    ``watched``: the part after the tested one is held out too, for the curves, and all items are
    answered in every fold, not only the tested ones. ``ensemble`` networks are trained on the same
    items, with the seeds ``seed``, ``seed`` + 1 and so on.
    """

    part: np.ndarray
    folds: int
    seed: int = 0
    ensemble: int = 1
    watched: bool = True
    learning_curve: bool = False

    @property
    def parts(self) -> int:
        """How many parts there are."""
        return int(self.part.max()) + 1

    @property
    def networks(self) -> int:
        """How many networks are trained in all."""
        curve = self.folds * len(CURVE_SHARES) if self.learning_curve else 0
        return (self.folds + curve + 1) * self.ensemble

    def rows_of(self, fold: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The rows to train, to validate and to test on in a fold, counted from 0."""
        test = self.part == fold
        validation = (self.part == (fold + 1) % self.parts) & self.watched
        train, held_out = np.flatnonzero(~test & ~validation), np.flatnonzero(validation)
        return train, held_out, np.flatnonzero(test)


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
    """Raise LeakError when two parts share a group, a clip, a copy of one, or keypoints."""
    splits.check_split(
        _labelled(corpus),
        part.tolist(),
        copies=corpus.twins,
        names={example.clip_sha256: example.name for example in corpus.examples},
        contents=[keypoint_digest(track) for track in corpus.tracks],
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
    """Trains the networks of all folds and keeps finished ones in ``folder``, by what made them.

    ``key`` names everything but rows and seed that decides what a network becomes.
    """

    def __init__(
        self, task: Task, design: Design, plan: Plan, key: str, folder: Path, watcher: Watcher
    ) -> None:
        self.task, self.design, self.plan = task, design, plan
        self._key, self._folder, self._watcher = key, folder, watcher
        self._finished = 0
        self._seconds = 0.0

    def run(self) -> CrossValidated:
        """Train and judge everything."""
        folds = [self._fold(i) for i in range(self.design.folds)]
        cv_seconds = self._seconds
        curve = self._curve(folds) if self.design.learning_curve else ()
        everything = np.arange(len(self.task.labels))
        final = self._networks(everything, np.array([], int), self.design.folds + 1, "all clips")
        return CrossValidated(self.design.part, tuple(folds), curve, tuple(final), cv_seconds)

    def networks_of(self, fold: int) -> list[nn.Module]:
        """The networks of a fold, counted from 0, that have not seen what it tests."""
        train, held_out, _ = self.design.rows_of(fold)
        stage = f"fold {fold + 1} of {self.design.folds}"
        return self._networks(train, held_out, fold + 1, stage)

    def _fold(self, fold: int) -> Fold:
        train, held_out, test = self.design.rows_of(fold)
        networks = self.networks_of(fold)
        asked = np.arange(len(self.task.labels)) if self.design.watched else test
        return Fold(train, held_out, test, self._logits(networks, asked))

    def _logits(self, networks: Sequence[nn.Module], rows: np.ndarray) -> np.ndarray:
        """The logits (n, K) of the items at ``rows``; NaN for the others."""
        found = self.task.logits(networks, rows.tolist())
        logits = np.full((len(self.task.labels), found.shape[1]), np.nan)
        logits[rows] = found
        return logits

    def _curve(self, folds: Sequence[Fold]) -> tuple[CurvePoint, ...]:
        """Accuracy by number of clips trained on; the last point is that of the folds."""
        points = []
        everything = np.arange(len(self.task.labels))
        for share in CURVE_SHARES:
            few = []
            for fold in folds:
                rows = self._some_of(fold.train, share)
                nobody = np.array([], int)
                networks = self._networks(rows, nobody, 0, f"{share:.0%} of the clips")
                logits = self._logits(networks, everything)
                few.append(replace(fold, train=rows, logits=logits))
            points.append(curve_point(few, self.task.labels))
        return (*points, curve_point(folds, self.task.labels))

    def _some_of(self, rows: np.ndarray, share: float) -> np.ndarray:
        """The rows of a share of the groups, chosen class by class, at least one of each."""
        rng = np.random.default_rng(self.design.seed)
        labels, groups = self.task.labels, self.task.groups
        kept: set[str] = set()
        for label in np.unique(labels[rows]):
            there = sorted({groups[row] for row in rows if labels[row] == label})
            count = max(1, round(share * len(there)))
            kept |= set(rng.permutation(there)[:count].tolist())
        return np.array([row for row in rows if groups[row] in kept])

    def _networks(
        self, rows: np.ndarray, held_out: np.ndarray, fold: int, stage: str
    ) -> list[nn.Module]:
        """The ensemble trained on ``rows``: what was finished earlier, and what is new.

        Only the first network's curve is logged, and none for ``fold`` 0.
        """
        numbers = range(self.design.ensemble)
        return [self._network(rows, held_out, fold if not n else 0, stage, n) for n in numbers]

    def _network(
        self, rows: np.ndarray, held_out: np.ndarray, fold: int, stage: str, number: int
    ) -> nn.Module:
        """A network trained on ``rows``: one that was finished earlier, or a new one."""
        seed = self.design.seed + number
        key = hashlib.sha256(f"{self._key} {seed} {rows.tolist()}".encode()).hexdigest()[:16]
        path, note = self._folder / f"{key}.safetensors", self._folder / f"{key}.json"
        if not path.is_file():
            started = time.perf_counter()
            trained = self._train(rows, held_out, fold, stage, seed)
            with atomic_path(note) as temporary:
                temporary.write_text(json.dumps({"seconds": time.perf_counter() - started}))
            clf.write_networks(path, [trained])
        self._finished += 1
        self._seconds += float(json.loads(note.read_text())["seconds"])
        return clf.read_networks(path, self.task.build, 1)[0].to(self.task.device)

    def _train(
        self, rows: np.ndarray, held_out: np.ndarray, fold: int, stage: str, seed: int
    ) -> nn.Module:
        """A new network trained on ``rows``, watched on the way."""
        steps, losses = self.plan.steps, []
        every = max(1, steps // LOG_LINES)
        torch.manual_seed(seed)
        network = self.task.build().to(self.task.device)
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
            self._watcher.progress(stage, done, self.design.networks * steps)

        return fit(network, self.task.batches(network, rows, seed), self.plan, heard)

    def _validate(self, network: nn.Module, rows: np.ndarray) -> tuple[float, float]:
        """(loss, accuracy) on whole items."""
        logits, labels = self.task.logits([network], rows.tolist()), self.task.labels[rows]
        loss = -log_softmax(logits, axis=1)[np.arange(len(rows)), labels].mean()
        return float(loss), float((logits.argmax(1) == labels).mean())


def curve_point(folds: Sequence[Fold], labels: np.ndarray) -> CurvePoint:
    """Accuracy on the clips trained on and tested on, all folds together."""
    right = [fold.logits.argmax(1) == labels for fold in folds]
    trained = np.concatenate([r[fold.train] for r, fold in zip(right, folds, strict=True)])
    tested = np.concatenate([r[fold.test] for r, fold in zip(right, folds, strict=True)])
    clips = round(len(trained) / len(folds))
    return CurvePoint(clips, float(trained.mean()), float(tested.mean()), len(tested))


# ---- probabilities -------------------------------------------------------------------------


def answers(
    outcome: CrossValidated, labels: np.ndarray
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
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


def _temperature(outcome: CrossValidated, labels: np.ndarray, fold: Fold) -> float:
    """From validation answers to items that are not among those which ``fold`` tests."""
    rows = [np.setdiff1d(other.validation, fold.test) for other in outcome.folds]
    logits = np.concatenate([f.logits[r] for f, r in zip(outcome.folds, rows, strict=True)])
    return fit_temperature(labels[np.concatenate(rows)], logits)


def final_temperature(outcome: CrossValidated, labels: np.ndarray) -> float:
    """For the network trained on everything: from the answers to all test items."""
    rows = np.concatenate([fold.test for fold in outcome.folds])
    logits = np.concatenate([fold.logits[fold.test] for fold in outcome.folds])
    return fit_temperature(labels[rows], logits)
