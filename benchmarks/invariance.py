"""Does an answer stay the same when the same lift is filmed otherwise?

    python benchmarks/invariance.py CLIPS INDEX --poses DIR [--clips N] [--changes K] [--minutes M]

CLIPS is the folder of the videos, INDEX a CSV with the columns `file`, `group` and `people`.
One clip of each group comes first, computer-made ones never. Each is analysed as it is and in
the versions of :data:`CHANGES`: half and a third of its frames, mirrored, small and strongly
compressed, dark, panned, shaken, zoomed, with a frozen end, and after two seconds of other footage.
``--changes`` takes so many of them of each clip, others of the next one. DIR keeps the keypoints,
so that a run that was stopped goes on where it was, and several processes may share the work;
``--minutes`` stops it after a while. What is said of the keypoints is found out anew in every run.

A changed clip should get the same label, and the same repetitions with the same figures: those
within :data:`MARGINS`. Writes ``invariance.md`` beside this file, from all keypoints in DIR.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from cached_poses import cached_pose, load_chosen
from clips import shuffled_rows
from filelock import FileLock, Timeout
from machine import describe, table

from gymform.analysis import judge
from gymform.errors import GymformError
from gymform.exercise.classifier import Classifier, load_classifier
from gymform.exercises import find_exercise
from gymform.types import UNKNOWN, FormReport, PoseSequence, Prediction
from gymform.video.read import read_frames
from gymform.video.write import VideoWriter

OUT = Path(__file__).with_suffix(".md")

MAX_SIDE = 960
"""Longer side of the clips that are compared, px; larger ones are made smaller first."""

LONGEST_S = 12.0
"""Only the first seconds of longer clips are compared."""

BEFORE_S = 2.0
"""Seconds of other footage before a clip, and of the frozen end after it."""

MARGINS = {
    "°": (10.0, 0.0),
    "° below level": (10.0, 0.0),
    "° above level": (10.0, 0.0),
    "° behind": (10.0, 0.0),
    "s": (0.15, 0.15),
    "% before": (4.0, 0.0),
    "% above": (4.0, 0.0),
    "%": (10.0, 0.10),
    "% of the way": (5.0, 0.0),
    "% of its fastest": (10.0, 0.0),
    "% of height": (3.0, 0.10),
    "% of height a second": (5.0, 0.15),
}
"""By unit: how much a figure may differ, in the unit or as a share of its value, whichever is more.
A side view's angles err by up to 10 degrees (`form/metrics.py`)."""

NEAR_S = 0.5
"""Repetitions are the same when the middles of both are no further apart, or half their length."""

Frame = tuple[float, np.ndarray]
"""Seconds, and a picture uint8 (H, W, 3) RGB."""

Change = Callable[[list[Frame]], list[Frame]]


@dataclass(frozen=True)
class Repetition:
    """From ``start`` to ``end`` s, with its measures by key: value and unit."""

    start: float
    end: float
    measures: dict[str, tuple[float, str]]
    whole: bool


@dataclass(frozen=True)
class Answer:
    """What was said of a clip."""

    label: str
    repetitions: tuple[Repetition, ...]


# ---- the same lift, filmed otherwise -------------------------------------------------------------


def every(step: int) -> Change:
    """One frame of so many."""
    return lambda frames: frames[::step]


def each(change: Callable[[np.ndarray], np.ndarray]) -> Change:
    """The same change of every picture."""
    return lambda frames: [(t, np.ascontiguousarray(change(rgb))) for t, rgb in frames]


