"""How well a network finds the people of a pack, given their boxes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.optimize import minimize_scalar

from gymform.pose.estimator import PoseEstimator
from gymform.training.pose.metrics import AREA_SHARE, PoseScores, score_poses
from gymform.training.pose.packs import CropPack

RIGHT = 1 / 16
"""A joint is right within this share of the box's height, grown to the crop's aspect: a hand's
breadth of someone upright."""

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
        views = np.stack([pack.view(row, estimator.padding) for row in some])
        pixels = [estimator.cut(pack.rgb(row), view) for row, view in zip(some, views, strict=True)]
        found, score = estimator.keypoints_in_crops(pixels, views)
        points.append(found)
        scores.append(score)
    return np.concatenate(points), np.concatenate(scores)


def fit_score_power(
    estimator: PoseEstimator, pack: CropPack, validation: Mapping[str, np.ndarray]
) -> float:
    """The power of a heatmap's peak that says best whether its joint is right.

    Right is within :data:`RIGHT` of the label; best is the highest likelihood of what is right and
    what is not, so that of joints with a score of 0.7 about seven in ten are right. Of the sets in
    ``validation`` each counts the same. The estimator's own power is taken to be 1.
    """
    peaks, right, weight = [], [], []
    for rows in validation.values():
        found, score = find_people(estimator, pack, rows)
        truth = pack.keypoints[rows]
        heights = np.stack([pack.view(row, padding=1.0)[3] for row in rows.tolist()])
        labelled = truth[..., 2] > 0
        near = np.linalg.norm(found - truth[..., :2], axis=-1) <= RIGHT * heights[:, None]
        peaks.append(score[labelled])
        right.append(near[labelled])
        weight.append(np.full(labelled.sum(), 1 / labelled.sum()))
    logs = np.log(np.clip(np.concatenate(peaks), 1e-3, 0.999))
    hits, weights = np.concatenate(right), np.concatenate(weight)

    def surprise(power: float) -> float:
        chance = np.exp(power * logs)
        return float(-(weights * np.log(np.where(hits, chance, 1 - chance))).sum())

    return round(float(minimize_scalar(surprise, bounds=(0.2, 5.0), method="bounded").x), 3)


def areas(pack: CropPack, rows: np.ndarray) -> np.ndarray:
    """px² (n,): the usual share of each person's box, which the pack's crops were made from."""
    boxes = np.stack([pack.view(row, padding=1.0) for row in rows.tolist()])
    return AREA_SHARE * boxes[:, 2] * boxes[:, 3]
