"""How calmly models place joints in films: jitter while the lifter stands, sides swapped in motion.

    python benchmarks/pose_stability.py CLIPS INDEX POSES [--model NAME ...] [--clips N]

CLIPS is the folder of the videos, INDEX a CSV with the columns `file`, `exercise` and `group`,
POSES holds a keypoint file a clip (``scripts/extract_poses.py``). One clip of each group is used.
The keypoint files say where the lifter is, so that all models see the same boxes, each with the
room around them that it knows, and when: the calmest second of a clip for jitter, its two liveliest
seconds for swaps. Every frame is looked at, some lively ones mirrored too.

Writes ``pose_stability.md`` beside this file.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from clips import boxes_at, one_a_group
from machine import describe, table
from scipy.ndimage import uniform_filter1d

from gymform import skeleton as sk
from gymform.motion.body_size import TORSO, stature
from gymform.motion.clean import MIN_SCORE, clean
from gymform.motion.quality import swapped, swaps_per_100
from gymform.pose.crops import box_to_crop, cut_crop, unmirror
from gymform.pose.estimator import PoseEstimator
from gymform.pose.files import load_poses
from gymform.pose.networks import load_estimators
from gymform.types import PoseSequence
from gymform.video.read import read_frames

CALM_S, LIVELY_S = 1.0, 2.0

CALM = 0.25
"""Torsos a second that a standing lifter's joints may move by, after smoothing."""

SLOW_S = 0.3
"""What moves slower than this is the lifter or the camera, not the network."""

MIRRORED_EVERY = 4
"""Of so many lively frames one is seen mirrored too."""

OUT = Path(__file__).with_suffix(".md")

Sight = tuple[float, tuple[int, int]]
"""What a network is shown: the room around a box, and its crops' width and height, px."""


@dataclass(frozen=True, eq=False)
class Scene:
    """Frames of one clip with the lifter's crops by what networks see: pixels uint8, views, px
    a torso."""

    name: str
    calm: bool
    torso: float
    time_s: list[float] = field(default_factory=list)
    pixels: dict[Sight, list[np.ndarray]] = field(default_factory=lambda: defaultdict(list))
    views: dict[Sight, list[np.ndarray]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True)
class Found:
    """What one model did in one scene: displacements, and swaps in 100 frames."""

    jitter: float
    tremble: float
    sure_swaps: float
    swaps: float
    frames: int
    unsure_sides: float  # of the frames that were seen mirrored too, in 100
    mirrored: int


def main() -> int:
    """Measure what is asked for, print and write the report."""
    options = arguments()
    figures: dict[str, list[tuple[bool, Found]]] = {name: [] for name in options.model}
    estimators = {name: load_estimators(name).main for name in figures}
    sights = set(map(sight, estimators.values()))
    for scene in scenes(options, sights):
        for name, estimator in estimators.items():
            figures[name].append((scene.calm, look(scene, estimator)))
        latest = " ".join(f"{found[-1][1].jitter:.4f}" for found in figures.values())
        print(scene.name, "calm" if scene.calm else "lively", latest, file=sys.stderr)
    report = render(figures)
    OUT.write_text(report, encoding="utf-8")
    print(report)
    return 0


def arguments() -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="CLIPS")
    parser.add_argument("index", type=Path)
    parser.add_argument("poses", type=Path)
    parser.add_argument("--model", action="append", required=True, metavar="NAME")
    parser.add_argument("--clips", type=int, default=30, metavar="N", help="at most N clips (30)")
    return parser.parse_args()


def scenes(options: argparse.Namespace, sights: set[Sight]) -> Iterator[Scene]:
    """The calm and the lively scene of one clip of each group; calm ones only where it is calm."""
    named = one_a_group(options.folder, options.index, options.poses, options.clips)
    for clip, poses in named:
        yield from scenes_of(clip, load_poses(poses), sights)


def scenes_of(clip: Path, pose: PoseSequence, sights: set[Sight]) -> Iterator[Scene]:
    """The scenes of one clip by the speed of its body joints."""
    tracks = clean(pose)
    torso = stature(tracks.xy) * TORSO
    speed = np.linalg.norm(tracks.velocity[:, list(sk.BODY)], axis=-1)
    speed = np.where(np.isfinite(speed), speed, np.nan)
    whole = np.isfinite(speed).mean(1) > 0.9
    speed = np.where(whole, np.nanmean(np.where(whole[:, None], speed, 0), axis=1), np.nan) / torso
    for calm, span in ((True, CALM_S), (False, LIVELY_S)):
        means = {
            start: float(np.mean(speed[inside]))
            for start in pose.time_s
            if start + span <= pose.time_s[-1]
            and np.isfinite(speed[inside := (pose.time_s >= start) & (pose.time_s < start + span)])
            .all()
        }  # fmt: skip
        if not means:
            continue
        start = min(means, key=means.__getitem__) if calm else max(means, key=means.__getitem__)
        if not calm or means[start] <= CALM:
            scene = Scene(clip.stem, calm, torso)
            yield cut(clip, pose, scene, sights, start, start + span)


