"""Counts repetitions while they happen, each at its lockout: standing up straight and staying so.

Squats, deadlifts, snatches and all else in which the hips go down and come up. The pull of a snatch
ends high as well, but for a moment only.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise

import numpy as np

from gymform import skeleton as sk
from gymform.motion.body_size import midpoint
from gymform.pose.detection import Detection

DOWN, UP = 0.8, 0.92
"""Heights of the hips over the ankles, in legs: below the first is down, above the second up."""

DOWN_S, UP_S = 0.15, 0.2
"""Seconds for which the hips have to be down, and then up. The pull of a snatch stays high for less
than the second."""

GAP_S = 1.0
"""After this many seconds without the lifter a repetition that was begun is forgotten."""

MEMORY_S = 20.0
"""The leg's length is the longest of the last seconds: bent towards the camera it looks shorter."""

LEAST_SCORE = 0.3


class RepetitionCounter:
    """The repetitions of one camera. Takes its frames in order."""

    def __init__(self) -> None:
        self.count = 0
        self._legs: deque[tuple[float, float]] = deque()
        self._was_down = False
        self._since: tuple[bool, float] | None = None
        self._last = 0.0

    def add(self, now: float, detection: Detection | None) -> None:
        """Take the frame at ``now`` seconds; None where nobody was found."""
        height = None if detection is None else self._height(now, detection)
        if height is None:
            return
        if now - self._last > GAP_S:
            self._was_down, self._since = False, None
        self._last = now
        if DOWN <= height <= UP:
            self._since = None
            return
        is_up = height > UP
        if self._since is None or self._since[0] is not is_up:
            self._since = is_up, now
        lasted = now - self._since[1]
        if not is_up and lasted >= DOWN_S:
            self._was_down = True
        elif is_up and self._was_down and lasted >= UP_S:
            self.count, self._was_down = self.count + 1, False

    def _height(self, now: float, detection: Detection) -> float | None:
        """How high the hips are over the ankles, in legs; None where too little is seen."""
        xy = np.where(detection.score[:, None] >= LEAST_SCORE, detection.xy, np.nan)
        parts = [midpoint(xy, pair) for pair in (sk.HIPS, sk.KNEES, sk.ANKLES)]
        leg = sum(float(np.linalg.norm(a - b)) for a, b in pairwise(parts))
        if not np.isfinite(leg) or leg <= 0:
            return None
        self._legs.append((now, leg))
        while self._legs[0][0] < now - MEMORY_S:
            self._legs.popleft()
        longest = max(length for _, length in self._legs)
        return float(parts[2][1] - parts[0][1]) / longest
