"""How fast a camera recorded, as far as the file says so.

A phone that films slow motion may write 240 frames of a second as eight seconds of 30 frames each:
the time stamps are then those of the show, and only a tag tells what was filmed. An iPhone's
com.apple.quicktime.full-frame-rate-playback-intent tells no rate and is found on everyday clips as
well, so it is not read.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from gymform.video.tables import structure

MIN_RATIO = 1.3
"""A stated rate that is nearer to the file's own than this says nothing new."""

REAL_TIME_SHARE = 0.1
"""When so many steps between frames are as short as the stated rate, those parts have real time, so
that the whole was not slowed down."""

_RANGE = (0.01, 5000.0)
"""Frames a second that a stated rate may have: from time lapse to what no phone does yet."""

_TAG = re.compile(r"capture[ ._-]?(fps|frame[ ._-]?rate)$", re.IGNORECASE)
"""Ends of the names of tags: Android's com.android.capture.fps, also in capitals after a remux."""

_SONY = re.compile(rb'\bcaptureFps="([0-9./]{1,12})p?"')
"""Sony's cameras say it in an XML box (NonRealTimeMeta)."""


def stated_rate(tags: Mapping[str, str], path: Path | None = None) -> float | None:
    """Frames a second at which the camera recorded, by ``tags`` or the MP4 at ``path``; or None."""
    for name, text in tags.items():
        if _TAG.search(name.strip()) and (rate := _number(text)):
            return rate
    return _sony_rate(path) if path is not None else None


def capture_fps(stated: float | None, time_s: np.ndarray) -> float | None:
    """``stated`` where it differs from the rate at which the clip plays, else None.

    ``time_s`` float (T,) are the frames' seconds. A clip in which many frames already follow each
    other as fast as was recorded is in real time, even when others are missing.
    """
    if stated is None or len(time_s) < 2:
        return None
    steps = np.diff(time_s)
    ratio = stated * float(steps.mean())
    if 1 / MIN_RATIO <= ratio <= MIN_RATIO:
        return None
    as_filmed = np.abs(np.log(steps * stated)) < np.log(MIN_RATIO)
    return None if as_filmed.mean() >= REAL_TIME_SHARE else stated


def _sony_rate(path: Path) -> float | None:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for start, end in structure(data):
            if found := _SONY.search(data, start, end):
                return _number(found[1].decode("ascii"))
    return None


def _number(text: str) -> float | None:
    """A rate such as "240.000000", "119.88p" or "120000/1001", where it is a believable one."""
    above, _, below = text.strip().lower().removesuffix("fps").strip().rstrip("p\0").partition("/")
    try:
        rate = float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError):
        return None
    return rate if _RANGE[0] <= rate <= _RANGE[1] else None
