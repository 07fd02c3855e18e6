"""Sheets of small pictures that show, for each clip, whom the pipeline followed.

    python benchmarks/contact_sheet.py CLIPS POSES [--out out/contact] [--columns 6]

CLIPS is a folder of videos, POSES a folder with one .npz for each of them at the same relative
place. Each clip becomes a row of frames from its first to its last with box and skeleton; look at
all of them. The sheets show footage, so they go to a git-ignored folder.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gymform.draw.overlay import draw_overlay
from gymform.pose.files import load_poses
from gymform.video.read import read_frames
from gymform.video.sparse import only

TILE = 230
ROWS = 8


def tiles(clip: Path, poses: Path, columns: int) -> np.ndarray:
    """One row of pictures uint8 (TILE, columns * TILE, 3) RGB."""
    pose = load_poses(poses)
    wanted = np.unique(np.linspace(0, len(pose) - 1, columns).astype(int))
    row = np.zeros((TILE, columns * TILE, 3), np.uint8)
    with read_frames(clip, keep=only(pose.time_s[wanted])) as frames:
        for column, frame in enumerate(frames):
            t = int(np.searchsorted(pose.time_s, frame.time_s - 1e-6))
            picture = draw_overlay(frame.rgb, pose.xy[t], pose.score[t], pose.boxes[t], scale=1.5)
            scale = TILE / max(picture.shape[:2])
            small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            height, width = small.shape[:2]
            row[:height, column * TILE : column * TILE + width] = small[:TILE, :TILE]
    text = f"{clip.parent.name}/{clip.name[-44:]}  {np.nanmean(pose.score):.2f}"
    cv2.putText(row, text, (4, TILE - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 0), 1)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("poses", type=Path)
    parser.add_argument("--out", type=Path, default=Path("out/contact"))
    parser.add_argument("--columns", type=int, default=6)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    found = sorted(args.poses.rglob("*.npz"))
    for sheet, start in enumerate(range(0, len(found), ROWS)):
        rows = []
        for poses in found[start : start + ROWS]:
            clip = (args.clips / poses.relative_to(args.poses)).with_suffix(".mp4")
            rows.append(tiles(clip, poses, args.columns))
        path = args.out / f"sheet_{sheet:02d}.png"
        cv2.imwrite(str(path), np.vstack(rows)[..., ::-1])
        print(path)


if __name__ == "__main__":
    main()
