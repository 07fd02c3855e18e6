"""How well the edges of a picture support the rim of a disc, seen as an upright ellipse.

Edges are kept as a field of orientations (the gradient's angle doubled), as in the structure tensor
of Bigün & Granlund (1987): dark on bright and bright on dark count alike, fields of several
pictures can be averaged, and where their edges point different ways they cancel out.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

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
    return np.asarray(np.fft.rfft2(padded)).astype(np.complex64)


def correlate(transformed: np.ndarray, radius: float, aspect: float, size: int) -> np.ndarray:
    """Support float32 (size, size) of a rim around each pixel as centre, of :func:`transform`."""
    kernel = np.fft.rfft2(ring_kernel(radius, aspect, size))
    product = (transformed * np.conj(kernel)).sum(0)
    return np.asarray(np.fft.irfft2(product, s=(size, size))).astype(np.float32)


def support_at(
    field: np.ndarray,
    centres: np.ndarray,
    radii: np.ndarray | float,
    aspects: np.ndarray | float,
    angles: int = 64,
) -> np.ndarray:
    """Support (..., angles) along rims: -1 to 1 at each of so many angles, bilinear.

    ``centres`` (..., 2) px in the ``field`` (2, h, w); ``radii`` and ``aspects`` broadcast to
    ``centres`` without its last axis.
    """
    theta = ring_angles(angles).astype(np.float32)
    radius, aspect = (np.asarray(one, np.float32)[..., None] for one in (radii, aspects))
    cosine, sine = np.cos(theta), np.sin(theta)
    x = centres[..., :1].astype(np.float32) + radius * aspect * cosine
    y = centres[..., 1:].astype(np.float32) + radius * sine
    x, y = np.broadcast_arrays(x, y)
    nx, ny = cosine / aspect, sine
    power = nx * nx + ny * ny
    c2, s2 = (nx * nx - ny * ny) / power, 2 * nx * ny / power
    flat_x, flat_y = x.reshape(1, -1), y.reshape(1, -1)
    values = [_sampled(part, flat_x, flat_y).reshape(x.shape) for part in field]
    return np.asarray(values[0] * c2 + values[1] * s2)


MOST_SAMPLES = 32_000
"""cv2.remap takes no rows longer than this."""


def _sampled(image: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Values of an image (h, w) at points (1, n), 0 outside."""
    parts = [
        cv2.remap(image, x[:, i : i + MOST_SAMPLES], y[:, i : i + MOST_SAMPLES],
                  cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)
        for i in range(0, x.shape[1], MOST_SAMPLES)
    ]  # fmt: skip
    return np.concatenate(parts, axis=1)


def blurred(field: np.ndarray, sigma: float = THICKNESS_PX) -> np.ndarray:
    """A field smoothed to the thickness of a rim."""
    return np.stack([cv2.GaussianBlur(part, (0, 0), sigma) for part in field])


def spaced(low: float, high: float, ratio: float) -> Sequence[float]:
    """Numbers from ``low`` to ``high`` whose neighbours differ by at most the factor ``ratio``."""
    if low >= high:
        return []
    count = int(np.ceil(np.log(high / low) / np.log(ratio))) + 1
    return [float(value) for value in np.geomspace(low, high, count)]
