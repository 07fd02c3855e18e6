"""How well the edges of a picture support the rim of a disc, seen as an upright ellipse.

Edges are kept as a field of orientations (the gradient's angle doubled), as in the structure tensor
of Bigün & Granlund (1987): dark on bright and bright on dark count alike, fields of several
pictures can be averaged, and where their edges point different ways they cancel out.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from scipy import fft

BLUR_PX = 1.0
"""Standard deviation of the smoothing before gradients are taken, px."""

FAINT = 6.0
"""Gradients (grey levels a px) from which on an edge counts as half an edge."""

THICKNESS_PX = 1.0
"""Standard deviation of a ring's thickness, px."""


def edge_field(grey: np.ndarray) -> np.ndarray:
    """The orientation of edges, float32 (2, h, w): cosine and sine of the doubled gradient angle.

    Their length tells how clear the edge is, from 0 to 1. ``grey`` is float32 (h, w), 0 to 255.
    """
    smooth = cv2.GaussianBlur(grey, (0, 0), BLUR_PX)
    gx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8)
    gy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8)
    power = gx * gx + gy * gy
    size = np.sqrt(power)
    weight = 1 / ((size + FAINT) * np.maximum(size, 1e-6))  # of power: size / (size + FAINT)
    return np.stack([(gx * gx - gy * gy) * weight, 2 * gx * gy * weight])


def ring_directions(angles: np.ndarray, aspect: float) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, 2) on the ellipse of height 1 and their normals (n, 2), at ``angles`` (n,).

    ``aspect`` is the width for each height.
    """
    cosine, sine = np.cos(angles), np.sin(angles)
    points = np.stack([aspect * cosine, sine], axis=-1)
    normals = np.stack([cosine / aspect, sine], axis=-1)
    return points, normals / np.linalg.norm(normals, axis=-1, keepdims=True)


def ring_angles(count: int) -> np.ndarray:
    """So many angles around a rim, even ones (count,), radians."""
    return np.asarray(2 * np.pi * (np.arange(count) + 0.5) / count)


def ring_kernel(radius: float, aspect: float, size: int) -> np.ndarray:
    """What to correlate :func:`edge_field` with, float32 (2, size, size), centred on (0, 0).

    The correlation is the mean, along the rim, of edges across minus edges along the radius: 1 for
    a rim that is clear all around, about 0 where edges point anywhere.
    """
    count = max(48, int(8 * radius))
    angles = ring_angles(count)
    points, normals = ring_directions(angles, aspect)
    doubled = np.stack(
        [normals[:, 0] ** 2 - normals[:, 1] ** 2, 2 * normals[:, 0] * normals[:, 1]]
    )  # (2, n)
    kernel = np.zeros((2, size, size), np.float32)
    x, y = (radius * points).T
    for dx, dy, share in _around(x, y):
        where = (dy % size, dx % size)
        for part in (0, 1):
            np.add.at(kernel[part], where, (share * doubled[part] / count).astype(np.float32))
    return kernel


def _around(x: np.ndarray, y: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Whole pixels and weights of the four neighbours of each point."""
    x0, y0 = np.floor(x).astype(int), np.floor(y).astype(int)
    fx, fy = x - x0, y - y0
    return [
        (x0, y0, (1 - fx) * (1 - fy)),
        (x0 + 1, y0, fx * (1 - fy)),
        (x0, y0 + 1, (1 - fx) * fy),
        (x0 + 1, y0 + 1, fx * fy),
    ]


def transform(field: np.ndarray, size: int) -> np.ndarray:
    """Fourier transform complex64 (2, size, size // 2 + 1) of a field (2, h, w), for `correlate`.

    The field is smoothed to the thickness of a rim and padded with zeros.
    """
    padded = np.zeros((2, size, size), np.float32)
    padded[:, : field.shape[1], : field.shape[2]] = blurred(field)
    return np.asarray(fft.rfft2(padded))


def correlate(transformed: np.ndarray, radius: float, aspect: float, size: int) -> np.ndarray:
    """Support float32 (size, size) of a rim around each pixel as centre, of :func:`transform`.

    The field goes on at its other side: what a rim reaches beyond it has to be zeros.
    """
    product = transformed * ring_transform(radius, aspect, size)
    support: np.ndarray = fft.irfft2(product[0] + product[1], s=(size, size))
    return support


@functools.lru_cache(maxsize=64)
def ring_transform(radius: float, aspect: float, size: int) -> np.ndarray:
    """What a field's transform is multiplied by for a rim, complex64 (2, size, size // 2 + 1)."""
    return np.asarray(np.conj(fft.rfft2(ring_kernel(radius, aspect, size))))


