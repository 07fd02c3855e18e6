"""What a training was told and what it leaves behind, as plain records.

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
     "timing": {"ms_per_clip": 9.1, "training_s": 120.0}, "command": "python -m gymform train ..."}

    PART = {"clips": 195, "accuracy": 0.93,
            "rows": [{"name": "squat", "precision": 0.9, "recall": 0.9, "f1": 0.9, "support": 30},
                     ...],
            "macro": {"precision": 0.9, "recall": 0.9, "f1": 0.9}, "weighted": {...},
            "confusion": [[...], ...], "ece": 0.03,
            "reliability": {"confidence": [...], "accuracy": [...], "counts": [...]}}

Everything but ``timing`` and ``run`` comes out the same twice with the same data and seed.
This module is light: pages import it, PyTorch stays outside.
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
"""Families that can be trained. The first is the default."""

STARTING, RUNNING, DONE, STOPPED, FAILED = "starting", "running", "done", "stopped", "failed"
TRAIN, VALIDATION, TEST = "train", "validation", "test"


@dataclass(frozen=True)
class TrainOptions:
    """What a user may choose. None means the family's own default.

    ``classes`` are the exercises to tell apart, all others are then ``other``; empty: every
    exercise of the data set is a class. ``folds`` 1 trains once, with one split into training,
    validation and test. ``width`` scales the network, ``views`` is the number of augmented
    recordings, ``frames`` and ``size`` (px) are what families on pixels see of a clip.
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

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            raise OptionsError(f"--model: expected one of {', '.join(MODELS)}, got {self.model!r}.")
        least = {"folds": 1, "seed": 0, "steps": 1, "width": 1, "views": 1, "frames": 2,
                 "size": 32, "threads": 1}  # fmt: skip
        for name, bound in least.items():
            value = getattr(self, name)
            if value is not None and value < bound:
                raise OptionsError(f"--{name}: expected at least {bound}, got {value}.")
        if self.folds == 2:
            raise OptionsError(
                "--folds: expected 1, or at least 3: one part is tested on, one validated on, "
                "and the rest is trained on."
            )

    def arguments(self) -> list[str]:
        """The same as options of ``train``, without those left at their defaults."""
        out: list[str] = []
        for one in fields(self):
            value = getattr(self, one.name)
            if value == one.default:
                continue
            out.append("--" + one.name.replace("_", "-"))
            if one.name == "classes":
                out.append(",".join(value))
            elif value is not True:
                out.append(str(value))
        return out


def options_from(values: Mapping[str, Any]) -> TrainOptions:
    """Options out of loose values, as a form or a parser has them; others are ignored."""
    known = {one.name for one in fields(TrainOptions)}
    return TrainOptions(**{name: value for name, value in values.items() if name in known})


@dataclass(frozen=True)
class RunInfo:
    """``run.json``: one training and where it stands.

    ``clips`` and ``groups`` count by class; times are ISO 8601 in UTC; ``done`` of ``total`` steps;
    ``message`` is for the user, the reason when it failed.
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
        """Is it being trained just now?"""
        return self.state in (STARTING, RUNNING)

    @property
    def fraction(self) -> float:
        """How much is done, in [0, 1]."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    @property
    def seconds(self) -> float:
        """How long it has been going on, or took."""
        end = datetime.fromisoformat(self.ended_at) if self.ended_at else datetime.now(UTC)
        return max(0.0, (end - datetime.fromisoformat(self.started_at)).total_seconds())


@dataclass(frozen=True)
class LogRow:
    """A line of ``log.csv``. ``fold`` counts from 1; the last one trains on everything, so that
    nothing is left to validate on (None)."""

    fold: int
    step: int
    train_loss: float
    val_loss: float | None = None
    val_accuracy: float | None = None


@dataclass(frozen=True)
class ClassRow:
    """Figures of one class; ``support`` is the number of its clips."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Averages:
    """Mean over classes: each alike (macro) or by its number of clips (weighted)."""

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Reliability:
    """Bins of equal width over confidence, only those that hold clips: mean confidence, share of
    right answers, number of clips."""

    confidence: tuple[float, ...]
    accuracy: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Part:
    """How good the answers to one part of the data are.

    ``confusion`` has the truth as rows and the answer as columns; ``ece`` is the expected
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
        """The recall of the class that is missed most; NaN without clips."""
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
    """Accuracy when only so many clips (mean over folds) are trained on."""

    clips: int
    train_accuracy: float
    test_accuracy: float
    test_clips: int


@dataclass(frozen=True)
class TestAnswer:
    """The answer to a test clip by a network that saw nothing of its group."""

    item_id: str
    name: str
    truth: str
    answer: str
    confidence: float
    truth_probability: float

    @property
    def right(self) -> bool:
        return self.truth == self.answer


@dataclass(frozen=True)
class Timing:
    """Milliseconds from keypoints (or decoded frames) of a clip to its answer, the median, and
    seconds of training of all folds together."""

    ms_per_clip: float
    training_s: float


@dataclass(frozen=True)
class TrainingReport:
    """``report.json``: what came of a training. ``parts`` has train, validation and test."""

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
    answers: tuple[TestAnswer, ...]
    parameters: int
    temperature: float
    timing: Timing
    command: str
    schema: int = SCHEMA

    @property
    def mistakes(self) -> tuple[TestAnswer, ...]:
        """The wrong answers, the surest first."""
        wrong = [answer for answer in self.answers if not answer.right]
        return tuple(sorted(wrong, key=lambda answer: (-answer.confidence, answer.item_id)))


def from_plain(kind: Any, value: Any) -> Any:
    """``value``, as JSON gives it, as the type ``kind``: the way back from ``asdict``."""
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
