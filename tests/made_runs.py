"""Made-up data sets and trainings for the page Models: as they are on disk, without a network."""

from __future__ import annotations

import dataclasses
import itertools
import json
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gymform import skeleton as sk
from gymform.dataset.groups import confirm
from gymform.dataset.items import ACCEPTED
from gymform.dataset.reviews import ReviewStore
from gymform.pose.files import save_poses
from gymform.training.exercise import records, runs
from gymform.types import PoseSequence
from tests.dataset import makers
from tests.fakes import make_pose, squat_keypoints

CLASSES = makers.EXERCISES


def make_accepted(folder: Path, count: int = 24, *, files: bool = False, **changes: Any) -> Path:
    """A data set in ``folder`` whose repetitions are all accepted but the last; ``changes`` of
    every clip, such as ``exercise`` or ``group``."""
    with ReviewStore.open(folder, create=True) as store:
        if files:
            makers.fill_store(store, count)
        else:
            for number in range(count):
                clip = makers.clip_record(number, **changes)
                store.add_clip(clip)
                item, quality = makers.item_of(clip), makers.quality_of(number)
                store.set_extracted(clip.sha256, [item], [quality])
        items = [judged.item.id for judged in store.judged()]
        store.decide_all(items[:-1], ACCEPTED, reviewer="tester")
    return folder


def make_part(truths: Sequence[str], answers: Sequence[str], confidence: Sequence[float]):
    """The metrics of predictions, counted in the simplest way."""
    pairs = Counter(zip(truths, answers, strict=True))
    rows = []
    for name in CLASSES:
        hit = pairs[name, name]
        support = truths.count(name)
        precision = hit / max(1, list(answers).count(name))
        recall = hit / max(1, support)
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        rows.append(records.ClassRow(name, precision, recall, f1, support))
    mean = [sum(getattr(r, k) for r in rows) / len(rows) for k in ("precision", "recall", "f1")]
    right = [t == a for t, a in zip(truths, answers, strict=True)]
    bins = sorted({int(value * 10) for value in confidence})
    members = [[i for i, value in enumerate(confidence) if int(value * 10) == b] for b in bins]
    return records.Part(
        clips=len(truths),
        accuracy=sum(right) / max(1, len(right)),
        rows=tuple(rows),
        macro=records.Averages(*mean),
        weighted=records.Averages(*mean),
        confusion=tuple(tuple(pairs[t, a] for a in CLASSES) for t in CLASSES),
        reliability=records.Reliability(
            tuple(sum(confidence[i] for i in m) / len(m) for m in members),
            tuple(sum(right[i] for i in m) / len(m) for m in members),
            tuple(len(m) for m in members),
        ),
        ece=0.034,
    )


def make_report(dataset: Path, run: str, *, model: str = "tcn", wrong: float = 0.12, seed: int = 0):
    """A report on the accepted clips of ``dataset``; a share of ``wrong`` is misclassified."""
    draw = random.Random(seed)
    with ReviewStore.open(dataset) as store:
        items = [judged.item for judged in store.judged() if judged.verdict == ACCEPTED]
    truths = [item.exercise for item in items]
    answers, confidence = [], []
    for truth in truths:
        mistaken = draw.random() < wrong
        answers.append(draw.choice([c for c in CLASSES if c != truth]) if mistaken else truth)
        confidence.append(draw.uniform(0.4, 0.9) if mistaken else draw.uniform(0.6, 0.999))
    test = make_part(truths, answers, confidence)
    return records.TrainingReport(
        run=run,
        model=model,
        dataset=dataset.name,
        classes=CLASSES,
        clips=dict(Counter(truths)),
        groups={name: len({i.group for i in items if i.exercise == name}) for name in CLASSES},
        folds=5,
        seed=0,
        steps=300,
        parts={
            records.TRAIN: make_part(truths, truths, [0.99] * len(truths)),
            records.VALIDATION: test,
            records.TEST: test,
        },
        slices=(
            records.Slice("view", "side", 40, 0.95),
            records.Slice("view", "front", 12, 0.75),
            records.Slice("camera", "still", 45, 0.93),
            records.Slice("camera", "moving", 7, 0.71),
            records.Slice("coverage", "whole body", 48, 0.92),
            records.Slice("coverage", "partly", 4, 0.5),
        ),
        learning_curve=tuple(
            records.CurvePoint(n, 1.0, 0.95 - 0.5 / n**0.5, len(items)) for n in (6, 12, 24, 48)
        ),
        answers=tuple(
            records.TestPrediction(i.id, i.name, t, a, c, 0.9 if t == a else 0.1)
            for i, t, a, c in zip(items, truths, answers, confidence, strict=True)
        ),
        parameters=89_116,
        temperature=1.1,
        timing=records.Timing(9.1, 154.0),
        command="python -m gymform train DATASET --out RUN",
        unconfirmed=0,
    )


