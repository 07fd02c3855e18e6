"""The plate on the other end of the bar, where both are seen.

Seen obliquely, the far plate lies on the other side of the hands, smaller by what perspective asks
for, and moves as the near one does. Where all of that holds it is followed too, which bears out
that the near one is a plate, and tells where the middle of the bar is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gymform.bar.find import Candidate
from gymform.bar.judge import MIN_LIKENESS, MIN_SEEN, is_seen
from gymform.bar.windows import MIDDLE, TORSO_PX

BESIDE = 0.25
"""Both plates lie at least so many torsos beside the hands, on either side."""

SMALLER = (0.6, 0.95)
"""Radii of the far plate for that of the near one: the bar is 1.3 to 1.5 m long, and the camera
stands two metres away or farther."""

MIN_SHARED = 6
"""Fewer frames in which both are seen tell nothing."""


def far_of(near: Candidate, candidates: Sequence[Candidate]) -> Candidate | None:
    """The best seen disc that may be the other plate of the same bar; None where none is."""
    side = near.x - MIDDLE
    for one in candidates:
        other = one.x - MIDDLE
        opposite = side * other < 0 and min(abs(side), abs(other)) >= BESIDE * TORSO_PX
        if opposite and SMALLER[0] <= one.r / near.r <= SMALLER[1] and is_seen(one):
            return one
    return None


def goes_along(near: np.ndarray, far: np.ndarray, lifting: np.ndarray) -> bool:
    """Does a disc at ``far`` (T, 2) px, NaN where it is not seen, move as the plate at ``near``?

    It is seen in as large a share of the ``lifting`` frames (T,) as a plate has to be, and its
    height goes with the near one's as closely as that goes with the hands.
    """
    both = lifting & np.isfinite(near[:, 0]) & np.isfinite(far[:, 0])
    if both.sum() < max(MIN_SHARED, MIN_SEEN * lifting.sum()):
        return False
    return bool(np.corrcoef(near[both, 1], far[both, 1])[0, 1] >= MIN_LIKENESS)
