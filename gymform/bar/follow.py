"""Follow a plate whose size and place at the hands are known, in every frame of a film.

In each frame the rim is looked for near where the hands say. The best few places are kept, and of
all frames together those are taken that fit the picture and move as the hands do (Viterbi 1967), so
that one frame in which a leg or another plate looks better does no harm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from gymform.bar.hands import Hands
from gymform.bar.rim import ANGLES, SIZES, profiles
from gymform.bar.rings import blurred, edge_field, peaks, rim_of
from gymform.bar.windows import AHEAD, in_grey, inside_of
from gymform.video.ahead import ahead

RADIUS_PX = 30.0
"""Pictures are scaled so that the plate's radius is this long, px; smaller ones stay as they are,
down to half of it."""

REACH = 0.8
"""How far from where the hands say the plate is looked for, in its radii."""

PEAKS = 4
"""So many places are kept in each frame."""

RIM_EVERY = 3
"""The rim is measured exactly in each so-manieth frame."""

STEP_PX = 2.0

CUT = 0.6
"""A plate of which the frame shows a smaller share of the rim counts as supported less."""

SLIDE = 0.8
"""How fast the plate may move against the hands, radii a second: standard deviation."""

JITTER = 0.12
"""Noise of where the hands are, radii."""

MISSING = 0.16
"""Support of the rim below which it is likelier not seen at all."""

WEIGHT = 14.0
"""Log-likelihood of support: one of 0.1 more outweighs 1.4."""


Hear = Callable[[np.ndarray, float, float], None]


@dataclass(frozen=True)
class Plate:
    """A disc at the hands: its centre is (``x``, ``y``) px from their middle in the source's px.

    ``r`` is half its height, ``aspect`` its width for each height. ``time_s`` and ``slides`` (N, 2)
    px say how much farther it is at some moments.
    """

    x: float
    y: float
    r: float
    aspect: float
    time_s: np.ndarray
    slides: np.ndarray

    def expected(self, hands: np.ndarray, time_s: float) -> np.ndarray:
        """Where it is (2,) px while the hands are at ``hands`` (2,)."""
        slide = [np.interp(time_s, self.time_s, self.slides[:, i]) for i in (0, 1)]
        return np.asarray(hands + np.array([self.x, self.y]) + slide)


@dataclass(frozen=True, eq=False)
class Sights:
    """What every frame shows: ``time_s`` (T,), ``expected`` (T, 2) px, and the best places.

    ``places`` (T, PEAKS, 2) are x and y px, NaN where there are fewer; ``support`` (T, PEAKS);
    ``rims`` (T, sizes, angles) as of `rim.profiles` around the best of them, NaN in most frames.
    """

    time_s: np.ndarray
    expected: np.ndarray
    places: np.ndarray
    support: np.ndarray
    rims: np.ndarray


def look(
    path: Path, hands: Hands, plate: Plate, *, turn: int = 0, hear: Hear | None = None
) -> Sights:
    """Look for the plate in every frame of the film at ``path``.

    ``hear`` is given each frame in grey, its px for each px of the source, and its second.
    """
    found: list[tuple[np.ndarray, ...]] = []
    times, expected = [], []
    with ahead(lambda: in_grey(path, turn), AHEAD) as frames:
        for grey, scale, time_s in frames:
            middle = hands.at(np.array([time_s]))[0]
            there = plate.expected(middle, time_s)
            if hear is not None:
                hear(grey, scale, time_s)
            times.append(time_s)
            expected.append(there)
            known = bool(np.isfinite(there).all())
            places, support = places_in(grey, scale, there, plate) if known else _nowhere()
            measured = len(times) % RIM_EVERY == 0
            found.append((places, support, _rim(grey, scale, places[0], plate, measured)))
    return Sights(np.array(times), np.array(expected), *map(np.array, zip(*found, strict=True)))


def _nowhere() -> tuple[np.ndarray, np.ndarray]:
    return np.full((PEAKS, 2), np.nan), np.zeros(PEAKS)


def _rim(
    grey: np.ndarray, frame_scale: float, place: np.ndarray, plate: Plate, measured: bool
) -> np.ndarray:
    """`rim.profiles` around a place x, y px of the source; NaN where it is not ``measured``."""
    if not measured or np.isnan(place[0]):
        return np.full((len(SIZES), ANGLES), np.nan, np.float16)
    return profiles(grey, place * frame_scale, plate.r * frame_scale, plate.aspect)


def places_in(
    grey: np.ndarray, frame_scale: float, there: np.ndarray, plate: Plate
) -> tuple[np.ndarray, np.ndarray]:
    """The best places (PEAKS, 2) around ``there`` (2,) and the support (PEAKS,) of the rim."""
    zoom = float(np.clip(RADIUS_PX / (plate.r * frame_scale), 0.05, 2.0))
    scale = zoom * frame_scale  # picture px for each px of the source
    r = plate.r * scale
    reach = REACH * r
    half = int(np.ceil(1.2 * r * max(1, plate.aspect) + reach)) + 3
    field = blurred(_field(grey, there * frame_scale, zoom, half))
    steps = np.arange(-reach, reach + STEP_PX / 2, STEP_PX)
    grid = np.stack(np.meshgrid(steps, steps), axis=-1)
    support = rim_of(r, plate.aspect, 36).support(field, half + grid.reshape(-1, 2))
    places, values = _nowhere()
    best = _largest(support.reshape(grid.shape[:2]))
    count = len(best[0])
    if not count:
        return places, values
    offsets, values[:count] = refined(field, half, grid[best], r, plate.aspect)
    places[:count] = there + offsets / scale
    values /= share_inside(places * frame_scale, plate, frame_scale, grey.shape)
    return places, values


def share_inside(
    places: np.ndarray, plate: Plate, frame_scale: float, shape: tuple[int, ...]
) -> np.ndarray:
    """The share (PEAKS,) of the rim around each place that a frame (h, w) shows, `CUT` at least.

    What is outside the frame cannot be seen, and so does not speak against a plate.
    """
    rim = rim_of(plate.r * frame_scale, plate.aspect, 36)
    at = np.nan_to_num(places)[:, :, None]  # (PEAKS, 2, 1)
    x, y = at[:, 0] + rim.x[0], at[:, 1] + rim.y[0]  # (PEAKS, 36)
    inside = (x >= 0) & (x <= shape[1] - 1) & (y >= 0) & (y <= shape[0] - 1)
    return np.asarray(np.maximum(inside.mean(-1), CUT))


def _field(grey: np.ndarray, there: np.ndarray, zoom: float, half: int) -> np.ndarray:
    """Edges float32 (2, n, n) around a point of the frame, n = 2 half + 1, 0 outside the frame."""
    matrix = np.array([[zoom, 0, half - zoom * there[0]], [0, zoom, half - zoom * there[1]]])
    side = 2 * half + 1
    if zoom < 0.7:
        low = np.maximum(np.floor(there - half / zoom).astype(int) - 4, 0)
        high = np.maximum(np.ceil(there + half / zoom).astype(int) + 5, low + 1)
        part = grey[low[1] : high[1], low[0] : high[0]]
        if not part.size:
            return np.zeros((2, side, side), np.float32)
        grey = cv2.GaussianBlur(part, (0, 0), 0.4 / zoom)
        matrix[:, 2] += zoom * low
    picture = cv2.warpAffine(
        grey, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(edge_field(picture.astype(np.float32)) * inside_of(grey.shape, matrix, side))


def _largest(support: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns (K,) of the largest local maxima, the largest first."""
    rows, columns = peaks(support, 5, 0)
    best = np.argsort(support[rows, columns])[::-1][:PEAKS]
    return rows[best], columns[best]


