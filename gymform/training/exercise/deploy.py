"""The exercise model that the app uses: the embedded one or that of a run.

Pages import this module, so it must not import PyTorch.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from gymform.errors import WeightsError
from gymform.exercise.networks.catalogue import CATALOGUE
from gymform.exercises import listed
from gymform.roles import Role, only_for
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
    """The name of a run's model among the exercise models."""
    return f"run-{folder.name}"


def why_not_active(folder: Path) -> str | None:
    """The reason why the app cannot use a run's model, for the user; None when it can."""
    info = read_run(folder)
    if CATALOGUE[info.options.model].on_pixels:
        others = listed([key for key, family in CATALOGUE.items() if not family.on_pixels])
        return (
            f"A {info.options.model} looks at the picture, but the app gives its classifier "
            f"keypoints only. It is here for comparison. A {others} can be made active."
        )
    if info.state != DONE or not (folder / "model.safetensors").is_file():
        return f"This training is {info.state}: only one that is done has a model."
    return None


@only_for(Role.ADMIN, "To take a model into use")
def make_active(folder: Path) -> ModelEntry:
    """Make the app use the model of this run; return its manifest entry.

    The file is copied to the user's models, then the local manifest names it as the default; each
    step is atomic. Analyses are cached by the model's sha256, so that every clip is analysed again.
    Raises WeightsError, with the reason, when the app cannot use the run's model.
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
            f"The model of this run cannot be copied ({type(error).__name__}). Check whether the "
            "disk is full or the run's folder was changed."
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


@only_for(Role.ADMIN, "To take a model into use")
def make_default_active() -> ModelEntry:
    """Make the app use the embedded model again; return its manifest entry."""
    clear_default("exercise")
    return manifest_entry(None, "exercise")


def active_model() -> ModelEntry:
    """The manifest entry of the model that the app uses. Raises WeightsError when there is none."""
    return manifest_entry(None, "exercise")


def is_active(folder: Path) -> bool:
    """Does the app use the model of this run?"""
    return active_model().name == model_name(folder)
