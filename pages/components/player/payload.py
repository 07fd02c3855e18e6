"""The messages between the player and the page. `payload.js` has the same for the browser.

They are sent as JSON: a tuple here is a list of that length there.
"""

from __future__ import annotations

from typing import TypedDict


class Seek(TypedDict):
    """A frame to show; changing ``turn`` asks for it again.

    With ``loop`` [from, to], s, that stretch is played slowly again and again; ``focus`` is what is
    drawn over it, see `gymform.draw.focus`, "" for nothing.
    """

    frame: int
    turn: int
    loop: tuple[float, float] | None
    focus: str


class PlayerData(TypedDict):
    """The URLs of clip and keypoints, and how to show them.

    ``repetitions`` are [from, to], s; ``ratio`` is width over height; ``chart`` is the key of
    the chart in which a line moves with the picture, "" for none.
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
    """What to follow in the frame at ``time_s``, px: a person by a point x, y or a box x, y, width,
    height, or a plate by its centre and radius x, y, r.
    """

    time_s: float
    point: tuple[float, float] | None
    box: tuple[float, float, float, float] | None
    plate: tuple[float, float, float] | None


class PlayerState(TypedDict):
    """States of the player by name."""

    frame: FrameAtRest


class PlayerTriggers(TypedDict):
    """Triggers of the player by name."""

    pick: PickedPerson
