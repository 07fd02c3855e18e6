"""The families of networks that can be trained, by name: how each is made and what it sees.

Families on keypoints see a sequence of numbers a step (B, N, F) and a mask (B, N); families on
pixels see clips (B, 3, T, H, W) in [0, 1]. All answer with logits (B, K).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import nn

from gymform.errors import OptionsError
from gymform.exercise.features import NUM_FEATURES, RATE_HZ, features
from gymform.exercise.networks.frame_cnn import FrameCNN, FrameCNNConfig
from gymform.exercise.networks.gru import GRU, GRUConfig
from gymform.exercise.networks.r2plus1d import R2Plus1D, R2Plus1DConfig
from gymform.exercise.networks.stgcn import INPUTS, STGCN, STGCNConfig, joint_positions
from gymform.exercise.networks.tcn import TCN, TCNConfig
from gymform.exercise.networks.vivit import CHANNELS_A_HEAD, ViViT, ViViTConfig
from gymform.skeleton import NUM_KEYPOINTS

Encode = Callable[[np.ndarray], np.ndarray]
"""From xy (N, 17, 2) at even steps, NaN where missing, to what a network sees of it, (N, F)."""


@dataclass(frozen=True)
class NetworkFamily:
    """A family of networks and how it is trained unless the user says otherwise.

    ``build(classes, width)`` makes a network; ``encode`` is None for families on pixels, which
    see frames; ``inputs`` are the numbers a step.
    """

    name: str
    build: Callable[[int, int], nn.Module]
    encode: Encode | None
    inputs: int
    width: int
    steps: int
    batch: int
    learning_rate: float
    views: int = 0

    @property
    def on_pixels(self) -> bool:
        """Does it look at the picture, rather than at keypoints?"""
        return self.encode is None


def encode_joints(xy: np.ndarray) -> np.ndarray:
    """What ST-GCN sees: float32 (N, 51), places and presence of the joints."""
    return joint_positions(xy, RATE_HZ)


_ALL = (
    NetworkFamily(
        "tcn",
        build=lambda classes, width: TCN(TCNConfig(NUM_FEATURES, classes, width)),
        encode=features,
        inputs=NUM_FEATURES,
        width=48,
        steps=800,
        batch=64,
        learning_rate=3e-3,
        views=8000,
    ),
    NetworkFamily(
        "stgcn",
        build=lambda classes, width: STGCN(STGCNConfig(classes, width)),
        encode=encode_joints,
        inputs=NUM_KEYPOINTS * INPUTS,
        width=16,
        steps=600,
        batch=32,
        learning_rate=3e-3,
        views=8000,
    ),
    NetworkFamily(
        "gru",
        build=lambda classes, width: GRU(GRUConfig(NUM_FEATURES, classes, width)),
        encode=features,
        inputs=NUM_FEATURES,
        width=48,
        steps=800,
        batch=64,
        learning_rate=3e-3,
        views=8000,
    ),
    NetworkFamily(
        "frame-cnn",
        build=lambda classes, width: FrameCNN(FrameCNNConfig(classes, width)),
        encode=None,
        inputs=3,
        width=24,
        steps=250,
        batch=8,
        learning_rate=1e-3,
    ),
    NetworkFamily(
        "r2plus1d",
        build=lambda classes, width: R2Plus1D(R2Plus1DConfig(classes, width, dropout=0.25)),
        encode=None,
        inputs=3,
        width=8,
        steps=200,
        batch=8,
        learning_rate=1e-3,
    ),
    NetworkFamily(
        "vivit",
        build=lambda classes, width: ViViT(
            ViViTConfig(classes, width, max(1, width // CHANNELS_A_HEAD), dropout=0.25)
        ),
        encode=None,
        inputs=3,
        width=384,
        steps=200,
        batch=8,
        learning_rate=1e-4,
    ),
)

FAMILIES: dict[str, NetworkFamily] = {family.name: family for family in _ALL}


def family_of(name: str) -> NetworkFamily:
    """The family called ``name``. Raises OptionsError, naming those there are."""
    if name not in FAMILIES:
        raise OptionsError(f"There is no model {name!r}. Known: {', '.join(FAMILIES)}.")
    return FAMILIES[name]


def count_parameters(network: nn.Module) -> int:
    """Numbers that training may change."""
    return sum(parameter.numel() for parameter in network.parameters())
