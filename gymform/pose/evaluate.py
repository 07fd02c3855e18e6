"""How well a network finds the people of a pack, given their boxes."""

from __future__ import annotations

import numpy as np

from gymform.dataset.crops import CropPack
from gymform.pose.crops import PADDING, cut_crop
from gymform.pose.estimator import PoseEstimator
from gymform.pose.metrics import AREA_SHARE, PoseScores, score_poses

AT_ONCE = 256
"""Crops that are held in memory together."""


def evaluate(estimator: PoseEstimator, pack: CropPack, rows: np.ndarray) -> PoseScores:
    """The scores of the network's answers to the people at ``rows``."""
    found, confidence = find_people(estimator, pack, rows)
    return score_poses(found, pack.keypoints[rows], areas(pack, rows), confidence.mean(1))


def find_people(
    estimator: PoseEstimator, pack: CropPack, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (n, 17, 2) in crop px, NaN where missing, and scores (n, 17)."""
    points, scores = [], []
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE].tolist()
        views = np.stack([pack.view(row) for row in some])
        pixels = [cut_crop(pack.rgb(row), view) for row, view in zip(some, views, strict=True)]
        found, score = estimator.in_pixels(pixels, views)
        points.append(found)
        scores.append(score)
    return np.concatenate(points), np.concatenate(scores)


def areas(pack: CropPack, rows: np.ndarray) -> np.ndarray:
    """px² (n,): the usual share of each person's box, which the pack's crops were made from."""
    views = np.stack([pack.view(row) for row in rows.tolist()])
    return AREA_SHARE * (views[:, 2] / PADDING) * (views[:, 3] / PADDING)
