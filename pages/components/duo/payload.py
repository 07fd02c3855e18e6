"""What the page tells the duo. `payload.js` has the same for the browser."""

from __future__ import annotations

from typing import TypedDict


class Half(TypedDict):
    """One of both clips: URLs of film and keypoints, its name, width over height, its frames."""

    video: str
    poses: str
    name: str
    ratio: float
    frames: list[int]


class Laid(TypedDict):
    """How the second picture lies over the first: scale, whether mirrored, and the point x, y of
    each that lie on each other, px."""

    scale: float
    mirrored: bool
    first: tuple[float, float]
    second: tuple[float, float]


class DuoData(TypedDict):
    """Two repetitions, sample by sample: ``seconds`` of the first, and ``moments`` with a name.

    ``sample`` is shown whenever ``turn`` has changed.
    """

    first: Half
    second: Half
    fit: Laid
    seconds: list[float]
    moments: list[tuple[str, int]]
    sample: int
    turn: int
