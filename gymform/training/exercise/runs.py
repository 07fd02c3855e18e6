"""Runs: the folder of a training, its files, and how a page starts, stops and reads a training.

``DATASET/runs/<id>/`` is one training. The command ``train`` writes it, a page reads it; they
communicate through these files only, so either may be killed at any time.

=====================  ====================================================================
file                   content
=====================  ====================================================================
``run.json``           :class:`RunInfo`: options, data, state and progress; rewritten often
``log.csv``            one :class:`LogRow` a line, written during training: the curves
``report.json``        :class:`TrainingReport`, at the end; ``report.md``: the same to read
``model.safetensors``  the network trained on everything, at the end
``model.json``         the manifest's ``config`` of that network
``split.csv``          item, clip, class, group and part of every repetition trained on
``folds/``             finished networks of the folds, from which a stopped run resumes
``stop``               exists when the training was asked to stop
``run.lock``           locked by the training process as long as it lives
``output.log``         output of that process when a page started it
=====================  ====================================================================

States: ``starting`` -> ``running`` -> ``done`` | ``stopped`` | ``failed``. A run that says
``running`` but has no process is read as ``failed``. ``train`` with the same options and the same
folder resumes a stopped or failed run.

Pages import this module, so it must not import PyTorch.
"""

from __future__ import annotations

import contextlib
import csv
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from gymform.errors import BusyError, GymformError, OptionsError, TrainingError
from gymform.exercise.networks.catalogue import CATALOGUE
from gymform.installation import child_environment
from gymform.roles import Role, only_for
from gymform.storage import atomic_path
from gymform.training.exercise.records import (
    DONE,
    FAILED,
    RUNNING,
    STARTING,
    STOPPED,
    TEST,
    LogRow,
    RunInfo,
    TrainingReport,
    TrainOptions,
    from_plain,
)

SPLIT = "split.csv"

START_S = 60.0
"""A training that has taken no lock this long after its start has failed, seconds."""

GONE = (
    "The training ended unexpectedly: memory ran out, or the process was killed. It can be resumed."
)

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,57}")
_T = TypeVar("_T")


# ---- reading -------------------------------------------------------------------------------


def runs_dir(dataset: Path) -> Path:
    """The folder of the trainings on a data set."""
    return dataset / "runs"


def list_runs(dataset: Path) -> list[RunInfo]:
    """The trainings on the data set in this folder, newest first; unreadable ones are left out."""
    found = []
    for path in runs_dir(dataset).glob("*/run.json"):
        with contextlib.suppress(TrainingError):
            found.append(read_run(path.parent))
    return sorted(found, key=lambda run: (run.started_at, run.id), reverse=True)


def read_run(folder: Path) -> RunInfo:
    """The state of the training in ``folder``. Raises TrainingError when there is none."""
    info = _read(RunInfo, folder / "run.json")
    if info.live and not _alive(folder, info):
        # read again: it may have ended normally between the two checks
        info = _read(RunInfo, folder / "run.json")
        if info.live:
            info = replace(info, state=FAILED, message=GONE)
    return info


def read_report(folder: Path) -> TrainingReport:
    """The report of the training in ``folder``. Raises TrainingError when there is none."""
    return _read(TrainingReport, folder / "report.json")


def has_report(folder: Path) -> bool:
    """Is there a report in ``folder``?"""
    return (folder / "report.json").is_file()


def read_log(folder: Path) -> list[LogRow]:
    """The curves so far; a line that is still being written is left out."""
    try:
        text = (folder / "log.csv").read_text(encoding="utf-8")
    except OSError:
        return []
    lines = csv.DictReader(text[: text.rfind("\n") + 1].splitlines())
    rows = []
    for line in lines:
        with contextlib.suppress(TypeError, ValueError, KeyError):
            fold, step, loss = int(line["fold"]), int(line["step"]), float(line["train_loss"])
            rows.append(
                LogRow(fold, step, loss, _number(line["val_loss"]), _number(line["val_accuracy"]))
            )
    return rows


def _number(text: str) -> float | None:
    return float(text) if text else None


def _read(kind: type[_T], path: Path) -> _T:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        built: _T = from_plain(kind, content)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, OptionsError) as error:
        raise TrainingError(
            f"{path.name} of the training {path.parent.name!r} is missing or damaged "
            f"({type(error).__name__}). Train again."
        ) from error
    return built


def _alive(folder: Path, info: RunInfo) -> bool:
    """Does a process train here? Its lock is released when it dies, also by ``kill -9``."""
    if _locked(folder):
        return True
    started = datetime.fromisoformat(info.started_at).timestamp()
    return info.state == STARTING and time.time() - started < START_S


def _locked(folder: Path) -> bool:
    try:
        with (folder / "run.lock").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


