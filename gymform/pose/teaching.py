"""Labels of two origins made one: what people annotated and what another network answers.

Annotations of sports photographs are often wrong and lack the face; a teacher network errs
elsewhere. Where both say the same, the truth is near; where a sure teacher contradicts, nobody
knows, and the joint is left out. All points are px of one picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gymform import skeleton as sk
from gymform.pose.metrics import torso_lengths


@dataclass(frozen=True)
class Rules:
    """When answers count. Distances are shares of the torso."""

    sure: float = 0.35  # mean score from which the teacher's answer counts
    steady: float = 0.12  # ... when its answers to two views lie within this distance
    same: float = 0.25  # annotation and answer mean the same point
    known: float = 0.6  # share of joints that must be the same for the teacher to have understood
    share: float = 0.7  # the teacher's share in a point on which both agree
    least_joints: int = 8  # a person without annotation needs so many


def answer(views: np.ndarray, torso: float, rules: Rules) -> tuple[np.ndarray, np.ndarray]:
    """Points (17, 2) and bool (17,) whether they count, of answers (V, 17, 3) to several views."""
    points = views[..., :2].mean(0)
    apart = np.linalg.norm(views[..., :2] - points, axis=-1).max(0)
    return points, (views[..., 2].mean(0) >= rules.sure) & (apart <= rules.steady * torso / 2)


def correct(annotation: np.ndarray, views: np.ndarray, rules: Rules) -> np.ndarray:
    """An annotation (17, 3) corrected and completed by a teacher's answers (V, 17, 3).

    A teacher that misunderstood the person changes nothing. One that understood moves what it
    agrees on, adds what is missing (the face), and takes out what it contradicts.
    """
    torso = _torso(annotation, views)
    points, counts = answer(views, torso, rules)
    labelled = annotation[:, 2] > 0
    same = np.linalg.norm(points - annotation[:, :2], axis=-1) <= rules.same * torso
    body = np.isin(np.arange(sk.NUM_KEYPOINTS), sk.BODY) & labelled
    if not body.any() or (same & body).sum() < rules.known * body.sum():
        return annotation.copy()
    corrected = annotation.copy()
    agreed = labelled & counts & same
    corrected[agreed, :2] += rules.share * (points - annotation[:, :2])[agreed]
    corrected[labelled & counts & ~same] = 0.0
    added = ~labelled & counts
    corrected[added, :2] = points[added]
    corrected[added, 2] = 2.0
    return corrected


def label(views: np.ndarray, view: np.ndarray, rules: Rules) -> np.ndarray | None:
    """Keypoints (17, 3) of somebody without annotation, None where the teacher is not sure enough.

    ``view`` (4,) is the network's usual view of the picture: the person must be in its middle,
    else the teacher has found somebody else.
    """
    torso = _torso(np.zeros((sk.NUM_KEYPOINTS, 3)), views)
    points, counts = answer(views, torso, rules)
    if counts[list(sk.BODY)].sum() < rules.least_joints:
        return None
    middle = (points[counts].min(0) + points[counts].max(0)) / 2
    if (np.abs(middle - view[:2]) > 0.2 * view[2:]).any():
        return None
    return np.column_stack((points, 2.0 * counts)) * counts[:, None]


def _torso(annotation: np.ndarray, views: np.ndarray) -> float:
    """px: the annotated torso, or the mean of those that the teacher sees."""
    seen = views.copy()
    seen[..., 2] = 2
    lengths = torso_lengths(np.concatenate((annotation[None], seen)))
    return float(lengths[0] if np.isfinite(lengths[0]) else np.nanmean(lengths[1:]))
