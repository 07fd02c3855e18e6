"""When a class is named, and which classes remain when none is: limits from held-out clips.

A class is named from the lowest probability on at which as large a share of those named so is right
as :data:`PRECISION`. The candidates are a conformal set: in a share :data:`COVERAGE` of new clips
they hold the right class, if these are like the held-out ones (Vovk, Gammerman & Shafer,
"Algorithmic Learning in a Random World", 2005).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gymform.errors import ModelDataError
from gymform.exercise import classifier as clf
from gymform.types import OTHER

PRECISION = 0.9
"""The share of right ones among the clips that are named, by class. With 0.95 fewer are named, and
hardly fewer wrongly (chosen on the held-out clips of the shipped model)."""

HIGHEST = 0.8
"""No class needs a higher probability than this to be named."""

ENOUGH = 8
"""With fewer held-out clips that look like a class, its limit is :data:`clf.MIN_CONFIDENCE`."""

COVERAGE = 0.95
"""The share of clips whose candidates hold the right class."""

STEP = 0.01

FEW_GROUPS = 4
"""With clips of fewer people or sources than this, a class's figures say little."""

FOR_FEW = 0.05
"""So much more recall is asked of a class that was judged on few groups."""

LEAST_PRECISION = 0.5
"""A name that is wrong more often than right helps nobody."""


@dataclass(frozen=True)
class Limits:
    """``thresholds`` (K,) from which each class is named; ``candidate_from``: from here on a class
    is a candidate."""

    thresholds: np.ndarray
    candidate_from: float

    def of(self, classes: Sequence[str]) -> dict[str, float]:
        """The thresholds by class, those that are not :data:`clf.MIN_CONFIDENCE`."""
        pairs = zip(classes, self.thresholds.tolist(), strict=True)
        return {name: round(value, 2) for name, value in pairs if value != clf.MIN_CONFIDENCE}

    def named(self, probabilities: np.ndarray) -> np.ndarray:
        """Which rows of ``probabilities`` (n, K) are named at all: bool (n,)."""
        return np.asarray(probabilities.max(1) >= self.thresholds[probabilities.argmax(1)])

    def candidates(self, probabilities: np.ndarray) -> np.ndarray:
        """The candidates of each row, bool (n, K): never none."""
        best = probabilities == probabilities.max(1, keepdims=True)
        return np.asarray((probabilities >= self.candidate_from) | best)


@dataclass(frozen=True)
class Reliability:
    """How limits do on clips that they were not fitted on.

    ``named`` is the share of clips that get a name, ``right`` the share of right ones among these;
    ``covered`` the share whose candidates hold the right class, ``candidates`` their mean number;
    ``false_alarms`` the share of clips of ``other`` that are called an exercise with a probability
    above 0.8.
    """

    named: float
    right: float
    covered: float
    candidates: float
    false_alarms: float


def recalls(labels: np.ndarray, predicted: np.ndarray, classes: Sequence[str]) -> dict[str, float]:
    """How often clips of each class are told, of those that there are clips of; ``labels`` and
    ``predicted`` int (n,)."""
    return {
        name: float((predicted[labels == k] == k).mean())
        for k, name in enumerate(classes)
        if (labels == k).any() and name != OTHER
    }


