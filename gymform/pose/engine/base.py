"""The interface of all engines, and what those share that compute the blocks only."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import Protocol

import torch
from torch import Tensor, nn

from gymform.pose.vitpose import ViTPose


class Engine(Protocol):
    """Computes a pose network. Calls keep no state, so several threads may share an engine."""

    @property
    def name(self) -> str:
        """Its name among :data:`~gymform.pose.engine.choice.ENGINES`."""

    @property
    def network(self) -> ViTPose:
        """The network as far as the engine uses it, and with weights as it uses them."""

    def heatmaps(self, images: Tensor, kept: Tensor | None = None) -> Tensor:
        """Heatmaps float32 (B, K, H, W) of normalised crops float32 (B, 3, H, W).

        ``kept`` int64 (B, n) are the patches of each crop to look at, all by default: see
        `Backbone.tokens`.
        """


class TokenEngine(ABC):
    """An engine that computes the blocks; patches before and heatmaps after are PyTorch's."""

    name: str

    def __init__(self, network: ViTPose) -> None:
        blocks, network.backbone.blocks = network.backbone.blocks, nn.ModuleList()
        try:
            self.network = copy.deepcopy(network)  # the blocks' weights are in the engine's file
        finally:
            network.backbone.blocks = blocks

    @abstractmethod
    def encode(self, tokens: Tensor) -> Tensor:
        """Tokens float32 (B, N, C) after all blocks and the last norm: `Backbone.encode`."""

    @torch.inference_mode()
    def heatmaps(self, images: Tensor, kept: Tensor | None = None) -> Tensor:
        """See :class:`Engine`."""
        backbone = self.network.backbone
        encoded = self.encode(backbone.tokens(images, kept))
        return self.network.decode(backbone.arrange(encoded, kept))
