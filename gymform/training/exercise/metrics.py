"""Metrics of a classifier: classification report, calibration, and tables for the model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.metrics import classification_report, confusion_matrix

from gymform.training.exercise.records import Averages, ClassRow, Part, Reliability

ECE_BINS = 10
TEMPERATURES = (0.3, 8.0)
"""Range in which the temperature is searched."""


def evaluate(labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]) -> Part:
    """The metrics of ``probabilities`` (n, K) against ``labels`` int (n,).

    The macro average is over the classes that have clips: a part of a single split may lack one.
    """
    predicted = probabilities.argmax(1)
    indices = list(range(len(classes)))
    table = classification_report(
        labels, predicted, labels=indices, output_dict=True, zero_division=0.0
    )
    rows = tuple(
        ClassRow(name, *_scores_of(table[str(i)]), int(table[str(i)]["support"]))
        for i, name in enumerate(classes)
    )
    occurring = [row for row in rows if row.support]
    matrix = confusion_matrix(labels, predicted, labels=indices)
    return Part(
        clips=len(labels),
        accuracy=float((predicted == labels).mean()),
        rows=rows,
        macro=Averages(
            *(
                float(np.mean([getattr(row, key) for row in occurring]))
                for key in ("precision", "recall", "f1")
            )
        ),
        weighted=Averages(*_scores_of(table["weighted avg"])),
        confusion=tuple(tuple(int(n) for n in row) for row in matrix),
        reliability=reliability(labels, probabilities),
        ece=calibration_error(labels, probabilities),
    )


def _scores_of(row: Mapping[str, float]) -> tuple[float, float, float]:
    return float(row["precision"]), float(row["recall"]), float(row["f1-score"])


def reliability(labels: np.ndarray, probabilities: np.ndarray, bins: int = ECE_BINS) -> Reliability:
    """Confidence and accuracy in bins of equal width, without empty bins (Guo et al. 2017)."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    used = np.unique(index)
    return Reliability(
        tuple(float(confidence[index == b].mean()) for b in used),
        tuple(float(right[index == b].mean()) for b in used),
        tuple(int((index == b).sum()) for b in used),
    )


def calibration_error(labels: np.ndarray, probabilities: np.ndarray, bins: int = ECE_BINS) -> float:
    """Expected calibration error: mean gap between confidence and accuracy over equal-width bins.

    Source: Guo et al., "On Calibration of Modern Neural Networks", 2017, equation 5.
    """
    confidence, predicted = probabilities.max(1), probabilities.argmax(1)
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        (index == b).mean()
        * abs((predicted == labels)[index == b].mean() - confidence[index == b].mean())
        for b in np.unique(index)
    ]
    return float(sum(gaps))


def fit_temperature(labels: np.ndarray, logits: np.ndarray) -> float:
    """The temperature that maximises the likelihood of ``logits`` (n, K) divided by it (Guo et al.
    2017)."""

    def loss(log_t: float) -> float:
        scores = log_softmax(logits / np.exp(log_t), axis=1)
        return float(-scores[np.arange(len(labels)), labels].mean())

    best = minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded")
    return float(np.exp(best.x))


def as_markdown(part: Part, groups: Sequence[int] | None = None) -> str:
    """Tables for a model card: metrics by class, with its number of groups where that is given,
    then the confusion matrix."""
    more = " groups |" if groups is not None else ""
    lines = [f"| class | precision | recall | F1 | clips |{more}"]
    lines.append("| --- | --- | --- | --- | --- |" + (" --- |" if more else ""))
    for number, row in enumerate(part.rows):
        lines.append(
            f"| {row.name} | {row.precision:.3f} | {row.recall:.3f} | {row.f1:.3f} "
            f"| {row.support} |" + (f" {groups[number]} |" if groups is not None else "")
        )
    return "\n".join([*lines, "", *confusion_markdown(part)])


def confusion_markdown(part: Part) -> list[str]:
    """The lines of a table with labels as rows and predictions as columns."""
    names = [row.name for row in part.rows]
    lines = [
        "| label \\ prediction | " + " | ".join(names) + " |",
        "| --- " * (len(names) + 1) + "|",
    ]
    for name, counts in zip(names, part.confusion, strict=True):
        lines.append(f"| {name} | " + " | ".join(map(str, counts)) + " |")
    return lines
