"""Frame rate and latency of the live picture."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

WINDOW_S = 5.0
"""Rate and latency are measured over this many seconds."""

DRIFT = 2e-4
"""How far two clocks may drift apart, in seconds per second."""


@dataclass(frozen=True)
class Pace:
    """Frames per second, and the median and 95th percentile of the latency in seconds."""

    fps: float
    latency_s: float
    latency_p95_s: float


class Meter:
    """Measures the :class:`Pace` over the last :data:`WINDOW_S` seconds."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, float]] = deque()

    def add(self, now: float, latency_s: float) -> None:
        """Count a frame that was ready at ``now`` seconds, ``latency_s`` after it was taken."""
        self._recent.append((now, latency_s))
        while self._recent[0][0] < now - WINDOW_S:
            self._recent.popleft()

    def pace(self) -> Pace | None:
        """The pace; None before the second frame."""
        recent = list(self._recent)
        if len(recent) < 2:
            return None
        span = recent[-1][0] - recent[0][0]
        latencies = [latency for _, latency in recent]
        middle, high = np.percentile(latencies, (50, 95))
        return Pace((len(recent) - 1) / max(span, 1e-6), float(middle), float(high))


class Lateness:
    """Measures how much later a frame arrives than the fastest one did: how long it waited.

    A frame's time stamp and our clock start at different times, so their difference is compared
    with the smallest difference so far.
    """

    def __init__(self) -> None:
        self._least: float | None = None
        self._last = 0.0

    def of(self, stamp_s: float, now: float) -> float:
        """Seconds by which a frame with the time stamp ``stamp_s`` is late at ``now``."""
        offset = now - stamp_s
        if self._least is None:
            self._least = offset
        else:
            self._least = min(offset, self._least + DRIFT * (now - self._last))
        self._last = now
        return offset - self._least
