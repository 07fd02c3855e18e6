"""What is lost where the large network does not look at every frame?

    python benchmarks/adaptive.py CLIPS INDEX --poses DIR [--scouts DIR] [--clips N]

CLIPS is the folder of the videos, INDEX a CSV with the columns `file`, `exercise`, `group` and
`people`; DIR holds the keypoints of every frame, as `invariance.py` keeps them. What the large
network says of a frame is taken from there; the small one looks at each clip, and its answers are
kept in the folder of ``--scouts``. Frames are then left out as an analysis does it, and what is
said of the rest is compared with what is said of all frames.

All constants of `gymform/pose/adaptive.py` were chosen on these clips: the tolerance last, when
half of them had given 0.966 of the figures within their margins with 0.08 torsos.

Writes ``adaptive.md`` beside this file.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from cached_poses import kept_file, load_chosen
from clips import shuffled_rows
from invariance import Tally, as_answer, compare, margins, paired, share
from machine import describe, table

from gymform.analysis import judge, measure
from gymform.errors import GymformError
from gymform.exercise.classifier import Classifier, load_classifier
from gymform.motion.body_size import TORSO, stature
from gymform.motion.evidence import MIN_SCORE
from gymform.pose.adaptive import (
    filled,
    frames_of,
    interpolated,
    look_where_it_moves,
    now_and_then,
    runs_of,
    where_fast,
)
from gymform.pose.cascade import FollowedFrames, by_one
from gymform.pose.decoding import choose_keypoints
from gymform.pose.networks import load_estimators
from gymform.pose.sequence import ROUNDS
from gymform.skeleton import BODY, NOSE
from gymform.types import FormReport, PoseSequence, Prediction

OUT = Path(__file__).with_suffix(".md")
FACE_AND_BODY = [NOSE, *BODY]


@dataclass
class Found:
    """What came out of some clips: ``first`` and ``looked`` of ``frames`` were looked at, before
    figures asked for more and at last, and ``scouted`` by the small network; ``errors`` are in
    torsos; ``cues`` says whether they are equal; ``lost`` counts figures that are there of all
    frames only."""

    tally: Tally = field(default_factory=Tally)
    first: int = 0
    looked: int = 0
    scouted: int = 0
    frames: int = 0
    errors: list[np.ndarray] = field(default_factory=list)
    cues: list[bool] = field(default_factory=list)
    lost: list[bool] = field(default_factory=list)
    shares: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    rounds: Counter[int] = field(default_factory=Counter)


def scouts_of(clip: Path, pose: PoseSequence, kept: Path | None) -> np.ndarray:
    """The small network's peaks (T, 17, K, 3) in the frames of ``pose``, from a folder or anew."""
    file = kept and kept / f"{clip.parent.name}__{clip.name}.npz"
    if file and file.is_file():
        with np.load(file) as arrays:
            return np.asarray(arrays["peaks"])
    scout = load_estimators().scout
    assert scout is not None
    frames = SimpleNamespace(time_s=pose.time_s, turn=pose.provenance.turn)
    peaks = by_one(FollowedFrames(clip, frames, pose.boxes.astype(float)), scout, lambda _: None)
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, peaks=peaks)
    return peaks


