"""Training batches as a pure function of seed and step, made by as many processes as one likes.

Batch number s holds positions s*B to (s+1)*B - 1 of an endless stream. The stream runs through the
rows in rounds, each round shuffled by the seed and its number; what happens to a crop follows from
the seed and its position. A training that goes on after being killed sees what it would have seen.

With a pool, the views of the first rounds come again and again, each time in other light and behind
other things. What a teacher says of a view in its own light then needs to be asked only once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from gymform.pose.crops import MEAN, STD
from gymform.pose.vitpose import ViTPoseConfig
from gymform.training.pose.augment import MILD, Augmentation, change_pixels, warp
from gymform.training.pose.packs import CropPack

REPEATS = {"coco_subset": 8, "clips": 1, "fashion_ls": 1, "lspet": 1}
"""How often a source's crops come in one round: exact labels of everyday scenes are few."""

DISTRUST = {"lspet": 0.06, "fashion_ls": 0.02, "clips": 0.06}
"""Share of a source's labels that is taken for wrong late in training, where its loss is largest.
LSP Extended has an outright error in one label of ten; some of those the network cannot tell."""


@dataclass(frozen=True, eq=False)
class Batch:
    """``images`` uint8 (B, H, W, 3) RGB; ``points`` float32 (B, 17, 2) heatmap px; ``weight``
    float32 (B, 17), 0 for missing labels; ``distrust`` float32 (B,), see :data:`DISTRUST`.

    Of a pool: ``places`` int64 (B,) of the views in it, and ``clean`` as ``images`` before their
    pixels were changed, None when all views have been there before.
    """

    images: Tensor
    points: Tensor
    weight: Tensor
    distrust: Tensor
    places: Tensor
    clean: Tensor | None = None

    def to(self, device: torch.device) -> Batch:
        """The batch on ``device``."""
        return self._each(lambda part: part.to(device, non_blocking=True))

    def pin_memory(self) -> Batch:
        """The batch in memory from which a GPU copies while it computes."""
        return self._each(Tensor.pin_memory)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        return Batch(**{name: change(part) for name, part in parts.items() if part is not None})


class CropBatches(Dataset):
    """``batches[step]`` for any step; see the module. ``pool`` counts rounds, 0: no pool.

    From step ``settle_from`` on changes are mild; a pool's views stay what they were in the first
    step. What of people is seen, and how large, is in the network's ``config``.
    """

    def __init__(
        self,
        pack: CropPack,
        rows: np.ndarray,
        size: int,
        seed: int,
        how: Augmentation,
        pool: int = 0,
        settle_from: float = math.inf,
        config: ViTPoseConfig | None = None,
    ) -> None:
        self.pack, self.size, self.seed, self.how, self.pool = pack, size, seed, how, pool
        self.settle_from, self.config = settle_from, config or ViTPoseConfig()
        repeats = [REPEATS.get(str(name), 1) for name in pack.dataset[rows]]
        self.round = np.repeat(rows, repeats)
        self._shuffled: tuple[int, np.ndarray] = (-1, self.round)

    def __getitem__(self, step: int) -> Batch:
        positions = range(step * self.size, (step + 1) * self.size)
        clean, images, keypoints, distrust = (
            np.stack(part) for part in zip(*map(self._crop, positions), strict=True)
        )
        heatmap, pixels = (
            np.array(size) - 1 for size in (self.config.heatmap_size, self.config.input_size)
        )
        new = positions[0] < self.views
        return Batch(
            images=torch.from_numpy(images),
            points=torch.from_numpy((keypoints[..., :2] * (heatmap / pixels)).astype(np.float32)),
            weight=torch.from_numpy((keypoints[..., 2] > 0).astype(np.float32)),
            distrust=torch.from_numpy(distrust.astype(np.float32)),
            places=torch.tensor([self.place(position) for position in positions]),
            clean=torch.from_numpy(clean) if new else None,
        )

    @property
    def views(self) -> int:
        """How many the pool holds."""
        return self.pool * len(self.round)

    def row(self, position: int) -> int:
        """The row of the pack at a position of the stream."""
        return int(self.round[self.place(position) % len(self.round)])

    def place(self, position: int) -> int:
        """Number of the view at a position of the stream; a row's views are a round apart."""
        number, at = divmod(position, len(self.round))
        if self._shuffled[0] != number:
            order = np.random.default_rng((self.seed, 0, number)).permutation(len(self.round))
            self._shuffled = (number, order)
        turn = number % self.pool if self.pool else number
        return turn * len(self.round) + int(self._shuffled[1][at])

    def _how_in(self, step: int) -> Augmentation:
        return self.how if step < self.settle_from else MILD

    def _crop(self, position: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        """The clean view, what is shown of it, its keypoints, and their distrust."""
        row = self.row(position)
        how = self._how_in(position // self.size)
        light = np.random.default_rng((self.seed, 1, position))
        seen, turned = light, how
        if self.pool:
            seen = np.random.default_rng((self.seed, 3, self.place(position)))
            turned = self._how_in(step=0)
        view = self.pack.view(row, self.config.padding)
        rgb, labels = self.pack.rgb(row), self.pack.keypoints[row]
        clean, keypoints = warp(rgb, labels, view, seen, turned, self.config.input_size)
        shown = change_pixels(clean, keypoints, light, how)
        return clean, shown, keypoints, DISTRUST.get(str(self.pack.dataset[row]), 0.0)


def stream(batches: CropBatches, steps: range, workers: int, pinned: bool) -> DataLoader:
    """The batches of ``steps`` in order; ``workers`` processes make them ahead (0: none)."""
    return DataLoader(
        batches,
        batch_size=None,  # a worker makes a whole batch: nothing to collate
        sampler=steps,
        num_workers=workers,
        pin_memory=pinned,
        # not forked: OpenCV's and PyTorch's threads do not survive that, and a worker would hang
        multiprocessing_context="spawn" if workers else None,
        worker_init_fn=_quiet,
        generator=torch.Generator().manual_seed(0),  # else it would draw from the global one
    )


def _quiet(worker: int) -> None:
    """One thread a worker: they share the processor already."""
    cv2.setNumThreads(1)


def normalised(images: Tensor) -> Tensor:
    """Network input float32 (B, 3, H, W) of crops uint8 (B, H, W, 3), where they are."""
    mean, std = (torch.from_numpy(x).to(images.device) for x in (MEAN, STD))
    return ((images.float() / 255 - mean) / std).permute(0, 3, 1, 2).contiguous()


def count_labels(pack: CropPack, rows: np.ndarray) -> Mapping[str, int]:
    """How many people of each source are among ``rows``."""
    names, counts = np.unique(pack.dataset[rows], return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))
