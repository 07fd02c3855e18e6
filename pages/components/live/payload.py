"""The messages between the live view's scripts and the page. `payload.js` is its other half.

The gate, which asks for the camera, gets no data; the starter sends nothing.
"""

from __future__ import annotations

from typing import TypedDict


class GateTriggers(TypedDict):
    """Triggers of the gate by name: ``ready`` once the camera may be used."""

    ready: bool


class SignData(TypedDict):
    """What is to be done, "" for nothing, and how many repetitions were counted."""

    advice: str
    count: int


class StarterData(TypedDict):
    """The text of the button that begins the stream."""

    label: str
