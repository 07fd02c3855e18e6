"""The model card that ``train-exercise`` writes beside the weights."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gymform.exercises import Exercise, listed, name_of, trained_exercises
from gymform.storage import atomic_path
from gymform.training.exercise.corpus import CONTEXT_S
from gymform.training.exercise.decisions import COVERAGE, FEW_GROUPS, judge_limits
from gymform.training.exercise.metrics import as_markdown, evaluate
from gymform.training.exercise.samples import CLASS_SHARES, CLASSES, TRAINING_ONLY
from gymform.training.exercise.tracks import LabelledPose
from gymform.types import OTHER
from gymform.weights import ModelEntry

FIRST_THREE = ("snatch", "deadlift", "squat")
"""The exercises that the first models knew: their figures are compared with those of before."""

SOURCES = {
    "clips": "Real clips, keypoints by gymform's own pose pipeline. Footage of third parties from "
    "public repositories, nearly all without a licence of its own; none of it is in this project.",
    "penn": 'Penn Action, human-annotated keypoints (W. Zhang, M. Zhu, K. Derpanis, "From Actemes '
    'to Action: A Strongly-supervised Representation for Detailed Action Understanding", ICCV '
    "2013). For research use: a commercial user should retrain without it.",
    "snatch3d": "Competition snatches of seven athletes, keypoints with depth by MediaPipe Pose "
    "(full). In training each is rotated about the vertical axis by a random angle.",
    TRAINING_ONLY: "Films by generators of other people, trained on and never judged on.",
    "snatch3d turned": "The same tracks, rotated about the vertical axis in steps of 45 degrees.",
}
"""Description of each source, by name."""


@dataclass(frozen=True, eq=False)
class Judged:
    """Held-out clips of one source with their calibrated probabilities (n, K) of the ``classes``.

    ``fold`` (n,) is the one that each was held out in, ``conditions`` how each was filmed, where
    that is known; ``nearest`` says of those that can be shown whether the nearest clip was of the
    right class.
    """

    items: Sequence[LabelledPose]
    probabilities: np.ndarray
    classes: tuple[str, ...] = CLASSES
    fold: np.ndarray | None = None
    conditions: Sequence[Mapping[str, str]] = ()
    nearest: Sequence[bool] = ()

    @property
    def labels(self) -> np.ndarray:
        """The labelled class of each, int (n,)."""
        return np.array([self.classes.index(item.label) for item in self.items])

    @property
    def exercises(self) -> list[Exercise]:
        """The classes that are exercises."""
        return [one for one in trained_exercises() if one.key in self.classes]


NOTHING = Judged((), np.zeros((0, len(CLASSES))))
"""No held-out clips."""


def write(
    path: Path,
    entry: ModelEntry,
    judged: Mapping[str, Judged],
    training: Mapping[str, Any],
    command: str,
    taught: Mapping[str, float] | None = None,
) -> None:
    """Write the model card of ``entry`` to ``path``; ``judged`` by source, ``clips`` first.

    ``taught`` is how often each exercise that the networks were taught is told on held-out clips.
    """
    clips = judged.get("clips", NOTHING)
    parts = [
        _head(entry, clips),
        _results(judged, clips),
        _unnamed(clips, taught or {}),
        _data(judged, clips),
        _split(training),
        _training(training),
        _limits(),
        f"## Made by\n\n```\n{command}\n```\n",
    ]
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(parts), encoding="utf-8")


def headline(judged: Judged) -> dict[str, float]:
    """The main metrics: accuracy on all classes, on the known exercises among themselves and on
    the first three among themselves, lowest recall, ECE."""
    labels, probabilities = judged.labels, judged.probabilities
    part = evaluate(labels, probabilities, judged.classes)
    known = [i for i, name in enumerate(judged.classes) if name != OTHER]
    return {
        "all classes": part.accuracy,
        "known exercises": _among(judged, known),
        "first three": _among(judged, [judged.classes.index(one) for one in FIRST_THREE
                                       if one in judged.classes]),
        "lowest recall": part.lowest_recall,
        "calibration error": part.ece,
    }  # fmt: skip


def _among(judged: Judged, classes: Sequence[int]) -> float:
    """On the clips of some classes: how often the most probable of them is right; else NaN."""
    rows = np.isin(judged.labels, classes)
    if not rows.any():
        return float("nan")
    predicted = np.array(classes)[judged.probabilities[rows][:, classes].argmax(1)]
    return float((predicted == judged.labels[rows]).mean())


def _head(entry: ModelEntry, judged: Judged) -> str:
    config = entry.config
    size = f"{config['networks']} networks of {config['channels']} channels"
    known = ", ".join(f"{one.article} {one.name}" for one in judged.exercises)
    purpose = textwrap.fill(
        f"Says whether a clip shows {known} or something else, from the keypoints of one lifter.",
        99,
    )
    return f"""# {entry.name}

