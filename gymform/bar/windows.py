"""Pictures of what moves with the hands: windows of one size, cut around them in sampled frames."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from gymform.bar.hands import Hands
from gymform.bar.rings import edge_field
from gymform.video.ahead import ahead
from gymform.video.read import Keep, read_frames
from gymform.video.sparse import first_to_last, only

TORSO_PX = 64.0
"""A torso is this long in a window, px."""

SIDE = 256
"""Width and height of a window, px: two torsos to each side of the hands."""

MIDDLE = (SIDE - 1) / 2

SAMPLES = 36
"""So many frames of a lift are looked at to find the plate."""

MAX_SIDE = 1280
"""Larger frames are shrunk to this before anything else, px."""

AHEAD = 4
"""Frames are decoded in a thread of its own, at most so many ahead."""


@dataclass(frozen=True, eq=False)
class Window:
    """One frame around the hands.

    ``field`` float32 (2, SIDE, SIDE) as of `rings.edge_field`, 0 outside the frame; ``inside``
    bool (SIDE, SIDE); ``hands`` (2,) px of the source; ``scale`` window px for each px of the
    source; ``grey`` uint8 (SIDE, SIDE).
    """

    time_s: float
    field: np.ndarray
    inside: np.ndarray
    hands: np.ndarray
    scale: float
    grey: np.ndarray

    def to_source(self, xy: np.ndarray) -> np.ndarray:
        """Points (..., 2) of the window in px of the source."""
        return np.asarray((xy - MIDDLE) / self.scale + self.hands)

    def to_window(self, xy: np.ndarray) -> np.ndarray:
        """Points (..., 2) of the source in px of the window."""
        return np.asarray((xy - self.hands) * self.scale + MIDDLE)


def sample_times(hands: Hands, count: int = SAMPLES) -> np.ndarray:
    """Seconds (N,) of frames in which the hands are at as different heights as the lift has.

    Half of them are spread over the heights of the hands, half over the time.
    """
    usable = np.flatnonzero(hands.lifting & np.isfinite(hands.xy).all(-1))
    if len(usable) <= count:
        return np.asarray(hands.time_s[usable])
    by_height = usable[np.argsort(hands.xy[usable, 1], kind="stable")]
    chosen = {*first_to_last(by_height, count // 2), *first_to_last(usable, count - count // 2)}
    return np.asarray(hands.time_s[sorted(chosen)])


def windows_of(path: Path, hands: Hands, time_s: np.ndarray, *, turn: int = 0) -> Iterator[Window]:
    """The windows of the film at ``path`` at these rising seconds."""
    with ahead(lambda: in_grey(path, turn, only(time_s)), AHEAD) as frames:
        for grey, scale, at_s in frames:
            yield cut(grey, scale, hands, at_s)


def in_grey(
    path: Path, turn: int, keep: Keep | None = None
) -> Generator[tuple[np.ndarray, float, float]]:
    """Frames uint8 (h, w) of the film in grey, their px for each px of the source, and seconds."""
    with read_frames(path, max_side=MAX_SIDE, keep=keep, turn=turn) as frames:
        for frame in frames:
            yield cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY), frames.scale, frame.time_s


def cut(grey: np.ndarray, frame_scale: float, hands: Hands, time_s: float) -> Window:
    """The window of a frame uint8 (h, w) that has ``frame_scale`` px for each px of the source."""
    middle = hands.at(np.array([time_s]))[0]
    scale = TORSO_PX / hands.torso
    zoom = scale / frame_scale
    there = middle * frame_scale
    matrix = np.array([[zoom, 0, MIDDLE - zoom * there[0]], [0, zoom, MIDDLE - zoom * there[1]]])
    inside = inside_of(grey.shape, matrix)
    if zoom < 0.7:  # what is shrunk is smoothed first, or fine patterns become false edges
        grey, corner = smoothed_around(grey, there, (MIDDLE + 1) / zoom, 0.4 / zoom)
        matrix[:, 2] += zoom * corner
    picture = cv2.warpAffine(
        grey, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    field = edge_field(picture.astype(np.float32)) * inside
    return Window(time_s, field, inside, middle, scale, picture)


def smoothed_around(
    grey: np.ndarray, there: np.ndarray, reach: float, sigma: float
) -> tuple[np.ndarray, np.ndarray]:
    """The part of a frame uint8 (h, w) that is within ``reach`` px of a point ``there`` (2,) either
    way, smoothed as the whole frame would be, and its upper left corner (2,) px.

    Of a point outside the frame it is what is nearest to it.
    """
    last = np.array(grey.shape[::-1]) - 1
    margin = reach + 4 * sigma + 2
    low = np.clip(np.floor(there - margin), 0, last).astype(int)
    high = np.clip(np.ceil(there + margin), 0, last).astype(int) + 1
    return cv2.GaussianBlur(grey[low[1] : high[1], low[0] : high[0]], (0, 0), sigma), low


def inside_of(shape: tuple[int, ...], matrix: np.ndarray, side: int = SIDE) -> np.ndarray:
    """bool (side, side): which pixels of a window show the frame (h, w), but not its very edge."""
    zoom = matrix[0, 0]
    edge = 2 / zoom
    grid = np.arange(side)
    x, y = ((grid - matrix[i, 2]) / zoom for i in (0, 1))
    across = (x >= edge) & (x <= shape[1] - 1 - edge)
    down = (y >= edge) & (y <= shape[0] - 1 - edge)
    return np.asarray(down[:, None] & across[None])
