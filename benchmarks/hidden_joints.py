"""Whether joints are found that something hides, and whether their scores say how sure that is.

    python benchmarks/hidden_joints.py CLIPS POSES [--model MODEL] [--pack PACK]

CLIPS is the folder of the videos, POSES one where found keypoints are kept: a run that was stopped
goes on. MODEL is a model's name or a weights file. The truth is ``truth/hard_frames.csv``: frames
that were chosen and annotated by eye, before any network's answer was seen. It has a line for each
of the twelve joints of the limbs: the clip's file and group, the second, the trunk's length, px of
the upright frame, and whether the joint is visible, hidden but inferable (within some 0.15 of the
trunk), or unknown.

Each frame is analysed with its neighbours, `AROUND_S` before and after, so that keypoints can be
chosen over time. The person is marked there, where enough of their joints are known: who is
followed is not measured here.

With `--pack`, the pack of annotated people whose teachers' answers lie in ``scripts``, the report
says how often these and the labels that are made of them are right about the same joints.

Writes ``hidden_joints.md`` beside this file; that of another model goes to ``--out``.
"""

from __future__ import annotations

import argparse
import csv
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from machine import describe, table
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from gymform import skeleton as sk
from gymform.errors import NoPersonError
from gymform.pose.checkpoints import LoadedPose, load_pose_model, read_pose_file
from gymform.pose.crops import box_to_crop
from gymform.pose.decoding import PEAKS, choose_keypoints
from gymform.pose.estimator import PoseEstimator
from gymform.pose.files import load_poses, read_arrays, save_poses
from gymform.pose.tracking import SAMPLE_INTERVAL_S, follow
from gymform.pose.vitpose import ViTPose
from gymform.training.pose.hidden_labels import in_frame, label_with_hidden, picture_crop
from gymform.training.pose.label_fusion import Rules, TeacherKeypoints, label, read_predictions
from gymform.training.pose.packs import read_pack
from gymform.types import PoseSequence, Provenance, Target
from gymform.video.read import read_frames
from gymform.video.sparse import SparseFrames, only, sample_frames
from gymform.weights import SUFFIXES, sha256_of

TRUTH = Path(__file__).parent / "truth" / "hard_frames.csv"
LEARNED = Path(__file__).parent.parent / "scripts" / "teacher_answers.npz"
"""Names the clips from which the embedded networks have learned, with labels of other networks."""

OUT = Path(__file__).with_suffix(".md")

AROUND_S = 0.7
"""Seconds before and after a frame that are analysed with it."""

RIGHT = 0.2
"""A joint is right within this share of the trunk's length: PCK@0.2."""

GROSS = 0.5
"""A joint farther off than this is on something else: no annotator's error reaches so far."""

ENOUGH = 6
"""The person is marked where so many joints are known: fewer make no box of a person."""

STATES = ("visible", "hidden")
BINS = 10

SAME_MOMENT_S = 0.15
"""Teachers' answers about a frame at most this far away are compared with the truth."""

DRAWS = 1000


@dataclass(frozen=True, eq=False)
class HardFrame:
    """A frame of the truth: ``xy`` (17, 2) px, NaN where unknown; ``state`` (17,) words.

    ``torso_px`` is the longest distance from a shoulder to a hip, or a length by eye where the
    trunk points at the camera or is hidden.
    """

    number: int
    file: str
    group: str
    exercise: str
    time_s: float
    torso_px: float
    xy: np.ndarray
    state: np.ndarray


@dataclass(frozen=True)
class Answer:
    """What was said of one joint: its distance from the truth in trunks, NaN where it is missing;
    the score; whether it lies on the other side's joint."""

    frame: HardFrame
    joint: int
    distance: float
    score: float
    wrong_side: bool

    @property
    def right(self) -> bool:
        return self.distance <= RIGHT

    @property
    def state(self) -> str:
        return str(self.frame.state[self.joint])


