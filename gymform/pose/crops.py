"""From a frame and a bounding box to the network's input, and back.

UDP ("unbiased data processing", Huang et al., "The Devil is in the Details", CVPR 2020): lengths
are measured between pixel centres, so a crop of 192 x 256 pixels spans 191 x 255 units. A crop is
described by its centre and size in frame pixels; both axes share one scale.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch

from gymform.pose.vitpose import HEATMAP_SIZE, INPUT_SIZE, ViTPoseConfig
from gymform.skeleton import FLIP_ORDER

PADDING = ViTPoseConfig.padding
"""The usual padding: a crop is the box, extended to the input's aspect, times this. Searching for
people needs it; a network may be most exact with less (`ViTPoseConfig.padding`)."""

MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)
"""ImageNet's RGB statistics, for pixel values in [0, 1]."""

_SLOPE = torch.from_numpy(1 / (255 * STD))[:, None, None]
_OFFSET = torch.from_numpy(-MEAN / STD)[:, None, None]
"""The same for bytes."""


def box_to_crop(boxes: np.ndarray, padding: float = PADDING) -> np.ndarray:
    """Crops (..., 4) as centre x, y, width, height px for boxes (..., 4) xyxy px.

    The box is extended to the input's aspect of 3:4 around its centre, then scaled by ``padding``.
    """
    boxes = np.asarray(boxes, dtype=np.float64)
    centre = (boxes[..., :2] + boxes[..., 2:]) / 2
    size = np.maximum(boxes[..., 2:] - boxes[..., :2], 1.0)
    aspect = INPUT_SIZE[0] / INPUT_SIZE[1]
    width = np.maximum(size[..., 0], size[..., 1] * aspect) * padding
    return np.concatenate((centre, width[..., None], width[..., None] / aspect), axis=-1)


def cut_crop(rgb: np.ndarray, crop: np.ndarray, size: tuple[int, int] = INPUT_SIZE) -> np.ndarray:
    """The crop's pixels, uint8 (256, 192, 3), of a frame uint8 (H, W, 3); black outside it.

    ``size`` is the width and height of the result.
    """
    rgb, crop = _reduced(rgb, crop, size)
    step = crop[2:] / (np.array(size) - 1)  # frame px from one crop pixel to the next
    corner = crop[:2] - crop[2:] / 2
    # maps crop pixels to frame pixels, hence WARP_INVERSE_MAP
    matrix = np.array([[step[0], 0.0, corner[0]], [0.0, step[1], corner[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(rgb, matrix, size, flags=flags))


def _reduced(
    rgb: np.ndarray, crop: np.ndarray, target: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Frame and crop scaled down by a whole number, if the crop has to shrink by two or more.

    Pixels are averaged over their area, so that thin limbs do not alias in the warp.
    """
    shrink = int(min(crop[2:] / (np.array(target) - 1)))
    if shrink < 2:
        return rgb, crop
    height, width = rgb.shape[:2]
    size = max(1, round(width / shrink)), max(1, round(height / shrink))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    ratio = np.array([size[0] / width, size[1] / height])
    centre = (crop[:2] + 0.5) * ratio - 0.5
    return small, np.concatenate((centre, crop[2:] * ratio))


def to_tensor(crops: list[np.ndarray]) -> torch.Tensor:
    """Normalised float32 (B, 3, H, W) of RGB crops uint8 (H, W, 3)."""
    pictures = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).contiguous()  # still bytes
    return pictures.float().mul_(_SLOPE).add_(_OFFSET)


def heatmap_to_frame(
    points: np.ndarray, crops: np.ndarray, heatmap_size: tuple[int, int] = HEATMAP_SIZE
) -> np.ndarray:
    """Frame px (B, K, 2) of heatmap px (B, K, 2) found in ``crops`` (B, 4)."""
    span = np.array(heatmap_size, dtype=np.float64) - 1
    size = crops[:, None, 2:]
    return np.asarray(crops[:, None, :2] - size / 2 + points / span * size)


def frame_to_heatmap(points: np.ndarray, crops: np.ndarray) -> np.ndarray:
    """Heatmap px (B, K, 2) of frame px (B, K, 2): the inverse of :func:`heatmap_to_frame`."""
    span = np.array(HEATMAP_SIZE, dtype=np.float64) - 1
    size = crops[:, None, 2:]
    return np.asarray((points - crops[:, None, :2] + size / 2) / size * span)


def unmirror(
    points: np.ndarray, scores: np.ndarray, crops: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (B, 17, 2) frame px and scores (B, 17) found in mirrored ``crops`` (B, 4), mapped
    back to the frame: mirrored around the crops' centres, left and right exchanged."""
    order = list(FLIP_ORDER)
    xy = points.copy()
    xy[..., 0] = 2 * crops[:, None, 0] - points[..., 0]
    return xy[:, order], scores[:, order]
