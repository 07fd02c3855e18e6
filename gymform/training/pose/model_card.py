"""The model card that ``train-pose`` writes beside the weights."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gymform.errors import ModelDataError
from gymform.pose.vitpose import ViTPoseConfig
from gymform.skeleton import KEYPOINTS
from gymform.storage import atomic_path
from gymform.training.pose.losses import sigma_of
from gymform.training.pose.metrics import PoseScores
from gymform.weights import ModelEntry

SOURCES = {
    "lspet": 'LSP Extended (S. Johnson, M. Everingham, "Learning Effective Human Pose Estimation '
    'from Inaccurate Annotation", CVPR 2011): sports and parkour, without face points; about one '
    "label in ten has an outright error. For research use.",
    "coco_subset": 'COCO 2017 (T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", ECCV '
    "2014): everyday scenes. Annotations CC BY 4.0; the photographs have licences of their own.",
    "fashion_ls": "Studio photographs of clothed people, all points given.",
    "clips": "Frames of gym clips, most without a licence of their own, labelled by "
    "teacher networks where their predictions for several augmented crops agreed.",
}
"""Description of each source, by its name in the pack."""

SETS = {
    "coco_val2017": "COCO val2017, everyday scenes",
    "lspet": "LSP Extended, held-out groups",
}
"""Names of the validation sets in tables."""


@dataclass(frozen=True)
class TrainingRecord:
    """How a network was trained: ``start`` and ``teacher`` in words ("" for none), the models that
    gave it weights or labels (``ancestors``), the number of ``people`` by source, a ``note`` on
    their labels, the ``recipe`` by option, the share of the initial weights that was ``kept``, the
    number of ``steps`` taken, and the ``command`` that repeats it."""

    start: str
    teacher: str
    ancestors: Sequence[str]
    people: Mapping[str, int]
    note: str
    recipe: Mapping[str, Any]
    kept: float
    steps: int
    command: str


def write(
    path: Path,
    entry: ModelEntry,
    record: TrainingRecord,
    scores: Mapping[str, PoseScores],
    others: Mapping[str, Mapping[str, PoseScores]],
) -> None:
    """Write the card of ``entry``; ``scores`` by validation set, ``others`` by model and set."""
    parts = [
        _head(entry),
        _how_made(record),
        _data(record),
        _results(entry.name, scores, others),
        _LIMITS,
        f"## Made by\n\n```\n{record.command}\n```\n",
    ]
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(parts), encoding="utf-8")


def update_results(path: Path, name: str, models: Mapping[str, Mapping[str, PoseScores]]) -> None:
    """Replace the metrics in the card that :func:`write` wrote for the model ``name`` by those of
    ``models``, by model and validation set. Raises ModelDataError for a file that is no such
    card."""
    text = path.read_text(encoding="utf-8")
    start, end = text.find(_RESULTS), text.find(_LIMITS.splitlines()[0])
    if not 0 <= start < end:
        raise ModelDataError(f"{path.name}: expected a model card that train-pose wrote.")
    text = text[:start] + _results(name, models[name], models) + "\n" + text[end:]
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_comparison(path: Path) -> dict[str, dict[str, PoseScores]]:
    """Metrics of other models by name and validation set, as the accuracy benchmark writes them."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))["models"]
        return {
            name: {part: PoseScores(**_with_nan(scores)) for part, scores in sets.items()}
            for name, sets in content.items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelDataError(
            f"{path.name}: expected the metrics that benchmarks/pose_accuracy.py writes, got "
            f"something else ({type(error).__name__}). Run that benchmark again."
        ) from error


def _with_nan(scores: Mapping[str, Any]) -> dict[str, Any]:
    """``scores`` from JSON with NaN and tuples, which JSON does not have."""
    joints = tuple(math.nan if value is None else value for value in scores["joints"])
    return {**scores, "joints": joints}


def summary_table(models: Mapping[str, Mapping[str, PoseScores]]) -> str:
    """A Markdown table with a row for each validation set and model."""
    lines = ["| people | model | PCK@0.2 | OKS > 0.75 | AP | mean OKS |"]
    lines.append("|---|---|---:|---:|---:|---:|")
    for part, title in SETS.items():
        for name, sets in models.items():
            if part in sets:
                s = sets[part]
                lines.append(f"| {title} ({s.people}) | {name} | {s.pck:.3f} | {s.good:.1%} | "
                             f"{s.ap:.3f} | {s.oks:.3f} |")  # fmt: skip
    return "\n".join(lines)


def joint_table(models: Mapping[str, Mapping[str, PoseScores]]) -> str:
    """A Markdown table of PCK@0.2: a row for each joint, a column for each model and set."""
    columns = [(name, part) for part in SETS for name, sets in models.items() if part in sets]
    head = " | ".join(f"{name}, {part}" for name, part in columns)
    lines = [f"| joint | {head} |", "|---|" + "---:|" * len(columns)]
    for k, joint in enumerate(KEYPOINTS):
        values = [models[name][part].joints[k] for name, part in columns]
        shown = " | ".join("-" if math.isnan(value) else f"{value:.3f}" for value in values)
        lines.append(f"| {joint.replace('_', ' ')} | {shown} |")
    return "\n".join(lines)


def _head(entry: ModelEntry) -> str:
    config = ViTPoseConfig(**entry.config)
    width, height = config.input_size
    across, down = config.heatmap_size
    token = "class token in the sequence" if config.class_token else "no class token"
    return f"""# {entry.name}

A ViTPose: 17 COCO keypoints of one person from a crop of {height} x {width} pixels.

| | |
|---|---|
| File | `{entry.file}`, fp16, {entry.bytes / 1e6:.1f} MB |
| sha256 | `{entry.sha256}` |
| Network | dim {config.dim}, {config.depth} blocks, {config.heads} heads, patch \
{config.patch_size} with padding {config.patch_padding}, {token}; {config.decoder} \
decoder |
| Input | RGB crop of {height} x {width} (height x width) in [0, 1], ImageNet mean and standard \
deviation; box grown to 3:4, times {config.padding:g} |
| Output | 17 heatmaps of {down} x {across}, target sigma \
{sigma_of((across, down)):g}, UDP; the score is the \
peak's value to the power of {config.score_power:g}, with which the share of correct joints is \
about the score (within a sixteenth of the grown box's height; fitted to the people below) |
"""


def _how_made(record: TrainingRecord) -> str:
    planned = record.recipe["steps"]
    taken = f"{record.steps} steps" + (f" of {planned} planned" if record.steps < planned else "")
    recipe = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in record.recipe.items())
    seen = "clean crops, cached" if record.recipe["pool"] else "the same augmented crops"
    teacher = f"Teacher: {record.teacher}, on {seen}.\n" if record.teacher else ""
    mild = (
        ", less and more rarely after the share mild from" if record.recipe["mild_from"] < 1 else ""
    )
    hidden = (
        " In the share of the crops called occluders, plates, racks or limbs are laid over joints."
        if record.recipe.get("occluders")
        else ""
    )
    kept = f", and the initial weights with a share of {record.kept:g}" if record.kept else ""
    return f"""## How it was made

Start: {record.start}.
{teacher}Then {taken} by this repository's own command. {recipe}. Augmented by mirroring, scale,
rotation, shift, half bodies, drawn barbells and plates, cut-outs, light, colour, blur, motion blur,
noise and compression{mild}.{hidden} The weights are the running mean over training{kept}.
"""