def small(rgb: np.ndarray) -> np.ndarray:
    """A picture of 240 lines, or columns where it is higher than wide."""
    scale = 240 / min(rgb.shape[:2])
    return cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def moved(rgb: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """A picture moved by a matrix (2, 3), its edges repeated."""
    height, width = rgb.shape[:2]
    return cv2.warpAffine(rgb, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)


def pan(frames: list[Frame]) -> list[Frame]:
    """The camera turns by 15 % of the picture's width while the clip lasts."""
    way = 0.15 * frames[0][1].shape[1]
    shares = np.linspace(-0.5, 0.5, len(frames))
    return [
        (t, moved(rgb, np.float32([[1, 0, way * share], [0, 1, 0]])))
        for (t, rgb), share in zip(frames, shares, strict=True)
    ]


def shake(frames: list[Frame]) -> list[Frame]:
    """The camera shakes by up to 8 px in both directions, about three times a second."""
    rng = np.random.default_rng(0)
    seconds = np.array([t for t, _ in frames])
    knots = np.arange(seconds[0], seconds[-1] + 1, 1 / 6)
    x, y = (np.interp(seconds, knots, rng.uniform(-8, 8, len(knots))) for _ in range(2))
    return [
        (t, moved(rgb, np.float32([[1, 0, dx], [0, 1, dy]])))
        for (t, rgb), dx, dy in zip(frames, x, y, strict=True)
    ]


def zoom(frames: list[Frame]) -> list[Frame]:
    """The camera zooms from 1 to 1.3 while the clip lasts, from so far that all stays in sight."""
    height, width = frames[0][1].shape[:2]
    found = []
    for (t, rgb), factor in zip(frames, np.linspace(1, 1.3, len(frames)), strict=True):
        scale = factor / 1.3
        shift = (1 - scale) / 2 * np.array([width, height])
        found.append((t, moved(rgb, np.float32([[scale, 0, shift[0]], [0, scale, shift[1]]]))))
    return found


def frame_s(frames: list[Frame]) -> float:
    """Seconds from one frame to the next, on average."""
    return (frames[-1][0] - frames[0][0]) / max(1, len(frames) - 1)


def frozen_end(frames: list[Frame]) -> list[Frame]:
    """The last picture stands for two seconds."""
    step = frame_s(frames)
    last, rgb = frames[-1]
    return frames + [(last + (i + 1) * step, rgb) for i in range(round(BEFORE_S / step))]


def after_other_footage(frames: list[Frame]) -> list[Frame]:
    """Two seconds of a moving pattern without anybody, then the clip."""
    height, width = frames[0][1].shape[:2]
    step = frame_s(frames)
    rng = np.random.default_rng(0)
    coarse = rng.integers(40, 216, (9, 32, 3), dtype=np.uint8)
    wide = cv2.resize(coarse, (2 * width, height), interpolation=cv2.INTER_CUBIC)
    count = round(BEFORE_S / step)
    before = [
        (i * step, np.ascontiguousarray(wide[:, i * width // count :][:, :width]))
        for i in range(count)
    ]
    return before + [(t - frames[0][0] + count * step, rgb) for t, rgb in frames]


CHANGES: dict[str, tuple[Change, int]] = {
    "as it is": (every(1), 18),
    "half the frames": (every(2), 18),
    "a third of the frames": (every(3), 18),
    "mirrored": (each(lambda rgb: rgb[:, ::-1]), 18),
    "240 lines, crf 38": (each(small), 38),
    "brightness x 0.4": (each(lambda rgb: (rgb * 0.4).astype(np.uint8)), 18),
    "pan of 15 %": (pan, 18),
    "shake of 8 px": (shake, 18),
    "zoom from 1 to 1.3": (zoom, 18),
    "2 s of frozen end": (frozen_end, 18),
    "2 s of other footage before": (after_other_footage, 18),
}
"""By name: what is done to the frames, and the compression that they are written with."""

BASE = "as it is"
SHIFTED = "2 s of other footage before"


def frames_of(path: Path) -> list[Frame]:
    """The first frames of a clip from second 0 on, as large as they are compared."""
    found: list[Frame] = []
    with read_frames(path, max_side=MAX_SIDE) as frames:
        for frame in frames:
            first = found[0][0] if found else frame.time_s
            if frame.time_s - first > LONGEST_S:
                break
            found.append((frame.time_s, frame.rgb))
    return [(t - found[0][0], rgb) for t, rgb in found]


def write(path: Path, frames: Sequence[Frame], crf: int) -> None:
    """A clip of these frames."""
    height, width = frames[0][1].shape[:2]
    fps = (len(frames) - 1) / max(1e-3, frames[-1][0] - frames[0][0])
    with VideoWriter(path, width=width, height=height, fps=fps, crf=crf) as video:
        for time_s, rgb in frames:
            video.write(rgb, time_s)


# ---- answers -------------------------------------------------------------------------------------


def answer_of(pose: PoseSequence, classifier: Classifier) -> Answer:
    """What the program says of these keypoints."""
    _, _, prediction, form = judge(pose, classifier)
    return as_answer(prediction, form)


def as_answer(prediction: Prediction, form: FormReport) -> Answer:
    """What is compared of an answer."""
    return Answer(
        prediction.label,
        tuple(
            Repetition(
                rep.start_s,
                rep.end_s,
                {m.key: (m.value, m.unit) for m in rep.measures},
                rep.cut_off_by is None,
            )
            for rep in form.repetitions
        ),
    )


def kept_in(folder: Path, file: str, change: str) -> Path:
    """Where a changed clip's keypoints are kept; beside them ``.txt`` says why there are none."""
    return folder / f"{file.replace('/', '__')}__{list(CHANGES).index(change):02d}.npz"


def known_answer(folder: Path, file: str, change: str, classifier: Classifier) -> Answer | None:
    """What is said of a changed clip; None where its keypoints are not known yet."""
    path = kept_in(folder, file, change)
    if path.with_suffix(".txt").is_file():
        return Answer("refused", ())
    return answer_of(load_chosen(path), classifier) if path.is_file() else None


def changes_of(number: int, most: int) -> list[str]:
    """The clip as it is, and ``most`` changes of it; other ones for the next ``number``."""
    names = [name for name in CHANGES if name != BASE]
    return [BASE, *(names[(number * most + i) % len(names)] for i in range(min(most, len(names))))]


def find_poses(clips: Path, files: Sequence[str], folder: Path, most: int, deadline: float) -> None:
    """Find the keypoints that are not yet in ``folder``, until the deadline."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, file in enumerate(files):
        missing = [
            name
            for name in changes_of(number, most)
            if not any(
                kept_in(folder, file, name).with_suffix(s).is_file() for s in (".npz", ".txt")
            )
        ]
        lock = FileLock(folder / f"{file.replace('/', '__')}.lock")
        if not missing or lock.is_locked:
            continue
        try:
            with lock.acquire(timeout=0):
                frames = frames_of(clips / file)
                for name in missing:
                    if time.monotonic() > deadline:
                        return
                    _find(frames, name, kept_in(folder, file, name))
                    print(f"{file}, {name}", file=sys.stderr)
        except Timeout:  # another process is at it
            continue
        except GymformError as error:
            print(f"{file}: {error}", file=sys.stderr)


def _find(frames: list[Frame], name: str, target: Path) -> None:
    """The keypoints of a changed clip, or why there are none."""
    change, crf = CHANGES[name]
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "clip.mp4", change(frames), crf)
        try:
            cached_pose(Path(folder), "clip.mp4", Path(folder))
        except GymformError as error:
            target.with_suffix(".txt").write_text(str(error))
        else:
            shutil.move(Path(folder) / "clip.mp4.npz", target)


# ---- comparison ----------------------------------------------------------------------------------


@dataclass
class Tally:
    """How many labels, clips' repetitions and figures are equal, of how many.

    ``named`` bool: is what was changed an exercise with a name, and not `other` or unknown?
    """

    labels: list[bool] = field(default_factory=list)
    repetitions: list[bool] = field(default_factory=list)
    figures: list[bool] = field(default_factory=list)
    named: list[bool] = field(default_factory=list)
    different: list[str] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)


def compare(file: str, base: Answer, other: Answer, shift: float, tally: Tally) -> None:
    """Add what is equal in two answers; ``other`` says everything ``shift`` s later."""
    same = base.label == other.label
    tally.labels.append(same)
    if not same:
        tally.different.append(f"{file}: {base.label}, then {other.label}")
    pairs = paired(base.repetitions, other.repetitions, shift)
    counts = _whole(base.repetitions), _whole(other.repetitions)
    tally.repetitions.append(len(pairs) == counts[0] == counts[1])
    tally.named.append(find_exercise(base.label) is not None)
    if not tally.repetitions[-1]:
        tally.counted.append(f"{file} ({base.label}): {counts[0]}, then {counts[1]}")
    if not same or base.label == UNKNOWN:
        return
    for one, two in pairs:
        for key in one.measures.keys() & two.measures.keys():
            (before, unit), (after, _) = one.measures[key], two.measures[key]
            tally.figures.append(within(before, after, unit))


def _whole(repetitions: Iterable[Repetition]) -> int:
    return sum(rep.whole for rep in repetitions)


def paired(
    first: Sequence[Repetition], second: Sequence[Repetition], shift: float
) -> list[tuple[Repetition, Repetition]]:
    """The whole repetitions that are the same in both, the second ones ``shift`` s later."""
    found = []
    free = [rep for rep in second if rep.whole]
    for one in (rep for rep in first if rep.whole):
        middle = (one.start + one.end) / 2
        near = [
            rep
            for rep in free
            if abs((rep.start + rep.end) / 2 - shift - middle)
            <= max(NEAR_S, (one.end - one.start) / 2)
        ]
        if near:
            found.append((one, near[0]))
            free.remove(near[0])
    return found


def within(before: float, after: float, unit: str) -> bool:
    """Are two figures equal within their margin?"""
    least, share = MARGINS[unit]
    return abs(after - before) <= max(least, share * abs(before))


def files_of(index: Path, most: int) -> list[str]:
    """One clip of each group in a fixed random order, then the others; no computer-made ones."""
    rows = [row for row in shuffled_rows(index) if row["people"] != "generated"]
    seen: dict[str, int] = defaultdict(int)
    turn = []
    for row in rows:
        turn.append(seen[row["group"]])
        seen[row["group"]] += 1
    order = np.argsort(turn, kind="stable")
    return [rows[i]["file"] for i in order[:most]]


def report(folder: Path, files: Iterable[str]) -> str:
    """The report on all keypoints in ``folder``."""
    classifier = load_classifier()
    tallies = {name: Tally() for name in CHANGES if name != BASE}
    clips = 0
    for file in files:
        base = known_answer(folder, file, BASE, classifier)
        if base is None:
            continue
        clips += 1
        for name, tally in tallies.items():
            other = known_answer(folder, file, name, classifier)
            if other is not None:
                compare(file, base, other, BEFORE_S if name == SHIFTED else 0.0, tally)
    return render(tallies, clips)


def render(tallies: dict[str, Tally], clips: int) -> str:
    """The report as Markdown."""
    rows = [
        [name, *(share(part) for part in (tally.labels, tally.repetitions, tally.figures))]
        for name, tally in tallies.items()
    ]
    kinds = ("labels", "repetitions", "figures")
    rows.append(["all", *(share(together(tallies.values(), kind)) for kind in kinds)])
    named = np.array(together(tallies.values(), "named"), bool)
    for title, which in (("of these, exercises with a name", named), ("the others", ~named)):
        parts = (np.array(together(tallies.values(), kind))[which] for kind in kinds[:2])
        rows.append([title, *(share(part.tolist()) for part in parts), ""])
    parts = [
        "# The same lift, filmed otherwise",
        f"Made by `python benchmarks/invariance.py CLIPS INDEX --poses DIR` on {clips} clips, "
        f"{describe()}.",
        table(["change", "label equal", "repetitions equal", "figures within margins"], rows),
        f"Figures are compared where the label stayed, with these margins: {margins()}. Clips are "
        f"cut after {LONGEST_S:g} s and at most {MAX_SIDE} px large.",
        "## Where the label changed",
        lines(tallies, "different"),
        "## Where the repetitions changed",
        lines(tallies, "counted"),
    ]
    return "\n\n".join(parts) + "\n"


def margins() -> str:
    """`MARGINS` in words."""
    return "; ".join(
        f"{least:g} {unit}" + (f" or {ratio:.0%}" if ratio else "")
        for unit, (least, ratio) in MARGINS.items()
    )


def lines(tallies: dict[str, Tally], key: str) -> str:
    """The lines of all tallies, each with the change's name."""
    said = [f"- {name}: {line}" for name, tally in tallies.items() for line in getattr(tally, key)]
    return "\n".join(said) or "Nowhere."


def together(tallies: Iterable[Tally], key: str) -> list[bool]:
    """One list of all tallies."""
    return [value for tally in tallies for value in getattr(tally, key)]


def share(values: Sequence[bool]) -> str:
    """How many are true, of how many."""
    return f"{np.mean(values):.3f} of {len(values)}" if values else "-"


def main() -> int:
    """Find answers, compare them, print and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path, metavar="CLIPS")
    parser.add_argument("index", type=Path, metavar="INDEX")
    parser.add_argument("--poses", type=Path, required=True, metavar="DIR")
    parser.add_argument("--clips", dest="most", type=int, default=10_000, metavar="N")
    parser.add_argument("--changes", type=int, default=len(CHANGES) - 1, metavar="K")
    parser.add_argument("--minutes", type=float, default=float("inf"), metavar="M")
    options = parser.parse_args()
    files = files_of(options.index, options.most)
    deadline = time.monotonic() + 60 * options.minutes
    find_poses(options.clips, files, options.poses, options.changes, deadline)
    text = report(options.poses, files)
    OUT.write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
