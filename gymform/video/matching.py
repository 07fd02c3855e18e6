"""Whether two small pictures show the same scene: the share that stays, and by how much it grew.

What stays where it was, or follows one small shift, turn and zoom of the whole picture, is the
background; people who move take part of the picture only. Light does not count: every part is
compared after its own brightness and contrast are taken out.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

CELL = 8
"""Side of the square cells that are compared, px."""

SAME = 0.6
"""Two cells show the same when the correlation of their pixels is at least this."""

MIN_CELLS = 4
"""With fewer cells that show anything than this, nothing is known."""

MIN_TEXTURE = 2.5
"""Grey levels by which the pixels of a cell that shows anything differ (standard deviation)."""

UNCHANGED = 2.0
"""Grey levels by which two pictures of which little is known may differ, to be the same."""

ZOOMS = (1.0, 1.13, 1 / 1.13, 1.28, 1 / 1.28, 1.45, 1 / 1.45, 1.65, 1 / 1.65)
"""Zooms that are tried; the optical flow bridges the steps between them."""

STILL = 0.9
"""With this share of the picture in place nothing else is tried."""

BETTER = 0.15
"""Share of the picture by which a zoom must explain more than none."""

CLEAR = 0.5
"""With this share of the picture in place no other zoom is tried."""

_POINTS, _QUALITY, _DISTANCE = 80, 0.01, 4
_WINDOW, _LEVELS = (9, 9), 2
_BACK_PX = 1.0
_MIN_POINTS = 6
_LIMIT_ZOOM = 2.2


class Match(NamedTuple):
    """``share`` of the cells that show the same once the first picture is moved by ``moved``.

    ``moved`` is a map (2, 3) in px: shift, turn and zoom.
    """

    share: float
    moved: np.ndarray

    @property
    def log_zoom(self) -> float:
        """The logarithm of the zoom, 0 for none."""
        return float(np.log(np.hypot(*self.moved[:2, 0])))


class View(NamedTuple):
    """A small picture made ready: ``grey`` float32 (h, w), and ``even`` uint8 (h, w).

    ``even`` has the same brightness and contrast everywhere; ``texture`` is the share of the
    cells that show anything.
    """

    grey: np.ndarray
    even: np.ndarray
    texture: float


def view(rgb: np.ndarray) -> View:
    """The picture ``rgb`` uint8 (h, w, 3), ready to be compared."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)
    mean = cv2.blur(grey, (15, 15))
    spread = np.sqrt(np.maximum(cv2.blur(grey * grey, (15, 15)) - mean * mean, 0))
    even = (grey - mean) / (spread + 1 + 0.15 * float(grey.std()))
    texture = _cells(grey[None]).std(axis=(2, 4)) >= MIN_TEXTURE
    return View(grey, np.clip(128 + 45 * even, 0, 255).astype(np.uint8), float(texture.mean()))


