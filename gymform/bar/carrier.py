"""What the room hands out: the bar's path, and what speaks against it."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Bar:
    """The path of a barbell's plate, one row for each frame of the film.

    ``time_s`` float64 (T,) seconds; ``xy`` float64 (T, 2) px of the upright source frame, the
    centre of the plate's rim, NaN where it is not known; ``r`` float64 (T,) px half its height;
    ``observed`` bool (T,), false where a short gap was bridged; ``velocity`` float64 (T, 2) px/s
    and ``still`` float64 (T, 2) px, the path, without the camera's motion; ``aspect`` is the
    plate's width for each height, 1 seen straight from the side.

    ``mm_per_px`` is None where the size is not to be trusted or nothing is followed; ``reasons``
    say in sentences why, or what remains unsure. ``plate_mm`` is the diameter that was assumed.
    ``lifting`` bool (T,) are the frames of the repetitions; ``marked`` says that a user showed it.

    Where the plate on the other end is seen too, ``far`` (T, 2) px is its path, NaN where it is not
    known, and ``far_r`` px half its height; None where it is not followed.
    """

    time_s: np.ndarray
    xy: np.ndarray
    r: np.ndarray
    observed: np.ndarray
    velocity: np.ndarray
    still: np.ndarray
    lifting: np.ndarray
    aspect: float
    mm_per_px: float | None
    plate_mm: float
    reasons: tuple[str, ...] = ()
    marked: bool = False
    far: np.ndarray | None = None
    far_r: float | None = None

    @property
    def found(self) -> bool:
        """Is a plate followed at all?"""
        return bool(np.isfinite(self.xy).any())

    @functools.cached_property
    def pace(self) -> np.ndarray:
        """The speed (T,), 1 where it is fastest, NaN where it is not known."""
        speed = np.linalg.norm(self.velocity, axis=1)
        known = np.isfinite(speed)
        fastest = max(1e-6, float(speed[known].max())) if known.any() else 1.0
        return np.asarray(speed / fastest)

    @property
    def middle(self) -> np.ndarray | None:
        """The middle of the bar (T, 2) px between both plates, None where only one is followed.

        A plate twice as large is half as far away, and so lies twice as far from the middle.
        """
        if self.far is None or self.far_r is None:
            return None
        near, far = 1 / self.r[:, None], 1 / self.far_r
        return np.asarray((near * self.xy + far * self.far) / (near + far))

    @property
    def seen(self) -> float:
        """The share of the lift's frames in which the plate is seen."""
        return float(self.observed[self.lifting].mean()) if self.lifting.any() else 0.0


def no_bar(time_s: np.ndarray, plate_mm: float, *reasons: str) -> Bar:
    """No plate, and why."""
    nothing = np.full((len(time_s), 2), np.nan)
    never = np.zeros(len(time_s), bool)
    return Bar(time_s, nothing, nothing[:, 0], never, nothing, nothing, never, float("nan"), None,
               plate_mm, tuple(reasons))  # fmt: skip
