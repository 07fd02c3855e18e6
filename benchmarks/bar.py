"""How well the bar's plate is found, followed and measured, against marks made by eye.

    python benchmarks/bar.py CLIPS --poses DIR [--sheets DIR] [--peers PYTHON]

CLIPS is the folder of the videos. ``truth/plates.csv`` holds the plate's ellipse in 12 to 14 frames
of each clip that shows one, and clips that show none (see ``plate_truth.py``). DIR keeps the
keypoints; what it does not hold is found first. Followed are wherever the hands go up or down: no
exercise is named. The same is done with one mark given, the first one of each clip, beside OpenCV's
trackers, started from the same box. The project does not need those: ``--peers`` names an
interpreter that has opencv-contrib-python-headless, which runs ``bar_peers.py``.

``--sheets`` draws the rim and the path into some frames of each clip, to be looked at.

Writes ``bar.md`` beside this file.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bar_peers import TRACKERS
from cached_poses import cached_pose
from machine import describe, table
from plate_truth import PlateClip, PlateMark, read_truth

from gymform.bar.carrier import Bar
from gymform.bar.path import follow_bar
from gymform.types import PoseSequence
from gymform.video.read import read_frames
from gymform.video.sparse import first_to_last, only

OUT = Path(__file__).with_suffix(".md")
PEERS = Path(__file__).with_name("bar_peers.py")
TRIED = """\
What else was tried for the clips that are not followed, and left out again:

- The plate's height against that of the shoulders, where hands are hidden behind a plate: in the
  quarter squats it goes with the shoulders a little better than with the hands (correlation 0.84
  against 0.69), and 0.95 is asked for. No clip was gained.
- A second look for discs in each half of the lift alone: it gained none, found the far plate of the
  same bar in one clip, and something that is no plate in one clip of lateral raises.
- Plates smaller than a third of a torso, as in the curl: they look as those of dumbbells do.
"""

CENTRE, DIAMETER, RIGHT = 0.06, 0.04, 0.5
"""Wanted: the centre within this share of the diameter, the diameter within this share of itself;
farther from the centre than the last, it is another object."""


@dataclass(frozen=True)
class Result:
    """A clip as the program follows it.

    ``errors`` of the centre at the marks, in diameters, NaN where nothing is followed; ``sizes``
    the diameter against the marked one; ``ms`` processor time for each frame of the film.
    """

    clip: PlateClip
    bar: Bar
    errors: np.ndarray
    sizes: np.ndarray
    ms: float

    @property
    def known(self) -> np.ndarray:
        """The errors where something is followed."""
        return self.errors[np.isfinite(self.errors)]

    @property
    def is_right(self) -> bool:
        """Is what is followed the plate, in most marked frames?"""
        return bool(len(self.known)) and bool(np.mean(self.known <= RIGHT) > 0.5)

    @property
    def size(self) -> float:
        """The diameter against the marked one."""
        return float(np.nanmedian(self.sizes)) if np.isfinite(self.sizes).any() else float("nan")


def main() -> int:
    """Follow all clips, print and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path, metavar="CLIPS")
    parser.add_argument("--poses", type=Path, required=True, metavar="DIR")
    parser.add_argument("--sheets", type=Path, metavar="DIR")
    parser.add_argument("--peers", metavar="PYTHON", help="an interpreter with OpenCV's trackers")
    options = parser.parse_args()
    found, marked, peers = [], [], []
    for clip in read_truth():
        pose = cached_pose(options.clips, clip.file, options.poses)
        path = options.clips / clip.file
        found.append(result(path, clip, pose, ellipses(clip), mark=None))
        told(found[-1])
        if options.sheets:
            draw(path, found[-1], options.sheets)
        if clip.marks:
            first, *others = ellipses(clip)
            marked.append(result(path, clip, pose, others, mark=first))
            peers.append(trackers(options.peers, path, first, others) if options.peers else {})
    text = render(found, marked, peers, version_of(options.peers))
    OUT.write_text(text, encoding="utf-8")
    print(text)
    return 0


# ---- measuring -----------------------------------------------------------------------------------


def ellipses(clip: PlateClip) -> list[PlateMark]:
    """The first person's marks of frames in which the plate is seen."""
    return [mark for mark in clip.by(1).values() if mark.ellipse]


def result(
    path: Path,
    clip: PlateClip,
    pose: PoseSequence,
    marks: Sequence[PlateMark],
    mark: PlateMark | None,
) -> Result:
    """The clip as it is followed, without or with a mark given."""
    given = None
    if mark is not None and mark.ellipse:
        x, y, _, ry = mark.ellipse
        given = (mark.time_s, x, y, ry)
    began = time.process_time()
    bar = follow_bar(path, pose, mark=given)
    ms = 1000 * (time.process_time() - began) / max(len(bar.time_s), 1)
    errors, sizes = np.full(len(marks), np.nan), np.full(len(marks), np.nan)
    for i, one in enumerate(marks):
        frame = int(np.abs(bar.time_s - one.time_s).argmin())
        x, y, _, ry = one.ellipse or (np.nan,) * 4
        errors[i] = np.hypot(*(bar.xy[frame] - [x, y])) / (2 * ry)
        sizes[i] = bar.r[frame] / ry
    return Result(clip, bar, errors, sizes, ms)


