"""Which repetition to judge next: those that the model in use would learn most from.

Three things are looked at: how far the networks of the ensemble contradict each other (the mutual
information of answer and network, Houlsby et al., "Bayesian Active Learning for Classification and
Preference Learning", 2011), how uncertain they are together (the entropy of their mean), and how
far their answers are from those to everything that was accepted (Sener & Savarese, "Active Learning
for Convolutional Neural Networks: A Core-Set Approach", ICLR 2018). Each of them puts the pending
repetitions into an order; the mean place in the three is kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata

from gymform.dataset.corrections import corrected_poses
from gymform.dataset.items import ACCEPTED, PENDING, Filter, Item
from gymform.dataset.ranking import Ranking, write_ranking
from gymform.dataset.reviews import ReviewStore
from gymform.errors import OptionsError, PoseFileError
from gymform.timing import Progress, ignore_progress
from gymform.types import within

if TYPE_CHECKING:
    from gymform.exercise.classifier import Classifier

LEAST = 1e-9
"""Probabilities are taken to be at least this."""


def rank(store: ReviewStore, *, progress: Progress = ignore_progress) -> Ranking:
    """Ask the model in use about all pending and accepted repetitions, and keep the ranking.

    Repetitions without keypoints that can be read are left out. ``progress`` is called with
    ("rank", clips done, clips). Raises WeightsError, and OptionsError when nothing is pending.
    """
    from gymform.exercise.classifier import load_classifier  # it imports PyTorch

    model = load_classifier()
    pending = [one.item for one in store.judged(Filter(verdicts=(PENDING,)))]
    accepted = [one.item for one in store.judged(Filter(verdicts=(ACCEPTED,)))]
    if store.is_blind():  # the order must not tell a reviewer what others have judged
        pending, accepted = [one.item for one in store.judged()], []
    if not pending:
        raise OptionsError("Nothing is pending: there is no next repetition to choose.")
    answers: dict[str, np.ndarray] = {}
    clips = _by_clip([*pending, *accepted])
    for done, (sha256, items) in enumerate(clips.items()):
        progress("rank", done, len(clips))
        answers |= _answers(store, sha256, items, model)
    asked = [item.id for item in pending if item.id in answers]
    known = [answers[item.id] for item in accepted if item.id in answers]
    ranking = Ranking(_gains(asked, [answers[one] for one in asked], known), model.sha256)
    write_ranking(store.files, ranking)
    progress("rank", len(clips), len(clips))
    return ranking


def _by_clip(items: Sequence[Item]) -> dict[str, list[Item]]:
    clips: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        clips[item.clip_sha256].append(item)
    return clips


def _answers(
    store: ReviewStore, sha256: str, items: Sequence[Item], model: Classifier
) -> dict[str, np.ndarray]:
    """Probabilities (M, K) by each of M networks for a clip's repetitions, by their ids."""
    from gymform.motion.clean import clean

    try:
        pose = corrected_poses(store, sha256).pose
    except PoseFileError:
        return {}
    answers = {}
    for item in items:
        inside = within(pose.time_s, item.start_s, item.end_s)
        tracks = clean(pose.part(inside)) if inside.sum() > 1 else None
        if tracks is not None and np.isfinite(tracks.xy).any():
            answers[item.id] = model.by_network(tracks)
    return answers


def _gains(
    names: Sequence[str], asked: Sequence[np.ndarray], known: Sequence[np.ndarray]
) -> dict[str, float]:
    """The mean place of each repetition in the three orders, in [0, 1]."""
    if not names:
        return {}
    probabilities = np.maximum(np.stack(asked), LEAST)  # (N, M, K)
    together = _entropy(probabilities.mean(1))
    orders = [together, together - _entropy(probabilities).mean(1)]
    if known:
        orders.append(_distances(probabilities, np.maximum(np.stack(known), LEAST)))
    places = np.mean([rankdata(order) for order in orders], axis=0)
    share = (places - 0.5) / len(names)
    return {name: round(float(one), 6) for name, one in zip(names, share, strict=True)}


def _entropy(probabilities: np.ndarray) -> np.ndarray:
    """The entropy over the last axis, nats."""
    return np.asarray(-(probabilities * np.log(probabilities)).sum(-1))


def _distances(asked: np.ndarray, known: np.ndarray) -> np.ndarray:
    """How far the answers (N, M, K) are from the nearest of the ``known`` ones: the distance of
    the networks' log probabilities."""
    here, there = (np.log(one).reshape(len(one), -1) for one in (asked, known))
    return np.array([np.linalg.norm(there - one, axis=1).min() for one in here])
