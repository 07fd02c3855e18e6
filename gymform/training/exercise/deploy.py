"""The exercise model that the app uses: the embedded one or that of a run.

Pages import this module, so it must not import PyTorch.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from gymform.draw.report_charts import wilson
from gymform.errors import TrainingError, WeightsError
from gymform.exercise.networks.catalogue import CATALOGUE
from gymform.exercises import listed, name_of
from gymform.roles import Role, only_for
from gymform.storage import atomic_path
from gymform.training.exercise.records import DONE, TEST
from gymform.training.exercise.runs import read_report, read_run
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


def why_doubtful(folder: Path) -> str:
    """Why a run's model may be no better than always naming one class, for the user; "" if it is.

    It is better when even the lower end of the 95 % interval of its accuracy on test clips is above
    the share of the largest class. Where nothing was tested, or the report cannot be read, it is
    not known to be.
    """
    try:
        test = read_report(folder).parts[TEST]
    except (TrainingError, KeyError):
        return "Its report is missing or damaged: nothing is known about how good this model is."
    if not test.clips:
        return "No clip was left to test on: nothing is known about how good this model is."
    common = max(test.rows, key=lambda row: row.support)
    baseline = common.support / test.clips
    low, _ = wilson(test.accuracy * test.clips, test.clips)
    if low > baseline:
        return ""
    always = f"always saying “{name_of(common.name)}” would be right in {baseline:.0%}"
    if test.accuracy <= baseline:
        return f"It is no better than guessing: right in {test.accuracy:.0%}, and {always}."
    return (
        f"It may be no better than guessing: right in {test.accuracy:.0%} of {test.clips} clips, "
        f"where anything from {low:.0%} is likely, and {always}. More clips would tell."
    )


@only_for(Role.ADMIN, "To take a model into use")
def make_active(folder: Path, *, even_if_doubtful: bool = False) -> ModelEntry:
    """Make the app use the model of this run; return its manifest entry.

    The file is copied to the user's models, then the local manifest names it as the default; each
    step is atomic. Results are known by the model's sha256: those of before are judged again from
    their keypoints when somebody opens them. Raises WeightsError, with the reason, when the app
    cannot use the run's model, or when :func:`why_doubtful` has one and nobody insists.
    """
    reason = why_not_active(folder)
    if reason:
        raise WeightsError(reason)
    if not even_if_doubtful and (doubt := why_doubtful(folder)):
        raise WeightsError(f"{doubt} Say that you want to use it all the same, or keep the other.")
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