# ---- comparison ----------------------------------------------------------------------------


COLUMNS = ("run", "model", "clips", "classes", "accuracy", "macro F1", "lowest recall", "ECE",
           "parameters", "ms a clip", "training")  # fmt: skip


def comparison(reports: Sequence[TrainingReport]) -> list[dict[str, Any]]:
    """One row with :data:`COLUMNS` for each report, sorted by macro F1 on the test part."""
    rows = []
    for report in sorted(reports, key=lambda r: -r.parts[TEST].macro.f1):
        test = report.parts[TEST]
        values = (report.run, report.model, test.clips, len(report.classes), test.accuracy,
                  test.macro.f1, test.lowest_recall, test.ece, report.parameters,
                  report.timing.ms_per_clip, report.timing.training_s)  # fmt: skip
        rows.append(dict(zip(COLUMNS, values, strict=True)))
    return rows


def comparison_markdown(reports: Sequence[TrainingReport]) -> str:
    """The :func:`comparison` as a Markdown table, with the training time in minutes and seconds."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "| --- " * len(COLUMNS) + "|"]
    for row in comparison(reports):
        minutes, seconds = divmod(round(row["training"]), 60)
        cells = [str(row["run"]), row["model"], str(row["clips"]), str(row["classes"])]
        cells += [f"{row[key]:.3f}" for key in ("accuracy", "macro F1", "lowest recall", "ECE")]
        cells += [f"{row['parameters']:,}", f"{row['ms a clip']:.1f}", f"{minutes}:{seconds:02d}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


# ---- how long it takes ---------------------------------------------------------------------

_PREPARING_S = 0.6
"""Seconds for each repetition before the first step: cleaning and augmenting, or decoding."""


def estimate_s(dataset: Path, options: TrainOptions, clips: int) -> float:
    """About how long a training on ``clips`` repetitions will take on this machine, s.

    From the latest training of the same family on this data set, or on one beside it, else from
    figures of a machine with two cores.
    """
    steps = options.steps_for(clips)
    folds = (1 if options.folds == 1 else options.folds) + 1
    if options.learning_curve:
        folds *= 4
    return _PREPARING_S * clips + steps * folds * _step_s(dataset, options.model)


def _step_s(dataset: Path, model: str) -> float:
    """Seconds of a step in the latest training of this family here."""
    for path in sorted(dataset.parent.glob("*/runs"), key=lambda one: one.parent != dataset):
        for run in list_runs(path.parent):
            if run.options.model == model and run.state == DONE and has_report(path / run.id):
                with contextlib.suppress(TrainingError):
                    report = read_report(path / run.id)
                    return report.timing.training_s / max(1, report.steps * report.folds)
    return CATALOGUE[model].step_s


# ---- start, stop, resume -------------------------------------------------------------------


def new_id(dataset: Path, model: str) -> str:
    """A new name for a training; names sort by time."""
    base = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{model}"
    number, name = 2, base
    while (runs_dir(dataset) / name).exists():
        name, number = f"{base}-{number}", number + 1
    return name


@only_for(Role.ADMIN, "To start a training")
def start_run(dataset: Path, options: TrainOptions) -> Path:
    """Start a training in the background and return its folder at once.

    It continues when the page or the app is closed. Raises BusyError while another training on this
    data set is in progress: they would slow each other down.
    """
    runs_dir(dataset).mkdir(parents=True, exist_ok=True)
    with (runs_dir(dataset) / "start.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two people may press Start at the same time
        busy = next((run for run in list_runs(dataset) if run.live), None)
        if busy:
            raise BusyError(f"The training {busy.id} is still under way. Stop it first, or wait.")
        folder = runs_dir(dataset) / new_id(dataset, options.model)
        folder.mkdir()
        _write_json(folder / "run.json", _new_run(folder, dataset, options, STARTING))
    return _launch(dataset, folder, options)


@only_for(Role.ADMIN, "To go on with a training")
def resume_run(folder: Path) -> Path:
    """Resume a stopped or failed training in the background; finished folds are kept.

    Raises TrainingError when it is in progress or done.
    """
    info = read_run(folder)
    if info.state not in (STOPPED, FAILED):
        raise TrainingError(
            f"The training {info.id} is {info.state}: only a stopped or failed one can be resumed."
        )
    info = replace(info, state=STARTING, started_at=_now(), ended_at=None, message="", pid=None)
    _write_json(folder / "run.json", info)
    return _launch(folder.parent.parent, folder, info.options)


def _launch(dataset: Path, folder: Path, options: TrainOptions) -> Path:
    """Start the command ``train`` for ``folder`` in a new process session."""
    (folder / "stop").unlink(missing_ok=True)
    command = [sys.executable, "-m", "gymform", "train", str(dataset.resolve())]
    command += ["--out", str(folder.resolve()), *options.arguments()]
    with (folder / "output.log").open("ab") as log:
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=child_environment(),
        )
    return folder


@only_for(Role.ADMIN, "To stop a training")
def stop_run(folder: Path) -> None:
    """Ask the training in ``folder`` to stop. It stops within a step and can be resumed."""
    if read_run(folder).live:
        (folder / "stop").touch()


@only_for(Role.ADMIN, "To delete a training")
def delete_run(folder: Path) -> None:
    """Delete a training. Raises TrainingError while it is in progress."""
    if read_run(folder).live:
        raise TrainingError("This training is still under way: stop it first.")
    shutil.rmtree(folder)


# ---- writing: for the command that trains ---------------------------------------------------


class Recorder:
    """Writes a run's folder. Made by :func:`record`."""

    def __init__(self, folder: Path, info: RunInfo) -> None:
        self.folder, self.info = folder, info
        self._stopped = False

    def update(self, **changes: Any) -> None:
        """Rewrite ``run.json`` with these fields of :class:`RunInfo` changed."""
        self.info = replace(self.info, **changes)
        _write_json(self.folder / "run.json", self.info)

    def begin_fold(self, fold: int) -> None:
        """Remove the lines of an earlier attempt at this fold from ``log.csv``."""
        rows = [row for row in read_log(self.folder) if row.fold != fold]
        with atomic_path(self.folder / "log.csv") as temporary:
            _write_rows(temporary, [[one.name for one in fields(LogRow)], *map(_cells, rows)], "w")

    def log(self, row: LogRow) -> None:
        """Append a line to ``log.csv``."""
        _write_rows(self.folder / "log.csv", [_cells(row)], "a")

    def write_report(self, report: TrainingReport, text: str) -> None:
        """Write ``report.json``, and ``text`` to ``report.md``."""
        _write_json(self.folder / "report.json", report)
        with atomic_path(self.folder / "report.md") as temporary:
            temporary.write_text(text, encoding="utf-8")

    def stop(self, *_: object) -> None:
        """Request a stop; can be used as a signal handler."""
        self._stopped = True

    @property
    def stop_requested(self) -> bool:
        """Was a stop requested, by a signal or the file ``stop``?"""
        return self._stopped or (self.folder / "stop").exists()


