"""Which patches of a crop a network needs to look at: those near a skeleton known beforehand.

Half the patches or more show background. A small network's answer for the same crop says where the
body is about, and a large network then looks at the patches around it only. Where the small network
is unsure, all the places that it holds for possible count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from gymform import skeleton as sk
from gymform.pose.vitpose import ViTPoseConfig

RADIUS = 48.0
"""Patches with their centre within so many px of the crop from the skeleton are looked at."""

POSSIBLE = 0.1
"""A joint's further places count from this score on."""

CERTAIN, SHORTEST = 0.8, 0.3
"""Below this score the place may be wrong: distances from it are shortened in proportion, at most
to this share."""

SURE = 0.3
"""Below this mean score of the small network's body joints all patches are looked at."""

STEP = 16
"""Numbers of patches are rounded up to multiples: libraries prepare anew for each other number."""

_BONES = (*sk.EDGES, (sk.NOSE, sk.LEFT_SHOULDER), (sk.NOSE, sk.RIGHT_SHOULDER))
_BODY = slice(5, None)


def patch_distances(points: np.ndarray, score: np.ndarray, config: ViTPoseConfig) -> np.ndarray:
    """How far each patch is from a skeleton: float32 (B, N) px of the crop, patches row by row.

    ``points`` (B, 17, P, 2) are the possible places of each joint in px of the network's input,
    NaN where there are fewer, likeliest first, and ``score`` (B, 17, P) how likely they are.
    Distances from joints and bones that are unsure are shortened, so that more is looked at around
    them. 0 everywhere for whom all joints are too unsure to go by.
    """
    centres = _centres(config)  # (N, 2)
    # unknown places, and bones with an unknown end, are far away: they are nobody's nearest
    known = np.isfinite(points).all(axis=-1)
    counted = known & (score >= POSSIBLE)
    counted[:, :, 0] |= known[:, :, 0]
    places = np.where(counted[..., None], points, 1e6).astype(np.float32)
    best = np.broadcast_to(score[:, :, :1], score.shape)
    flat = places.reshape(len(places), -1, 2)
    to_joints = _nearest(
        (centres[:, i, None] - flat[:, None, :, i] for i in range(2)),
        _shortening(best.reshape(len(best), -1)),
    )
    ends = np.array(_BONES).T
    both = known[:, ends, 0].all(axis=1)[..., None]
    start, end = (np.where(both, places[:, joints, 0], np.float32(1e6)) for joints in ends)
    weakest = np.minimum(*(score[:, joints, 0] for joints in ends))
    to_bones = _nearest(_from_segments(centres, start, end), _shortening(weakest))
    distances = np.minimum(to_joints, to_bones)
    distances[score[:, _BODY, 0].mean(axis=1) < SURE] = 0
    return np.asarray(distances, dtype=np.float32)


def _shortening(score: np.ndarray) -> np.ndarray:
    """The factor by which distances from something so sure are shortened."""
    return np.clip(score / CERTAIN, SHORTEST, 1.0)


def like_counts(
    distances: np.ndarray, batch: int, radius: float = RADIUS
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """Batches of crops that need about as many patches: row numbers, and patches int64 (b, n).

    Those that need most come first, so that of several that compute them none is left with a long
    one at the end. ``distances`` (B, N) are those of :func:`patch_distances`. Each crop of a batch
    gets as many patches as the one that needs most, the nearest ones; None stands for all patches.
    """
    needed = (distances <= radius).sum(axis=1)
    order = np.argsort(needed, kind="stable")
    some, whole = np.split(order, [np.searchsorted(needed[order], distances.shape[1])])
    for rows in _split(whole, batch):
        yield rows, None
    for rows in reversed(_split(some, batch)):
        count = min(-(-int(needed[rows].max()) // STEP) * STEP, distances.shape[1])
        nearest = np.argsort(distances[rows], axis=1, kind="stable")[:, :count]
        yield rows, nearest.astype(np.int64)


def _split(rows: np.ndarray, batch: int) -> list[np.ndarray]:
    return [rows[first : first + batch] for first in range(0, len(rows), batch)]


def mirrored(kept: np.ndarray, config: ViTPoseConfig) -> np.ndarray:
    """The same patches of mirrored crops."""
    columns = config.grid[1]
    return np.asarray(kept + columns - 1 - 2 * (kept % columns))


def _centres(config: ViTPoseConfig) -> np.ndarray:
    """The centres float32 (N, 2) px of the patches of a crop."""
    rows, columns = config.grid
    y, x = np.divmod(np.arange(rows * columns), columns)
    offset = config.patch_size / 2 - 0.5 - config.patch_padding
    return np.stack((x, y), axis=1).astype(np.float32) * config.patch_size + np.float32(offset)


def _from_segments(
    points: np.ndarray, start: np.ndarray, end: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """From the nearest points of segments between (B, S, 2) and (B, S, 2), how far points (N, 2)
    lie to the right and further down: (B, N, S) each."""
    way = end - start  # (B, S, 2)
    share = way / np.maximum((way**2).sum(axis=-1, keepdims=True), 1e-6)
    right, down = (points[:, i, None] - start[:, None, :, i] for i in range(2))  # (B, N, S)
    along = right * share[:, None, :, 0] + down * share[:, None, :, 1]
    np.clip(along, 0, 1, out=along)
    return right - along * way[:, None, :, 0], down - along * way[:, None, :, 1]


def _nearest(off: Iterable[np.ndarray], factors: np.ndarray) -> np.ndarray:
    """The least distance (B, N) of things that are ``off`` to the right and down (B, N, M) each,
    and whose distances are shortened by ``factors`` (B, M)."""
    right, down = off
    square = (right * right + down * down) * (factors * factors)[:, None]
    return np.asarray(np.sqrt(square.min(axis=2)))
