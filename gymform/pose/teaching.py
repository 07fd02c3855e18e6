"""Labels of several origins made one: what people annotated and what other networks answer.

Annotations of sports photographs are often wrong and lack the face; teacher networks err
elsewhere, each in its own way. Where two of them say the same, the truth is near; where a sure
teacher contradicts and nobody helps, nobody knows, and the joint is left out.

A teacher's answers are float (V, 17, 3): x, y in px of the picture and a score, to V views of a
person; NaN where it found nobody. Weights and distances were chosen on the training people of LSP
Extended: of the answers alone, the place where most lie is within a fifth of the torso of the
annotation for 0.69 of the joints, the best single teacher's for 0.65.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gymform import skeleton as sk
from gymform.pose.metrics import torso_lengths


@dataclass(frozen=True)
class Rules:
    """When answers count. Distances are shares of the torso."""

    same: float = 0.25  # points that are so near mean the same
    spread: float = 0.15  # standard deviation of the weights around the place where most lie
    annotated: float = 0.7  # the annotation's weight; an answer's is the root of its score
    known: float = 0.5  # share of annotated joints that must be found for the person to be it
    sure: float = 0.35  # mean score from which a single teacher counts
    steady: float = 0.12  # ... when its answers to two views lie within this distance
    least_joints: int = 8  # a person without annotation needs so many


def correct(annotation: np.ndarray, teachers: Sequence[np.ndarray], rules: Rules) -> np.ndarray:
    """An annotation (17, 3) corrected and completed by what teachers answer.

    Teachers that saw somebody else change nothing. Where two origins agree, the joint is where
    most of them have it, also against the annotation; what one sure teacher contradicts is taken
    out; what only one saw, the others having found nobody, is added (the face).
    """
    torso = _torso(annotation, teachers)
    place, agreed = gather(annotation, teachers, torso, rules)
    labelled = annotation[:, 2] > 0
    same = np.linalg.norm(place - annotation[:, :2], axis=-1) <= rules.same * torso
    body = np.isin(np.arange(sk.NUM_KEYPOINTS), sk.BODY) & labelled
    if not body.any() or (same & body).sum() < rules.known * body.sum():
        return annotation.copy()
    alone, alone_at, contradicted = _single(teachers, torso, rules)
    added = ~labelled & ~agreed & alone
    corrected = annotation.copy()
    corrected[labelled & ~agreed & contradicted] = 0.0
    corrected[agreed, :2] = place[agreed]
    corrected[added, :2] = alone_at[added]
    corrected[~labelled & (agreed | added), 2] = 2.0
    return corrected


def label(teachers: Sequence[np.ndarray], view: np.ndarray, rules: Rules) -> np.ndarray | None:
    """Keypoints (17, 3) of somebody without annotation, None where teachers are not sure enough.

    ``view`` (4,) is the network's usual view of the picture: the person must be in its middle,
    else the teachers have found somebody else.
    """
    nothing = np.zeros((sk.NUM_KEYPOINTS, 3))
    torso = _torso(nothing, teachers)
    if not np.isfinite(torso):
        return None
    place, agreed = gather(nothing, teachers, torso, rules)
    alone, alone_at, _ = _single(teachers, torso, rules)
    points = np.where(agreed[:, None], place, alone_at)
    counts = agreed | alone
    if counts[list(sk.BODY)].sum() < rules.least_joints:
        return None
    middle = (points[counts].min(0) + points[counts].max(0)) / 2
    if (np.abs(middle - view[:2]) > 0.2 * view[2:]).any():
        return None
    return np.column_stack((np.where(counts[:, None], points, 0.0), 2.0 * counts))


def gather(
    annotation: np.ndarray, teachers: Sequence[np.ndarray], torso: float, rules: Rules
) -> tuple[np.ndarray, np.ndarray]:
    """Points (17, 2) where most of annotation and answers lie, and bool (17,) whether two origins
    are there."""
    sources = [annotation[None], *teachers]
    points = np.nan_to_num(np.concatenate(sources)[..., :2])  # (V, 17, 2)
    weights = np.concatenate(
        [rules.annotated * (annotation[None, :, 2] > 0), *map(_weights, teachers)]
    )  # (V, 17)
    apart = np.linalg.norm(points[:, None] - points[None], axis=-1) / torso  # (V, V, 17)
    lonely = (np.minimum(apart, 2 * rules.spread) * weights[None]).sum(1)
    lonely[weights == 0] = np.inf
    place = np.take_along_axis(points, lonely.argmin(0)[None, :, None], 0)[0]
    for _ in range(2):
        apart = np.linalg.norm(points - place, axis=-1) / torso  # (V, 17)
        pull = np.exp(-0.5 * (apart / rules.spread) ** 2) * weights
        place = (points * pull[..., None]).sum(0) / np.maximum(pull.sum(0), 1e-9)[:, None]
    there = (np.linalg.norm(points - place, axis=-1) <= rules.same * torso) & (weights > 0)
    starts = np.cumsum([0, *map(len, sources[:-1])])
    return place, (np.add.reduceat(there, starts, axis=0) > 0).sum(0) >= 2


def _weights(answers: np.ndarray) -> np.ndarray:
    """The weight (V, 17) of each answer; 0 where there is none."""
    return np.where(np.isfinite(answers).all(-1), np.sqrt(np.clip(answers[..., 2], 0.05, 1)), 0.0)


def _single(
    teachers: Sequence[np.ndarray], torso: float, rules: Rules
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joints that a single teacher knows while all others found nobody: bool (17,), and their
    points (17, 2); and joints of which any teacher is sure."""
    seen = [answers for answers in teachers if np.isfinite(answers).any()]
    points = [answers[..., :2].mean(0) for answers in seen]  # NaN unless each view has an answer
    sure = [
        (answers[..., 2].mean(0) >= rules.sure)
        & (np.linalg.norm(answers[..., :2] - mean, axis=-1).max(0) <= rules.steady * torso / 2)
        for answers, mean in zip(seen, points, strict=True)
    ]
    anyone = np.any([np.zeros(sk.NUM_KEYPOINTS, bool), *sure], axis=0)
    if len(seen) != 1:
        return np.zeros_like(anyone), np.zeros((sk.NUM_KEYPOINTS, 2)), anyone
    return sure[0], points[0], anyone


def _torso(annotation: np.ndarray, teachers: Sequence[np.ndarray]) -> float:
    """px: the annotated torso, or the mean of those that the teachers see; NaN without any."""
    seen = np.concatenate([annotation[None], *teachers])
    seen[1:, :, 2] = 2
    lengths = torso_lengths(seen)
    if np.isfinite(lengths[0]):
        return float(lengths[0])
    known = lengths[np.isfinite(lengths)]
    return float(known.mean()) if len(known) else np.nan
