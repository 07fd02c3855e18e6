"""A convolutional network on single frames whose scores are averaged, for comparison.

The "single-frame" baseline of Karpathy et al., "Large-scale Video Classification with Convolutional
Neural Networks" (CVPR 2014): it sees poses and things but no motion, and so says how much motion is
worth. The network on a frame is a small residual one (He et al. 2016).
Shapes: B clips, T frames, H and W px, C channels, K classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gymform.exercise.networks.r2plus1d import MEAN, STD


@dataclass(frozen=True)
class FrameCNNConfig:
    """The shape of a :class:`FrameCNN`: four stages of ``channels`` times 1, 2, 4 and 8."""

    classes: int
    channels: int = 24
    dropout: float = 0.25


class Block(nn.Module):
    """Residual block of two 3 x 3 convolutions; ``stride`` halves the picture."""

    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(out)
        self.around = (
            nn.Identity()
            if stride == 1 and channels == out
            else nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))
        )

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.norm1(self.conv1(x)))  # (B, D, H / s, W / s)
        return torch.relu(self.norm2(self.conv2(h)) + self.around(x))


class FrameCNN(nn.Module):
    """Clips (B, 3, T, H, W) in [0, 1] to logits (B, K): the log of the mean over frames' scores."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: FrameCNNConfig) -> None:
        super().__init__()
        self.config = config
        for name, values in (("mean", MEAN), ("std", STD)):
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)
        c = config.channels
        self.stem = nn.Sequential(
            nn.Conv2d(3, c, 7, 2, 3, bias=False),
            nn.BatchNorm2d(c),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, 1),
        )
        self.blocks = nn.Sequential(
            Block(c, c, 1), Block(c, 2 * c, 2), Block(2 * c, 4 * c, 2), Block(4 * c, 8 * c, 2)
        )
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(8 * c, config.classes)

    def forward(self, clips: Tensor) -> Tensor:
        b, _, t, _, _ = clips.shape
        frames = clips.transpose(1, 2).flatten(0, 1)  # (B T, 3, H, W)
        x = self.blocks(self.stem((frames - self.mean) / self.std))  # (B T, 8 C, H / 32, W / 32)
        scores = self.head(self.dropout(x.mean((2, 3)))).log_softmax(-1)  # (B T, K)
        out: Tensor = scores.view(b, t, -1).logsumexp(1) - math.log(t)  # (B, K)
        return out
