"""Are copies of clips found, however they were changed, and other recordings left alone?

    python benchmarks/duplicates.py CLIPS INDEX [--clips N] [--seed 0]

CLIPS is the folder of the videos, INDEX a CSV with the columns `file` and `group`, the person or
source. Every clip is compared with every other, as an import does. Then one clip of each of N
groups is changed in many ways, written anew, and looked for among all clips.

Writes ``duplicates.md`` beside this file; ends with 1 when different recordings are taken for
copies.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from machine import describe, table

from gymform.dataset.duplicates import Fingerprints, fingerprint
from gymform.dataset.items import Copy
from gymform.video.read import read_frames
from gymform.video.write import VideoWriter

COPY_SIDE = 480
COPY_CRF = 28
"""Changed copies are H.264 of this longer side, px, and this rate factor: small, and visibly so."""

LOOKED_AT = {
    frozenset(
        {
            "squat/dillonloh_gymai__videos_squat.mp4",
            "squat/dillonloh_gymai__videos_squat_dillon2.mp4",
        }
    ): "one shows a part of the other, between black bars",
    frozenset(
        {
            "push_up/j-lederer_fitness-form-train__static_videos_pushupbad.mp4",
            "push_up/riyer8_cs231n-pushfit__datasets_videos_wrong_wrong10.mp4",
        }
    ): "one shows a part of the other, mirrored",
}
"""Pairs that the index gives to two groups, though their frames show one recording."""

OUT = Path(__file__).with_suffix(".md")

Edit = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Change:
    """What is done to a clip: to its frames (H, W, 3), and to its speed."""

    edit: Edit = np.asarray
    speed: float = 1.0


def crop(wide: float, high: float, left: float = 0.5, top: float = 0.5) -> Edit:
    """An edit that leaves these shares of width and height, at a place from left and top."""

    def edit(rgb: np.ndarray) -> np.ndarray:
        height, width = round(rgb.shape[0] * high), round(rgb.shape[1] * wide)
        y, x = round((rgb.shape[0] - height) * top), round((rgb.shape[1] - width) * left)
        return rgb[y : y + height, x : x + width]

    return edit


def bars(left: float, right: float, top: float, bottom: float, grey: int = 0) -> Edit:
    """An edit that adds plain bars, in shares of the width and the height."""

    def edit(rgb: np.ndarray) -> np.ndarray:
        height, width = rgb.shape[:2]
        across = (round(left * width), round(right * width))
        down = (round(top * height), round(bottom * height))
        return np.pad(rgb, (down, across, (0, 0)), constant_values=grey)

    return edit


def mirrored(rgb: np.ndarray) -> np.ndarray:
    """The frame as a mirror shows it."""
    return rgb[:, ::-1]


CHANGES = {
    "written anew": Change(),
    "mirrored": Change(mirrored),
    "cropped by 10%": Change(crop(0.9, 0.9)),
    "cropped by 25%": Change(crop(0.75, 0.75)),
    "cropped by 25%, off the middle": Change(crop(0.75, 0.75, 0.2, 0.8)),
    "cropped by 10%, mirrored": Change(lambda rgb: mirrored(crop(0.9, 0.9)(rgb))),
    "cropped to 60% of the width": Change(crop(0.6, 1.0)),
    "black bars at both sides": Change(bars(0.3, 0.3, 0, 0)),
    "white bars above and below": Change(bars(0, 0, 0.25, 0.25, 255)),
    "a black bar at one side, mirrored": Change(lambda rgb: mirrored(bars(0, 0.3, 0, 0)(rgb))),
    "1.25 times as fast": Change(speed=1.25),
    "1.17 times as fast": Change(speed=1.17),
    "0.8 times as fast": Change(speed=0.8),
    "1.25 times as fast, mirrored": Change(mirrored, 1.25),
    "1.25 times as fast, cropped by 10%": Change(crop(0.9, 0.9), 1.25),
}


@dataclass(frozen=True)
class Comparison:
    """All clips, compared with each other."""

    prints: dict[str, bytes]
    groups: dict[str, str]
    pairs: list[tuple[str, Copy]]
    reading_s: float  # of computing time, for all clips
    comparing_s: float
    held_bytes: int  # by what is remembered of all clips
    known: Fingerprints

    @property
    def strangers(self) -> list[frozenset[str]]:
        """Pairs of different groups that are called copies."""
        found = (frozenset({name, copy.of}) for name, copy in self.pairs)
        return [pair for pair in found if len({self.groups[name] for name in pair}) == 2]

    def related(self, name: str) -> set[str]:
        """The groups of the clips that are called copies of this one, and its own."""
        pairs = [{one, copy.of} for one, copy in self.pairs]
        names = {name}.union(*(pair for pair in pairs if name in pair))
        return {self.groups[each] for each in names}


@dataclass
class Tally:
    """What became of the copies that were changed in one way."""

    found: int = 0
    mistaken: int = 0  # known clips of unrelated groups that a copy was taken for


def main() -> int:
    """Compare, print and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="CLIPS")
    parser.add_argument("index", type=Path)
    parser.add_argument("--clips", type=int, default=40, metavar="N", help="changed clips (40)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with options.index.open(newline="", encoding="utf-8") as stream:
        groups = {row["file"]: row["group"] for row in csv.DictReader(stream)}
    compared = compare(options.folder, groups)
    chosen = one_a_group(groups, options.clips, options.seed)
    tallies = {change: Tally() for change in CHANGES}
    for number, name in enumerate(chosen, 1):
        for change, data in changed_prints(options.folder / name):
            look_for(name, data, compared, tallies[change])
        print(number, name, file=sys.stderr)
    text = report(compared, tallies, len(chosen), options.seed)
    OUT.write_text(text, encoding="utf-8")
    print(text)
    alarms = sum(tally.mistaken for tally in tallies.values())
    return int(bool(alarms or set(compared.strangers) - set(LOOKED_AT)))


def compare(folder: Path, groups: dict[str, str]) -> Comparison:
    """Every clip with every other one."""
    start = time.process_time()
    prints = {name: fingerprint(folder / name) for name in groups}
    reading_s = time.process_time() - start
    tracemalloc.start()
    known = Fingerprints(prints)
    held_bytes = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    start = time.process_time()
    growing, pairs = Fingerprints(), []
    for name, data in prints.items():
        pairs += [(name, copy) for copy in growing.copies_of(name, data)]
        growing.add(name, data)
    comparing_s = time.process_time() - start
    return Comparison(prints, groups, pairs, reading_s, comparing_s, held_bytes, known)


def one_a_group(groups: dict[str, str], most: int, seed: int) -> list[str]:
    """A clip of each of ``most`` groups, drawn at random."""
    drawn = random.Random(seed).sample(sorted(groups), len(groups))
    firsts = {groups[name]: name for name in reversed(drawn)}
    return [name for name in drawn if firsts[groups[name]] == name][:most]


def changed_prints(path: Path) -> Iterator[tuple[str, bytes]]:
    """The fingerprint of each changed copy of a clip."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.mp4"
        for name, change in CHANGES.items():
            write_changed(path, copy, change)
            yield name, fingerprint(copy)


def write_changed(path: Path, copy: Path, change: Change) -> None:
    """Decode, change and compress a clip."""
    with ExitStack() as stack:
        frames = stack.enter_context(read_frames(path, max_side=COPY_SIDE))
        writer = None
        for frame in frames:
            rgb = np.ascontiguousarray(change.edit(frame.rgb))
            if writer is None:
                height, width = rgb.shape[:2]
                fps = min(frames.fps, 60.0)
                writer = stack.enter_context(
                    VideoWriter(copy, width=width, height=height, fps=fps, crf=COPY_CRF)
                )
            writer.write(rgb, frame.time_s / change.speed)


def look_for(name: str, data: bytes, compared: Comparison, tally: Tally) -> None:
    """Count whether a changed copy of ``name`` is found, and what else it is taken for."""
    taken_for = {copy.of for copy in compared.known.copies_of("new", data)}
    tally.found += name in taken_for
    related = compared.related(name)
    tally.mistaken += sum(compared.groups[other] not in related for other in taken_for)


# --- the report -----------------------------------------------------------------------------------


def report(compared: Comparison, tallies: dict[str, Tally], changed: int, seed: int) -> str:
    """The text of the report."""
    parts = [
        "# Copies among clips",
        f"{len(compared.prints)} clips of {len(set(compared.groups.values()))} people or sources, "
        "each compared with each other by the pictures, as at an import.",
        f"Measured on: {describe()}.",
        "## Other recordings",
        table(["", ""], [list(row) for row in pair_rows(compared)]),
        *stranger_lines(compared),
        "## Changed copies",
        f"One clip of each of {changed} groups was changed, written anew as H.264 of {COPY_SIDE} "
        "px, and looked for among all clips. A crop by 10% leaves 90% of width and height, in the "
        "middle where nothing else is said. `Taken for others` counts clips of unrelated groups. "
        "Clips of less than a second are never found.",
        table(["change", "found", "taken for others"], list(change_rows(tallies, changed))),
        "## What it costs",
        table(["", ""], [list(row) for row in cost_rows(compared)]),
        "Written by `python benchmarks/duplicates.py CLIPS INDEX "
        f"--clips {changed} --seed {seed}`.",
    ]
    return "\n\n".join(parts) + "\n"


def change_rows(tallies: dict[str, Tally], changed: int) -> Iterator[list[str]]:
    """A row for each change."""
    for change, tally in tallies.items():
        yield [change, f"{tally.found} of {changed}", str(tally.mistaken)]


def cost_rows(compared: Comparison) -> Iterator[tuple[str, str]]:
    """Computing time and memory, on average."""
    count = len(compared.prints)
    kept = sum(map(len, compared.prints.values())) / count
    yield "computing time of a clip's fingerprint, s", f"{compared.reading_s / count:.2f}"
    yield "a clip's fingerprint on disk, kB", f"{kept / 1e3:.0f}"
    yield "a known clip in memory, kB", f"{(compared.held_bytes / count + kept) / 1e3:.0f}"
    yield "computing time of a comparison, ms", f"{2000 * compared.comparing_s / count**2:.2f}"
    yield f"of all comparisons of {count} clips, s", f"{compared.comparing_s:.0f}"


def pair_rows(compared: Comparison) -> Iterator[tuple[str, str]]:
    """How many pairs there are, and how many of them are called copies."""
    count = len(compared.prints)
    strangers = compared.strangers
    yield "pairs", f"{count * (count - 1) // 2:,}"
    yield "called copies, of one person or source", str(len(compared.pairs) - len(strangers))
    yield "called copies, of different ones", str(len(strangers))
    yield "of these, not one recording", str(len(set(strangers) - set(LOOKED_AT)))


def stranger_lines(compared: Comparison) -> Iterator[str]:
    """Each pair of different groups that is called a copy, and what it shows."""
    yield (
        "Pairs of one person or source count as no mistake, whether copies or repetitions of one "
        "set: no split may part them. Those of different ones were looked at."
    )
    for pair in compared.strangers:
        one, other = sorted(pair)
        yield f"`{one}` and `{other}`: {LOOKED_AT.get(pair, 'nobody has looked at them yet')}."


if __name__ == "__main__":
    sys.exit(main())
