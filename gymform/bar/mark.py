"""A plate that a user showed: (time_s, x, y, r), its centre and half its height px at a second."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gymform.errors import OptionsError

LEAST_R = 3.0
"""A plate with a smaller radius, px, is no more than a few points."""

LATE_S = 0.1
"""So many seconds after the last frame a mark is still one of that frame."""


def check_numbers(plate: Sequence[float]) -> None:
    """Raise OptionsError unless ``plate`` is four numbers that can be those of a plate."""
    try:
        numbers = [float(number) for number in plate]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise OptionsError(
            "Plate of the bar: expected four numbers, a second and x, y and radius in px, got "
            f"{str(plate)[:60]!r}."
        )
    if numbers[0] < 0 or numbers[3] <= 0:
        raise OptionsError(
            "Plate of the bar: expected a second of 0 or more and a radius above 0, got second "
            f"{numbers[0]:g} and radius {numbers[3]:g}."
        )


def check_place(plate: Sequence[float], size: tuple[int, int], last_s: float) -> None:
    """Raise OptionsError unless some of the ``plate`` is in a frame of ``size`` px of a clip whose
    last frame is at ``last_s``, and it is neither a point nor larger than the frame."""
    time_s, x, y, r = plate
    width, height = size
    if time_s > last_s + LATE_S:
        raise OptionsError(
            f"The plate of the bar was marked at second {time_s:g}, and the clip ends at "
            f"{last_s:.2f} s. Mark it in a frame of the clip."
        )
    if not LEAST_R <= r <= max(size):
        raise OptionsError(
            f"The plate of the bar was marked with a radius of {r:g} px: expected {LEAST_R:g} to "
            f"{max(size)} px. Its radius is half its height in the picture."
        )
    if not (-r < x < width + r and -r < y < height + r):
        raise OptionsError(
            f"The plate of the bar was marked at {x:.0f}, {y:.0f} px, outside the frame of "
            f"{width} x {height} px. Mark a place inside it."
        )
