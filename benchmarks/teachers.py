"""What the teachers of pose labels know: their answers against annotations that they did not see.

    python benchmarks/teachers.py PACK [--answers scripts/teacher_answers.npz] [--people 1500]

PACK is the pack of annotated people. Of people of LSP Extended that networks are trained on, the
place where most of the answers lie (``gymform/training/pose/label_fusion.py``, the annotation left
out) is compared with the annotation, for each teacher and for several together. What annotators
mean by a joint has been learnt from all annotations (two numbers a pair of joints); a teacher of
gymform's own has learned from labels in which they have a part.

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
    conformed,
    gather,
    read_answers,
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
    answers = read_answers(options.answers, pack)
    answers = replace(answers, of_pack=conformed(pack, answers))
    people = some_people(pack, answers, options.people)
    report = render(list(rows(pack, answers, people)), len(people))
    OUT.write_text(report, encoding="utf-8")
    print(report)
    return 0


def some_people(pack: CropPack, answers: TeacherKeypoints, count: int) -> np.ndarray:
    """Places in ``answers`` of some people of LSP Extended whose torso is annotated."""
    known = np.isfinite(torso_lengths(pack.keypoints[answers.row]))
    candidates = np.flatnonzero(known & (pack.dataset[answers.row] == DATASET))
    return np.sort(np.random.default_rng(0).permutation(candidates)[:count])


def rows(pack: CropPack, answers: TeacherKeypoints, people: np.ndarray) -> Iterator[list[str]]:
    """For each group of teachers its names, share of joints that are right, share of joints that
    two of them have at the same place, and share of those that are right."""
    everyone = range(len(answers.teachers))
    for size in range(1, len(everyone) + 1):
        for group in itertools.combinations(everyone, size):
            right, agreed = compare(pack, answers, people, group)
            shares = [f"{agreed.mean():.2f}", f"{right[agreed].mean():.3f}"] if size > 1 else "--"
            names = " + ".join(answers.teachers[at] for at in group)
            yield [names, f"{right.mean():.3f}", *shares]


def compare(
    pack: CropPack, answers: TeacherKeypoints, people: np.ndarray, group: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Of each annotated joint of the body, whether the answer is right and whether two agree."""
    truth = pack.keypoints[answers.row[people]].astype(float)
    unseen = np.zeros((sk.NUM_KEYPOINTS, 3))
    found = [
        gather(unseen, list(answers.of_pack[list(group), person]), torso, Rules())
        for person, torso in zip(people, torso_lengths(truth), strict=True)
    ]
    places, agreed = (np.array(part) for part in zip(*found, strict=True))
    right, agreed = pck_hits(places, truth)[:, list(sk.BODY)], agreed[:, list(sk.BODY)]
    annotated = np.isfinite(right)
    return right[annotated], agreed[annotated]


def render(found: list[list[str]], people: int) -> str:
    """The report."""
    heads = ["teachers", "joints right", "joints on which two agree", "of these right"]
    return f"""# What the teachers of pose labels know

Made by `python benchmarks/teachers.py`. {people} people of LSP Extended, of those that networks
are trained on; right is what lies within a fifth of the torso of the annotation. Teachers have not
seen the annotations, but for how wide apart and how high these have the joints of a pair; a teacher
of gymform's own (name@sha256) has learned from labels that they are part of. The answers to two
views of each person count, where most of them lie.
{describe()}

{table(heads, found)}
"""


if __name__ == "__main__":
    raise SystemExit(main())
