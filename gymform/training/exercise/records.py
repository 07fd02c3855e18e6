"""Records of a training: its options, its state and its report.

``report.json`` is ``dataclasses.asdict`` of :class:`TrainingReport`; read it with
``runs.read_report``. Its shape, in short::

    {"schema": 1, "run": "...", "model": "tcn", "dataset": "...", "classes": ["deadlift", ...],
     "clips": {"deadlift": 58, ...}, "groups": {"deadlift": 22, ...}, "folds": 5, "seed": 0,
     "parts": {"train": PART, "validation": PART, "test": PART},
     "slices": [{"condition": "view", "value": "side", "clips": 40, "accuracy": 0.95}, ...],
     "learning_curve": [{"clips": 50, "train_accuracy": 1.0, "test_accuracy": 0.8, ...}, ...],
     "answers": [{"item_id": "...", "name": "...", "truth": "squat", "answer": "lunge",
                  "confidence": 0.7, "truth_probability": 0.2}, ...],
     "parameters": 89000, "temperature": 1.1,
     "timing": {"ms_per_clip": 9.1, "training_s": 120.0}, "command": "python -m gymform ...",
     "unconfirmed": 0, "disputed": 0, "started_from": ""}

    PART = {"clips": 195, "accuracy": 0.93,
            "rows": [{"name": "squat", "precision": 0.9, "recall": 0.9, "f1": 0.9, "support": 30},
                     ...],
            "macro": {"precision": 0.9, "recall": 0.9, "f1": 0.9}, "weighted": {...},
            "confusion": [[...], ...], "ece": 0.03,
            "reliability": {"confidence": [...], "accuracy": [...], "counts": [...]}}

With the same data and seed, everything but ``timing`` and ``run`` is reproducible.
Pages import this module, so it must not import PyTorch.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

from gymform.errors import OptionsError
from gymform.exercise.networks.catalogue import CATALOGUE

SCHEMA = 1

MODELS = tuple(CATALOGUE)
"""Network families that can be trained. The first is the default."""

SHIPPED = "shipped"
"""``start`` of a training whose networks start from the model that came with gymform."""

SHIPPED_FAMILY = "tcn"
"""The family of that model."""

FEW, FEWER_STEPS = 50, 4
"""With fewer repetitions than this, or from weights that have learned already, a TCN needs one step
in so many: see `benchmarks/fine_tuning.md`."""

STARTING, RUNNING, DONE, STOPPED, FAILED = "starting", "running", "done", "stopped", "failed"
TRAIN, VALIDATION, TEST = "train", "validation", "test"

NOT_RECORDED = "Whether anybody confirmed who is in which clip was not recorded."
"""What reports of older versions say about their groups."""


@dataclass(frozen=True)
class TrainOptions:
    """The options of a training. None is the network family's default.

    ``classes`` are the exercises to tell apart, all others are then ``other``; empty: every
    exercise of the data set is a class. ``folds`` 1: a single split into training, validation and
    test. ``width`` scales the network, ``views`` (the name in ``run.json``) is the number of
    augmented samples, ``frames`` and ``size`` (px) are the input of families on pixels. ``start``
    :data:`SHIPPED`: networks begin with the weights of the model that came with gymform.
    """

    model: str = MODELS[0]
    classes: tuple[str, ...] = ()
    folds: int = 5
    seed: int = 0
    steps: int | None = None
    width: int | None = None
    views: int | None = None
    frames: int = 8
    size: int = 96
    learning_curve: bool = False
    threads: int = 2
    start: str = ""

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise OptionsError(f"--model: expected one of {', '.join(MODELS)}, got {self.model!r}.")
        least = {"folds": 1, "seed": 0, "steps": 1, "width": 1, "views": 1, "frames": 2,
                 "size": 32, "threads": 1}  # fmt: skip
        for name, bound in least.items():
            value = getattr(self, name)
            if value is not None and value < bound:
                raise OptionsError(f"{option(name)}: expected at least {bound}, got {value}.")
        if self.start not in ("", SHIPPED):
            raise OptionsError(f"--start: expected {SHIPPED!r}, got {self.start!r}.")
        if self.start and self.model != SHIPPED_FAMILY:
            raise OptionsError(
                f"--start: only a {SHIPPED_FAMILY} can start from the model that came with "
                f"gymform, got --model {self.model}."
            )
        if self.folds == 2:
            raise OptionsError(
                "--folds: expected 1, or at least 3, got 2: one part is tested on, one is "
                "validated on, and the rest is trained on."
            )

    def steps_for(self, repetitions: int) -> int:
        """The steps of each training: as asked for, else as the family needs for so many."""
        usual = CATALOGUE[self.model].steps
        few = self.model == SHIPPED_FAMILY and repetitions < FEW
        return self.steps or (usual // FEWER_STEPS if self.start or few else usual)

    def arguments(self) -> list[str]:
        """The options as arguments of ``train``, without defaults."""
        out: list[str] = []
        for one in fields(self):
            value = getattr(self, one.name)
            if value == one.default:
                continue
            out.append(option(one.name))
            if one.name == "classes":
                out.append(",".join(value))
            elif value is not True:
                out.append(str(value))
        return out


def started(model: str) -> str:
    """What is said of figures of networks that started from ``model``."""
    return (
        f"The networks started from {model}: where clips that it was trained on are among these, "
        "the figures are too good."
    )


def option(field_name: str) -> str:
    """The option of ``train`` that sets a field of :class:`TrainOptions`."""
    names = {"views": "augmented_samples"}
    return "--" + names.get(field_name, field_name).replace("_", "-")


def options_from(values: Mapping[str, Any]) -> TrainOptions:
    """Options from the values of a form or a parser; other values are ignored."""
    known = {one.name for one in fields(TrainOptions)}
    return TrainOptions(**{name: value for name, value in values.items() if name in known})


@dataclass(frozen=True)
class RunInfo:
    """``run.json``: one training and its state.

    ``clips`` and ``groups`` are numbers by class; times are ISO 8601 in UTC; ``done`` of ``total``
    steps are taken; ``message`` is for the user, the reason when it failed.
    """

    id: str
    dataset: str
    options: TrainOptions
    state: str
    started_at: str
    ended_at: str | None = None
    pid: int | None = None
    classes: tuple[str, ...] = ()
    clips: dict[str, int] = field(default_factory=dict)
    groups: dict[str, int] = field(default_factory=dict)
    stage: str = ""
    done: int = 0
    total: int = 0
    message: str = ""

    @property
    def live(self) -> bool:
        """Is it in progress?"""
        return self.state in (STARTING, RUNNING)

    @property
    def fraction(self) -> float:
        """Share of the steps taken, in [0, 1]."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    @property
    def seconds(self) -> float:
        """Seconds since the start, or from start to end."""
        end = datetime.fromisoformat(self.ended_at) if self.ended_at else datetime.now(UTC)
        return max(0.0, (end - datetime.fromisoformat(self.started_at)).total_seconds())


