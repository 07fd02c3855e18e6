"""The data that the page's frame-exact player draws.

The browser cannot read numpy arrays, so it gets the keypoints as one JSON file, which it fetches
once and not with every rerun of the page.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from gymform import skeleton as sk
from gymform.draw.overlay import MIN_DRAWN_SCORE, SURE_SCORE
from gymform.types import CleanTracks, PoseSequence


def player_payload(pose: PoseSequence, tracks: CleanTracks) -> dict[str, Any]:
    """Times, skeleton, colours and keypoints of every frame for the player, ready for JSON.

    ``raw`` and ``clean`` are lists of T frames of 17 points ``[x, y]`` px or None where missing;
    where cleaning left nothing, ``clean`` holds the raw keypoint, as in the overlay; ``score`` is T
    lists of 17 numbers; ``boxes`` T boxes ``[x0, y0, x1, y1]`` px or None. A keypoint is not drawn
    below the score ``least``, and drawn bold from ``sure`` on, as in the overlay.
    """
    width, height = pose.image_size
    seen = np.where(pose.score[..., None] >= MIN_DRAWN_SCORE, pose.xy, np.nan)
    return {
        "width": width,
        "height": height,
        "times": _rounded(pose.time_s, 6),
        "names": [name.replace("_", " ") for name in sk.KEYPOINTS],
        "edges": [[*edge, sk.COLOURS[sk.side_of_edge(edge)]] for edge in sk.EDGES],
        "sides": {side.value: colour for side, colour in sk.COLOURS.items()},
        "colours": [sk.COLOURS[sk.side_of(joint)] for joint in range(sk.NUM_KEYPOINTS)],
        "raw": _rows(pose.xy),
        "clean": _rows(np.where(np.isfinite(tracks.xy), tracks.xy, seen)),
        "score": _rounded(pose.score, 3),
        "least": MIN_DRAWN_SCORE,
        "sure": SURE_SCORE,
        "boxes": _row_or_none(pose.boxes),
    }


def player_json(pose: PoseSequence, tracks: CleanTracks) -> bytes:
    """:func:`player_payload` as compact UTF-8 JSON, without NaN, which browsers cannot read."""
    payload = player_payload(pose, tracks)
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
