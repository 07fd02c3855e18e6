"""The report of a cross-validation: metrics, and the same as Markdown."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import replace

import numpy as np
from torch import nn

from gymform.dataset.groups import UNCONFIRMED
from gymform.exercise.networks.registry import count_parameters
from gymform.text import markdown
from gymform.training.exercise.corpus import Corpus, conditions
from gymform.training.exercise.cross_validation import (
    CrossValidated,
    CrossValidation,
    final_temperature,
    probabilities_by_part,
)
from gymform.training.exercise.label_errors import label_errors
from gymform.training.exercise.metrics import confusion_markdown, evaluate
from gymform.training.exercise.pretraining import shipped_entry
from gymform.training.exercise.records import (
    NOT_RECORDED,
    TEST,
    Averages,
    ClassRow,
    Part,
    Slice,
    TestPrediction,
    Timing,
    TrainingReport,
    TrainOptions,
    started,
)
from gymform.training.exercise.runs import comparison_markdown

TIMED_CLIPS = 12
"""Number of clips over which the time of a prediction is measured."""


def make_report(
    run: str,
    corpus: Corpus,
    options: TrainOptions,
    validation: CrossValidation,
    result: CrossValidated,
    command: str,
) -> TrainingReport:
    """The report of a finished cross-validation; all but ``timing`` is reproducible."""
    labels = corpus.labels
    (network,) = result.networks
    found = probabilities_by_part(result, labels)
    rows, probabilities = found[TEST]
    return TrainingReport(
        run=run,
        model=options.model,
        dataset=corpus.name,
        classes=corpus.classes,
        clips=corpus.clips,
        groups=corpus.groups,
        folds=validation.design.folds,
        seed=options.seed,
        steps=validation.plan.steps,
        parts={name: evaluate(labels[r], p, corpus.classes) for name, (r, p) in found.items()},
        slices=slice_accuracy(corpus, rows, probabilities),
        learning_curve=result.curve,
        answers=list_predictions(corpus, rows, probabilities),
        parameters=count_parameters(network),
        temperature=round(final_temperature(result, labels), 4),
        timing=Timing(round(ms_per_clip(validation, network), 2), round(result.training_s, 1)),
        command=command,
        unconfirmed=corpus.unconfirmed,
        disputed=corpus.disputed,
        started_from=shipped_entry().name if options.start else "",
    )


def slice_accuracy(
    corpus: Corpus, rows: np.ndarray, probabilities: np.ndarray
) -> tuple[Slice, ...]:
    """Accuracy by view, camera and coverage on the items at ``rows``, sorted by condition."""
    right: dict[tuple[str, str], list[bool]] = defaultdict(list)
    correct = probabilities.argmax(1) == corpus.labels[rows]
    for row, hit in zip(rows, correct, strict=True):
        for condition in conditions(corpus.examples[row], corpus.tracks[row].pose).items():
            right[condition].append(bool(hit))
    return tuple(
        Slice(
            condition, value, len(right[condition, value]), float(np.mean(right[condition, value]))
        )
        for condition, value in sorted(right)
    )


def list_predictions(
    corpus: Corpus, rows: np.ndarray, probabilities: np.ndarray
) -> tuple[TestPrediction, ...]:
    """The prediction for each item at ``rows``."""
    labels = corpus.labels
    return tuple(
        TestPrediction(
            item_id=corpus.examples[row].item_id,
            name=corpus.examples[row].name,
            truth=corpus.classes[labels[row]],
            answer=corpus.classes[int(one.argmax())],
            confidence=round(float(one.max()), 6),
            truth_probability=round(float(one[labels[row]]), 6),
            probabilities=tuple(round(float(p), 6) for p in one),
        )
        for row, one in zip(rows, probabilities, strict=True)
    )


def ms_per_clip(validation: CrossValidation, network: nn.Module) -> float:
    """Median milliseconds from keypoints, or decoded frames, to the prediction, over some clips."""
    seconds = []
    for row in range(min(TIMED_CLIPS, len(validation.task.labels))):
        started = time.perf_counter()
        validation.task.predict_uncached(network, row)
        seconds.append(time.perf_counter() - started)
    return 1000 * float(np.median(seconds))


# ---- Markdown ------------------------------------------------------------------------------


def as_markdown(report: TrainingReport) -> str:
    """The whole report as Markdown."""
    test = report.parts[TEST]
    counted = ", ".join(
        f"{markdown(name)} {n} (from {report.groups[name]})" for name, n in report.clips.items()
    )
    sections = [
        f"# {report.model} on {markdown(report.dataset)}\n",
        f"Run {report.run}. Repetitions, and the persons or sources they are from: {counted}.\n",
        f"Held out by group, {report.folds} fold(s): accuracy {test.accuracy:.3f}, macro F1 "
        f"{test.macro.f1:.3f}, lowest recall {test.lowest_recall:.3f}, calibration error "
        f"{test.ece:.3f}. Every repetition is judged by a network that was not trained on its "
        "group; the temperature of its probabilities was fitted on validation clips of other "
        f"groups.{_who_is_who(report)}{_left_out(report)}{_started(report)}\n",
        comparison_markdown([report]) + "\n",
    ]
    for name, part in report.parts.items():
        sections.append(f"## {name.capitalize()} ({part.clips})\n\n{part_markdown(part)}\n")
    sections.append(_slices(report))
    if report.learning_curve:
        sections.append(_curve(report))
    sections += [_mistakes(report), _labels(report), f"## Made by\n\n```\n{report.command}\n```\n"]
    return "\n".join(sections)


def _who_is_who(report: TrainingReport) -> str:
    """A sentence when the groups are only a guess."""
    if report.unconfirmed == 0:
        return ""
    if report.unconfirmed is None:
        return f" {NOT_RECORDED}"
    of = f"{report.unconfirmed} of {sum(report.clips.values())} repetitions"
    return f" **{UNCONFIRMED}** That is so for {of}."


def _left_out(report: TrainingReport) -> str:
    """A sentence when reviewers disagreed about some repetitions."""
    if not report.disputed:
        return ""
    return f" {report.disputed} repetitions were left out: reviewers disagree about them."


def _started(report: TrainingReport) -> str:
    """A sentence when the networks did not start from nothing."""
    return f" {started(report.started_from)}" if report.started_from else ""


def part_markdown(part: Part) -> str:
    """Classification report, confusion matrix and reliability of one part."""
    part = replace(part, rows=tuple(replace(row, name=markdown(row.name)) for row in part.rows))
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
    lines += confusion_markdown(part)
    bins = part.reliability
    lines += ["", f"Calibration error {part.ece:.3f}.", "", "| confidence | accuracy | clips |"]
    lines += ["| --- | --- | --- |"]
    for confidence, accuracy, count in zip(
        bins.confidence, bins.accuracy, bins.counts, strict=True
    ):
        lines.append(f"| {confidence:.2f} | {accuracy:.2f} | {count} |")
    return "\n".join(lines)


def _slices(report: TrainingReport) -> str:
    lines = ["## By how it was filmed (test)", "", "| condition | value | clips | accuracy |"]
    lines += ["| --- | --- | --- | --- |"]
    lines += [f"| {s.condition} | {markdown(s.value)} | {s.clips} | {s.accuracy:.3f} |"
              for s in report.slices]  # fmt: skip
    return "\n".join(lines) + "\n"


def _curve(report: TrainingReport) -> str:
    lines = ["## Learning curve", "", "| training clips | accuracy on them | on test clips |"]
    lines += ["| --- | --- | --- |"]
    lines += [f"| {p.clips} | {p.train_accuracy:.3f} | {p.test_accuracy:.3f} |"
              for p in report.learning_curve]  # fmt: skip
    return "\n".join(lines) + "\n"


def _labels(report: TrainingReport) -> str:
    """The labels that look wrong."""
    errors = label_errors(report)
    if not errors:
        return "## Labels to look at again\n\nNone looks wrong.\n"
    lines = [
        "## Labels to look at again",
        "",
        "| item | clip | label | may be |",
        "| --- " * 4 + "|",
    ]
    lines += [f"| {e.item.item_id} | {markdown(e.item.name)} | {markdown(e.item.truth)} | "
              f"{markdown(e.suggests)} |" for e in errors]  # fmt: skip
    return "\n".join(lines) + "\n"


def _mistakes(report: TrainingReport) -> str:
    wrong = report.mistakes
    if not wrong:
        return "## Errors\n\nNone on the test clips.\n"
    lines = [
        f"## Errors ({len(wrong)} test clips)",
        "",
        "| item | clip | label | prediction | confidence |",
    ]
    lines += ["| --- " * 5 + "|"]
    lines += [f"| {a.item_id} | {markdown(a.name)} | {markdown(a.truth)} | {markdown(a.answer)} "
              f"| {a.confidence:.0%} |" for a in wrong]  # fmt: skip
    return "\n".join(lines) + "\n"
