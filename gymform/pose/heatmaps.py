"""From heatmaps to keypoints: DARK with UDP, as the official ViTPose evaluates.

Zhang et al., "Distribution-Aware Coordinate Representation for Human Pose Estimation" (CVPR
2020): after blurring, the logarithm of a heatmap is a parabola around the joint, and one Newton
step from the highest pixel finds its top.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch

from gymform.skeleton import FLIP_ORDER

BLUR_KERNEL = 11
"""Side of the Gaussian kernel, px of the heatmap."""

BLUR_SIGMA = 2.0
"""Its standard deviation: OpenCV's own choice for a kernel of 11, and the training targets'."""

FLOOR, CEILING = 0.001, 50.0
"""Heatmap values are clipped to this range before the logarithm."""


def flip_back(heatmaps: torch.Tensor) -> torch.Tensor:
    """Heatmaps (B, 17, H, W) of mirrored crops, as those of the crops themselves."""
    return heatmaps.flip(-1)[:, list(FLIP_ORDER)]


def decode(heatmaps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints float32 (B, K, 2) in heatmap px and scores float32 (B, K) in [0, 1].

    ``heatmaps`` is float (B, K, H, W). The score is the peak's value. A heatmap with a NaN, or
    without a positive peak, gives NaN coordinates and score 0, never a number.
    """
    batch, keypoints, height, width = heatmaps.shape
    maps = heatmaps.reshape(-1, height, width).astype(np.float32)
    flat = maps.reshape(len(maps), -1)
    sound = np.asarray(np.isfinite(flat).all(axis=1))
    flat = np.where(sound[:, None], flat, 0.0)
    peak = flat.argmax(axis=1)
    score = flat[np.arange(len(flat)), peak]
    sound &= score > 0
    start = np.stack((peak % width, peak // width), axis=1)
    points = np.full((len(maps), 2), np.nan, dtype=np.float32)
    for i in np.flatnonzero(sound):
        points[i] = start[i] + _newton_step(maps[i], *start[i])
    limit = np.array([width - 1, height - 1], dtype=np.float32)
    points = np.clip(points, 0, limit)  # NaN stays NaN
    score = np.where(sound, np.clip(score, 0.0, 1.0), 0.0).astype(np.float32)
    return points.reshape(batch, keypoints, 2), score.reshape(batch, keypoints)


def _newton_step(heatmap: np.ndarray, x: int, y: int) -> np.ndarray:
    """Offset float (2,) px from the highest pixel (x, y) to the top of the fitted parabola.

    Only the 3 x 3 pixels around the peak are needed, so only what the blur reaches from there
    is blurred; pixels beyond the border repeat the border's, as in the official code.
    """
    margin = BLUR_KERNEL // 2 + 1
    height, width = heatmap.shape
    left, top = max(0, x - margin), max(0, y - margin)
    patch = heatmap[top : min(height, y + margin + 1), left : min(width, x + margin + 1)]
    blurred = cv2.GaussianBlur(patch, (BLUR_KERNEL, BLUR_KERNEL), BLUR_SIGMA)
    # the neighbours, with the border repeated
    rows = np.clip(np.arange(y - 1, y + 2), 0, height - 1) - top
    columns = np.clip(np.arange(x - 1, x + 2), 0, width - 1) - left
    logs = np.log(np.clip(blurred[np.ix_(rows, columns)], FLOOR, CEILING)).astype(np.float64)
    gradient = 0.5 * np.array([logs[1, 2] - logs[1, 0], logs[2, 1] - logs[0, 1]])
    dxx = logs[1, 2] - 2 * logs[1, 1] + logs[1, 0]
    dyy = logs[2, 1] - 2 * logs[1, 1] + logs[0, 1]
    # the official mixed derivative: it uses the two diagonal neighbours only
    dxy = 0.5 * (
        logs[2, 2] - logs[1, 2] - logs[2, 1] + 2 * logs[1, 1] - logs[1, 0] - logs[0, 1] + logs[0, 0]
    )
    hessian = np.array([[dxx, dxy], [dxy, dyy]]) + np.finfo(np.float32).eps * np.eye(2)
    if abs(np.linalg.det(hessian)) < 1e-12:
        return np.zeros(2)
    step = -np.linalg.solve(hessian, gradient)
    # a peak that is no peak (a ridge, a border) must not send the joint away
    return np.clip(step, -2.0, 2.0) if np.isfinite(step).all() else np.zeros(2)
