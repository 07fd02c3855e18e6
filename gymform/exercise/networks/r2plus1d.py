"""R(2+1)D-18, a convolutional network on video, for comparison: one file, in reading order.

Tran et al., "A Closer Look at Spatiotemporal Convolutions for Action Recognition" (CVPR 2018): a
ResNet-18 whose 3D convolutions are split into one over the picture and one over time, with a ReLU
between them. At width 64 it is torchvision's ``r2plus1d_18``, parameter by parameter (31,505,325
with 400 classes); smaller widths train on a CPU.
Shapes: B clips, T frames, H and W px, C channels, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

MEAN = (0.43216, 0.394666, 0.37645)
STD = (0.22803, 0.22145, 0.216989)
"""RGB statistics of Kinetics, as the authors use them."""


@dataclass(frozen=True)
class R2Plus1DConfig:
    """The shape of an :class:`R2Plus1D`: the original has ``channels`` 64."""

    classes: int
    channels: int = 64
    blocks: tuple[int, int, int, int] = (2, 2, 2, 2)
    dropout: float = 0.0


def middle(channels: int, out: int) -> int:
    """Channels between picture and time: as many as give the 3D convolution's parameters.

    Section 3.5 of the paper, for kernels of 3 x 3 x 3.
    """
    return (channels * out * 27) // (channels * 9 + 3 * out)


class Conv2Plus1D(nn.Sequential):
    """(B, C, T, H, W) to (B, D, T / stride, H / stride, W / stride): the picture, then time."""

    def __init__(self, channels: int, out: int, between: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv3d(channels, between, (1, 3, 3), (1, stride, stride), (0, 1, 1), bias=False),
            nn.BatchNorm3d(between),
            nn.ReLU(inplace=True),
            nn.Conv3d(between, out, (3, 1, 1), (stride, 1, 1), (1, 0, 0), bias=False),
        )


class Block(nn.Module):
    """Residual block of two factored convolutions; ``stride`` halves time and picture at once."""

    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        between = middle(channels, out)  # for both, as the authors' code has it
        self.conv1 = Conv2Plus1D(channels, out, between, stride)
        self.norm1 = nn.BatchNorm3d(out)
        self.conv2 = Conv2Plus1D(out, out, between)
        self.norm2 = nn.BatchNorm3d(out)
        self.around = (
            nn.Identity()
            if stride == 1 and channels == out
            else nn.Sequential(nn.Conv3d(channels, out, 1, stride, bias=False), nn.BatchNorm3d(out))
        )

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.norm1(self.conv1(x)))  # (B, D, T / s, H / s, W / s)
        h = self.norm2(self.conv2(h))  # (B, D, T / s, H / s, W / s)
        return torch.relu(h + self.around(x))


class Stem(nn.Sequential):
    """(B, 3, T, H, W) to (B, C, T, H / 2, W / 2)."""

    def __init__(self, channels: int) -> None:
        between = max(1, round(45 * channels / 64))
        super().__init__(
            nn.Conv3d(3, between, (1, 7, 7), (1, 2, 2), (0, 3, 3), bias=False),
            nn.BatchNorm3d(between),
            nn.ReLU(inplace=True),
            nn.Conv3d(between, channels, (3, 1, 1), 1, (1, 0, 0), bias=False),
            nn.BatchNorm3d(channels),
            nn.ReLU(inplace=True),
        )


class R2Plus1D(nn.Module):
    """Clips (B, 3, T, H, W) in [0, 1] to class logits (B, K)."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: R2Plus1DConfig) -> None:
        super().__init__()
        self.config = config
        for name, values in (("mean", MEAN), ("std", STD)):
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1, 1), persistent=False)
        self.stem = Stem(config.channels)
        stages, channels = [], config.channels
        for stage, count in enumerate(config.blocks):
            out = config.channels * 2**stage
            for i in range(count):
                stride = 2 if stage and i == 0 else 1
                stages.append(Block(channels, out, stride))
                channels = out
        self.blocks = nn.Sequential(*stages)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(channels, config.classes)

    def forward(self, clips: Tensor) -> Tensor:
        x = self.stem((clips - self.mean) / self.std)  # (B, C, T, H / 2, W / 2)
        x = self.blocks(x)  # (B, 8 C, T / 8, H / 16, W / 16)
        out: Tensor = self.head(self.dropout(x.mean((2, 3, 4))))  # (B, K)
        return out
