"""The commands ``train`` and ``evaluate``: training on a data set at the terminal."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gymform.dataset.paths import dataset_dir
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
    report = run_training(dataset, folder, chosen)
    if report is None:
        print("Stopped. The same command with the same --out resumes after the last finished fold.")
        return FAILED
    print(runs.comparison_markdown([report]))
    print(f"\nRun {report.run}: for more see report.md. "
          f"Compare: {program()} evaluate {options.dataset}")  # fmt: skip
    return OK


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


TRAIN = Command(_add_train, _train)
EVALUATE = Command(_add_evaluate, _evaluate)
