"""How fast dropped bars fall by the plate's path: freely, it is 9.81 m/s^2.

    python benchmarks/bar_gravity.py CLIPS --poses DIR

Looks in the clips of deadlifts, snatches, cleans and jerks that show a plate (``plate_truth.py``)
for times in which the bar falls: from where it begins to go down to where it is about as fast as it
gets before the ground. A parabola through the path between, without the camera's motion and in
metres by the plate's radius at each moment, gives the acceleration. How much farther the bar falls
than the hands tells whether it was let go; a bar that is lowered or pulled down does not fall
freely. Time stamps are the film's: a film that was slowed down or sped up shows another
acceleration, by the square of the factor.

First the same is done with drawn films of a bar that is dropped and falls with exactly that, while
the hands stay up, which shows how well all of this measures.

Writes ``bar_gravity.md`` beside this file.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import bar_films as films
from cached_poses import cached_pose
from machine import describe, table
from plate_truth import read_truth

from gymform.bar.carrier import Bar
from gymform.bar.figures import GRAVITY
from gymform.bar.hands import Hands, hands_of
from gymform.bar.path import follow_bar

OUT = Path(__file__).with_suffix(".md")
LIFTS = ("deadlift/", "snatch/", "clean/", "clean_and_jerk/")
WITHIN = 0.10
"""Wanted: the acceleration of a free fall within this share."""

FAST, SLOW, NEARLY = 1.5, 0.3, 0.9
"""A fall gets faster than the first, m/s; it begins above the second, and is looked at until this
share of its greatest speed, as smoothing rounds off how it ends."""

LEAST_FRAMES, LET_GO = 6, 0.10
"""Frames that a parabola needs, and by how much farther than the hands a bar falls that was let go,
metres."""


@dataclass(frozen=True)
class Fall:
    """``metres_s2`` of a fall over ``metres`` from ``start_s`` to ``end_s``, ``frames`` of them.

    ``error`` is the standard error of the parabola, ``apart`` metres by which it fell farther than
    the hands.
    """

    file: str
    start_s: float
    end_s: float
    frames: int
    metres: float
    metres_s2: float
    error: float
    apart: float

    @property
    def verdict(self) -> str:
        """What it was."""
        if self.apart < LET_GO:
            return "held: lowered"
        near = abs(self.metres_s2 / GRAVITY - 1) <= WITHIN
        if near:
            return "let go: as gravity"
        return f"let go: {self.metres_s2 / GRAVITY - 1:+.0%}"


def main() -> int:
    """Look at all clips, print and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path, metavar="CLIPS")
    parser.add_argument("--poses", type=Path, required=True, metavar="DIR")
    options = parser.parse_args()
    drawn = [fall for fps in (30.0, 60.0) for fall in drawn_falls(fps)]
    found: list[Fall] = []
    looked = 0
    for clip in read_truth():
        if not clip.marks or not clip.file.startswith(LIFTS):
            continue
        pose = cached_pose(options.clips, clip.file, options.poses)
        bar = follow_bar(options.clips / clip.file, pose, plate_mm=clip.diameter_mm)
        hands = hands_of(pose)
        if bar.mm_per_px is None or hands is None:
            continue
        looked += 1
        found += falls(clip.file, bar, hands)
        print(clip.file, file=sys.stderr)
    text = render(drawn, found, looked)
    OUT.write_text(text, encoding="utf-8")
    print(text)
    return 0


def _held(t: np.ndarray) -> np.ndarray:
    """x and y (..., 2) metres of hands that lift and stay up."""
    height = np.interp(t, (0.6, 1.1, 1.6), (0.225, 0.7, 1.3))
    return np.stack([np.zeros_like(height), height], axis=-1)


def _dropped(t: np.ndarray) -> np.ndarray:
    """The same of a bar that is let go at 2.2 s and falls freely to the ground."""
    fallen = GRAVITY * np.clip(t - 2.2, 0, None) ** 2 / 2
    way = _held(t)
    way[..., 1] = np.maximum(way[..., 1] - fallen, films.RADIUS)
    return way


