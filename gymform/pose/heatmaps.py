"""From heatmaps to keypoints: DARK with UDP, as the official ViTPose evaluates.

Zhang et al., "Distribution-Aware Coordinate Representation for Human Pose Estimation" (CVPR
2020): after blurring, the logarithm of a heatmap is a parabola around the keypoint, and one Newton
step from the highest pixel finds its top. Networks trained on few data have rough heatmaps; their
highest pixel is found more reliably after smoothing with the shape of a training target (a matched
filter).
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import torch

from gymform.skeleton import FLIP_ORDER

BLUR_KERNEL = 11
"""Side of the Gaussian kernel, px of the heatmap."""

BLUR_SIGMA = 2.0
"""Its standard deviation: OpenCV's default for a kernel of 11, and that of training targets."""

FLOOR, CEILING = 0.001, 50.0
"""Heatmap values are clipped to this range before the logarithm."""

MAX_STEP = 2.0
"""Longest step from the highest pixel, px on each axis: on a flat ridge it would go anywhere."""


PEAK_DISTANCE = 6.0
"""Two peaks of a heatmap are at least this many px apart: three deviations of a target."""

PEAK_SHARE = 0.15
"""A further peak has at least this share of the first one's height."""


def flip_back(heatmaps: torch.Tensor) -> torch.Tensor:
    """Heatmaps (B, 17, H, W) of mirrored crops, mapped back to the crops themselves."""
    return heatmaps.flip(-1)[:, list(FLIP_ORDER)]