def support_at(
    field: np.ndarray, centre: np.ndarray, radius: float, aspect: float, angles: int = 64
) -> np.ndarray:
    """Support (angles,) along a rim around ``centre`` (2,): -1 to 1 at each angle, bilinear.

    Pixels are those of the ``field`` (2, h, w), which is 0 outside.
    """
    rims = rim_of(radius, aspect, angles)
    cosine, sine = rims.sampled(field, np.asarray(centre, np.float32)[None], slice(None))
    return np.asarray((cosine * rims.cosine + sine * rims.sine)[0, 0])


AT_ONCE = 16_000
"""So many points are sampled at once: what is computed for them stays in the processor's cache."""

LONGEST_ROW = 32_000
"""cv2.remap takes no rows longer than this."""


@dataclass(frozen=True, eq=False)
class Rims:
    """Rims of K sizes, to be laid around many centres.

    ``x`` and ``y`` float32 (K, 1, angles) px are the points of each rim from its centre, ``cosine``
    and ``sine`` float32 (K, 1, angles) of the doubled angle of its normals there.
    """

    x: np.ndarray
    y: np.ndarray
    cosine: np.ndarray
    sine: np.ndarray

    def support(self, field: np.ndarray, centres: np.ndarray) -> np.ndarray:
        """The mean support float32 (K, M) of each rim around each of the ``centres`` (M, 2) px.

        -1 to 1, bilinear, in the ``field`` (2, h, w), which is 0 outside.
        """
        at = centres.astype(np.float32)
        sizes, _, angles = self.x.shape
        out = np.empty((sizes, len(at)), np.float32)
        step = max(1, AT_ONCE // (len(at) * angles))
        for first in range(0, sizes, step):
            part = slice(first, first + step)
            cosine, sine = self.sampled(field, at, part)
            out[part] = np.einsum("kma,ka->km", cosine, self.cosine[part, 0])
            out[part] += np.einsum("kma,ka->km", sine, self.sine[part, 0])
        out /= angles
        return out

    def sampled(self, field: np.ndarray, at: np.ndarray, part: slice) -> list[np.ndarray]:
        """Both halves (k, M, angles) of a field along some of the rims around ``at`` (M, 2)."""
        x, y = at[:, :1] + self.x[part], at[:, 1:] + self.y[part]
        # one row is sampled fastest
        rows = (1, -1) if x.size <= LONGEST_ROW else (-1, x.shape[-1])
        return [
            cv2.remap(half, x.reshape(rows), y.reshape(rows), cv2.INTER_LINEAR,
                      borderMode=cv2.BORDER_CONSTANT, borderValue=0).reshape(x.shape)
            for half in field
        ]  # fmt: skip


@functools.lru_cache(maxsize=16)
def rim_of(radius: float, aspect: float, angles: int) -> Rims:
    """One rim, K = 1, with so many points."""
    return rims_of(radius, aspect, angles)


def rims_of(radii: np.ndarray | float, aspects: np.ndarray | float, angles: int) -> Rims:
    """Rims of ``radii`` and ``aspects`` (K,) or numbers, with so many points each."""
    theta = ring_angles(angles).astype(np.float32)
    radius, aspect = (np.atleast_1d(np.asarray(one, np.float32))[:, None, None]
                      for one in (radii, aspects))  # fmt: skip
    cosine, sine = np.cos(theta), np.sin(theta)
    nx, ny = np.broadcast_arrays(cosine / aspect, sine)
    power = nx * nx + ny * ny
    parts = (radius * aspect * cosine, radius * sine, (nx * nx - ny * ny) / power,
             2 * nx * ny / power)  # fmt: skip
    return Rims(*np.broadcast_arrays(*parts))


def peaks(support: np.ndarray, side: int, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns (n,) of what is over ``least`` and largest in ``side`` px around it.

    ``support`` is float32 (h, w).
    """
    highest = cv2.dilate(support, np.ones((side, side), np.uint8))
    at = np.flatnonzero((support == highest) & (support > least))
    return np.divmod(at, support.shape[1])


def blurred(field: np.ndarray, sigma: float = THICKNESS_PX) -> np.ndarray:
    """A field smoothed to the thickness of a rim."""
    return np.stack([cv2.GaussianBlur(part, (0, 0), sigma) for part in field])


def spaced(low: float, high: float, ratio: float) -> Sequence[float]:
    """Numbers from ``low`` to ``high`` whose neighbours differ by at most the factor ``ratio``."""
    if low >= high:
        return []
    count = int(np.ceil(np.log(high / low) / np.log(ratio))) + 1
    return [float(value) for value in np.geomspace(low, high, count)]
