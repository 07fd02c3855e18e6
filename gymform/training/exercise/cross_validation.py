"""Cross-validation by group: every item is judged by networks that saw nothing of its group.

The groups are distributed over parts. In fold i, part i is the test part; with validation, the part
after it is the validation part; the rest is trained on. So every item is tested once. A user's data
set is judged with validation and one network a fold, the shipped classifier without validation and
by an ensemble. Probabilities are calibrated by a temperature that was fitted on items outside the
test part.
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
"""Number of parts when only one fold is trained."""

LOG_LINES = 20
"""Lines of the log per fold; every other one includes the validation."""

CURVE_SHARES = (0.25, 0.5, 0.75)
"""Shares of the training groups at which the learning curve is measured."""


@dataclass(frozen=True, eq=False)
class Fold:
    """One fold: rows trained, validated and tested on, and the logits (n, K) of all items; NaN
    where they were not computed."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    logits: np.ndarray


@dataclass(frozen=True, eq=False)
class CrossValidated:
    """A finished cross-validation: ``part`` int (n,) of each item, the folds, the learning curve,
    the final networks. ``training_s`` is the training time of the folds' networks, s.
    """

    part: np.ndarray
    folds: tuple[Fold, ...]
    curve: tuple[CurvePoint, ...]
    networks: tuple[nn.Module, ...]
    training_s: float


