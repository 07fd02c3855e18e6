"""Labels that a training finds wrong: confident learning on its predictions for test clips.

Every prediction is by a network that saw nothing of the clip's group, so that it cannot have learnt
the label by heart. An item counts as confidently of a class when the class's probability is at
least what it is on average for the items so labelled; items that are confidently of another class
than their label are listed. Source: Northcutt, Jiang & Chuang, "Confident Learning: Estimating
Uncertainty in Dataset Labels", JAIR 2021.

Pages import this module, so it must not import PyTorch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gymform.training.exercise.records import TestPrediction, TrainingReport


@dataclass(frozen=True)
class LabelError:
    """An item whose label may be wrong: what the model ``suggests``, and by how much its
    probability is above that of the label."""

    item: TestPrediction
    suggests: str
    margin: float


def label_errors(report: TrainingReport) -> list[LabelError]:
    """The items whose labels look wrong, the clearest first; [] where the report lacks
    probabilities, as those of older versions do."""
    items = [one for one in report.answers if len(one.probabilities) == len(report.classes)]
    if not items:
        return []
    probabilities = np.array([one.probabilities for one in items])
    labels = np.array([report.classes.index(one.truth) for one in items])
    confident = probabilities >= _thresholds(probabilities, labels)
    best = np.where(confident, probabilities, -1.0).argmax(1)
    own = probabilities[np.arange(len(items)), labels]
    errors = [
        LabelError(
            item,
            report.classes[best[row]],
            round(float(probabilities[row, best[row]] - own[row]), 6),
        )
        for row, item in enumerate(items)
        if confident[row].any() and best[row] != labels[row]
    ]
    return sorted(errors, key=lambda error: (-error.margin, error.item.item_id))


def _thresholds(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The mean probability (K,) of each class over the items labelled so; 1.1 without any."""
    count = probabilities.shape[1]
    return np.array(
        [probabilities[labels == k, k].mean() if (labels == k).any() else 1.1 for k in range(count)]
    )
