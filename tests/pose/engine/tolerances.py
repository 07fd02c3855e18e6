"""How near the keypoints of an engine must come to those of PyTorch in float32."""

from collections.abc import Callable

import numpy as np

from gymform.pose.checkpoints import LoadedPose, load_pose_model
from gymform.pose.engine.base import Engine
from gymform.pose.engine.pytorch import TorchEngine
from gymform.pose.estimator import PoseEstimator

MEDIAN, MOST = 0.01, 0.05
"""Torso lengths: in the median, and in 99 of 100 sure joints."""


def assert_near(
    name: str, make: Callable[[LoadedPose], Engine], frames: list[tuple[np.ndarray, np.ndarray]]
) -> None:
    """Compare the engine's keypoints with the exact ones, in ``frames`` of (picture, crop)."""
    model = load_pose_model(name)
    exact = PoseEstimator(model, engine=TorchEngine(model.network, exact=True))
    other = PoseEstimator(model, engine=make(model))
    crops = np.stack([crop for _, crop in frames])
    pixels = [exact.cut(picture, crop) for picture, crop in frames]
    wanted, score = exact.keypoints_in_crops(pixels, crops)
    found, _ = other.keypoints_in_crops(pixels, crops)
    torso = np.linalg.norm(wanted[:, 6] - wanted[:, 11], axis=-1)
    away = np.linalg.norm(found - wanted, axis=-1) / torso[:, None]
    sure = away[score >= 0.5]
    assert len(sure) > 10 * len(frames)
    assert np.median(sure) <= MEDIAN
    assert np.mean(sure <= MOST) >= 0.99