def recognised(
    labels: np.ndarray,
    logits: np.ndarray,
    groups: Sequence[str],
    outputs: Sequence[str],
    least: float,
) -> tuple[str, ...]:
    """The ``outputs`` with a recall of at least ``least`` on held-out clips, and ``other``.

    ``logits`` (n, O) and ``labels`` int (n,) of the clips, each of one of the ``groups`` (n,). A
    class of fewer than :data:`FEW_GROUPS` groups needs :data:`FOR_FEW` more, and one that is named
    wrongly more often than rightly is left out too. What is left out is ``other``, and the rest is
    then judged anew, until all that are named are told. All are kept where ``least`` is 0. Raises
    ModelDataError when no exercise is left.
    """
    shown = {name: labels == k for k, name in enumerate(outputs)}
    of = np.array(groups)
    few = {name for name, rows in shown.items() if len(set(of[rows].tolist())) < FEW_GROUPS}
    kept, before = tuple(outputs), None
    while least and kept != before:
        before, predicted = kept, clf.merge(logits, outputs, kept).argmax(1)
        kept = tuple(
            name
            for k, name in enumerate(before)
            if name == OTHER
            or _is_told(shown[name], predicted == k, least + FOR_FEW * (name in few))
        )
    if len(kept) < 2:
        raise ModelDataError(
            f"Expected an exercise with a recall of {least:.2f} on held-out clips, got none. Train "
            "longer, add clips, or ask for less with --least-recall."
        )
    return kept


def _is_told(shown: np.ndarray, said: np.ndarray, least: float) -> bool:
    """Is a class named in enough of the clips that show it, and not mostly in others? bool (n,)."""
    enough = shown.any() and said[shown].mean() >= min(1.0, least)
    return bool(enough and shown[said].mean() >= LEAST_PRECISION)


def fit_limits(labels: np.ndarray, probabilities: np.ndarray) -> Limits:
    """The limits that fit held-out ``probabilities`` (n, K) with their ``labels`` int (n,)."""
    predicted, confidence = probabilities.argmax(1), probabilities.max(1)
    thresholds = [
        _threshold(labels[predicted == k] == k, confidence[predicted == k])
        for k in range(probabilities.shape[1])
    ]
    return Limits(np.array(thresholds), _candidate_from(labels, probabilities))


def _threshold(right: np.ndarray, confidence: np.ndarray) -> float:
    """The lowest probability from which on the named ones are right often enough."""
    if len(right) < ENOUGH:
        return clf.MIN_CONFIDENCE
    for limit in np.arange(clf.MIN_CONFIDENCE, HIGHEST, STEP):
        named = confidence >= limit
        if named.any() and right[named].mean() >= PRECISION:
            return round(float(limit), 2)
    return HIGHEST


def _candidate_from(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """The probability that the right class of all but 1 in 20 clips reaches, with the correction
    for the number of clips."""
    of_right = np.sort(probabilities[np.arange(len(labels)), labels])
    rank = int(np.floor((1 - COVERAGE) * (len(labels) + 1)))  # from the lowest, counted from 1
    return float(of_right[rank - 1]) if rank else 0.0


def judge_limits(
    labels: np.ndarray, probabilities: np.ndarray, fold: np.ndarray, classes: Sequence[str]
) -> Reliability:
    """Cross-validated: the clips of each ``fold`` (n,) are judged by limits of the other folds."""
    named, covered = np.zeros(len(labels), bool), np.zeros(len(labels), bool)
    count = np.zeros(len(labels))
    for number in np.unique(fold):
        rows = fold == number
        limits = fit_limits(labels[~rows], probabilities[~rows])
        named[rows] = limits.named(probabilities[rows])
        candidates = limits.candidates(probabilities[rows])
        covered[rows] = candidates[np.arange(rows.sum()), labels[rows]]
        count[rows] = candidates.sum(1)
    right = probabilities.argmax(1) == labels
    return Reliability(
        float(named.mean()),
        float(right[named].mean()) if named.any() else float("nan"),
        float(covered.mean()),
        float(count.mean()),
        false_alarms(labels, probabilities, classes),
    )


def false_alarms(labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]) -> float:
    """The share of clips of ``other`` called an exercise with a probability above 0.8; NaN without
    such clips."""
    if OTHER not in classes or not (labels == classes.index(OTHER)).any():
        return float("nan")
    other = classes.index(OTHER)
    rows = probabilities[labels == other]
    return float(((rows.argmax(1) != other) & (rows.max(1) > 0.8)).mean())
