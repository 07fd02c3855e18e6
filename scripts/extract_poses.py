"""Keypoint files of all clips that an index names, for `train-exercise`.

    python scripts/extract_poses.py CLIPS INDEX OUT [--part 0/2]

CLIPS is the folder of the videos, INDEX a CSV with the columns `file` and `exercise`, OUT gets
one .npz a clip at the same relative place. Finished clips are skipped, so a run that was stopped
goes on; `--part 0/2` and `--part 1/2` share the work between two processes. Clips of the named
exercises are read at up to 15 frames a second, the others at up to 10: the classifier looks at
12 a second whatever comes.
"""

from __future__ import annotations

import argparse
import csv
import logging
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gymform.errors import GymformError
from gymform.pose.checkpoints import load_pose_model
from gymform.pose.estimator import PoseEstimator
from gymform.pose.files import save_poses
from gymform.pose.sequence import extract_poses
from gymform.video.read import probe

NEARLY_NAMED = {"snatch", "deadlift", "squat", "clean_and_jerk", "overhead_squat"}
NEARLY_NAMED |= {"romanian_deadlift"}
"""The named exercises and those most like them."""

logger = logging.getLogger("extract_poses")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path)
    parser.add_argument("index", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--part", default="0/1", metavar="I/N", help="the I-th of N equal parts")
    parser.add_argument("--pose-model", metavar="NAME")
    parser.add_argument("--threads", type=int, default=1, help="of the processor, a process")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(args.threads)
    part, parts = map(int, args.part.split("/"))
    with args.index.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    estimator = PoseEstimator(load_pose_model(args.pose_model))
    failed = 0
    for row in rows[part::parts]:
        source, target = args.clips / row["file"], (args.out / row["file"]).with_suffix(".npz")
        if target.exists():
            continue
        max_fps = 15 if row["exercise"] in NEARLY_NAMED else 10
        try:
            pose, notes = extract_poses(source, probe(source), estimator, max_fps=max_fps)
            save_poses(target, pose)
        except GymformError as error:
            failed += 1
            logger.error("%s: %s", row["file"], error)
        else:
            logger.info("%s: %d frames. %s", row["file"], len(pose), " ".join(notes))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
