"""What a family of networks is trained and judged on: batches to learn from, answers to items.

Two kinds: families on keypoints see augmented recordings of tracks and judge the way the app does;
families on pixels see frames around the lifter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import nn

from gymform.exercise.networks.registry import NetworkFamily
from gymform.timing import Progress, ignore_progress
from gymform.training.exercise.corpus import Corpus
from gymform.training.exercise.fitting import Batch
from gymform.training.exercise.keypoint_task import corpus_task
from gymform.training.exercise.pixel_task import PixelTask
from gymform.training.exercise.records import TrainOptions


class Task(Protocol):
    """Labelled items as one family sees them. ``rows`` are their indices."""

    device: torch.device
    labels: np.ndarray
    """The true class of each item, int (n,)."""
    groups: Sequence[str]
    """The person or source of each item: never on both sides of a split."""

    def build(self) -> nn.Module:
        """A network of the family, its weights still random."""
        ...

    def batches(self, network: nn.Module, rows: np.ndarray, seed: int) -> Iterator[Batch]:
        """Batches to learn ``rows`` from, for all steps; fits the network's scale to them."""
        ...

    def logits(self, networks: Sequence[nn.Module], rows: Sequence[int]) -> np.ndarray:
        """The logits (len(rows), K) of an ensemble for whole items, not augmented."""
        ...

    def answer(self, network: nn.Module, row: int) -> None:
        """Judge one item from the start, nothing remembered: for measuring how long it takes."""
        ...


def make_task(
    corpus: Corpus,
    family: NetworkFamily,
    options: TrainOptions,
    progress: Progress = ignore_progress,
) -> Task:
    """The task of a family: on pixels, frames are decoded once and kept beside the data set.

    ``progress`` hears of what has to be prepared, now and when the first batch is drawn, and may
    raise to stop it.
    """
    if family.on_pixels:
        return PixelTask(corpus, family, options, progress)
    return corpus_task(corpus, family, options, progress)
