"""All network families on the same repetitions: how well each tells the exercises apart.

    python benchmarks/families.py CLIPS POSES [--rejected CSV] [--training-only GROUPS]
        [--only NAME,...] [--work DIR] [--threads N]

CLIPS is a folder of videos with an ``index.csv`` (columns `file`, `exercise`, `group`), POSES one
of their keypoint files. Of each clip at most :data:`MOST` repetitions are taken, of clips without
any the whole clip. Each family is trained as ``train DATASET`` trains it, with its usual steps, by
cross-validation in five folds by group, on all classes that the shipped networks are taught. *First
three*: on the repetitions of snatch, deadlift and squat, the likeliest of these three. A class of
too few people to be held out counts as `other`. Clips that CSV rejects (columns `file`, `reason`)
and those of GROUPS, a pattern, are left out. DIR keeps finished networks, decoded frames and
results, so that a broken run goes on where it was; with ``--only`` some families are trained and
nothing is reported.

Writes ``families.md`` beside this file.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import time
import typing
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import torch
from machine import describe, table
from sklearn.metrics import f1_score

from gymform.exercise.networks.catalogue import CATALOGUE
from gymform.exercises import find_exercise
from gymform.form.cues import repetitions_of
from gymform.motion.clean import clean
from gymform.motion.repetitions import whole_repetitions
from gymform.storage import atomic_path
from gymform.training.exercise import cross_validation
from gymform.training.exercise.corpus import Corpus, Example, order_classes, trim
from gymform.training.exercise.cross_validation import CrossValidation
from gymform.training.exercise.experiment import command_line
from gymform.training.exercise.experiment import cross_validation as validate
from gymform.training.exercise.fitting import fit
from gymform.training.exercise.model_card import FIRST_THREE
from gymform.training.exercise.readiness import too_small
from gymform.training.exercise.records import TEST, TrainingReport, TrainOptions, from_plain
from gymform.training.exercise.release import Bar
from gymform.training.exercise.report import make_report
from gymform.training.exercise.samples import load_clips, without_rejected
from gymform.training.exercise.tracks import LabelledPose
from gymform.types import OTHER, PoseSequence
from gymform.weights import sha256_of

OUT = Path(__file__).with_suffix(".md")

MOST = 3
"""Repetitions of one clip, evenly spread over those that it has."""

TIMED_STEPS = 8

ALIKE = 0.01
"""Accuracies that differ by less say nothing: it is 6 repetitions of 600."""

cross_validation.LOG_LINES = 1  # nobody looks at the curves, and pixels take long to validate


# ---- the repetitions -----------------------------------------------------------------------------


def spans(pose: PoseSequence, action: str) -> list[tuple[float, float]]:
    """(start, end) s of at most :data:`MOST` whole repetitions; of the whole clip without any."""
    tracks, known = clean(pose), find_exercise(action)
    found = [] if known is None else repetitions_of(tracks, known)
    whole = [(one.start_s, one.end_s) for one in found if one.cut_off_by is None]
    whole = whole or whole_repetitions(tracks)
    if not whole:
        return [(float(pose.time_s[0]), float(pose.time_s[-1]))]
    chosen = np.unique(np.linspace(0, len(whole) - 1, MOST).round().astype(int))
    return [whole[i] for i in chosen]


def corpus_of(clips: Path, poses: Path, labelled: Sequence[LabelledPose], work: Path) -> Corpus:
    """The repetitions of all clips, as a data set would hold them."""
    examples, tracks = [], []
    for clip in labelled:
        sha256 = clip.pose.provenance.clip_sha256 or sha256_of(clips / clip.name)
        for part, (start, end) in enumerate(spans(clip.pose, clip.action), 1):
            name = f"{clip.name}#{part}"
            kept = (poses / clip.name).with_suffix(".npz")
            examples.append(Example(
                item_id=name, clip_sha256=sha256, exercise=clip.label, group=clip.group,
                start_s=start, end_s=end, pose_path=kept, clip_path=clips / clip.name, name=name,
            ))  # fmt: skip
            pose = trim(clip.pose, start, end)
            tracks.append(LabelledPose(name, clip.label, clip.action, clip.group, "clips", pose))
    order = sorted(range(len(examples)), key=lambda i: examples[i].item_id)
    classes = order_classes([track.label for track in tracks])
    return Corpus(
        work.name, work, classes, tuple(examples[i] for i in order), tuple(tracks[i] for i in order)
    )


# ---- training ------------------------------------------------------------------------------------


def result_of(corpus: Corpus, model: str, threads: int) -> TrainingReport:
    """The report of a family, trained now unless it is kept."""
    kept = corpus.folder / f"{model}.json"
    if not kept.is_file():
        options = TrainOptions(model=model, threads=threads)
        validation = validate(corpus, options, corpus.folder / "folds", Bar())
        result = validation.run()
        report = make_report(kept.stem, corpus, options, validation, result, command_line(options))
        seconds = step_s(validation) * report.steps * report.folds
        report = replace(report, timing=replace(report.timing, training_s=seconds))
        with atomic_path(kept) as temporary:
            temporary.write_text(json.dumps(asdict(report)), encoding="utf-8")
    return typing.cast(
        TrainingReport, from_plain(TrainingReport, json.loads(kept.read_text("utf-8")))
    )


def step_s(validation: CrossValidation) -> float:
    """Seconds that a step of training takes, the median of some."""
    task, plan = validation.task, replace(validation.plan, steps=TIMED_STEPS)
    network = task.build()
    batches = task.batches(network, np.arange(len(task.labels)), 0)
    ends = []
    fit(network, itertools.islice(batches, plan.steps), plan,
        lambda *_: ends.append(time.perf_counter()))  # fmt: skip
    return float(np.median(np.diff(ends)))


# ---- the report ----------------------------------------------------------------------------------


def minutes(seconds: float) -> str:
    """Minutes and seconds: "7:05"."""
    return "{}:{:02d}".format(*divmod(round(seconds), 60))


def first_three(report: TrainingReport) -> tuple[float, float]:
    """Accuracy and macro F1 on the repetitions of the first three exercises, of these three."""
    columns = [report.classes.index(name) for name in FIRST_THREE]
    mine = [one for one in report.answers if one.truth in FIRST_THREE]
    truth = np.array([FIRST_THREE.index(one.truth) for one in mine])
    told = np.array([np.array(one.probabilities)[columns].argmax() for one in mine])
    return float((truth == told).mean()), float(f1_score(truth, told, average="macro"))


def rows_of(reports: dict[str, TrainingReport]) -> list[list[str]]:
    """A row of the table for each family."""
    rows = []
    for name, report in reports.items():
        test = report.parts[TEST]
        figures = (test.accuracy, test.macro.f1, *first_three(report))
        timing = report.timing
        rows.append([
            CATALOGUE[name].title, *(f"{one:.3f}" for one in figures), f"{report.parameters:,}",
            f"{timing.ms_per_clip:.1f}", minutes(timing.training_s), str(report.steps),
        ])  # fmt: skip
    return rows


def recall_rows(reports: dict[str, TrainingReport]) -> list[list[str]]:
    """A row for each class: how many of its repetitions each family tells."""
    first = next(iter(reports.values()))
    rows = []
    for k, name in enumerate(first.classes):
        told = [f"{one.parts[TEST].rows[k].recall:.2f}" for one in reports.values()]
        rows.append([name, str(first.clips[name]), str(first.groups[name]), *told])
    return rows


def render(reports: dict[str, TrainingReport], clips: int, small: Sequence[str]) -> str:
    """The report in Markdown."""
    header = ["family", "accuracy", "macro F1", "first three", "macro F1 of these", "parameters",
              "ms a repetition", "training, min:s", "steps"]  # fmt: skip
    accuracy = {name: one.parts[TEST].accuracy for name, one in reports.items()}
    best = max(accuracy, key=lambda name: accuracy[name])
    alike = [CATALOGUE[name].title for name in accuracy if accuracy[best] - accuracy[name] <= ALIKE]
    report = reports[best]
    some = sum(report.clips[name] for name in FIRST_THREE)
    return f"""# Network families