def version_of(python: str | None) -> str:
    """The version of OpenCV of the interpreter that runs the peers."""
    if python is None:
        return ""
    script = [python, str(PEERS), "--version"]
    return subprocess.run(script, check=True, capture_output=True, text=True).stdout.strip()


def trackers(
    python: str, path: Path, first: PlateMark, others: Sequence[PlateMark]
) -> dict[str, np.ndarray]:
    """Errors at the other marks, in diameters, of each of OpenCV's trackers; 9 where it gave up.

    They are started with the box of the first mark, in its frame.
    """
    wanted = {mark.frame: mark for mark in others}
    frames, answers = tracked(python, path, first, max(wanted))
    errors: dict[str, list[float]] = {name: [] for name in TRACKERS}
    for frame, mark in wanted.items():
        row = answers[frames.index(frame) - 1]
        for name, middle in zip(TRACKERS, row, strict=True):
            errors[name].append(far(middle, mark))
    return {name: np.array(values) for name, values in errors.items()}


def tracked(
    python: str, path: Path, first: PlateMark, last: int
) -> tuple[list[int], list[list[np.ndarray | None]]]:
    """The numbers of frames from the first mark to ``last``, and the trackers' answers to each."""
    assert first.ellipse is not None
    x, y, rx, ry = first.ellipse
    box = [round(v) for v in (x - rx, y - ry, 2 * rx, 2 * ry)]
    numbers, answers = [], []
    with (
        read_frames(path, keep=lambda index, _: first.frame <= index <= last) as frames,
        subprocess.Popen([python, str(PEERS)], stdin=-1, stdout=-1) as peer,
    ):
        assert peer.stdin is not None
        assert peer.stdout is not None
        for frame in frames:
            if not numbers:
                height, width = frame.rgb.shape[:2]
                peer.stdin.write((" ".join(map(str, (width, height, *box))) + "\n").encode())
            peer.stdin.write(np.ascontiguousarray(frame.rgb).tobytes())
            peer.stdin.flush()
            if numbers:
                words = peer.stdout.readline().decode().split()
                answers.append([middle_of(word) for word in words])
            numbers.append(frame.index)
        peer.stdin.close()
    return numbers, answers


def middle_of(word: str) -> np.ndarray | None:
    """x, y of a word that a peer says; None where it gave up."""
    return None if word == "-" else np.array([float(part) for part in word.split(",")])


def far(middle: np.ndarray | None, mark: PlateMark) -> float:
    """How far a point is from a marked plate's centre, in diameters; 9 for none."""
    assert mark.ellipse is not None
    if middle is None:
        return 9.0
    return float(np.hypot(*(middle - mark.ellipse[:2])) / (2 * mark.ellipse[3]))


def told(one: Result) -> None:
    """Say on the terminal what came out of a clip."""
    state = "followed" if one.bar.found else "not followed"
    worst = f", centre {np.nanmax(one.errors):.3f}" if len(one.known) else ""
    print(f"{one.clip.file}: {state}{worst} {' '.join(one.bar.reasons)}", file=sys.stderr)


# ---- the report ----------------------------------------------------------------------------------


def share(values: Iterable[bool]) -> str:
    """So many of all, and per cent."""
    known = list(values)
    return f"{sum(known)} of {len(known)} ({sum(known) / max(len(known), 1):.0%})"


def of_frames(results: Iterable[Result], most: float) -> str:
    """How many marked frames that are followed have their centre within ``most`` diameters."""
    return share(bool(error <= most) for one in results for error in one.known)


def summary(found: Sequence[Result]) -> list[list[str]]:
    """The rows of the first table."""
    plates = [one for one in found if one.clip.marks]
    followed = [one for one in plates if one.bar.found]
    right = [one for one in followed if one.is_right]
    metres = [one for one in right if one.bar.mm_per_px]
    none = [one for one in found if not one.clip.marks]
    return [
        ["plate clips in which something is followed", share(o.bar.found for o in plates), ""],
        ["of these, the right object", share(o.is_right for o in followed), "95%"],
        ["clips without a plate in which one is followed", share(o.bar.found for o in none), "0"],
        ["centre within 6% of the diameter, marked frames", of_frames(right, CENTRE), "95%"],
        ["centre within 12%", of_frames(right, 2 * CENTRE), ""],
        ["marked frames in which the plate is given",
         share(bool(np.isfinite(e)) for o in right for e in o.errors), ""],
        ["diameter within 4%, clips", share(abs(o.size - 1) <= DIAMETER for o in right), "90%"],
        ["clips that get metres", share(o.bar.mm_per_px is not None for o in right), ""],
        ["of these, diameter within 4%",
         share(abs(o.size - 1) <= DIAMETER for o in metres), "90%"],
    ]  # fmt: skip


