"""From crops to keypoints in frame pixels: ViTPose's preprocessing, inference, postprocessing."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from torch import nn

from gymform.pose.checkpoints import LoadedPose
from gymform.pose.crops import cut_crop, heatmap_to_frame, to_tensor
from gymform.pose.heatmaps import decode_peaks, flip_back
from gymform.timing import Stopwatch


class PoseEstimator:
    """A loaded ViTPose ready for frames; keeps no state between calls, so threads may share it.

    ``flip_test`` averages the heatmaps of each crop and its mirror image: twice the time, a little
    more exact. The network runs in half precision where that is faster (:func:`half_precision`).
    """

    def __init__(
        self,
        model: LoadedPose,
        *,
        flip_test: bool = False,
        batch_size: int = 8,
        stopwatch: Stopwatch | None = None,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size: expected at least 1, got {batch_size}")
        self.model = model
        self.flip_test = flip_test
        self.batch_size = batch_size
        self.stopwatch = stopwatch or Stopwatch()
        self._half = half_precision(self.device.type)
        self._network = with_half(model.network, self._half) if self._half else model.network

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
        return self.keypoints_in_crops([self.cut(rgb, crop) for crop in crops], crops)

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
        self, pixels: Sequence[np.ndarray], crops: np.ndarray, count: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """The ``count`` likeliest places of each keypoint: frame px float32 (B, 17, count, 2), NaN
        where there are fewer, and scores float32 (B, 17, count), 0 there.

        The first are the keypoints of :meth:`keypoints_in_crops`.
        """
        points, scores = [], []
        size = self.model.config.heatmap_size
        for start in range(0, len(pixels), self.batch_size):
            heatmaps = self.heatmaps(pixels[start : start + self.batch_size])
            with self.stopwatch("heatmaps"):
                found, peaks = decode_peaks(heatmaps, count, smooth=True)
                score = peaks**self.model.config.score_power
            batch = found.reshape(len(found), -1, 2)
            placed = heatmap_to_frame(batch, crops[start : start + self.batch_size], size)
            points.append(placed.reshape(found.shape))
            scores.append(score)
        return np.concatenate(points).astype(np.float32), np.concatenate(scores)

    @torch.inference_mode()
    def heatmaps(self, pixels: Sequence[np.ndarray]) -> np.ndarray:
        """Heatmaps float32 (B, 17, H, W) of crops from :meth:`cut`."""
        with self.stopwatch("network"):
            images = to_tensor(list(pixels)).to(self.device)
            heatmaps = self._forward(images)
            if self.flip_test:
                heatmaps = (heatmaps + flip_back(self._forward(images.flip(-1)))) / 2
            return heatmaps.float().cpu().numpy()

    def _forward(self, images: torch.Tensor) -> torch.Tensor:
        half = self._half
        with torch.autocast(self.device.type, dtype=half, enabled=half is not None):
            heatmaps: torch.Tensor = self._network(images)
            return heatmaps


@cache
def half_precision(device: str) -> torch.dtype | None:
    """The half-precision type with which ``device`` needs about half the time, or None.

    float16 on GPUs, bfloat16 on CPUs with instructions for it (AVX-512 BF16, AMX); other CPUs
    emulate it slowly.
    """
    if device == "cuda":
        return torch.float16
    features = torch.cpu.get_capabilities() if device == "cpu" else {}
    return torch.bfloat16 if features.get("avx512_bf16") or features.get("amx_bf16") else None


def with_half(network: nn.Module, half: torch.dtype) -> nn.Module:
    """A copy of ``network`` whose linear layers are stored in ``half`` precision.

    Autocast would convert them for each batch. Norms, sums and the last layer stay in float32.
    """
    copied = copy.deepcopy(network)
    for module in copied.modules():
        if isinstance(module, nn.Linear):
            module.to(half)
    return copied