def _data(record: TrainingRecord) -> str:
    lines = ["## Training data and its terms", ""]
    for name, count in record.people.items():
        lines.append(f"- **{name}**, {count} people. {SOURCES.get(name, '')}")
    if record.note:
        lines += ["", record.note]
    if record.ancestors:
        names = " and ".join(f"`{name}`" for name in record.ancestors)
        lines += ["", f"What {names} had learned from is part of it too; the model cards, in the "
                  "repository's history those of earlier versions, tell what it was."]  # fmt: skip
    return (
        "\n".join(lines)
        + """

None of these pictures is in this repository. The weights come under its licence, as far as that
is possible: **who wants to use them commercially should train again** on data whose terms allow it.
"""
    )


def _results(
    name: str,
    scores: Mapping[str, PoseScores],
    others: Mapping[str, Mapping[str, PoseScores]],
) -> str:
    if not scores:
        return f"{_RESULTS}\n\nThe pack holds no validation people: nothing was measured.\n"
    models = {name: scores} | {other: sets for other, sets in others.items() if other != name}
    return f"""{_RESULTS}

Boxes are given, no flip test. PCK@0.2: share of the twelve body joints within a fifth of the torso
(right shoulder to left hip). OKS > 0.75: share of people whose joints are about as exact as
annotators place them. AP: COCO's, by the mean score of a prediction. The area of a person is taken
as 0.53 of their box. Other models saw the same people, each network with its own padding;
`vitpose-s-start` was trained on most of LSP Extended, and so a network that starts from it has
indirectly seen some of these people: their metrics there are not those of an unseen set.

{summary_table(models)}

PCK@0.2 of each joint:

{joint_table(models)}
"""


_RESULTS = "## Results on people never trained on"

_LIMITS = """## Limits

- Small, crowded, occluded and upside-down people are rare in the training data, faces too.
- Left and right may be swapped, as in some training labels.
- It always returns keypoints of one person in the middle of the crop, even when there is nobody;
  the scores are then low.
- Nobody has examined how its errors differ between groups of people.
- It finds keypoints. It does not recognise, and was not made to identify, anyone.
"""
