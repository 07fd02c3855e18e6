"""The skeleton drawn over a frame: pure functions that return a new frame.

Left, right and centre have the colours of :data:`gymform.skeleton.COLOURS`; a dark outline keeps
them visible on any background. Where the confidence is low, limbs are thin and joints hollow. What
was not seen is not drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np

from gymform import skeleton
from gymform.skeleton import NUM_KEYPOINTS

SURE_SCORE = 0.35
"""Keypoints of at least this score are drawn filled, and limbs between two of them bold."""

MIN_DRAWN_SCORE = 0.1
"""Keypoints below this score are not drawn."""

Colour = tuple[int, int, int]

_INK: Colour = (16, 16, 16)
_PAPER: Colour = (245, 245, 245)
_TRAIL: Colour = (204, 121, 167)  # Okabe & Ito's reddish purple, unlike either side of the body

GHOST = 0.6
"""How opaque the paths of earlier repetitions are; `player/bar.js` has the same."""

_SLOW, _FAST = "#0072B2", "#F0E442"
"""Okabe & Ito's blue and yellow, for the bar's speed."""

_SHIFT = 4
"""Fractional bits of the coordinates for OpenCV: joints are placed to a sixteenth of a pixel."""


def draw_overlay(
    rgb: np.ndarray,
    xy: np.ndarray,
    score: np.ndarray,
    box: np.ndarray | None = None,
    *,
    label: str | None = None,
    trail: np.ndarray | None = None,
    scale: float = 1.0,
) -> np.ndarray:
    """A copy of ``rgb`` with the skeleton and, where given, box, label and trail drawn over it.

    ``rgb`` uint8 (H, W, 3); ``xy`` (17, 2) px, NaN where missing; ``score`` (17,); ``box`` (4,)
    px xyxy of the lifter, drawn dashed unless NaN; ``label`` a line of text for the upper left
    corner; ``trail`` (N, 2) or (N, K, 2) px, the last N positions of K points, oldest first;
    ``scale`` multiplies all line widths. Raises ValueError for other shapes.
    """
    _check(rgb, xy, score)
    canvas = np.array(rgb, order="C")
    height, width = canvas.shape[:2]
    line = line_width(width, height, scale)
    if box is not None and np.isfinite(box).all():
        _draw_box(canvas, np.asarray(box, np.float64), line)
    if trail is not None and len(trail):
        paths = np.asarray(trail, np.float64).reshape(len(trail), -1, 2)
        for k in range(paths.shape[1]):
            _draw_trail(canvas, paths[:, k], line)
    _draw_skeleton(canvas, np.asarray(xy, np.float64), np.asarray(score), line)
    if label:
        _draw_label(canvas, label)
    return canvas


def draw_depth(rgb: np.ndarray, points: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """A copy of ``rgb`` uint8 (H, W, 3) with the line of depth and the hip crease drawn over it.

    ``points`` (3, 2) px are the ends of the line, at the height of the tops of the knees, and the
    crease; ``scale`` multiplies line widths.
    """
    canvas = np.array(rgb, order="C")
    height, width = canvas.shape[:2]
    line = line_width(width, height, scale)
    thin = max(1, line // 2)
    near = np.clip(points, -width - height, 2 * (width + height))
    start, end, crease = (_fixed(point) for point in near)
    for rim in (max(1, line // 3), 0):
        _draw_line(canvas, start, end, _PAPER, thin, rim)
        _draw_joint(canvas, crease, _TRAIL, line + 1, max(1, line // 3), True, rim > 0)
    return canvas


def draw_bar(
    rgb: np.ndarray, path: np.ndarray, speed: np.ndarray, radius: float, scale: float = 1.0
) -> np.ndarray:
    """A copy of ``rgb`` with the bar's path and the rim of its plate.

    ``path`` (N, 2) px are its last places, oldest first, the last one where it is now, and
    ``speed`` (N,) its speed there, 1 where it is fastest in the clip; NaN leaves a gap. ``radius``
    px is the plate's.
    """
    canvas = np.array(rgb, order="C")
    line = line_width(canvas.shape[1], canvas.shape[0], scale)
    slow, fast = (_rgb(colour) for colour in (_SLOW, _FAST))
    known = np.isfinite(path).all(axis=1) & np.isfinite(speed)
    for i in np.flatnonzero(known[:-1] & known[1:]) + 1:
        colour = _mixed(slow, fast, float(speed[i]))
        _draw_line(canvas, _fixed(path[i - 1]), _fixed(path[i]), colour, line)
    if known[-1] and radius > 0:
        centre, size = _fixed(path[-1]), round(radius * 2**_SHIFT)
        for colour, width in ((_INK, line + 2), (_PAPER, max(1, line // 2))):
            cv2.circle(canvas, centre, size, colour, width, cv2.LINE_AA, _SHIFT)
    return canvas


def draw_ghosts(rgb: np.ndarray, paths: Sequence[np.ndarray], scale: float = 1.0) -> np.ndarray:
    """A copy of ``rgb`` with faint thin ``paths``, each (N, 2) px; NaN leaves a gap."""
    if not paths:
        return rgb
    canvas = np.array(rgb, order="C")
    thin = max(1, line_width(canvas.shape[1], canvas.shape[0], scale) // 2)
    for rim in (1, 0):  # a dark edge shows them before a light wall
        for path in paths:
            known = np.isfinite(path).all(axis=1)
            for i in np.flatnonzero(known[:-1] & known[1:]) + 1:
                _draw_line(canvas, _fixed(path[i - 1]), _fixed(path[i]), _PAPER, thin, rim)
    return cv2.addWeighted(canvas, GHOST, rgb, 1 - GHOST, 0)


def line_width(width: int, height: int, scale: float = 1.0) -> int:
    """Width px of a bold limb in a frame of ``width`` x ``height`` px; 3 for 640 x 480."""
    return max(2, round(scale * float(np.hypot(width, height)) / 270))


def hand_trail(xy: np.ndarray, frame: int, frames: int) -> np.ndarray:
    """Positions (N, 2, 2) px of both wrists in the last ``frames`` frames up to ``frame``.

    ``xy`` (T, 17, 2) px. With a barbell in the hands this is nearly the path of the bar.
    """
    first = max(0, frame - frames + 1)
    return xy[first : frame + 1, (skeleton.LEFT_WRIST, skeleton.RIGHT_WRIST)]


def _check(rgb: np.ndarray, xy: np.ndarray, score: np.ndarray) -> None:
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ValueError(f"rgb: expected uint8 (H, W, 3), got {rgb.dtype} {rgb.shape}")
    if np.shape(xy) != (NUM_KEYPOINTS, 2):
        raise ValueError(f"xy: expected ({NUM_KEYPOINTS}, 2), got {np.shape(xy)}")
    if np.shape(score) != (NUM_KEYPOINTS,):
        raise ValueError(f"score: expected ({NUM_KEYPOINTS},), got {np.shape(score)}")


def _rgb(hexadecimal: str) -> Colour:
    """(r, g, b) of ``#rrggbb``."""
    value = int(hexadecimal.removeprefix("#"), 16)
    return value >> 16, value >> 8 & 255, value & 255


