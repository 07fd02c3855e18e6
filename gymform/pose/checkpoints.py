"""The one place that opens pose weights: verify, open safely, recognise, rename, check, load."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from gymform.errors import WeightsError
from gymform.pose.vitpose import ViTPose, ViTPoseConfig
from gymform.weights import ModelEntry, checked_path, local_models, manifest_entry, read_manifest


@dataclass(frozen=True, eq=False)
class LoadedPose:
    """A network ready for inference (eval mode, fp32) and where it comes from."""

    network: ViTPose
    name: str
    sha256: str
    config: ViTPoseConfig


def available_models() -> list[ModelEntry]:
    """The pose models that can be chosen: embedded ones, then fetched and converted ones."""
    return [entry for entry in read_manifest().models + local_models() if entry.kind == "pose"]


def load_pose_model(name: str | None = None, device: str = "cpu") -> LoadedPose:
    """The pose model called ``name`` (default: the manifest's), in eval mode and fp32.

    Raises WeightsError, naming file and key, when anything is not as the manifest says.
    """
    entry = manifest_entry(name, "pose")
    config = _config(entry)
    tensors = _read_safetensors(checked_path(entry))
    with torch.device("meta"):
        network = ViTPose(config)
    expected = network.state_dict()
    for key in expected.keys() - tensors.keys():
        raise WeightsError(f"{entry.file}: key {key!r} is missing.")
    for key, tensor in tensors.items():
        if key not in expected:
            raise WeightsError(f"{entry.file}: unexpected key {key!r}.")
        if tensor.shape != expected[key].shape:
            raise WeightsError(
                f"{entry.file}: {key}: expected shape {tuple(expected[key].shape)}, "
                f"got {tuple(tensor.shape)}."
            )
    network.load_state_dict({k: t.float() for k, t in tensors.items()}, assign=True)
    return LoadedPose(network.to(device).eval(), entry.name, entry.sha256, config)


def _config(entry: ModelEntry) -> ViTPoseConfig:
    """The network's configuration as the manifest gives it."""
    fields: dict[str, Any] = entry.config
    try:
        return ViTPoseConfig(**fields)
    except (TypeError, ValueError) as error:
        raise WeightsError(f"MANIFEST.json, model {entry.name!r}: config: {error}.") from None


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file, by key."""
    try:
        with safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise WeightsError(f"{path.name}: not a safetensors file ({error}).") from None
