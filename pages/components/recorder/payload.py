"""What goes between the recorder and the page. `payload.js` tells the browser the same.

All of it travels as JSON: a tuple here is a list of that length there.
"""

from __future__ import annotations

from typing import TypedDict


class RecorderData(TypedDict):
    """How long and how large a recording may be, and the countdown of one not hands-free, s."""

    max_seconds: float
    max_bytes: int
    delay_s: int


class Recording(TypedDict):
    """A video as base64, and from when to when something moved in it, s; None where unknown."""

    video: str
    motion: tuple[float, float] | None


class RecorderTriggers(TypedDict):
    """Triggers of the recorder by name."""

    recording: Recording