@dataclass(frozen=True)
class LogRow:
    """A line of ``log.csv``. ``fold`` counts from 1; the last one is the training on everything,
    without validation (None)."""

    fold: int
    step: int
    train_loss: float
    val_loss: float | None = None
    val_accuracy: float | None = None


@dataclass(frozen=True)
class ClassRow:
    """Metrics of one class; ``support`` is the number of its clips."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Averages:
    """Means over classes, unweighted (macro) or weighted by their number of clips."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Reliability:
    """Bins of equal width over confidence, without empty ones: mean confidence, accuracy and number
    of clips."""

    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Part:
    """The metrics of one part of the split.

    ``confusion`` has labels as rows and predictions as columns; ``ece`` is the expected
    calibration error.
    """

    clips: int
    accuracy: float
    rows: tuple[ClassRow, ...]
    macro: Averages
    weighted: Averages
    confusion: tuple[tuple[int, ...], ...]
    reliability: Reliability
    ece: float

    @property
    def lowest_recall(self) -> float:
        """The lowest recall of a class; NaN without clips."""
        return min((row.recall for row in self.rows if row.support), default=float("nan"))


@dataclass(frozen=True)
class Slice:
    """Accuracy on the test clips filmed under one condition (view, camera, coverage)."""

    condition: str
    value: str
    clips: int
    accuracy: float


@dataclass(frozen=True)
class CurvePoint:
    """Accuracy when ``clips`` (mean over folds) are trained on."""

    clips: int
    train_accuracy: float
    test_accuracy: float
    test_clips: int


@dataclass(frozen=True)
class TestPrediction:
    """The prediction (``answer``) for a test clip with the label ``truth``, by a network that was
    not trained on its group. ``probabilities`` are in the order of the report's classes; () in
    reports of older versions."""

    item_id: str
    name: str
    truth: str
    answer: str
    confidence: float
    truth_probability: float
    probabilities: tuple[float, ...] = ()

    @property
    def right(self) -> bool:
        """Is the prediction correct?"""
        return self.truth == self.answer


@dataclass(frozen=True)
class Timing:
    """Median milliseconds from a clip's keypoints (or decoded frames) to its prediction, and
    training time of all folds together, s."""

    ms_per_clip: float
    training_s: float


@dataclass(frozen=True)
class TrainingReport:
    """``report.json``: the metrics of a training. ``parts`` has train, validation and test.

    ``unconfirmed`` is the number of repetitions in groups that nobody stated or confirmed, None
    in reports of older versions: who is in them may then be in several parts. ``disputed`` is that
    of repetitions that were left out since reviewers disagreed. ``started_from`` is the model whose
    weights the networks began with.
    """

    run: str
    model: str
    dataset: str
    classes: tuple[str, ...]
    clips: dict[str, int]
    groups: dict[str, int]
    folds: int
    seed: int
    steps: int
    parts: dict[str, Part]
    slices: tuple[Slice, ...]
    learning_curve: tuple[CurvePoint, ...]
    answers: tuple[TestPrediction, ...]
    parameters: int
    temperature: float
    timing: Timing
    command: str
    schema: int = SCHEMA
    unconfirmed: int | None = None
    disputed: int = 0
    started_from: str = ""

    @property
    def people_apart(self) -> bool:
        """Is it known that nobody of the test clips was trained on?"""
        return self.unconfirmed == 0 and not self.started_from

    @property
    def mistakes(self) -> tuple[TestPrediction, ...]:
        """The wrong predictions, those of highest confidence first."""
        wrong = [one for one in self.answers if not one.right]
        return tuple(sorted(wrong, key=lambda one: (-one.confidence, one.item_id)))


def from_plain(kind: Any, value: Any) -> Any:
    """``value``, as read from JSON, as an instance of ``kind``: the inverse of ``asdict``."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else from_plain(inner[0], value)
    if origin is tuple:
        return tuple(from_plain(inner[0], one) for one in value)
    if origin is dict:
        return {str(key): from_plain(inner[1], one) for key, one in value.items()}
    if is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        known = {one.name for one in fields(kind)}
        return kind(**{k: from_plain(hints[k], v) for k, v in value.items() if k in known})  # type: ignore[operator]
    return kind(value)