def refined(
    field: np.ndarray, half: int, offsets: np.ndarray, r: float, aspect: float
) -> tuple[np.ndarray, np.ndarray]:
    """The places (K, 2) px from the middle near ``offsets`` where support is largest, and it (K,).

    To fractions of a pixel, by parabolas through the largest value on a grid and its neighbours.
    """
    centres = offsets.copy()
    rim = rim_of(r, aspect, 48)
    side = np.array([-1.0, 0.0, 1.0])
    moves = np.stack(np.meshgrid(side, side), axis=-1).reshape(9, 2)
    each = np.arange(len(offsets))
    for step in (1.4, 0.8, 0.5):
        around = half + centres[:, None] + step * moves  # (K, 9, 2)
        values = rim.support(field, around.reshape(-1, 2)).reshape(-1, 9)
        row, column = np.divmod(values.argmax(1), 3)
        square = values.reshape(-1, 3, 3).astype(np.float64)
        lines = np.stack([square[each, row], square[each, :, column]], axis=1)  # (K, 2, 3)
        centres += step * _vertices(lines)
    return centres, rim.support(field, half + centres)[0]


def _vertices(values: np.ndarray) -> np.ndarray:
    """Where (...), from -1 to 1, parabolas through values (..., 3) at -1, 0, 1 are largest."""
    before, here, after = values[..., 0], values[..., 1], values[..., 2]
    bend = before - 2 * here + after
    flat = bend >= -1e-9
    tops = (before - after) / (2 * np.where(flat, -1.0, bend))
    inside = np.minimum(np.maximum(tops, -1), 1)
    return np.asarray(np.where(flat, values.argmax(-1) - 1.0, inside))