def read_truth(path: Path) -> list[HardFrame]:
    """The frames in ``path``, a CSV with a line for each joint."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    frames = []
    for (name, time_s), lines in itertools.groupby(rows, lambda r: (r["file"], r["time_s"])):
        xy = np.full((sk.NUM_KEYPOINTS, 2), np.nan)
        state = np.full(sk.NUM_KEYPOINTS, "", dtype="<U8")
        for line in lines:
            joint = sk.KEYPOINTS.index(line["joint"])
            state[joint] = line["state"]
            if line["state"] in STATES:
                xy[joint] = float(line["x"]), float(line["y"])
        torso = float(line["torso_px"])
        frames.append(
            HardFrame(
                len(frames), name, line["group"], line["exercise"], float(time_s), torso, xy, state
            )
        )
    return frames


# -- keypoints around a frame --------------------------------------------------------------------


def poses_around(frame: HardFrame, clips: Path, estimator: PoseEstimator) -> PoseSequence:
    """The keypoints of the person in ``frame``, `AROUND_S` before and after."""

    def near(index: int, time_s: float) -> bool:
        return abs(time_s - frame.time_s) <= AROUND_S

    path = clips / frame.file
    frames = sample_frames(path, SAMPLE_INTERVAL_S, choose=near)
    try:
        boxes = follow(frames, estimator, target=marked(frame)).boxes
    except NoPersonError:
        boxes = np.full((len(frames.time_s), 4), np.nan, np.float32)
    peaks = peaks_in(path, frames, boxes, estimator)
    xy, score = choose_keypoints(peaks, frames.time_s, frames.frame_shots, boxes)
    made_by = Provenance(network=estimator.model.name, weights_sha256=estimator.model.sha256)
    return PoseSequence(
        xy=xy,
        score=score,
        boxes=boxes,
        time_s=frames.time_s,
        image_size=frames.size,
        provenance=made_by,
        shots=frames.frame_shots,
        peaks=peaks,
    )


def marked(frame: HardFrame) -> Target | None:
    """The person by a box around the known joints; None where these are too few."""
    known = frame.xy[np.isfinite(frame.xy).all(1)]
    if len(known) < ENOUGH:
        return None
    x, y = known.min(0)
    width, height = np.maximum(np.ptp(known, axis=0), 1)
    return Target(frame.time_s, box=(float(x), float(y), float(width), float(height)))


def peaks_in(
    path: Path, frames: SparseFrames, boxes: np.ndarray, estimator: PoseEstimator
) -> np.ndarray:
    """The network's peaks float32 (T, 17, K, 3), px and score, where there is a box."""
    peaks = np.full((len(frames.time_s), sk.NUM_KEYPOINTS, PEAKS, 3), np.nan, np.float32)
    peaks[..., 2] = 0
    rows = np.flatnonzero(np.isfinite(boxes).all(1))
    if not len(rows):
        return peaks
    crops = box_to_crop(boxes, estimator.padding)[rows]
    with read_frames(path, keep=only(frames.time_s[rows])) as stream:
        pixels = [estimator.cut(f.rgb, crop) for f, crop in zip(stream, crops, strict=True)]
    peaks[rows, :, :, :2], peaks[rows, :, :, 2] = estimator.peaks_in_crops(pixels, crops, PEAKS)
    return peaks


def open_model(model: str | None) -> LoadedPose:
    """The model of this name, or in this weights file."""
    if model is None or Path(model).suffix not in SUFFIXES:
        return load_pose_model(model)
    path = Path(model)
    config, tensors = read_pose_file(path)
    network = ViTPose(config)
    network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    return LoadedPose(network.eval(), path.stem, sha256_of(path), config)


def kept_poses(
    frames: Sequence[HardFrame], clips: Path, folder: Path, model: str | None
) -> tuple[list[PoseSequence], str]:
    """The keypoints around each frame, read from ``folder`` where they were found before, and the
    model's name. They are found anew when the network has changed."""
    estimator = PoseEstimator(open_model(model), batch_size=16)
    place = folder / f"{estimator.model.name}-{estimator.model.sha256[:8]}"
    place.mkdir(parents=True, exist_ok=True)
    poses = []
    for frame in frames:
        name = f"{frame.file.replace('/', '__')}_{frame.time_s:.3f}.npz"
        if not (place / name).is_file():
            save_poses(place / name, poses_around(frame, clips, estimator))
            print(f"{frame.number + 1}/{len(frames)} {frame.file} {frame.time_s:.2f} s", flush=True)
        poses.append(load_poses(place / name))
    return poses, estimator.model.name


# -- answers -------------------------------------------------------------------------------------


def answers_of(frame: HardFrame, xy: np.ndarray, score: np.ndarray) -> list[Answer]:
    """What ``xy`` (17, 2) px and ``score`` (17,) say of the joints annotated in ``frame``."""
    found = []
    for joint in np.flatnonzero(frame.state != ""):
        own, other = (
            float(np.linalg.norm(xy[joint] - frame.xy[k]) / frame.torso_px)
            for k in (joint, sk.FLIP_ORDER[joint])
        )
        swapped = own > RIGHT and other <= RIGHT
        if frame.state[joint] not in STATES:
            own = 0.0 if np.isfinite(xy[joint]).all() else np.nan
        found.append(Answer(frame, int(joint), own, float(score[joint]), swapped))
    return found


