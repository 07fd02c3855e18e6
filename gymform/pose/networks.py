"""The pose networks of an analysis: the chosen one, and the small one that goes ahead of it."""

from __future__ import annotations

import contextlib
import ctypes
import functools
from dataclasses import dataclass, replace
from typing import Any

import torch

from gymform.errors import WeightsError
from gymform.pose.checkpoints import LoadedPose, load_pose_model
from gymform.pose.engine import Engine, chosen_engine
from gymform.pose.engine.choice import EXACT
from gymform.pose.estimator import PoseEstimator
from gymform.pose.vitpose import ViTPoseConfig
from gymform.timing import Stopwatch
from gymform.weights import ModelEntry, manifest_entry, read_manifest

WORTH = 0.5
"""The small network goes ahead where it does less than this share of the other one's work."""

CROPS_AT_ONCE = 2
"""Crops of a batch on a processor. More at once are no faster (31 ms a crop with 2, 32 with 8), and
need memory: 669 instead of 809 MB at most for the sample."""

MMAP_BYTES = 1024**2
"""Arrays of this size or more are memory of their own, bytes."""

_M_MMAP_THRESHOLD = -3


@dataclass(frozen=True)
class Estimators:
    """What looks for keypoints: a network, and the small one that goes ahead, if it pays."""

    main: PoseEstimator
    scout: PoseEstimator | None


def load_estimators(
    name: str | None = None,
    *,
    flip_test: bool = False,
    exact: bool = False,
    stopwatch: Stopwatch | None = None,
) -> Estimators:
    """The pose model ``name`` (default: the manifest's) and the embedded small one ahead of it.

    With ``exact`` the model alone looks at whole crops, in float32. As many batches are computed at
    once as PyTorch may use threads. Raises WeightsError; OptionsError for an engine that the user
    named and that is not here.
    """
    model, engine = loaded(name, exact)
    common: dict[str, Any] = {"stopwatch": stopwatch or Stopwatch()}
    if device() == "cpu":
        common |= {"threads": torch.get_num_threads(), "batch_size": CROPS_AT_ONCE}
    main = PoseEstimator(model, engine=engine, flip_test=flip_test, **common)
    small = None if exact else _smaller_than(model.config)
    if small is None:
        return Estimators(main, None)
    model, engine = loaded(small)
    return Estimators(main, PoseEstimator(model, engine=engine, **common))


def _smaller_than(config: ViTPoseConfig) -> str | None:
    """The name of the smallest embedded network, if it is much faster than that of ``config``."""
    entry = smallest_entry()
    return entry.name if _work_of(entry.config) < WORTH * _work(config.depth, config.dim) else None


@functools.lru_cache(maxsize=3)
def loaded(name: str | None, exact: bool = False) -> tuple[LoadedPose, Engine]:
    """A pose network and its engine, kept loaded; on the GPU where there is one.

    Of the network only what the engine uses is kept: twice the weights would be too much.
    """
    _return_freed_memory()
    model = load_pose_model(name, device=device())
    engine = chosen_engine(model, EXACT if exact else None)
    return replace(model, network=engine.network), engine


def _return_freed_memory() -> None:
    """Let large arrays leave the process when they are freed, where the C library is glibc.

    It would keep them for later: 742 instead of 618 MB at most for a clip of six seconds.
    """
    with contextlib.suppress(OSError, AttributeError, ValueError):
        ctypes.CDLL("libc.so.6").mallopt(_M_MMAP_THRESHOLD, MMAP_BYTES)


def device() -> str:
    """The GPU if there is one."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def smallest_entry() -> ModelEntry:
    """The pose model for the live view and for first answers: the manifest's ``default_live``, else
    the smallest one.

    The smallest is chosen among the embedded models whose files exist; without any, it is the
    default pose model. Raises WeightsError for a broken manifest.
    """
    manifest = read_manifest()
    if manifest.default_live:
        return manifest_entry(manifest.default_live, "pose")
    here = [model for model in manifest.models if model.kind == "pose" and model.path.is_file()]
    if not here:
        return manifest_entry(None, "pose")
    return min(here, key=lambda model: _work_of(model.config))


def _work_of(config: dict[str, object]) -> float:
    """The same for the config of a manifest."""
    try:
        return _work(float(str(config["depth"])), float(str(config["dim"])))
    except (KeyError, ValueError):
        raise WeightsError(
            "MANIFEST.json: the config of a pose model should give depth and dim as numbers."
        ) from None


def _work(depth: float, dim: float) -> float:
    """The work of a ViT per picture, roughly, to compare networks."""
    return depth * dim**2
