"""Single frames with the skeleton, as small JPEGs: for the history, the strip and the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from gymform.draw.overlay import draw_overlay
from gymform.types import CleanTracks, PoseSequence
from gymform.video.read import read_frames

HEIGHT = 240
"""Height of a still, px."""

WIDEST, NARROWEST = 1.0, 0.6
"""Width of a still over its height, at most and at least."""

AROUND = 0.15
"""Room around the lifter on each side, as a share of the lifter's height."""

CROWN = 0.08
"""How far the top of the head lies above the highest keypoint, as a share of the lifter's height.
"""

QUALITY = 82

NEAR_S = 0.002
"""Time stamps of a copy of the clip are rounded by less than this, seconds."""


def draw_stills(
    pose: PoseSequence,
    tracks: CleanTracks,
    source: Path,
    moments_s: Sequence[float],
    *,
    height: int = HEIGHT,
    turn: int = 0,
) -> list[bytes]:
    """A JPEG of ``height`` px for each moment: the lifter in the nearest frame, with the skeleton.

    ``source`` is the clip or a smaller copy of it; ``turn`` as in `video.read.read_frames`. Fewer
    come back when the file ends early. Raises the kinds of VideoError.
    """
    wanted = [int(np.abs(pose.time_s - moment).argmin()) for moment in moments_s]
    frames_s = sorted({float(pose.time_s[frame]) for frame in wanted})
    pending = list(frames_s)

    def keep(index: int, time_s: float) -> bool:
        if not pending or time_s < pending[0] - NEAR_S:
            return False
        while pending and pending[0] <= time_s + NEAR_S:
            pending.pop(0)
        return True

    drawn: list[bytes] = []
    with read_frames(source, keep=keep, turn=turn) as frames:
        scale = frames.width / pose.image_size[0]
        for frame in frames:
            drawn.append(_still(pose, tracks, frame.rgb, frame.time_s, scale, height))
            if len(drawn) == len(frames_s):
                break
    order = [frames_s.index(float(pose.time_s[frame])) for frame in wanted]
    return [drawn[number] for number in order if number < len(drawn)]


def _still(
    pose: PoseSequence,
    tracks: CleanTracks,
    rgb: np.ndarray,
    time_s: float,
    scale: float,
    height: int,
) -> bytes:
    """One frame, uint8 (H, W, 3), cut to the lifter and shrunk, with the skeleton, as JPEG."""
    frame = int(np.abs(pose.time_s - time_s).argmin())
    xy = np.where(np.isfinite(tracks.xy[frame]), tracks.xy[frame], pose.xy[frame]) * scale
    left, top, right, bottom = _cut(xy, rgb.shape[1], rgb.shape[0])
    part = rgb[top:bottom, left:right]
    shrink = height / part.shape[0]
    width = max(2, round(part.shape[1] * shrink))
    how = cv2.INTER_AREA if shrink < 1 else cv2.INTER_LINEAR
    small = cv2.resize(part, (width, height), interpolation=how)
    moved = ((xy - [left, top] + 0.5) * shrink - 0.5).astype(np.float32)
    picture = draw_overlay(np.asarray(small), moved, pose.score[frame])
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()


def _cut(xy: np.ndarray, width: int, height: int) -> tuple[int, int, int, int]:
    """The part x0, y0, x1, y1 px of a picture that holds the joints ``xy`` (17, 2) with some room.

    The whole picture where no joint is known.
    """
    known = xy[np.isfinite(xy).all(-1)]
    if len(known) < 2:
        return 0, 0, width, height
    (x0, y0), (x1, y1) = known.min(0), known.max(0)
    y0 -= CROWN * (y1 - y0)
    room = AROUND * max(x1 - x0, y1 - y0, 8.0)
    tall = min(max(y1 - y0 + 2 * room, (x1 - x0 + 2 * room) / WIDEST), height)
    wide = min(max(x1 - x0 + 2 * room, NARROWEST * tall), width, WIDEST * tall)
    left, top = _placed((x0 + x1) / 2, wide, width), _placed((y0 + y1) / 2, tall, height)
    return left, top, min(width, left + max(2, round(wide))), min(height, top + max(2, round(tall)))


def _placed(middle: float, length: float, most: int) -> int:
    """Where a stretch around ``middle`` begins so that it lies within 0 and ``most``."""
    return int(np.clip(round(middle - length / 2), 0, max(0, most - round(length))))