@contextlib.contextmanager
def record(folder: Path, dataset: Path, options: TrainOptions) -> Iterator[Recorder]:
    """The recorder of a new or resumed training in ``folder``.

    The folder is locked inside the block. At its end the state becomes done unless the block has
    changed it, or failed, with the error's message, when the block raised. Raises BusyError when
    another process trains there, OptionsError when the folder holds a training with other options.
    """
    if not _ID.fullmatch(folder.name):
        raise OptionsError(
            "--out: expected a name of at most 58 letters, digits and . _ -, starting with a "
            f"letter or digit, got {folder.name!r}."
        )
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "run.lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BusyError("Another training writes to this folder. Wait, or choose another "
                            "--out.") from None  # fmt: skip
        info = _open_run(folder, dataset, options)
        if info.state != STARTING:  # a page that started it may already have asked it to stop
            (folder / "stop").unlink(missing_ok=True)
        recorder = Recorder(folder, info)
        recorder.update(state=RUNNING, pid=os.getpid(), message="", ended_at=None)
        try:
            yield recorder
        except BaseException as error:
            message = str(error)
            if not isinstance(error, GymformError):
                message = f"An unexpected problem ({type(error).__name__}): see output.log."
            recorder.update(state=FAILED, ended_at=_now(), stage="", message=message)
            raise
        state = DONE if recorder.info.state == RUNNING else recorder.info.state
        recorder.update(state=state, ended_at=_now(), stage="")


def _open_run(folder: Path, dataset: Path, options: TrainOptions) -> RunInfo:
    """The run that ``folder`` holds, or a new one."""
    if not (folder / "run.json").is_file():
        return _new_run(folder, dataset, options, RUNNING)
    info = _read(RunInfo, folder / "run.json")
    if replace(info.options, threads=options.threads) != options:
        raise OptionsError(
            f"--out: {folder.name!r} holds a training with other options. Choose another name, or "
            "the same options to resume it."
        )
    return info


def _new_run(folder: Path, dataset: Path, options: TrainOptions, state: str) -> RunInfo:
    return RunInfo(folder.name, dataset.resolve().name, options, state, _now())


def _cells(row: LogRow) -> list[str]:
    return ["" if value is None else f"{value:.6g}" for value in asdict(row).values()]


def _write_rows(path: Path, rows: Sequence[Sequence[str]], mode: str) -> None:
    with path.open(mode, newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def _write_json(path: Path, value: Any) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(asdict(value), indent=2) + "\n", encoding="utf-8")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
