"""Accuracy of the teachers of pose labels, against annotations that they did not see.

    python benchmarks/teachers.py PACK [--answers scripts/teacher_answers.npz] [--people 1500]

PACK is the pack of annotated people. For training people of LSP Extended, the place where most
predictions lie (``gymform/training/pose/label_fusion.py``, without the annotation) is compared with
the annotation, for each teacher and for several together. The shift to the annotators' joints was
fitted to all annotations (two numbers for each pair of joints); teachers that are gymform's own
models were trained on labels that derive from the annotations.

Writes ``teachers.md`` beside this file.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from machine import describe, table

from gymform import skeleton as sk
from gymform.training.pose.label_fusion import (
    Rules,
    TeacherKeypoints,
    aligned_predictions,
    gather,
    read_predictions,
)
from gymform.training.pose.metrics import pck_hits, torso_lengths
from gymform.training.pose.packs import CropPack, read_pack

DATASET = "lspet"

ANSWERS = Path(__file__).parent.parent / "scripts" / "teacher_answers.npz"

OUT = Path(__file__).with_suffix(".md")


def main() -> int:
    """Compare all groups of teachers, print and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack", type=Path)
    parser.add_argument("--answers", type=Path, default=ANSWERS)
    parser.add_argument("--people", type=int, default=1500)
    options = parser.parse_args()
    pack = read_pack(options.pack)
    predictions = read_predictions(options.answers, pack)
    predictions = replace(predictions, of_pack=aligned_predictions(pack, predictions))
    people = some_people(pack, predictions, options.people)
    report = render(list(rows(pack, predictions, people)), len(people))
    OUT.write_text(report, encoding="utf-8")
    print(report)
    return 0


def some_people(pack: CropPack, predictions: TeacherKeypoints, count: int) -> np.ndarray:
    """Indices in ``predictions`` of some people of LSP Extended whose torso is annotated."""
    known = np.isfinite(torso_lengths(pack.keypoints[predictions.row]))
    candidates = np.flatnonzero(known & (pack.dataset[predictions.row] == DATASET))
    return np.sort(np.random.default_rng(0).permutation(candidates)[:count])


def rows(pack: CropPack, predictions: TeacherKeypoints, people: np.ndarray) -> Iterator[list[str]]:
    """For each group of teachers: names, share of correct joints, share of joints on which two
    agree, and share of these that are correct."""
    teachers = range(len(predictions.teachers))
    for size in range(1, len(teachers) + 1):
        for group in itertools.combinations(teachers, size):
            right, agreed = compare(pack, predictions, people, group)
            shares = [f"{agreed.mean():.2f}", f"{right[agreed].mean():.3f}"] if size > 1 else "--"
            names = " + ".join(predictions.teachers[at] for at in group)
            yield [names, f"{right.mean():.3f}", *shares]


def compare(
    pack: CropPack, predictions: TeacherKeypoints, people: np.ndarray, group: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """For each annotated body joint: is the fused prediction correct, and do two teachers agree?"""
    labels = pack.keypoints[predictions.row[people]].astype(float)
    no_annotation = np.zeros((sk.NUM_KEYPOINTS, 3))
    found = [
        gather(no_annotation, list(predictions.of_pack[list(group), person]), torso, Rules())
        for person, torso in zip(people, torso_lengths(labels), strict=True)
    ]
    places, agreed = (np.array(part) for part in zip(*found, strict=True))
    right, agreed = pck_hits(places, labels)[:, list(sk.BODY)], agreed[:, list(sk.BODY)]
    annotated = np.isfinite(right)
    return right[annotated], agreed[annotated]


def render(found: list[list[str]], people: int) -> str:
    """The report."""
    heads = ["teachers", "correct joints", "joints on which two agree", "correct among these"]
    return f"""# Accuracy of the teachers of pose labels

Made by `python benchmarks/teachers.py`. {people} training people of LSP Extended; a joint is
correct within a fifth of the torso of the annotation. Of the annotations, the teachers' predictions
use only the mean width and height of each pair of joints; gymform's own models (name@sha256) were
trained on labels that derive from them. Each teacher predicts two augmented crops of each person;
what counts is where most predictions lie.
{describe()}

{table(heads, found)}
"""


if __name__ == "__main__":
    raise SystemExit(main())
