"""The data that the page Review draws beside a clip: a few joints over time."""

from __future__ import annotations

import json
from typing import TypedDict

import numpy as np

from gymform import skeleton as sk
from gymform.pose.corrections import Corrected
from gymform.types import CleanTracks, PoseSequence

PARTS = ("wrist", "hip", "knee")
"""The joints shown, on the side that the camera sees better: three lines describe a lift."""

MAX_POINTS = 600
"""The most points of a line: more than the chart has pixels would only cost time."""


class Traces(TypedDict):
    """Three joints over time, JSON-ready: s, px of the upright frame, px/s and scores in [0, 1].

    ``times`` are those of every frame, so that a player can step; ``at`` those of the values:
    ``series`` maps each quantity to one list of numbers per joint, None where unknown.
    """

    times: list[float]
    at: list[float]
    joints: list[str]
    colour: str
    series: dict[str, list[list[float | None]]]


def traces_payload(pose: PoseSequence, tracks: CleanTracks) -> Traces:
    """Times of all frames; height, sideways position, speed and confidence of three joints.

    Height is in px above the picture's lower edge, so that it points up.
    """
    joints = _joints_of_better_side(pose)
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
        "series": {
            name: [_values_or_none(line) for line in array.T] for name, array in values.items()
        },
    }


def traces_json(pose: PoseSequence, tracks: CleanTracks) -> bytes:
    """:func:`traces_payload` as compact UTF-8 JSON."""
    payload = traces_payload(pose, tracks)
    return json.dumps(payload, separators=(",", ":"), allow_nan=False).encode()


class Points(TypedDict):
    """All keypoints of every frame, JSON-ready: px of the upright frame of ``size``.

    ``xy`` has x and y of the 17 keypoints for each frame, None where missing; ``source`` says for
    each whether it is the network's (0) or a person's, see `gymform.pose.corrections`.
    """

    size: tuple[int, int]
    times: list[float]
    xy: list[list[float | None]]
    source: list[list[int]]
    names: list[str]
    edges: list[tuple[int, int]]
    colours: list[str]


def points_json(found: Corrected) -> bytes:
    """The keypoints of a clip as compact UTF-8 JSON, to be drawn and dragged."""
    pose = found.pose
    points: Points = {
        "size": pose.image_size,
        "times": np.round(pose.time_s, 6).tolist(),
        "xy": [_values_or_none(row) for row in pose.xy.reshape(len(pose), -1)],
        "source": found.source.tolist(),
        "names": list(sk.KEYPOINTS),
        "edges": [(int(a), int(b)) for a, b in sk.EDGES],
        "colours": [sk.COLOURS[sk.side_of(one)] for one in range(sk.NUM_KEYPOINTS)],
    }
    return json.dumps(points, separators=(",", ":"), allow_nan=False).encode()


def _joints_of_better_side(pose: PoseSequence) -> list[int]:
    left, right = ([sk.INDEX[f"{side}_{part}"] for part in PARTS] for side in ("left", "right"))
    return left if pose.score[:, left].mean() >= pose.score[:, right].mean() else right


def _values_or_none(line: np.ndarray) -> list[float | None]:
    rounded = np.asarray(line, np.float64).round(2).tolist()
    return [value if np.isfinite(value) else None for value in rounded]
