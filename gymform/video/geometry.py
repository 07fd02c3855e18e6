"""From stored pixels to the upright frame with square pixels."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np

MAX_STRETCH = 4
"""A pixel more times wider than tall (or taller than wide) than this is a lie of the header."""


@dataclass(frozen=True)
class Geometry:
    """How a clip's frames are stretched, turned and mirrored to stand as they were filmed.

    ``square`` is the (width, height) px of the stored frame made of square pixels. After scaling
    to it, the axes are swapped when ``turned``, then mirrored left-right when ``flip_x`` and
    upside down when ``flip_y``. ``rotation`` tells the turn in counter-clockwise degrees (before
    the left-right mirroring of a mirrored clip), ``skew`` how far the header's angle is from a
    multiple of 90.
    """

    square: tuple[int, int]
    turned: bool = False
    flip_x: bool = False
    flip_y: bool = False
    rotation: int = 0
    skew: float = 0.0

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) px of the upright frame."""
        width, height = self.square
        return (height, width) if self.turned else (width, height)

    def upright(self, pixels: np.ndarray) -> np.ndarray:
        """``pixels`` (h, w, 3) as stored, turned upright: (H, W, 3), contiguous."""
        if self.turned:
            pixels = pixels.swapaxes(0, 1)
        if self.flip_x:
            pixels = pixels[:, ::-1]
        if self.flip_y:
            pixels = pixels[::-1]
        return np.ascontiguousarray(pixels)


def turned(pixels: np.ndarray, degrees: int) -> np.ndarray:
    """``pixels`` (h, w, 3) turned counter-clockwise by 0, 90, 180 or 270 degrees, contiguous."""
    return np.ascontiguousarray(np.rot90(pixels, degrees // 90)) if degrees else pixels


def geometry_of(frame: av.VideoFrame, pixel_aspect: Fraction | None) -> Geometry:
    """The geometry that a clip's first frame, its display matrix and pixel aspect ask for."""
    square = _square_size(frame.width, frame.height, pixel_aspect)
    side_data: Any = frame.side_data.get("DISPLAYMATRIX")
    if side_data is None:
        return Geometry(square)
    return _turned(square, np.frombuffer(bytes(side_data)[:36], np.int32).astype(np.float64))


def _turned(square: tuple[int, int], matrix: np.ndarray) -> Geometry:
    """Read the display matrix (9,): x' = a x + c y, y' = b x + d y, with y down.

    Frame.rotation would not do: for a mirrored clip it names an angle that leaves it upside down.
    """
    a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
    mirrored = a * d - b * c < 0  # then the turn is what leads to the left-right mirror image
    angle = np.degrees(np.arctan2(-b, -a if mirrored else a))  # counter-clockwise as seen
    quarter = int(np.rint(angle / 90))
    turned = bool(abs(b) > abs(a))
    return Geometry(
        square,
        turned=turned,
        flip_x=bool((c if turned else a) < 0),
        flip_y=bool((b if turned else d) < 0),
        rotation=quarter % 4 * 90,
        skew=float(abs(angle - quarter * 90)),
    )


def _square_size(width: int, height: int, pixel_aspect: Fraction | None) -> tuple[int, int]:
    """The stored size with one side grown so that pixels are square; browsers do the same."""
    if not pixel_aspect or not Fraction(1, MAX_STRETCH) <= pixel_aspect <= MAX_STRETCH:
        return width, height
    if pixel_aspect >= 1:
        return round(width * pixel_aspect), height
    return width, round(height / pixel_aspect)


def fit(size: tuple[int, int], max_side: int | None) -> tuple[tuple[int, int], float]:
    """``size`` shrunk so that no side is over ``max_side``, and the scale; never enlarged."""
    scale = 1.0 if max_side is None else min(1.0, max_side / max(size))
    width, height = (max(1, round(side * scale)) for side in size)
    return (width, height), scale
