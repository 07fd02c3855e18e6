"""A finished model judged on a data set: ``python -m gymform evaluate DATASET --model NAME``."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.special import softmax

from gymform.errors import ModelDataError, WeightsError
from gymform.exercise import classifier as clf
from gymform.exercises import find_exercise
from gymform.motion.clean import clean
from gymform.text import csv_raw
from gymform.training.exercise.corpus import Example, load_track, read_examples
from gymform.training.exercise.deploy import why_not_active
from gymform.training.exercise.metrics import evaluate
from gymform.training.exercise.report import part_markdown
from gymform.training.exercise.runs import SPLIT, runs_dir
from gymform.types import OTHER
from gymform.weights import ModelEntry

ACTIVE = "active"
"""The name for the model that the app uses."""


def judge(dataset: Path, model: str, threads: int = 2) -> str:
    """The metrics, as Markdown, of a model on the accepted repetitions of a data set.

    ``model`` is one of the exercise models, ``active``, or a run on this data set. A run is judged
    only on repetitions of groups and clips that it was not trained on. Exercises that are no class
    of the model count as ``other``, or are left out when that is no class either. Raises
    ModelDataError when nothing is left to judge on.
    """
    torch.set_num_threads(threads)
    examples, _ = read_examples(dataset)
    folder = runs_dir(dataset) / model
    if (folder / "run.json").is_file():
        classifier = load_run(folder)
        fresh = unseen(examples, folder)
    else:
        classifier = clf.load_classifier(None if model == ACTIVE else model)
        fresh = examples
    judged = [one for one in fresh if label_for(one, classifier.classes) is not None]
    if not judged:
        raise ModelDataError(
            f"Nothing is left to judge {classifier.name} by: of {len(examples)} accepted "
            f"repetitions, {len(examples) - len(fresh)} are of people or clips that it was trained "
            "on, and the exercises of the rest are none of its classes. Accept clips of other "
            "people."
        )
    classes = classifier.classes
    labels = np.array([classes.index(label_for(one, classes) or OTHER) for one in judged])
    probabilities = np.stack([probabilities_of(classifier, one) for one in judged])
    left_out = f"{len(examples) - len(judged)} of {len(examples)} accepted repetitions are left out"
    table = part_markdown(evaluate(labels, probabilities, classes))
    return f"# {classifier.name} on {dataset.resolve().name}\n\n{left_out}.\n\n{table}"


def label_for(example: Example, classes: Sequence[str]) -> str | None:
    """The class of an example for a model of these ``classes``; None when there is none.

    A variant counts as its exercise, such as a front squat as a squat.
    """
    if example.exercise in classes:
        return example.exercise
    known = find_exercise(example.exercise)
    if known and known.key in classes:
        return known.key
    return OTHER if OTHER in classes else None


def unseen(examples: Sequence[Example], folder: Path) -> list[Example]:
    """The ``examples`` whose clip and group a run was not trained on."""
    try:
        with (folder / SPLIT).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        groups, clips = (
            {csv_raw(row["group"]) for row in rows},
            {row["clip_sha256"] for row in rows},
        )
    except (OSError, KeyError, ValueError) as error:
        raise ModelDataError(f"{SPLIT} of the run is missing or damaged. Train again.") from error
    return [one for one in examples if one.group not in groups and one.clip_sha256 not in clips]


def load_run(folder: Path) -> clf.Classifier:
    """The classifier of a finished run. Raises WeightsError when it has none."""
    reason = why_not_active(folder)
    if reason:
        raise WeightsError(reason)
    path = folder / "model.safetensors"
    try:
        config = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WeightsError("model.json of the run is missing or damaged. Train again.") from error
    entry = ModelEntry.of(
        path, name=folder.name, kind="exercise", licence="", provenance="", config=config
    )
    return clf.open_classifier(entry)


def probabilities_of(classifier: clf.Classifier, example: Example) -> np.ndarray:
    """Calibrated probabilities (K,) of one example, computed as for a user's clip."""
    stretches = clf.cut(clean(load_track(example)), classifier.encode)
    logits = clf.clip_logits(classifier.networks, stretches)
    return np.asarray(softmax(logits / classifier.settings.temperature))
