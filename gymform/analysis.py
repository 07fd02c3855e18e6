"""What the program does, in one walk: clip -> skeleton -> trajectories -> exercise -> form.

Read :func:`analyze` first. Pages call it through `service/analysis_queue.py`, the terminal through
`cli.py`; `analysis_io.py` writes what comes out to files and reads it back.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from gymform.exercise.classifier import load_classifier
from gymform.form.cues import assess_form
from gymform.motion.clean import clean
from gymform.motion.quality import assess
from gymform.pose.checkpoints import LoadedPose, load_pose_model
from gymform.pose.estimator import PoseEstimator
from gymform.pose.sequence import extract_poses
from gymform.timing import Progress, Stopwatch, ignore_progress
from gymform.types import (
    CleanTracks,
    Clip,
    FormReport,
    PoseQuality,
    PoseSequence,
    Prediction,
    Target,
)
from gymform.video.sandbox import probe_apart

__all__ = ["Analysis", "Options", "Target", "analyze"]


@dataclass(frozen=True)
class Options:
    """Options of an analysis: pose network, flip test, person to follow, highest frame rate."""

    pose_model: str | None = None
    flip_test: bool = False
    target: Target | None = None
    max_fps: float | None = None


@dataclass(frozen=True, eq=False)
class Analysis:
    """All that was found out about a clip. ``seconds`` is the time spent in each stage."""

    clip: Clip
    pose: PoseSequence
    tracks: CleanTracks
    quality: PoseQuality
    prediction: Prediction
    form: FormReport
    seconds: Mapping[str, float]


def analyze(
    path: Path,
    options: Options | None = None,
    *,
    name: str | None = None,
    progress: Progress | None = None,
) -> Analysis:
    """The analysis of the clip at ``path``, called ``name`` in texts.

    ``progress`` is called in the stages probe, search, pose and classify, and may raise `Cancelled`
    to stop. Raises VideoError, PoseError, WeightsError or OptionsError, all kinds of GymformError.
    """
    options = options or Options()
    report = progress or ignore_progress
    stopwatch = Stopwatch()

    report("probe", 0, 1)
    clip = probe_apart(path, name)
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
