"""One open page's camera: frames come in, mirrored frames with skeleton and advice go out.

Frames arrive in one thread, the page asks in another. Only the newest frame is processed:
streamlit-webrtc's asynchronous track drops those that arrive meanwhile. :class:`Lateness` shows
whether a frame had to wait anywhere.
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
from gymform.live.counting import RepetitionCounter
from gymform.live.follow import Follower
from gymform.live.meter import Lateness, Meter, Pace
from gymform.live.network import KeypointNetwork
from gymform.motion.clean import clean
from gymform.motion.quality import assess
from gymform.pose.detection import Detection
from gymform.skeleton import NUM_KEYPOINTS
from gymform.types import PoseSequence, Prediction

MAX_SIDE = 640
"""The live picture has no longer side, px: the network needs 256, and encoding takes time."""

HISTORY_S = 8.0
"""The running prediction is about this many seconds: a repetition takes two to ten."""

SILENT_S = 3.0
"""A camera counts as lost after this many seconds without a frame."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LiveStatus:
    """The state of a live view, for the page.

    ``silent_s`` is the time since the last frame, None before the first; ``problem`` is the type of
    the last error in processing a frame; ``repetitions`` are counted at their lockout.
    """

    frames: int
    following: bool
    pace: Pace | None
    advice: tuple[Advice, ...]
    silent_s: float | None
    problem: str | None
    repetitions: int = 0

    @property
    def lost(self) -> bool:
        """Did the camera send frames and then stop?"""
        return self.silent_s is not None and self.silent_s > SILENT_S


class LiveSession:
    """The frames of one camera. ``clock`` gives seconds; methods may be called from any thread."""

    def __init__(
        self, network: KeypointNetwork, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._follower = Follower(network)
        self._meter, self._lateness = Meter(), Lateness()
        self._advice = SteadyAdvice()
        self._history, self._counter = DetectionHistory(), RepetitionCounter()
        self._frames = 0
        self._last_frame: float | None = None
        self._busy = False
        self._following = False
        self._problem: str | None = None

    # -- the thread of the frames -------------------------------------------------------------

    def on_frame(self, frame: av.VideoFrame) -> av.VideoFrame:
        """The mirrored frame with skeleton, box and the most important advice; never raises."""
        now = self._clock()
        self._busy = True  # a slow frame must not look like a silent camera
        late = 0.0 if frame.time is None else self._lateness.of(frame.time, now)
        picture = shrink(frame.to_ndarray(format="rgb24"))
        stamp = now - late
        try:
            shown = self.annotate(picture, stamp)
        except Exception as error:  # noqa: BLE001 - an exception here would end the stream
            if self._problem is None:
                _log.exception("a live frame could not be processed")
            self._problem = type(error).__name__
            shown = np.asarray(cv2.flip(picture, 1))
        with self._lock:
            self._frames += 1
            self._last_frame = done = self._clock()
            self._busy = False
            self._meter.add(done, done - stamp)
        return av.VideoFrame.from_ndarray(shown, format="rgb24")

    def annotate(self, rgb: np.ndarray, now: float) -> np.ndarray:
        """The frame ``rgb`` uint8 (H, W, 3) of time ``now``, mirrored, with skeleton and advice."""
        detection = self._follower.track(rgb, now)
        scene = Scene.of(rgb, detection, self._follower.others)
        with self._lock:
            self._following = detection is not None
            self._advice.add(now, advise(scene))
            self._history.add(now, detection, scene.size)
            self._counter.add(now, detection)
            first = self._advice.current()[:1]
        return mirrored(rgb, detection, first[0].value if first else None)

    # -- the thread of the page ---------------------------------------------------------------

    def status(self) -> LiveStatus:
        """The state at this moment."""
        with self._lock:
            silent = None if self._last_frame is None else self._clock() - self._last_frame
            if silent is not None and self._busy:
                silent = 0.0
            return LiveStatus(
                frames=self._frames,
                following=self._following,
                pace=self._meter.pace(),
                advice=self._advice.current(),
                silent_s=silent,
                problem=self._problem,
                repetitions=self._counter.count,
            )

    def predict(self, classifier: Classifier) -> Prediction | None:
        """The prediction for the last :data:`HISTORY_S` seconds; None before the third frame."""
        with self._lock:
            pose = self._history.pose()
        if pose is None:
            return None
        tracks = clean(pose)
        return classifier.predict(pose, tracks, assess(pose, tracks))

    def forget(self) -> None:
        """Forget all detections; the prediction and the count start over with the next frames."""
        with self._lock:
            self._history.clear()
            self._counter = RepetitionCounter()


class DetectionHistory:
    """The detections of the last :data:`HISTORY_S` seconds."""

    def __init__(self) -> None:
        self._size = (1, 1)
        self._seen: deque[tuple[float, Detection | None]] = deque()

    def add(self, now: float, detection: Detection | None, size: tuple[int, int]) -> None:
        """Add a frame of ``size`` px, unless it is not later than the last one."""
        if size != self._size:
            self._seen.clear()
            self._size = size
        if self._seen and now <= self._seen[-1][0]:
            return
        self._seen.append((now, detection))
        while self._seen[0][0] < now - HISTORY_S:
            self._seen.popleft()

    def clear(self) -> None:
        """Forget everything."""
        self._seen.clear()

    def pose(self) -> PoseSequence | None:
        """The frames as a pose sequence; None if there are fewer than three."""
        seen = list(self._seen)
        if len(seen) < 3:
            return None
        xy = np.full((len(seen), NUM_KEYPOINTS, 2), np.nan, np.float32)
        score = np.zeros((len(seen), NUM_KEYPOINTS), np.float32)
        boxes = np.full((len(seen), 4), np.nan, np.float32)
        for row, (_, detection) in enumerate(seen):
            if detection is not None:
                xy[row], score[row], boxes[row] = detection.xy, detection.score, detection.box
        time_s = np.array([time for time, _ in seen], np.float64)
        return PoseSequence(xy, score, boxes, time_s - time_s[0], self._size)


def shrink(rgb: np.ndarray) -> np.ndarray:
    """``rgb`` (H, W, 3), shrunk so that no side is over :data:`MAX_SIDE` px."""
    height, width = rgb.shape[:2]
    share = MAX_SIDE / max(height, width)
    if share >= 1:
        return rgb
    # even sides, as the video encoder needs them
    size = (2 * round(width * share / 2), 2 * round(height * share / 2))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))


def mirrored(rgb: np.ndarray, detection: Detection | None, label: str | None = None) -> np.ndarray:
    """The mirror image of ``rgb`` with the person of ``detection`` and, not mirrored, ``label``."""
    mirror = np.asarray(cv2.flip(rgb, 1))
    last = rgb.shape[1] - 1
    if detection is None:
        nothing = np.full((NUM_KEYPOINTS, 2), np.nan), np.zeros(NUM_KEYPOINTS)
        return draw_overlay(mirror, *nothing, label=label)
    xy = detection.xy * [-1, 1] + [last, 0]
    x1, y1, x2, y2 = detection.box
    box = np.array([last - x2, y1, last - x1, y2])
    return draw_overlay(mirror, xy, detection.score, box, label=label)
