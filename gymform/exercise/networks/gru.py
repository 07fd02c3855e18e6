"""A recurrent network on the TCN's features, for comparison: one file, in reading order.

Bidirectional gated recurrent units after Cho et al., "Learning Phrase Representations using RNN
Encoder-Decoder for Statistical Machine Translation" (2014). Shapes: B clips, F features, C
channels, N steps, K classes. ``mask`` is 1 for the steps of a clip, which come first, and 0 for the
padding after them; packed sequences keep padding out.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gymform.exercise.networks.tcn import pool


@dataclass(frozen=True)
class GRUConfig:
    """The shape of a :class:`GRU`; ``channels`` in each direction."""

    features: int
    classes: int
    channels: int = 48
    layers: int = 2
    dropout: float = 0.25


class GRU(nn.Module):
    """Feature sequences (B, N, F) with mask (B, N) to class logits (B, K)."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: GRUConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.zeros(config.features))
        self.register_buffer("std", torch.ones(config.features))
        self.gru = nn.GRU(
            config.features,
            config.channels,
            config.layers,
            batch_first=True,
            dropout=config.dropout,
            bidirectional=True,
        )
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(4 * config.channels, config.classes)

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        x = (features - self.mean) / self.std  # (B, N, F)
        lengths = mask.sum(1).clamp(min=1).long().cpu()  # (B,)
        packed = nn.utils.rnn.pack_padded_sequence(
            x, lengths, batch_first=True, enforce_sorted=False
        )
        h, _ = nn.utils.rnn.pad_packed_sequence(
            self.gru(packed)[0], batch_first=True, total_length=x.shape[1]
        )  # (B, N, 2 C)
        pooled = pool(h.transpose(1, 2), mask.unsqueeze(1).to(h.dtype))  # (B, 4 C)
        out: Tensor = self.head(self.dropout(pooled))  # (B, K)
        return out
