"""How well the bar's plate is found, followed and measured, against marks made by eye.

    python benchmarks/bar.py CLIPS --poses DIR [--sheets DIR] [--no-peers]

CLIPS is the folder of the videos. ``truth/plates.csv`` holds the plate's ellipse in 12 to 14 frames
of each clip that shows one, and clips that show none (see ``plate_truth.py``). DIR keeps the
keypoints; what it does not hold is found first. Followed are wherever the hands go up or down: no
exercise is named. The same is done with one mark given, the first one of each clip, beside the
trackers of OpenCV that are installed here, started from the same box.

``--sheets`` draws the rim and the path into some frames of each clip, to be looked at.

Writes ``bar.md`` beside this file.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cached_poses import cached_pose
from machine import describe, table
from plate_truth import PlateClip, PlateMark, read_truth

from gymform.bar.carrier import Bar
from gymform.bar.path import follow_bar
from gymform.types import PoseSequence
from gymform.video.read import read_frames
from gymform.video.sparse import first_to_last, only

OUT = Path(__file__).with_suffix(".md")
CENTRE, DIAMETER, RIGHT = 0.06, 0.04, 0.5
"""Wanted: the centre within this share of the diameter, the diameter within this share of itself;
farther from the centre than the last, it is another object."""

TRACKERS = ("KCF", "CSRT", "MIL")


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
    parser.add_argument("--no-peers", action="store_true", help="leave OpenCV's trackers out")
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
            peers.append({} if options.no_peers else trackers(path, first, others))
    text = render(found, marked, peers)
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


def trackers(path: Path, first: PlateMark, others: Sequence[PlateMark]) -> dict[str, np.ndarray]:
    """Errors at the other marks, in diameters, of each of OpenCV's trackers; 9 where it gave up."""
    makers = {name: getattr(cv2, f"Tracker{name}_create", None) for name in TRACKERS}
    return {name: tracked(path, make(), first, others) for name, make in makers.items() if make}


def tracked(
    path: Path, tracker: cv2.Tracker, first: PlateMark, others: Sequence[PlateMark]
) -> np.ndarray:
    """Errors of one tracker that is started with the box of the first mark."""
    assert first.ellipse is not None
    x, y, rx, ry = first.ellipse
    box = tuple(round(v) for v in (x - rx, y - ry, 2 * rx, 2 * ry))
    wanted = {mark.frame: mark for mark in others}
    errors = dict.fromkeys(wanted, 9.0)
    with read_frames(path, keep=lambda index, _: first.frame <= index <= max(wanted)) as frames:
        for frame in frames:
            bgr = np.ascontiguousarray(frame.rgb[..., ::-1])
            if frame.index == first.frame:
                tracker.init(bgr, box)
                continue
            ok, (left, top, width, height) = tracker.update(bgr)
            mark = wanted.get(frame.index)
            if ok and mark is not None and mark.ellipse:
                centre = np.array([left + width / 2, top + height / 2])
                errors[frame.index] = float(
                    np.hypot(*(centre - mark.ellipse[:2])) / (2 * mark.ellipse[3])
                )
    return np.array(list(errors.values()))


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
    names = sorted({name for one in peers for name in one})
    return rows + [
        row(f"OpenCV {name}", np.concatenate([one[name] for one in peers])) for name in names
    ]


def render(
    found: Sequence[Result],
    marked: Sequence[Result],
    peers: Sequence[dict[str, np.ndarray]],
) -> str:
    """The report in Markdown."""
    plates = [one for one in found if one.clip.marks]
    false = [one for one in found if not one.clip.marks and one.bar.found]
    missing = sorted({name for name in TRACKERS if not hasattr(cv2, f"Tracker{name}_create")})
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
        f"Not installed here: {', '.join(missing) or 'none'}.",
        "",
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
