"""From the answers of a cross-validation to a report: figures, and the same in words."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from sklearn.metrics import classification_report, confusion_matrix
from torch import nn

from gymform.exercise.networks.registry import count_parameters
from gymform.training.exercise.corpus import Corpus, conditions
from gymform.training.exercise.cross_validation import (
    CrossValidation,
    Outcome,
    answers,
    final_temperature,
)
from gymform.training.exercise.metrics import ECE_BINS, calibration_error
from gymform.training.exercise.records import (
    TEST,
    Answer,
    Averages,
    ClassRow,
    Part,
    Reliability,
    Report,
    Slice,
    Timing,
)
from gymform.training.exercise.runs import comparison_markdown

TIMED_CLIPS = 12
"""Clips over which the time for an answer is measured."""


def make_report(run: str, validation: CrossValidation, outcome: Outcome, command: str) -> Report:
    """The report of a finished cross-validation; only its ``timing`` differs from time to time."""
    corpus, options = validation.corpus, validation.options
    labels = corpus.labels
    found = answers(outcome, labels)
    rows, probabilities = found[TEST]
    return Report(
        run=run,
        model=options.model,
        dataset=corpus.name,
        classes=corpus.classes,
        clips=corpus.clips,
        groups=corpus.groups,
        folds=validation.folds,
        seed=options.seed,
        steps=options.steps or validation.family.steps,
        parts={name: figures(labels[r], p, corpus.classes) for name, (r, p) in found.items()},
        slices=slice_accuracy(corpus, rows, probabilities),
        learning_curve=outcome.curve,
        answers=list_answers(corpus, rows, probabilities),
        parameters=count_parameters(outcome.network),
        temperature=round(final_temperature(outcome, labels), 4),
        timing=Timing(
            round(ms_per_clip(validation, outcome.network), 2), round(outcome.training_s, 1)
        ),
        command=command,
    )


def figures(labels: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]) -> Part:
    """The usual figures of ``probabilities`` (n, K) against ``labels`` int (n,).

    The macro average is over the classes that have clips: a part of a single split may lack one.
    """
    guesses = probabilities.argmax(1)
    indices = list(range(len(classes)))
    table = classification_report(
        labels, guesses, labels=indices, output_dict=True, zero_division=0.0
    )
    rows = tuple(
        ClassRow(name, *_three(table[str(i)]), int(table[str(i)]["support"]))
        for i, name in enumerate(classes)
    )
    there = [row for row in rows if row.support]
    matrix = confusion_matrix(labels, guesses, labels=indices)
    return Part(
        clips=len(labels),
        accuracy=float((guesses == labels).mean()),
        rows=rows,
        macro=Averages(
            *(
                float(np.mean([getattr(row, key) for row in there]))
                for key in ("precision", "recall", "f1")
            )
        ),
        weighted=Averages(*_three(table["weighted avg"])),
        confusion=tuple(tuple(int(n) for n in row) for row in matrix),
        reliability=reliability(labels, probabilities),
        ece=calibration_error(labels, probabilities),
    )


def _three(row: Mapping[str, float]) -> tuple[float, float, float]:
    return float(row["precision"]), float(row["recall"]), float(row["f1-score"])


def reliability(labels: np.ndarray, probabilities: np.ndarray, bins: int = ECE_BINS) -> Reliability:
    """Confidence and accuracy in bins of equal width, those that hold clips (Guo et al. 2017)."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    full = np.unique(place)
    return Reliability(
        tuple(float(confidence[place == b].mean()) for b in full),
        tuple(float(right[place == b].mean()) for b in full),
        tuple(int((place == b).sum()) for b in full),
    )


def slice_accuracy(
    corpus: Corpus, rows: np.ndarray, probabilities: np.ndarray
) -> tuple[Slice, ...]:
    """Accuracy by view, camera and coverage on the items at ``rows``; sorted by name."""
    right: dict[tuple[str, str], list[bool]] = defaultdict(list)
    hits = probabilities.argmax(1) == corpus.labels[rows]
    for row, hit in zip(rows, hits, strict=True):
        for condition in conditions(corpus.examples[row], corpus.tracks[row].pose).items():
            right[condition].append(bool(hit))
    return tuple(
        Slice(
            condition, value, len(right[condition, value]), float(np.mean(right[condition, value]))
        )
        for condition, value in sorted(right)
    )


def list_answers(corpus: Corpus, rows: np.ndarray, probabilities: np.ndarray) -> tuple[Answer, ...]:
    """The answer to each item at ``rows``."""
    labels = corpus.labels
    return tuple(
        Answer(
            item_id=corpus.examples[row].item_id,
            name=corpus.examples[row].name,
            truth=corpus.classes[labels[row]],
            answer=corpus.classes[int(one.argmax())],
            confidence=round(float(one.max()), 6),
            truth_probability=round(float(one[labels[row]]), 6),
        )
        for row, one in zip(rows, probabilities, strict=True)
    )


