"""Find the plate of a barbell: the disc that moves with the hands over a whole lift.

Windows around the hands are laid over each other. What moves with the hands stays in its place
there, and everything else smears out. In the mean of the windows every rim of a disc is looked for;
then each window is shifted a little to where it supports the rim best, since hands slide, bars bend
and keypoints are noisy, and the rim is measured again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from scipy.ndimage import maximum_filter

from gymform.bar.rings import (
    blurred,
    correlate,
    peaks,
    rim_of,
    rims_of,
    spaced,
    support_at,
    transform,
)
from gymform.bar.windows import SIDE, TORSO_PX, Window

RADII = (0.2, 0.8)
"""Radii of plates that are looked for, in torsos."""

FINER = 1.08
"""Each radius that is looked for is so many times the one before, at most."""

ASPECTS = (0.65, 0.8, 1.0)
"""Widths for each height: how obliquely a plate may be seen."""

LEAST, MOST = 0.34, 0.82
"""Radii of plates in torsos, from the smallest that cannot be a dumbbell or a head."""

NARROWEST = 0.62
RING = 0.2
"""A ring around a candidate is looked at from this support on."""

CHANCE = 0.15
"""Support that edges of anything give a ring that was chosen for it."""

FAR = 1.6
"""A plate's centre is no farther than this from the middle of the hands, in torsos."""

FFT_SIDE = 144
"""Half a window, and what a rim reaches beyond it around the farthest centre, with few factors."""

NEARER = (0.9, 1.0, 1.15, 1.3, 1.45)
"""How far a plate may move for each px that the hands do."""

CANDIDATES = 12
REACH = 0.3
"""The plate may be so far from where the hands say, in torsos: they slide and are noisy."""

SPREAD = 0.15
"""Standard deviation of the plate's place against the hands, in torsos."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A disc that moves with the hands, in window px.

    ``x``, ``y``, ``r`` (half the height) and ``aspect``; ``score`` the support of its rim in the
    mean of the aligned windows, -1 to 1; ``shifts`` (N, 2) px where it is in each window, from
    ``x`` and ``y``; ``seen`` (N,) the support in each window; ``arcs`` (64,) the mean support
    around the rim.
    """

    x: float
    y: float
    r: float
    aspect: float
    score: float
    shifts: np.ndarray
    seen: np.ndarray
    arcs: np.ndarray


Box = tuple[slice, slice]
"""Rows and columns of a window."""

WHOLE: Box = (slice(0, SIDE), slice(0, SIDE))

MARGIN_PX = 6
"""So much more than a rim is looked at, as smoothing needs it."""


def mean_field(
    windows: Sequence[Window], shifts: np.ndarray | None = None, box: Box = WHOLE
) -> np.ndarray:
    """The mean float32 (2, h, w) of the windows' fields in a ``box``, where they show the frame.

    ``shifts`` (N, 2) px say where what belongs to (0, 0) lies in each window; what leaves a window
    comes in at its other side.
    """
    rows, columns = box
    size = (rows.stop - rows.start, columns.stop - columns.start)
    total, count = np.zeros((2, *size), np.float32), np.zeros(size, np.uint16)
    for i, window in enumerate(windows):
        dx, dy = (0, 0) if shifts is None else (round(float(one)) for one in shifts[i])
        across = list(_wrapped(columns, dx))
        for to_y, from_y in _wrapped(rows, dy):
            for to_x, from_x in across:
                total[:, to_y, to_x] += window.field[:, from_y, from_x]
                count[to_y, to_x] += window.inside[from_y, from_x]
    total /= np.maximum(count, np.float32(len(windows) / 4))
    return total


def _wrapped(span: slice, shift: int) -> Iterator[tuple[slice, slice]]:
    """Where in a box, and from where in a window, its ``span`` comes that lies ``shift`` px on."""
    first = (span.start + shift) % SIDE
    length = span.stop - span.start
    until = min(length, SIDE - first)
    yield slice(0, until), slice(first, first + until)
    if until < length:
        yield slice(until, length), slice(0, length - until)


def field_near(
    candidate: Candidate, windows: Sequence[Window], reach: float
) -> tuple[np.ndarray, np.ndarray]:
    """The smoothed mean (2, h, w) of the aligned windows around a candidate, and its corner (2,).

    It holds all that is no farther than ``reach`` px from the candidate's centre either way.
    """
    middle = np.array([candidate.x, candidate.y])
    low = np.clip(np.floor(middle - reach).astype(int) - MARGIN_PX, 0, SIDE - 1)
    high = np.clip(np.ceil(middle + reach).astype(int) + MARGIN_PX + 1, low + 1, SIDE)
    columns, rows = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return blurred(mean_field(windows, candidate.shifts, (rows, columns))), low


