"""The time axis: from a file's time stamps to seconds that start at 0 and strictly rise."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from fractions import Fraction

MAX_BACK_S = 1.0
"""A stamp that goes back by less belongs to a misplaced frame; by more, the count began anew."""

MIN_STEP_S = 1 / 2000
"""Frames nearer to each other than this have the same stamp: no camera is that fast."""

MAX_GAP_S = 20.0
"""A longer pause between two frames is taken for a broken stamp. No repetition waits so long."""

MAX_REORDER = 16
"""Packets by which decoding order may differ from presentation order (H.264 and HEVC: 16)."""


class Clock:
    """Gives every frame its second, in presentation order, and remembers what it mended."""

    def __init__(self, rate: float) -> None:
        """``rate`` is the stream's stated frames a second, used only where stamps fail."""
        self._rate = rate
        self._offset_s: float | None = None
        self._last_s = -1.0
        self.frames = 0
        self.dropped = 0
        self.unstamped = 0
        self.jumps = 0

    def time(self, stamp_s: float | None) -> float | None:
        """Seconds since the first frame, or None for a frame that has no moment of its own.

        ``stamp_s`` is the file's time stamp in seconds, None where it has none.
        """
        time_s = self._next() if stamp_s is None else self._mended(stamp_s)
        if stamp_s is None:
            self.unstamped += 1
        if time_s is None:
            self.dropped += 1
            return None
        self._last_s = time_s
        self.frames += 1
        return time_s

    @property
    def step_s(self) -> float:
        """Mean seconds between frames so far; the stated step while there are not two."""
        return self._last_s / (self.frames - 1) if self.frames > 1 else 1.0 / self._rate

    @property
    def duration_s(self) -> float:
        """Seconds from the first frame to the end of the last, which is shown for a mean step."""
        return self._last_s + self.step_s if self.frames else 0.0

    def problems(self) -> Iterator[str]:
        """What was mended, in sentences for the user."""
        if self.unstamped:
            yield (
                f"{_frames(self.unstamped)} without a time stamp: "
                f"the stated rate of {self._rate:.4g} frames a second was used."
            )
        if self.dropped:
            yield f"{_frames(self.dropped)} with a repeated or earlier time stamp: left out."
        if self.jumps:
            yield (
                f"The time stamps jump in {self.jumps} place{'s' if self.jumps > 1 else ''}: "
                "joined there without a gap."
            )

    def _next(self) -> float:
        return self._last_s + self.step_s if self.frames else 0.0

    def _mended(self, stamp_s: float) -> float | None:
        if self._offset_s is None:
            self._offset_s = self._next() - stamp_s
        time_s = stamp_s + self._offset_s
        step_s = time_s - self._last_s
        if not self.frames or MIN_STEP_S <= step_s <= MAX_GAP_S:
            return time_s
        if -MAX_BACK_S < step_s < MIN_STEP_S:
            return None
        self.jumps += 1
        time_s = self._next()
        self._offset_s = time_s - stamp_s
        return time_s


def stated_rate(rate: Fraction | None) -> float:
    """The header's frames a second where it is believable, else 30."""
    return float(rate) if rate and 1 <= rate <= 1000 else 30.0


def presentation_order(stamps: Iterable[float | None]) -> Iterator[float | None]:
    """Packets' stamps, which come in decoding order, in the order in which frames are shown."""
    waiting: list[float] = []
    for stamp in stamps:
        if stamp is None:
            yield None
            continue
        heapq.heappush(waiting, stamp)
        if len(waiting) > MAX_REORDER:
            yield heapq.heappop(waiting)
    while waiting:
        yield heapq.heappop(waiting)


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count} frames"
