"""Make a pack for `train-pose` with better labels and more people, using teacher networks.

    python scripts/teach_poses.py PACK OUT [--clips CLIPS] [--answers ANSWERS]
        [--hidden] [--without TRUTH --index INDEX]

PACK is the pack of annotated people, OUT the pack to write, ANSWERS the teachers' predictions, as
`scripts/ask_teachers.py` writes them (default: `scripts/teacher_answers.npz`). Annotations of the
pack's training people are corrected and completed (`gymform/training/pose/label_fusion.py`); those
of held-out people and COCO's exact ones do not change. With `--clips`, the folder of the clips that
the teachers saw, people in them whom the teachers could label are added.

With `--hidden`, joints in clips that something hides are labelled too, where the teachers would
disagree (`gymform/training/pose/hidden_labels.py`). With `--without`, a CSV with a column `group`,
all clips of these groups are held out, so that a network can be judged on them; INDEX, a CSV with
the columns `file` and `group`, says which these are.
"""

from __future__ import annotations

import argparse
import csv
import logging
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gymform.errors import GymformError
from gymform.training.pose.hidden_labels import NOTE, label_with_hidden
from gymform.training.pose.label_fusion import (
    correct_pack,
    label_clips,
    read_predictions,
    without_clips,
)
from gymform.training.pose.packs import join, read_pack, write_pack

ANSWERS = Path(__file__).with_name("teacher_answers.npz")

logger = logging.getLogger("teach_poses")


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--answers", type=Path, default=ANSWERS)
    parser.add_argument("--hidden", action="store_true")
    parser.add_argument("--without", type=Path, metavar="TRUTH")
    parser.add_argument("--index", type=Path)
    options = parser.parse_args()
    if bool(options.without) != bool(options.index):
        parser.error("--without and --index come together")
    try:
        pack = read_pack(options.pack)
        predictions = read_predictions(options.answers, pack)
        fused = correct_pack(pack, predictions)
        if options.without:
            held_out = clips_of(options.index, groups_in(options.without))
            predictions = without_clips(predictions, held_out)
            logger.info("held out: %d clips", len(held_out))
        if options.clips:
            known = label_with_hidden(predictions) if options.hidden else None
            people = label_clips(options.clips, predictions, known)
            fused = join(fused, replace(people, note=NOTE if options.hidden else ""))
        write_pack(options.out, fused)
    except GymformError as error:
        logger.error("%s", error)
        return 1
    return 0


def groups_in(truth: Path) -> set[str]:
    with truth.open(newline="", encoding="utf-8") as file:
        return {row["group"] for row in csv.DictReader(file)}


def clips_of(index: Path, groups: set[str]) -> set[str]:
    with index.open(newline="", encoding="utf-8") as file:
        return {row["file"] for row in csv.DictReader(file) if row["group"] in groups}


if __name__ == "__main__":
    sys.exit(main())
