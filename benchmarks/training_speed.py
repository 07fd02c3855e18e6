"""What `train DATASET` spends its time on, and how good the networks are for it.

    python benchmarks/training_speed.py POSES [--as NAME] [--few N] [--many N] [--folds N]
        [--seeds N]

POSES is a folder of keypoint files called `EXERCISE__SOURCE__NAME.npz`. Two reviewed data sets are
made of them, of few and of many clips of the exercises that three sources and more show, and each
is trained on with one thread. Figures of other NAMEs are kept, so that versions of gymform can be
laid side by side: check one out, run with `--as before`, then the other with `--as after`.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
from machine import describe, table

HERE = Path(__file__).parent
SOURCES = 3
"""Exercises that fewer sources show are left out: they cannot be cross-validated."""

PARTS = {
    "reading": ("gymform.training.exercise.experiment", "read_corpus"),
    "cleaning": ("gymform.training.exercise.keypoint_task", "corpus_samples"),
    "augmenting": ("gymform.training.exercise.keypoint_task", "make_augmented_samples"),
    "fitting": ("gymform.training.exercise.cross_validation", "fit"),
    "judging": ("gymform.training.exercise.keypoint_task", "KeypointTask.logits"),
    "report": ("gymform.training.exercise.experiment", "make_report"),
    "nearest clips": ("gymform.training.exercise.experiment", "make_references"),
}
"""Function of each part, as its caller finds it; "fitting" is counted without the judging in it."""


def main() -> int:
    """Train, and write the report beside what other versions took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("poses", type=Path, metavar="POSES")
    parser.add_argument("--as", dest="name", default="now", metavar="NAME")
    parser.add_argument("--few", type=int, default=12, metavar="N")
    parser.add_argument("--many", type=int, default=60, metavar="N")
    parser.add_argument("--folds", type=int, default=5, metavar="N")
    parser.add_argument("--seeds", type=int, default=1, metavar="N")
    parser.add_argument("--out", type=Path, default=HERE / "training_speed")
    options = parser.parse_args()
    kept = options.out.with_suffix(".json")
    figures = json.loads(kept.read_text()) if kept.is_file() else {}
    for count in (options.few, options.many):
        if not count:
            continue
        for seed in range(options.seeds):
            found = one_training(chosen(options.poses, count), seed, options.folds)
            print(count, seed, found, file=sys.stderr)
            figures.setdefault(options.name, {}).setdefault(str(count), {})[str(seed)] = found
            kept.write_text(json.dumps(figures, indent=1) + "\n")
    options.out.with_suffix(".md").write_text(render(figures))
    print(render(figures))
    return 0


# -- the data sets ---------------------------------------------------------------------------


