"""Whether the live view's words about feet and head are true, on frames with known cuts.

    python benchmarks/framing.py CLIPS INDEX POSES

CLIPS is the folder of the videos, INDEX a CSV with the columns `file`, `exercise` and `group`,
POSES holds a keypoint file a clip (``scripts/extract_poses.py``). From one clip of each group
comes one frame that shows a whole upright person, by its keypoint file; it is shown to the live
network as it is, and with its lower or upper part cut away.

Writes ``framing.md`` beside this file.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from machine import describe, table

from gymform import skeleton as sk
from gymform.live.advice import Advice, Scene, advise
from gymform.live.follow import Follower
from gymform.live.network import SharedNetwork, load_live_network
from gymform.live.session import MAX_SIDE, shrink
from gymform.pose.files import load_poses
from gymform.types import PoseSequence
from gymform.video.read import read_frames

SURE = 0.5
"""Score from which on the keypoint file knows where a joint is."""

ROOM = 0.06
"""Room around a person that is wholly in the picture, as a share of the frame's height."""

PATIENCE, AFTERWARDS = 40, 4
"""Frames for which each picture is shown until somebody is found, and once more after that."""

WHOLE = "nothing"
CUTS = (
    WHOLE,
    "the feet, at the ankles",
    "the shins, half way up",
    "the legs, at the knees",
    "the legs, half way up the thighs",
    "the head, at the eyes",
    "the head, at the chin",
    "the head, at the shoulders",
)

OUT = Path(__file__).with_suffix(".md")


def main() -> int:
    """Show every picture, count what is said, print and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="CLIPS")
    parser.add_argument("index", type=Path)
    parser.add_argument("poses", type=Path)
    options = parser.parse_args()
    network = load_live_network()
    said: dict[str, list[tuple[Advice, ...] | None]] = {cut: [] for cut in CUTS}
    for rgb, lines in pictures(options):
        for cut in CUTS:
            said[cut].append(advice_for(cut_away(rgb, lines, cut), network))
    report = render(said, network.name)
    OUT.write_text(report, encoding="utf-8")
    print(report)
    return 0


def pictures(options: argparse.Namespace) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(rgb, heights px of its joints as `heights` gives them) of one frame a group."""
    with options.index.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    done: set[str] = set()
    for row in rows:
        poses = (options.poses / row["file"]).with_suffix(".npz")
        if row["group"] in done or not poses.is_file():
            continue
        pose = load_poses(poses)
        frame = whole_and_upright(pose)
        if frame is None:
            continue
        done.add(row["group"])
        time_s = pose.time_s[frame]
        with read_frames(
            options.folder / row["file"], keep=lambda _, t, at=time_s: abs(t - at) < 0.02
        ) as frames:
            for shown in frames:
                share = max(1.0, max(shown.rgb.shape[:2]) / MAX_SIDE)
                yield shrink(shown.rgb), heights(pose.xy[frame] / share)
                break


def whole_and_upright(pose: PoseSequence) -> int | None:
    """The surest frame with all of a person in it, standing; None when there is none."""
    width, height = pose.image_size
    ends = [sk.NOSE, sk.LEFT_ANKLE, sk.RIGHT_ANKLE, *sk.BODY]
    xy, score = pose.xy[:, ends], pose.score[:, ends]
    margin = ROOM * height
    with np.errstate(invalid="ignore"):
        inside = ((xy > margin) & (xy < np.array([width, height]) - margin)).all(axis=(1, 2))
        levels = np.array([heights(frame) for frame in pose.xy])
        stands = (np.diff(levels[:, 1:], axis=1) > 0.05 * height).all(axis=1)
        tall = levels[:, -1] - levels[:, 0] > 0.45 * height
    good = inside & stands & tall & (score.min(axis=1) >= SURE)
    return int(np.argmax(np.where(good, score.min(axis=1), -1))) if good.any() else None


def heights(xy: np.ndarray) -> np.ndarray:
    """Heights px (5,) of eyes, shoulders, hips, knees and ankles: the middle of each pair."""
    names = ("eye", "shoulder", "hip", "knee", "ankle")
    return np.array(
        [np.mean([xy[sk.INDEX[f"{side}_{n}"], 1] for side in ("left", "right")]) for n in names]
    )


def cut_away(rgb: np.ndarray, lines: np.ndarray, cut: str) -> np.ndarray:
    """``rgb`` without what ``cut`` names."""
    eyes, shoulders, hips, knees, ankles = lines
    below = {
        "the feet, at the ankles": ankles,
        "the shins, half way up": (knees + ankles) / 2,
        "the legs, at the knees": knees,
        "the legs, half way up the thighs": (hips + knees) / 2,
    }
    above = {
        "the head, at the eyes": eyes,
        "the head, at the chin": eyes + 0.45 * (shoulders - eyes),
        "the head, at the shoulders": shoulders,
    }
    return np.ascontiguousarray(rgb[round(above.get(cut, 0)) : round(below.get(cut, len(rgb)))])


def advice_for(rgb: np.ndarray, network: SharedNetwork) -> tuple[Advice, ...] | None:
    """What is said of a picture that does not change; None when nobody is found in it."""
    follower = Follower(network)
    if not any(follower.track(rgb, 0.1 * frame) for frame in range(PATIENCE)):
        return None
    seen = [follower.track(rgb, 0.1 * (PATIENCE + frame)) for frame in range(AFTERWARDS)]
    return None if seen[-1] is None else advise(Scene.of(rgb, seen[-1], follower.others))


def render(said: dict[str, list[tuple[Advice, ...] | None]], name: str) -> str:
    """The report in Markdown."""
    rows = []
    for cut in CUTS:
        seen = [advice for advice in said[cut] if advice is not None]
        feet, head = (sum(kind in words for words in seen) for kind in (Advice.FEET, Advice.HEAD))
        well = sum(not words for words in seen)
        rows.append([cut, f"{len(seen)} of {len(said[cut])}", str(feet), str(head), str(well)])
    header = ["cut away", "found", "feet are cut off", "head is cut off", "all is well"]
    return (
        f"# Words about framing\n\n{len(said[WHOLE])} frames of as many people, network `{name}`; "
        f"{describe()}.\n\n{table(header, rows)}\n\n"
        "Written by `python benchmarks/framing.py CLIPS INDEX POSES`.\n"
    )


if __name__ == "__main__":
    raise SystemExit(main())
