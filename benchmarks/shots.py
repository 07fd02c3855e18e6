"""Whether cuts and standing pictures are found, and nothing else is taken for one.

    python benchmarks/shots.py CLIPS INDEX [--cases 16] [--sheet out/shots.png]

CLIPS is the folder of the videos, INDEX a CSV with the columns `file`, `group` and `people`. From
stretches of real clips without a cut, cuts of every kind are made, and disturbances that are none:
flashes, passers-by, pans. Each is written as a video and read as the app reads it. Then all clips
are read as they are; what is called a cut there is listed, and drawn on a sheet to be looked at (it
shows footage: keep it in a git-ignored folder).

Writes ``shots.md`` beside this file.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from machine import describe, table

from gymform.video.read import read_frames
from gymform.video.shots import STANDING, cut_times, standing_spans
from gymform.video.sparse import sample_frames
from gymform.video.write import VideoWriter

OUT = Path(__file__).with_suffix(".md")

LOADED, SIDE = 640, 320
"""Longer side of the frames that are loaded, and of those that are written, px."""

LONG_S = 4.0
"""Seconds of each stretch that is loaded."""

NEAR = 1
"""Frames by which a hard cut may be found too early or too late."""

TILE = 150


# -- what is made ---------------------------------------------------------------------------


@dataclass
class Case:
    """A made film: ``frames`` at ``time_s``, what is to be found in it, and how it is written.

    ``cuts`` are (first, last) frames in which one cut may be found; ``standing`` are frames.
    """

    frames: list[np.ndarray]
    time_s: np.ndarray
    cuts: list[tuple[int, int]] = field(default_factory=list)
    standing: np.ndarray | None = None
    crf: int = 23
    keyint: int | None = None


@dataclass
class Stretch:
    """Consecutive frames of one clip and their rate."""

    frames: list[np.ndarray]
    fps: float


class Studio:
    """Makes films out of stretches of real clips; seeded."""

    def __init__(self, stretches: list[Stretch], seed: int) -> None:
        self.stretches = stretches
        self.rng = np.random.default_rng(seed)

    def pick(self) -> Stretch:
        return self.stretches[self.rng.integers(len(self.stretches))]

    def two(self) -> tuple[Stretch, Stretch]:
        one, other = self.rng.choice(len(self.stretches), 2, replace=False)
        return self.stretches[one], self.stretches[other]

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    # -- cuts ---------------------------------------------------------------------------

    def hard(self, before: int | None = None, after: int | None = None) -> Case:
        """A cut to another clip; ``before`` and ``after`` are frames on either side."""
        one, other = self.two()
        size = size_of(one.frames[0])
        first = fitted(one.frames, size)[: before or int(self.between(15, 40))]
        second = fitted(other.frames, size)[: after or int(self.between(15, 40))]
        return film(first + second, one.fps, [(len(first) - NEAR, len(first) + NEAR)])

    def zoom(self, factor: float) -> Case:
        """A jump cut of 0 to 0.6 s with a zoom in or out on the same background."""
        one = self.pick()
        at = int(self.between(15, 30))
        later = at + int(self.between(0, 0.6) * one.fps)
        size = size_of(one.frames[0])
        window = self.window(one.frames[0], factor)
        parts = [fitted(one.frames[:at], size)]
        parts.append(fitted([cropped(f, window) for f in one.frames[later : later + 40]], size))
        if self.rng.random() < 0.3:
            parts.reverse()
        cut = len(parts[0])
        return film(parts[0] + parts[1], one.fps, [(cut - NEAR, cut + NEAR)])

    def window(self, frame: np.ndarray, factor: float) -> tuple[float, float, float]:
        """(left, top, side) of a crop, as shares of the frame."""
        room = 1 - 1 / factor
        return room * self.between(0.2, 0.8), room * self.between(0.2, 0.8), 1 / factor

    def colour(self) -> Case:
        """Grey film goes on in colour, or the other way round."""
        one = self.pick()
        frames = fitted(one.frames, size_of(one.frames[0]))
        at = int(self.between(10, len(frames) - 10))
        halves = [grey(frames[:at]), frames[at:]]
        if self.rng.random() < 0.5:
            halves = [frames[:at], grey(frames[at:])]
        return film(halves[0] + halves[1], one.fps, [(at - NEAR, at + NEAR)])

    def dissolve(self, low_s: float, high_s: float, factor: float | None = None) -> Case:
        """One clip goes over into another, or into itself with a zoom, in so many seconds."""
        one, other = self.two()
        size = size_of(one.frames[0])
        first = fitted(one.frames, size)
        if factor is None:
            second = fitted(other.frames, size)
        else:
            window = self.window(one.frames[0], factor)
            second = fitted([cropped(frame, window) for frame in one.frames[20:]], size)
        span = max(2, round(self.between(low_s, high_s) * one.fps))
        span = min(span, len(first) - 12, len(second) - 12)
        at = int(self.between(10, max(11, min(40, len(first) - span))))
        mixed = [
            blend(a, b, (k + 1) / (span + 1))
            for k, (a, b) in enumerate(zip(first[at : at + span], second[:span], strict=False))
        ]
        frames = first[:at] + mixed + second[span : span + 35]
        return film(frames, one.fps, [(at - NEAR, at + span + NEAR)])

    def through_black(self) -> Case:
        """One clip fades to black, and another comes out of it."""
        one, other = self.two()
        size = size_of(one.frames[0])
        first, second = fitted(one.frames, size), fitted(other.frames, size)
        span = max(2, round(self.between(0.2, 0.6) * one.fps))
        black = np.zeros_like(first[0])
        at = int(self.between(10, max(11, len(first) - span - 1)))
        out = [blend(f, black, (k + 1) / span) for k, f in enumerate(first[at : at + span])]
        into = [blend(black, f, (k + 1) / span) for k, f in enumerate(second[:span])]
        frames = first[:at] + out + into + second[span : span + 30]
        return film(frames, one.fps, [(at - NEAR, at + 2 * span + NEAR)])

    # -- no cuts ------------------------------------------------------------------------

    def plain(self, change: Callable[[list[np.ndarray]], list[np.ndarray]], **how: int) -> Case:
        """A stretch without a cut, to which ``change`` does something."""
        one = self.pick()
        case = film(change(fitted(one.frames, size_of(one.frames[0]))), one.fps, [])
        case.crf, case.keyint = how.get("crf", 23), how.get("keyint")
        return case

    def flash(self, frames: list[np.ndarray]) -> list[np.ndarray]:
        white = np.full_like(frames[0], 255)
        at, span, much = self.rng.integers(5, len(frames) - 8), self.rng.integers(1, 5), 0.85
        return [
            blend(f, white, self.between(0.5, 1) * much) if at <= i < at + span else f
            for i, f in enumerate(frames)
        ]

    def exposure(self, frames: list[np.ndarray]) -> list[np.ndarray]:
        at, gain = self.rng.integers(5, len(frames) - 5), self.rng.choice([0.45, 0.6, 1.5, 2.0])
        return [gained(f, (gain,) * 3) if i >= at else f for i, f in enumerate(frames)]

    def white_balance(self, frames: list[np.ndarray]) -> list[np.ndarray]:
        at = self.rng.integers(5, len(frames) - 5)
        gains = tuple(self.rng.uniform(0.7, 1.25, 3))
        return [gained(f, gains) if i >= at else f for i, f in enumerate(frames)]

    def passer_by(self, frames: list[np.ndarray]) -> list[np.ndarray]:
        """Somebody large and blurred walks past, close to the camera, in 0.3 to 1 s."""
        height, width = frames[0].shape[:2]
        other = fitted([self.pick().frames[0]], (width, height))[0]
        body = max(8, int(width * self.between(0.35, 0.7)))
        coat = cv2.GaussianBlur(other[:, :body], (0, 0), 2)
        span, at = int(self.between(8, 30)), int(self.rng.integers(3, 20))
        shown = []
        for i, frame in enumerate(frames):
            x = int((i - at) / span * (width + body)) - body
            left, right = max(0, x), min(width, x + body)
            if left < right:
                frame = frame.copy()
                frame[:, left:right] = coat[:, left - x : right - x]
            shown.append(frame)
        return shown

    def pan(self, frames: list[np.ndarray]) -> list[np.ndarray]:
        """A fast pan over a third of the picture, with the blur of its movement."""
        at, span = int(self.between(5, 25)), int(self.between(6, 15))
        shown = []
        for i, frame in enumerate(frames):
            way = float(np.clip((i - at) / span, 0, 1))
            moving = 0 < way < 1
            height, width = frame.shape[:2]
            part = cropped(frame, (way / 3, 1 / 6, 2 / 3))
            part = cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR)
            blur = max(1, width // 2 // span)
            shown.append(cv2.blur(part, (blur, 1)) if moving else part)
        return shown

    def shake(self, frames: list[np.ndarray]) -> list[np.ndarray]:
        much = 0.02 * max(frames[0].shape)
        path = np.cumsum(self.rng.normal(0, much, (len(frames), 2)), axis=0)
        path -= cv2.blur(path, (1, 9))
        return [
            cv2.warpAffine(
                f, np.float32([[1, 0, x], [0, 1, y]]), f.shape[1::-1], borderMode=cv2.BORDER_REFLECT
            )
            for f, (x, y) in zip(frames, path, strict=True)
        ]

    def slow_zoom(self, frames: list[np.ndarray]) -> list[np.ndarray]:
        size = (frames[0].shape[1], frames[0].shape[0])
        sides = np.linspace(1, 1 / 1.4, len(frames))
        return [
            cv2.resize(cropped(f, ((1 - s) / 2, (1 - s) / 2, s)), size)
            for f, s in zip(frames, sides, strict=True)
        ]

    def close_up(self, frames: list[np.ndarray]) -> list[np.ndarray]:
        size = (frames[0].shape[1], frames[0].shape[0])
        return [cv2.resize(cropped(f, (0.33, 0.3, 0.35)), size) for f in frames]

    def dropped(self) -> Case:
        """Ten frames a second, and a third of these lost."""
        one = self.pick()
        step = max(1, round(one.fps / 10))
        kept = np.arange(0, len(one.frames), step)
        kept = kept[self.rng.random(len(kept)) > 0.33]
        frames = fitted([one.frames[i] for i in kept], size_of(one.frames[0]))
        return Case(frames, (kept - kept[0]) / one.fps)

    # -- standing pictures ---------------------------------------------------------------

    def freeze(self, low_s: float, high_s: float, goes_on: bool = True) -> Case:
        """The picture stands in mid-movement, and goes on where it was or would have been."""
        one = self.pick()
        frames = fitted(one.frames, size_of(one.frames[0]))
        span = max(4, round(self.between(low_s, high_s) * one.fps))
        moves = [cv2.norm(a, b, cv2.NORM_L1) for a, b in itertools.pairwise(frames)]
        lively = np.flatnonzero(cv2.blur(np.array(moves), (1, 5)).ravel() >= np.median(moves))
        lively = lively[(lively > 8) & (lively < max(10, len(frames) - 20))]
        at = int(self.rng.choice(lively)) if len(lively) else len(frames) // 2
        rest = frames[at + 1 + (span if self.rng.random() < 0.5 else 0) :][:40] if goes_on else []
        made = frames[: at + 1] + [frames[at]] * span + rest
        flags = np.zeros(len(made), dtype=bool)
        flags[at + 1 : at + 1 + span] = True
        case = film(made, one.fps, [])
        case.standing = flags
        return case

    def repeated(self, times: int, fps: float) -> Case:
        """Every frame ``times`` times."""
        one = self.pick()
        frames = fitted(one.frames[:60], size_of(one.frames[0]))
        return film([frame for frame in frames for _ in range(times)], fps, [])

    def pulled_up(self) -> Case:
        """24 frames a second shown as 60: each two or three times."""
        one = self.pick()
        frames = fitted(one.frames[:60], size_of(one.frames[0]))
        return film([f for i, f in enumerate(frames) for _ in range(2 + i % 2)], 60.0, [])


CUTS: dict[str, Callable[[Studio], Case]] = {
    "to another clip": lambda s: s.hard(),
    "to another clip at the 2nd to 4th frame": lambda s: s.hard(before=int(s.rng.integers(1, 4))),
    "to another clip, 2 to 4 frames before the end": lambda s: s.hard(
        after=int(s.rng.integers(2, 5))
    ),
    "zoom 1.10": lambda s: s.zoom(1.1),
    "zoom 1.15": lambda s: s.zoom(1.15),
    "zoom 1.2": lambda s: s.zoom(1.2),
    "zoom 1.3": lambda s: s.zoom(1.3),
    "zoom 1.5": lambda s: s.zoom(1.5),
    "grey to colour or back": lambda s: s.colour(),
    "dissolve, 0.2 to 0.5 s": lambda s: s.dissolve(0.2, 0.5),
    "dissolve, 0.5 to 1.5 s": lambda s: s.dissolve(0.5, 1.5),
    "dissolve to a zoom of 1.3": lambda s: s.dissolve(0.3, 1.0, 1.3),
    "fade through black": lambda s: s.through_black(),
}
NO_CUTS: dict[str, Callable[[Studio], Case]] = {
    "nothing done": lambda s: s.plain(lambda frames: frames),
    "flash": lambda s: s.plain(s.flash),
    "step of the exposure": lambda s: s.plain(s.exposure),
    "step of the white balance": lambda s: s.plain(s.white_balance),
    "large passer-by": lambda s: s.plain(s.passer_by),
    "fast pan": lambda s: s.plain(s.pan),
    "shaken camera": lambda s: s.plain(s.shake),
    "slow zoom of 1.4": lambda s: s.plain(s.slow_zoom),
    "close-up of the lifter": lambda s: s.plain(s.close_up),
    "10 frames a second, a third lost": lambda s: s.dropped(),
    "strong compression, key frames": lambda s: s.plain(lambda frames: frames, crf=38, keyint=12),
    "every frame twice": lambda s: s.repeated(2, 60.0),
    "10 frames a second as 30": lambda s: s.repeated(3, 30.0),
    "24 frames a second as 60": lambda s: s.pulled_up(),
}
FROZEN: dict[str, Callable[[Studio], Case]] = {
    "0.3 to 0.5 s": lambda s: s.freeze(0.3, 0.5),
    "0.5 to 1.5 s": lambda s: s.freeze(0.5, 1.5),
    "the end, 0.5 to 2 s": lambda s: s.freeze(0.5, 2.0, goes_on=False),
}


def size_of(frame: np.ndarray) -> tuple[int, int]:
    """(width, height) px, even, of a frame shrunk to `SIDE`."""
    height, width = frame.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    return 2 * round(width * scale / 2), 2 * round(height * scale / 2)


def fitted(frames: list[np.ndarray], size: tuple[int, int]) -> list[np.ndarray]:
    """Frames cut to the shape of ``size`` about their middle, and shrunk to it."""
    fitting = []
    for frame in frames:
        height, width = frame.shape[:2]
        scale = max(size[0] / width, size[1] / height)
        wide, high = min(width, round(size[0] / scale)), min(height, round(size[1] / scale))
        left, top = (width - wide) // 2, (height - high) // 2
        part = frame[top : top + high, left : left + wide]
        fitting.append(cv2.resize(part, size, interpolation=cv2.INTER_AREA))
    return fitting


def cropped(frame: np.ndarray, window: tuple[float, float, float]) -> np.ndarray:
    height, width = frame.shape[:2]
    left, top, side = window
    x, y = round(left * width), round(top * height)
    return frame[y : y + round(side * height), x : x + round(side * width)]


def grey(frames: list[np.ndarray]) -> list[np.ndarray]:
    return [cv2.merge([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)] * 3) for frame in frames]


def blend(one: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    return cv2.addWeighted(one, 1 - share, other, share, 0)


def gained(frame: np.ndarray, gains: tuple[float, ...]) -> np.ndarray:
    return np.clip(frame * np.float32(gains), 0, 255).astype(np.uint8)


def film(frames: list[np.ndarray], fps: float, cuts: list[tuple[int, int]]) -> Case:
    return Case(frames, np.arange(len(frames)) / fps, cuts)


# -- real clips --------------------------------------------------------------------------------


def rows_of(index: Path) -> list[dict[str, str]]:
    with index.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def stretches(folder: Path, rows: list[dict[str, str]], uncut: set[str]) -> list[Stretch]:
    """A stretch of one uncut clip of each group of filmed people."""
    firsts = {r["group"]: r for r in rows if r["people"] != "generated" and r["file"] in uncut}
    found = []
    for row in firsts.values():
        frames, times = [], []
        with read_frames(
            folder / row["file"], max_side=LOADED, keep=lambda _, t: 0.5 <= t < 0.5 + LONG_S
        ) as stream:
            for frame in stream:
                frames.append(frame.rgb)
                times.append(frame.time_s)
                if len(frames) >= LONG_S * 30:
                    break
        if len(frames) >= 60:
            found.append(Stretch(frames, float(1 / np.median(np.diff(times)))))
    return found


@dataclass
class Found:
    """What was found in one clip as it is."""

    file: str
    cuts: np.ndarray
    spans: list[tuple[float, float]]
    tiles: list[np.ndarray]


def as_they_are(folder: Path, rows: list[dict[str, str]]) -> Iterator[Found]:
    """What is found in each real clip, with pictures around each cut."""
    for row in rows:
        frames = sample_frames(folder / row["file"], 1e6)
        cuts = cut_times(frames.frame_shots, frames.time_s)
        spans = standing_spans(frames.frame_shots, frames.time_s)
        yield Found(
            row["file"], cuts, spans, list(around(folder / row["file"], frames.time_s, cuts))
        )


def around(path: Path, time_s: np.ndarray, cuts: np.ndarray) -> Iterator[np.ndarray]:
    """For each cut, four frames side by side: two before and two after it."""
    for cut in cuts:
        at = int(np.argmin(np.abs(time_s - cut)))
        step = max(1, round(0.12 / float(np.median(np.diff(time_s)))))
        wanted = [max(0, at - 1 - step), at - 1, at, min(len(time_s) - 1, at + step)]
        tiles = {}
        with read_frames(path, max_side=TILE, keep=lambda i, _, w=wanted: i in w) as stream:
            for frame in stream:
                tile = np.zeros((TILE, TILE, 3), np.uint8)
                tile[: frame.rgb.shape[0], : frame.rgb.shape[1]] = frame.rgb
                tiles[frame.index] = tile
        row = np.hstack([tiles[i] for i in wanted if i in tiles])
        text = f"{path.name[-40:]} {cut:.2f}"
        yield cv2.putText(row, text, (4, TILE - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 0), 1)


def draw_sheets(found: list[Found], path: Path, rows: int = 9) -> None:
    """Write the pictures around all cuts, ``rows`` times two on a sheet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tiles = [tile for one in found for tile in one.tiles if tile.shape[1] == 4 * TILE]
    tiles += [np.zeros((TILE, 4 * TILE, 3), np.uint8)] * (len(tiles) % 2)
    pairs = [np.hstack(tiles[i : i + 2]) for i in range(0, len(tiles), 2)]
    for sheet, start in enumerate(range(0, len(pairs), rows)):
        picture = np.vstack(pairs[start : start + rows])
        name = path.with_name(f"{path.stem}_{sheet:02d}{path.suffix}")
        cv2.imwrite(str(name), picture[..., ::-1])
        print(name)


