"""The annotated video: the clip with the skeleton drawn over every frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gymform.bar.carrier import Bar
from gymform.draw.depth import DepthLine, depth_lines, line_at
from gymform.draw.ghosts import Lift, ghosts_at, lifts_of
from gymform.draw.overlay import draw_bar, draw_depth, draw_ghosts, draw_overlay, hand_trail
from gymform.timing import Progress, ignore_progress
from gymform.types import CleanTracks, FormReport, PoseSequence
from gymform.video.read import read_frames
from gymform.video.sparse import only
from gymform.video.write import VideoWriter

TRAIL_S = 1.0
"""Seconds for which the overlay shows the path of the hands."""

LARGE_LIFTER = 0.4
"""Lifters of at least this share of the frame's diagonal are drawn with lines of full width."""


def draw_skeletons(
    pose: PoseSequence,
    tracks: CleanTracks,
    source: Path,
    target: Path,
    *,
    label: str = "",
    form: FormReport | None = None,
    bar: Bar | None = None,
    max_side: int | None = None,
    keyint: int | None = None,
    progress: Progress | None = None,
) -> None:
    """Write ``source`` with the skeleton over each frame of ``pose`` to ``target``, as H.264.

    ``label`` is shown in the corner, before the time; the depth of ``form`` at the bottom of each
    squat, as a line; the path of the ``bar``; ``max_side`` px shrinks the picture;
    ``keyint`` limits the distance of key frames. ``progress`` is called with the stage "draw".
    Raises the kinds of VideoError.
    """
    report = progress or ignore_progress
    trail = max(2, round(TRAIL_S * pose.fps))
    line = _line_scale(pose)
    total, depths = len(pose), depth_lines(tracks, form) if form else []
    lifts = lifts_of(bar, form)
    report("draw", 0, total)
    with (
        read_frames(
            source, max_side=max_side, keep=only(pose.time_s), turn=pose.provenance.turn
        ) as frames,
        VideoWriter(
            target,
            width=frames.width,
            height=frames.height,
            fps=pose.fps or 30.0,
            keyint=keyint,
        ) as writer,
    ):
        # the file may be a smaller copy of the clip whose keypoints these are
        scale = frames.scale * frames.source_size[0] / pose.image_size[0]
        raw, cleaned = (_shrunk(xy, scale) for xy in (pose.xy, tracks.xy))
        boxes = pose.boxes * scale
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
            picture = _with_bar(picture, bar, lifts, position, scale, line)
            if depth := line_at(depths, position):
                picture = draw_depth(picture, _shrunk_line(depth, scale), line)
            writer.write(picture, frame.time_s)
            if position % 10 == 0:
                report("draw", position, total)
    report("draw", total, total)


BAR_TRAIL_S = 3.0
"""So long a part of the bar's path is drawn, seconds."""


def _with_bar(
    picture: np.ndarray,
    bar: Bar | None,
    lifts: Sequence[Lift],
    frame: int,
    scale: float,
    line: float,
) -> np.ndarray:
    """``picture`` with the path that the bar has come, as seen from where the camera is now, over
    those of the ``lifts`` before."""
    if bar is None or not np.isfinite(bar.xy[frame]).all():
        return picture
    first = int(np.searchsorted(bar.time_s, bar.time_s[frame] - BAR_TRAIL_S))
    path = bar.still[first : frame + 1] + (bar.xy[frame] - bar.still[frame])
    ghosts = [_shrunk(ghost, scale) for ghost in ghosts_at(bar, lifts, frame)]
    picture = draw_ghosts(picture, ghosts, line)
    pace, radius = bar.pace[first : frame + 1], float(bar.r[frame]) * scale
    return draw_bar(picture, _shrunk(path, scale), pace, radius, line)


def _line_scale(pose: PoseSequence) -> float:
    """Factor in [0.4, 1] for line widths: a lifter who is small in the picture gets thin lines."""
    sides = (pose.boxes[:, 2:] - pose.boxes[:, :2]).max(axis=1)
    sides = sides[np.isfinite(sides)]
    share = float(np.median(sides)) / float(np.hypot(*pose.image_size)) if len(sides) else 1.0
    return float(np.clip(share / LARGE_LIFTER, 0.4, 1.0))


def _shrunk(xy: np.ndarray, scale: float) -> np.ndarray:
    """Pixel positions ``xy`` in a picture resized by the factor ``scale``."""
    return xy if scale == 1 else (xy + 0.5) * scale - 0.5


def _shrunk_line(depth: DepthLine, scale: float) -> np.ndarray:
    """Ends of a line of depth and the crease, (3, 2) px, in a resized picture."""
    left, right, level = depth["line"]
    return _shrunk(np.array([(left, level), (right, level), depth["crease"]]), scale)


def _shown(raw: np.ndarray, cleaned: np.ndarray) -> np.ndarray:
    """The cleaned keypoints (17, 2), with raw ones where cleaning left nothing."""
    return np.where(np.isfinite(cleaned), cleaned, raw)