def make_run(dataset: Path, name: str, state: str = records.DONE, **changes: Any) -> Path:
    """Write a training's folder as the command does; ``changes`` replace fields of its RunInfo."""
    folder = runs.runs_dir(dataset) / name
    folder.mkdir(parents=True)
    options = records.TrainOptions(model=changes.pop("model", "tcn"))
    values: dict[str, Any] = {
        "started_at": "2026-11-24T10:00:00.000+00:00",
        "ended_at": None if state == records.RUNNING else "2026-11-24T10:03:00.000+00:00",
        "classes": CLASSES,
        "stage": "fold 2 of 5",
        "done": 300,
        "total": 900,
    }
    info = records.RunInfo(name, dataset.name, options, state, **values | changes)
    (folder / "run.json").write_text(json.dumps(dataclasses.asdict(info)))
    if state == records.DONE:
        report = make_report(dataset, name, model=options.model)
        (folder / "report.json").write_text(json.dumps(dataclasses.asdict(report)))
        (folder / "model.safetensors").write_bytes(b"weights of " + name.encode())
        (folder / "model.json").write_text(json.dumps({"classes": CLASSES}))
    write_log(folder)
    return folder


def write_log(folder: Path, folds: int = 2, steps: int = 30) -> None:
    """Curves that fall and rise as they should."""
    lines = ["fold,step,train_loss,val_loss,val_accuracy"]
    for fold in range(1, folds + 1):
        for step in range(0, 10 * steps, 10):
            loss = 1.1 / (1 + step / 40) + 0.02 * fold
            held_out = f"{loss + 0.1:.4f},{1 - loss / 1.5:.4f}" if step % 50 == 0 else ","
            lines.append(f"{fold},{step},{loss:.4f},{held_out}")
    (folder / "log.csv").write_text("\n".join(lines) + "\n")


def changed(report: records.TrainingReport, **changes: Any) -> records.TrainingReport:
    """``report`` with some fields replaced."""
    return dataclasses.replace(report, **changes)


def write_report(folder: Path, report: records.TrainingReport) -> None:
    """Replace the report in the folder by ``report``."""
    (folder / "report.json").write_text(json.dumps(dataclasses.asdict(report)))


def make_learnable(folder: Path, groups: int = 4, each: int = 2) -> Path:
    """Squats and curls of ``groups`` people, ``each`` of both: easy to tell apart, all accepted."""
    seeds = itertools.count()
    video = folder / "square.mp4"
    with ReviewStore.open(folder, create=True) as store:
        makers.write_square(video, seconds=1.0)
        for exercise, group, _ in itertools.product(("squat", "curl"), range(groups), range(each)):
            number = next(seeds)
            clip = makers.clip_record(number, exercise=exercise, group=f"person-{group}")
            store.add_clip(clip)
            store.set_extracted(clip.sha256, [makers.item_of(clip)], [makers.quality_of(number)])
            pose = _moving(exercise, number)
            origin = dataclasses.replace(pose.provenance, clip_sha256=clip.sha256)
            pose = dataclasses.replace(pose, provenance=origin)
            save_poses(store.files.poses(clip.sha256), pose)
            for path in (store.files.clip(clip), store.files.proxy(clip.sha256)):
                path.parent.mkdir(exist_ok=True)
                path.hardlink_to(video)
        store.decide_all([one.item.id for one in store.judged()], ACCEPTED, reviewer="tester")
        confirm(store, reviewer="tester")
    return folder


def _moving(exercise: str, seed: int) -> PoseSequence:
    """A squat, or somebody who stands and lifts the forearms."""
    pose = make_pose(90, size=makers.SIZE, noise=0.3, seed=seed)
    if exercise == "squat":
        return pose
    xy = np.repeat(pose.xy[:1], len(pose), axis=0) + (pose.xy - squat_keypoints(90, makers.SIZE))
    lift = makers.SIZE[1] / 4 * np.sin(np.linspace(0, np.pi, len(pose))) ** 2
    for wrist in (sk.LEFT_WRIST, sk.RIGHT_WRIST):
        xy[:, wrist, 1] += makers.SIZE[1] / 5 - 1.5 * lift
    return dataclasses.replace(pose, xy=xy.astype(np.float32))
