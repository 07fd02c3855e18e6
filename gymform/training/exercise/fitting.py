"""Fits a network to batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gymform.errors import TrainingError
from gymform.training.averaging import RunningMean

Batch = tuple[tuple[Tensor, ...], Tensor]
"""The network's inputs, and the labels int64 (B,)."""

OnStep = Callable[[int, float, nn.Module], None]
"""Called with (step from 1, loss, the network with averaged weights) after each step; may raise to
stop the training."""


@dataclass(frozen=True)
class Plan:
    """How a network is fitted: AdamW with a one-cycle schedule; ``average`` is the decay of the
    weights' running mean."""

    steps: int
    learning_rate: float
    weight_decay: float = 0.02
    label_smoothing: float = 0.05
    average: float = 0.995


def ignore_step(step: int, loss: float, averaged: nn.Module) -> None:
    """Do nothing."""


def fit(
    network: nn.Module, batches: Iterable[Batch], plan: Plan, on_step: OnStep = ignore_step
) -> nn.Module:
    """Train ``network``, one batch a step; return the running mean of its weights, in eval mode.

    Raises TrainingError when the loss is not finite.
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
                f"Expected a finite loss, got {value} at step {step}. Train with another --seed."
            )
        on_step(step, value, average.network)
    return average.network


def fit_scale(network: nn.Module, inputs: Sequence[np.ndarray]) -> None:
    """Set the mean and standard deviation by which the network scales its inputs to those of
    ``inputs``, (N, F) each."""
    steps = np.concatenate(inputs).astype(np.float32)
    network.get_buffer("mean").copy_(torch.from_numpy(steps.mean(0)))
    network.get_buffer("std").copy_(torch.from_numpy(np.maximum(steps.std(0), 0.05)))