def _mixed(first: Colour, second: Colour, share: float) -> Colour:
    """A colour with the ``share`` of the second in it."""
    red, green, blue = (round(a + share * (b - a)) for a, b in zip(first, second, strict=True))
    return red, green, blue


_SIDE_COLOURS = {side: _rgb(colour) for side, colour in skeleton.COLOURS.items()}
_EDGE_COLOURS = tuple(_SIDE_COLOURS[skeleton.side_of_edge(edge)] for edge in skeleton.EDGES)
_JOINT_COLOURS = tuple(_SIDE_COLOURS[skeleton.side_of(k)] for k in range(NUM_KEYPOINTS))


def _draw_skeleton(canvas: np.ndarray, xy: np.ndarray, score: np.ndarray, line: int) -> None:
    """Draw all outlines first, then all colours, so that no outline cuts through a limb."""
    height, width = canvas.shape[:2]
    # OpenCV's coordinates have 32 bits; a point a whole frame outside would not show anyway
    reach = np.array([width, height])
    near = ((xy > -reach) & (xy < 2 * reach)).all(axis=1)
    drawn = near & (score >= MIN_DRAWN_SCORE)
    sure = drawn & (score >= SURE_SCORE)
    points = [_fixed(point) if shown else (0, 0) for point, shown in zip(xy, drawn, strict=True)]
    rim = max(1, line // 3)
    radius = round(line * 1.1) + 1
    for outline in (True, False):
        for (a, b), colour in zip(skeleton.EDGES, _EDGE_COLOURS, strict=True):
            if drawn[a] and drawn[b]:
                bold = line if sure[a] and sure[b] else max(1, line // 3)
                _draw_line(canvas, points[a], points[b], colour, bold, rim if outline else 0)
        for k in np.flatnonzero(drawn):
            _draw_joint(canvas, points[k], _JOINT_COLOURS[k], radius, rim, bool(sure[k]), outline)


def _fixed(point: np.ndarray) -> tuple[int, int]:
    """``point`` px as OpenCV's fixed-point integers."""
    x, y = np.rint(point * (1 << _SHIFT)).astype(int)
    return int(x), int(y)


def _draw_line(
    canvas: np.ndarray,
    start: tuple[int, int],
    end: tuple[int, int],
    colour: Colour,
    width: int,
    rim: int = 0,
) -> None:
    """Draw one fixed-point line, or its dark outline ``rim`` px wider on both sides."""
    ink, extra = (_INK, 2 * rim) if rim else (colour, 0)
    cv2.line(canvas, start, end, ink, width + extra, cv2.LINE_AA, _SHIFT)


def _draw_joint(
    canvas: np.ndarray,
    centre: tuple[int, int],
    colour: Colour,
    radius: int,
    rim: int,
    filled: bool,
    outline: bool,
) -> None:
    """Draw a filled disc, or a ring for a joint of low confidence; or the outline of either."""
    fixed_radius = (radius + rim if outline and filled else radius) << _SHIFT
    thickness = -1 if filled else rim + 2 if outline else rim
    ink = _INK if outline else colour
    cv2.circle(canvas, centre, fixed_radius, ink, thickness, cv2.LINE_AA, _SHIFT)


def _draw_box(canvas: np.ndarray, box: np.ndarray, line: int) -> None:
    """Draw a thin box of light dashes on a dark line, visible on any background."""
    height, width = canvas.shape[:2]
    # one px outside the frame hides a side, and limits the number of dashes
    x1, y1, x2, y2 = np.clip(box, -1, [width, height, width, height])
    corners = [(x1, y1), (x2, y1), (x2, y2), (x1, y2), (x1, y1)]
    thin, dash = max(1, line // 3), 4.0 * (line + 1)
    for start, end in pairwise(np.asarray(corners)):
        _draw_line(canvas, _fixed(start), _fixed(end), _INK, thin)
        length = float(np.linalg.norm(end - start))
        for at in np.arange(0.0, length, 2 * dash):
            along = np.array([at, min(at + dash, length)]) / length
            dash_start, dash_end = start + along[:, None] * (end - start)
            _draw_line(canvas, _fixed(dash_start), _fixed(dash_end), _PAPER, thin)


def _draw_trail(canvas: np.ndarray, path: np.ndarray, line: int) -> None:
    """Draw ``path`` (N, 2) px, oldest point first, with growing width; NaN leaves a gap."""
    height, width = canvas.shape[:2]
    reach = np.array([width, height])
    near = np.asarray(((path > -reach) & (path < 2 * reach)).all(axis=1))
    for i in np.flatnonzero(near[:-1] & near[1:]):
        bold = max(1, round(line * (i + 1) / len(path)))
        _draw_line(canvas, _fixed(path[i]), _fixed(path[i + 1]), _TRAIL, bold)


def _draw_label(canvas: np.ndarray, label: str) -> None:
    """Draw ``label`` on a darkened strip in the upper left corner, shrunk if it is too wide."""
    height, width = canvas.shape[:2]
    # OpenCV 4's fonts have only ASCII
    text = label.encode("ascii", "replace").decode()
    font, size = cv2.FONT_HERSHEY_SIMPLEX, max(0.3, min(width, height) / 700)
    weight = max(1, round(size * 1.6))
    natural_width = cv2.getTextSize(text, font, size, weight)[0][0]
    size *= min(1.0, 0.9 * width / max(1, natural_width))
    (text_width, text_height), below = cv2.getTextSize(text, font, size, weight)
    pad = max(2, text_height // 2)
    strip = canvas[: text_height + below + 2 * pad, : text_width + 2 * pad]
    strip[:] = strip // 4
    cv2.putText(canvas, text, (pad, pad + text_height), font, size, _PAPER, weight, cv2.LINE_AA)