def drawn_falls(fps: float) -> Iterator[Fall]:
    """The falls in a drawn film of a bar that falls freely."""
    lift = films.Lift("drop", _dropped, ((0.4, 2.4),), ((0.6, 1.6),), 3.2)
    view = films.View(fps=fps)
    pose = films.skeleton(replace(lift, path=_held), view)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        films.make_film(path, lift, view)
        bar = follow_bar(path, pose, repetitions=lift.repetitions)
    hands = hands_of(pose)
    if bar.mm_per_px is not None and hands is not None:
        yield from falls(f"drawn, {fps:.0f} frames a second", bar, hands)


def falls(file: str, bar: Bar, hands: Hands) -> Iterator[Fall]:
    """The falls of a bar."""
    metres = bar.plate_mm / 2000 / bar.r  # for each px, at each moment
    speed = np.nan_to_num(bar.velocity[:, 1] * metres)
    path = np.cumsum(np.nan_to_num(np.diff(bar.still[:, 1], prepend=bar.still[0, 1]) * metres))
    apart = (bar.xy[:, 1] - hands.at(bar.time_s)[:, 1]) * metres
    for first, last in spans(speed):
        part = slice(first, last + 1)
        moments = bar.time_s[part] - bar.time_s[first]
        fit, covariance = np.polyfit(moments, path[part], 2, cov=True)
        yield Fall(
            file, float(bar.time_s[first]), float(bar.time_s[last]), last - first + 1,
            float(path[last] - path[first]), float(2 * fit[0]),
            float(2 * np.sqrt(covariance[0, 0])), float(apart[last] - np.nanmin(apart[part])),
        )  # fmt: skip


def spans(speed: np.ndarray) -> Iterator[tuple[int, int]]:
    """First and last frame of each fall, of downward speeds (T,) m/s."""
    for peak in range(1, len(speed) - 1):
        if speed[peak] < FAST or speed[peak] < speed[max(0, peak - 10) : peak + 11].max():
            continue
        last = peak
        while last > 0 and speed[last] > NEARLY * speed[peak]:
            last -= 1
        first = last
        while first > 0 and speed[first] > SLOW and speed[first - 1] < speed[first]:
            first -= 1
        if last - first + 1 >= LEAST_FRAMES:
            yield first, last


def row_of(fall: Fall) -> list[str]:
    """A fall's row."""
    return [
        fall.file,
        f"{fall.start_s:.2f} to {fall.end_s:.2f}",
        str(fall.frames),
        f"{fall.metres:.2f}",
        f"{fall.apart:.2f}",
        f"{fall.metres_s2:.1f} ± {fall.error:.1f}",
        fall.verdict,
    ]


def render(drawn: Sequence[Fall], found: Sequence[Fall], looked: int) -> str:
    """The report in Markdown."""
    free = [fall for fall in found if fall.apart >= LET_GO]
    right = [fall for fall in free if abs(fall.metres_s2 / GRAVITY - 1) <= WITHIN]
    return "\n".join([
        "# How bars fall",
        "",
        f"Made by `python benchmarks/bar_gravity.py` on {describe()}.",
        "",
        f"In drawn films a bar is let go and falls with {GRAVITY} m/s²: found are "
        + (" and ".join(f"{fall.metres_s2:.2f}" for fall in drawn) or "none")
        + " m/s² at 30 and 60 frames a second.",
        "",
        f"{looked} clips of deadlifts, snatches, cleans and jerks have a bar in metres; in "
        f"{len({fall.file for fall in found})} of them it falls faster than {FAST} m/s. Let go, "
        f"that is more than {LET_GO:.2f} m ahead of the hands at the end, were {len(free)}; of "
        f"these {len(right)} fall with {GRAVITY} m/s² within {WITHIN:.0%}.",
        "",
        "The error is that of the parabola alone. What a lifter does to the bar after the hands "
        "open, a film that does not play at life's speed and a plate that does not measure 450 mm "
        "are not told apart here: an acceleration that differs proves none of them.",
        "",
        table(["clip", "s", "frames", "fall m", "ahead of the hands m", "m/s²", ""],
              [row_of(fall) for fall in found]),
        "",
    ])  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
