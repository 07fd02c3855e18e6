"""Which engine computes a pose network on this machine: measured once, kept, and overridable."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import logging
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

import torch

from gymform.errors import OptionsError
from gymform.pose.checkpoints import LoadedPose
from gymform.pose.engine.base import Engine
from gymform.pose.engine.conversion import FOLDER
from gymform.pose.engine.onnx import OnnxEngine
from gymform.pose.engine.openvino import OpenVinoEngine
from gymform.pose.engine.pytorch import TorchEngine
from gymform.storage import atomic_path, data_dir
from gymform.threads import one_core

ENGINES: dict[str, str] = {
    "torch": "PyTorch, in half precision where the hardware has it",
    "torch-fp32": "PyTorch in float32: slow, what the others are compared with",
    "onnxruntime": "ONNX Runtime with matrices of 8 bits",
    "openvino": "OpenVINO in 8 bits; installed by pip install 'gymform[openvino]'",
}
"""All engines, and what they are."""

EXACT = "torch-fp32"
"""The engine that the others are compared with."""

VARIABLE = "GYMFORM_POSE_ENGINE"
"""The environment variable that names an engine, so that nothing is measured."""

CROPS = 4
"""So many crops are computed at a time while measuring."""

MEASURED_S = 0.3
"""Each engine is measured for about so long."""

WORTH = 0.8
"""Another engine than PyTorch is taken where it needs at most this share of its time. PyTorch is in
memory anyway, without a second copy of the weights, and the more exact one."""

_log = logging.getLogger(__name__)


def make_engine(name: str, model: LoadedPose) -> Engine:
    """The engine ``name`` for a network. Raises OptionsError for one that is not here, OSError
    when its file cannot be made."""
    if name not in ENGINES:
        raise OptionsError(f"Expected an engine out of {', '.join(ENGINES)}; got {name[:60]!r}.")
    if name not in available_engines():
        raise OptionsError(f"The engine {name} is not installed here. {ENGINES[name]}.")
    if name.startswith("torch"):
        return TorchEngine(model.network, exact=name == EXACT)
    kind = OnnxEngine if name == "onnxruntime" else OpenVinoEngine
    return kind(model.network, model.sha256)


def available_engines() -> tuple[str, ...]:
    """Names of the engines whose packages are installed."""
    return tuple(
        name
        for name in ENGINES
        if name.startswith("torch") or importlib.util.find_spec(name) is not None
    )


def chosen_engine(model: LoadedPose, name: str | None = None) -> Engine:
    """The engine called ``name``, else the one that `GYMFORM_POSE_ENGINE` names, else the fastest.

    The fastest on this machine is measured when it is not known yet; on a GPU it is PyTorch. An
    engine that was fastest and no longer works gives way to PyTorch, with a line in the log.
    Raises OptionsError for a name that is unknown or not installed.
    """
    wanted = name or os.environ.get(VARIABLE) or "auto"
    if wanted != "auto":
        return make_engine(wanted, model)
    if next(model.network.parameters()).device.type != "cpu":
        return TorchEngine(model.network)
    try:
        return make_engine(fastest(model), model)
    except (OptionsError, OSError, RuntimeError) as error:
        _log.warning("the fastest engine does not work, PyTorch takes over: %s", error)
        return TorchEngine(model.network)


def fastest(model: LoadedPose) -> str:
    """The name of the engine that computes this network fastest here, measured once; PyTorch where
    no other is faster by more than it costs, see :data:`WORTH`."""
    known = measured()
    if known is None:
        known = measure(model)
        _remember(known)
    return min(known, key=lambda name: known[name] * (WORTH if name == "torch" else 1))


def measured() -> dict[str, float] | None:
    """Milliseconds a crop of each engine on one core of this machine; None when not known yet."""
    try:
        kept = json.loads(_record().read_text())
        times = {name: float(ms) for name, ms in kept["ms"].items() if name in ENGINES}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return times if kept.get("machine") == machine() and times else None


def measure(model: LoadedPose) -> dict[str, float]:
    """The same, measured now: a second and a half, and some seconds to make files the first time.

    An engine that does not work here is left out; one that is not the exact PyTorch remains.
    """
    times = {}
    for name in available_engines():
        if name == EXACT:
            continue
        try:
            times[name] = _milliseconds(make_engine(name, model), model)
        except Exception:
            if name == "torch":
                raise
            _log.warning("the engine %s does not work here", name, exc_info=True)
    return times


def _milliseconds(engine: Engine, model: LoadedPose) -> float:
    """The least time a crop on one core, of several tries."""
    width, height = model.config.input_size
    images = torch.zeros(CROPS, 3, height, width)
    with one_core():
        engine.heatmaps(images)  # the first call prepares
        return min(_tries(lambda: engine.heatmaps(images))) * 1000 / CROPS


def _tries(work: Callable[[], object]) -> list[float]:
    """Seconds of several runs, two at least."""
    seconds: list[float] = []
    while len(seconds) < 2 or sum(seconds) < MEASURED_S:
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return seconds


def _remember(times: dict[str, float]) -> None:
    record = {"machine": machine(), "ms": {name: round(ms, 2) for name, ms in times.items()}}
    try:
        with atomic_path(_record()) as target:
            target.write_text(json.dumps(record, indent=1) + "\n")
    except OSError as error:
        _log.warning("which engine is fastest could not be kept: %s", error.strerror)


def _record() -> Path:
    folder = data_dir() / FOLDER
    folder.mkdir(exist_ok=True)
    return folder / "fastest.json"


def machine() -> dict[str, object]:
    """What the choice depends on: processor, its instructions, versions of the engines."""
    versions = {}
    for package in ("torch", "onnxruntime", "openvino"):
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    features = sorted(name for name, there in torch.cpu.get_capabilities().items() if there is True)
    return {"processor": platform.machine(), "instructions": features, "versions": versions}
