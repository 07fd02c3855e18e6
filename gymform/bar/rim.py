"""Where exactly the rim of a plate is: how bright pictures change along its radius.

The support of rings is broad, so that a plate is found although it is blurred. Once it is followed,
many frames lie exactly over each other, and the mean of their changes along the radius shows the
outermost edge to a fraction of a pixel.
"""

from __future__ import annotations

import cv2
import numpy as np

from gymform.bar.rings import ring_directions

RADIUS_PX = 60.0
"""The plate's radius in the pictures that are measured, px."""

SIZES = np.linspace(0.85, 1.4, 111)
"""Radii that are measured, as shares of the plate's."""

WIDER = np.linspace(-0.12, 0.12, 7)
"""How much wider for their height than the plate."""

NEAR = 0.11
"""The rim's radius is found to about this share before it is measured exactly."""

STRETCHES = np.linspace(0.88, 1.12, 49)
"""How many times as large as in the mean a plate may be in a frame."""

STANDS_OUT = 0.08
"""An edge outside a ring counts when it is clearer by so much than what lies between them."""

MIN_FRAMES = 5
ANGLES = 64
BLUR_PX = 0.8
FAINT = 4.0
"""Grey levels a px from which on a change counts as half an edge."""


def profiles(grey: np.ndarray, centre: np.ndarray, r: float, aspect: float) -> np.ndarray:
    """How clearly the picture changes along the radius, float32 (len(SIZES), len(WIDER)), 0 to 1.

    ``grey`` is uint8 (h, w); ``centre`` (2,), ``r`` and ``aspect`` are the plate's in it, px.
    """
    zoom = RADIUS_PX / r
    half = int(np.ceil(SIZES[-1] * RADIUS_PX * max(1.0, aspect + WIDER[-1]))) + 2
    matrix = np.array([[zoom, 0, half - zoom * centre[0]], [0, zoom, half - zoom * centre[1]]])
    picture = cv2.warpAffine(
        grey, matrix, (2 * half + 1, 2 * half + 1), flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    smooth = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), BLUR_PX)
    slopes = [cv2.Sobel(smooth, cv2.CV_32F, dx, 1 - dx, scale=1 / 8) for dx in (1, 0)]
    return np.stack([_along(slopes, half, aspect + wider) for wider in WIDER], axis=1)


def _along(slopes: list[np.ndarray], half: int, aspect: float) -> np.ndarray:
    angles = 2 * np.pi * (np.arange(ANGLES) + 0.5) / ANGLES
    points, normals = ring_directions(angles, aspect)  # (n, 2)
    at = half + RADIUS_PX * SIZES[:, None, None] * points  # (sizes, n, 2)
    x, y = (np.ascontiguousarray(at[..., i], np.float32) for i in (0, 1))
    gx, gy = (cv2.remap(one, x, y, cv2.INTER_LINEAR) for one in slopes)
    change = np.abs(gx * normals[:, 0] + gy * normals[:, 1])
    return np.asarray((change / (change + FAINT)).mean(1))


def exact(measured: np.ndarray) -> tuple[float, float]:
    """How much larger and how much wider for its height the rim is than it was taken for.

    ``measured`` (T, len(SIZES), len(WIDER)) are :func:`profiles` of frames that lie over each
    other, NaN where none was taken; (1, 0) where there are too few. The clearest edge that is no
    farther away than `NEAR` counts, or one outside it that stands out by itself.
    """
    taken = measured[np.isfinite(measured[:, 0, 0])]
    if len(taken) < MIN_FRAMES:
        return 1.0, 0.0
    mean = taken.mean(0)
    near = np.where((np.abs(SIZES - 1) <= NEAR)[:, None], mean, -1)
    size, wide = (int(v) for v in np.unravel_index(int(np.argmax(near)), near.shape))
    outer = _outer(mean[:, wide], size)
    if outer is not None:
        return _peak(SIZES, mean[:, wide], outer), float(WIDER[wide])
    return _peak(SIZES, near[:, wide], size), _peak(WIDER, mean[size], wide)


def growth(measured: np.ndarray) -> np.ndarray:
    """How many times as large (T,) the plate is in each frame as in the mean, NaN where unknown.

    1 everywhere where too few frames tell. Each frame's changes along the radius are laid over the
    mean ones, stretched to where they fit best: that uses all rings and not the rim alone.
    ``measured`` is as of :func:`exact`.
    """
    known = np.isfinite(measured[:, 0, 0])
    if known.sum() < MIN_FRAMES:
        return np.ones(len(measured))
    out = np.full(len(measured), np.nan)
    each = measured[known].mean(2)  # (N, sizes)
    mean = each.mean(0)
    stretched = np.stack([np.interp(SIZES / times, SIZES, mean) for times in STRETCHES])
    fit = _normed(each) @ _normed(stretched).T  # (N, stretches)
    out[known] = [_peak(STRETCHES, row, int(np.argmax(row)), -np.inf) for row in fit]
    return out


def _normed(rows: np.ndarray) -> np.ndarray:
    centred = rows - rows.mean(-1, keepdims=True)
    return np.asarray(centred / np.maximum(np.linalg.norm(centred, axis=-1, keepdims=True), 1e-9))


def _outer(values: np.ndarray, index: int) -> int | None:
    """The outermost edge beyond one that stands out by itself, so that that one is a ring inside.

    Whatever lies behind the plate smears out, as the plate moves: an edge that stays is its own.
    """
    for i in range(len(values) - 3, index + 2, -1):
        around = values[i - 2 : i + 3]
        if values[i] >= around.max() and values[i] - values[index:i].min() >= STANDS_OUT:
            return i
    return None


def _peak(at: np.ndarray, values: np.ndarray, index: int, least: float = 0.0) -> float:
    """Where the parabola through a largest value and its neighbours is largest."""
    if not 0 < index < len(at) - 1 or min(values[index - 1], values[index + 1]) < least:
        return float(at[index])
    before, here, after = values[index - 1 : index + 2]
    bend = float(before - 2 * here + after)
    share = 0.0 if bend >= -1e-9 else float(before - after) / (2 * bend)
    return float(at[index] + np.clip(share, -1, 1) * (at[1] - at[0]))
