"""The task of network families on pixels: frames cropped to the lifter."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import nn

from gymform.exercise.networks.registry import NetworkFamily
from gymform.timing import Progress
from gymform.training.exercise.corpus import Corpus
from gymform.training.exercise.fitting import Batch
from gymform.training.exercise.pixels import Pictures, augment, centre_crop, load_pictures
from gymform.training.exercise.pretraining import start_from_pose
from gymform.training.exercise.records import TrainOptions


class PixelTask:
    """Frames cropped to the lifter: augmented to train on, as they are and mirrored to judge on."""

    def __init__(
        self, corpus: Corpus, family: NetworkFamily, options: TrainOptions, progress: Progress
    ) -> None:
        self._family, self._size = family, options.size
        self._steps = options.steps or family.steps
        self.labels = corpus.labels
        self.groups: Sequence[str] = [track.group for track in corpus.tracks]
        self._classes, self._width = len(corpus.classes), options.width or family.width
        self._pictures: Pictures = load_pictures(corpus, options.frames, options.size, progress)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    def build(self) -> nn.Module:
        return self._family.build(self._classes, self._width)

    def batches(self, network: nn.Module, rows: np.ndarray, seed: int) -> Iterator[Batch]:
        rng = np.random.default_rng(seed)
        start_from_pose(network)
        weight = self._weight(rows)
        for _ in range(self._steps):
            picks = rng.choice(rows, self._family.batch, p=weight)
            clips = np.stack([augment(self._pictures[row], self._size, rng) for row in picks])
            inputs = torch.from_numpy(clips).to(self.device)
            yield (inputs,), torch.from_numpy(self.labels[picks]).to(self.device)

    @torch.inference_mode()
    def logits(self, networks: Sequence[nn.Module], rows: Sequence[int]) -> np.ndarray:
        logits = [[self._logits_of(network, row) for network in networks] for row in rows]
        return np.asarray(np.array(logits).mean(1))

    def predict_uncached(self, network: nn.Module, row: int) -> None:
        self.logits([network], [row])

    def _logits_of(self, network: nn.Module, row: int) -> np.ndarray:
        clip = torch.from_numpy(centre_crop(self._pictures[row], self._size)).to(self.device)
        both = torch.stack([clip, clip.flip(-1)])  # (2, 3, T, H, W): as filmed and mirrored
        return np.asarray(network(both).mean(0).double().cpu())

    def _weight(self, rows: np.ndarray) -> np.ndarray:
        """How often each row is drawn: classes equally, each row by one over the square root of its
        group's number of rows."""
        members = Counter((self.labels[row], self.groups[row]) for row in rows)
        weight = np.array([members[self.labels[row], self.groups[row]] ** -0.5 for row in rows])
        for label in np.unique(self.labels[rows]):
            inside = self.labels[rows] == label
            weight[inside] /= weight[inside].sum()
        return np.asarray(weight / weight.sum())