def thinned(
    scouts: np.ndarray, time_s: np.ndarray, runs: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """The small network's peaks as an analysis has them, which leaves out frames where nobody moves
    fast, and bool (T,): the others."""
    looked = now_and_then(time_s, runs)
    looked |= where_fast(scouts[:, :, 0], time_s, runs, looked)
    return filled(only_in(scouts, looked), time_s, runs), looked


def only_in(peaks: np.ndarray, looked: np.ndarray) -> np.ndarray:
    """Peaks (T, 17, K, 3) of the frames ``looked`` at (T,), and none of the others."""
    some = np.full_like(peaks, np.nan)
    some[..., 2] = 0
    some[looked] = peaks[looked]
    return some


def chosen(pose: PoseSequence, looked: np.ndarray) -> PoseSequence:
    """``pose`` with the network's answers in the frames ``looked`` at (T,) only."""
    peaks = only_in(pose.peaks, looked)
    xy, score = choose_keypoints(peaks, pose.time_s, pose.shots, pose.boxes)
    return replace(pose, xy=xy, score=score, peaks=peaks)


def adaptively(
    pose: PoseSequence, looked: np.ndarray, classifier: Classifier
) -> tuple[Prediction, FormReport, np.ndarray, int]:
    """What an analysis says that has ``looked`` at frames (T,) first, all that it looks at, and how
    often figures asked for more."""
    prediction = judge(chosen(pose, looked), classifier)[2]
    for number in range(ROUNDS):
        some = chosen(pose, looked)
        form = measure(some, prediction)[2]
        wanted = some.interpolated & frames_of(form.rests_on, some.time_s, ~some.interpolated)
        if not wanted.any():
            return prediction, form, looked, number
        looked = looked | wanted
    everything = np.ones(len(pose), bool)
    return prediction, measure(pose, prediction)[2], everything, ROUNDS


def errors_of(pose: PoseSequence, looked: np.ndarray, runs: list[np.ndarray]) -> np.ndarray:
    """How far joints are off in frames that are left out, in torsos: those that are surely seen."""
    xy, score = pose.peaks[:, :, 0, :2], pose.peaks[:, :, 0, 2]
    torso = TORSO * stature(np.where(score[..., None] >= MIN_SCORE, xy, np.nan).astype(float))
    parts = []
    for run in runs:
        between, least = interpolated(xy[run], score[run], pose.time_s[run], looked[run])
        off = np.linalg.norm(between - xy[run], axis=-1) / torso
        sure = (least >= MIN_SCORE) & (score[run] >= MIN_SCORE) & ~looked[run, None]
        parts.append(off[:, FACE_AND_BODY][sure[:, FACE_AND_BODY]])
    return np.concatenate([*parts, np.zeros(0)])


def add(
    found: Found, row: dict[str, str], pose: PoseSequence, scouts: np.ndarray, model: Classifier
) -> None:
    """Compare one clip, and add what comes out."""
    runs = runs_of(np.isfinite(pose.boxes).all(1), pose.shots)
    scouts, scouted = thinned(scouts, pose.time_s, runs)
    rows = look_where_it_moves(lambda some: pose.peaks[some], scouts, pose.time_s, runs)
    looked = np.zeros(len(pose), bool)
    looked[rows] = True
    frames = sum(map(len, runs))
    found.errors.append(errors_of(pose, looked, runs))
    prediction, form, looked, number = adaptively(pose, looked, model)
    _, _, before, whole = judge(pose, model)
    one, other = as_answer(before, whole), as_answer(prediction, form)
    compare(row["file"], one, other, 0.0, found.tally)
    for a, b in paired(one.repetitions, other.repetitions, 0.0) if one.label == other.label else ():
        found.lost += [key not in b.measures for key in a.measures]
    verdicts = [{(cue.key, cue.verdict) for cue in report.cues} for report in (whole, form)]
    found.cues.append(verdicts[0] == verdicts[1])
    found.rounds[number] += 1
    found.first += len(rows)
    found.looked += int(looked.sum())
    found.scouted += int(scouted.sum())
    found.frames += frames
    rate = "60 frames/s" if pose.fps > 45 else "30 frames/s or fewer"
    for kind in (row["exercise"], rate):
        found.shares[kind].append(float(looked.sum()) / max(frames, 1))


def clips_of(index: Path, poses: Path, most: int) -> list[dict[str, str]]:
    """Rows of clips whose keypoints are known, ``most`` at most; no computer-made ones."""
    rows = [row for row in shuffled_rows(index) if row["people"] != "generated"]
    return [row for row in rows if kept_file(poses, row["file"]).is_file()][:most]


def render(found: Found) -> str:
    """The report as Markdown."""
    errors = np.concatenate([*found.errors, np.zeros(0)])
    middle, most, extreme = np.percentile(errors, (50, 95, 99))
    asked = ", ".join(f"{n} times in {found.rounds[n]}" for n in sorted(found.rounds))
    rows = [
        ["frames that the small network looks at", f"{found.scouted / found.frames:.3f}"],
        ["frames looked at where something moves", f"{found.first / found.frames:.3f}"],
        ["frames looked at with those that figures rest on", f"{found.looked / found.frames:.3f}"],
        ["interpolated joints off by, torsos: median", f"{middle:.4f}"],
        ["95 of 100 less than", f"{most:.4f}"],
        ["99 of 100 less than", f"{extreme:.4f}"],
        ["label equal", share(found.tally.labels)],
        ["repetitions equal", share(found.tally.repetitions)],
        ["figures within margins", share(found.tally.figures)],
        ["figures lost", share(found.lost)],
        ["all cues equal", share(found.cues)],
    ]
    kinds = [
        [kind, str(len(values)), f"{np.mean(values):.2f}"]
        for kind, values in sorted(found.shares.items())
    ]
    different = "\n".join(f"- {line}" for line in found.tally.different)
    parts = [
        "# Adaptive frames",
        f"Made by `python benchmarks/adaptive.py CLIPS INDEX --poses DIR` on {len(found.cues)} "
        f"clips ({found.frames} frames), {describe()}. The constants were chosen on these clips.",
        table(["against all frames", "value"], rows),
        f"Figures asked for further frames: {asked} clips. They are compared where the label "
        f"stayed, with these margins: {margins()}.",
        "## Frames looked at, by exercise and frame rate",
        table(["clips", "count", "mean share of the frames"], kinds),
        "## Where the label changed",
        different or "Nowhere.",
    ]
    return "\n\n".join(parts) + "\n"


def main() -> int:
    """Compare, print and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path, metavar="CLIPS")
    parser.add_argument("index", type=Path, metavar="INDEX")
    parser.add_argument("--poses", type=Path, required=True, metavar="DIR")
    parser.add_argument("--scouts", type=Path, metavar="DIR")
    parser.add_argument("--clips", dest="most", type=int, default=10_000, metavar="N")
    options = parser.parse_args()
    found, classifier = Found(), load_classifier()
    for row in clips_of(options.index, options.poses, options.most):
        try:
            pose = load_chosen(kept_file(options.poses, row["file"]))
            scouts = scouts_of(options.clips / row["file"], pose, options.scouts)
        except GymformError as error:
            print(f"{row['file']}: {error}", file=sys.stderr)
            continue
        add(found, row, pose, scouts, classifier)
        print(f"{len(found.cues)}: {row['file']}", file=sys.stderr)
    text = render(found)
    OUT.write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