Made by `python benchmarks/families.py CLIPS POSES`. {sum(report.clips.values())} repetitions of
{clips} clips, {len(report.classes)} classes: `other` is all the rest, and of too few people to be
held out, and so `other` too: {", ".join(small) or "none"}. Five folds by group: every repetition is
judged by a network that saw nobody of its group. First three: on the {some} repetitions of snatch,
deadlift and squat, the likeliest of these. All families learn from these repetitions only, each
with its usual steps; the shipped networks learn from annotated tracks and calculated figures too,
and judge whole clips. Families on pixels see 8 frames of 96 px, cropped to the lifter; ViViT starts
from the embedded pose network. Time is from keypoints, or decoded frames, to the answer; training
is that of five networks, as a few steps take, with {torch.get_num_threads()} thread.

{table(header, rows_of(reports))}

Best by accuracy, or less than {ALIKE:.2f} below it: **{", ".join(alike)}**.

## Recall by class

{
        table(
            ["class", "repetitions", "groups", *(CATALOGUE[name].title for name in reports)],
            recall_rows(reports),
        )
    }

{describe()}
"""


def main() -> int:
    """Train all families, print and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path, metavar="CLIPS")
    parser.add_argument("poses", type=Path, metavar="POSES")
    parser.add_argument("--rejected", type=Path, metavar="CSV")
    parser.add_argument("--training-only", default="", metavar="GROUPS")
    parser.add_argument("--only", default="", metavar="NAME,...")
    parser.add_argument("--work", type=Path, default=Path("out/families"), metavar="DIR")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(options.threads)
    labelled = load_clips(options.poses, options.clips / "index.csv")
    if options.rejected:
        labelled, _ = without_rejected(labelled, options.rejected)
    labelled = [one for one in labelled if not fnmatchcase(one.group, options.training_only)]
    people = Counter(label for label, _ in {(one.label, one.group) for one in labelled})
    small = too_small(people)
    labelled = [replace(one, label=OTHER) if one.label in small else one for one in labelled]
    corpus = corpus_of(options.clips, options.poses, labelled, options.work)
    wanted = options.only.split(",") if options.only else list(CATALOGUE)
    reports = {name: result_of(corpus, name, options.threads) for name in wanted}
    if not options.only:
        text = render(reports, len(labelled), sorted(small))
        OUT.write_text(text, encoding="utf-8")
        print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
