"""Whether Compare shows two squats side by side at the frames that the eye picks as their bottoms.

    python benchmarks/compare_bottoms.py CLIPS --poses DIR

CLIPS is the folder of the videos. ``truth/compare_bottoms.csv`` holds ten pairs of repetitions of
different people. The frames ``first`` to ``last``, counted from 0, are those in which the lifter is
lowest, between which the eye saw no difference: picked without a skeleton in the picture, from
strips of each frame at the head and at the hips side by side, which did not tell what the program
says. DIR keeps the keypoints; what it does not hold is found first.

Writes ``compare_bottoms.md`` beside this file. Exit code 1 when a pair is more than one frame off.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cached_poses import cached_pose
from form import report
from machine import describe, table

from gymform.compare.pair import Take, compare
from gymform.form.events import BOTTOM
from gymform.motion.clean import clean

TRUTH = Path(__file__).parent / "truth" / "compare_bottoms.csv"
OUT = Path(__file__).with_suffix(".md")
NEAR = 1
"""So many frames off may be what Compare shows."""


@dataclass(frozen=True)
class Seen:
    """One repetition: who, at how many frames a second, from which side, the frames by eye, and
    how far the frame that Compare shows lies outside of these."""

    file: str
    number: int
    fps: float
    view: str
    low: int
    high: int
    shown: int

    @property
    def off(self) -> int:
        """Frames between what is shown and what the eye picked; 0 inside."""
        return max(self.low - self.shown, self.shown - self.high, 0)


def main() -> int:
    """Measure all pairs, print and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path, metavar="CLIPS")
    parser.add_argument("--poses", type=Path, required=True, metavar="DIR")
    options = parser.parse_args()
    with TRUTH.open(newline="", encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: (int(row["pair"]), row["side"]))
    pairs = [
        measured(list(both), options.clips, options.poses)
        for _, both in itertools.groupby(rows, key=lambda row: row["pair"])
    ]
    text = render(pairs)
    OUT.write_text(text, encoding="utf-8")
    print(text)
    return 0 if all(is_right(pair) for pair in pairs) else 1


def measured(rows: list[dict[str, str]], clips: Path, poses: Path) -> tuple[Seen, Seen]:
    """Both repetitions of a pair, as Compare shows them at the bottom."""
    takes = [take_of(clips, row["file"], poses) for row in rows]
    numbers = [int(row["repetition"]) - 1 for row in rows]
    found = compare(takes[0], numbers[0], takes[1], numbers[1])
    sample = dict(found.alignment.moments)[BOTTOM]
    one, other = (seen(rows[k], takes[k], numbers[k], int(found.frames[k, sample])) for k in (0, 1))
    return one, other


def take_of(clips: Path, file: str, poses: Path) -> Take:
    """A clip, taken for a squat."""
    pose = cached_pose(clips, file, poses)
    return Take(pose, clean(pose), report(pose, "squat"))


def seen(row: dict[str, str], take: Take, number: int, shown: int) -> Seen:
    """A repetition beside what the eye says of it."""
    fps = 1 / float(np.median(np.diff(take.pose.time_s)))
    return Seen(
        row["file"], number + 1, fps, f"{take.form.turned:.0f}°",
        int(row["first"]), int(row["last"]), shown,
    )  # fmt: skip


def is_right(pair: tuple[Seen, Seen]) -> bool:
    """Are both frames within one of what the eye picks?"""
    return all(one.off <= NEAR for one in pair)


def render(pairs: list[tuple[Seen, Seen]]) -> str:
    """The report in Markdown."""
    rows = [
        [one.file, str(number), str(one.number), f"{one.fps:.0f}", one.view,
         f"{one.low} to {one.high}", str(one.shown), str(one.off)]
        for number, pair in enumerate(pairs, 1) for one in pair
    ]  # fmt: skip
    header = ["clip", "pair", "repetition", "frames a second", "turned away", "by eye", "shown",
              "frames off"]  # fmt: skip
    right = sum(is_right(pair) for pair in pairs)
    exact = sum(one.off == 0 for pair in pairs for one in pair)
    return f"""# The bottom in Compare, judged by eye

Made by `python benchmarks/compare_bottoms.py CLIPS --poses DIR`. Ten pairs of squats of different
people. By eye: the frames in which the lifter is lowest, without a difference between them to be
seen. Shown: the frame at which Compare stops both clips at the bottom.
Measured on: {describe()}.

In {right} of {len(pairs)} pairs both frames are within {NEAR} of what the eye picks;
{exact} of {2 * len(pairs)} frames are among those.

{table(header, rows)}
"""


if __name__ == "__main__":
    sys.exit(main())
