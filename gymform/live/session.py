"""One open page's camera: frames in, mirrored frames with the skeleton out, and what to say.

Frames come in one thread, the page asks in another. Only the newest frame is ever looked at:
streamlit-webrtc's asynchronous track drops those that came meanwhile, and :class:`Lateness`
makes it visible should one have waited anywhere.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import av
import cv2
import numpy as np

from gymform.draw.overlay import draw_overlay
from gymform.exercise.classifier import Classifier
from gymform.live.advice import Advice, Scene, SteadyAdvice, advise
from gymform.live.follow import Follower
from gymform.live.meter import Lateness, Meter, Pace
from gymform.live.network import Looks
from gymform.motion.clean import clean
from gymform.motion.quality import assess
from gymform.pose.detection import Detection
from gymform.skeleton import NUM_KEYPOINTS
from gymform.types import PoseSequence, Prediction

MAX_SIDE = 640
"""Longer side of the live picture, px, at most: the network sees 256 px and encoding is work."""

REMEMBERED_S = 8.0
"""The running answer is about the last so many seconds: a repetition takes two to ten."""

SILENT_S = 3.0
"""A camera from which nothing came for so long is lost."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LiveStatus:
    """What a page may show. ``silent_s`` is the time since the last frame, None before the first;
    ``problem`` the kind of an error that kept frames from being looked at."""

    frames: int
    following: bool
    pace: Pace | None
    advice: tuple[Advice, ...]
    silent_s: float | None
    problem: str | None

    @property
    def lost(self) -> bool:
        """Did frames come, and then no more?"""
        return self.silent_s is not None and self.silent_s > SILENT_S


class LiveSession:
    """The frames of one camera. ``clock`` gives seconds; every method may be called any time."""

    def __init__(self, network: Looks, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._follower = Follower(network)
        self._meter, self._lateness = Meter(), Lateness()
        self._advice = SteadyAdvice()
        self._track = Track()
        self._frames = 0
        self._seen_last: float | None = None
        self._busy = False
        self._following = False
        self._problem: str | None = None

    # -- the thread of the frames -------------------------------------------------------------

    def on_frame(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The mirrored frame with skeleton, box and the most urgent advice; never raises."""
        now = self._clock()
        self._busy = True  # a frame that takes long is no silence
        late = 0.0 if frame.time is None else self._lateness.of(frame.time, now)
        picture = fit(frame.to_ndarray(format="rgb24"))
        stamp = now - late
        try:
            shown = self.see(picture, stamp)
        except Exception as error:  # noqa: BLE001 - an exception here would end the stream
            if self._problem is None:
                _log.exception("a live frame could not be looked at")
            self._problem = type(error).__name__
            shown = np.asarray(cv2.flip(picture, 1))
        with self._lock:
            self._frames += 1
            self._seen_last = done = self._clock()
            self._busy = False
            self._meter.add(done, done - stamp)
        return av.VideoFrame.from_ndarray(shown, format="rgb24")

    def see(self, rgb: np.ndarray, now: float) -> np.ndarray:
        """``rgb`` uint8 (H, W, 3) of time ``now`` mirrored, with what was found drawn over it."""
        sighting = self._follower.look(rgb, now)
        scene = Scene.of(rgb, sighting, self._follower.others)
        with self._lock:
            self._following = sighting is not None
            self._advice.add(now, advise(scene))
            self._track.add(now, sighting, scene.size)
            urgent = self._advice.current()[:1]
        return mirrored(rgb, sighting, urgent[0].value if urgent else None)

    # -- the thread of the page ---------------------------------------------------------------

    def status(self) -> LiveStatus:
        """How it goes at this moment."""
        with self._lock:
            silent = None if self._seen_last is None else self._clock() - self._seen_last
            if silent is not None and self._busy:
                silent = 0.0
            return LiveStatus(
                frames=self._frames,
                following=self._following,
                pace=self._meter.pace(),
                advice=self._advice.current(),
                silent_s=silent,
                problem=self._problem,
            )

    def guess(self, classifier: Classifier) -> Prediction | None:
        """What the last seconds look like, from them alone; None while there is too little."""
        with self._lock:
            pose = self._track.pose()
        if pose is None:
            return None
        tracks = clean(pose)
        return classifier.predict(pose, tracks, assess(pose, tracks))

    def forget(self) -> None:
        """Forget what was seen; frames that come later begin anew."""
        with self._lock:
            self._track.clear()


class Track:
    """The last seconds of the followed person."""

    def __init__(self) -> None:
        self._size = (1, 1)
        self._seen: deque[tuple[float, Detection | None]] = deque()

    def add(self, now: float, sighting: Detection | None, size: tuple[int, int]) -> None:
        """Remember a frame of ``size`` px; a frame that is not later than the last is left out."""
        if size != self._size:
            self._seen.clear()
            self._size = size
        if self._seen and now <= self._seen[-1][0]:
            return
        self._seen.append((now, sighting))
        while self._seen[0][0] < now - REMEMBERED_S:
            self._seen.popleft()

    def clear(self) -> None:
        """Forget everything."""
        self._seen.clear()

    def pose(self) -> PoseSequence | None:
        """The frames as keypoints over time, None when there are fewer than three."""
        seen = list(self._seen)
        if len(seen) < 3:
            return None
        xy = np.full((len(seen), NUM_KEYPOINTS, 2), np.nan, np.float32)
        score = np.zeros((len(seen), NUM_KEYPOINTS), np.float32)
        boxes = np.full((len(seen), 4), np.nan, np.float32)
        for row, (_, sighting) in enumerate(seen):
            if sighting is not None:
                xy[row], score[row], boxes[row] = sighting.xy, sighting.score, sighting.box
        time_s = np.array([moment for moment, _ in seen], np.float64)
        return PoseSequence(xy, score, boxes, time_s - time_s[0], self._size)


def fit(rgb: np.ndarray) -> np.ndarray:
    """``rgb`` (H, W, 3) reduced so that no side is over :data:`MAX_SIDE` px."""
    height, width = rgb.shape[:2]
    share = MAX_SIDE / max(height, width)
    if share >= 1:
        return rgb
    # even sides: the picture goes to an encoder
    size = (2 * round(width * share / 2), 2 * round(height * share / 2))
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)


def mirrored(rgb: np.ndarray, sighting: Detection | None, label: str | None = None) -> np.ndarray:
    """A mirror image of ``rgb`` with the person seen in ``rgb`` and a legible ``label``."""
    mirror = np.asarray(cv2.flip(rgb, 1))
    last = rgb.shape[1] - 1
    if sighting is None:
        nothing = np.full((NUM_KEYPOINTS, 2), np.nan), np.zeros(NUM_KEYPOINTS)
        return draw_overlay(mirror, *nothing, label=label)
    xy = sighting.xy * [-1, 1] + [last, 0]
    x1, y1, x2, y2 = sighting.box
    box = np.array([last - x2, y1, last - x1, y2])
    return draw_overlay(mirror, xy, sighting.score, box, label=label)