{purpose} An ensemble of temporal convolutional networks ({size}), {entry.bytes:,} bytes,
sha256 `{entry.sha256}`. Licence: MIT for code and weights, but see the sources' terms below.
Temperature {config["temperature"]}, fitted on held-out clips.
"""


def _results(judged: Mapping[str, Judged], clips: Judged) -> str:
    named = _number(len(clips.exercises))
    lines = [
        "## Results on held-out data",
        "",
        "Every clip is judged, in the way a user's clip is, by networks that were not trained on",
        "its group. Probabilities are calibrated with the temperature fitted on the other",
        f"folds. *All classes*: the most probable of the {_number(len(clips.classes))} classes is",
        f"the right one. *Exercises*: on clips of the {named} that are named, the most probable of",
        "these is the right one. *First three*: the same for snatch, deadlift and squat.",
        "",
    ]
    for source, part in judged.items():
        metrics = headline(part)
        lines += [f"### {source} ({len(part.items)})", ""]
        lines += [
            f"All classes {metrics['all classes']:.3f}, exercises "
            f"{metrics['known exercises']:.3f}, first three {metrics['first three']:.3f}, "
            f"calibration error (ECE, 10 bins) {metrics['calibration error']:.3f}.",
            "",
            as_markdown(evaluate(part.labels, part.probabilities, part.classes), _groups(part)),
            "",
        ]
        if source == "clips":
            lines += [*_by_exercise(part), "", *_by_condition(part)]
            lines += [*_limits_kept(part), *_nearest(part)]
    return "\n".join(lines)


def _by_exercise(judged: Judged) -> list[str]:
    """The lines of a table: how often the clips of each exercise are classified correctly."""
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    mistakes: dict[str, Counter[str]] = {}
    for item, row in zip(judged.items, judged.probabilities, strict=True):
        predicted = judged.classes[int(row.argmax())]
        total[item.action] += 1
        right[item.action] += predicted == item.label
        mistakes.setdefault(item.action, Counter())[predicted] += predicted != item.label
    lines = ["| exercise | clips | right | mistaken for |", "| --- | --- | --- | --- |"]
    for action, count in total.most_common():
        wrong = ", ".join(f"{name} {n}" for name, n in mistakes[action].items() if n)
        lines.append(f"| {action} | {count} | {right[action]} | {wrong} |")
    return lines


def _groups(judged: Judged) -> list[int]:
    """Number of groups (people or sources) by class."""
    pairs = {(item.label, item.group) for item in judged.items}
    return [sum(label == name for label, _ in pairs) for name in judged.classes]


def _by_condition(judged: Judged) -> list[str]:
    """The lines of a table: how often clips are classified correctly by how they were filmed."""
    if not judged.conditions:
        return []
    right: dict[tuple[str, str], list[bool]] = {}
    for item, row, filmed in zip(
        judged.items, judged.probabilities, judged.conditions, strict=True
    ):
        for pair in filmed.items():
            right.setdefault(pair, []).append(judged.classes[int(row.argmax())] == item.label)
    lines = ["| filmed | | clips | right |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {name} | {value} | {len(found)} | {sum(found) / len(found):.3f} |"
        for (name, value), found in sorted(right.items())
    ]
    return [*lines, ""]


def _limits_kept(judged: Judged) -> list[str]:
    """How thresholds and candidates do on clips that they were not fitted on, in a paragraph."""
    if judged.fold is None or len(np.unique(judged.fold)) < 2:
        return []
    found = judge_limits(judged.labels, judged.probabilities, judged.fold, judged.classes)
    return [
        textwrap.fill(
            f"A class is named from its threshold on. With the thresholds of the other folds "
            f"{found.named:.1%} of the clips are named, and {found.right:.1%} of these rightly. "
            f"The candidates of an unsure answer are promised to hold the right class in "
            f"{COVERAGE:.0%} of the clips; they hold it in {found.covered:.1%}, with "
            f"{found.candidates:.2f} candidates on average. Of the clips of `other`, "
            f"{found.false_alarms:.1%} are called an exercise with more than 80 %.",
            99,
        ),
        "",
    ]


def _nearest(judged: Judged) -> list[str]:
    """How often the clip of the training data that is most like a held-out one shows the same."""
    if not judged.nearest:
        return []
    right, count = sum(judged.nearest), len(judged.nearest)
    words = (
        f"The clip of the other folds that is nearest to a held-out one shows the same class in "
        f"{right} of {count}."
    )
    return [textwrap.fill(words, 99), ""]


def _unnamed(judged: Judged, taught: Mapping[str, float]) -> str:
    """A paragraph on the exercises that were taught but are not named, with their recall."""
    left_out = [name for name in taught if name not in judged.classes]
    if not left_out:
        return ""
    told = listed([f"{name_of(name)} ({taught[name]:.2f})" for name in left_out], "and")
    words = (
        "The networks were taught more exercises than are named. On held-out clips these are told "
        "too seldom, or their names are wrong more often than right, and they are `other` in all "
        f"answers and figures here: {told}. In brackets: the share of their clips in which they "
        "were told."
    )
    return textwrap.fill(words, 99) + "\n"


def _data(judged: Mapping[str, Judged], clips: Judged) -> str:
    classes = clips.classes
    lines = ["## Data", "", f"| source | {' | '.join(classes)} | groups |"]
    lines.append("| --- " * (len(classes) + 2) + "|")
    for source, part in judged.items():
        if source.endswith("turned"):
            continue
        count = Counter(item.label for item in part.items)
        groups = len({item.group for item in part.items})
        row = " | ".join(str(count[name]) for name in classes)
        lines.append(f"| {source} | {row} | {groups} |")
    lines += ["", *(f"- **{s}**: {SOURCES.get(s, '')}" for s in judged), ""]
    lines += [
        "The label is the exercise that the index names, by its name or a variant's (a front squat",
        f"is a squat); all but the {_number(len(classes) - 1)} are `other`. A Romanian "
        "deadlift differs from a deadlift",
        "only in how far the bar goes down and how far the knees bend (see the table). Joints: the",
        "nose and the twelve body joints.",
        "",
        *_few_groups(clips),
    ]
    return "\n".join(lines)


def _few_groups(clips: Judged) -> list[str]:
    """A sentence that names the classes with fewer than :data:`FEW_GROUPS` groups of real clips."""
    if not clips.items:
        return []
    groups = dict(zip(clips.classes, _groups(clips), strict=True))
    few = [
        f"{one.name} ({groups[one.key]})" for one in clips.exercises if groups[one.key] < FEW_GROUPS
    ]
    if not few:
        return []
    words = (
        f"Judged on clips of fewer than {_number(FEW_GROUPS)} people or sources: "
        f"{listed(few, 'and')}. These were trained mostly on tracks and calculated lifters, and "
        "their figures above say little of other people."
    )
    return [textwrap.fill(words, 99), ""]


def _split(training: Mapping[str, Any]) -> str:
    return f"""## Split

