"""How good the classifier is: the usual figures, calibration, and their text for the model card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.metrics import classification_report, confusion_matrix

ECE_BINS = 10
TEMPERATURES = (0.3, 8.0)
"""Where the temperature is looked for."""


@dataclass(frozen=True, eq=False)
class Report:
    """Figures on held-out clips; ``matrix`` int (K, K), rows the truth, columns the answer."""

    classes: tuple[str, ...]
    count: int
    accuracy: float
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    f1: tuple[float, ...]
    support: tuple[int, ...]
    matrix: np.ndarray
    calibration_error: float


def report(labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]) -> Report:
    """The :class:`Report` of ``probabilities`` (n, K) against ``labels`` int (n,)."""
    answers = probabilities.argmax(1)
    indices = list(range(len(classes)))
    table = classification_report(
        labels, answers, labels=indices, output_dict=True, zero_division=0.0
    )
    rows = [table[str(i)] for i in indices]
    return Report(
        classes=tuple(classes),
        count=len(labels),
        accuracy=float((answers == labels).mean()),
        precision=tuple(float(row["precision"]) for row in rows),
        recall=tuple(float(row["recall"]) for row in rows),
        f1=tuple(float(row["f1-score"]) for row in rows),
        support=tuple(int(row["support"]) for row in rows),
        matrix=confusion_matrix(labels, answers, labels=indices),
        calibration_error=calibration_error(labels, probabilities),
    )


def calibration_error(labels: np.ndarray, probabilities: np.ndarray, bins: int = ECE_BINS) -> float:
    """Expected calibration error: mean gap of confidence and accuracy over equal-width bins.

    Source: Guo et al., "On Calibration of Modern Neural Networks", 2017, equation 5.
    """
    confidence, answers = probabilities.max(1), probabilities.argmax(1)
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        (place == b).mean()
        * abs((answers == labels)[place == b].mean() - confidence[place == b].mean())
        for b in np.unique(place)
    ]
    return float(sum(gaps))


def fit_temperature(labels: np.ndarray, logits: np.ndarray) -> float:
    """The temperature by which ``logits`` (n, K) are divided for the best likelihood (Guo 2017)."""

    def loss(log_t: float) -> float:
        scores = log_softmax(logits / np.exp(log_t), axis=1)
        return float(-scores[np.arange(len(labels)), labels].mean())

    best = minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded")
    return float(np.exp(best.x))


def as_markdown(figures: Report) -> str:
    """Tables for a model card: figures by class, then the confusion matrix."""
    lines = ["| class | precision | recall | F1 | clips |", "| --- | --- | --- | --- | --- |"]
    for i, name in enumerate(figures.classes):
        lines.append(
            f"| {name} | {figures.precision[i]:.3f} | {figures.recall[i]:.3f} "
            f"| {figures.f1[i]:.3f} | {figures.support[i]} |"
        )
    lines += ["", "| truth \\ answer | " + " | ".join(figures.classes) + " |"]
    lines.append("| --- " * (len(figures.classes) + 1) + "|")
    for name, row in zip(figures.classes, figures.matrix, strict=True):
        lines.append(f"| {name} | " + " | ".join(str(int(n)) for n in row) + " |")
    return "\n".join(lines)
