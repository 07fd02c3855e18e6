"""How much the camera moves, seen where the lifter is not.

In real clips a camera on a stand gives less than 0.005 diagonals of the picture a second, a calm
hand 0.005 to 0.02, and one that follows the lifter 0.02 to 0.1.
"""

from __future__ import annotations

import cv2
import numpy as np

from gymform.video.sparse import SparseFrames

SIDE = 320
"""Longer side of the pictures that are compared, px."""

MAX_CORNERS = 200
MIN_CORNERS = 12
"""Fewer points of the background than this say nothing about the camera."""

MIN_AGREEMENT = 0.5
"""Where less than this share of them moves alike, it is not the camera that moves."""

MARGIN = 0.1
"""The lifter's box grows by this share on each side before the background begins."""

_QUALITY, _MIN_DISTANCE = 0.01, 7


def camera_speed(frames: SparseFrames, boxes: np.ndarray) -> np.ndarray:
    """How fast the picture moves between samples, float64 (N - 1,) in its diagonals a second.

    ``boxes`` (T, 4) px xyxy hold the lifter, NaN where nobody is. The movement is that of the
    frame's corners under the similarity (shift, turn, zoom) that most points of the background
    follow: corners (Shi & Tomasi 1994) tracked by pyramidal Lucas-Kanade, RANSAC against what
    moves on its own. NaN across a cut, and where too little background is seen.
    """
    times = frames.sample_times()
    speeds = np.full(max(len(frames) - 1, 0), np.nan)
    previous = _grey(frames, 0) if len(frames) else None
    for i in range(len(speeds)):
        grey = _grey(frames, i + 1)
        if frames.shots[i] == frames.shots[i + 1] and previous is not None:
            # both boxes: what the lifter covers and uncovers is no background either
            masks = [_background(grey.shape, frames, boxes, sample) for sample in (i, i + 1)]
            moved = _movement(previous, grey, masks[0] & masks[1])
            speeds[i] = moved / (times[i + 1] - times[i])
        previous = grey
    return speeds


def usual_speed(speeds: np.ndarray, times: np.ndarray, start_s: float, end_s: float) -> float:
    """The median of :func:`camera_speed` from ``start_s`` to ``end_s``; NaN where it is unknown.

    ``times`` (N,) are the samples' seconds.
    """
    middle = (times[1:] + times[:-1]) / 2
    inside = speeds[(middle >= start_s) & (middle <= end_s)]
    inside = inside[np.isfinite(inside)]
    return float(np.median(inside)) if len(inside) else float("nan")


def _grey(frames: SparseFrames, sample: int) -> np.ndarray:
    """A sampled frame, small and grey, uint8 (h, w)."""
    picture = cv2.cvtColor(frames.picture(sample), cv2.COLOR_RGB2GRAY)
    scale = min(1.0, SIDE / max(picture.shape))
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _background(
    shape: tuple[int, ...], frames: SparseFrames, boxes: np.ndarray, sample: int
) -> np.ndarray:
    """uint8 (h, w): 255 where the lifter is not."""
    mask = np.full(shape[:2], 255, np.uint8)
    box = boxes[frames.positions[sample]]
    if np.isfinite(box).all():
        scale = np.array([shape[1] / frames.size[0], shape[0] / frames.size[1]] * 2)
        margin = MARGIN * np.array([box[0] - box[2], box[1] - box[3]])
        x0, y0, x1, y1 = ((box + np.r_[margin, -margin]) * scale).round().astype(int)
        mask[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)] = 0
    return mask


def _movement(first: np.ndarray, second: np.ndarray, mask: np.ndarray) -> float:
    """Mean way of the frame's corners from one picture to the next, in diagonals; NaN unknown."""
    corners = cv2.goodFeaturesToTrack(first, MAX_CORNERS, _QUALITY, _MIN_DISTANCE, mask=mask)
    if corners is None or len(corners) < MIN_CORNERS:
        return float("nan")
    moved, found, _ = cv2.calcOpticalFlowPyrLK(first, second, corners, np.empty_like(corners))
    kept = found.ravel() == 1
    if kept.sum() < MIN_CORNERS:
        return float("nan")
    cv2.setRNGSeed(0)  # the same clip gives the same figures
    matrix, followed = cv2.estimateAffinePartial2D(corners[kept], moved[kept])
    if matrix is None or followed.sum() < max(MIN_CORNERS, MIN_AGREEMENT * kept.sum()):
        return float("nan")
    height, width = first.shape
    frame = np.array([[0, 0], [width, 0], [0, height], [width, height]], np.float64)
    shift = frame @ matrix[:, :2].T + matrix[:, 2] - frame
    return float(np.linalg.norm(shift, axis=1).mean() / np.hypot(width, height))
