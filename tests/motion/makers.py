"""Synthetic movements for the tests of motion and exercise."""

from dataclasses import replace

import numpy as np

from gymform import skeleton as sk
from gymform.pose.adaptive import interpolated
from gymform.types import PoseSequence

STANDING = np.array([
    (0, -162), (2, -165), (-2, -165), (5, -163), (-5, -163),  # head
    (18, -140), (-18, -140), (24, -112), (-24, -112), (22, -88), (-22, -88),  # arms
    (10, -90), (-10, -90), (11, -48), (-11, -48), (12, -5), (-12, -5),  # legs
], float)  # fmt: skip
"""(17, 2) px: somebody of about 170 px who stands and faces the camera, feet near (0, 0)."""


def squat(
    time_s: np.ndarray, period_s: float = 3.0, depth: float = 38.0, still_s: float = 0.5
) -> np.ndarray:
    """(T, 17, 2) px: squats without a bar, seen half from the front, after ``still_s`` seconds."""
    phase = np.maximum(np.asarray(time_s, float) - still_s, 0) / period_s
    down = depth * (1 - np.cos(2 * np.pi * phase)) / 2  # (T,)
    xy = np.repeat(STANDING[None], len(down), 0)
    xy[:, :13, 1] += down[:, None]
    xy[:, list((sk.LEFT_KNEE, sk.RIGHT_KNEE)), 1] += 0.25 * down[:, None]
    xy[:, sk.LEFT_KNEE, 0] += 0.7 * down
    xy[:, sk.RIGHT_KNEE, 0] += 0.3 * down
    xy[:, :11, 0] += 0.3 * down[:, None]
    xy[:, [sk.LEFT_WRIST, sk.RIGHT_WRIST], 1] -= 0.9 * down[:, None]
    return xy


def sequence(
    xy: np.ndarray,
    time_s: np.ndarray,
    score: float = 0.9,
    image_size: tuple[int, int] = (640, 360),
) -> PoseSequence:
    """A PoseSequence from ``xy`` (T, 17, 2) px; NaN becomes missing."""
    xy = np.asarray(xy, np.float32)
    missing = np.isnan(xy).any(-1)
    xy = np.where(missing[..., None], np.float32(np.nan), xy)
    scores = np.where(missing, 0, score).astype(np.float32)
    boxes = np.full((len(xy), 4), np.nan, np.float32)
    for i, there in enumerate(~missing.all(1)):
        if there:
            boxes[i] = np.r_[np.nanmin(xy[i], 0), np.nanmax(xy[i], 0)]
    return PoseSequence(xy, scores, boxes, np.asarray(time_s, np.float64), image_size)


def squat_sequence(fps: float = 30.0, seconds: float = 7.0, **options) -> PoseSequence:
    """Two squats in ``seconds``, in the middle of a picture of 640 x 360."""
    time_s = np.arange(round(seconds * fps)) / fps
    return sequence(squat(time_s, **options) + np.array([320, 300]), time_s)


def sparsely(pose: PoseSequence, every: int = 5, looked: np.ndarray | None = None) -> PoseSequence:
    """``pose`` by a network that looked at one of so many frames, and at the last; or at those
    ``looked`` at (T,)."""
    peaks = np.full((len(pose), 17, 1, 3), np.nan, np.float32)
    peaks[..., 2] = 0
    if looked is None:
        looked = np.arange(len(pose)) % every == 0
        looked[-1] = True
    peaks[looked, :, 0, :2], peaks[looked, :, 0, 2] = pose.xy[looked], pose.score[looked]
    xy, score = interpolated(pose.xy, pose.score, pose.time_s, looked)
    boxes = np.tile(np.float32([0, 0, *pose.image_size]), (len(pose), 1))
    return replace(pose, xy=xy, score=score, peaks=peaks, boxes=boxes)
