"""Where exactly the rim of a plate is: how bright pictures change along its radius.

The support of rings is broad, so that a plate is found although it is blurred. Once it is followed,
many frames lie exactly over each other, and the mean of their changes along the radius shows the
outermost edge to a fraction of a pixel.
"""

from __future__ import annotations

import cv2
import numpy as np

from gymform.bar.rings import ring_angles, ring_directions

RADIUS_PX = 60.0
"""The plate's radius in the pictures that are measured, px."""

SIZES = np.linspace(0.85, 1.4, 111)
"""Radii that are measured, as shares of the plate's."""

WIDER = np.linspace(-0.12, 0.12, 7)
"""How much wider for their height than the plate."""

NEAR = 0.11
"""The rim's radius is found to about this share before it is measured exactly."""

AROUND, EDGE, CLEAR = 0.07, 0.85, 0.3
"""The edge at one angle is looked for so near, lies in the middle of what is this share as clear as
the clearest, and is clear from this on."""

MIN_CLEAR = 0.5
"""Least share of the rim whose edge is clear, for the height to be measured by where it is."""

THICK = 0.05 / 0.75
"""A plate is about 5 cm thick, and its outer face 75 cm from the middle of the bar."""

SMALLER = 0.2
"""By how much a thing at the hands is smaller than at the plate, seen from about four metres."""

START, ROUNDS, NEIGHBOURS, MOST_OFF = 0.01, 5, 4.0, 0.04
"""Scatter of edges at first, in radii; rounds of fitting; so many edges tell no more than one, as
neighbours err alike; the most by which the height may be changed."""

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
    """How clearly the picture changes along the radius, float16 (len(SIZES), ANGLES), 0 to 1.

    ``grey`` is uint8 (h, w); ``centre`` (2,), ``r`` and ``aspect`` are the plate's in it, px.
    """
    zoom = RADIUS_PX / r
    half = int(np.ceil(SIZES[-1] * RADIUS_PX * max(1.0, aspect))) + 2
    matrix = np.array([[zoom, 0, half - zoom * centre[0]], [0, zoom, half - zoom * centre[1]]])
    picture = cv2.warpAffine(
        grey, matrix, (2 * half + 1, 2 * half + 1), flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    smooth = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), BLUR_PX)
    points, normals = ring_directions(ring_angles(ANGLES), aspect)  # (n, 2)
    at = half + RADIUS_PX * SIZES[:, None, None] * points  # (sizes, n, 2)
    x, y = (np.ascontiguousarray(at[..., i], np.float32) for i in (0, 1))
    slopes = [cv2.Sobel(smooth, cv2.CV_32F, dx, 1 - dx, scale=1 / 8) for dx in (1, 0)]
    gx, gy = (cv2.remap(one, x, y, cv2.INTER_LINEAR) for one in slopes)
    change = np.abs(gx * normals[:, 0] + gy * normals[:, 1])
    return np.asarray(change / (change + FAINT)).astype(np.float16)


def ellipse(wide: float) -> np.ndarray:
    """How far (ANGLES,) an ellipse is from its centre, as a share of half its height.

    ``wide`` is how much wider it is than the ellipse in whose directions it is told.
    """
    angles = ring_angles(ANGLES)
    return np.asarray(1 / np.hypot(np.cos(angles) / wide, np.sin(angles)))