def decode(heatmaps: np.ndarray, *, smooth: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints float32 (B, K, 2) in heatmap px and scores float32 (B, K) in [0, 1].

    ``heatmaps`` is float (B, K, H, W). The score is the peak's value. A heatmap that holds a NaN,
    is flat or has no positive peak gives NaN coordinates and score 0. ``smooth`` finds the peak in
    the map smoothed by the training targets' Gaussian, which the official code does not do; the
    score is still the peak of the unsmoothed map.
    """
    points, scores = decode_peaks(heatmaps, 1, smooth=smooth)
    return points[:, :, 0], scores[:, :, 0]


def decode_peaks(
    heatmaps: np.ndarray, count: int, *, smooth: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """The ``count`` best peaks: float32 (B, K, count, 2) in heatmap px, scores (B, K, count).

    The first are those of :func:`decode`. A further one is the next highest summit of the searched
    map that is `PEAK_DISTANCE` from all before it, exact to a pixel, with the unsmoothed map's
    value as its score; NaN and 0 where none has `PEAK_SHARE` of the first one's height.
    """
    batch, keypoints, height, width = heatmaps.shape
    with np.errstate(over="ignore"):  # values too large for float32 become infinite: missing
        maps = heatmaps.reshape(-1, height, width).astype(np.float32)
    flat = maps.reshape(len(maps), height * width)
    highest, lowest = flat.max(axis=1), flat.min(axis=1)  # both NaN where the map holds one
    finite = np.isfinite(highest) & np.isfinite(lowest)
    valid = np.flatnonzero(finite & (highest > 0) & (highest > lowest))
    searched = _smoothed(maps[valid]) if smooth else maps[valid]
    y, x = np.divmod(searched.reshape(len(searched), height * width).argmax(axis=1), width)
    points = np.full((len(maps), count, 2), np.nan, dtype=np.float32)
    points[valid, 0] = np.stack((x, y), axis=1) + _newton_steps(searched, x, y)
    limit = np.array((width - 1, height - 1), dtype=np.float32)
    points = np.clip(points, 0, limit)  # NaN stays NaN
    score = np.zeros((len(maps), count), dtype=np.float32)
    score[valid, 0] = np.minimum(highest[valid], 1.0)
    if count > 1:
        points[valid, 1:], score[valid, 1:] = _further(maps[valid], searched, x, y, count - 1)
    shape = (batch, keypoints, count)
    return points.reshape(*shape, 2), score.reshape(shape)


def _further(
    maps: np.ndarray, searched: np.ndarray, x: np.ndarray, y: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """The next summits of ``searched`` (N, H, W) after (x, y) (N,): (N, count, 2), (N, count)."""
    rows, (height, width) = np.arange(len(maps)), maps.shape[1:]
    floor = PEAK_SHARE * searched[rows, y, x]
    kernel = np.ones((3, 3), np.uint8)
    around = [cv2.dilate(one, kernel) for one in searched]
    summits = np.where(searched >= np.reshape(around, searched.shape), searched, 0)
    reach = np.arange(height)[:, None], np.arange(width)
    points = np.full((len(maps), count, 2), np.nan, np.float32)
    score = np.zeros((len(maps), count), np.float32)
    for i in range(count):
        down, right = reach[0] - y[:, None, None], reach[1] - x[:, None, None]
        summits[down**2 + right**2 < PEAK_DISTANCE**2] = 0
        y, x = np.divmod(summits.reshape(len(maps), height * width).argmax(axis=1), width)
        high = summits[rows, y, x] > floor
        points[high, i] = np.stack((x, y), axis=1)[high]
        score[high, i] = np.clip(maps[rows, y, x], 0, 1)[high]
    return points, score


def _smoothed(maps: np.ndarray) -> np.ndarray:
    """Maps (N, H, W) after the Gaussian blur, zero beyond the border."""
    height, width = maps.shape[1:]
    blurred: np.ndarray = _blur_matrix(height) @ maps @ _blur_matrix(width).T
    return blurred.astype(np.float32)


@cache
def _blur_matrix(size: int) -> np.ndarray:
    """The blur along one axis as a matrix (size, size)."""
    unit = np.eye(size, dtype=np.float32)
    rows = cv2.GaussianBlur(unit, (BLUR_KERNEL, 1), BLUR_SIGMA, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(rows).T


def _newton_steps(maps: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Offsets float64 (N, 2) px from the highest pixels (x, y) to the tops of fitted parabolas.

    Zero where the parabola has no top. ``maps`` is (N, H, W), ``x`` and ``y`` are int (N,).
    """
    logs = np.log(np.clip(_blurred_around(maps, x, y), FLOOR, CEILING))
    (upper_left, upper, _), (left, middle, right), (_, lower, lower_right) = logs.transpose(1, 2, 0)
    dx, dy = (right - left) / 2, (lower - upper) / 2
    dxx, dyy = right - 2 * middle + left, lower - 2 * middle + upper
    # the official mixed derivative: it uses two of the four diagonal neighbours
    dxy = (lower_right - right - lower + 2 * middle - left - upper + upper_left) / 2
    determinant = dxx * dyy - dxy**2
    # the official code steps regardless, in an arbitrary direction from a ridge or a saddle
    top = (dxx < 0) & (determinant > 1e-12)
    determinant = np.where(top, determinant, 1.0)
    step = np.stack((dxy * dy - dyy * dx, dxy * dx - dxx * dy), axis=1) / determinant[:, None]
    return np.clip(np.where(top[:, None], step, 0.0), -MAX_STEP, MAX_STEP)


def _blurred_around(maps: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The 3 x 3 pixels (N, 3, 3) around (x, y) of the blurred maps (N, H, W).

    Only these pixels are computed. As in the official code, the map is mirrored at its border for
    the blur, and a neighbour beyond the border is the border pixel itself. That costs up to 1.5 px
    within 4 px of the border, where a padded crop seldom has a keypoint.
    """
    height, width = maps.shape[1:]
    reach = BLUR_KERNEL // 2 + 1
    padded = np.pad(maps, ((0, 0), (reach, reach), (reach, reach)), mode="reflect")
    side = 2 * reach + 1
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(1, 2))
    near = windows[np.arange(len(maps)), y, x].astype(np.float64)
    kernel = cv2.getGaussianKernel(BLUR_KERNEL, BLUR_SIGMA)[:, 0]
    blur = np.stack([np.pad(kernel, (shift, 2 - shift)) for shift in range(3)])  # (3, side)
    blurred: np.ndarray = blur @ near @ blur.T
    for at, edge in ((0, 0), (2, height - 1)):
        blurred[y == edge, at] = blurred[y == edge, 1]
    for at, edge in ((0, 0), (2, width - 1)):
        blurred[x == edge, :, at] = blurred[x == edge, :, 1]
    return blurred
