"""Make a pack for `train-pose` with better labels and more people, using teacher networks.

    python scripts/teach_poses.py PACK OUT [--clips CLIPS] [--answers ANSWERS]

PACK is the pack of annotated people, OUT the pack to write, ANSWERS the teachers' predictions, as
`scripts/ask_teachers.py` writes them (default: `scripts/teacher_answers.npz`). Annotations of the
pack's training people are corrected and completed (`gymform/training/pose/label_fusion.py`); those
of held-out people and COCO's exact ones do not change. With `--clips`, the folder of the clips that
the teachers saw, people in them whom the teachers could label are added.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gymform.errors import GymformError
from gymform.training.pose.label_fusion import correct_pack, label_clips, read_predictions
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
        predictions = read_predictions(options.answers, pack)
        fused = correct_pack(pack, predictions)
        if options.clips:
            fused = join(fused, label_clips(options.clips, predictions))
        write_pack(options.out, fused)
    except GymformError as error:
        logger.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
