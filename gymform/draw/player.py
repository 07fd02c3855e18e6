"""The data that the page's frame-exact player draws.

The browser cannot read numpy arrays, so it gets the keypoints as one JSON file, which it fetches
once and not with every rerun of the page.
"""

from __future__ import annotations

import json
from typing import Any, TypedDict

import numpy as np

from gymform import skeleton as sk
from gymform.bar.carrier import Bar
from gymform.draw.depth import DepthLine, depth_lines
from gymform.draw.ghosts import Lift, lifts_of
from gymform.draw.overlay import MIN_DRAWN_SCORE, SURE_SCORE
from gymform.motion.angles import joint_angles, trunk_lean
from gymform.types import CleanTracks, FormReport, PoseSequence

_ANGLES = {"Knee": sk.KNEES, "Hip": sk.HIPS, "Elbow": sk.ELBOWS}
"""Joints whose angles the player names."""


class Series(TypedDict):
    """A quantity over time: its name, its unit, and T values, None where unknown."""

    title: str
    unit: str
    values: list[int | None]


class BarPath(TypedDict):
    """The plate of the bar: T centres ``at`` and radii ``r``, px, None where unknown; its path
    ``still`` as a camera that does not move sees it; its ``speed``, 1 where it is fastest, and
    where it is ``seen``. ``lifts`` are the first and last frame of each repetition's way up.
    """

    at: list[list[float] | None]
    r: list[list[float] | None]
    still: list[list[float] | None]
    speed: list[float | None]
    seen: list[bool]
    lifts: list[Lift]


class PlayerKeypoints(TypedDict):
    """What the player draws, JSON-ready; T frames, 17 keypoints, px of the upright frame.

    ``times`` are T seconds; ``edges`` two keypoints and a colour; ``raw`` and ``clean`` T lists of
    17 points [x, y], None where missing; ``score`` T lists of 17 numbers; ``boxes`` T boxes
    [x0, y0, x1, y1] or None; ``depths`` a line for each squat whose depth is known. Below
    ``least`` a keypoint is not drawn, from ``sure`` on it is drawn bold, as in the overlay. ``bar``
    is None where none was followed.
    """

    width: int
    height: int
    times: list[float]
    names: list[str]
    edges: list[tuple[int, int, str]]
    sides: dict[str, str]
    colours: list[str]
    raw: list[list[list[float] | None]]
    clean: list[list[list[float] | None]]
    score: list[list[float]]
    least: float
    sure: float
    boxes: list[list[float] | None]
    depths: list[DepthLine]
    series: list[Series]
    bar: BarPath | None


def player_payload(
    pose: PoseSequence,
    tracks: CleanTracks,
    form: FormReport | None = None,
    bar: Bar | None = None,
) -> PlayerKeypoints:
    """Times, skeleton, colours, per-frame keypoints and lines of depth for the player.

    Where cleaning left nothing, ``clean`` holds the raw keypoint, as in the overlay.
    """
    width, height = pose.image_size
    seen = np.where(pose.score[..., None] >= MIN_DRAWN_SCORE, pose.xy, np.nan)
    return {
        "width": width,
        "height": height,
        "times": _rounded(pose.time_s, 6),
        "names": [name.replace("_", " ") for name in sk.KEYPOINTS],
        "edges": [(a, b, sk.COLOURS[sk.side_of_edge((a, b))]) for a, b in sk.EDGES],
        "sides": {side.value: colour for side, colour in sk.COLOURS.items()},
        "colours": [sk.COLOURS[sk.side_of(joint)] for joint in range(sk.NUM_KEYPOINTS)],
        "raw": _rows(pose.xy),
        "clean": _rows(np.where(np.isfinite(tracks.xy), tracks.xy, seen)),
        "score": _rounded(pose.score, 3),
        "least": MIN_DRAWN_SCORE,
        "sure": SURE_SCORE,
        "boxes": _row_or_none(pose.boxes),
        "depths": depth_lines(tracks, form) if form else [],
        "series": _series(pose, tracks),
        "bar": bar_path(bar, form) if bar is not None and bar.found else None,
    }


def bar_path(bar: Bar, form: FormReport | None = None) -> BarPath:
    """What is drawn of a bar, with the ways up of the repetitions of ``form``."""
    return {
        "at": _row_or_none(bar.xy),
        "r": _row_or_none(bar.r[:, None]),
        "still": _row_or_none(bar.still),
        "speed": [round(float(v), 2) if np.isfinite(v) else None for v in bar.pace],
        "seen": bar.observed.tolist(),
        "lifts": lifts_of(bar, form),
    }


def _series(pose: PoseSequence, tracks: CleanTracks) -> list[Series]:
    """Angles of the side that the camera sees better, and the lean of the trunk, over time."""
    left, right = (pose.score[:, list(side)].mean() for side in zip(*sk.BODY_PAIRS, strict=True))
    near = int(right > left)
    angles = joint_angles(tracks.xy)
    found = {title: angles[:, pair[near]] for title, pair in _ANGLES.items()}
    found["Trunk"] = trunk_lean(tracks.xy)
    return [
        {"title": title, "unit": "°", "values": [int(v) if np.isfinite(v) else None for v in
                                                 np.round(values)]}
        for title, values in found.items()
    ]  # fmt: skip


def player_json(
    pose: PoseSequence,
    tracks: CleanTracks,
    form: FormReport | None = None,
    bar: Bar | None = None,
) -> bytes:
    """:func:`player_payload` as compact UTF-8 JSON, without NaN, which browsers cannot read."""
    payload = player_payload(pose, tracks, form, bar)
    return json.dumps(payload, separators=(",", ":"), allow_nan=False).encode()


def _rounded(values: np.ndarray, digits: int) -> list[Any]:
    """``values`` as nested lists of rounded numbers, in float64 so that 0.1 is written as 0.1."""
    rows: list[Any] = np.asarray(values, np.float64).round(digits).tolist()
    return rows


def _rows(xy: np.ndarray) -> list[list[list[float] | None]]:
    """``xy`` (T, 17, 2) as lists, with None for a missing point."""
    return [_row_or_none(frame) for frame in xy]


def _row_or_none(rows: np.ndarray) -> list[list[float] | None]:
    """``rows`` (N, K) as lists of K numbers, with None for a row that holds a NaN."""
    known = np.isfinite(rows).all(axis=-1).tolist()
    return [row if ok else None for row, ok in zip(_rounded(rows, 1), known, strict=True)]
