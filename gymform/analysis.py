"""What the program does, in one walk: clip -> skeleton -> trajectories -> exercise -> form.

Read :func:`analyze` first. Pages call it through `jobs.py`, the terminal through `cli.py`.
"""

from __future__ import annotations

import csv
import functools
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gymform.dataset.poses import load_poses, save_poses
from gymform.draw.overlay import draw_overlay, hand_trail
from gymform.errors import GymformError, PoseFileError
from gymform.exercise.classifier import load_classifier
from gymform.form.cues import assess_form
from gymform.motion.clean import clean
from gymform.motion.quality import assess
from gymform.pose.checkpoints import LoadedPose, load_pose_model
from gymform.pose.estimator import PoseEstimator
from gymform.pose.sequence import extract_poses
from gymform.skeleton import KEYPOINTS
from gymform.storage import atomic_path
from gymform.timing import Progress, Stopwatch, unheard
from gymform.types import (
    UNKNOWN,
    CleanTracks,
    Clip,
    FormReport,
    KeptStill,
    PoseQuality,
    PoseSequence,
    Prediction,
    Target,
    Window,
    percent,
)
from gymform.video.read import probe, read_frames
from gymform.video.sparse import only
from gymform.video.write import VideoWriter

__all__ = ["Analysis", "Artifacts", "Options", "Target", "analyze", "load", "save"]

RESULT_SCHEMA = 1

TRAIL_S = 1.0
"""The overlay shows where the hands were during so many seconds."""


LARGE_LIFTER = 0.4
"""From this share of the frame's diagonal on, a lifter is drawn with lines of full width."""


@dataclass(frozen=True)
class Options:
    """How to analyse: network, flip test, whom to follow, frames a second at most."""

    pose_model: str | None = None
    flip_test: bool = False
    target: Target | None = None
    max_fps: float | None = None


@dataclass(frozen=True, eq=False)
class Analysis:
    """Everything known of a clip. ``seconds`` is the time spent by stage."""

    clip: Clip
    pose: PoseSequence
    tracks: CleanTracks
    quality: PoseQuality
    prediction: Prediction
    form: FormReport
    seconds: Mapping[str, float]


@dataclass(frozen=True)
class Artifacts:
    """The files of a saved analysis."""

    overlay: Path
    poses: Path
    csv: Path
    json: Path

    @classmethod
    def of(cls, folder: Path, stem: str) -> Artifacts:
        """Where the files of ``stem`` lie in ``folder``."""
        return cls(
            overlay=folder / f"{stem}.overlay.mp4",
            poses=folder / f"{stem}.npz",
            csv=folder / f"{stem}.csv",
            json=folder / f"{stem}.json",
        )


def analyze(
    path: Path,
    options: Options | None = None,
    *,
    name: str | None = None,
    progress: Progress | None = None,
) -> Analysis:
    """The analysis of the clip at ``path``, called ``name`` in texts.

    ``progress`` hears the stages probe, search, pose and classify, and may raise `Cancelled` to
    stop. Raises the kinds of `GymformError`: VideoError,
    PoseError, WeightsError, OptionsError.
    """
    options = options or Options()
    report = progress or unheard
    stopwatch = Stopwatch()

    report("probe", 0, 1)
    clip = probe(path, name)
    with stopwatch("load"):
        network = pose_model(options.pose_model)
        classifier = load_classifier()
    report("probe", 1, 1)

    estimator = PoseEstimator(network, flip_test=options.flip_test, stopwatch=stopwatch)
    with stopwatch("poses"):
        pose, notes = extract_poses(
            path,
            clip,
            estimator,
            target=options.target,
            max_fps=options.max_fps,
            progress=report,
        )

    report("classify", 0, 1)
    with stopwatch("classify"):
        tracks = clean(pose)
        quality = assess(pose, tracks)
        prediction = classifier.predict(pose, tracks, quality)
    form = assess_form(pose, tracks, quality, prediction)
    report("classify", 1, 1)

    clip = replace(clip, problems=tuple(dict.fromkeys((*clip.problems, *notes))))
    return Analysis(clip, pose, tracks, quality, prediction, form, dict(stopwatch.seconds))