def chosen(folder: Path, count: int) -> list[Path]:
    """So many keypoint files of the exercises with most sources, of all of these in turn."""
    sources: dict[str, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted(folder.glob("*__*__*.npz")):
        exercise, source, _ = path.name.split("__", 2)
        sources[exercise][source].append(path)
    enough = {name: of for name, of in sources.items() if len(of) >= SOURCES}
    ranked = sorted(enough, key=lambda name: (-len(enough[name]), name))
    kept = ranked[: max(2, min(len(ranked), count // (SOURCES + 1)))]
    queues = {name: in_turn(enough[name]) for name in kept}
    picked: list[Path] = []
    while len(picked) < count and any(queues.values()):
        picked += [queue.pop(0) for queue in queues.values() if queue]
    return picked[:count]


def in_turn(sources: dict[str, list[Path]]) -> list[Path]:
    """The files, one of each source, then a second one of each, and so on."""
    rows = [(place, name, path) for name, of in sources.items() for place, path in enumerate(of)]
    return [path for _, _, path in sorted(rows)]


def make_dataset(folder: Path, files: list[Path]) -> None:
    """A data set of whole clips, all accepted."""
    from gymform.dataset.items import ACCEPTED, ClipRecord, Item, Quality, item_id
    from gymform.dataset.reviews import ReviewStore
    from gymform.pose.files import load_poses

    with ReviewStore.open(folder, create=True) as store:
        for path in files:
            exercise, source, name = path.name.split("__", 2)
            pose, sha256 = load_poses(path), hashlib.sha256(path.name.encode()).hexdigest()
            seconds = float(pose.time_s[-1])
            store.add_clip(
                ClipRecord(sha256, name, ".mp4", exercise, source, *pose.image_size, seconds,
                           pose.fps, len(pose), "2026-01-01T00:00:00.000+00:00", name)
            )  # fmt: skip
            item = Item(item_id(sha256, 1), sha256, exercise, source, 0.0, seconds, 1, name)
            store.set_extracted(sha256, [item], [Quality(0.9)])
            store.files.poses(sha256).parent.mkdir(exist_ok=True)
            shutil.copy(path, store.files.poses(sha256))
            store.decide(item.id, ACCEPTED, reviewer="benchmark")


# -- one training ----------------------------------------------------------------------------


def one_training(files: list[Path], seed: int, folds: int) -> dict[str, Any]:
    """Processor seconds of a training by part, and what its report says."""
    from gymform.training.exercise.experiment import run_training
    from gymform.training.exercise.records import TrainOptions

    with tempfile.TemporaryDirectory(prefix="gymform-training-") as work:
        make_dataset(Path(work) / "lifts", files)
        spent: dict[str, float] = dict.fromkeys(PARTS, 0.0)
        undo = [timed(part, *place, spent) for part, place in PARTS.items()]
        began = time.process_time()
        try:
            options = TrainOptions(seed=seed, folds=folds, threads=1)
            report = run_training(Path(work) / "lifts", Path(work) / "run", options)
        finally:
            for one in undo:
                one()
        total = time.process_time() - began
        weights = hashlib.sha256((Path(work) / "run" / "model.safetensors").read_bytes())
    assert report is not None
    spent["everything else"] = total - sum(spent.values())
    return {
        "clips": len(files),
        "classes": len(report.classes),
        "folds": folds,
        "steps": options.steps_for(len(files)),
        "total_s": round(total, 1),
        "parts": {name: round(seconds, 1) for name, seconds in spent.items()},
        "accuracy": round(report.parts["test"].accuracy, 3),
        "f1": round(report.parts["test"].macro.f1, 3),
        "weights": weights.hexdigest()[:12],
    }


def timed(part: str, module: str, name: str, spent: dict[str, float]) -> Callable[[], None]:
    """Count the processor time in a function, without that of counted ones that it calls."""
    holder = sys.modules.get(module) or __import__(module, fromlist=["_"])
    *outer, last = name.split(".")
    for one in outer:
        holder = getattr(holder, one)
    real = getattr(holder, last)

    @functools.wraps(real)
    def counting(*args: Any, **kwargs: Any) -> Any:
        before, began = sum(spent.values()), time.process_time()
        try:
            return real(*args, **kwargs)
        finally:
            inside = sum(spent.values()) - before
            spent[part] += time.process_time() - began - inside

    setattr(holder, last, counting)
    return lambda: setattr(holder, last, real)


# -- the report ------------------------------------------------------------------------------


def render(figures: dict[str, Any]) -> str:
    """The report as Markdown."""
    names = list(figures)
    counts = sorted({count for of in figures.values() for count in of}, key=int)
    parts = [
        "# What training takes",
        "Made by `python benchmarks/training_speed.py POSES`. " + describe() + ". Others worked "
        "on the machine at the same time: seconds are those of the processor, with one thread.",
    ]
    for count in counts:
        found = {name: list(figures[name][count].values()) for name in names
                 if count in figures[name]}  # fmt: skip
        one = next(iter(found.values()))[0]
        parts.append(
            f"## {one['clips']} clips of {one['classes']} exercises, folds: {one['folds']}"
        )
        parts.append(table(["processor seconds", *found], rows_of(found)))
    return "\n\n".join(parts) + "\n"


def rows_of(found: dict[str, list[dict[str, Any]]]) -> list[list[str]]:
    """A row for each part, then those of the result; means over the seeds."""
    labels = list(next(iter(found.values()))[0]["parts"])
    rows = [[label, *means(found, partial(part_of, label), ".1f")] for label in labels]
    for title, key, form in (("**all**", "total_s", ".1f"), ("steps a network", "steps", ".0f"),
                             ("accuracy on held-out sources", "accuracy", ".3f"),
                             ("macro F1", "f1", ".3f")):  # fmt: skip
        rows.append([title, *means(found, itemgetter(key), form)])
    return [*rows, ["seeds", *(str(len(runs)) for runs in found.values())]]


def part_of(name: str, run: dict[str, Any]) -> float:
    """Processor seconds of a part of a training."""
    return float(run["parts"][name])


def means(
    found: dict[str, list[dict[str, Any]]], of: Callable[[dict[str, Any]], float], form: str
) -> list[str]:
    """The mean of each version's trainings."""
    return [format(float(np.mean([of(run) for run in runs])), form) for runs in found.values()]


if __name__ == "__main__":
    sys.exit(main())
