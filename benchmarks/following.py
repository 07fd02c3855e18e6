"""How exactly the live view follows lifters, by the room that it leaves around them.

    python benchmarks/following.py CLIPS INDEX POSES [--room X ...] [--clips N]

CLIPS is the folder of the videos, INDEX a CSV with the columns `file`, `exercise` and `group`,
POSES holds a keypoint file a clip (``scripts/extract_poses.py``), which says where the lifter is.
The middle seconds of one clip of each group are shown to the live view's follower, once at the rate
of a usual camera and once at that of a busy machine. What it finds is compared with what the
default network finds in the same frames: no truth, but far nearer to it.

Writes ``following.md`` beside this file.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from clips import boxes_at, one_a_group
from machine import describe, table

from gymform import skeleton as sk
from gymform.live.follow import CROP_PADDING, Follower
from gymform.live.network import SharedNetwork, load_live_network
from gymform.live.session import shrink
from gymform.motion.body_size import TORSO, stature
from gymform.motion.clean import MIN_SCORE, clean
from gymform.pose.crops import box_to_crop
from gymform.pose.detection import overlap
from gymform.pose.estimator import PoseEstimator
from gymform.pose.files import load_poses
from gymform.pose.networks import load_estimators
from gymform.video.read import read_frames

SECONDS = 4.0
RATE = 15.0
"""Frames a second that are read of a clip."""

PACES = {"15 frames a second": 1, "7.5 frames a second": 2}
"""Of so many frames the follower sees one."""

COMPARED = 4
"""Of so many frames the default network sees one."""

UNTIL_FOUND = 40
"""How often the first frame is shown until somebody is found."""

SAME = 0.3
"""The lifter's box and the followed person's overlap by at least this much."""

NEAR = 0.2
"""A joint is where the default network puts it when it is within so much of a torso (PCK@0.2)."""

BODY = list(sk.BODY)
OUT = Path(__file__).with_suffix(".md")


@dataclass(frozen=True, eq=False)
class Clip:
    """Frames of a clip as the live view has them; keypoints (T, 17, 2) px of the compared ones,
    NaN where they are not sure; boxes (T, 4); px a torso."""

    frames: list[np.ndarray]
    xy: np.ndarray
    boxes: np.ndarray
    torso: float


@dataclass
class Tally:
    """Sums over clips."""

    near: int = 0
    sure: int = 0  # joints that the default network is sure of
    missed: int = 0  # frames in which the lifter was not followed
    compared: int = 0
    looks: int = 0
    frames: int = 0


@dataclass
class Counted:
    """A network that counts its looks."""

    network: SharedNetwork
    looks: int = 0

    def keypoints_in_frame(
        self, rgb: np.ndarray, crops: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """As that of the network."""
        self.looks += len(crops)
        return self.network.keypoints_in_frame(rgb, crops)


def main() -> int:
    """Follow all, print and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="CLIPS")
    parser.add_argument("index", type=Path)
    parser.add_argument("poses", type=Path)
    parser.add_argument("--room", type=float, action="append", metavar="X")
    parser.add_argument("--clips", type=int, default=40, metavar="N", help="at most N clips (40)")
    options = parser.parse_args()
    reference = load_estimators().main
    network = Counted(load_live_network())
    rooms = options.room or [CROP_PADDING]
    tallies = {(pace, room): Tally() for pace in PACES for room in rooms}
    count = 0
    for clip in clips(options, reference):
        count += 1
        for (pace, room), tally in tallies.items():
            follow(clip, PACES[pace], Follower(network, room), network, tally)
        print(count, len(clip.frames), file=sys.stderr)
    report = render(tallies, count, network.network.name)
    OUT.write_text(report, encoding="utf-8")
    print(report)
    return 0


def clips(options: argparse.Namespace, reference: PoseEstimator) -> Iterator[Clip]:
    """One clip of each group, in a fixed random order."""
    named = one_a_group(options.folder, options.index, options.poses, options.clips)
    for clip, poses in named:
        yield middle(clip, poses, reference)


def middle(path: Path, poses: Path, reference: PoseEstimator) -> Clip:
    """The middle seconds of a clip."""
    pose = load_poses(poses)
    start = max(0.0, (pose.time_s[0] + pose.time_s[-1] - SECONDS) / 2)
    taken = -1

    def keep(_: int, time_s: float) -> bool:
        nonlocal taken
        turn = math.floor((time_s - start) * RATE)
        new = taken < turn < SECONDS * RATE
        taken = max(taken, turn)
        return new

    frames, times, scale = [], [], 1.0
    with read_frames(path, keep=keep) as shown:
        for frame in shown:
            frames.append(shrink(frame.rgb))
            times.append(frame.time_s)
            scale = frames[-1].shape[0] / frame.rgb.shape[0]
    boxes = boxes_at(pose, times) * scale
    xy = np.full((len(frames), sk.NUM_KEYPOINTS, 2), np.nan)
    for i in range(0, len(frames), COMPARED):
        view = box_to_crop(boxes[i], reference.padding)
        [found], [score] = reference.keypoints_in_frame(frames[i], view[None])
        xy[i] = np.where(score[:, None] >= MIN_SCORE, found, np.nan)
    return Clip(frames, xy, boxes, stature(clean(pose).xy) * TORSO * scale)


def follow(clip: Clip, every: int, follower: Follower, network: Counted, tally: Tally) -> None:
    """Show every so manieth frame of a clip and count into ``tally``."""
    for again in range(UNTIL_FOUND):
        if follower.track(clip.frames[0], again / RATE):
            break
    before = network.looks
    for i in range(0, len(clip.frames), every):
        found = follower.track(clip.frames[i], (UNTIL_FOUND + i) / RATE)
        tally.frames += 1
        sure = np.isfinite(clip.xy[i, BODY]).all(-1)
        if not sure.any():
            continue
        tally.compared += 1
        if found is None or overlap(found.box, clip.boxes[i]) < SAME:
            tally.missed += 1
            continue
        away = np.linalg.norm(found.xy[BODY] - clip.xy[i, BODY], axis=-1)[sure]
        tally.near += int((away < NEAR * clip.torso).sum())
        tally.sure += int(sure.sum())
    tally.looks += network.looks - before


def render(tallies: dict[tuple[str, float], Tally], count: int, name: str) -> str:
    """The report in Markdown."""
    rows = [
        [pace, f"{room:.2f}", f"{t.near / max(t.sure, 1):.3f}",
         f"{t.missed} of {t.compared}", f"{t.looks / max(t.frames, 1):.2f}"]
        for (pace, room), t in tallies.items()
    ]  # fmt: skip
    header = ["pace", "room around the box", "joints as the default network places them",
              "frames without the lifter", "looks a frame"]  # fmt: skip
    return f"""# How exactly the live view follows

{count} clips of as many sources, {SECONDS:g} s of each, network `{name}`. A joint counts when it is
within {NEAR} torsos of where the default network, shown the lifter's own box, is sure to see it.
Measured on: {describe()}.

{table(header, rows)}

Written by `python benchmarks/following.py CLIPS INDEX POSES`.
"""


if __name__ == "__main__":
    sys.exit(main())