# -- counting ----------------------------------------------------------------------------------


def read_back(case: Case, path: Path) -> np.ndarray:
    """The numbers of the shots of a made film, from its file."""
    height, width = case.frames[0].shape[:2]
    fps = 1 / float(np.median(np.diff(case.time_s)))
    with VideoWriter(
        path, width=width, height=height, fps=fps, crf=case.crf, keyint=case.keyint
    ) as writer:
        for frame, time_s in zip(case.frames, case.time_s, strict=True):
            writer.write(np.ascontiguousarray(frame), float(time_s))
    return sample_frames(path, 1e6).frame_shots


def judged(case: Case, shots: np.ndarray) -> tuple[int, int, float]:
    """(cuts found of those made, others found, overlap of the standing frames)."""
    numbers = np.maximum.accumulate(shots)
    cuts = np.flatnonzero(np.diff(numbers) > 0) + 1
    hit = [any(a <= cut <= b for cut in cuts) for a, b in case.cuts]
    other = [cut for cut in cuts if not any(a <= cut <= b for a, b in case.cuts)]
    still = shots == STANDING
    made = case.standing if case.standing is not None else np.zeros(len(shots), dtype=bool)
    union = int((still | made).sum())
    return sum(hit), len(other), float((still & made).sum()) / union if union else 1.0


