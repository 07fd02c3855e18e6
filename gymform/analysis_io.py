"""Saves an analysis to files, each written whole or not at all, and loads it again."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gymform.analysis import Analysis, Options, measure
from gymform.bar.files import bar_as_dict, bar_from_dicts, path_as_dict
from gymform.draw.video import draw_skeletons
from gymform.errors import GymformError, PoseFileError
from gymform.form.bar import with_bar
from gymform.motion.angles import joint_angles
from gymform.movement_patterns import partial_answer
from gymform.pose.files import load_poses, save_poses
from gymform.skeleton import KEYPOINTS
from gymform.storage import atomic_path
from gymform.text import file_stem
from gymform.timing import Progress, ignore_progress
from gymform.types import (
    UNKNOWN,
    Ablation,
    Clip,
    FormReport,
    Neighbour,
    Prediction,
    Table,
    Target,
    Window,
    percent,
)
from gymform.video.write import TIME_BASE

RESULT_SCHEMA = 1


@dataclass(frozen=True)
class Artifacts:
    """The files of a saved analysis."""

    overlay: Path
    poses: Path
    csv: Path
    json: Path

    @classmethod
    def of(cls, folder: Path, stem: str) -> Artifacts:
        """Where the files of ``stem`` lie in ``folder``; a stem too long for them is cut."""
        stem = file_stem(stem, len(".annotated.mp4"))
        return cls(
            overlay=folder / f"{stem}.annotated.mp4",
            poses=folder / f"{stem}.npz",
            csv=folder / f"{stem}.csv",
            json=folder / f"{stem}.json",
        )


def save(
    analysis: Analysis,
    source: Path,
    folder: Path,
    *,
    stem: str,
    video: bool = True,
    progress: Progress | None = None,
    table: Table | None = None,
) -> Artifacts:
    """Write keypoints, trajectories, answer and annotated video of ``source`` into ``folder``.

    Each file appears whole or not at all, the answer last. The video takes longest: without
    ``video`` it is left out, and :func:`draw_copy` can make it later. ``table`` says how the CSV is
    written. Raises GymformError when something cannot be written.
    """
    files = Artifacts.of(folder, stem)
    report = progress or ignore_progress
    try:
        save_poses(files.poses, analysis.pose)
        with atomic_path(files.csv) as temporary:
            write_csv(temporary, analysis, table or Table())
        if video:
            draw_video(analysis, source, files.overlay, report)
        with atomic_path(files.json) as temporary:
            temporary.write_text(json.dumps(_as_saved(analysis), indent=2), encoding="utf-8")
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else "the disk refused it"
        raise GymformError(
            f"The results cannot be written ({reason}). Free some space, or choose another folder."
        ) from error
    return files


def load(folder: Path, stem: str) -> Analysis:
    """A saved analysis; trajectories, quality and form are computed anew from the keypoints.

    Raises PoseFileError when a file is missing or not what `save` wrote.
    """
    files = Artifacts.of(folder, stem)
    pose = load_poses(files.poses)
    try:
        result = json.loads(files.json.read_text(encoding="utf-8"))
        clip = Clip(**{**result["clip"], "problems": tuple(result["clip"]["problems"])})
        prediction = _prediction_from(result["prediction"])
        seconds = {str(stage): float(value) for stage, value in result["seconds"].items()}
        slower = float(result.get("slow_motion", 1.0))  # absent in older results
        said = result.get("bar")
        bar = None if said is None else bar_from_dicts(said, result["bar_path"], pose.time_s)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PoseFileError(
            f"{files.json.name}: expected the answer that belongs to {files.poses.name}, but it is "
            f"missing or damaged ({type(error).__name__}). Analyse the clip again."
        ) from error
    tracks, quality, form = measure(pose, prediction, slower)
    if bar is not None:
        form = with_bar(form, bar, pose, tracks, slower)
    return Analysis(clip, pose, tracks, quality, prediction, form, seconds, slower, bar)


def draw_video(
    analysis: Analysis, source: Path, target: Path, report: Progress = ignore_progress
) -> None:
    """Write the clip with the skeleton over each analysed frame to ``target``, H.264."""
    label = _label(analysis.prediction)
    draw_skeletons(
        analysis.pose, analysis.tracks, source, target,
        label=label, form=analysis.form, bar=analysis.bar, progress=report,
    )  # fmt: skip


def draw_copy(analysis: Analysis, copy: Path, target: Path) -> None:
    """The same, drawn into a ``copy`` of the clip made by `transcode`: it is upright, and may be
    smaller."""
    pose = analysis.pose
    upright = replace(
        pose,
        time_s=np.round(pose.time_s / float(TIME_BASE)) * float(TIME_BASE),
        provenance=replace(pose.provenance, turn=0),
    )
    draw_video(replace(analysis, pose=upright), copy, target)


def write_csv(path: Path, analysis: Analysis, table: Table | None = None) -> None:
    """Write one row a frame and keypoint: raw and cleaned position, velocity, score, angle; and
    one for the bar, where it was followed.

    Lengths are px of the upright frame, times seconds, angles degrees between the two limbs at a
    joint; ``repetition`` counts from 1; ``interpolated`` is 1 in frames that the network did not
    look at. What is missing is an empty cell.
    """
    how = table or Table()
    header = ["frame", "time_s", "keypoint", "x", "y", "score", "x_clean", "y_clean"]
    header += ["vx_px_s", "vy_px_s", "filled", "angle_deg", "repetition", "interpolated"]
    pose, tracks, skipped = analysis.pose, analysis.tracks, analysis.pose.interpolated
    angles = joint_angles(tracks.xy)

    def cell(number: float, digits: int = 3) -> str:
        return "" if np.isnan(number) else f"{number:.{digits}f}".replace(".", how.decimal)

    with path.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream, delimiter=how.separator)
        rows.writerow(header)
        for frame, moment in enumerate(pose.time_s):
            repetition = _repetition_at(analysis.form, float(moment))
            for k, name in enumerate(KEYPOINTS):
                numbers = (
                    *pose.xy[frame, k],
                    pose.score[frame, k],
                    *tracks.xy[frame, k],
                    *tracks.velocity[frame, k],
                )
                row = [frame, cell(moment, 6), name, *map(cell, numbers)]
                row += [int(tracks.filled[frame, k]), cell(angles[frame, k], 1), repetition]
                row += [int(skipped[frame])]
                rows.writerow(row)
            if analysis.bar is not None and analysis.bar.found:
                place, speed = analysis.bar.xy[frame], analysis.bar.velocity[frame]
                row = [frame, cell(moment, 6), "bar", *[""] * 3, *map(cell, (*place, *speed))]
                row += [int(not analysis.bar.observed[frame]), "", repetition, 0]
                rows.writerow(row)


def _repetition_at(form: FormReport, second: float) -> str:
    """The number of the repetition that a moment belongs to, from 1; "" between them."""
    inside = (number for number, rep in enumerate(form.repetitions, 1)
              if rep.start_s <= second <= rep.end_s)  # fmt: skip
    return str(next(inside, ""))


def as_dict(analysis: Analysis) -> dict[str, Any]:
    """Clip, prediction, quality, form and provenance as plain data for JSON."""
    prediction = analysis.prediction
    return {
        "schema": RESULT_SCHEMA,
        "clip": asdict(analysis.clip),
        "prediction": {
            "label": prediction.label,
            "confidence": prediction.confidence,
            "reason": prediction.reason,
            "candidates": list(prediction.candidates),
            "partial": _partial_as_dict(prediction),
            "probabilities": dict(zip(prediction.classes, prediction.probabilities, strict=True)),
            "windows": [asdict(window) for window in prediction.windows],
            "kept_still": {one.part: one.probabilities for one in prediction.ablations},
            "nearest": [asdict(one) for one in prediction.nearest],
            "model_sha256": prediction.model_sha256,
        },
        "quality": asdict(analysis.quality),
        "form": _form_as_dict(analysis.form),
        "bar": None if analysis.bar is None else bar_as_dict(analysis.bar),
        "slow_motion": analysis.slow_motion,
        "frames": len(analysis.pose),
        "frames_looked_at": int(analysis.pose.answered.sum()),
        "provenance": asdict(analysis.pose.provenance),
        "seconds": {stage: round(value, 4) for stage, value in analysis.seconds.items()},
    }


def _as_saved(analysis: Analysis) -> dict[str, Any]:
    """The same with the bar's path."""
    path = None if analysis.bar is None else path_as_dict(analysis.bar)
    return {**as_dict(analysis), "bar_path": path}


