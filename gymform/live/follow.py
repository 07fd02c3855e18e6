"""Tracking in the live view, with few crops for the network per frame.

A whole search as in `pose/detection.py` takes seconds, in which the live picture would freeze. Here
the search is spread over frames, one window in each. A person found in a window must be confirmed
by a crop around the keypoints in the next frame, and is then followed from frame to frame. Once per
second one extra crop looks for other people.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from gymform.live.network import KeypointNetwork
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
"""Heights of the search windows, as shares of the frame's height."""

OTHERS_INTERVAL_S = 1.0
"""Seconds between searches for other people."""

SWITCH_FACTOR = 1.5
"""Another person is followed instead if they look this many times more like the lifter."""

SAME_PERSON_OVERLAP = 0.6
"""With less overlap (intersection over union) two boxes are of two people, or of one who moved
fast."""

CROP_PADDING = 1.1
"""Padding of the crop around the followed person's box. The network is most exact with none, but
people who move fast would leave the crop (`benchmarks/following.md`)."""

MAX_DOUBTFUL_FRAMES = 3
"""After this many frames of low confidence the person is lost; a single one may just be blurred."""


class Follower:
    """Tracks the person in front of one camera. Takes the frames of one session, in order."""

    def __init__(self, network: KeypointNetwork, padding: float = CROP_PADDING) -> None:
        self._network = network
        self._padding = padding
        self._size = (0, 0)
        self._windows: Iterator[np.ndarray] = iter(())
        self._windows_for_others: Iterator[np.ndarray] = iter(())
        self._last: Detection | None = None
        self._candidate: Detection | None = None
        self._usual = 0.0
        self._doubtful_frames = 0
        self._other: Detection | None = None
        self._other_is_confirmed = False
        self._next_search_for_others = 0.0

    @property
    def others(self) -> int:
        """The number of other people seen, counted up to 1."""
        return int(self._other is not None and self._other_is_confirmed)

    def track(self, rgb: np.ndarray, now: float) -> Detection | None:
        """The followed person in ``rgb`` uint8 (H, W, 3); None while nobody is found.

        ``now`` is the frame's time in seconds, by any clock that rises.
        """
        self._prepare(rgb)
        if self._last is None:
            return self._search(rgb)
        detection = self._follow(rgb, self._last)
        if detection is not None and now >= self._next_search_for_others:
            self._next_search_for_others = now + OTHERS_INTERVAL_S
            self._search_for_others(rgb, detection)
        return detection

    # -- one person ---------------------------------------------------------------------------

    def _search(self, rgb: np.ndarray) -> Detection | None:
        """Search the next window for a candidate, or confirm the last frame's candidate."""
        if self._candidate is None:
            found = self._detect(rgb, next(self._windows))
            self._candidate = found if _is_person(found) else None
            return None
        first, self._candidate = self._candidate, None
        found = self._detect(rgb, box_to_crop(first.box, self._padding))
        if found is None or _confirmed(first, found).confidence < MIN_CONFIDENCE:
            return None
        self._last, self._usual, self._doubtful_frames = found, found.confidence, 0
        return found

    def _follow(self, rgb: np.ndarray, last: Detection) -> Detection | None:
        """The person near ``last``, who is lost after a few frames of low confidence."""
        found = self._detect(rgb, box_to_crop(last.box, self._padding))
        if found is not None and overlap(found.box, last.box) < SAME_PERSON_OVERLAP:
            found = self._detect(rgb, box_to_crop(found.box, self._padding)) or found
        if found is not None and found.confidence >= max(MIN_CONFIDENCE, LOST_SHARE * self._usual):
            self._usual += 0.1 * (found.confidence - self._usual)
            self._last, self._doubtful_frames = found, 0
            return found
        self._doubtful_frames += 1
        if self._doubtful_frames >= MAX_DOUBTFUL_FRAMES:
            self._last = self._other = None
        return found if _is_person(found) else None

    # -- other people -------------------------------------------------------------------------

    def _search_for_others(self, rgb: np.ndarray, followed: Detection) -> None:
        """Confirm another person seen before, or search one window beside the followed person."""
        if self._other is not None:
            crop: np.ndarray | None = box_to_crop(self._other.box, self._padding)
        else:
            crop = self._window_beside(followed)
        found = None if crop is None else self._detect(rgb, crop)
        if found is not None and self._other is not None:
            found = _confirmed(self._other, found)
        if found is None or found.confidence < SURE_CONFIDENCE or not _is_another(found, followed):
            self._other, self._other_is_confirmed = None, False
            return
        self._other_is_confirmed = self._other is not None
        self._other = found
        likelier = self._likeness(found) > SWITCH_FACTOR * self._likeness(followed)
        if self._other_is_confirmed and likelier:
            self._last, self._other, self._usual = found, followed, found.confidence

    def _window_beside(self, followed: Detection) -> np.ndarray | None:
        """The next window whose centre is not on the followed person; None if all are."""
        x1, y1, x2, y2 = followed.box
        for crop in itertools.islice(self._windows_for_others, _count(self._size)):
            if not (x1 <= crop[0] <= x2 and y1 <= crop[1] <= y2):
                return crop
        return None

    def _likeness(self, person: Detection) -> float:
        """How much a person looks like the lifter: clearly seen, large and near the middle."""
        half = self._size[0] / 2
        off_centre = min(1.0, abs(person.centre[0] - half) / half)
        return float(person.confidence**2 * person.size * (1 - 0.4 * off_centre))

    # -- frames and crops ---------------------------------------------------------------------

    def _prepare(self, rgb: np.ndarray) -> None:
        """Start over when the size of the picture changes: a phone was rotated."""
        size = (rgb.shape[1], rgb.shape[0])
        if size != self._size:
            self._size = size
            windows = live_windows(*size)
            self._windows = itertools.cycle(windows)
            self._windows_for_others = itertools.cycle(windows)
            self._last = self._candidate = self._other = None

    def _detect(self, rgb: np.ndarray, crop: np.ndarray) -> Detection | None:
        [xy], [score] = self._network.keypoints_in_frame(rgb, crop[None])
        return Detection(xy, score, float(score.mean())) if (score > 0).sum() >= 4 else None


def live_windows(width: int, height: int) -> list[np.ndarray]:
    """Search windows (4,), centre and size px: the whole frame, then smaller ones, middle first."""
    windows = [box_to_crop(np.array([0.0, 0.0, width, height]), padding=1.0)]
    for share in SHARES:
        crops = search_windows(width, height, share)
        windows += sorted(crops, key=lambda crop: float(np.hypot(*(crop[:2] - windows[0][:2]))))
    return windows


def _confirmed(first: Detection, second: Detection) -> Detection:
    """``second`` with less confidence the less it is like ``first``; unlike people, a chair looks
    different in each crop."""
    return replace(second, confidence=second.confidence * float(np.sqrt(similarity(first, second))))


def _count(size: tuple[int, int]) -> int:
    return len(live_windows(*size))


def _is_person(found: Detection | None) -> bool:
    return found is not None and found.confidence >= MIN_CONFIDENCE


def _is_another(a: Detection, b: Detection) -> bool:
    """Are these two people, rather than one person detected twice?"""
    return similarity(a, b) < 0.5 and overlap(a.box, b.box) <= SAME_PERSON_OVERLAP