{training["folds"]}-fold cross-validation, stratified by class and source, groups whole. A group is
a person or source of the clips' index, an athlete of the snatch tracks, and in Penn Action a run of
consecutive sequences of one action and picture size (sequences of one video are consecutive there).
A class with fewer groups than folds is missing in some. A split with a group, a video or a track on
both sides is rejected. The weights here come from a last training on everything.
"""


def _training(training: Mapping[str, Any]) -> str:
    settings = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in training.items())
    balance = ", ".join(f"{name} {share:.0%}" for name, share in CLASS_SHARES.items())
    return f"""## Training

{settings}. Share of the classes: {balance}; balanced over sources, actions and groups. Augmented by
other stretches, tempos, rests and playing backwards, mirroring, rotation about the vertical axis
(tracks with depth), narrowing, tilt, perspective, other body proportions, lower frame rates, and by
the errors of pose networks: jitter, displaced and missing joints, a far side that sticks to the
near one. The snatch tracks also give overhead squats and wide-grip deadlifts, and all clips give
people who stand still and joints that move independently (`other`). Accepted repetitions of a data
set are trained on with up to {CONTEXT_S:g} s of their clip before and after them, and judged
without.
"""


def _limits() -> str:
    return """## Limits

There were few videos of some exercises: see the column of groups, and trust no figure of a class
with fewer than eight. The clips are mostly of men in gyms, filmed from a fixed place, with one
lifter in the picture. The classifier does not see the barbell, only how the body moves.
"""


def _number(count: int) -> str:
    """A number, spelled out up to twelve."""
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
             "eleven", "twelve")  # fmt: skip
    return words[count] if count < len(words) else str(count)