def row_of(frame: HardFrame, pose: PoseSequence) -> int:
    """The frame of ``pose`` that was annotated."""
    return int(np.argmin(np.abs(pose.time_s - frame.time_s)))


def raw_and_decoded(
    frames: Sequence[HardFrame], poses: Sequence[PoseSequence]
) -> dict[str, list[Answer]]:
    """The answers of the highest peaks, and of the keypoints chosen over time."""
    raw: list[Answer] = []
    decoded: list[Answer] = []
    for frame, pose in zip(frames, poses, strict=True):
        t = row_of(frame, pose)
        raw += answers_of(frame, pose.peaks[t, :, 0, :2], pose.peaks[t, :, 0, 2])
        xy, score = choose_keypoints(pose.peaks, pose.time_s, pose.shots, pose.boxes)
        decoded += answers_of(frame, xy[t], score[t])
    return {"highest peak": raw, "chosen over time": decoded}


def teachers_answers(
    frames: Sequence[HardFrame], predictions: TeacherKeypoints
) -> dict[str, list[Answer]]:
    """What teachers, and labels made of their answers, say of the joints of the ``frames``."""
    resolved = label_with_hidden(predictions)
    answers: dict[str, list[Answer]] = {}
    for frame in frames:
        row = row_near(frame, predictions)
        if row is None:
            continue
        crop, own = predictions.people.crop[row], predictions.of_clips[:, row]
        said: dict[str, np.ndarray | None] = {
            name: np.column_stack((points.mean(0)[:, :2], np.ones(sk.NUM_KEYPOINTS)))
            for name, points in zip(predictions.teachers, own, strict=True)
        }
        said["labels, all teachers"] = label(list(own), picture_crop(crop), Rules())
        said["labels, hidden joints resolved"] = resolved[row]
        for way, points in said.items():
            xy = in_frame(points, crop)
            answers.setdefault(way, []).extend(answers_of(frame, xy, np.ones(len(xy))))
    return answers


def row_near(frame: HardFrame, predictions: TeacherKeypoints) -> int | None:
    """The teachers' person at about the moment of the ``frame``."""
    people = predictions.people
    apart = np.where(people.clip == frame.file, np.abs(people.time_s - frame.time_s), np.inf)
    nearest = int(apart.argmin())
    return nearest if apart[nearest] <= SAME_MOMENT_S else None


# -- figures -------------------------------------------------------------------------------------


def share(answers: Sequence[Answer], what: Callable[[Answer], bool]) -> float:
    return sum(map(what, answers)) / len(answers) if answers else float("nan")


def interval(answers: Sequence[Answer], what: Callable[[Answer], bool]) -> tuple[float, float]:
    """A 95 % interval of the share: people are drawn with replacement, not joints."""
    groups: dict[str, list[bool]] = {}
    for answer in answers:
        groups.setdefault(answer.frame.group, []).append(what(answer))
    counts = np.array([(sum(hits), len(hits)) for hits in groups.values()])
    rng = np.random.default_rng(0)
    drawn = counts[rng.integers(0, len(counts), (DRAWS, len(counts)))].sum(1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], (0.025, 0.975))
    return float(low), float(high)


def calibration_error(answers: Sequence[Answer]) -> float:
    """ECE: the mean distance of score and share right over the bins, by their sizes."""
    return sum(
        len(part) / len(answers) * abs(share(part, is_right) - mean_score(part))
        for part in in_bins(answers)
        if part
    )


def in_bins(answers: Sequence[Answer]) -> list[list[Answer]]:
    """The answers by tenths of their score."""
    parts: list[list[Answer]] = [[] for _ in range(BINS)]
    for answer in answers:
        parts[min(BINS - 1, int(BINS * answer.score))].append(answer)
    return parts


def mean_score(answers: Sequence[Answer]) -> float:
    return float(np.mean([answer.score for answer in answers]))


def is_right(answer: Answer) -> bool:
    return answer.right


def is_missing(answer: Answer) -> bool:
    return bool(np.isnan(answer.distance))


def of_state(answers: Sequence[Answer], state: str) -> list[Answer]:
    return [answer for answer in answers if answer.state == state]


def given(answers: Sequence[Answer]) -> list[Answer]:
    return [answer for answer in answers if not is_missing(answer)]


# -- the report ----------------------------------------------------------------------------------


