"""PyTorch, in half precision where the hardware has instructions for it."""

from __future__ import annotations

import copy
from functools import cache

import torch
from torch import Tensor, nn

from gymform.pose.vitpose import ViTPose


class TorchEngine:
    """Computes the network by PyTorch, on the device that holds its parameters.

    ``exact`` computes in float32; otherwise in :func:`half_precision` where there is one.
    """

    def __init__(self, network: ViTPose, *, exact: bool = False) -> None:
        self.name = "torch-fp32" if exact else "torch"
        self._device = next(network.parameters()).device
        self._half = None if exact else half_precision(self._device.type)
        self.network = with_half(network, self._half) if self._half else network

    @torch.inference_mode()
    def heatmaps(self, images: Tensor, kept: Tensor | None = None) -> Tensor:
        """See :class:`~gymform.pose.engine.base.Engine`."""
        images = images.to(self._device)
        kept = None if kept is None else kept.to(self._device)
        half = self._half
        with torch.autocast(self._device.type, dtype=half, enabled=half is not None):
            heatmaps: Tensor = self.network(images, kept)
            return heatmaps.float()


@cache
def half_precision(device: str) -> torch.dtype | None:
    """The half-precision type with which ``device`` needs about half the time, or None.

    float16 on GPUs, bfloat16 on CPUs with instructions for it (AVX-512 BF16, AMX); other CPUs
    emulate it slowly.
    """
    if device == "cuda":
        return torch.float16
    features = torch.cpu.get_capabilities() if device == "cpu" else {}
    return torch.bfloat16 if features.get("avx512_bf16") or features.get("amx_bf16") else None


def with_half(network: ViTPose, half: torch.dtype) -> ViTPose:
    """A copy of ``network`` whose linear layers are stored in ``half`` precision.

    Autocast would convert them for each batch. Norms, sums and the last layer stay in float32.
    """
    copied = copy.deepcopy(network)
    for module in copied.modules():
        if isinstance(module, nn.Linear):
            module.to(half)
    return copied
