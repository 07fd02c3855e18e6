"""Few clips of new exercises: a network from nothing against one that starts from a trained one.

    python benchmarks/fine_tuning.py POSES INDEX TRACKS [--training-only GROUPS] [--draws N]
        [--work DIR]

POSES is a folder of keypoint files, INDEX a CSV with the columns `file`, `exercise` and `group`,
TRACKS a folder with ready-made tracks: the data of ``train-exercise``. A first network is trained
as the shipped ones are, but without any clip, track or calculated figure of the exercises in
:data:`NEW`. Then, in each draw, five clips of three people of each of these are taken, networks are
trained on them to tell these exercises apart, and judged on all clips of other people. GROUPS is a
pattern of those that only the first network learns from. DIR keeps that network.

Writes ``fine_tuning.md`` beside this file.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import torch
from machine import describe, table
from torch import Tensor

from gymform.exercise.networks.registry import family_of
from gymform.training.exercise import augment as aug
from gymform.training.exercise.fitting import Plan, fit
from gymform.training.exercise.keypoint_task import KeypointTask, Sampling, departing_classes
from gymform.training.exercise.pretraining import HEAD
from gymform.training.exercise.records import FEWER_STEPS
from gymform.training.exercise.release import TrainConfig
from gymform.training.exercise.samples import (
    CLASS_SHARES,
    CLASSES,
    load_clips,
    load_tracks,
    make_samples,
)
from gymform.training.exercise.tracks import LabelledPose

OUT = Path(__file__).with_suffix(".md")

NEW = ("bicep_curl", "lunge", "row", "push_up", "sit_up")
"""Exercises that the first network has never seen."""

PEOPLE, CLIPS = 3, 5
"""Of each exercise: clips of so many people, and so many of them."""

FAMILY = family_of("tcn")


def first_network(clips: Sequence[LabelledPose], tracks: Path, work: Path) -> dict[str, Tensor]:
    """The weights of a network taught everything but :data:`NEW`, without its last layer."""
    kept = work / "first.pt"
    if not kept.is_file():
        config = TrainConfig(steps=2000, augmented_samples=30_000)
        known = [one for one in [*clips, *load_tracks(tracks)] if one.label not in NEW]
        made = make_samples(known, config.synthetic_lifters, config.seed)
        samples = [one for one in made if one.label not in NEW]
        shares = {name: 0.0 if name in NEW else share for name, share in CLASS_SHARES.items()}
        sampling = Sampling(config.augmented_samples, config.steps, config.batch, 0, shares)
        task = KeypointTask(known, samples, CLASSES, config.family, config.channels, sampling)
        torch.manual_seed(0)
        network = task.build()
        trained = fit(network, task.batches(network, np.arange(len(known)), 0), config.plan)
        work.mkdir(parents=True, exist_ok=True)
        torch.save(trained.state_dict(), kept)
    state: dict[str, Tensor] = torch.load(kept, weights_only=True)
    return {key: tensor for key, tensor in state.items() if not key.startswith(HEAD)}


def drawn(clips: Sequence[LabelledPose], seed: int) -> tuple[list[LabelledPose], set[str]]:
    """Clips to train on, and the people who are in them."""
    rng = np.random.default_rng(seed)
    chosen: list[LabelledPose] = []
    everybody: set[str] = set()
    for name in NEW:
        own = [one for one in clips if one.label == name]
        people = rng.permutation(sorted({one.group for one in own}))[:PEOPLE].tolist()
        own = [own[i] for i in rng.permutation(len(own)) if own[i].group in people]
        first = [next(one for one in own if one.group == person) for person in people]
        rest = [one for one in own if all(one is not other for other in first)]
        chosen += (first + rest)[:CLIPS]
        everybody |= set(people)
    return chosen, everybody


@dataclass(frozen=True)
class Outcome:
    """The share of clips named rightly, by a training that took so many seconds."""

    accuracy: float
    seconds: float


def outcome(
    train: Sequence[LabelledPose],
    test: Sequence[LabelledPose],
    origin: dict[str, Tensor],
    steps: int,
) -> Outcome:
    """Train on few clips, and judge the others."""
    samples = [sample for one in train if (sample := aug.make_sample(one))]
    departing = departing_classes(samples)
    samples = [dataclasses.replace(s, departs=s.label in departing) for s in samples]
    shares = dict.fromkeys(NEW, 1.0)
    sampling = Sampling(FAMILY.views, steps, FAMILY.batch, 0, shares)
    items = [*train, *test]
    task = KeypointTask(items, samples, NEW, FAMILY, FAMILY.width, sampling, origin=origin)
    torch.manual_seed(0)
    network = task.build()
    plan = Plan(steps, FAMILY.learning_rate)
    next(task.batches(network, np.arange(len(train)), 0))  # the samples are made once for all folds
    began = time.perf_counter()
    trained = fit(network, task.batches(network, np.arange(len(train)), 0), plan)
    seconds = time.perf_counter() - began
    logits = task.logits([trained], range(len(train), len(items)))
    right = logits.argmax(1) == task.labels[len(train) :]
    return Outcome(float(right.mean()), seconds)


def main() -> int:
    """Train, judge, print and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("poses", "index", "tracks"):
        parser.add_argument(name, type=Path, metavar=name.upper())
    parser.add_argument("--training-only", default="", metavar="GROUPS")
    parser.add_argument("--draws", type=int, default=4, metavar="N")
    parser.add_argument("--work", type=Path, default=Path("out/fine_tuning"), metavar="DIR")
    options = parser.parse_args()
    torch.set_num_threads(1)
    clips = load_clips(options.poses, options.index)
    origin = first_network(clips, options.tracks, options.work)
    apart = options.training_only
    few = [one for one in clips if one.label in NEW and not fnmatchcase(one.group, apart)]
    ways = {
        "from nothing": ({}, FAMILY.steps),
        "from nothing, as few steps": ({}, FAMILY.steps // FEWER_STEPS),
        "from the first network": (origin, FAMILY.steps // FEWER_STEPS),
    }
    found: dict[str, list[Outcome]] = {name: [] for name in ways}
    tested = []
    for draw in range(options.draws):
        train, people = drawn(few, draw)
        test = [one for one in few if one.group not in people]
        tested.append(len(test))
        for name, (start, steps) in ways.items():
            found[name].append(outcome(train, test, start, steps))
            print(draw, name, found[name][-1], file=sys.stderr)
    rows = [
        [
            name,
            str(ways[name][1]),
            f"{np.mean([one.accuracy for one in outcomes]):.3f}",
            f"{min(one.accuracy for one in outcomes):.3f}",
            f"{np.mean([one.seconds for one in outcomes]):.0f} s",
        ]
        for name, outcomes in found.items()
    ]
    parts = [
        "# Few clips of new exercises",
        f"Made by `python benchmarks/fine_tuning.py POSES INDEX TRACKS`, {describe()}.",
        f"{', '.join(NEW)}: {CLIPS} clips of {PEOPLE} people of each are trained on, in "
        f"{options.draws} draws, and all {min(tested)} to {max(tested)} clips of other people are "
        "judged. The first network was taught all other exercises, as the shipped ones are.",
        table(["start", "steps", "accuracy", "lowest draw", "training"], rows),
    ]
    text = "\n\n".join(parts) + "\n"
    OUT.write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