def in_place(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Share (T,) of cells that show the same at the same place, of grey pictures (T, h, w)."""
    unchanged = np.abs(first - second).mean(axis=(1, 2)) < UNCHANGED
    return np.where(unchanged, 1.0, _share(_correlation(first, second)))


def match(first: View, second: View) -> Match:
    """How much of the scene of ``first`` is in ``second``, under one shift, turn and zoom.

    A share of 0 where they have nothing in common or show too little.
    """
    best = Match(float(in_place(first.grey[None], second.grey[None])[0]), np.eye(2, 3))
    if best.share >= STILL:
        return best
    for zoom in ZOOMS:
        start = _placed(first, second, zoom)
        moved = None if start is None else _refined(first, second, start)
        if moved is None:
            continue
        found = Match(share_under(first, second, moved), moved)
        # who moves before a plain wall may look like a zoom: it must explain more than none does
        better = BETTER if abs(found.log_zoom) > abs(best.log_zoom) + 0.02 else 0.0
        if found.share > best.share + better:
            best = found
        if found.share >= CLEAR:
            break
    return best


def followed(first: View, second: View) -> Match:
    """The match of two pictures that differ by a small shift, turn and zoom, however small.

    The share is 0 where it cannot be told.
    """
    moved = _refined(first, second, np.eye(2, 3))
    if moved is None:
        return Match(0.0, np.eye(2, 3))
    return Match(share_under(first, second, moved), moved)


def _placed(first: View, second: View, zoom: float) -> np.ndarray | None:
    """The map (2, 3) of a zoom about the middle and the shift after which the middles agree."""
    height, width = second.even.shape
    growth = np.array([[zoom, 0, (1 - zoom) * width / 2], [0, zoom, (1 - zoom) * height / 2]])
    if zoom == 1.0:
        grown = first.even
    else:
        grown = cv2.warpAffine(first.even, growth, (width, height), borderValue=(128,))
    inner = 0.6 * min(1.0, zoom)
    wide, high = round(inner * width), round(inner * height)
    if min(wide, high) < CELL:
        return None
    left, top = (width - wide) // 2, (height - high) // 2
    answer = cv2.matchTemplate(
        second.even, grown[top : top + high, left : left + wide], cv2.TM_CCOEFF_NORMED
    )
    x, y = cv2.minMaxLoc(answer)[3]
    growth[:, 2] += (x - left, y - top)
    return growth


def _refined(first: View, second: View, start: np.ndarray) -> np.ndarray | None:
    """The map (2, 3) that most corners follow, near ``start``; None when they agree on none."""
    corners = cv2.goodFeaturesToTrack(first.even, _POINTS, _QUALITY, _DISTANCE)
    if corners is None or len(corners) < _MIN_POINTS:
        return None
    height, width = second.even.shape
    moved = cv2.warpAffine(first.even, start, (width, height), borderMode=cv2.BORDER_REFLECT)
    points = (corners.reshape(-1, 2) @ start[:, :2].T + start[:, 2]).astype(np.float32)
    inside = ((points > 1) & (points < (width - 2, height - 2))).all(axis=1)
    points = points[inside].reshape(-1, 1, 2)
    if len(points) < _MIN_POINTS:
        return None
    there, found = _flow(moved, second.even, points)
    back, again = _flow(second.even, moved, there)
    kept = (found & again).ravel() == 1
    kept &= np.linalg.norm((back - points).reshape(-1, 2), axis=1) < _BACK_PX
    if kept.sum() < _MIN_POINTS:
        return None
    cv2.setRNGSeed(0)  # the same clip has the same cuts
    change, _ = cv2.estimateAffinePartial2D(
        points[kept], there[kept], ransacReprojThreshold=1.0, maxIters=200
    )
    if change is None:
        return None
    whole = chained(start, change)
    return whole if 1 / _LIMIT_ZOOM < np.hypot(*whole[:2, 0]) < _LIMIT_ZOOM else None


def _flow(
    first: np.ndarray, second: np.ndarray, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where ``points`` (N, 1, 2) px of ``first`` are in ``second``, and which were found (N, 1)."""
    moved, found, _ = cv2.calcOpticalFlowPyrLK(
        first, second, points, np.empty_like(points), winSize=_WINDOW, maxLevel=_LEVELS
    )
    return np.asarray(moved), np.asarray(found)


def share_under(first: View, second: View, moved: np.ndarray) -> float:
    """The share of the cells that show the same once ``first`` is moved by the map ``moved``."""
    size = (second.grey.shape[1], second.grey.shape[0])
    grey = cv2.warpAffine(first.grey, moved, size, borderValue=(-1.0,))
    correlation = _correlation(grey[None], second.grey[None])
    outside = _cells((grey < 0).astype(np.float32)[None]).max(axis=(2, 4)) > 0
    correlation[outside] = np.nan
    return float(_share(correlation)[0])


def chained(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The map (2, 3) that moves by ``first`` and then by ``second``."""
    last_row = (0, 0, 1)
    return np.asarray((np.vstack((second, last_row)) @ np.vstack((first, last_row)))[:2])


def _cells(pictures: np.ndarray) -> np.ndarray:
    """Pictures (T, h, w) as cells (T, rows, CELL, columns, CELL); what is left over is dropped."""
    count, height, width = pictures.shape
    rows, columns = height // CELL, width // CELL
    return pictures[:, : rows * CELL, : columns * CELL].reshape(count, rows, CELL, columns, CELL)


def _correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Correlation (T, rows, columns) of the cells of two pictures; NaN where both show nothing."""
    a, b = _cells(first.astype(np.float32)), _cells(second.astype(np.float32))
    a = a - a.mean(axis=(2, 4), keepdims=True)
    b = b - b.mean(axis=(2, 4), keepdims=True)
    spread_a, spread_b = ((x * x).mean(axis=(2, 4)) for x in (a, b))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = (a * b).mean(axis=(2, 4)) / np.sqrt(
            np.maximum(spread_a, 1) * np.maximum(spread_b, 1)
        )
    correlation[np.maximum(spread_a, spread_b) < MIN_TEXTURE**2] = np.nan
    return np.asarray(correlation)


def _share(correlation: np.ndarray) -> np.ndarray:
    """Share (T,) of the known cells that are the same; 0 where too few are known."""
    known = np.isfinite(correlation).sum(axis=(1, 2))
    same = (np.nan_to_num(correlation, nan=-1.0) >= SAME).sum(axis=(1, 2))
    return np.where(known >= MIN_CELLS, same / np.maximum(known, 1), 0.0)
