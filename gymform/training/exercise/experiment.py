"""Train and judge a network family on a data set: ``python -m gymform train DATASET``.

Reads the accepted repetitions, cross-validates by group, trains once more on everything, and writes
a run (see `runs`) with curves, report and weights. Ctrl-C, a termination signal or the file
``stop`` in the run's folder stops it within a step; the same command with the same folder resumes.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import torch
from tqdm import tqdm

from gymform.errors import Cancelled
from gymform.exercise import classifier as clf
from gymform.exercise.features import RATE_HZ
from gymform.exercise.networks.registry import NetworkFamily, family_of
from gymform.in_use import held
from gymform.storage import atomic_path
from gymform.text import csv_safe
from gymform.training.exercise.corpus import Corpus, read_corpus
from gymform.training.exercise.cross_validation import (
    PARTS,
    CrossValidated,
    CrossValidation,
    Design,
    Watcher,
    assign_parts,
)
from gymform.training.exercise.fitting import Plan
from gymform.training.exercise.pretraining import origin_of
from gymform.training.exercise.records import STOPPED, LogRow, TrainingReport, TrainOptions
from gymform.training.exercise.references import make_bank, make_references
from gymform.training.exercise.report import as_markdown, make_report
from gymform.training.exercise.runs import SPLIT, Recorder, record
from gymform.training.exercise.source_digest import roots_of, source_digest
from gymform.training.exercise.tasks import make_task

UPDATE_S = 1.0
"""Least time between two updates of the run's progress, seconds."""

PREPARING = {
    "clean": "cleaning tracks",
    "augment": "augmenting",
    "decode": "decoding frames",
}
"""What the run shows for each stage before the first step."""

STOPPED_MESSAGE = "Stopped. It can be resumed: finished folds are kept."


def run_training(dataset: Path, folder: Path, options: TrainOptions) -> TrainingReport | None:
    """Train, write the run into ``folder`` and return its report; None when it was stopped.

    Raises what `runs.record` and :func:`train` raise.
    """
    torch.set_num_threads(options.threads)
    with (
        held(dataset),
        record(folder, dataset, options) as recorder,
        _stoppable(recorder),
    ):
        try:
            return train(dataset, options, recorder)
        except Cancelled:
            recorder.update(state=STOPPED, message=STOPPED_MESSAGE)
            return None


def train(dataset: Path, options: TrainOptions, recorder: Recorder) -> TrainingReport:
    """Train, write report and weights into the recorder's folder, and return the report.

    Raises Cancelled when the recorder is asked to stop.
    """
    recorder.update(stage="reading")
    corpus = read_corpus(dataset, options.classes)
    recorder.update(
        classes=corpus.classes, clips=corpus.clips, groups=corpus.groups, stage="preparing"
    )
    family = family_of(options.model)
    with _ProgressReporter(recorder) as watcher:
        validation = cross_validation(corpus, options, recorder.folder / "folds", watcher)
        result = validation.run()
    name, command = recorder.folder.name, command_line(options)
    report = make_report(name, corpus, options, validation, result, command)
    bank = None
    if family.encode is not None:
        _write_settings(recorder.folder, family, options.width or family.width, report)
        bank = make_bank(result.networks, make_references(corpus.tracks, family.encode))
    clf.write_networks(recorder.folder / "model.safetensors", result.networks, bank)
    _write_split(recorder.folder, corpus, result)
    recorder.write_report(report, as_markdown(report))
    return report


def cross_validation(
    corpus: Corpus, options: TrainOptions, folder: Path, watcher: Watcher
) -> CrossValidation:
    """The cross-validation of a data set: one network a fold, with a validation part.

    Raises ModelDataError when there are too few groups, LeakError when the split would leak.
    """
    family = family_of(options.model)
    task = make_task(corpus, family, options, watcher.prepare)
    parts = min(PARTS if options.folds == 1 else options.folds, corpus.linked_group_count)
    design = Design(
        assign_parts(corpus, parts, options.seed),
        folds=1 if options.folds == 1 else parts,
        seed=options.seed,
        learning_curve=options.learning_curve,
    )
    plan = Plan(options.steps_for(len(corpus)), family.learning_rate)
    key = cache_key(corpus, family, options)
    return CrossValidation(task, design, plan, key, folder, watcher)


