"""Made-up data for tests: a skeleton that squats, seen from the side.

The skeleton has plausible proportions and a known motion, so that a test can say what a chart, an
overlay or a feature must show. Nothing here needs weights, videos or the network.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gymform import skeleton as sk
from gymform.types import (
    CleanTracks,
    Clip,
    Cue,
    FormReport,
    Measure,
    PoseQuality,
    PoseSequence,
    Prediction,
    Provenance,
    RepForm,
    SetSpeed,
    Verdict,
)

CLASSES = ("snatch", "deadlift", "squat", "other")


def make_clip(frames: int = 90, fps: float = 30.0, **changes: Any) -> Clip:
    """A portrait phone clip of one repetition; ``changes`` replace any field."""
    values: dict[str, Any] = {
        "name": "squat.mp4",
        "container": "mov,mp4,m4a,3gp,3g2,mj2",
        "codec": "h264",
        "width": 360,
        "height": 480,
        "rotation": 0,
        "duration_s": frames / fps,
        "fps": fps,
        "frames": frames,
        "bytes": 123_456,
        "sha256": "c" * 64,
    }
    return Clip(**values | changes)


def squat_keypoints(frames: int = 90, size: tuple[int, int] = (360, 480)) -> np.ndarray:
    """float32 (frames, 17, 2) px: one squat, down to the middle of the clip and up again."""
    width, height = size
    depth = np.sin(np.linspace(0, np.pi, frames)) ** 2  # 0 standing, 1 at the bottom
    unit = height / 4.0  # the length of a thigh
    ankle_x, ankle_y = width * 0.45, height * 0.92
    knee = np.stack([ankle_x + 0.5 * unit * depth, np.full(frames, ankle_y - unit)], -1)
    hip = knee + unit * np.stack([-np.sin(1.4 * depth), -np.cos(1.4 * depth)], -1)
    shoulder = hip + 1.2 * unit * np.stack([np.sin(0.7 * depth), -np.cos(0.7 * depth)], -1)
    wrist = shoulder + unit * np.array([0.35, 0.15])
    elbow = shoulder + unit * np.array([-0.15, 0.55])
    head = shoulder + unit * np.array([0.15, -0.45])
    ankle = np.broadcast_to(np.array([ankle_x, ankle_y]), (frames, 2))
    sided = {"shoulder": shoulder, "elbow": elbow, "wrist": wrist}
    sided |= {"hip": hip, "knee": knee, "ankle": ankle, "eye": head - 4, "ear": head - [12, 2]}
    xy = np.empty((frames, sk.NUM_KEYPOINTS, 2), np.float32)
    xy[:, sk.NOSE] = head
    for part, track in sided.items():
        xy[:, sk.INDEX[f"left_{part}"]] = track
        xy[:, sk.INDEX[f"right_{part}"]] = track + unit * np.array([0.12, -0.03])
    return xy


def make_pose(
    frames: int = 90,
    fps: float = 30.0,
    *,
    size: tuple[int, int] = (360, 480),
    noise: float = 1.0,
    missing: slice | None = None,
    seed: int = 0,
) -> PoseSequence:
    """The squat as an estimator would give it: jittered, with scores; nobody during ``missing``."""
    rng = np.random.default_rng(seed)
    xy = squat_keypoints(frames, size)
    xy = (xy + rng.normal(0, noise, xy.shape)).astype(np.float32)
    score = rng.uniform(0.75, 0.95, xy.shape[:2]).astype(np.float32)
    low, high = xy.min(axis=1) - 20, xy.max(axis=1) + 20
    boxes = np.concatenate([low, high], axis=1).astype(np.float32)
    if missing is not None:
        xy[missing], score[missing], boxes[missing] = np.nan, 0.0, np.nan
    time_s = np.arange(frames, dtype=np.float64) / fps
    origin = Provenance(network="vitpose-s", weights_sha256="a" * 64, clip_sha256="c" * 64)
    return PoseSequence(xy, score, boxes, time_s, size, origin)


def make_pose_at(times_s: Sequence[float]) -> PoseSequence:
    """The squat seen at the given times, however unevenly they are spaced."""
    pose = make_pose(len(times_s))
    return replace(pose, time_s=np.asarray(times_s, np.float64))


def make_tracks(pose: PoseSequence) -> CleanTracks:
    """The pose's keypoints as cleaning would leave them: no gaps, no noise."""
    xy = squat_keypoints(len(pose), pose.image_size)
    velocity = np.gradient(xy, pose.time_s, axis=0).astype(np.float32)
    return CleanTracks(xy, velocity, np.isnan(pose.xy).any(-1), pose.time_s)


