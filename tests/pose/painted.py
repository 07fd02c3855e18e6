"""People made of coloured dots, and a network that sees nothing else.

Each keypoint has a colour of its own. :class:`DotNetwork` returns a Gaussian where a crop shows
that colour, so tests of tracking and of the pipeline know every keypoint to the pixel, without
weights and without randomness.
"""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gymform.pose.checkpoints import LoadedPose
from gymform.pose.crops import MEAN, STD
from gymform.pose.engine.pytorch import TorchEngine
from gymform.pose.estimator import PoseEstimator
from gymform.pose.vitpose import ViTPoseConfig
from gymform.skeleton import NUM_KEYPOINTS

BACKGROUND = 128

_LEVELS = [rgb for rgb in itertools.product((0, 128, 255), repeat=3) if len(set(rgb)) > 1]
COLOURS = np.array(_LEVELS[:NUM_KEYPOINTS], dtype=np.float32)
"""(17, 3) RGB: no two are equal, and none is grey."""

STANDING = np.array(
    [
        (0.50, 0.06), (0.52, 0.04), (0.48, 0.04), (0.54, 0.05), (0.46, 0.05), (0.60, 0.20),
        (0.40, 0.20), (0.64, 0.36), (0.36, 0.36), (0.66, 0.50), (0.34, 0.50), (0.56, 0.52),
        (0.44, 0.52), (0.57, 0.74), (0.43, 0.74), (0.57, 0.96), (0.43, 0.96),
    ]
)  # fmt: skip
"""Keypoints (17, 2) of someone who stands upright in a box of 1 x 1."""


def person_at(x: float, y: float, height: float) -> np.ndarray:
    """Keypoints (17, 2) px of a standing person: centre x, top y, height px."""
    return np.array([x, y]) + (STANDING - [0.5, 0.0]) * height


def paint(size: tuple[int, int], *people: np.ndarray, faint: float = 1.0) -> np.ndarray:
    """A frame uint8 (h, w, 3) RGB that shows ``people``; others than the first fainter."""
    width, height = size
    frame = np.full((height, width, 3), BACKGROUND, dtype=np.uint8)
    for number, keypoints in reversed(list(enumerate(people))):
        tall = float(np.ptp(keypoints[:, 1]))
        strength = faint if number else 1.0
        for point, colour in zip(keypoints, COLOURS, strict=True):
            mixed = BACKGROUND + strength * (colour - BACKGROUND)
            centre = tuple(int(v) for v in np.rint(point * 16))
            radius = round(max(2.5, 0.016 * tall) * 16)
            cv2.circle(frame, centre, radius, mixed.tolist(), -1, cv2.LINE_AA, 4)
    return frame


class DotNetwork(nn.Module):
    """Crops (B, 3, H, W) to heatmaps (B, 17, H/4, W/4): a Gaussian of height 1 at each dot."""

    def __init__(self, config: ViTPoseConfig) -> None:
        super().__init__()
        self.config = config
        self.anchor = nn.Parameter(torch.zeros(1))  # a parameter, so that the device is known
        self.register_buffer("colours", torch.from_numpy(COLOURS / 255))
        radius = 6
        line = torch.exp(-(torch.arange(-radius, radius + 1) ** 2) / (2 * 2.0**2))
        self.register_buffer("blur", torch.outer(line, line)[None, None])

    def forward(self, images: Tensor, kept: Tensor | None = None) -> Tensor:
        rgb = images * torch.from_numpy(STD)[:, None, None] + torch.from_numpy(MEAN)[:, None, None]
        heatmaps = torch.zeros(len(rgb), NUM_KEYPOINTS, *self.config.heatmap_size[::-1])
        colourful = (rgb.amax(1) - rgb.amin(1)).amax((1, 2)) > 0.25
        if colourful.any():
            heatmaps[colourful] = self._peaks(rgb[colourful])
        return heatmaps if kept is None else heatmaps * self._seen(kept)

    def _seen(self, kept: Tensor) -> Tensor:
        """1 in the heatmaps where a patch is kept, 0 elsewhere: (B, 1, H/4, W/4)."""
        rows, columns = self.config.grid
        seen = torch.zeros(len(kept), rows * columns).scatter(1, kept, 1.0)
        return F.interpolate(seen.reshape(-1, 1, rows, columns), scale_factor=4.0)

    def _peaks(self, rgb: Tensor) -> Tensor:
        # squared distances of colours, without a tensor for each of their differences
        mixed = F.conv2d(rgb, self.colours[:, :, None, None])
        lengths = (rgb**2).sum(1, keepdim=True) + (self.colours**2).sum(1)[:, None, None]
        match = torch.exp(-(lengths - 2 * mixed) / 0.22**2)  # (B, 17, H, W)
        match = torch.where(match > 0.3, match, 0)
        # UDP: both grids run from the first pixel's centre to the last one's
        size = self.config.heatmap_size[::-1]
        small = F.interpolate(match, size, mode="bilinear", align_corners=True)
        spread = F.conv2d(small.flatten(0, 1)[:, None], self.blur, padding=6).view_as(small)
        top = spread.amax((2, 3), keepdim=True).clamp_min(1e-6)
        height = match.amax((2, 3), keepdim=True)
        return torch.where(height > 0.3, spread / top * height, torch.zeros_like(spread))


def watch_crops(estimator: PoseEstimator, monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """A list that records every batch of crops (B, 4) given to the estimator from now on."""
    asked: list[np.ndarray] = []
    peaks_in_crops = estimator.peaks_in_crops

    def ask(
        pixels: list[np.ndarray], crops: np.ndarray, count: int, *distances: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        asked.append(crops)
        return peaks_in_crops(pixels, crops, count, *distances)

    monkeypatch.setattr(estimator, "peaks_in_crops", ask)
    return asked


def dot_model(**options: float) -> LoadedPose:
    """The dot network as the checkpoint loader would return it, configured with ``options``."""
    network = DotNetwork(ViTPoseConfig(**options)).eval()  # type: ignore[arg-type]
    return LoadedPose(network=network, name="dots", sha256="0" * 64, config=network.config)  # type: ignore[arg-type]


def dots(name: str | None, exact: bool = False) -> tuple[LoadedPose, TorchEngine]:
    """The dot network and its engine, in place of `networks.loaded`."""
    model = dot_model()
    return model, TorchEngine(model.network, exact=exact)
