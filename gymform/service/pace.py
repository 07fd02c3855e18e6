"""How long an analysis will take on this machine, before it has begun."""

from __future__ import annotations

import os
import sys

FPS = 30.0
"""Frames a second of a usual clip."""

_CROPS = 2.2
"""What one frame costs in all, in crops of the fastest engine on one core (``benchmarks/speed.md``:
0.068 s a frame on two cores, where a crop takes 0.062 s on one)."""


def measured_pace() -> float | None:
    """Seconds for each frame, from what the engines were measured to take at the first start.

    None before that, and where nothing was loaded yet that knows it.
    """
    choice = sys.modules.get("gymform.pose.engine.choice")
    times: dict[str, float] | None = choice.measured() if choice else None
    if not times:
        return None
    return float(_CROPS * min(times.values()) / 1000 / max(1, min(os.cpu_count() or 1, 8)))


def in_words(pace_s: float, film_s: float, fps: float = FPS) -> str:
    """ "about 10 seconds" for a film of so many seconds, rounded up to what people say."""
    seconds = max(1.0, pace_s * film_s * fps)
    if seconds < 10:
        return f"about {round(seconds)} seconds" if seconds >= 2 else "a second or two"
    if seconds < 90:
        return f"about {5 * round(seconds / 5)} seconds"
    return f"about {round(seconds / 60)} minutes"