def found_table(answers: dict[str, list[Answer]]) -> str:
    lines = []
    for way, state in itertools.product(answers, STATES):
        part = of_state(answers[way], state)
        low, high = interval(part, is_right)
        lines.append(
            [
                f"{way}, {state}",
                str(len(part)),
                f"{share(part, is_right):.3f} ({low:.3f} to {high:.3f})",
                f"{share(part, lambda answer: answer.distance <= 0.3):.3f}",
                f"{share(part, lambda answer: answer.distance > GROSS):.3f}",
                f"{share(part, is_missing):.3f}",
                f"{share(given(part), is_right):.3f}",
                f"{share(part, lambda answer: answer.wrong_side):.3f}",
            ]
        )
    return table(
        [
            "keypoints, joints",
            "joints",
            "PCK@0.2 (95 %)",
            "PCK@0.3",
            f"farther than {GROSS}",
            "missing",
            "right of those given",
            "on the other side's joint",
        ],
        lines,
    )


def learned_table(answers: list[Answer]) -> str:
    """The same for clips from which the networks have learned, and for the others."""
    learned = set(read_arrays(LEARNED)["clip"].tolist())
    lines = []
    for title, wanted in (("learned from", True), ("others", False)):
        own = [answer for answer in answers if (answer.frame.file in learned) == wanted]
        line = [title, str(len({answer.frame.number for answer in own}))]
        for state in STATES:
            part = of_state(own, state)
            line += [str(len(part)), f"{share(part, is_right):.3f}"]
        lines.append(line)
    return table(["clips", "frames", "visible", "right", "hidden", "right"], lines)


def joint_table(answers: list[Answer]) -> str:
    lines = []
    for left, right in sk.BODY_PAIRS:
        line = [sk.KEYPOINTS[left].removeprefix("left_")]
        for state in STATES:
            part = [a for a in of_state(answers, state) if a.joint in (left, right)]
            line += [str(len(part)), f"{share(part, is_right):.3f}"]
        lines.append(line)
    return table(["joint", "visible", "right", "hidden", "right"], lines)


def exercise_table(answers: list[Answer]) -> str:
    lines = []
    for exercise in sorted({answer.frame.exercise for answer in answers}):
        own = [answer for answer in answers if answer.frame.exercise == exercise]
        line = [exercise, str(len({answer.frame.number for answer in own}))]
        for state in STATES:
            part = of_state(own, state)
            line += [str(len(part)), f"{share(part, is_right):.3f}" if part else ""]
        lines.append(line)
    return table(["exercise", "frames", "visible", "right", "hidden", "right"], lines)


def reliability_table(answers: list[Answer]) -> str:
    """Score in ten bins against the share right; a line of the table is a bin."""
    columns = [given(of_state(answers, state)) for state in STATES]
    columns.append(columns[0] + columns[1])
    lines = []
    for i, parts in enumerate(zip(*map(in_bins, columns), strict=True)):
        line = [f"{i / BINS:.1f} to {(i + 1) / BINS:.1f}"]
        for part in parts:
            line += [str(len(part)), f"{share(part, is_right):.2f}" if part else ""]
        lines.append(line)
    errors = ["ECE"]
    for column in columns:
        errors += [str(len(column)), f"{calibration_error(column):.3f}"]
    heads = [head for state in (*STATES, "both") for head in (state, "right")]
    return table(["score", *heads], [*lines, errors])


def calibration_table(answers: list[Answer]) -> str:
    """ECE and Brier score of the scores as they are and calibrated on other people.

    Groups are split in ten; each tenth is calibrated by the others.
    """
    found = given([answer for answer in answers if answer.state in STATES])
    score = np.array([answer.score for answer in found])
    right = np.array([answer.right for answer in found])
    groups = [answer.frame.group for answer in found]
    ways = {"as it is": score, "isotonic": score.copy(), "logistic": score.copy()}
    for train, test in GroupKFold(10).split(score, right, groups):
        curve = IsotonicRegression(out_of_bounds="clip").fit(score[train], right[train])
        ways["isotonic"][test] = curve.predict(score[test])
        line = LogisticRegression(C=1e3).fit(logit(score[train]), right[train])
        ways["logistic"][test] = line.predict_proba(logit(score[test]))[:, 1]
    return table(
        ["score", *(f"{what}, {state}" for state in STATES for what in ("ECE", "Brier"))],
        [[way, *errors_of(found, values)] for way, values in ways.items()],
    )


def logit(score: np.ndarray) -> np.ndarray:
    """The log odds (N, 1) of scores (N,)."""
    inside = np.clip(score, 1e-3, 1 - 1e-3)
    return np.asarray(np.log(inside / (1 - inside))[:, None])


