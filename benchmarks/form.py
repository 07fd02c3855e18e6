"""How far figures and cues of form repeat: a film measured again in a mirror.

    python benchmarks/form.py CLIPS POSES

CLIPS is the folder of the videos, in folders called squat, deadlift and snatch; POSES holds a
keypoint file a clip (``scripts/extract_poses.py``). The network sees each of its crops once more,
mirrored: nothing about the lifter has changed, so all that changes is error. What both share, the
network's own habits, does not show; the sample clip tells something of that, where the true
keypoints are known.

Writes ``form.md`` beside this file.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from machine import describe, table

import gymform
from gymform import skeleton as sk
from gymform.exercises import EXERCISES, Rule, find_exercise
from gymform.form.cues import assess_form, shown
from gymform.motion.clean import clean
from gymform.motion.quality import assess
from gymform.pose.crops import box_to_crop, unmirror
from gymform.pose.decoding import PEAKS, choose_keypoints
from gymform.pose.estimator import PoseEstimator
from gymform.pose.files import load_poses
from gymform.pose.networks import Estimators, load_estimators
from gymform.pose.sequence import extract_poses
from gymform.types import FormReport, Measure, PoseSequence, Prediction, RepForm, Verdict
from gymform.video.read import probe, read_frames
from gymform.video.sparse import only

SAMPLE = Path(gymform.__file__).parent / "assets" / "sample_squat.mp4"
TRUTH = SAMPLE.with_name("sample_squat_truth.csv")
OUT = Path(__file__).with_suffix(".md")


def main() -> int:
    """Measure all clips twice, print and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path, metavar="CLIPS")
    parser.add_argument("poses", type=Path, metavar="POSES")
    options = parser.parse_args()
    networks = load_estimators()
    pairs: list[tuple[str, Measure, Measure]] = []
    clips = 0
    for exercise in (one.key for one in EXERCISES):
        for file in sorted((options.poses / exercise).glob("*.npz")):
            pose = load_poses(file)
            clip = (options.clips / exercise / file.name).with_suffix(".mp4")
            first, second = (
                report(one, exercise) for one in (pose, mirrored(clip, pose, networks.main))
            )
            found = [(exercise, *both) for both in matched(first, second)]
            print(f"{exercise}/{file.stem}: {len(found)} figures", file=sys.stderr)
            pairs += found
            clips += bool(found)
    text = render(pairs, clips, sample_rows(networks))
    OUT.write_text(text, encoding="utf-8")
    print(text)
    return 0


def report(pose: PoseSequence, exercise: str) -> FormReport:
    """The form of a clip, taken for what it is."""
    tracks = clean(pose)
    prediction = Prediction((exercise,), (1.0,), exercise, None, "")
    return assess_form(pose, tracks, assess(pose, tracks), prediction)


def mirrored(clip: Path, pose: PoseSequence, estimator: PoseEstimator) -> PoseSequence:
    """The same frames' keypoints as the network finds them in a mirror, turned back."""
    peaks = np.full_like(pose.peaks, np.nan)
    peaks[..., 2] = 0
    crops = box_to_crop(pose.boxes, estimator.padding)
    rows, pixels = [], []
    with read_frames(clip, keep=only(pose.time_s)) as frames:
        for frame in frames:
            row = int(np.abs(pose.time_s - frame.time_s).argmin())
            if np.isfinite(crops[row]).all():
                rows.append(row)
                pixels.append(np.ascontiguousarray(estimator.cut(frame.rgb, crops[row])[:, ::-1]))
    found = estimator.peaks_in_crops(pixels, crops[rows], PEAKS)
    for number in range(PEAKS):
        one = unmirror(*(part[:, :, number] for part in found), crops[rows])
        peaks[rows, :, number, :2], peaks[rows, :, number, 2] = one
    xy, score = choose_keypoints(peaks, pose.time_s, pose.shots, pose.boxes)
    return replace(pose, xy=xy, score=score, peaks=peaks)


def matched(first: FormReport, second: FormReport) -> Iterator[tuple[Measure, Measure]]:
    """The same figures of the same repetitions, by the times of these."""
    for rep in first.repetitions:
        other = _same(rep, second)
        for one in rep.measures if other else ():
            again = other.value(one.key) if other else None
            if again:
                yield one, again


def _same(rep: RepForm, report: FormReport) -> RepForm | None:
    middle = (rep.start_s + rep.end_s) / 2
    inside = [other for other in report.repetitions if other.start_s < middle < other.end_s]
    return inside[0] if inside else None


def sample_rows(networks: Estimators) -> list[list[str]]:
    """Figures of the sample clip: by the networks, and by its true keypoints."""
    pose, _ = extract_poses(SAMPLE, probe(SAMPLE), networks.main, scout=networks.scout)
    with TRUTH.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    true = [[[float(row[f"{k}_{axis}"]) for axis in "xy"] for k in sk.KEYPOINTS] for row in rows]
    xy = np.array(true, np.float32)[: len(pose)]
    truth = replace(pose, xy=xy, score=np.full(xy.shape[:2], 0.9, np.float32))
    both = matched(report(pose, "squat"), report(truth, "squat"))
    return [[found.title, shown(found), shown(real)] for found, real in both]


def rule_of(exercise: str, key: str) -> Rule | None:
    """The rule that judges a figure."""
    known = find_exercise(exercise)
    return next((rule for rule in known.rules if rule.key == key), None) if known else None


def render(pairs: list[tuple[str, Measure, Measure]], clips: int, sample: list[list[str]]) -> str:
    """The report in Markdown."""
    groups: dict[tuple[str, str], list[tuple[Measure, Measure]]] = defaultdict(list)
    for exercise, one, other in pairs:
        groups[exercise, one.key].append((one, other))
    rows, against, judged = [], 0, 0
    for (exercise, key), both in groups.items():
        apart = np.abs([one.value - other.value for one, other in both])
        rule = rule_of(exercise, key)
        opposite = "-"
        if rule:
            verdicts = [{rule.verdict(m.value, rule.margin) for m in pair} for pair in both]
            count = sum({Verdict.GOOD, Verdict.LOOK} <= pair for pair in verdicts)
            against, judged = against + count, judged + len(both)
            opposite = f"{count}"
        median, most = (f"{np.quantile(apart, q):.2g}" for q in (0.5, 0.9))
        rows.append([exercise, both[0][0].title, str(len(both)), median, most,
                     both[0][0].unit, f"{rule.margin:g}" if rule else "-", opposite])  # fmt: skip
    header = ["exercise", "figure", "repetitions", "median", "nine in ten within", "unit",
              "margin", "opposite verdicts"]  # fmt: skip
    return f"""# How far figures of form repeat

Made by `python benchmarks/form.py`. Each of {clips} clips was measured twice, as filmed and in a
mirror, by the same network in the same crops: how far the two figures of a repetition are apart.
The margin is what a figure must be past its limit by before anything is concluded. Opposite
verdicts: {against} of {judged} judged figures were good one time and something to look at the
other.
Measured on: {describe()}.

{table(header, rows)}

The sample clip, a computer-made squat from the front, by the network and by the keypoints that it
was made with:

{table(["figure", "network", "true keypoints"], sample)}
"""


if __name__ == "__main__":
    sys.exit(main())
