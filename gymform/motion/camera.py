"""How fast the camera moves, measured on the background.

In real clips a camera on a stand gives less than 0.005 picture diagonals per second, a calm hand
0.005 to 0.02, and a camera that follows the lifter 0.02 to 0.1.
"""

from __future__ import annotations

import cv2
import numpy as np

from gymform.video.sparse import SparseFrames

SIDE = 320
"""Longer side of the pictures that are compared, px."""

MAX_CORNERS = 200
MIN_CORNERS = 12
"""With fewer points of the background than this the camera's speed is unknown."""

MIN_AGREEMENT = 0.5
"""If less than this share of the points moves together, the camera's speed is unknown."""

MARGIN = 0.1
"""The background begins outside the lifter's box, enlarged by this share on each side."""

_QUALITY, _MIN_DISTANCE = 0.01, 7


def camera_speed(frames: SparseFrames, boxes: np.ndarray) -> np.ndarray:
    """Speed of the picture between samples, float64 (N - 1,) in picture diagonals per second.

    ``boxes`` (T, 4) px xyxy hold the lifter, NaN where nobody is. The speed is that of the frame's
    corners under the similarity transform (shift, rotation, zoom) of the background: points (Shi &
    Tomasi 1994) tracked by pyramidal Lucas-Kanade, with RANSAC to ignore what moves by itself. NaN
    across a cut, and where too little background is seen.
    """
    times = frames.sample_times()
    speeds = np.full(max(len(frames) - 1, 0), np.nan)
    previous = _grey(frames, 0) if len(frames) else None
    for i in range(len(speeds)):
        grey = _grey(frames, i + 1)
        if frames.shots[i] == frames.shots[i + 1] and previous is not None:
            # both boxes: what the lifter covers or uncovers in between is not background
            masks = [_background(grey.shape, frames, boxes, sample) for sample in (i, i + 1)]
            distance = _movement(previous, grey, masks[0] & masks[1])
            speeds[i] = distance / (times[i + 1] - times[i])
        previous = grey
    return speeds


def median_speed(speeds: np.ndarray, times: np.ndarray, start_s: float, end_s: float) -> float:
    """The median of :func:`camera_speed` from ``start_s`` to ``end_s``; NaN if all are unknown.

    ``times`` (N,) are the samples' times in seconds.
    """
    middle = (times[1:] + times[:-1]) / 2
    inside = speeds[(middle >= start_s) & (middle <= end_s)]
    inside = inside[np.isfinite(inside)]
    return float(np.median(inside)) if len(inside) else float("nan")


def _grey(frames: SparseFrames, sample: int) -> np.ndarray:
    """A sampled frame, shrunk and in grey levels, uint8 (h, w)."""
    picture = cv2.cvtColor(frames.picture(sample), cv2.COLOR_RGB2GRAY)
    scale = min(1.0, SIDE / max(picture.shape))
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def _background(
    shape: tuple[int, ...], frames: SparseFrames, boxes: np.ndarray, sample: int
) -> np.ndarray:
    """The mask of a sampled frame; see :func:`background_mask`."""
    scale = np.array([shape[1] / frames.size[0], shape[0] / frames.size[1]] * 2)
    return background_mask(shape, boxes[frames.positions[sample]], scale)


def background_mask(
    shape: tuple[int, ...], box: np.ndarray, scale: np.ndarray | float
) -> np.ndarray:
    """Mask uint8 (h, w): 255 on the background, 0 on the lifter in ``box`` (4,), NaN for nobody.

    ``scale`` is how many px of a picture of ``shape`` one px of the box's frame is.
    """
    mask = np.full(shape[:2], 255, np.uint8)
    if np.isfinite(box).all():
        margin = MARGIN * np.array([box[0] - box[2], box[1] - box[3]])
        x0, y0, x1, y1 = ((box + np.r_[margin, -margin]) * scale).round().astype(int)
        mask[max(y0, 0) : max(y1, 0), max(x0, 0) : max(x1, 0)] = 0
    return mask


def _movement(first: np.ndarray, second: np.ndarray, mask: np.ndarray) -> float:
    """Mean distance that the frame's corners move between two pictures, in diagonals, or NaN."""
    matrix = background_motion(first, second, mask)
    if matrix is None:
        return float("nan")
    height, width = first.shape
    frame = np.array([[0, 0], [width, 0], [0, height], [width, height]], np.float64)
    shift = frame @ matrix[:, :2].T + matrix[:, 2] - frame
    return float(np.linalg.norm(shift, axis=1).mean() / np.hypot(width, height))


def background_motion(first: np.ndarray, second: np.ndarray, mask: np.ndarray) -> np.ndarray | None:
    """The similarity (2, 3) that takes the background of one picture to that of the next, px.

    Pictures are uint8 (h, w), ``mask`` is 255 where the first shows background. None where too
    little of it is seen.
    """
    corners = cv2.goodFeaturesToTrack(first, MAX_CORNERS, _QUALITY, _MIN_DISTANCE, mask=mask)
    if corners is None or len(corners) < MIN_CORNERS:
        return None
    moved, found, _ = cv2.calcOpticalFlowPyrLK(first, second, corners, np.empty_like(corners))
    kept = found.ravel() == 1
    if kept.sum() < MIN_CORNERS:
        return None
    cv2.setRNGSeed(0)  # the same clip gives the same speeds
    matrix, followed = cv2.estimateAffinePartial2D(corners[kept], moved[kept])
    if matrix is None or followed.sum() < max(MIN_CORNERS, MIN_AGREEMENT * kept.sum()):
        return None
    return np.asarray(matrix)
