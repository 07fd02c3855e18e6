"""What families on pixels are trained and judged on: frames around the lifter."""

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
from gymform.training.exercise.pixels import Pictures, load_pictures, shown, spoil
from gymform.training.exercise.records import TrainOptions


class PixelTask:
    """Frames around the lifter: jittered to learn from, as they are and mirrored to judge by."""

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
        weight = self._weight(rows)
        for _ in range(self._steps):
            picks = rng.choice(rows, self._family.batch, p=weight)
            clips = np.stack([spoil(self._pictures[row], self._size, rng) for row in picks])
            inputs = torch.from_numpy(clips).to(self.device)
            yield (inputs,), torch.from_numpy(self.labels[picks]).to(self.device)

    @torch.inference_mode()
    def logits(self, networks: Sequence[nn.Module], rows: Sequence[int]) -> np.ndarray:
        answers = [[self._judge(network, row) for network in networks] for row in rows]
        return np.array(answers).mean(1)

    def answer(self, network: nn.Module, row: int) -> None:
        self.logits([network], [row])

    def _judge(self, network: nn.Module, row: int) -> np.ndarray:
        clip = torch.from_numpy(shown(self._pictures[row], self._size)).to(self.device)
        both = torch.stack([clip, clip.flip(-1)])  # (2, 3, T, H, W): as filmed and mirrored
        return np.asarray(network(both).mean(0).double().cpu())

    def _weight(self, rows: np.ndarray) -> np.ndarray:
        """How often each row is shown: classes alike, groups by the root of their number."""
        members = Counter((self.labels[row], self.groups[row]) for row in rows)
        weight = np.array([members[self.labels[row], self.groups[row]] ** -0.5 for row in rows])
        for label in np.unique(self.labels[rows]):
            mine = self.labels[rows] == label
            weight[mine] /= weight[mine].sum()
        return weight / weight.sum()
