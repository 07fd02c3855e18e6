"""Whom a live view follows: at most a look or two of the network at every frame.

A whole search as in `pose/detection.py` takes seconds, in which a live picture would stand still.
Here the search is spread over frames: each gets one look at the next window of the frame; what
is seen there must be seen again around its keypoints in the next frame, and is then followed from
keypoints to keypoints. Once a second a second look goes elsewhere, to find other people.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from gymform.live.network import Looks
from gymform.pose.crops import box_to_crop
from gymform.pose.detection import (
    MIN_CONFIDENCE,
    SURE_CONFIDENCE,
    Detection,
    overlap,
    search_windows,
    similarity,
)
from gymform.pose.tracking import LOST_SHARE

SHARES = (1.0, 0.6)
"""Heights of the windows that are searched, over the frame's."""

SECOND_LOOK_S = 1.0
"""A second look is taken once in so many seconds."""

TAKES_OVER = 1.5
"""Another person is followed instead when they look so many times more like the lifter."""

MOVED = 0.6
"""A person whose box overlaps the last one by less has moved fast: the crop is cut again."""

ROOM = 1.1
"""Padding with which somebody is looked at around their box. The network is most exact without any,
but those who move fast would leave the picture (`benchmarks/following.md`)."""

PATIENCE = 3
"""Unsure frames after which a person is lost: one blurred frame is no reason to search."""


class Follower:
    """The person in front of one camera. Frames of one session only, in order."""

    def __init__(self, network: Looks, room: float = ROOM) -> None:
        self._network = network
        self._room = room
        self._size = (0, 0)
        self._windows: Iterator[np.ndarray] = iter(())
        self._elsewhere: Iterator[np.ndarray] = iter(())
        self._last: Detection | None = None
        self._candidate: Detection | None = None
        self._usual = 0.0
        self._unsure = 0
        self._other: Detection | None = None
        self._other_is_sure = False
        self._next_second_look = 0.0

    @property
    def others(self) -> int:
        """How many more people were seen, as far as is known: 0 or 1."""
        return int(self._other is not None and self._other_is_sure)

    def look(self, rgb: np.ndarray, now: float) -> Detection | None:
        """The followed person in ``rgb`` uint8 (H, W, 3), None while nobody is found.

        ``now`` is the frame's time in seconds, any clock that rises.
        """
        self._prepare(rgb)
        if self._last is None:
            return self._search(rgb)
        sighting = self._follow(rgb, self._last)
        if sighting is not None and now >= self._next_second_look:
            self._next_second_look = now + SECOND_LOOK_S
            self._look_elsewhere(rgb, sighting)
        return sighting

    # -- one person ---------------------------------------------------------------------------

    def _search(self, rgb: np.ndarray) -> Detection | None:
        """One look: at a candidate again, or at the next window."""
        if self._candidate is None:
            found = self._see(rgb, next(self._windows))
            self._candidate = found if _is_somebody(found) else None
            return None
        first, self._candidate = self._candidate, None
        found = self._see(rgb, box_to_crop(first.box, self._room))
        if found is None or _twice(first, found).confidence < MIN_CONFIDENCE:
            return None
        self._last, self._usual, self._unsure = found, found.confidence, 0
        return found

    def _follow(self, rgb: np.ndarray, last: Detection) -> Detection | None:
        """The person around where they were; after a few unsure frames they are lost."""
        found = self._see(rgb, box_to_crop(last.box, self._room))
        if found is not None and overlap(found.box, last.box) < MOVED:
            found = self._see(rgb, box_to_crop(found.box, self._room)) or found
        if found is not None and found.confidence >= max(MIN_CONFIDENCE, LOST_SHARE * self._usual):
            self._usual += 0.1 * (found.confidence - self._usual)
            self._last, self._unsure = found, 0
            return found
        self._unsure += 1
        if self._unsure >= PATIENCE:
            self._last = self._other = None
        return found if _is_somebody(found) else None

    # -- other people -------------------------------------------------------------------------

    def _look_elsewhere(self, rgb: np.ndarray, followed: Detection) -> None:
        """One look at another person seen before, or at a window beside the followed one."""
        if self._other is not None:
            crop: np.ndarray | None = box_to_crop(self._other.box, self._room)
        else:
            crop = self._window_beside(followed)
        found = None if crop is None else self._see(rgb, crop)
        again = found if self._other is None or found is None else _twice(self._other, found)
        if again is None or again.confidence < SURE_CONFIDENCE or not _is_another(again, followed):
            self._other, self._other_is_sure = None, False
            return
        self._other_is_sure = self._other is not None
        self._other = found = again
        if self._other_is_sure and self._value(found) > TAKES_OVER * self._value(followed):
            self._last, self._other, self._usual = found, followed, found.confidence

    def _window_beside(self, followed: Detection) -> np.ndarray | None:
        """The next window whose centre is not on the followed person; None where all are."""
        x1, y1, x2, y2 = followed.box
        for crop in itertools.islice(self._elsewhere, _count(self._size)):
            if not (x1 <= crop[0] <= x2 and y1 <= crop[1] <= y2):
                return crop
        return None

    def _value(self, person: Detection) -> float:
        """How much a person looks like the lifter: sure, large and near the middle."""
        half = self._size[0] / 2
        off_centre = min(1.0, abs(person.centre[0] - half) / half)
        return float(person.confidence**2 * person.size * (1 - 0.4 * off_centre))

    # -- looks --------------------------------------------------------------------------------

    def _prepare(self, rgb: np.ndarray) -> None:
        """Begin anew when the picture has another size than before: a phone was turned."""
        size = (rgb.shape[1], rgb.shape[0])
        if size != self._size:
            self._size = size
            windows = live_windows(*size)
            self._windows, self._elsewhere = itertools.cycle(windows), itertools.cycle(windows)
            self._last = self._candidate = self._other = None

    def _see(self, rgb: np.ndarray, crop: np.ndarray) -> Detection | None:
        [xy], [score] = self._network.keypoints_in_frame(rgb, crop[None])
        return Detection(xy, score, float(score.mean())) if (score > 0).sum() >= 4 else None


def live_windows(width: int, height: int) -> list[np.ndarray]:
    """Windows (4,) as centre and size px: the whole frame, then smaller ones, middle first."""
    windows = [box_to_crop(np.array([0.0, 0.0, width, height]), padding=1.0)]
    for share in SHARES:
        crops = search_windows(width, height, share)
        windows += sorted(crops, key=lambda crop: float(np.hypot(*(crop[:2] - windows[0][:2]))))
    return windows


def _twice(first: Detection, again: Detection) -> Detection:
    """The second sighting, less sure where it is unlike the first: chairs change, people do not."""
    return replace(again, confidence=again.confidence * float(np.sqrt(similarity(first, again))))


def _count(size: tuple[int, int]) -> int:
    return len(live_windows(*size))


def _is_somebody(found: Detection | None) -> bool:
    return found is not None and found.confidence >= MIN_CONFIDENCE


def _is_another(a: Detection, b: Detection) -> bool:
    """Are these two people, rather than one seen twice?"""
    return similarity(a, b) < 0.5 and overlap(a.box, b.box) <= MOVED
