"""Keypoints of clips for benchmarks, kept in a folder so that a broken run goes on where it was."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import machine  # noqa: F401 - it puts the project on the path

from gymform.pose.decoding import choose_keypoints
from gymform.pose.files import load_poses, save_poses
from gymform.pose.networks import load_estimators
from gymform.pose.sequence import extract_poses
from gymform.types import PoseSequence
from gymform.video.read import probe


def cached_pose(
    clips: Path,
    name: str,
    folder: Path,
    *,
    model: str | None = None,
    max_fps: float | None = None,
) -> PoseSequence:
    """The keypoints of the clip ``name`` below ``clips``, from ``folder`` or found now.

    They are found by the pose network ``model`` (None: the manifest's) in at most ``max_fps``
    frames a second.

    What was chosen among the network's answers is chosen again, as the program does it today.
    """
    file = kept_file(folder, name)
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        print(f"{name}: finding keypoints", file=sys.stderr)
        networks = load_estimators(model)
        clip = probe(clips / name)
        pose, _ = extract_poses(
            clips / name, clip, networks.main, scout=networks.scout, max_fps=max_fps
        )
        save_poses(file, pose)
    return load_chosen(file)


def kept_file(folder: Path, name: str) -> Path:
    """Where the keypoints of the clip ``name`` are kept."""
    return folder / f"{name.replace('/', '__')}.npz"


def load_chosen(file: Path) -> PoseSequence:
    """The keypoints in a file, chosen among the network's answers as the program does it today."""
    pose = load_poses(file)
    if not pose.peaks.shape[2]:
        return pose
    xy, score = choose_keypoints(pose.peaks, pose.time_s, pose.shots, pose.boxes)
    return replace(pose, xy=xy, score=score)
