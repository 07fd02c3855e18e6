"""A clock under the test's control, detections of synthetic people, and a frame for them."""

from __future__ import annotations

import numpy as np

from gymform import skeleton as sk
from gymform.live.follow import Follower
from gymform.pose.detection import Detection
from tests.live.people import Person

SIZE = (640, 360)
"""Width and height of the frames, px."""

GREY = np.full((SIZE[1], SIZE[0], 3), 120, np.uint8)


class Clock:
    """A clock that moves only when ``now`` is changed."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def detect(person: Person, **scores: float) -> Detection:
    """The detection of ``person``; ``scores`` by joint, for both sides."""
    score = np.full(sk.NUM_KEYPOINTS, person.score, np.float32)
    for joint, value in scores.items():
        for k in range(sk.NUM_KEYPOINTS):
            if sk.KEYPOINTS[k].endswith(joint):
                score[k] = value
    return Detection(person.xy.astype(np.float32), score, float(score.mean()))


def watch(follower: Follower, frames: int, start: float = 0.0, fps: float = 10.0):
    """The follower's last detection after ``frames`` frames."""
    found = None
    for number in range(frames):
        found = follower.track(GREY, start + number / fps)
    return found