def cut(
    clip: Path, pose: PoseSequence, scene: Scene, sights: set[Sight], start: float, end: float
) -> Scene:
    """``scene`` with the clip's frames between two seconds."""
    with read_frames(clip, keep=lambda _, t: start <= t < end) as frames:
        for frame in frames:
            [box] = boxes_at(pose, [frame.time_s])
            scene.time_s.append(frame.time_s)
            for padding, size in sights:
                view = box_to_crop(box, padding)
                scene.pixels[padding, size].append(cut_crop(frame.rgb, view, size))
                scene.views[padding, size].append(view)
    return scene


def sight(estimator: PoseEstimator) -> Sight:
    """What an estimator's network is shown."""
    return estimator.padding, estimator.model.config.input_size


def look(scene: Scene, estimator: PoseEstimator) -> Found:
    """One model's figures in one scene."""
    pixels, views = scene.pixels[sight(estimator)], np.stack(scene.views[sight(estimator)])
    xy, score = estimator.keypoints_in_crops(pixels, views)
    body = xy[:, list(sk.BODY)] / scene.torso
    window = max(3, round(SLOW_S * len(xy) / (scene.time_s[-1] - scene.time_s[0] + 1e-9)))
    fast = body - uniform_filter1d(body, window, axis=0, mode="nearest")
    boxes = np.full((len(xy), 4), np.nan, np.float32)
    pose = PoseSequence(xy, score, boxes, np.array(scene.time_s), (1, 1))
    sure, all_placed = (swaps_per_100(pose, score >= least) for least in (MIN_SCORE, 1e-6))
    unsure, mirrored = (0.0, 0) if scene.calm else sides(scene, xy, estimator)
    return Found(_mean_step(body), _mean_step(fast), sure, all_placed, len(xy), unsure, mirrored)


def sides(scene: Scene, xy: np.ndarray, estimator: PoseEstimator) -> tuple[float, int]:
    """Frames in 100 whose mirrored view makes the model exchange left and right, and how many were
    looked at; ``xy`` (T, 17, 2) is what it found in all frames as they are."""
    views = np.stack(scene.views[sight(estimator)][::MIRRORED_EVERY])
    seen = scene.pixels[sight(estimator)][::MIRRORED_EVERY]
    pixels = [np.ascontiguousarray(p[:, ::-1]) for p in seen]
    turned, _ = unmirror(*estimator.keypoints_in_crops(pixels, views), views)
    exchanged = swapped(xy[::MIRRORED_EVERY] / scene.torso, turned / scene.torso)
    return 100 * float(exchanged.mean()), len(exchanged)


def _mean_step(points: np.ndarray) -> float:
    """Mean displacement of (T, K, 2) from one frame to the next."""
    return float(np.nanmean(np.linalg.norm(np.diff(points, axis=0), axis=-1)))


def render(figures: dict[str, list[tuple[bool, Found]]]) -> str:
    """The report in Markdown."""
    rows = []
    for name, found in figures.items():
        calm = [f for is_calm, f in found if is_calm]
        jitter, tremble = [f.jitter for f in calm], [f.tremble for f in calm]
        lively = [f for is_calm, f in found if not is_calm]
        frames, mirrored = (
            sum(getattr(f, count) for f in lively) for count in ("frames", "mirrored")
        )
        swaps, sure_swaps, unsure = (
            sum(getattr(f, kind) * getattr(f, count) for f in lively) / max(total, 1)
            for kind, count, total in (
                ("swaps", "frames", frames),
                ("sure_swaps", "frames", frames),
                ("unsure_sides", "mirrored", mirrored),
            )
        )
        rows.append([name, f"{np.mean(jitter):.4f}", f"{np.median(jitter):.4f}",
                     f"{np.mean(tremble):.4f}", f"{np.median(tremble):.4f}", str(len(calm)),
                     f"{swaps:.2f}", f"{sure_swaps:.2f}", str(frames),
                     f"{unsure:.1f}", str(mirrored)])  # fmt: skip
    header = ["model", "jitter, mean", "median", "slow motion taken off, mean", "median",
              "calm scenes", "swaps in 100 frames", "sure joints", "lively frames",
              "sides unsure in 100", "frames seen mirrored"]  # fmt: skip
    return f"""# How calmly models place joints in films

Made by `python benchmarks/pose_stability.py`. Jitter: mean displacement of the twelve body joints
from one frame to the next, in torsos, over the calmest second of each clip (breathing, swaying and
the camera's own motion included; and once more after each joint's running mean over {SLOW_S} s is
taken off, which leaves what trembles). Swaps: frames in which a left and a right joint seem to
change places, over each clip's two liveliest seconds: of all joints, since no model should gain by
being unsure, and of those alone that it is sure of, which the app shows. Sides unsure: frames in
which the mirrored view makes the network exchange a left and a right joint; it tells of sides that
are wrong for long too, which change places only once. Raw answers of the network, one crop a
frame, no smoothing; the same boxes for all.
Measured on: {describe()}.

{table(header, rows)}
"""


if __name__ == "__main__":
    sys.exit(main())