def first_candidates(windows: Sequence[Window]) -> list[Candidate]:
    """The most promising discs in the mean of all windows, the best first.

    The plate is nearer to the camera than the hands, or moves with them from grip to grip: it goes
    up and down somewhat more or less than they do, by each of `NEARER`.
    """
    found: list[Candidate] = []
    for nearer in NEARER:
        shifts = (nearer - 1) * way_of(windows)
        found += _scanned(mean_field(windows, shifts), shifts)
    return distinct(found, CANDIDATES)


def way_of(windows: Sequence[Window]) -> np.ndarray:
    """How far (N, 2) px the hands are in each window from where they are in the median."""
    hands = np.array([window.hands for window in windows]) * windows[0].scale
    return np.asarray(hands - np.median(hands, axis=0))


def _scanned(whole: np.ndarray, shifts: np.ndarray) -> list[Candidate]:
    """Discs in a mean field, looked for at half its size."""
    half = np.stack([cv2.resize(part, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
                     for part in blurred(whole)])  # fmt: skip
    side = SIDE // 2
    field = transform(half, FFT_SIDE)
    grid = np.arange(side) - (side - 1) / 2
    allowed = np.hypot(grid[None], grid[:, None]) <= FAR * TORSO_PX / 2
    found: list[Candidate] = []
    for aspect in ASPECTS:
        for r in spaced(RADII[0] * TORSO_PX / 2, RADII[1] * TORSO_PX / 2, FINER):
            score = correlate(field, r, aspect, FFT_SIDE)[:side, :side]
            score[~allowed] = -1
            ys, xs = peaks(score, 7, 0.03)
            best = np.argsort(score[ys, xs])[::-1][:6]
            found += [
                Candidate(2 * x + 0.5, 2 * y + 0.5, 2 * r, aspect, float(score[y, x]), shifts,
                          np.zeros(0), np.zeros(0))
                for y, x in zip(ys[best].tolist(), xs[best].tolist(), strict=True)
            ]  # fmt: skip
    return distinct(found, CANDIDATES)


def clear(candidate: Candidate) -> float:
    """How clearly a ring stands out of chance, which supports large ones less."""
    return float(candidate.score * candidate.r**0.5)


def like_a_plate(candidate: Candidate) -> float:
    """Support beyond what chance gives, and size: a plate has smaller rings inside it."""
    return float(max(candidate.score - CHANCE, 0.0) * candidate.r**1.5)


def distinct(
    candidates: Sequence[Candidate], most: int, worth: Callable[[Candidate], float] = clear
) -> list[Candidate]:
    """The best ones, without those that are nearly the same ring as a better one."""
    kept: list[Candidate] = []
    for one in sorted(candidates, key=worth, reverse=True):
        if all(not same_ring(one, other) for other in kept):
            kept.append(one)
        if len(kept) == most:
            break
    return kept


def same_ring(one: Candidate, other: Candidate) -> bool:
    """Are the two rings nearly the same?"""
    apart = math.hypot(one.x - other.x, one.y - other.y)
    return apart < 0.25 * other.r and abs(math.log(one.r / other.r)) < 0.12


def aligned(candidate: Candidate, windows: Sequence[Window], fields: np.ndarray) -> Candidate:
    """The candidate with each window shifted to it, and then measured again, twice.

    ``fields`` (N, 2, SIDE, SIDE) are the windows' fields, smoothed to the thickness of a rim.
    """
    for reach in (REACH, REACH / 3):
        candidate = shifted(candidate, fields, reach * TORSO_PX)
        candidate = measured(candidate, windows)
    return shifted(candidate, fields, REACH / 4 * TORSO_PX)


def shifted(candidate: Candidate, fields: np.ndarray, reach: float) -> Candidate:
    """The candidate with its place in each window: the best within ``reach`` px of the last one."""
    step = max(1.0, reach / 8)
    steps = np.arange(-8, 9) * step if reach > 8 else np.arange(-np.floor(reach), reach + 0.5)
    offsets = candidate.shifts[:, None] + _grid(steps)  # (N, n * n, 2)
    centres = np.array([candidate.x, candidate.y]) + offsets
    rim = rim_of(candidate.r, candidate.aspect, 40)
    support = np.concatenate([rim.support(*pair) for pair in zip(fields, centres, strict=True)])
    distance = (offsets**2).sum(-1) / (SPREAD * TORSO_PX) ** 2
    each, at = np.arange(len(offsets)), np.argmax(support - 0.03 * distance, axis=1)
    return replace(candidate, shifts=offsets[each, at], seen=support[each, at].astype(np.float64))


def measured(candidate: Candidate, windows: Sequence[Window]) -> Candidate:
    """The candidate with the ring that the mean of the aligned windows supports best nearby."""
    aspects = np.unique(np.clip(candidate.aspect + np.linspace(-0.1, 0.1, 5), 0.55, 1.1))
    r, a = _pairs(candidate.r * np.linspace(0.88, 1.12, 17), aspects)
    centres = np.array([candidate.x, candidate.y]) + _grid(np.arange(-3, 4))  # (49, 2)
    field, corner = field_near(candidate, windows, 3 + float(r.max() * max(1.0, a.max())))
    support = rims_of(r, a, 48).support(field, centres - corner).T  # (49, rings)
    at, ring = np.unravel_index(np.argmax(support), support.shape)
    arcs = support_at(field, centres[at] - corner, float(r[ring]), float(a[ring]))
    return replace(
        candidate, x=float(centres[at, 0]), y=float(centres[at, 1]), r=float(r[ring]),
        aspect=float(a[ring]), score=float(support[at, ring]), arcs=arcs,
    )  # fmt: skip


def _pairs(radii: np.ndarray, aspects: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each of the radii with each of the aspects, both (K,)."""
    return np.repeat(radii, len(aspects)), np.tile(aspects, len(radii))


def _grid(steps: np.ndarray) -> np.ndarray:
    """Offsets (n * n, 2) of a square grid, row by row."""
    return np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)


def find_candidates(windows: Sequence[Window]) -> list[Candidate]:
    """Discs that move with the hands, measured, the best supported first."""
    fields = np.stack([blurred(window.field) for window in windows])
    found = [aligned(one, windows, fields) for one in first_candidates(windows)]
    found = distinct(found, CANDIDATES)
    rings = [ring for one in found for ring in concentric(one, windows)]
    found += [again(ring, windows, fields) for ring in distinct(rings, CANDIDATES)]
    plates = [one for one in found if one.r >= LEAST * TORSO_PX and one.aspect >= NARROWEST]
    return distinct(plates, CANDIDATES, like_a_plate)


def concentric(candidate: Candidate, windows: Sequence[Window]) -> list[Candidate]:
    """Larger rings around the centre of a candidate that its aligned windows support."""
    radii = np.array(spaced(max(LEAST * TORSO_PX, 1.1 * candidate.r), MOST * TORSO_PX, 1.025))
    if len(radii) < 3:
        return []
    beside = np.array([-0.1, -0.05, 0, 0.05, 0.1])
    aspects = np.unique(np.clip(candidate.aspect + beside, NARROWEST, 1.08))
    r, a = _pairs(radii, aspects)
    centres = np.array([candidate.x, candidate.y]) + _grid(np.arange(-4, 5, 2))  # (25, 2)
    field, corner = field_near(candidate, windows, 4 + float(r.max() * max(1.0, a.max())))
    support = rims_of(r, a, 40).support(field, centres - corner)
    best = support.reshape(len(radii), -1)  # (radii, aspects * 25)
    score, at = best.max(1), best.argmax(1)
    rings = np.flatnonzero((score == maximum_filter(score, 5)) & (score > RING))
    wide, place = np.divmod(at, len(centres))
    return [
        replace(candidate, r=float(radii[i]), score=float(score[i]), aspect=float(aspects[wide[i]]),
                x=float(centres[place[i], 0]), y=float(centres[place[i], 1]))
        for i in rings
    ]  # fmt: skip


def again(candidate: Candidate, windows: Sequence[Window], fields: np.ndarray) -> Candidate:
    """A candidate whose windows are aligned nearly, aligned and measured by its own ring."""
    candidate = shifted(candidate, fields, REACH / 3 * TORSO_PX)
    candidate = measured(candidate, windows)
    return shifted(candidate, fields, REACH / 4 * TORSO_PX)


def of_mark(middle: np.ndarray, way: np.ndarray, r: float, windows: Sequence[Window]) -> Candidate:
    """The disc that a user showed at ``middle`` (2,) with ``r``, in window px, in all windows.

    ``way`` (2,) is where the hands are then, as of :func:`way_of`. How obliquely it is seen, and
    how it moves with the hands, is what the windows support best.
    """
    fields = np.stack([blurred(window.field) for window in windows])
    found: list[Candidate] = []
    for nearer in NEARER:
        x, y = middle - (nearer - 1) * way
        shifts = (nearer - 1) * way_of(windows)
        for aspect in ASPECTS:
            start = Candidate(float(x), float(y), r, aspect, 0.0, shifts, np.zeros(0), np.zeros(0))
            found.append(shifted(start, fields, REACH * TORSO_PX))
    best = max(found, key=lambda one: float(one.seen.mean()))
    return again(measured(best, windows), windows, fields)
