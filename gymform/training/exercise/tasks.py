"""Tasks: labelled items as a network family sees them, in batches to train on and to be judged.

Families on keypoints are trained on augmented samples of tracks and judge clips as the app does;
families on pixels see frames cropped to the lifter.
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
    """Labelled items as one network family sees them. ``rows`` are indices of items."""

    device: torch.device
    labels: np.ndarray
    """The labelled class of each item, int (n,)."""
    groups: Sequence[str]
    """The person or source of each item: never on both sides of a split."""

    def build(self) -> nn.Module:
        """A network of the family with random weights."""
        ...

    def batches(self, network: nn.Module, rows: np.ndarray, seed: int) -> Iterator[Batch]:
        """Batches to train on, from ``rows``, for all steps. Sets the network's input scale first
        where it has one."""
        ...

    def logits(self, networks: Sequence[nn.Module], rows: Sequence[int]) -> np.ndarray:
        """Logits (len(rows), K) of an ensemble for whole items, not augmented."""
        ...

    def predict_uncached(self, network: nn.Module, row: int) -> None:
        """Judge one item without using the cache, to measure how long it takes."""
        ...


def make_task(
    corpus: Corpus,
    family: NetworkFamily,
    options: TrainOptions,
    progress: Progress = ignore_progress,
) -> Task:
    """The task of a network family. For families on pixels, frames are decoded and cached.

    ``progress`` is called while data are prepared, here and when the first batch is drawn, and may
    raise to stop.
    """
    if family.on_pixels:
        return PixelTask(corpus, family, options, progress)
    return corpus_task(corpus, family, options, progress)
