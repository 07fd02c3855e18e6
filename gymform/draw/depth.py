"""The line of depth: how high the tops of the knees are at the bottom of each squat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypedDict

import numpy as np

from gymform.motion.body_size import SEGMENTS, TORSO, midpoint, stature
from gymform.skeleton import HIPS, KNEES
from gymform.types import SIDE, CleanTracks, FormReport

DEPTH = "thigh_below_level"
"""The measure that the line shows."""

SHOWN_S = 0.12
"""Seconds before and after the bottom in which the line is shown."""

TOP_OF_KNEE = 0.14
"""How far the top of a bent knee is above the keypoint, in trunk lengths (``benchmarks/depth.md``).
"""

BEYOND = 0.1
"""How far the line reaches beyond knees and hips, in statures."""


class DepthLine(TypedDict):
    """``first`` and ``last`` frame that show it; px of the upright frame: the ``line`` x0, x1 and y
    at the height of the tops of the knees, and the place x, y of the hip ``crease``."""

    first: int
    last: int
    line: tuple[float, float, float]
    crease: tuple[float, float]


def depth_lines(tracks: CleanTracks, form: FormReport) -> list[DepthLine]:
    """A line for each repetition that was seen from the side and whose depth was measured."""
    return list(_lines(tracks, form)) if form.turned >= SIDE else []


def _lines(tracks: CleanTracks, form: FormReport) -> Iterator[DepthLine]:
    for rep in form.repetitions:
        depth = rep.value(DEPTH)
        if depth is None:
            continue
        frame = int(np.abs(tracks.time_s - depth.at_s).argmin())
        around = tracks.shots == tracks.shots[frame]
        size = stature(tracks.xy[around])
        hips, knees = (midpoint(tracks.xy[frame], pair) for pair in (HIPS, KNEES))
        if not np.isfinite([size, *hips, *knees]).all():
            continue
        shown = np.flatnonzero(around & (np.abs(tracks.time_s - depth.at_s) <= SHOWN_S))
        level = float(knees[1]) - TOP_OF_KNEE * TORSO * size
        below = float(np.sin(np.radians(depth.value))) * SEGMENTS[1][2] * size
        ends = sorted((float(hips[0]), float(knees[0])))
        yield DepthLine(
            first=int(shown[0]) if len(shown) else frame,
            last=int(shown[-1]) if len(shown) else frame,
            line=(round(ends[0] - BEYOND * size, 1), round(ends[1] + BEYOND * size, 1),
                  round(level, 1)),
            crease=(round(float(hips[0]), 1), round(level + below, 1)),
        )  # fmt: skip


def line_at(lines: list[DepthLine], frame: int) -> DepthLine | None:
    """The line that ``frame`` shows."""
    return next((one for one in lines if one["first"] <= frame <= one["last"]), None)