@dataclass(frozen=True, eq=False)
class Design:
    """How a cross-validation is laid out.

    ``part`` int (n,) is the fold in which each item is tested; only the first ``folds`` are
    trained. ``validate``: the part after the test part is held out too, for the training curves,
    and each fold computes logits of all items, not only of the tested ones. ``ensemble`` networks
    are trained on the same items, with the seeds ``seed``, ``seed`` + 1 and so on.
    """

    part: np.ndarray
    folds: int
    seed: int = 0
    ensemble: int = 1
    validate: bool = True
    learning_curve: bool = False

    @property
    def parts(self) -> int:
        """Number of parts."""
        return int(self.part.max()) + 1

    @property
    def networks(self) -> int:
        """Number of networks that are trained in all."""
        curve = self.folds * len(CURVE_SHARES) if self.learning_curve else 0
        return (self.folds + curve + 1) * self.ensemble

    def rows_of(self, fold: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(rows to train on, to validate on, to test on) in a fold, counted from 0."""
        test = self.part == fold
        validation = (self.part == (fold + 1) % self.parts) & self.validate
        train, held_out = np.flatnonzero(~test & ~validation), np.flatnonzero(validation)
        return train, held_out, np.flatnonzero(test)


# ---- the split -----------------------------------------------------------------------------


def assign_parts(corpus: Corpus, count: int, seed: int) -> np.ndarray:
    """The part int (n,) of each item, 0 to ``count`` - 1, by `gymform.dataset.splits`.

    Raises ModelDataError when there are too few parts, LeakError as :func:`check_parts` does.
    """
    if count < MIN_GROUPS:
        raise ModelDataError(
            f"Expected at least {MIN_GROUPS} persons or sources that share no recording, to train, "
            f"to validate and to test on; got {count}. Add clips of other people."
        )
    labelled = _labelled(corpus)
    part = np.array(splits.folds(labelled, count, copies=corpus.copies, seed=seed))
    check_parts(corpus, part)
    return part


def check_parts(corpus: Corpus, part: np.ndarray) -> None:
    """Raise LeakError when two parts share a group, a clip, copies of a clip, or keypoints."""
    splits.check_split(
        _labelled(corpus),
        part.tolist(),
        copies=corpus.copies,
        names={example.clip_sha256: example.name for example in corpus.examples},
        contents=[keypoint_digest(track) for track in corpus.tracks],
    )


def _labelled(corpus: Corpus) -> list[Example]:
    """The examples with their classes as exercises: the parts are balanced by class."""
    pairs = zip(corpus.examples, corpus.tracks, strict=True)
    return [replace(example, exercise=track.label) for example, track in pairs]


# ---- training ------------------------------------------------------------------------------


class Watcher(Protocol):
    """Receives progress and curves of the training."""

    def prepare(self, stage: str, done: int, total: int) -> None:
        """``done`` of ``total`` clips are cleaned, augmented or decoded; may raise Cancelled to
        stop."""

    def begin_fold(self, fold: int) -> None:
        """A fold, counted from 1, starts from its beginning."""

    def log(self, row: LogRow) -> None:
        """A row of the training curves."""

    def progress(self, stage: str, done: int, total: int) -> None:
        """``done`` of ``total`` steps of all networks are taken; may raise Cancelled to stop."""


class CrossValidation:
    """Trains the networks of all folds; finished ones are kept in ``folder`` and reused.

    ``key`` identifies everything that influences a network, besides rows and seed.
    """

    def __init__(
        self, task: Task, design: Design, plan: Plan, key: str, folder: Path, watcher: Watcher
    ) -> None:
        self.task, self.design, self.plan = task, design, plan
        self._key, self._folder, self._watcher = key, folder, watcher
        self._finished = 0
        self._seconds = 0.0

    def run(self) -> CrossValidated:
        """Train all networks and judge all items."""
        folds = [self._fold(i) for i in range(self.design.folds)]
        cv_seconds = self._seconds
        curve = self._curve(folds) if self.design.learning_curve else ()
        everything = np.arange(len(self.task.labels))
        final = self._networks(everything, np.array([], int), self.design.folds + 1, "all clips")
        return CrossValidated(self.design.part, tuple(folds), curve, tuple(final), cv_seconds)

    def networks_of(self, fold: int) -> list[nn.Module]:
        """The networks of a fold, counted from 0, which were not trained on its test part."""
        train, held_out, _ = self.design.rows_of(fold)
        stage = f"fold {fold + 1} of {self.design.folds}"
        return self._networks(train, held_out, fold + 1, stage)

    def _fold(self, fold: int) -> Fold:
        train, held_out, test = self.design.rows_of(fold)
        networks = self.networks_of(fold)
        judged = np.arange(len(self.task.labels)) if self.design.validate else test
        return Fold(train, held_out, test, self._logits(networks, judged))

    def _logits(self, networks: Sequence[nn.Module], rows: np.ndarray) -> np.ndarray:
        """Logits (n, K) of the items at ``rows``, NaN for the others."""
        found = self.task.logits(networks, rows.tolist())
        logits = np.full((len(self.task.labels), found.shape[1]), np.nan)
        logits[rows] = found
        return logits

    def _curve(self, folds: Sequence[Fold]) -> tuple[CurvePoint, ...]:
        """Accuracy by number of training clips; the last point is that of the full folds."""
        points = []
        everything = np.arange(len(self.task.labels))
        for share in CURVE_SHARES:
            smaller = []
            for fold in folds:
                rows = self._some_groups_of(fold.train, share)
                nobody = np.array([], int)
                networks = self._networks(rows, nobody, 0, f"{share:.0%} of the clips")
                logits = self._logits(networks, everything)
                smaller.append(replace(fold, train=rows, logits=logits))
            points.append(curve_point(smaller, self.task.labels))
        return (*points, curve_point(folds, self.task.labels))

    def _some_groups_of(self, rows: np.ndarray, share: float) -> np.ndarray:
        """The rows of a share of the groups of each class, at least one group per class."""
        rng = np.random.default_rng(self.design.seed)
        labels, groups = self.task.labels, self.task.groups
        kept: set[str] = set()
        for label in np.unique(labels[rows]):
            names = sorted({groups[row] for row in rows if labels[row] == label})
            count = max(1, round(share * len(names)))
            kept |= set(rng.permutation(names)[:count].tolist())
        return np.array([row for row in rows if groups[row] in kept])

    def _networks(
        self, rows: np.ndarray, held_out: np.ndarray, fold: int, stage: str
    ) -> list[nn.Module]:
        """The ensemble trained on ``rows``.

        Only the curves of its first network are logged, and none for ``fold`` 0.
        """
        numbers = range(self.design.ensemble)
        return [self._network(rows, held_out, fold if not n else 0, stage, n) for n in numbers]

    def _network(
        self, rows: np.ndarray, held_out: np.ndarray, fold: int, stage: str, number: int
    ) -> nn.Module:
        """A network trained on ``rows``: a finished one when there is one, else a new one."""
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
        """Train a new network on ``rows`` and report to the watcher."""
        steps, losses = self.plan.steps, []
        every = max(1, steps // LOG_LINES)
        torch.manual_seed(seed)
        network = self.task.build().to(self.task.device)
        if fold:
            self._watcher.begin_fold(fold)

        def on_step(step: int, loss: float, averaged: nn.Module) -> None:
            losses.append(loss)
            if fold and (step % every == 0 or step == steps):
                due = step % (2 * every) == 0 or step == steps
                val = self._validate(averaged, held_out) if due and len(held_out) else (None, None)
                self._watcher.log(LogRow(fold, step, float(np.mean(losses)), *val))
                losses.clear()
            done = self._finished * steps + step
            self._watcher.progress(stage, done, self.design.networks * steps)

        return fit(network, self.task.batches(network, rows, seed), self.plan, on_step)

    def _validate(self, network: nn.Module, rows: np.ndarray) -> tuple[float, float]:
        """(loss, accuracy) on the items at ``rows``."""
        logits, labels = self.task.logits([network], rows.tolist()), self.task.labels[rows]
        loss = -log_softmax(logits, axis=1)[np.arange(len(rows)), labels].mean()
        return float(loss), float((logits.argmax(1) == labels).mean())


def curve_point(folds: Sequence[Fold], labels: np.ndarray) -> CurvePoint:
    """Accuracy on training and on test clips, over all folds together."""
    right = [fold.logits.argmax(1) == labels for fold in folds]
    trained = np.concatenate([r[fold.train] for r, fold in zip(right, folds, strict=True)])
    tested = np.concatenate([r[fold.test] for r, fold in zip(right, folds, strict=True)])
    clips = round(len(trained) / len(folds))
    return CurvePoint(clips, float(trained.mean()), float(tested.mean()), len(tested))


# ---- probabilities -------------------------------------------------------------------------


def probabilities_by_part(
    result: CrossValidated, labels: np.ndarray
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For train, validation and test: (rows, calibrated probabilities (len(rows), K)).

    The probabilities of an item are the mean over the folds in which it was in that part.
    """
    total = {part: np.zeros(result.folds[0].logits.shape) for part in (TRAIN, VALIDATION, TEST)}
    times = {part: np.zeros(len(labels)) for part in total}
    for fold in result.folds:
        probabilities = softmax(fold.logits / _temperature(result, labels, fold), axis=1)
        for part, rows in ((TRAIN, fold.train), (VALIDATION, fold.validation), (TEST, fold.test)):
            total[part][rows] += probabilities[rows]
            times[part][rows] += 1
    found = {part: np.flatnonzero(count) for part, count in times.items()}
    return {
        part: (rows, total[part][rows] / times[part][rows, None]) for part, rows in found.items()
    }


def _temperature(result: CrossValidated, labels: np.ndarray, fold: Fold) -> float:
    """Fitted on the validation items of all folds, without the test items of ``fold``."""
    rows = [np.setdiff1d(other.validation, fold.test) for other in result.folds]
    logits = np.concatenate([f.logits[r] for f, r in zip(result.folds, rows, strict=True)])
    return fit_temperature(labels[np.concatenate(rows)], logits)


def final_temperature(result: CrossValidated, labels: np.ndarray) -> float:
    """The temperature of the network trained on everything, fitted on all test items."""
    rows = np.concatenate([fold.test for fold in result.folds])
    logits = np.concatenate([fold.logits[fold.test] for fold in result.folds])
    return fit_temperature(labels[rows], logits)
