"""How fast and how late a live picture is."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

WINDOW_S = 5.0
"""The figures are those of the last so many seconds."""

DRIFT = 2e-4
"""Two clocks may run apart by so many seconds a second."""


@dataclass(frozen=True)
class Pace:
    """Frames a second, and the latency in seconds at the median and the 95th percentile."""

    fps: float
    latency_s: float
    latency_p95_s: float


class Meter:
    """Pace over the last seconds."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, float]] = deque()

    def add(self, now: float, latency_s: float) -> None:
        """A frame was finished at ``now`` seconds, ``latency_s`` after it had been taken."""
        self._recent.append((now, latency_s))
        while self._recent[0][0] < now - WINDOW_S:
            self._recent.popleft()

    def pace(self) -> Pace | None:
        """The pace, None until there are two frames."""
        recent = list(self._recent)
        if len(recent) < 2:
            return None
        span = recent[-1][0] - recent[0][0]
        latencies = [latency for _, latency in recent]
        middle, high = np.percentile(latencies, (50, 95))
        return Pace((len(recent) - 1) / max(span, 1e-6), float(middle), float(high))


class Lateness:
    """By how much frames come later than the promptest did: what waited somewhere is late.

    A frame's own time stamp and our clock have different zeros, so the difference of the two is
    compared with the smallest seen so far.
    """

    def __init__(self) -> None:
        self._least: float | None = None
        self._last = 0.0

    def of(self, stamp_s: float, now: float) -> float:
        """Seconds by which a frame stamped ``stamp_s`` is late at ``now``."""
        offset = now - stamp_s
        if self._least is None:
            self._least = offset
        else:
            self._least = min(offset, self._least + DRIFT * (now - self._last))
        self._last = now
        return offset - self._least
