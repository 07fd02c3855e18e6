"""How often the number of repetitions is right, counted by eye, for every exercise.

    python benchmarks/counting.py CLIPS --poses DIR [--dataset DIR] [--list] [--only EXERCISE]

CLIPS is the folder of the videos. ``truth/counts.csv`` says for each clip which exercise it shows
and how many whole repetitions, counted by eye in pictures of the whole clip in time. Where the eye
could not decide whether the clip's first or last repetition is whole, `count` and `most` are the
two answers that are right. Clips made by a computer are left out.

Keypoints come from the data set given by ``--dataset`` where it has them, else from the folder of
``--poses``, where those that are found now are kept, so that a broken run goes on where it was.
``--pose-model`` and ``--max-fps`` say how to find them; ``--known`` finds none. ``--list`` prints a
line for every clip that is not exact. The exercise is the truth's: what is judged here is counting
alone.

Writes ``counting.md`` beside this file.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cached_poses import cached_pose, kept_file
from machine import describe, table

from gymform.dataset.reviews import ReviewStore
from gymform.exercises import EXERCISES, title_of
from gymform.form.cues import assess_form
from gymform.motion.clean import clean
from gymform.motion.quality import assess
from gymform.pose.files import load_poses
from gymform.types import PoseSequence, Prediction

TRUTH = Path(__file__).parent / "truth" / "counts.csv"
OUT = Path(__file__).with_suffix(".md")


@dataclass(frozen=True)
class Truth:
    """What the eye counted in a clip: from ``count`` to ``most`` whole repetitions."""

    file: str
    group: str
    exercise: str
    count: int
    most: int
    note: str


@dataclass(frozen=True)
class Answer:
    """What gymform counted in a clip: whole repetitions, and those that are cut off."""

    truth: Truth
    whole: int
    cut_off: int

    @property
    def error(self) -> int:
        """How many more than the eye, below 0 fewer; 0 where it is right."""
        return self.whole - min(max(self.whole, self.truth.count), self.truth.most)


def main() -> int:
    """Count in all clips of the truth whose keypoints are there, print and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path, metavar="CLIPS")
    parser.add_argument("--poses", type=Path, required=True, metavar="DIR")
    parser.add_argument("--dataset", type=Path, metavar="DIR")
    parser.add_argument("--pose-model", metavar="NAME")
    parser.add_argument("--max-fps", type=float, metavar="HZ")
    parser.add_argument("--known", action="store_true", help="find no keypoints")
    parser.add_argument("--only", metavar="EXERCISE")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    truths = [one for one in truth() if options.only in (None, one.exercise)]
    answers, networks = [], []
    stored = poses_of_dataset(options.dataset) if options.dataset else {}
    for one in truths:
        pose = pose_of(one.file, stored, options)
        if pose is None:
            continue
        networks.append(pose.provenance.network)
        answers.append(counted(one, pose))
        if options.list and answers[-1].error:
            print(line(answers[-1]), flush=True)
    text = render(answers, len(truths), networks)
    if options.only is None:
        OUT.write_text(text, encoding="utf-8")
    print(text)
    return 0


# ---- truth and keypoints -------------------------------------------------------------------------


def truth() -> list[Truth]:
    """All that was counted by eye, an exercise after the other in turns."""
    with TRUTH.open(newline="", encoding="utf-8") as file:
        rows = [
            Truth(row["file"], row["group"], row["exercise"], int(row["count"]), int(row["most"]),
                  row["note"])
            for row in csv.DictReader(file)
        ]  # fmt: skip
    place: dict[str, int] = {}
    order = []
    for row in rows:
        place[row.exercise] = place.get(row.exercise, 0) + 1
        order.append((place[row.exercise], row.exercise, row))
    return [row for *_, row in sorted(order, key=lambda one: one[:2])]


def poses_of_dataset(folder: Path) -> dict[str, Path]:
    """The keypoint file of each clip of a data set that has one, by where the clip came from."""
    with ReviewStore.open(folder) as store:
        files = {clip.source: store.files.poses(clip.sha256) for clip in store.clips()}
    return {source: path for source, path in files.items() if path.is_file()}


def pose_of(file: str, stored: dict[str, Path], options: argparse.Namespace) -> PoseSequence | None:
    """The keypoints of a clip: the data set's, those that are kept, or found now."""
    if file in stored:
        return load_poses(stored[file])
    if options.known and not kept_file(options.poses, file).is_file():
        return None
    return cached_pose(
        options.clips, file, options.poses, model=options.pose_model, max_fps=options.max_fps
    )


def counted(one: Truth, pose: PoseSequence) -> Answer:
    """What gymform counts in a clip whose exercise is known."""
    tracks = clean(pose)
    known = Prediction((one.exercise, "other"), (1.0, 0.0), one.exercise, None, "")
    form = assess_form(pose, tracks, assess(pose, tracks), known)
    whole = sum(not rep.cut_off_by for rep in form.repetitions)
    return Answer(one, whole, len(form.repetitions) - whole)


# ---- the report ----------------------------------------------------------------------------------


def by_eye(one: Truth) -> str:
    """The count by eye: "3", or "3 or 4"."""
    return str(one.count) if one.count == one.most else f"{one.count} or {one.most}"


def line(answer: Answer) -> str:
    """A clip in a line."""
    one = answer.truth
    cut = f" and {answer.cut_off} cut off" if answer.cut_off else ""
    return f"{one.file}: {answer.whole}{cut}, by eye {by_eye(one)} {one.note}"


def shares(answers: Sequence[Answer]) -> list[str]:
    """How many are exact, off by one, and off by more."""
    errors = [abs(answer.error) for answer in answers]
    parts = [sum(e == 0 for e in errors), sum(e == 1 for e in errors), sum(e > 1 for e in errors)]
    return [f"{n} ({n / max(len(errors), 1):.1%})".replace("%", " %") for n in parts]


def rows_by_exercise(answers: Iterable[Answer]) -> list[list[str]]:
    """A row for each exercise, and one for all."""
    answers, rows = list(answers), []
    for key in (one.key for one in EXERCISES):
        mine = [answer for answer in answers if answer.truth.exercise == key]
        if mine:
            people = len({answer.truth.group for answer in mine})
            rows.append([title_of(key), str(len(mine)), str(people), *shares(mine)])
    people = len({answer.truth.group for answer in answers})
    return [*rows, ["All", str(len(answers)), str(people), *shares(answers)]]


def render(answers: Sequence[Answer], clips: int, networks: Sequence[str]) -> str:
    """The report in Markdown."""
    sure = [answer for answer in answers if answer.truth.count == answer.truth.most]
    exact, _, far = shares(sure)
    wide = len(answers) - len(sure)
    used = [f"{name} in {networks.count(name)} clips" for name in sorted(set(networks))]
    wrong = [
        [answer.truth.file, str(answer.whole), by_eye(answer.truth), answer.truth.note]
        for answer in answers
        if answer.error
    ]
    header = ["exercise", "clips", "groups", "exact", "off by one", "off by more"]
    return f"""# Repetitions, counted by eye

Made by `python benchmarks/counting.py CLIPS --poses DIR`. In {len(answers)} of {clips} clips whose
repetitions somebody counted. In {wide} of them the eye could not decide whether the first or the
last repetition is whole, and either count is right; of the {len(sure)} others {exact} are exact and
{far} off by more than one. The exercise is taken as known. Pose networks: {", ".join(used)}.
Measured on: {describe()}.

{table(header, rows_by_exercise(answers))}

Not exact:

{table(["clip", "counted", "by eye", "note"], wrong)}
"""


if __name__ == "__main__":
    sys.exit(main())
