"""Replaces the pose network in tests of extraction: made up, fast, deterministic."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np

from gymform.analysis import Options
from gymform.errors import NoPersonError
from gymform.timing import Progress
from gymform.types import Clip, PoseSequence, Provenance
from gymform.video.sparse import sample_frames
from tests.motion.makers import sequence, squat

REPETITION_S = 1.4


def estimate(path: Path, clip: Clip, options: Options, progress: Progress) -> PoseSequence:
    """Somebody who squats once every 1.4 s; the clip's name may ask for a failure."""
    if "nobody" in clip.name:
        raise NoPersonError("Nobody was found in this clip.")
    if "bug" in clip.name:
        raise ZeroDivisionError
    if "killer" in clip.name:
        os.kill(os.getpid(), signal.SIGKILL)
    if "sleeper" in clip.name:
        path.with_suffix(".asleep").write_text(str(os.getpid()))
        signal.pause()
    time_s = sample_frames(path, 1.0).time_s
    xy = squat(time_s, REPETITION_S, still_s=0.1) * clip.height / 200
    pose = sequence(xy + np.array([clip.width / 2, clip.height * 0.95]), time_s)
    progress("pose", len(time_s), len(time_s))
    score = np.where(pose.score > 0, np.float32(0.9), np.float32(0))
    return PoseSequence(
        pose.xy, score, pose.boxes, time_s, (clip.width, clip.height),
        Provenance(network="made-up", clip_sha256=clip.sha256),
    )  # fmt: skip
