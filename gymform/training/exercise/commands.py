"""The commands ``train``, ``evaluate`` and ``deploy``: training on a data set at the terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gymform.dataset.paths import dataset_dir
from gymform.errors import DatasetError, OptionsError
from gymform.installation import program
from gymform.storage import atomic_path
from gymform.training.exercise import records, runs
from gymform.training.exercise.records import TrainOptions

OK, FAILED = 0, 1

COMPARISON = "comparison.md"
"""File of the table over all trainings on a data set."""


class Command(NamedTuple):
    """A command: adds its options to a parser, and runs with them."""

    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


# --- train --------------------------------------------------------------------------------------


def _add_train(parser: argparse.ArgumentParser) -> None:
    from gymform.exercise.networks.registry import FAMILIES

    default = TrainOptions()
    add = parser.add_argument
    add("dataset", metavar="DATASET", help="a name or a folder")
    add("--model", choices=records.MODELS, default=default.model,
        help=f"network family ({default.model})")  # fmt: skip
    add("--out", type=Path, metavar="DIR", help="folder of the run (DATASET/runs/<time>-<model>)")
    add("--classes", type=_names, default=(), metavar="A,B,...",
        help="exercises to tell apart; the rest is 'other' (all)")  # fmt: skip
    add("--folds", type=int, default=default.folds, metavar="N",
        help=f"folds of cross-validation by group; 1: one split ({default.folds})")  # fmt: skip
    add("--seed", type=int, default=default.seed)
    steps = ", ".join(f"{name} {family.steps}" for name, family in FAMILIES.items())
    add("--steps", type=int, metavar="N", help=f"steps of each training ({steps})")
    add("--start", choices=(records.SHIPPED,), default="",
        help="begin with the weights of the model that came with gymform, in a quarter of the "
        "steps; on few clips no better than from nothing")  # fmt: skip
    add("--width", type=int, metavar="N", help="channels of the network")
    add("--augmented-samples", "--views", dest="views", type=int, metavar="N",
        help="augmented samples, for models on keypoints")  # fmt: skip
    add("--frames", type=int, default=default.frames, metavar="N",
        help=f"frames of a repetition, for models on pixels ({default.frames})")  # fmt: skip
    add("--size", type=int, default=default.size, metavar="PX",
        help=f"size of a frame, for models on pixels ({default.size})")  # fmt: skip
    add("--learning-curve", action="store_true",
        help="also train on fewer clips, for a curve: takes four times as long")  # fmt: skip
    add("--threads", type=int, default=default.threads, help="processor threads")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _train(options: argparse.Namespace) -> int:
    from gymform.training.exercise.experiment import run_training

    dataset = dataset_dir(options.dataset)
    chosen = records.options_from(vars(options))
    folder = options.out or runs.runs_dir(dataset) / runs.new_id(dataset, chosen.model)
    _advise(dataset, chosen)
    report = run_training(dataset, folder, chosen)
    if report is None:
        print("Stopped. The same command with the same --out resumes after the last finished fold.")
        return FAILED
    print(runs.comparison_markdown([report]))
    print(f"\nRun {report.run}: for more see report.md. "
          f"Compare: {program()} evaluate {options.dataset}. "
          f"Use it: {program()} deploy {options.dataset} {report.run}")  # fmt: skip
    return OK


def _advise(dataset: Path, options: TrainOptions) -> None:
    """Say what the data set lacks and how long it is likely to take, on standard error."""
    from gymform.training.exercise.readiness import advice, contents_of

    try:
        contents = contents_of(dataset)
    except DatasetError:
        return  # the training says what is wrong
    for line in advice(options.classes or tuple(contents.accepted), contents):
        print(f"gymform: {line}", file=sys.stderr)
    if contents.disputed:
        left = f"{contents.disputed} disputed repetitions are left out until somebody settles them"
        print(f"gymform: {left}", file=sys.stderr)
    minutes = runs.estimate_s(dataset, options, contents.total) / 60
    print(f"gymform: it is likely to take about {max(1, minutes):.0f} min", file=sys.stderr)


# --- evaluate -----------------------------------------------------------------------------------


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("dataset", metavar="DATASET", help="a name or a folder")
    add("--model", metavar="NAME",
        help="judge the accepted repetitions with this exercise model (one of `weights list`, "
        "'active', or the name of a run); without it, compare the data set's runs")  # fmt: skip
    add("--threads", type=int, default=2, help="processor threads")


def _evaluate(options: argparse.Namespace) -> int:
    dataset = dataset_dir(options.dataset)
    if options.model is None:
        return _compare(dataset)
    from gymform.training.exercise.comparison import judge

    print(judge(dataset, options.model, options.threads))
    return OK


def _compare(dataset: Path) -> int:
    folders = [runs.runs_dir(dataset) / run.id for run in runs.list_runs(dataset)]
    reports = [runs.read_report(folder) for folder in folders if runs.has_report(folder)]
    if not reports:
        print(f"No training on this data set is done yet. Start one: {program()} train DATASET")
        return FAILED
    table = runs.comparison_markdown(reports)
    with atomic_path(runs.runs_dir(dataset) / COMPARISON) as temporary:
        temporary.write_text(table + "\n", encoding="utf-8")
    print(table)
    return OK


# --- deploy -------------------------------------------------------------------------------------


def _add_deploy(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("dataset", nargs="?", metavar="DATASET", help="a name or a folder")
    add("run", nargs="?", metavar="RUN", help="one of `evaluate DATASET` (the latest that is done)")
    add("--default", action="store_true", help="go back to the model that came with gymform")
    add("--even-if-doubtful", action="store_true",
        help="also when it is no better than always naming the largest class")  # fmt: skip


def _deploy(options: argparse.Namespace) -> int:
    from gymform.training.exercise import deploy

    if options.default:
        entry = deploy.make_default_active()
    elif options.dataset is None:
        raise OptionsError("Expected a DATASET whose training is taken into use, or --default.")
    else:
        folder = _chosen_run(dataset_dir(options.dataset), options.run)
        if doubt := deploy.why_doubtful(folder):
            print(f"gymform: {doubt}", file=sys.stderr)
        if doubt and not options.even_if_doubtful:
            print("Not taken into use: repeat the command with --even-if-doubtful to do so.")
            return FAILED
        entry = deploy.make_active(folder, even_if_doubtful=options.even_if_doubtful)
    classes = ", ".join(map(str, entry.config.get("classes", ())))
    print(f"In use now: {entry.name}, which tells apart {classes}")
    return OK


def _chosen_run(dataset: Path, name: str | None) -> Path:
    """The folder of a run; without a name of the latest one that is done. Raises OptionsError."""
    done = [run.id for run in runs.list_runs(dataset) if run.state == records.DONE]
    if name is None and done:
        name = done[0]
    if name is None or name not in done:
        there = ", ".join(done[:5]) or "none yet"
        raise OptionsError(f"Expected a training that is done ({there}), got {name or 'none'}.")
    return runs.runs_dir(dataset) / name


TRAIN = Command(_add_train, _train)
EVALUATE = Command(_add_evaluate, _evaluate)
DEPLOY = Command(_add_deploy, _deploy)
