"""How any of the networks is fitted to batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gymform.errors import TrainingError
from gymform.training.averaging import RunningMean

Batch = tuple[tuple[Tensor, ...], Tensor]
"""What the network is given, and the labels int64 (B,)."""

Heard = Callable[[int, float, nn.Module], None]
"""Hears (step from 1, loss, the network with averaged weights) after each step; may raise."""


@dataclass(frozen=True)
class Plan:
    """How a network is fitted: AdamW with a one-cycle schedule, weights averaged on the way."""

    steps: int
    learning_rate: float
    weight_decay: float = 0.02
    label_smoothing: float = 0.05
    average: float = 0.995


def unheard(step: int, loss: float, averaged: nn.Module) -> None:
    """A :data:`Heard` for when nobody listens."""


def fit(
    network: nn.Module, batches: Iterable[Batch], plan: Plan, heard: Heard = unheard
) -> nn.Module:
    """The running mean of ``network`` while it is trained on ``batches``, one a step; in eval mode.

    Raises TrainingError when the loss is no number.
    """
    average = RunningMean(network, plan.average)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=plan.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, plan.learning_rate, total_steps=plan.steps, pct_start=0.15
    )
    loss_of = nn.CrossEntropyLoss(label_smoothing=plan.label_smoothing)
    network.train()
    for step, (inputs, labels) in enumerate(batches, 1):
        loss = loss_of(network(*inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        average.update(network)
        value = loss.item()
        if not np.isfinite(value):
            raise TrainingError(
                f"The loss is no number any more at step {step}. Train with another --seed."
            )
        heard(step, value, average.network)
    return average.network


def fit_scale(network: nn.Module, inputs: Sequence[np.ndarray]) -> None:
    """Set the network's input mean and standard deviation to those of ``inputs`` (N, F)."""
    steps = np.concatenate(inputs).astype(np.float32)
    network.get_buffer("mean").copy_(torch.from_numpy(steps.mean(0)))
    network.get_buffer("std").copy_(torch.from_numpy(np.maximum(steps.std(0), 0.05)))
