"""Which exercise model the app uses: the one that came with it, or that of a training.

This module is light: pages import it, PyTorch stays outside.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from gymform.errors import WeightsError
from gymform.exercise.networks.catalogue import CATALOGUE
from gymform.storage import atomic_path
from gymform.training.exercise.records import DONE
from gymform.training.exercise.runs import read_run
from gymform.weights import (
    ModelEntry,
    clear_default,
    local_dir,
    manifest_entry,
    set_default,
    write_entry,
)


def model_name(folder: Path) -> str:
    """What the model of a run is called among the exercise models."""
    return f"run-{folder.name}"


def why_not_active(folder: Path) -> str | None:
    """The reason why a run's model cannot be the app's, in words; None when it can."""
    info = read_run(folder)
    if CATALOGUE[info.options.model].on_pixels:
        return (
            f"A {info.options.model} looks at the picture, but the app hands its classifier the "
            "keypoints only: it is here for comparison. A tcn, stgcn or gru can be made active."
        )
    if info.state != DONE or not (folder / "model.safetensors").is_file():
        return f"This training is {info.state}: only one that is done has a model."
    return None


def make_active(folder: Path) -> ModelEntry:
    """Let the app classify by the model of this run; its manifest entry.

    The file is copied to the user's own models and the local manifest names it as the default, in
    this order, each at once or not at all. Analyses are kept by the model's sha256, so that every
    clip is judged anew. Raises WeightsError, with the reason, when the run has no such model.
    """
    reason = why_not_active(folder)
    if reason:
        raise WeightsError(reason)
    name = model_name(folder)
    try:
        config = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        path = local_dir() / f"{name}.safetensors"
        with atomic_path(path) as temporary:
            shutil.copyfile(folder / "model.safetensors", temporary)
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"The model of this run cannot be copied ({type(error).__name__}). Is the disk full, "
            "or was the run's folder changed?"
        ) from error
    entry = ModelEntry.of(
        path,
        name=name,
        kind="exercise",
        licence="yours",
        provenance=f"gymform train, run {folder.name}",
        config=config,
    )
    write_entry(entry)
    set_default(entry)
    return entry


def make_default_active() -> ModelEntry:
    """Let the app classify by the model that came with it again; its manifest entry."""
    clear_default("exercise")
    return manifest_entry(None, "exercise")


def active_model() -> ModelEntry:
    """The model by which the app classifies. Raises WeightsError when there is none."""
    return manifest_entry(None, "exercise")


def is_active(folder: Path) -> bool:
    """Is the model of this run the one by which the app classifies?"""
    return active_model().name == model_name(folder)
