"""What the review page draws beside a clip: a few joints over time, as plain data."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from gymform import skeleton as sk
from gymform.types import CleanTracks, PoseSequence

PARTS = ("wrist", "hip", "knee")
"""The joints shown, of the side that the camera sees better: a lift in three lines."""

MAX_POINTS = 600
"""Points of a line: more than its picture has pixels only takes time on the way."""


def traces_payload(pose: PoseSequence, tracks: CleanTracks) -> dict[str, Any]:
    """Times of all frames, and height, sideways place, speed and confidence of three joints.

    ``times`` are s, of every frame, so that a player can step; ``at`` the times of the values:
    ``series`` maps each quantity to one list of numbers a joint, None where nothing is known.
    Height is px above the picture's lower edge, so that up is up.
    """
    joints = _seen_better(pose)
    every = -(-len(pose) // MAX_POINTS)
    xy = tracks.xy[::every, joints]
    speed = np.linalg.norm(tracks.velocity[::every, joints], axis=-1)
    values = {
        "height": pose.image_size[1] - xy[..., 1],
        "sideways": xy[..., 0],
        "speed": speed,
        "confidence": pose.score[::every, joints],
    }
    return {
        "times": np.round(pose.time_s, 6).tolist(),
        "at": np.round(pose.time_s[::every], 4).tolist(),
        "joints": [sk.KEYPOINTS[joint].replace("_", " ") for joint in joints],
        "colour": sk.COLOURS[sk.side_of(joints[0])],
        "series": {name: [_known(line) for line in array.T] for name, array in values.items()},
    }


def traces_json(pose: PoseSequence, tracks: CleanTracks) -> bytes:
    """:func:`traces_payload` as compact UTF-8 JSON."""
    payload = traces_payload(pose, tracks)
    return json.dumps(payload, separators=(",", ":"), allow_nan=False).encode()


def _seen_better(pose: PoseSequence) -> list[int]:
    left, right = ([sk.INDEX[f"{side}_{part}"] for part in PARTS] for side in ("left", "right"))
    return left if pose.score[:, left].mean() >= pose.score[:, right].mean() else right


def _known(line: np.ndarray) -> list[float | None]:
    rounded = np.asarray(line, np.float64).round(2).tolist()
    return [value if np.isfinite(value) else None for value in rounded]