def make_prediction(label: str = "squat", confidence: float = 0.94, **changes: Any) -> Prediction:
    """A prediction of ``label`` with ``confidence``; the other classes share the rest equally."""
    favourite = label if label in CLASSES else "squat"
    rest = (1 - confidence) / (len(CLASSES) - 1)
    values: dict[str, Any] = {
        "classes": CLASSES,
        "probabilities": tuple(confidence if c == favourite else rest for c in CLASSES),
        "label": label,
        "reason": None,
        "model_sha256": "b" * 64,
    }
    return Prediction(**values | changes)


def make_quality(score: float = 0.86, **changes: Any) -> PoseQuality:
    """The quality of a clearly seen lifter; ``changes`` replace any field."""
    values: dict[str, Any] = {
        "score": score,
        "coverage": 1.0,
        "mean_confidence": 0.85,
        "missing": 0.0,
        "jitter": 0.004,
        "bone_variation": 0.05,
        "swaps_per_100": 0.0,
    }
    return PoseQuality(**values | changes)


def make_form(exercise: str = "squat", **changes: Any) -> FormReport:
    """One repetition with one measure and one cue; ``changes`` replace any field."""
    depth = Measure("thigh_below_level", "Depth", -20.0, "° below level", 1.5)
    cue = Cue(Verdict.LOOK, "Above parallel", "The thighs point 20° above level.", "A rule.", 1.5)
    values: dict[str, Any] = {
        "exercise": exercise,
        "turned": 80.0,
        "repetitions": (RepForm(0.5, 2.5, (depth,)),),
        "cues": (cue,),
        "notes": ("Turn the camera.",),
    }
    return FormReport(**values | changes)


def make_set_speed(**changes: Any) -> SetSpeed:
    """A set of three by the hands, the last of which is 30 % slower than the first."""
    values: dict[str, Any] = {
        "by": "hands",
        "what": "the hands",
        "losses": (0.0, 10.0, 30.0),
        "lifts_s": (1.0, 4.0, 7.0),
        "left_out": (None, None, None),
        "loss": 30.0,
        "unsure": 8.0,
        "slowed_from": 3,
    }
    return SetSpeed(**values | changes)


def make_bar(frames: int = 90, fps: float = 30.0, **changes: Any) -> Any:
    """A ``Bar`` in the hands of the squat: 40 px down and up again, 2 mm a px, all of it seen."""
    from gymform.bar.carrier import Bar

    time_s = np.arange(frames) / fps
    way = 40 * np.sin(np.pi * time_s / time_s[-1]) ** 2
    xy = np.stack([np.full(frames, 150.0), 120 + way], axis=1)
    values: dict[str, Any] = {
        "time_s": time_s,
        "xy": xy,
        "r": np.full(frames, 60.0),
        "observed": np.ones(frames, bool),
        "velocity": np.gradient(xy, time_s, axis=0),
        "still": xy,
        "lifting": np.ones(frames, bool),
        "aspect": 1.0,
        "mm_per_px": 2.0,
        "plate_mm": 450.0,
    }
    return Bar(**values | changes)


def make_analysis(frames: int = 90, fps: float = 30.0, **parts: Any) -> Any:
    """An ``Analysis`` of the squat; give ``clip``, ``pose``, ``prediction``... to replace parts."""
    from gymform.analysis import Analysis

    pose = parts.get("pose") or make_pose(frames, fps)
    width, height = pose.image_size
    values: dict[str, Any] = {
        "clip": make_clip(len(pose), fps, width=width, height=height),
        "pose": pose,
        "tracks": make_tracks(pose),
        "quality": make_quality(),
        "prediction": make_prediction(),
        "form": make_form(),
        "seconds": {"probe": 0.1, "search": 2.0, "pose": 4.0, "classify": 0.1},
    }
    return Analysis(**values | parts)


def make_options(**changes: Any) -> Any:
    """The ``Options`` of an analysis; ``changes`` replace any field."""
    from gymform.analysis import Options

    return Options(**changes)


def write_manifest(folder: Path, **changes: Any) -> Path:
    """Write a manifest of a pose and an exercise model whose files are missing; returns ``folder``.

    ``changes`` replace fields of both models.
    """
    common = {"bytes": 1, "licence": "MIT", "provenance": "made up", "config": {}, **changes}
    models = [
        {"name": "pose-a", "kind": "pose", "file": "a.safetensors", "sha256": "a" * 64, **common},
        {
            "name": "tcn-b",
            "kind": "exercise",
            "file": "b.safetensors",
            "sha256": "b" * 64,
            **common,
        },
    ]
    content = {"schema": 1, "default_pose": "pose-a", "default_exercise": "tcn-b", "models": models}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "MANIFEST.json").write_text(json.dumps(content))
    return folder
