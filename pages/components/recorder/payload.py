"""The messages between the recorder and the page. `payload.js` has the same for the browser.

They are sent as JSON: a tuple here is a list of that length there.
"""

from __future__ import annotations

from typing import TypedDict


class RecorderData(TypedDict):
    """The longest and largest recording, and the countdown when it is not hands-free, s."""

    max_seconds: float
    max_bytes: int
    delay_s: int


class Recording(TypedDict):
    """A video as base64, and start and end of the motion in it, s; None when unknown."""

    video: str
    motion: tuple[float, float] | None


class RecorderTriggers(TypedDict):
    """Triggers of the recorder by name."""

    recording: Recording