def _partial_as_dict(prediction: Prediction) -> dict[str, Any] | None:
    """The movement pattern, where the exercise is unsure but its pattern is not; else None."""
    found = partial_answer(prediction)
    if found is None:
        return None
    return {"pattern": found.pattern.key, "exercises": list(found.exercises), "title": found.title}


def _form_as_dict(form: FormReport) -> dict[str, Any]:
    """The report as plain data; None where something is unknown, since JSON has no NaN."""
    data = {**asdict(form), "turned": form.turned if np.isfinite(form.turned) else None}
    del data["rests_on"]  # of use while frames can be looked at only
    return data


def options_from_dict(options: Mapping[str, Any]) -> Options:
    """The inverse of ``dataclasses.asdict(options)``, also after a round trip through JSON."""
    target = options.get("target")
    if target is not None:
        box, point = target.get("box"), target.get("point")
        target = Target(
            time_s=float(target["time_s"]),
            box=None if box is None else tuple(box),
            point=None if point is None else tuple(point),
        )
    plate = options.get("plate")
    plate = None if plate is None else tuple(float(number) for number in plate)
    return Options(**{**options, "target": target, "plate": plate})


def _prediction_from(data: Mapping[str, Any]) -> Prediction:
    return Prediction(
        classes=tuple(data["probabilities"]),
        probabilities=tuple(float(p) for p in data["probabilities"].values()),
        label=data["label"],
        reason=data["reason"],
        model_sha256=data["model_sha256"],
        windows=tuple(
            Window(w["start_s"], w["end_s"], tuple(w["probabilities"])) for w in data["windows"]
        ),
        ablations=tuple(
            Ablation(part, tuple(probabilities))
            for part, probabilities in data.get("kept_still", {}).items()  # absent in older results
        ),
        candidates=tuple(data.get("candidates", ())),  # absent in older results
        nearest=tuple(Neighbour(**one) for one in data.get("nearest", ())),  # likewise
    )


def _label(prediction: Prediction) -> str:
    if prediction.label == UNKNOWN:
        return UNKNOWN
    return f"{prediction.label} {percent(prediction.confidence)}"
