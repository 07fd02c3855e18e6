"""Follow the plate by its own motion where the hands do not tell: dropped, or hands not seen.

From every frame in which it is seen beside one in which it is not, the plate is followed on,
forward and backward, to where its last speed takes it, for as long as its rim is clear there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from gymform.bar.follow import RADIUS_PX, Plate, places_in
from gymform.bar.windows import in_grey
from gymform.video.sparse import only

AWAY_S = 1.5
"""The plate is followed by its own motion for at most so long, seconds."""

MOST_FRAMES = 400
"""So many frames are looked at in all, those of the first gaps."""

MISSES = 3
"""It is lost after so many frames in which its rim is not clear."""

CLEAR = 0.6
"""Least support of the rim, as a share of what is usual in the film, just where it is expected."""

NEAR = 0.8
"""It is no farther from where its speed takes it, in its radii, and the farther the clearer."""

LAST = 4
"""The speed is that over so many of the last frames in which it was seen."""

Pictures = dict[int, tuple[np.ndarray, float]]
"""Frames in grey by their number, and their px for each px of the source."""


def followed_on(
    path: Path, plate: Plate, time_s: np.ndarray, places: np.ndarray, usual: float, *, turn: int = 0
) -> np.ndarray:
    """The places (T, 2) px at ``time_s`` (T,), also where the plate leaves the hands.

    ``places`` are NaN where it is not known yet; ``usual`` is its rim's support in this film.
    Raises VideoError kinds.
    """
    wanted = gaps(time_s, np.isfinite(places[:, 0]))
    if not len(wanted):
        return places
    pictures = dict(_pictures(path, plate, time_s, wanted, turn))
    ahead = _walked(pictures, plate, time_s, places, usual)
    back = _walked({len(time_s) - 1 - i: one for i, one in pictures.items()}, plate,
                   -time_s[::-1], places[::-1], usual)[::-1]  # fmt: skip
    return np.where(np.isfinite(ahead), ahead, back)


def gaps(time_s: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The frames in which it is not seen, but was or will be within `AWAY_S`; so many at most."""
    times = time_s[seen]
    if not len(times):
        return np.zeros(0, int)
    after = np.minimum(np.searchsorted(times, time_s), len(times) - 1)
    before = np.maximum(after - 1, 0)
    away = np.minimum(np.abs(times[after] - time_s), np.abs(times[before] - time_s))
    return np.flatnonzero(~seen & (away <= AWAY_S))[:MOST_FRAMES]


def _pictures(
    path: Path, plate: Plate, time_s: np.ndarray, wanted: np.ndarray, turn: int
) -> Iterator[tuple[int, tuple[np.ndarray, float]]]:
    for grey, scale, at_s in in_grey(path, turn, only(time_s[wanted])):
        zoom = min(1.0, RADIUS_PX / (plate.r * scale))
        size = (round(grey.shape[1] * zoom), round(grey.shape[0] * zoom))
        small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        index = int(np.abs(time_s - at_s).argmin())
        yield index, (small, scale * size[0] / grey.shape[1])


def _walked(
    pictures: Pictures, plate: Plate, time_s: np.ndarray, places: np.ndarray, usual: float
) -> np.ndarray:
    """The places (T, 2), each gap followed into from its beginning."""
    out, missed = places.copy(), 0
    for i in range(1, len(time_s)):
        if np.isfinite(out[i, 0]):
            missed = 0
        elif i in pictures and missed <= MISSES:
            there = _ahead(time_s[: i + 1], out[: i + 1])
            out[i] = _seen_near(*pictures[i], there, plate, usual)
            missed += int(np.isnan(out[i, 0]))
        else:
            missed = MISSES + 1
    return out


def _ahead(time_s: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Where (2,) the last places (T, 2) and their speed lead to, at the last of ``time_s``."""
    near = slice(-2 * LAST - MISSES, None)
    times, xy = time_s[near], places[near]
    known = np.flatnonzero(np.isfinite(xy[:, 0]))[-LAST:]
    if len(known) < 2:
        return np.asarray(xy[known[-1]] if len(known) else np.full(2, np.nan))
    speed = (xy[known[-1]] - xy[known[0]]) / (times[known[-1]] - times[known[0]])
    return np.asarray(xy[known[-1]] + speed * (times[-1] - times[known[-1]]))


def _seen_near(
    grey: np.ndarray, scale: float, there: np.ndarray, plate: Plate, usual: float
) -> np.ndarray:
    """The best place (2,) near ``there``, NaN where no rim is clear enough."""
    if np.isnan(there[0]):
        return there
    places, support = places_in(grey, scale, there, plate)
    off = np.linalg.norm(places - there, axis=-1) / plate.r
    least = usual * (CLEAR + (1 - CLEAR) * (off / NEAR) ** 2)
    worth = np.where((support >= least) & (off <= NEAR), support, -np.inf)
    best = int(np.argmax(worth))
    return np.asarray(places[best] if np.isfinite(worth[best]) else np.full(2, np.nan))
