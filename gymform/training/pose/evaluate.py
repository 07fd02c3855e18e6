"""Judges a pose network on the people of a pack, given their boxes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.optimize import minimize_scalar

from gymform.pose.cascade import near_scouts
from gymform.pose.decoding import PEAKS
from gymform.pose.estimator import PoseEstimator
from gymform.training.pose.metrics import AREA_SHARE, PoseScores, score_poses
from gymform.training.pose.packs import CropPack

CORRECT = 1 / 16
"""A joint is correct within this share of the height of the box, grown to the crop's aspect: a
hand's breadth of somebody upright."""

CHUNK = 256
"""Number of crops in memory at a time."""


def evaluate(
    estimator: PoseEstimator,
    pack: CropPack,
    rows: np.ndarray,
    scout: PoseEstimator | None = None,
) -> PoseScores:
    """The metrics of the network on the people at ``rows``; with a ``scout``, those of the network
    that looks near the scout's answers."""
    found, confidence = find_people(estimator, pack, rows, scout)
    return score_poses(found, pack.keypoints[rows], areas(pack, rows), confidence.mean(1))


def find_people(
    estimator: PoseEstimator,
    pack: CropPack,
    rows: np.ndarray,
    scout: PoseEstimator | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (n, 17, 2) in crop px, NaN where missing, and scores (n, 17)."""
    points, scores = [], []
    for start in range(0, len(rows), CHUNK):
        some = rows[start : start + CHUNK].tolist()
        pixels, crops = _cut(estimator, pack, some)
        if scout is None:
            found, score = estimator.keypoints_in_crops(pixels, crops)
        else:
            seen = scout.peaks_in_crops(*_cut(scout, pack, some), PEAKS)
            scouts = np.concatenate((seen[0], seen[1][..., None]), axis=-1)
            peaks = near_scouts(estimator, pixels, crops, scouts)
            found, score = peaks[:, :, 0, :2], peaks[:, :, 0, 2]
        points.append(found)
        scores.append(score)
    return np.concatenate(points), np.concatenate(scores)


def _cut(
    estimator: PoseEstimator, pack: CropPack, rows: list[int]
) -> tuple[list[np.ndarray], np.ndarray]:
    """What the network looks at: pixels of the people at ``rows``, and their crops (n, 4)."""
    crops = np.stack([pack.crop(row, estimator.padding) for row in rows])
    cut = [estimator.cut(pack.rgb(row), crop) for row, crop in zip(rows, crops, strict=True)]
    return cut, crops


def fit_score_power(
    estimator: PoseEstimator, pack: CropPack, validation: Mapping[str, np.ndarray]
) -> float:
    """The power of a heatmap's peak that best predicts whether its joint is correct.

    Correct is within :data:`CORRECT` of the label. The power maximises the likelihood, so that of
    joints with a score of 0.7 about seven in ten are correct. All sets in ``validation`` have the
    same weight. The estimator's own power must be 1.
    """
    peaks, correct, weight = [], [], []
    for rows in validation.values():
        found, score = find_people(estimator, pack, rows)
        labels = pack.keypoints[rows]
        heights = np.stack([pack.crop(row, padding=1.0)[3] for row in rows.tolist()])
        labelled = labels[..., 2] > 0
        near = np.linalg.norm(found - labels[..., :2], axis=-1) <= CORRECT * heights[:, None]
        peaks.append(score[labelled])
        correct.append(near[labelled])
        weight.append(np.full(labelled.sum(), 1 / labelled.sum()))
    logs = np.log(np.clip(np.concatenate(peaks), 1e-3, 0.999))
    hits, weights = np.concatenate(correct), np.concatenate(weight)

    def loss(power: float) -> float:
        probability = np.exp(power * logs)
        return float(-(weights * np.log(np.where(hits, probability, 1 - probability))).sum())

    return round(float(minimize_scalar(loss, bounds=(0.2, 5.0), method="bounded").x), 3)


def areas(pack: CropPack, rows: np.ndarray) -> np.ndarray:
    """Area (n,) of each person, px²: :data:`AREA_SHARE` of the box from which the crop was made."""
    boxes = np.stack([pack.crop(row, padding=1.0) for row in rows.tolist()])
    return np.asarray(AREA_SHARE * boxes[:, 2] * boxes[:, 3])
