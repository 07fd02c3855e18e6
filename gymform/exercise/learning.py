"""How any of the networks is fitted to batches, and how batches of recordings are drawn."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gymform.errors import TrainingError
from gymform.exercise.augment import Sample
from gymform.exercise.data import Views, shares
from gymform.pose.learning import move_towards

BATCHES_AT_ONCE = 8
"""Batches that are drawn and sorted by length together."""

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


class RunningMean:
    """``network``: the exponential mean of another's weights, which forgets faster while it has
    seen little. Running statistics of norms are averaged too, so that they fit the weights."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval()
        self._decay = decay
        self._seen = 0

    def update(self, network: nn.Module) -> None:
        """Take the network's weights into the mean."""
        weight = max(1 - self._decay, 9 / (10 + self._seen)) if self._seen else 1.0
        self._seen += 1
        move_towards(self.network, network, weight)


def weights_of_views(
    samples: Sequence[Sample], views: Views, rows: np.ndarray, class_shares: Mapping[str, float]
) -> tuple[np.ndarray, np.ndarray]:
    """(indices of the views of the samples at ``rows``, probability of each to be shown)."""
    chosen = np.flatnonzero(np.isin(views.sample, rows))
    share = np.zeros(len(samples))
    share[rows] = shares([samples[i] for i in rows], class_shares)
    number = np.bincount(views.sample, minlength=len(samples))
    weight = (share / np.maximum(number, 1))[views.sample[chosen]]
    return chosen, weight / weight.sum()


def draw_batches(
    views: Views, chosen: np.ndarray, weight: np.ndarray, steps: int, batch: int, seed: int
) -> list[np.ndarray]:
    """Indices of views for every step, each batch of like length: little padding to compute."""
    rng = np.random.default_rng(seed)
    lengths = np.array([len(x) for x in views.inputs])
    batches: list[np.ndarray] = []
    while len(batches) < steps:
        picks = rng.choice(chosen, BATCHES_AT_ONCE * batch, p=weight)
        picks = picks[np.argsort(lengths[picks], kind="stable")].reshape(BATCHES_AT_ONCE, -1)
        batches += list(rng.permutation(picks))
    return batches[:steps]


def fit_scale(network: nn.Module, inputs: Sequence[np.ndarray]) -> None:
    """Set the network's input mean and standard deviation to those of ``inputs`` (N, F)."""
    steps = np.concatenate(inputs).astype(np.float32)
    network.get_buffer("mean").copy_(torch.from_numpy(steps.mean(0)))
    network.get_buffer("std").copy_(torch.from_numpy(np.maximum(steps.std(0), 0.05)))
