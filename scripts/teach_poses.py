"""A pack for `train-pose` with better labels, and more people, by what teacher networks answer.

    python scripts/teach_poses.py PACK OUT [--clips CLIPS] [--answers ANSWERS]

PACK is the pack of annotated people, OUT the pack to write, ANSWERS what the teachers said of both:
`scripts/teacher_answers.npz` unless `scripts/ask_teachers.py` has made others. Annotations of the
pack's training people are corrected and completed (`gymform/training/pose/label_fusion.py`); those
held out, and COCO's exact ones, stay as they are. With `--clips`, the folder of the clips that were
shown to the teachers, the people in them whom the teachers are sure of are added.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gymform.errors import GymformError
from gymform.training.pose.label_fusion import correct_pack, label_clips, read_answers
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
    options = parser.parse_args()
    try:
        pack = read_pack(options.pack)
        answers = read_answers(options.answers, pack)
        taught = correct_pack(pack, answers)
        if options.clips:
            taught = join(taught, label_clips(options.clips, answers))
        write_pack(options.out, taught)
    except GymformError as error:
        logger.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
