"""A live session: frames of a camera in, pictures with the skeleton and a status out."""

from __future__ import annotations

import gc
import threading
import weakref
from fractions import Fraction

import av
import numpy as np
import pytest

from gymform import skeleton as sk
from gymform.live.advice import Advice
from gymform.live.follow import Follower
from gymform.live.network import SharedNetwork
from gymform.live.session import HISTORY_S, MAX_SIDE, SILENT_S, LiveSession, mirrored, shrink
from tests import fakes
from tests.live.makers import GREY, SIZE, Clock, detect
from tests.live.people import FakeNetwork, Person


def video_frame(rgb: np.ndarray, time_s: float) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
    frame.pts, frame.time_base = round(time_s * 90_000), Fraction(1, 90_000)
    return frame


def test_the_picture_is_mirrored_with_the_skeleton_on_the_person():
    rgb = np.zeros((360, 640, 3), np.uint8)
    rgb[:, :100] = 255
    person = Person(200, 190, 250)
    shown = mirrored(rgb, detect(person))
    assert (shown[0, -1] == 255).all()
    assert (shown[0, 0] == 0).all()
    knee = person.xy[sk.LEFT_KNEE]
    around = shown[int(knee[1]) - 2 : int(knee[1]) + 3, 639 - int(knee[0]) - 2 :][:, :5]
    assert around.max() > 100


def test_frames_become_status_and_the_first_advice_is_in_the_picture():
    clock = Clock()
    session = LiveSession(FakeNetwork(), clock=clock)
    assert session.status().silent_s is None
    for number in range(20):
        out = session.on_frame(video_frame(GREY, number / 10))
        clock.now += 0.1
    status = session.status()
    assert status.frames == 20
    assert not status.following
    assert status.advice == (Advice.NOBODY,)
    assert status.pace is not None
    assert status.pace.fps == pytest.approx(10, rel=0.05)
    assert not status.lost
    corner = out.to_ndarray(format="rgb24")[:20, :100]
    assert corner.std() > 20  # the advice is written there
    clock.now += SILENT_S + 1
    assert session.status().lost


def test_a_frame_that_takes_long_is_no_lost_camera():
    clock = Clock()

    class Slow(FakeNetwork):
        def keypoints_in_frame(self, rgb, crops):
            clock.now += 10
            seen.append(session.status().lost)
            return super().keypoints_in_frame(rgb, crops)

    session = LiveSession(Slow(), clock=clock)
    seen: list[bool] = []
    for number in range(3):
        session.on_frame(video_frame(GREY, number / 10))
    assert seen == [False, False, False]
    clock.now += SILENT_S + 1
    assert session.status().lost


def test_large_pictures_are_shrunk_and_others_left_alone():
    assert shrink(GREY) is GREY
    assert shrink(np.zeros((1280, 720, 3), np.uint8)).shape == (MAX_SIDE, 360, 3)


def test_an_error_of_the_network_costs_the_skeleton_and_not_the_stream():
    class Broken(FakeNetwork):
        def keypoints_in_frame(self, rgb, crops):
            raise RuntimeError("out of memory")

    session = LiveSession(Broken(), clock=Clock())
    out = session.on_frame(video_frame(GREY, 0.0))
    assert (out.width, out.height) == SIZE
    assert session.status().problem == "RuntimeError"


def test_the_running_prediction_is_about_the_last_seconds_only():
    class Recorder:
        def predict(self, pose, tracks, quality):
            self.pose = pose
            return fakes.make_prediction()

    session = LiveSession(FakeNetwork([Person(320, 190, 250)]), clock=Clock())
    recorder = Recorder()
    assert session.predict(recorder) is None
    for number in range(200):
        session.annotate(GREY, number / 10)
    assert session.predict(recorder).label == "squat"
    assert recorder.pose.time_s[-1] == pytest.approx(HISTORY_S, abs=0.11)
    assert recorder.pose.time_s[0] == 0
    assert recorder.pose.image_size == SIZE
    session.forget()
    assert session.predict(recorder) is None


def test_a_session_that_ended_leaves_nothing_behind():
    session = LiveSession(FakeNetwork([Person(320, 190, 250)]), clock=Clock())
    before = threading.active_count()
    for number in range(20):
        session.on_frame(video_frame(GREY, number / 10))
    assert threading.active_count() == before
    gone = weakref.ref(session)
    del session
    gc.collect()
    assert gone() is None


def test_sessions_share_a_network_without_mixing():
    """Each session's frames show another person, and each gets only its own."""

    class Estimator:
        """Finds a person at the column of the brightest pixel. Not safe for two threads."""

        def __init__(self) -> None:
            self.model = type("Model", (), {"name": "painted"})
            self.busy = False
            self.overlaps = 0

        def keypoints_in_frame(self, rgb, crops):
            self.overlaps += self.busy
            self.busy = True
            column = int(rgb[0, :, 0].argmax())
            people = FakeNetwork([Person(column, 180, 300)])
            found = people.keypoints_in_frame(rgb, crops)
            self.busy = False
            return found

    estimator = Estimator()
    network = SharedNetwork(estimator)
    wrong = []

    def run(column: int) -> None:
        rgb = GREY.copy()
        rgb[0, column] = 255
        follower = Follower(network)
        for number in range(60):
            found = follower.track(rgb, number / 10)
            if found is not None and abs(found.centre[0] - column) > 5:
                wrong.append(column)

    threads = [threading.Thread(target=run, args=(column,)) for column in (200, 320, 440)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert estimator.overlaps == 0
