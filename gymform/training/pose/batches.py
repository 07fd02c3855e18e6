"""Training batches as a pure function of seed and step, made by any number of processes.

Batch number s holds positions s*B to (s+1)*B - 1 of an endless stream. The stream runs through the
rows in rounds, each shuffled by the seed and its number; the augmentation of a crop follows from
the seed and its position. So a training that was killed and resumed sees the same batches.

With a pool, the warped crops of the first rounds are repeated, each time with other changes of
their pixels. The teacher sees the unchanged pixels only, so it has to run once for each crop of the
pool.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace

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
"""How often a source's crops come in one round: there are few exact labels of everyday scenes."""

LABEL_NOISE = {"lspet": 0.06, "fashion_ls": 0.02, "clips": 0.06}
"""Share of a source's labels, those of the largest loss, that are dropped late in training.
One label of ten in LSP Extended has an outright error; the network cannot find all of them."""


INFERRED_WEIGHT = {"clips": 0.5}
"""Weight of labels with v 1 in sources where these were inferred, not annotated."""


@dataclass(frozen=True, eq=False)
class Batch:
    """``images`` uint8 (B, H, W, 3) RGB; ``points`` float32 (B, 17, 2) heatmap px; ``weight``
    float32 (B, 17), 0 for missing labels, see :data:`INFERRED_WEIGHT`; ``noise`` float32 (B,), see
    :data:`LABEL_NOISE`.

    ``indices`` int64 (B,) are those of the crops in a pool. ``clean`` are the images before their
    pixels were changed, when they are asked for and in the first pass through a pool, else None.
    """

    images: Tensor
    points: Tensor
    weight: Tensor
    noise: Tensor
    indices: Tensor
    clean: Tensor | None = None

    def to(self, device: torch.device) -> Batch:
        """The batch on ``device``."""
        return self._each(lambda part: part.to(device, non_blocking=True))

    def pin_memory(self) -> Batch:
        """The batch in pinned memory, for copies to a GPU."""
        return self._each(Tensor.pin_memory)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        return Batch(**{name: change(part) for name, part in parts.items() if part is not None})


class CropBatches(Dataset[Batch]):
    """``batches[step]`` for any step; see the module. ``pool`` is its size in rounds, 0: no pool.

    From step ``mild_from`` on the augmentation is mild; the warps of a pool do not change. Padding
    and input size are those of the network's ``config``. With ``clean`` the batches hold the crops
    before their pixels were changed too.
    """

    def __init__(
        self,
        pack: CropPack,
        rows: np.ndarray,
        size: int,
        seed: int,
        how: Augmentation,
        pool: int = 0,
        mild_from: float = math.inf,
        config: ViTPoseConfig | None = None,
        clean: bool = False,
    ) -> None:
        self.clean = clean
        self.pack, self.size, self.seed, self.how, self.pool = pack, size, seed, how, pool
        self.mild_from, self.config = mild_from, config or ViTPoseConfig()
        repeats = [REPEATS.get(str(name), 1) for name in pack.dataset[rows]]
        self.round = np.repeat(rows, repeats)
        self._shuffled: tuple[int, np.ndarray] = (-1, self.round)

    def __getitem__(self, step: int) -> Batch:
        positions = range(step * self.size, (step + 1) * self.size)
        clean, images, keypoints, weight, noise = (
            np.stack(part) for part in zip(*map(self._crop, positions), strict=True)
        )
        heatmap, pixels = (
            np.array(size) - 1 for size in (self.config.heatmap_size, self.config.input_size)
        )
        with_clean = self.clean or positions[0] < self.pool_size
        return Batch(
            images=torch.from_numpy(images),
            points=torch.from_numpy((keypoints[..., :2] * (heatmap / pixels)).astype(np.float32)),
            weight=torch.from_numpy(weight),
            noise=torch.from_numpy(noise.astype(np.float32)),
            indices=torch.tensor([self.index(position) for position in positions]),
            clean=torch.from_numpy(clean) if with_clean else None,
        )

    @property
    def pool_size(self) -> int:
        """Number of crops in the pool."""
        return self.pool * len(self.round)

    def row(self, position: int) -> int:
        """The row of the pack at a position of the stream."""
        return int(self.round[self.index(position) % len(self.round)])

    def index(self, position: int) -> int:
        """Index of the warped crop at a position of the stream; in a pool, indices come again."""
        number, at = divmod(position, len(self.round))
        if self._shuffled[0] != number:
            order = np.random.default_rng((self.seed, 0, number)).permutation(len(self.round))
            self._shuffled = (number, order)
        kept = number % self.pool if self.pool else number
        return kept * len(self.round) + int(self._shuffled[1][at])

    def _augmentation_at(self, step: int) -> Augmentation:
        mild = replace(MILD, occluders=self.how.occluders)
        return self.how if step < self.mild_from else mild

    def _crop(self, position: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]:
        """(clean crop, augmented crop, keypoints, weight of each, label noise) at a position of the
        stream."""
        row = self.row(position)
        how = self._augmentation_at(position // self.size)
        rng = np.random.default_rng((self.seed, 1, position))
        warp_rng, warp_how = rng, how
        if self.pool:
            warp_rng = np.random.default_rng((self.seed, 3, self.index(position)))
            warp_how = self._augmentation_at(step=0)
        crop = self.pack.crop(row, self.config.padding)
        rgb, labels = self.pack.rgb(row), self.pack.keypoints[row]
        clean, keypoints = warp(rgb, labels, crop, warp_rng, warp_how, self.config.input_size)
        changed = change_pixels(clean, keypoints, rng, how)
        source = str(self.pack.dataset[row])
        weight = _weights(keypoints[:, 2], source)
        return clean, changed, keypoints, weight, LABEL_NOISE.get(source, 0.0)


def _weights(v: np.ndarray, source: str) -> np.ndarray:
    """The weight float32 (17,) of labels with ``v`` (17,) of a ``source``."""
    inferred = INFERRED_WEIGHT.get(source, 1.0)
    return np.asarray(np.where(v == 1, inferred, v > 0), np.float32)


def stream(batches: CropBatches, steps: range, workers: int, pinned: bool) -> DataLoader[Batch]:
    """The batches of ``steps`` in order, prefetched by ``workers`` processes (0: none)."""
    return DataLoader(
        batches,
        batch_size=None,  # a worker makes whole batches: nothing to collate
        sampler=steps,
        num_workers=workers,
        pin_memory=pinned,
        # not forked: threads of OpenCV and PyTorch do not survive it, and a worker would hang
        multiprocessing_context="spawn" if workers else None,
        worker_init_fn=_quiet,
        generator=torch.Generator().manual_seed(0),  # else it draws from the global one
    )


def _quiet(worker: int) -> None:
    """Use one thread for each worker: they share the processor."""
    cv2.setNumThreads(1)


def normalised(images: Tensor) -> Tensor:
    """Network input float32 (B, 3, H, W) of crops uint8 (B, H, W, 3), on the same device."""
    mean, std = (torch.from_numpy(x).to(images.device) for x in (MEAN, STD))
    return ((images.float() / 255 - mean) / std).permute(0, 3, 1, 2).contiguous()


def count_labels(pack: CropPack, rows: np.ndarray) -> Mapping[str, int]:
    """Number of people of each source among ``rows``."""
    names, counts = np.unique(pack.dataset[rows], return_counts=True)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))
