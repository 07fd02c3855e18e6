"""Which part of one clip's picture another clip shows, when it was cropped.

The mean pictures of two clips are compared at several hundred rectangles. Rectangles are cut out of
fingerprints of 12 x 12 px, so that nothing has to be decoded again; both sides are then compared on
a grid of 8 x 8 px, since a crop of so small a picture holds no more.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass

import numpy as np

SIDE = 12
"""Width and height of a fingerprint's pictures, px."""

GRID = 8
"""Width and height of the pictures that are compared, px."""

SHARES = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7)
"""Shares of the width and height that a crop may leave."""

STRIPS = (0.65, 0.6, 0.55, 0.5)
"""Shares that it may leave of one of them, when the other stays whole: a square of a wide film."""

PLACES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Where the crop lies, from left to right and from top to bottom: 0.5 is the middle."""

MIN_MEAN = 0.9
"""Mean pictures correlate at least this much before the clips are compared in full."""

TRIED = 3
"""Rectangles at which two clips are compared in full."""


def standardised(flat: np.ndarray) -> np.ndarray:
    """float32 (N, P): each picture with mean 0 and length 1, so that brightness does not count."""
    flat = flat.astype(np.float32)
    flat = flat - flat.mean(1, keepdims=True)
    return np.asarray(flat / (np.linalg.norm(flat, axis=1, keepdims=True) + 1e-3))


def whole(flat: np.ndarray) -> np.ndarray:
    """Pictures (N, SIDE * SIDE) on the grid, standardised: (N, GRID * GRID)."""
    return standardised(flat.astype(np.float32) @ _operator(1.0, 1.0, 0.5, 0.5).T)


def cut_out(flat: np.ndarray, rectangle: int) -> np.ndarray:
    """The same of one rectangle out of the pictures, by its number."""
    return standardised(flat.astype(np.float32) @ _operators()[rectangle].T)


@dataclass(frozen=True, eq=False)
class Mean:
    """The mean of a clip's pictures, float32.

    ``picture`` (SIDE * SIDE,) is the mean itself, ``whole`` (GRID * GRID,) the same on the grid,
    ``contrasts`` (R,) are the lengths of its rectangles on the grid, each less its mean.
    """

    picture: np.ndarray
    whole: np.ndarray
    contrasts: np.ndarray

    @classmethod
    def of(cls, flat: np.ndarray) -> Mean:
        """Of pictures (N, SIDE * SIDE); all zeros when there are none."""
        picture = (flat.mean(0) if len(flat) else np.zeros(SIDE * SIDE)).astype(np.float32)
        cut = _operators() @ picture
        contrasts = np.linalg.norm(cut - cut.mean(1, keepdims=True), axis=1)
        return cls(picture, whole(picture[None])[0], contrasts + 1e-3)


class Finder:
    """Looks for one clip in parts of others, and for others in its parts."""

    def __init__(self, mean: Mean) -> None:
        self._crops = standardised(_operators() @ mean.picture)  # (R, GRID * GRID)
        self._spread = mean.whole @ _operators()  # (R, SIDE * SIDE): it, laid into each rectangle

    def parts_of(self, other: Mean, least: float = 0.0) -> list[int]:
        """The rectangles of the other clip that look most like this one; mostly none.

        They correlate more than ``least``.
        """
        return _best(self._spread @ other.picture / other.contrasts, least)

    def parts_like(self, other: Mean, least: float = 0.0) -> list[int]:
        """The rectangles of this clip that look most like the other one; mostly none."""
        return _best(self._crops @ other.whole, least)


def _best(correlations: np.ndarray, least: float) -> list[int]:
    least = max(least, MIN_MEAN)
    if correlations.max() <= least:
        return []
    best = np.argpartition(-correlations, TRIED)[:TRIED]
    return [int(number) for number in best if correlations[number] > least]


@functools.cache
def _operators() -> np.ndarray:
    """(R, GRID * GRID, SIDE * SIDE): each takes a picture to one of its rectangles."""
    return np.stack([_operator(*rectangle) for rectangle in _rectangles()])


def _rectangles() -> list[tuple[float, float, float, float]]:
    """(share of the width, of the height, place from left, from the top) of every rectangle.

    Both sides are cut alike, within a step, or only one of them.
    """
    steps = range(1, len(SHARES))
    sizes = [
        (SHARES[wide], SHARES[high])
        for wide, high in itertools.product(steps, repeat=2)
        if abs(wide - high) <= 1
    ]
    for share in SHARES[1:] + STRIPS:
        sizes += [(share, 1.0), (1.0, share)]
    return [
        (wide, high, left, top)
        for wide, high in sizes
        for left, top in itertools.product(
            *(PLACES if side < 1 else (0.5,) for side in (wide, high))
        )
    ]


def _operator(wide: float, high: float, left: float, top: float) -> np.ndarray:
    across, down = _averaging(wide, left), _averaging(high, top)
    return np.kron(down, across).astype(np.float32)


def _averaging(share: float, place: float) -> np.ndarray:
    """(GRID, SIDE): means over equal parts of a line, of which ``share`` is left at ``place``."""
    edges = np.linspace(0, share * SIDE, GRID + 1) + (1 - share) * place * SIDE
    cells = np.arange(SIDE)
    overlap = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
    weights = np.maximum(overlap, 0)
    return np.asarray(weights / weights.sum(1, keepdims=True))