@functools.lru_cache(maxsize=1)
def pose_model(name: str | None) -> LoadedPose:
    """The pose network ``name``, kept loaded; on the GPU where there is one."""
    return load_pose_model(name, device="cuda" if torch.cuda.is_available() else "cpu")


# -- keeping it -----------------------------------------------------------------------------


def save(
    analysis: Analysis,
    source: Path,
    folder: Path,
    *,
    stem: str,
    progress: Progress | None = None,
) -> Artifacts:
    """Write overlay, keypoints, trajectories and answer of ``source`` into ``folder``.

    Each file appears whole or not at all. Raises GymformError when something cannot be written.
    """
    files = Artifacts.of(folder, stem)
    report = progress or unheard
    try:
        save_poses(files.poses, analysis.pose)
        with atomic_path(files.csv) as temporary:
            write_csv(temporary, analysis)
        draw_video(analysis, source, files.overlay, report)
        with atomic_path(files.json) as temporary:
            temporary.write_text(json.dumps(as_dict(analysis), indent=2), encoding="utf-8")
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else "the disk refused it"
        raise GymformError(
            f"The results cannot be written ({reason}). Free some space, or choose another folder."
        ) from error
    return files


def load(folder: Path, stem: str) -> Analysis:
    """A saved analysis; trajectories, quality and form are computed again from the keypoints.

    Raises PoseFileError when a file is missing or not what `save` wrote.
    """
    files = Artifacts.of(folder, stem)
    pose = load_poses(files.poses)
    tracks = clean(pose)
    try:
        result = json.loads(files.json.read_text(encoding="utf-8"))
        clip = Clip(**{**result["clip"], "problems": tuple(result["clip"]["problems"])})
        prediction = _prediction_from(result["prediction"])
        seconds = {str(stage): float(value) for stage, value in result["seconds"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PoseFileError(
            f"{files.json.name}: expected the answer that belongs to {files.poses.name}, but it is "
            f"missing or damaged ({type(error).__name__}). Analyse the clip again."
        ) from error
    quality = assess(pose, tracks)
    form = assess_form(pose, tracks, quality, prediction)
    return Analysis(clip, pose, tracks, quality, prediction, form, seconds)


def draw_video(analysis: Analysis, source: Path, target: Path, report: Progress) -> None:
    """Write the clip with the skeleton over each analysed frame to ``target``, H.264."""
    label = _label(analysis.prediction)
    draw_skeletons(analysis.pose, analysis.tracks, source, target, label=label, progress=report)


def draw_skeletons(
    pose: PoseSequence,
    tracks: CleanTracks,
    source: Path,
    target: Path,
    *,
    label: str = "",
    max_side: int | None = None,
    keyint: int | None = None,
    progress: Progress | None = None,
) -> None:
    """Write ``source`` with the skeleton over each frame of ``pose`` to ``target``, H.264.

    ``label`` stands in the corner with the second; ``max_side`` px shrinks the picture, ``keyint``
    limits the frames between key frames. ``progress`` hears the stage "draw". Raises VideoError
    kinds.
    """
    report = progress or unheard
    trail = max(2, round(TRAIL_S * pose.fps))
    line = _line_scale(pose)
    total = len(pose)
    report("draw", 0, total)
    with (
        read_frames(source, max_side=max_side, keep=only(pose.time_s)) as frames,
        VideoWriter(
            target,
            width=frames.width,
            height=frames.height,
            fps=pose.fps or 30.0,
            keyint=keyint,
        ) as writer,
    ):
        raw, cleaned = (_shrunk(xy, frames.scale) for xy in (pose.xy, tracks.xy))
        boxes = pose.boxes * frames.scale
        for frame in frames:
            position = int(np.searchsorted(pose.time_s, frame.time_s - 1e-6))
            picture = draw_overlay(
                frame.rgb,
                _shown(raw[position], cleaned[position]),
                pose.score[position],
                boxes[position],
                label=f"{label}   {frame.time_s:.2f} s".strip(),
                trail=hand_trail(cleaned, position, trail),
                scale=line,
            )
            writer.write(picture, frame.time_s)
            if position % 10 == 0:
                report("draw", position, total)
    report("draw", total, total)


def write_csv(path: Path, analysis: Analysis) -> None:
    """Write one row a frame and keypoint: raw and cleaned position, velocity, score.

    Lengths are px of the upright frame, times seconds; a missing number is an empty cell.
    """
    header = ["frame", "time_s", "keypoint", "x", "y", "score", "x_clean", "y_clean"]
    header += ["vx_px_s", "vy_px_s", "filled"]
    pose, tracks = analysis.pose, analysis.tracks
    with path.open("w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(header)
        for frame, moment in enumerate(pose.time_s):
            for k, name in enumerate(KEYPOINTS):
                numbers = (
                    *pose.xy[frame, k],
                    pose.score[frame, k],
                    *tracks.xy[frame, k],
                    *tracks.velocity[frame, k],
                )
                cells = ["" if np.isnan(number) else f"{number:.3f}" for number in numbers]
                rows.writerow([frame, f"{moment:.6f}", name, *cells, int(tracks.filled[frame, k])])


def as_dict(analysis: Analysis) -> dict[str, Any]:
    """Clip, answer, quality, form and provenance as plain data for JSON."""
    prediction = analysis.prediction
    return {
        "schema": RESULT_SCHEMA,
        "clip": asdict(analysis.clip),
        "prediction": {
            "label": prediction.label,
            "confidence": prediction.confidence,
            "reason": prediction.reason,
            "probabilities": dict(zip(prediction.classes, prediction.probabilities, strict=True)),
            "windows": [asdict(window) for window in prediction.windows],
            "kept_still": {one.part: one.probabilities for one in prediction.still},
            "model_sha256": prediction.model_sha256,
        },
        "quality": asdict(analysis.quality),
        "form": _form_as_dict(analysis.form),
        "frames": len(analysis.pose),
        "provenance": asdict(analysis.pose.provenance),
        "seconds": {stage: round(value, 4) for stage, value in analysis.seconds.items()},
    }


def _form_as_dict(form: FormReport) -> dict[str, Any]:
    """The report as plain data; JSON has no NaN, so what is unknown is None."""
    known = np.isfinite(form.turned)
    return {**asdict(form), "turned": form.turned if known else None}


def options_from_dict(options: Mapping[str, Any]) -> Options:
    """Options from what ``dataclasses.asdict`` made of them, after a trip through JSON."""
    target = options.get("target")
    if target is not None:
        box, point = target.get("box"), target.get("point")
        target = Target(
            time_s=float(target["time_s"]),
            box=None if box is None else tuple(box),
            point=None if point is None else tuple(point),
        )
    return Options(**{**options, "target": target})


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
        still=tuple(
            KeptStill(part, tuple(probabilities))
            for part, probabilities in data.get("kept_still", {}).items()  # absent in older results
        ),
    )


def _label(prediction: Prediction) -> str:
    if prediction.label == UNKNOWN:
        return UNKNOWN
    return f"{prediction.label} {percent(prediction.confidence)}"


def _line_scale(pose: PoseSequence) -> float:
    """Thinner lines for a lifter who is small in the picture, so that they do not hide them."""
    sides = (pose.boxes[:, 2:] - pose.boxes[:, :2]).max(axis=1)
    sides = sides[np.isfinite(sides)]
    share = float(np.median(sides)) / float(np.hypot(*pose.image_size)) if len(sides) else 1.0
    return float(np.clip(share / LARGE_LIFTER, 0.4, 1.0))


def _shrunk(xy: np.ndarray, scale: float) -> np.ndarray:
    """Pixel centres ``xy`` in a picture that was made ``scale`` times as large."""
    return xy if scale == 1 else (xy + 0.5) * scale - 0.5


def _shown(raw: np.ndarray, cleaned: np.ndarray) -> np.ndarray:
    """Cleaned keypoints (17, 2), raw ones where cleaning left nothing."""
    return np.where(np.isfinite(cleaned), cleaned, raw)