def errors_of(found: list[Answer], score: np.ndarray) -> list[str]:
    """ECE and Brier score of visible, then of hidden joints."""
    scored = [replace(one, score=float(value)) for one, value in zip(found, score, strict=True)]
    cells = []
    for state in STATES:
        part = of_state(scored, state)
        brier = np.mean([(answer.score - answer.right) ** 2 for answer in part])
        cells += [f"{calibration_error(part):.3f}", f"{brier:.4f}"]
    return cells


def unknown_line(answers: dict[str, list[Answer]]) -> str:
    parts = []
    for way, found in answers.items():
        part = of_state(found, "unknown")
        sure = share(part, lambda answer: answer.score >= 0.5)
        parts.append(
            f"{way}: {1 - share(part, is_missing):.3f} given, {sure:.3f} with 0.5 and more"
        )
    return f"{len(part)} joints are hidden and nobody can say where they are; " + "; ".join(parts)


def wrong_line(answers: list[Answer]) -> str:
    known = [answer for answer in given(answers) if answer.state in STATES]
    wrong = [answer for answer in known if not answer.right]
    right = [answer for answer in known if answer.right]
    high = share(wrong, lambda answer: answer.score >= 0.5)
    return (
        f"The median score of right joints is {np.median([a.score for a in right]):.2f}, of wrong "
        f"ones {np.median([a.score for a in wrong]):.2f}; {high:.2f} of the wrong ones have 0.5 "
        "and more"
    )


def teachers_part(frames: list[HardFrame], pack: Path | None) -> str:
    """The section on teachers; nothing without their pack."""
    if pack is None:
        return ""
    answers = teachers_answers(frames, read_predictions(LEARNED, read_pack(pack)))
    seen = len({answer.frame.number for answer in next(iter(answers.values()))})
    return f"""## What teachers know

In {seen} of the frames, teachers were asked at most {SAME_MOMENT_S} s before or after. Labels for
training are made of their answers: by all of them, or with hidden joints resolved.

{found_table(answers)}

"""


def render(
    frames: list[HardFrame], answers: dict[str, list[Answer]], model: str, teachers: str
) -> str:
    """The report in Markdown."""
    people = len({frame.group for frame in frames})
    raw, decoded = answers["highest peak"], answers["chosen over time"]
    return f"""# Joints that something hides

{len(frames)} frames of {people} people, chosen by eye for joints behind plates, bars, racks, the
own body or another one, and annotated before any network's answer was seen. A joint is right within
{RIGHT} of the trunk's length of the place that was annotated. Hidden joints are those that the eye
can infer within some 0.15, so even the truth is often 0.1 off. Intervals come of drawing people
anew.

Model: {model}; {describe()}.

{found_table(answers)}

{unknown_line(answers)}.

## Clips that the embedded networks learned from, and others

Keypoints chosen over time. The labels were other networks' answers, not these annotations.

{learned_table(decoded)}

## By joint, chosen over time

{joint_table(decoded)}

## By exercise, chosen over time

{exercise_table(decoded)}

## What scores say: reliability of the highest peak

A calibrated score of 0.8 is right in 8 of 10 cases. ECE is the mean distance of the two over the
bins, weighted by their sizes. {wrong_line(raw)}.

{reliability_table(raw)}

## Reliability of what is chosen over time

{reliability_table(decoded)}

## What a calibration would bring

Each tenth of the people is calibrated by the others, visible and hidden joints alike, since nobody
knows which of them is hidden.

{calibration_table(raw)}

{teachers}Written by `python benchmarks/hidden_joints.py CLIPS POSES`.
"""


def main() -> int:
    """Find the keypoints around all frames, print and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path, metavar="CLIPS")
    parser.add_argument("poses", type=Path, metavar="POSES")
    parser.add_argument("--model", help="a model's name or a weights file")
    parser.add_argument("--truth", type=Path, default=TRUTH, metavar="CSV")
    parser.add_argument("--pack", type=Path, help="pack whose people teachers were asked about")
    parser.add_argument("--out", type=Path, default=OUT, metavar="MD")
    parser.add_argument("--threads", type=int, default=1, help="processor threads (1)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(options.threads)
    frames = read_truth(options.truth)
    poses, model = kept_poses(frames, options.clips, options.poses, options.model)
    teachers = teachers_part(frames, options.pack)
    report = render(frames, raw_and_decoded(frames, poses), model, teachers)
    options.out.write_text(report, encoding="utf-8")
    print(report)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
