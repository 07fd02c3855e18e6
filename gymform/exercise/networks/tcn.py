"""The temporal convolutional network that names the exercise: one file, in reading order.

After Bai, Kolter & Koltun, "An Empirical Evaluation of Generic Convolutional and Recurrent
Networks for Sequence Modeling" (2018), but symmetric in time, since the whole clip is there.
Shapes: B clips, F features, C channels, N steps, K classes. ``mask`` is 1 where a step exists and 0
where it is padding; everything is multiplied by it before a convolution looks at neighbours, so
that padding changes nothing. Channels come last throughout, so that norms and convolutions read
memory in its order: a training takes three quarters of the time.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class TCNConfig:
    """The shape of a :class:`TCN`."""

    features: int
    classes: int
    channels: int = 48
    kernel: int = 3
    dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    dropout: float = 0.25

    @property
    def receptive_field(self) -> int:
        """Steps that one output step can see: two convolutions a block."""
        return 1 + 2 * (self.kernel - 1) * sum(self.dilations)


class ChannelNorm(nn.Module):
    """Layer norm over channels at each step alone: no statistics over time, none over padding."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.norm(x)  # (B, N, C)
        return out


class Block(nn.Module):
    """Residual block: twice norm, ReLU, dilated convolution; twice masked."""

    def __init__(self, config: TCNConfig, dilation: int) -> None:
        super().__init__()
        c, k = config.channels, config.kernel
        padding = dilation * (k - 1) // 2
        self.norm1 = ChannelNorm(c)
        self.conv1 = nn.Conv1d(c, c, k, padding=padding, dilation=dilation)
        self.norm2 = ChannelNorm(c)
        self.conv2 = nn.Conv1d(c, c, k, padding=padding, dilation=dilation)
        self.dropout = nn.Dropout1d(config.dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        h = torch.relu(self.norm1(x)) * mask  # (B, N, C)
        h = self.dropout(over_time(self.conv1, h).transpose(1, 2)).transpose(1, 2)  # (B, N, C)
        h = torch.relu(self.norm2(h)) * mask  # (B, N, C)
        out: Tensor = (x + over_time(self.conv2, h)) * mask  # (B, N, C)
        return out


def over_time(conv: nn.Conv1d, x: Tensor) -> Tensor:
    """``conv`` along the steps of ``x`` (B, N, C), as pictures of one row.

    Only for pictures does PyTorch know convolutions with channels last.
    """
    pictures = x.transpose(1, 2).unsqueeze(2)  # (B, C, 1, N)
    out = nn.functional.conv2d(
        pictures,
        conv.weight.unsqueeze(2),
        conv.bias,
        padding=(0, int(conv.padding[0])),
        dilation=(1, conv.dilation[0]),
    )
    return out.squeeze(2).transpose(1, 2)  # (B, N, C)


class TCN(nn.Module):
    """Feature sequences (B, N, F) with mask (B, N) to class logits (B, K)."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: TCNConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.zeros(config.features))
        self.register_buffer("std", torch.ones(config.features))
        self.stem = nn.Conv1d(config.features, config.channels, 1)
        self.blocks = nn.ModuleList(Block(config, dilation) for dilation in config.dilations)
        self.norm = ChannelNorm(config.channels)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(2 * config.channels, config.classes)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        mask = mask.unsqueeze(2).to(features.dtype)  # (B, N, 1)
        x = (features - self.mean) / self.std  # (B, N, F)
        x = over_time(self.stem, x) * mask  # (B, N, C)
        for block in self.blocks:
            x = block(x, mask)  # (B, N, C)
        x = self.norm(x).transpose(1, 2)  # (B, C, N)
        out: Tensor = self.head(self.dropout(pool(x, mask.transpose(1, 2))))  # (B, K)
        return out


def pool(x: Tensor, mask: Tensor) -> Tensor:
    """(B, 2 C): mean and maximum over the steps that exist; ``x`` (B, C, N), ``mask`` (B, 1, N)."""
    count = mask.sum(-1).clamp(min=1)  # (B, 1)
    mean = (x * mask).sum(-1) / count  # (B, C)
    floor = torch.finfo(x.dtype).min
    maximum = x.masked_fill(mask == 0, floor).amax(-1)  # (B, C)
    maximum = torch.where(mask.sum(-1) > 0, maximum, torch.zeros_like(maximum))
    return torch.cat([mean, maximum], dim=1)
