"""From crops to keypoints in frame pixels: ViTPose's preprocessing, inference, postprocessing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from gymform.pose.checkpoints import LoadedPose
from gymform.pose.crops import cut_crop, heatmap_to_frame, to_tensor
from gymform.pose.engine import Engine
from gymform.pose.engine.pytorch import TorchEngine
from gymform.pose.heatmaps import decode_peaks, flip_back
from gymform.pose.pruning import like_counts, mirrored
from gymform.timing import Stopwatch


class PoseEstimator:
    """A loaded ViTPose ready for frames; keeps no state between calls, so threads may share it.

    ``engine`` computes the network, by default PyTorch. ``flip_test`` averages the heatmaps of each
    crop and its mirror image: twice the time, a little more exact. With more than one of
    ``threads``, so many batches are computed at once, each on one core: that takes less time than
    one batch on all cores, and much less on a busy machine, where they would wait for each other.
    """

    def __init__(
        self,
        model: LoadedPose,
        *,
        engine: Engine | None = None,
        flip_test: bool = False,
        batch_size: int = 8,
        threads: int = 1,
        stopwatch: Stopwatch | None = None,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size: expected at least 1, got {batch_size}")
        self.model = model
        self.engine = engine or TorchEngine(model.network)
        self.flip_test = flip_test
        self.batch_size = batch_size
        self.stopwatch = stopwatch or Stopwatch()
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, "pose", _one_core) if threads > 1 else None

    @property
    def device(self) -> torch.device:
        """The device that holds the network's parameters."""
        return next(self.model.network.parameters()).device

    @property
    def padding(self) -> float:
        """The padding with which the network is most exact, for `box_to_crop`."""
        return self.model.config.padding

    def cut(self, rgb: np.ndarray, crop: np.ndarray) -> np.ndarray:
        """The pixels of a ``crop`` (4,) of a frame, resized to the network's input."""
        with self.stopwatch("crop"):
            return cut_crop(rgb, crop, self.model.config.input_size)

    def keypoints_in_frame(
        self, rgb: np.ndarray, crops: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Keypoints of several ``crops`` (B, 4) of one frame: see :meth:`keypoints_in_crops`."""
        return self.keypoints_in_frames((rgb, crop) for crop in crops)

    def keypoints_in_frames(
        self, places: Iterable[tuple[np.ndarray, np.ndarray]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """The same for one crop (4,) of each of several frames, computed together."""
        cut = [(self.cut(rgb, crop), crop) for rgb, crop in places]
        crops = np.array([crop for _, crop in cut], dtype=np.float64).reshape(-1, 4)
        return self.keypoints_in_crops([pixels for pixels, _ in cut], crops)

    def keypoints_in_crops(
        self, pixels: Sequence[np.ndarray], crops: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Keypoints float32 (B, 17, 2) in frame px, NaN where missing, and scores float32 (B, 17)
        in [0, 1], 0 where missing: the conventions of :class:`~gymform.types.PoseSequence`.

        ``pixels`` are B crops uint8 in RGB from :meth:`cut`; ``crops`` (B, 4) are their places in
        the frame: centre x, y, width, height px.
        """
        points, scores = self.peaks_in_crops(pixels, crops, 1)
        return points[:, :, 0], scores[:, :, 0]

    def peaks_in_crops(
        self,
        pixels: Sequence[np.ndarray],
        crops: np.ndarray,
        count: int,
        distances: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The ``count`` likeliest places of each keypoint: frame px float32 (B, 17, count, 2), NaN
        where there are fewer, and scores float32 (B, 17, count), 0 there.

        The first are the keypoints of :meth:`keypoints_in_crops`. With ``distances`` (B, N) of the
        patches from a skeleton known beforehand, only those near it are looked at: see
        `pruning.py`.
        """
        shape = (len(pixels), self.model.config.keypoints, count)
        points, scores = np.empty((*shape, 2), np.float32), np.empty(shape, np.float32)
        config = self.model.config

        def compute(batch: tuple[np.ndarray, np.ndarray | None]) -> None:
            rows, kept = batch
            heatmaps = self.heatmaps([pixels[row] for row in rows], kept)
            found, peaks = decode_peaks(heatmaps, count, smooth=True)
            flat = found.reshape(len(rows), -1, 2)
            placed = heatmap_to_frame(flat, crops[rows], config.heatmap_size)
            points[rows] = placed.reshape(found.shape)
            scores[rows] = peaks**config.score_power

        batches = self._batches(len(pixels), distances)
        with self.stopwatch("network"):
            if self._pool is not None:
                list(self._pool.map(compute, batches))
            else:
                list(map(compute, batches))
        return points, scores

    def _batches(
        self, total: int, distances: np.ndarray | None
    ) -> list[tuple[np.ndarray, np.ndarray | None]]:
        """Rows of crops that are computed together, and the patches that they need."""
        # as many at once as there are threads, so that none of them idles
        size = max(1, min(self.batch_size, -(-total // self._threads)))
        if distances is not None:
            return list(like_counts(distances, size))
        rows = np.arange(total)
        return [(rows[first : first + size], None) for first in range(0, total, size)]

    def heatmaps(self, pixels: Sequence[np.ndarray], kept: np.ndarray | None = None) -> np.ndarray:
        """Heatmaps float32 (B, 17, H, W) of crops from :meth:`cut`.

        ``kept`` int64 (B, n) are the patches of each crop to look at, all by default.
        """
        images = to_tensor(list(pixels))
        patches = None if kept is None else torch.from_numpy(kept)
        heatmaps = self.engine.heatmaps(images, patches)
        if self.flip_test:
            if kept is not None:
                patches = torch.from_numpy(mirrored(kept, self.model.config))
            heatmaps = heatmaps + flip_back(self.engine.heatmaps(images.flip(-1), patches))
            heatmaps = heatmaps / 2
        return heatmaps.cpu().numpy()


def _one_core() -> None:
    """Let PyTorch compute in the calling thread alone."""
    torch.set_num_threads(1)