def chosen(sights: Sights, plate: Plate) -> tuple[np.ndarray, np.ndarray]:
    """Of each frame the place (T, 2) that all frames together make likeliest, and support (T,).

    NaN where the plate is likelier hidden.
    """
    count = len(sights.time_s)
    offset = (sights.places - sights.expected[:, None]) / plate.r  # (T, K, 2) radii
    gain = np.where(np.isfinite(offset[..., 0]), WEIGHT * (sights.support - MISSING), -np.inf)
    gain = gain - np.nan_to_num((offset**2).sum(-1), nan=0) * 0.5  # near to where it is expected
    total = np.zeros((count, PEAKS + 1))
    back = np.zeros((count, PEAKS + 1), int)
    last = np.zeros((PEAKS + 1, 3))  # where and when each way was last seen
    last[:, 2] = -np.inf
    total[0, :PEAKS] = gain[0]
    for i in range(count):
        if i:
            moved = offset[i][None] - last[:, None, :2]  # (K + 1, K, 2)
            gap = sights.time_s[i] - last[:, 2]
            spread = 2 * JITTER**2 + (SLIDE * np.minimum(gap, 10)) ** 2
            cost = np.minimum((moved**2).sum(-1) / (2 * spread[:, None]), 8.0)
            way = total[i - 1][:, None] - np.where(np.isfinite(gap)[:, None], cost, 0.0)
            way = np.where(np.isnan(way), -np.inf, way)
            back[i, :PEAKS] = np.argmax(way, axis=0)
            total[i, :PEAKS] = np.max(way, axis=0) + gain[i]
            back[i, PEAKS] = int(np.argmax(total[i - 1]))
            total[i, PEAKS] = total[i - 1].max()
        arrived = np.column_stack([offset[i], np.full(PEAKS, sights.time_s[i])])
        last = np.vstack([arrived, last[back[i, PEAKS]] if i else last[PEAKS]])
    return _traced(sights, total, back)


def _traced(sights: Sights, total: np.ndarray, back: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    places, support = np.full((len(total), 2), np.nan), np.zeros(len(total))
    state = int(np.argmax(total[-1]))
    for i in range(len(total) - 1, -1, -1):
        if state < PEAKS:
            places[i], support[i] = sights.places[i, state], sights.support[i, state]
        state = int(back[i, state])
    return places, support
