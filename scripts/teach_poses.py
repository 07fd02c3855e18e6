"""A pack for `train-pose` with better labels, and more people: MoveNet and MediaPipe as teachers.

    python scripts/teach_poses.py PACK OUT [--clips CLIPS] [--answers ANSWERS]

PACK is the pack of annotated people, OUT the pack to write, ANSWERS what the teachers said of both:
`scripts/teacher_answers.npz` unless `scripts/ask_teachers.py` has made others. Annotations of the
pack's training people are corrected and completed (`gymform/pose/teaching.py`); those held out, and
COCO's exact ones, stay as they are. With `--clips`, the folder of the clips that were shown to the
teachers, the people in them whom the teachers are sure of are added.
"""

from __future__ import annotations

import argparse
import itertools
import logging
import sys
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gymform.dataset.crops import CropPack, join, make_pack, read_pack, usual_view, write_pack
from gymform.errors import GymformError
from gymform.pose.pseudo import DATASET, people_in
from gymform.pose.teaching import Rules, TeacherAnswers, correct, label, read_answers

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
        taught = corrected(pack, answers)
        if options.clips:
            taught = join(taught, labelled(options.clips, answers))
        write_pack(options.out, taught)
    except GymformError as error:
        logger.error("%s", error)
        return 1
    return 0


def corrected(pack: CropPack, answers: TeacherAnswers) -> CropPack:
    """The pack with the annotations of those whom the teachers saw corrected."""
    keypoints, rules, what = pack.keypoints.copy(), Rules(), Counter()
    for row, *teachers in zip(answers.row.tolist(), *answers.of_pack, strict=True):
        before = keypoints[row].copy()
        keypoints[row] = correct(before.astype(np.float64), teachers, rules)
        what["people"] += 1
        what["unchanged people"] += bool((keypoints[row] == before).all())
        what["joints added"] += int(((before[:, 2] == 0) & (keypoints[row, :, 2] > 0)).sum())
        what["joints left out"] += int(((before[:, 2] > 0) & (keypoints[row, :, 2] == 0)).sum())
    logger.info("pack: %s", dict(what))
    note = (
        f"The annotations of {len(answers.row)} people were corrected and completed, and people in "
        "clips labelled, by MoveNet Thunder (trained on COCO train2017 and photographs of sports) "
        "and MediaPipe Pose heavy (both Google, Apache-2.0): a joint is where most of the "
        "annotation and the answers to two views each lie. People held out keep their annotations "
        "as they are."
    )
    return CropPack(**{**vars(pack), "keypoints": keypoints, "note": note})


def labelled(folder: Path, answers: TeacherAnswers) -> CropPack:
    """The people in the clips of ``folder`` whom the teachers are sure of, with their labels."""
    pictures, labels, groups = [], [], []
    rules, shown = Rules(), 0
    for name, rows in itertools.groupby(
        range(len(answers.people)), answers.people.clip.__getitem__
    ):
        seen = np.array(list(rows))
        times, crops = answers.people.time_s[seen], answers.people.crop[seen]
        for row, picture in zip(seen, people_in(folder / str(name), times, crops), strict=True):
            shown += 1
            points = label(list(answers.of_clips[:, row]), usual_view(*picture.shape[1::-1]), rules)
            if points is not None:
                pictures.append(picture)
                labels.append(points)
                groups.append(f"{DATASET}/{name}")
    logger.info("clips: %d of %d people labelled", len(labels), shown)
    return make_pack(pictures, np.stack(labels), dataset=DATASET, groups=groups)


if __name__ == "__main__":
    sys.exit(main())
