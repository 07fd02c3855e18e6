"""Metrics of keypoints: PCK, OKS and average precision.

All are for people whose box is given, one prediction a person. ``found`` (n, 17, 2) are predicted
keypoints, px, NaN where missing; ``labels`` (n, 17, 3) are px and v, 0 where unlabelled. A labelled
joint that was not found counts as a miss.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gymform import skeleton as sk

PCK_SHARE = 0.2
"""A joint is found when it is within this share of the torso."""

GOOD_OKS = 0.75
"""Above this object keypoint similarity, joints are about as exact as people place them."""

AREA_SHARE = 0.53
"""A person's area over their box's, where no outline is known (mean over COCO, as mmpose uses)."""

OKS_THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class PoseScores:
    """Metrics over one set of people.

    ``pck`` is over the twelve body joints, ``joints`` the same for each of the 17, NaN where no
    person has that label; ``good`` the share of people with an OKS above 0.75; ``ap`` COCO's.
    """

    people: int
    pck: float
    good: float
    ap: float
    oks: float
    joints: tuple[float, ...]


def score_poses(
    found: np.ndarray, labels: np.ndarray, area: np.ndarray, confidence: np.ndarray
) -> PoseScores:
    """All metrics; ``area`` px² (n,) of each person, ``confidence`` (n,) of each prediction."""
    hits = pck_hits(found, labels)
    similarity = oks(found, labels, area)
    return PoseScores(
        people=len(labels),
        pck=_mean(hits[:, list(sk.BODY)]),
        good=_mean(np.where(np.isnan(similarity), np.nan, similarity > GOOD_OKS)),
        ap=average_precision(similarity, confidence),
        oks=_mean(similarity),
        joints=tuple(_mean(hits[:, k]) for k in range(sk.NUM_KEYPOINTS)),
    )


def torso_lengths(labels: np.ndarray) -> np.ndarray:
    """px (n,): right shoulder to left hip, NaN where one is unlabelled or both are one point.

    The diameter of the torso as Sapp & Taskar (MODEC, CVPR 2013) measure it.
    """
    ends = labels[:, [sk.RIGHT_SHOULDER, sk.LEFT_HIP]]  # (n, 2, 3)
    length = np.linalg.norm(ends[:, 0, :2] - ends[:, 1, :2], axis=-1)
    return np.where((ends[..., 2] > 0).all(1) & (length > 0), length, np.nan)


def pck_hits(found: np.ndarray, labels: np.ndarray, share: float = PCK_SHARE) -> np.ndarray:
    """1 or 0 (n, 17): is the joint within ``share`` of the torso? NaN where that cannot be said.

    Yang & Ramanan, "Articulated Human Detection with Flexible Mixtures of Parts", PAMI 2013.
    """
    limit = share * torso_lengths(labels)[:, None]
    hits = _distances(found, labels) <= limit
    return np.where((labels[..., 2] > 0) & np.isfinite(limit), hits, np.nan)


def oks(found: np.ndarray, labels: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Object keypoint similarity (n,) in [0, 1], NaN for people without a label (COCO 2014)."""
    variance = (2 * np.array(sk.OKS_SIGMAS)) ** 2
    scale = 2 * np.maximum(area, 1e-9)[:, None] * variance  # a crop may have no area at all
    near = np.exp(-(_distances(found, labels) ** 2) / scale)
    labelled = labels[..., 2] > 0
    count = labelled.sum(1)
    return np.where(count > 0, (near * labelled).sum(1) / np.maximum(count, 1), np.nan)


def average_precision(similarity: np.ndarray, confidence: np.ndarray) -> float:
    """COCO's AP in [0, 1]: mean over ten OKS thresholds, precision interpolated at 101 recalls.

    With boxes given, each prediction belongs to one person: it is correct when the similarity
    reaches the threshold. People without a label (NaN) do not count.
    """
    judged = np.isfinite(similarity)
    if not judged.any():
        return float("nan")
    order = np.argsort(-confidence[judged], kind="stable")
    similarity = similarity[judged][order]
    counts = np.arange(1, len(similarity) + 1)
    precisions = []
    for threshold in OKS_THRESHOLDS:
        correct = np.cumsum(similarity >= threshold)
        recall, precision = correct / len(similarity), correct / counts
        envelope = np.maximum.accumulate(precision[::-1])[::-1]
        at = np.searchsorted(recall, RECALLS - 1e-12)
        reached = at < len(recall)
        precisions.append(np.where(reached, envelope[np.minimum(at, len(recall) - 1)], 0).mean())
    return float(np.mean(precisions))


def _distances(found: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Distances (n, 17), px; infinite where nothing was found."""
    distance = np.linalg.norm(np.asarray(found, np.float64) - labels[..., :2], axis=-1)
    return np.where(np.isfinite(distance), distance, np.inf)


def _mean(values: np.ndarray) -> float:
    """Mean without NaN; NaN when there is nothing else."""
    values = np.asarray(values, np.float64)
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else float("nan")