def along(mean: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """Mean change (len(SIZES),) along outlines of each size, of a mean of :func:`profiles`."""
    return np.asarray(_sampled(mean, SIZES[:, None] * shape).mean(1))


def _sampled(mean: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Values (N, ANGLES) of a mean of :func:`profiles` at radii (N, ANGLES), interpolated."""
    rows = (radii - SIZES[0]) / (SIZES[1] - SIZES[0])
    low = np.clip(np.floor(rows).astype(int), 0, len(SIZES) - 2)
    share = np.clip(rows - low, 0, 1)
    columns = np.arange(ANGLES)
    return np.asarray((1 - share) * mean[low, columns] + share * mean[low + 1, columns])


def exact(measured: np.ndarray, aspect: float, hands: np.ndarray) -> tuple[float, float]:
    """How much larger and how much wider for its height the rim is than it was taken for.

    ``measured`` (T, len(SIZES), ANGLES) are :func:`profiles` of frames that lie over each other,
    NaN where none was taken; (1, 0) where there are too few. ``aspect`` was the plate's then, and
    ``hands`` (2,) is the way between its centre and the hands' in radii. The clearest edge that is
    no farther away than `NEAR` counts, or one outside it that stands out by itself.
    """
    taken = measured[np.isfinite(measured[:, 0, 0])]
    if len(taken) < MIN_FRAMES:
        return 1.0, 0.0
    mean = taken.astype(np.float32).mean(0)
    fits = np.array([along(mean, ellipse(1 + wider / aspect)) for wider in WIDER])
    near = np.where(np.abs(SIZES - 1) <= NEAR, fits, -1)  # (widths, sizes)
    wide, size = (int(v) for v in np.unravel_index(int(np.argmax(near)), near.shape))
    outer = _outer(fits[wide], size)
    wider = _peak(WIDER, fits[:, size], wide) if outer is None else float(WIDER[wide])
    larger = _peak(SIZES, fits[wide], size if outer is None else outer)
    edges, clear = edges_near(mean, larger, ellipse(1 + wider / aspect))
    if clear.mean() >= MIN_CLEAR:
        larger += float(np.clip(taller(edges, clear, aspect, hands), -MOST_OFF, MOST_OFF))
    return larger, wider


def taller(edges: np.ndarray, clear: np.ndarray, aspect: float, hands: np.ndarray) -> float:
    """By how much the face of a plate is higher than an outline, of where the edges are.

    ``edges`` (ANGLES,) say how much farther out the picture's edge is at each angle, where
    ``clear``. Fitted are the height, a width, a tilt, a shift, and so much of :func:`thickness` as
    the edges show beyond their scatter; none is likelier than some where they do not tell.
    """
    cosine, sine = ring_directions(ring_angles(ANGLES), aspect)[1].T
    thick = thickness(aspect, hands)
    terms = np.stack([thick, np.ones_like(cosine), cosine**2, cosine * sine, cosine, sine], axis=1)
    weight, scatter = clear.astype(float), START
    for _ in range(ROUNDS):
        known = np.diag([NEIGHBOURS * scatter**2, 0, 0, 0, 0, 0])
        weighted = weight[:, None] * terms
        found = np.linalg.lstsq(terms.T @ weighted + known, weighted.T @ edges, rcond=None)[0]
        if found[0] < 0:
            terms = terms * np.array([0, 1, 1, 1, 1, 1])
        off = np.abs(edges - terms @ found)
        scatter = max(1.48 * float(np.median(off[clear])), 1e-4)
        weight = clear / np.maximum(off / (2 * scatter), 1)
    return float(found[1])


def thickness(aspect: float, hands: np.ndarray) -> np.ndarray:
    """How much farther out (ANGLES,) the outline of a thick plate is than its face, in radii.

    The plate's other face lies towards the hands, by `THICK` of the way to them, and is smaller, as
    it is farther from the camera; the outline goes around both.
    """
    towards = np.abs(ring_directions(ring_angles(ANGLES), aspect)[1] @ hands)
    return np.asarray(THICK * np.maximum(towards - SMALLER, 0) / 2)


def edges_near(mean: np.ndarray, size: float, shape: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How much farther out (ANGLES,) than an outline the edge is at each angle, and if it is clear.

    The middle of what is nearly as clear as the clearest there.
    """
    grid = np.linspace(-AROUND, AROUND, 61)
    rows = shape * (size + grid[:, None])
    values = _sampled(mean, rows)
    top = values.max(0)
    near = np.maximum(values - EDGE * top, 0)
    where = (near * grid[:, None]).sum(0) / np.maximum(near.sum(0), 1e-9)
    return where, np.asarray(top > CLEAR)


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
    each = measured[known].astype(np.float32).mean(2)  # (N, sizes)
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
