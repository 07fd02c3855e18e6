"""The bar in some of the film's frames: those in which the lifter was looked at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gymform.bar.carrier import Bar

MIN_FPS = 8.0
"""Fewer frames a second do not show how fast a bar is at its fastest."""


def often_enough(bar: Bar) -> Bar:
    """``bar``, without metres where it is known in fewer than :data:`MIN_FPS` frames a second."""
    if bar.mm_per_px is None or len(bar.time_s) < 2:
        return bar
    fps = 1 / float(np.median(np.diff(bar.time_s)))
    if fps >= MIN_FPS:
        return bar
    why = (
        f"Only {fps:.0f} frames a second are looked at, too few for the speed of a bar, so there "
        f"are no metres: {MIN_FPS:.0f} are needed."
    )
    return replace(bar, mm_per_px=None, reasons=(*bar.reasons, why))


def at_frames(bar: Bar, time_s: np.ndarray) -> Bar:
    """``bar`` in the frames at rising seconds ``time_s`` (N,), which are among those it knows."""
    if len(bar.time_s) == len(time_s):
        return replace(bar, time_s=time_s)
    after = np.clip(np.searchsorted(bar.time_s, time_s), 1, len(bar.time_s) - 1)
    is_before = time_s - bar.time_s[after - 1] < bar.time_s[after] - time_s
    rows = after - is_before
    names = ("xy", "r", "observed", "velocity", "still", "lifting")
    far = None if bar.far is None else bar.far[rows]
    return replace(
        bar, time_s=time_s, far=far, **{name: getattr(bar, name)[rows] for name in names}
    )
