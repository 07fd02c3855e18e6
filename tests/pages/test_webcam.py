"""Page Webcam in all its states, without a browser, without a camera and without weights."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from gymform import limits
from gymform.live.advice import Advice
from gymform.live.meter import Pace
from gymform.live.session import LiveStatus
from gymform.service import analysis_queue, https
from gymform.types import UNKNOWN, Prediction
from pages.components import clip_session
from pages.components.live import live
from pages.components.recorder import recorder
from tests import fakes
from tests.live.people import FakeNetwork

APP = Path(__file__).parents[2] / "app.py"
MP4 = b"\0\0\0\x18ftypmp42"


class Session:
    """A live session whose status is what a test says."""

    status_now = LiveStatus(0, False, None, (), None, None)
    prediction = None
    ended = 0

    def __init__(self, network) -> None:
        assert isinstance(network, FakeNetwork)

    def status(self):
        return Session.status_now

    def predict(self, classifier):
        return Session.prediction

    def forget(self):
        Session.ended += 1


@pytest.fixture(name="queue", autouse=True)
def _queue(tmp_path, monkeypatch):
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(fakes.write_manifest(tmp_path / "weights")))
    queue = analysis_queue.JobQueue(work="tests.work:scripted", max_waiting=1)
    monkeypatch.setattr(analysis_queue, "JobQueue", lambda **_: queue)
    clip_session.job_queue.forget()
    yield queue
    queue.close()


@pytest.fixture(name="camera", autouse=True)
def _camera(monkeypatch):
    """The widgets as plain buttons, the stream as a word; the messages of the recorder."""

    def gate(*, key, on_ready):
        st.button("gate", key=key, on_click=on_ready)

    def stream(session, *, key):
        live.ice_servers()
        st.markdown(f"stream {key}")

    messages: list[dict] = []

    def record(*, key):
        st.markdown(f"widget {key}")
        return messages.pop() if messages else None

    monkeypatch.setattr(live, "gate", gate)
    monkeypatch.setattr(live, "stream", stream)
    monkeypatch.setattr(live, "live_network", FakeNetwork)
    monkeypatch.setattr(live, "live_classifier", lambda: None)
    monkeypatch.setattr(recorder, "recorder", record)
    monkeypatch.setattr("gymform.live.session.LiveSession", Session)
    Session.status_now = LiveStatus(0, False, None, (), None, None)
    Session.prediction, Session.ended = None, 0
    return messages


@pytest.fixture(name="app")
def _app() -> AppTest:
    app = AppTest.from_file(str(APP), default_timeout=30).run()
    return app.switch_page("pages/webcam.py").run()


def click(app: AppTest, label: str) -> AppTest:
    return next(item for item in app.button if item.label == label).click().run()


def texts(app: AppTest) -> str:
    kinds = (app.title, app.markdown, app.caption, app.error, app.info, app.warning)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def seeing(*advice: Advice, following: bool = True, silent_s: float = 0.1) -> LiveStatus:
    return LiveStatus(50, following, Pace(12.3, 0.05, 0.081), advice, silent_s, None)


def test_an_off_camera_says_what_happens(app):
    assert not app.exception
    assert app.title[0].value == "Film a repetition"
    assert "nowhere else" in texts(app)
    assert len(app.markdown) == 5, "a bare string in a page's file is shown on the page"


def test_live_says_how_to_stand_how_fast_it_is_and_what_it_may_be(app):
    click(app, "gate")
    assert "Connecting" in texts(app)
    Session.status_now = seeing(Advice.FEET, Advice.DARK)
    Session.prediction = fakes.make_prediction("deadlift", 0.83)
    app.run()
    shown = texts(app)
    assert not app.exception
    assert Advice.FEET.value in shown
    assert Advice.DARK.value in shown
    assert "12 frames a second · latency 81 ms" in shown
    assert "Provisional" in shown
    assert "Deadlift, 83 %" in shown
    Session.status_now, Session.prediction = seeing(), None
    app.run()
    assert "Good" in texts(app)
    assert "Nothing yet" in texts(app)


def test_a_lost_camera_has_words_and_a_way_on(app):
    click(app, "gate")
    Session.status_now = seeing(silent_s=10.0)
    app.run()
    assert "stopped coming" in app.error[0].value
    assert "stream live-stream-1" in texts(app)
    click(app, "Try again")
    assert "stream live-stream-2" in texts(app)
    assert Session.ended == 1


def test_a_stream_that_never_comes_names_the_setting(app, monkeypatch):
    monkeypatch.setattr(live, "CONNECT_S", -1.0)
    click(app, "gate")
    assert "GYMFORM_ICE_SERVERS" in app.error[0].value
    assert next(item for item in app.button if item.label == "Try again")


def test_a_bad_setting_is_said(app, monkeypatch):
    monkeypatch.setenv("GYMFORM_ICE_SERVERS", "http://nonsense")
    click(app, "gate")
    assert not app.exception
    assert "GYMFORM_ICE_SERVERS" in app.error[0].value


def test_a_missing_network_is_said_and_recording_still_offered(app, monkeypatch, tmp_path):
    from gymform.pose.networks import smallest_entry

    monkeypatch.setenv("GYMFORM_WEIGHTS", str(tmp_path))
    monkeypatch.setattr(live, "live_network", smallest_entry)
    click(app, "gate")
    assert not app.exception
    assert "MANIFEST.json is missing" in app.error[0].value
    click(app, "Record a repetition")
    assert "widget recorder" in texts(app)


def test_only_one_of_them_has_the_camera(app):
    click(app, "gate")
    click(app, "Record a repetition")
    assert "stream" not in texts(app)
    assert Session.ended == 1
    click(app, "Back to the live view")
    assert "stream live-stream-2" in texts(app)
    assert "widget" not in texts(app)
    click(app, "Turn the camera off")
    assert app.title


def test_a_click_as_the_stream_connects_is_not_lost(app, monkeypatch):
    """streamlit-webrtc reruns the page when the browser replies."""
    click(app, "gate")
    answers = ["from the browser"]

    def connecting(session, *, key):
        if answers:
            answers.pop()
            st.rerun()
        st.markdown(f"stream {key}")

    monkeypatch.setattr(live, "stream", connecting)
    click(app, "Record a repetition")
    assert not app.exception
    assert "widget recorder" in texts(app)


def test_coming_back_from_another_page_begins_a_new_stream(app):
    click(app, "gate")
    app.run()
    assert "stream live-stream-1" in texts(app)
    app.switch_page("pages/analyze.py").run()
    app.switch_page("pages/webcam.py").run()
    assert not app.exception
    assert "stream live-stream-2" in texts(app)
    assert Session.ended == 1
    app.run()
    assert "stream live-stream-2" in texts(app)


class Context:
    """The part of a streamlit-webrtc stream that is watched."""

    def __init__(self) -> None:
        self.stopped = 0

    def _get_worker(self):
        return None if self.stopped else self

    def stop(self) -> None:
        self.stopped += 1


def test_a_stream_that_is_silent_is_stopped_and_one_that_ended_is_forgotten():
    context, session = Context(), Session(FakeNetwork())
    answers = [seeing(), seeing(), seeing(silent_s=4.0)]
    session.status = lambda: answers.pop(0)
    live.watch(context, session, every_s=0.0)
    assert context.stopped == 1
    assert Session.ended == 1
    live.watch(context, session, every_s=0.0)  # the browser disconnected: nothing left to stop
    assert context.stopped == 1
    assert Session.ended == 2


def send(app: AppTest, camera: list, content: bytes) -> AppTest:
    camera.append({"video": base64.b64encode(content).decode(), "motion": None})
    return app.run()


def test_what_is_no_video_is_said_and_the_recorder_is_fresh(app, camera):
    click(app, "gate")
    click(app, "Record a repetition")
    before = texts(app)
    send(app, camera, b"hello")
    assert not app.exception
    assert "text file" in app.error[0].value
    assert "widget" in texts(app)
    assert before.splitlines()[0] not in texts(app)


def test_a_recording_goes_the_way_of_an_upload_and_another_can_follow(app, camera, monkeypatch):
    monkeypatch.setattr("gymform.live.recording.probe_apart", lambda path: fakes.make_clip())
    click(app, "gate")
    click(app, "Record a repetition")
    for number in range(3):
        send(app, camera, MP4 + bytes([number]))
        assert not app.exception
        assert "Recording" in texts(app)
        click(app, "Record another")
        assert "widget" in texts(app)


def test_the_largest_recording_fits_into_a_message_of_streamlit():
    most = st.get_option("server.maxWidgetStateSize") * 1_000_000
    assert 0.98 * most > limits.MAX_RECORDING_BYTES * 4 / 3


def test_a_phone_is_shown_the_way_only_when_it_can_come(app, monkeypatch, tmp_path):
    found = https.local_certificate(tmp_path)
    options = {"server.sslCertFile": None, "server.address": "0.0.0.0", "server.port": 8600}
    real = st.get_option
    monkeypatch.setattr(st, "get_option", lambda name: options.get(name, real(name)))
    monkeypatch.setattr("gymform.service.phone.network_address", lambda: "192.168.7.7")
    assert "app --https" in texts(app.run())
    options["server.sslCertFile"] = str(found.chain)
    app.run()
    assert not app.exception
    assert "https://192.168.7.7:8600" in texts(app)
    assert "trust the certificate" in texts(app)
    options["server.address"] = "127.0.0.1"
    assert "192.168.7.7" not in texts(app.run())


def test_a_guess_of_one_pattern_is_said():
    classes = ("deadlift", "romanian_deadlift", "other")
    unsure = Prediction(classes, (0.48, 0.45, 0.07), UNKNOWN, None, "", candidates=classes[:2])
    assert live.guess_in_words(unsure) == "A hinge: deadlift or Romanian deadlift"
    assert "Unknown" in live.guess_in_words(replace(unsure, candidates=()))
