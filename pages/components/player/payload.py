"""What goes between the player and the page. `payload.js` tells the browser the same.

All of it travels as JSON: a tuple here is a list of that length there.
"""

from __future__ import annotations

from typing import TypedDict


class Seek(TypedDict):
    """A frame to show; another ``turn`` than before asks for it again."""

    frame: int
    turn: int


class PlayerData(TypedDict):
    """The addresses of clip and keypoints, and what to show of them.

    ``repetitions`` are [from, to], s; ``ratio`` is width over height; ``chart`` the key of the
    chart over which a line runs with the picture, "" for none.
    """

    video: str
    poses: str
    seek: Seek
    repetitions: list[tuple[float, float]]
    ratio: float
    chart: str


class FrameAtRest(TypedDict):
    """The frame at which the picture came to rest, at ``turn``, ms since 1970."""

    index: int
    turn: int


class PickedPerson(TypedDict):
    """Another person: a point x, y or a box x, y, width, height, px, of the frame at a second."""

    time_s: float
    point: tuple[float, float] | None
    box: tuple[float, float, float, float] | None


class PlayerState(TypedDict):
    """States of the player by name."""

    frame: FrameAtRest


class PlayerTriggers(TypedDict):
    """Triggers of the player by name."""

    pick: PickedPerson