def ms_per_clip(validation: CrossValidation, network: nn.Module) -> float:
    """Milliseconds from keypoints, or decoded frames, to the answer: the median over some clips."""
    spent = []
    for row in range(min(TIMED_CLIPS, len(validation.corpus))):
        started = time.perf_counter()
        validation.task.answer(network, row)
        spent.append(time.perf_counter() - started)
    return 1000 * float(np.median(spent))


# ---- in words ------------------------------------------------------------------------------


def as_markdown(report: Report) -> str:
    """The whole report as Markdown."""
    test = report.parts[TEST]
    counted = ", ".join(
        f"{name} {n} (from {report.groups[name]})" for name, n in report.clips.items()
    )
    sections = [
        f"# {report.model} on {report.dataset}\n",
        f"Run {report.run}. Repetitions, and the persons or sources they are from: {counted}.\n",
        f"Held out by group, {report.folds} fold(s): accuracy {test.accuracy:.3f}, macro F1 "
        f"{test.macro.f1:.3f}, lowest recall {test.lowest_recall:.3f}, calibration error "
        f"{test.ece:.3f}. Every repetition is judged by a network that saw nothing of its group; "
        "the probabilities have the temperature of validation answers to other groups.\n",
        comparison_markdown([report]) + "\n",
    ]
    for name, part in report.parts.items():
        sections.append(
            f"## {name.capitalize()} ({part.clips})\n\n{part_markdown(part, report.classes)}\n"
        )
    sections.append(_slices(report))
    if report.learning_curve:
        sections.append(_curve(report))
    sections += [_mistakes(report), f"## Made by\n\n```\n{report.command}\n```\n"]
    return "\n".join(sections)


def part_markdown(part: Part, classes: Sequence[str]) -> str:
    """Classification report, confusion matrix and reliability of one part."""
    lines = ["| class | precision | recall | F1 | support |", "| --- " * 5 + "|"]
    rows: list[tuple[str, ClassRow | Averages, int]] = [
        *((row.name, row, row.support) for row in part.rows),
        ("macro average", part.macro, part.clips),
        ("weighted average", part.weighted, part.clips),
    ]
    for name, row, clips in rows:
        lines.append(
            f"| {name} | {row.precision:.3f} | {row.recall:.3f} | {row.f1:.3f} | {clips} |"
        )
    lines += [f"| accuracy | | | {part.accuracy:.3f} | {part.clips} |", ""]
    lines += ["| truth \\ answer | " + " | ".join(classes) + " |"]
    lines += ["| --- " * (len(classes) + 1) + "|"]
    for name, counts in zip(classes, part.confusion, strict=True):
        lines.append(f"| {name} | " + " | ".join(map(str, counts)) + " |")
    bins = part.reliability
    lines += ["", f"Calibration error {part.ece:.3f}.", "", "| as sure as | right | clips |"]
    lines += ["| --- | --- | --- |"]
    for sure, right, count in zip(bins.confidence, bins.accuracy, bins.counts, strict=True):
        lines.append(f"| {sure:.2f} | {right:.2f} | {count} |")
    return "\n".join(lines)


def _slices(report: Report) -> str:
    lines = ["## By how it was filmed (test)", "", "| condition | value | clips | accuracy |"]
    lines += ["| --- | --- | --- | --- |"]
    lines += [f"| {s.condition} | {s.value} | {s.clips} | {s.accuracy:.3f} |"
              for s in report.slices]  # fmt: skip
    return "\n".join(lines) + "\n"


def _curve(report: Report) -> str:
    lines = ["## Learning curve", "", "| trained on | accuracy on these | on test clips |"]
    lines += ["| --- | --- | --- |"]
    lines += [f"| {p.clips} | {p.train_accuracy:.3f} | {p.test_accuracy:.3f} |"
              for p in report.learning_curve]  # fmt: skip
    return "\n".join(lines) + "\n"


def _mistakes(report: Report) -> str:
    wrong = report.mistakes
    if not wrong:
        return "## Errors\n\nNone on the test clips.\n"
    lines = [f"## Errors ({len(wrong)} test clips)", "", "| item | clip | truth | answer | sure |"]
    lines += ["| --- " * 5 + "|"]
    lines += [f"| {a.item_id} | {a.name.replace('|', '/')} | {a.truth} | {a.answer} "
              f"| {a.confidence:.0%} |" for a in wrong]  # fmt: skip
    return "\n".join(lines) + "\n"
