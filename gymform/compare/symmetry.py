"""How evenly left and right move: for lifts that both sides do alike, seen from the front."""

from __future__ import annotations

import numpy as np

from gymform.motion.body_size import stature
from gymform.skeleton import ELBOWS, HIPS, KNEES, SHOULDERS, WRISTS
from gymform.types import FRONT, CleanTracks

PAIRS = (WRISTS, ELBOWS, SHOULDERS, HIPS, KNEES)

LEAST_SEEN = 0.5
"""Below this share of a repetition's frames a pair of joints does not count."""


def asymmetry(tracks: CleanTracks, turned: float, start_s: float, end_s: float) -> float | None:
    """How far left and right differ in height, % of stature: the mean over frames and joints.

    None where the camera does not stand in front of the lifter or behind (``turned``, degrees), for
    from the side one half of the body hides the other, and where too little was seen.
    """
    size = stature(tracks.xy)
    if not (turned <= FRONT and np.isfinite(size)):
        return None
    part = tracks.xy[(tracks.time_s >= start_s) & (tracks.time_s <= end_s)]
    heights = part[:, np.array(PAIRS), 1]  # (T, pairs, 2) px
    apart = np.abs(heights[..., 0] - heights[..., 1]) * 100 / size
    seen = np.isfinite(apart)
    usable = seen.mean(0) >= LEAST_SEEN if len(apart) else np.zeros(len(PAIRS), bool)
    if not usable.any():
        return None
    return float(np.nanmean(np.nanmean(apart[:, usable], axis=0)))