def row_of(one: Result) -> list[str]:
    """A plate clip's row."""
    if not one.bar.found:
        return [one.clip.file, "-", "-", "-", f"{one.ms:.0f}", " ".join(one.bar.reasons)]
    return [
        one.clip.file,
        f"{np.median(one.known):.3f} / {one.known.max():.3f}" if len(one.known) else "-",
        f"{one.size:.3f}",
        "yes" if one.bar.mm_per_px else "no",
        f"{one.ms:.0f}",
        " ".join(one.bar.reasons),
    ]


def marked_rows(
    marked: Sequence[Result], peers: Sequence[dict[str, np.ndarray]]
) -> list[list[str]]:
    """gymform and the trackers, each from one mark."""

    def row(name: str, errors: np.ndarray) -> list[str]:
        given = errors[np.isfinite(errors) & (errors < 9)]
        within = [f"{np.mean(errors <= most):.0%}" for most in (CENTRE, 2 * CENTRE, RIGHT)]
        middle = f"{np.median(given):.3f}" if len(given) else "-"
        return [name, str(len(errors)), f"{len(given) / max(len(errors), 1):.0%}", middle, *within]

    rows = [row("gymform", np.concatenate([one.errors for one in marked]))]
    names = [name for name in TRACKERS if all(name in one for one in peers)]
    return rows + [
        row(f"OpenCV {name}", np.concatenate([one[name] for one in peers])) for name in names
    ]


def render(
    found: Sequence[Result],
    marked: Sequence[Result],
    peers: Sequence[dict[str, np.ndarray]],
    opencv: str,
) -> str:
    """The report in Markdown."""
    plates = [one for one in found if one.clip.marks]
    false = [one for one in found if not one.clip.marks and one.bar.found]
    ms = np.array([one.ms for one in found])
    lines = [
        "# The plate of the bar, against marks made by eye",
        "",
        f"Made by `python benchmarks/bar.py` on {describe()}.",
        "",
        f"{len(plates)} clips of {len({o.clip.group for o in plates})} people or sources with a "
        f"plate, {sum(len(ellipses(o.clip)) for o in plates)} marked frames; "
        f"{len(found) - len(plates)} clips without one. Nothing was marked for the program, and "
        "no exercise named. The limits in `gymform/bar` were set with these same clips in view: on "
        "others more may go wrong.",
        "",
        table(["", "", "wanted"], summary(found)),
        "",
        "False finds: " + (", ".join(one.clip.file for one in false) or "none") + ".",
        "",
        f"Processor time, both passes over the film: median {np.median(ms):.1f} ms a frame, nine "
        f"in ten clips below {np.quantile(ms, 0.9):.1f} ms.",
        "",
        "## With one mark given",
        "",
        "From the first mark of each clip, at all others. The trackers go forward only and their "
        "box does not know what is hidden; what a tracker gives up counts as beyond all limits.",
        "",
        table(["", "frames", "given", "median", "within 6%", "within 12%", "within 50%"],
              marked_rows(marked, peers)),
        "",
        f"The trackers are those of opencv-contrib {opencv}." if opencv else "Without the peers.",
        "",
        "## What is not followed",
        "",
        TRIED,
        "## Clip by clip",
        "",
        "Error of the centre (median / largest) as a share of the diameter, diameter against the "
        "marked one.",
        "",
        table(["clip", "centre", "diameter", "metres", "ms a frame", "said"],
              [row_of(one) for one in plates]),
        "",
    ]  # fmt: skip
    return "\n".join(lines)


# ---- to be looked at -----------------------------------------------------------------------------


def draw(path: Path, one: Result, folder: Path) -> None:
    """Write some frames with the rim and the path up to there, as one PNG."""
    bar = one.bar
    if not bar.found:
        return
    folder.mkdir(parents=True, exist_ok=True)
    shown = first_to_last(np.flatnonzero(np.isfinite(bar.xy[:, 0])), 8)
    pictures = []
    with read_frames(path, keep=only(bar.time_s[shown])) as frames:
        for frame in frames:
            now = int(np.abs(bar.time_s - frame.time_s).argmin())
            pictures.append(drawn(frame.rgb, bar, now))
    sheet = np.concatenate(pictures, axis=1)
    cv2.imwrite(str(folder / f"{one.clip.file.replace('/', '__')}.png"), sheet[..., ::-1])


def drawn(rgb: np.ndarray, bar: Bar, now: int) -> np.ndarray:
    """A frame with the rim and the path up to it, 300 px high."""
    picture = np.ascontiguousarray(rgb)
    way = bar.xy[: now + 1]
    points = np.round(way[np.isfinite(way[:, 0])]).astype(np.int32)
    cv2.polylines(picture, [points], False, (255, 220, 0), 2, cv2.LINE_AA)
    x, y = (float(v) for v in bar.xy[now])
    r = float(bar.r[now])
    colour = (0, 255, 0) if bar.observed[now] else (255, 0, 0)
    cv2.ellipse(picture, ((x, y), (2 * r * bar.aspect, 2 * r), 0.0), colour, 2, cv2.LINE_AA)
    scale = 300 / picture.shape[0]
    return cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


if __name__ == "__main__":
    sys.exit(main())