def cache_key(corpus: Corpus, family: NetworkFamily, options: TrainOptions) -> str:
    """A digest of everything that influences a network, besides rows and seed."""
    chosen = asdict(replace(options, learning_curve=False, threads=1))
    numbers = (family.name, family.width, family.steps, family.batch, family.learning_rate)
    digest = hashlib.sha256(f"{corpus.digest()} {chosen} {numbers} {family.views}".encode())
    origin = origin_of(family, options.start)
    digest.update(source_digest(*roots_of(family)).encode() + origin.encode())
    return digest.hexdigest()


def command_line(options: TrainOptions) -> str:
    """The command that repeats a training, without paths."""
    return " ".join(["python -m gymform train DATASET", *options.arguments()])


def _write_settings(
    folder: Path, family: NetworkFamily, width: int, report: TrainingReport
) -> None:
    """Write ``model.json``: the ``config`` of a manifest entry for the network."""
    settings = clf.Settings(
        classes=report.classes,
        networks=1,
        channels=width,
        features=family.inputs,
        rate_hz=RATE_HZ,
        temperature=report.temperature,
        family=family.name,
    )
    with atomic_path(folder / "model.json") as temporary:
        temporary.write_text(json.dumps(settings.as_config(), indent=2) + "\n", encoding="utf-8")


def _write_split(folder: Path, corpus: Corpus, result: CrossValidated) -> None:
    """Write ``split.csv``: the repetitions trained on, with the part in which each was tested."""
    items = zip(corpus.examples, corpus.tracks, result.part, strict=True)
    with (
        atomic_path(folder / SPLIT) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        rows = csv.writer(file)
        rows.writerow(["item_id", "clip_sha256", "class", "group", "part"])
        for example, track, part in items:
            label, group = csv_safe(track.label), csv_safe(track.group)
            rows.writerow([example.item_id, example.clip_sha256, label, group, part])


class _ProgressReporter:
    """A `Watcher` that updates the run and the terminal, and stops the training when asked to."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._bar = tqdm(unit="step", leave=False, disable=None)
        self._latest = ("", 0.0)  # stage and time of the latest update

    def __enter__(self) -> _ProgressReporter:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def begin_fold(self, fold: int) -> None:
        self._recorder.begin_fold(fold)

    def log(self, row: LogRow) -> None:
        self._recorder.log(row)

    def prepare(self, stage: str, done: int, total: int) -> None:
        self._show(f"{PREPARING[stage]}: {done} of {total} clips", PREPARING[stage])

    def progress(self, stage: str, done: int, total: int) -> None:
        self._bar.total = total
        self._bar.update(done - self._bar.n)
        self._show(stage, stage, last=done == total, done=done, total=total)

    def _show(self, text: str, stage: str, *, last: bool = False, **counts: int) -> None:
        """Show the progress: at once when a stage begins or ends, else every :data:`UPDATE_S`."""
        self._bar.set_description(text, refresh=False)
        now = time.monotonic()
        if last or stage != self._latest[0] or now - self._latest[1] >= UPDATE_S:
            self._latest = (stage, now)
            self._recorder.update(stage=text, **counts)
        if self._recorder.stop_requested:
            raise Cancelled(STOPPED_MESSAGE)


@contextlib.contextmanager
def _stoppable(recorder: Recorder) -> Iterator[None]:
    """Within the block, Ctrl-C and termination stop the training after the current step."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, recorder.stop)
              for number in (signal.SIGINT, signal.SIGTERM)}  # fmt: skip
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