def trial(
    make: Callable[[Studio], Case], studio: Studio, cases: int
) -> list[tuple[int, int, float]]:
    with tempfile.TemporaryDirectory() as folder:
        made = [make(studio) for _ in range(cases)]
        return [judged(case, read_back(case, Path(folder) / "made.mp4")) for case in made]


def main() -> int:
    """Make all cases, read all clips, print and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="CLIPS")
    parser.add_argument("index", type=Path)
    parser.add_argument("--cases", type=int, default=16, help="of each kind")
    parser.add_argument("--sheet", type=Path, default=Path("out/shots/cuts.png"))
    options = parser.parse_args()
    cv2.setNumThreads(1)
    rows = rows_of(options.index)
    found = list(as_they_are(options.folder, rows))
    draw_sheets(found, options.sheet)
    uncut = {one.file for one in found if not len(one.cuts) and not one.spans}
    studio = Studio(stretches(options.folder, rows, uncut), seed=1)
    parts = [made_table(kinds, studio, options.cases) for kinds in (CUTS, NO_CUTS, FROZEN)]
    report = render(parts, found, len(studio.stretches))
    OUT.write_text(report, encoding="utf-8")
    print(report)
    return 0


def made_table(kinds: dict[str, Callable[[Studio], Case]], studio: Studio, cases: int) -> str:
    lines = []
    for kind, make in kinds.items():
        answers = trial(make, studio, cases)
        hits, others = sum(a[0] for a in answers), sum(a[1] for a in answers)
        still = sum(a[2] >= 0.7 for a in answers)
        found = "" if kinds is NO_CUTS else f"{hits if kinds is CUTS else still}"
        wrong = sum(a[2] < 1 for a in answers) if kinds is not FROZEN else 0
        lines.append([kind, str(cases), found, str(others), str(wrong)])
        print(*lines[-1], sep=" | ", flush=True)
    return table(["kind", "films", "found", "false cuts", "falsely standing"], lines)


def render(parts: list[str], found: list[Found], people: int) -> str:
    """The report in Markdown."""
    cut = [one for one in found if len(one.cuts)]
    still = [one for one in found if one.spans]
    rows = [[one.file, ", ".join(f"{cut:.2f}" for cut in one.cuts)] for one in cut]
    spans = [[one.file, ", ".join(f"{a:.2f} to {b:.2f}" for a, b in one.spans)] for one in still]
    return f"""# Cuts and standing pictures

Made films out of stretches of {people} clips of as many people, in which no cut is found by
itself; {describe()}. A hard cut counts when it is found within {NEAR} frame, a dissolve anywhere in
it, a standing picture when at least 0.7 of its frames are found and few others (intersection over
union).

## Cuts

{parts[0]}

## No cuts

{parts[1]}

## Standing pictures

{parts[2]}

## Real clips as they are

{len(found)} clips. Cuts are found in {len(cut)}, {sum(len(one.cuts) for one in cut)} in all, and
standing pictures in {len(still)}. What they are, by eye, is not written by the command.

{table(["clip", "cuts, s"], rows)}

{table(["clip", "stands still, s"], spans)}

Written by `python benchmarks/shots.py CLIPS INDEX`.
"""


if __name__ == "__main__":
    raise SystemExit(main())
