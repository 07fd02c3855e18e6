"""The live view: asking for the camera, the stream, and the advice beside it."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import streamlit as st

from gymform.errors import GymformError
from gymform.exercises import title_of
from gymform.live.ice import SETTING, parse_ice_servers
from gymform.service.once import Once
from pages.components.assets import script, text
from pages.components.live.payload import SignData, StarterData
from pages.components.text import as_text, plain

if TYPE_CHECKING:
    from gymform.exercise.classifier import Classifier
    from gymform.live.network import SharedNetwork
    from gymform.live.session import LiveSession, LiveStatus
    from gymform.types import Prediction

CAMERA = {
    "width": {"ideal": 640},
    "height": {"ideal": 360},
    "frameRate": {"ideal": 30, "max": 30},
}
"""What the live view asks of the camera: the aspect ratio of the recording, but small to send.
aiortc and streamlit-webrtc hold a frame back until the next one comes, so a high rate means low
latency."""

START = "Start"

CONNECT_S = 20.0
"""Seconds without a first frame after which the page says what may be wrong."""

VIDEO_LOOK = {
    "autoPlay": True,
    "muted": True,
    "playsInline": True,
    "controls": False,
    "style": {"width": "100%", "borderRadius": "0.5rem", "background": "#000"},
}


_mount_gate = st.components.v2.component(
    "gymform.gate",
    html=text("live/live_gate.html"),
    css=text("controls.css", "live/live_camera.css"),
    js=script("live/live_gate.js"),
)


_mount_sign = st.components.v2.component(
    "gymform.sign",
    html=text("live/live_sign.html"),
    css=text("controls.css", "live/live_sign.css"),
    js=script("live/live_sign.js"),
)


_mount_starter = st.components.v2.component("gymform.starter", js=script("live/live_starter.js"))


def gate(*, key: str, on_ready: Callable[[], None]) -> None:
    """A button that asks for the camera, and says so when there is none."""
    _mount_gate(key=key, on_ready_change=on_ready)


# -- what all sessions share -----------------------------------------------------------------


@Once
def live_network() -> SharedNetwork:
    """The one network of all live views. Raises WeightsError."""
    from gymform.live.network import load_live_network

    return load_live_network()


@Once
def live_classifier() -> Classifier:
    """The one classifier of all live views. Raises WeightsError."""
    from gymform.exercise.classifier import load_classifier

    return load_classifier()


def ice_servers() -> list[dict[str, Any]]:
    """The ICE servers of the environment or of Streamlit's secrets; none by default.

    Raises OptionsError when the setting cannot be read.
    """
    return parse_ice_servers(os.environ.get(SETTING) or _secret(SETTING))


def _secret(name: str) -> str:
    try:
        return str(st.secrets.get(name, ""))
    except FileNotFoundError:  # no secrets.toml
        return ""


# -- the stream ------------------------------------------------------------------------------


def stream(session: LiveSession, *, key: str) -> None:
    """The mirrored picture, processed by ``session``. Raises OptionsError.

    Only this function uses streamlit-webrtc.
    """
    from streamlit_webrtc import WebRtcMode, webrtc_streamer

    from gymform.live.incoming import limit_incoming

    limit_incoming()
    context = webrtc_streamer(
        key=key,
        mode=WebRtcMode.SENDRECV,
        rtc_configuration={"iceServers": ice_servers()},
        media_stream_constraints={"video": CAMERA, "audio": False},
        video_frame_callback=session.on_frame,
        async_processing=True,
        media_toggle_controls=False,
        video_html_attrs=VIDEO_LOOK,
        translations={"start": START, "stop": "Pause", "select_device": "Other camera"},
    )
    starter: StarterData = {"label": START}
    _mount_starter(key=f"{key}-starter", data=starter, height=1)
    if context not in _watched and context._get_worker() is not None:
        _watched.add(context)
        threading.Thread(
            target=watch, args=(context, session), name="live-watch", daemon=True
        ).start()


_watched: weakref.WeakSet[Any] = weakref.WeakSet()


def watch(context: Any, session: LiveSession, every_s: float = 0.5) -> None:
    """Drop what was seen as soon as a stream ends, and end a stream that gets no more frames.

    A browser that disconnects ends it at once. When it crashed or lost its network, aiortc
    would keep threads and buffers for half a minute. Streamlit keeps the state of a closed tab for
    minutes, so the session has to be emptied here.
    """
    while context._get_worker() is not None:
        if session.status().lost:
            _stop(context)
            break
        time.sleep(every_s)
    session.forget()


def stop_stream(key: str) -> None:
    """End the server's side of a stream at once, whatever the browser does."""
    if key in st.session_state:
        _stop(st.session_state[key])


def _stop(context: Any) -> None:
    # streamlit-webrtc stops by itself when the browser disconnects or another page is opened, but
    # not when a page merely stops showing the stream; there is no public function for that.
    worker = context._get_worker()
    if worker is not None:
        worker.stop()


# -- beside it -------------------------------------------------------------------------------


def beside(session: LiveSession, seconds: float, *, on_again: Callable[[], None]) -> None:
    """Advice, pace and the provisional prediction of a stream that started ``seconds`` ago.

    Without a picture, show what is wrong, and a button that calls ``on_again``.
    """
    status = session.status()
    if status.lost:
        trouble("The picture stopped coming", LOST, on_again)
    elif status.silent_s is not None:
        sign(status)
        advice(status)
        provisional(session)
        pace(status)
    elif seconds > CONNECT_S:
        trouble("No picture arrives", UNREACHED, on_again)
    else:
        st.info("Connecting to the camera …", icon=":material/hourglass_top:")


LOST = (
    "The camera was switched off or unplugged, or the network broke. Check the camera, then try "
    "again."
)
UNREACHED = (
    "The browser and the computer that runs gymform cannot reach each other. Within one local "
    f"network this works as it is; across networks gymform needs TURN servers, set as {SETTING}. "
    "Recording works without them."
)


def trouble(title: str, words: str, on_again: Callable[[], None]) -> None:
    """What is wrong with the stream, and a button to try again."""
    st.error(f"**{title}.** {words}", icon=":material/videocam_off:")
    st.button("Try again", icon=":material/refresh:", key="live-again", on_click=on_again)


def sign(status: LiveStatus) -> None:
    """What to do, or the repetitions so far, in letters that are read from three metres away."""
    data: SignData = {
        "advice": status.advice[0].value if status.advice else "",
        "count": status.repetitions,
    }
    _mount_sign(key="live-sign", data=data)


def advice(status: LiveStatus) -> None:
    """How to stand, in large letters; or that the position is good."""
    with st.container(border=True, key="live-advice"):
        if status.problem:
            st.markdown("### :material/error: Frames cannot be analysed")
            st.markdown(as_text(status.problem))
        elif status.advice:
            first, *rest = status.advice
            st.markdown(f"### :material/directions_walk: {first.value}")
            for more in rest:
                st.markdown(f":material/arrow_right: {more.value}")
        elif status.following:
            st.markdown("### :material/check_circle: Good: the whole body is in the picture")
        else:
            st.markdown("### :material/search: Looking for you …")


def provisional(session: LiveSession) -> None:
    """The prediction from the last seconds, clearly marked as provisional."""
    try:
        guess = session.predict(live_classifier())
    except GymformError as error:
        st.warning(as_text(error), icon=":material/warning:")
        return
    with st.container(border=True, key="live-guess"):
        st.markdown(":gray[:material/pending: Provisional, from the last seconds]")
        st.markdown(f"#### {guess_in_words(guess)}")


def guess_in_words(guess: Prediction | None) -> str:
    """The current prediction with its confidence, or why there is none."""
    from gymform.draw.charts import percent
    from gymform.movement_patterns import partial_answer
    from gymform.types import OTHER, UNKNOWN

    if guess is None:
        return ":gray[Nothing yet]"
    if guess.label == OTHER:
        return f"{title_of(OTHER)}, {percent(guess.confidence)}"
    if guess.label != UNKNOWN:
        return f"{plain(title_of(guess.label))}, {percent(guess.confidence)}"
    if partial := partial_answer(guess):
        return plain(partial.title)
    if guess.reason and "movement" in guess.reason:
        return ":gray[Waiting for a movement]"
    return f":gray[{title_of(UNKNOWN)}]"


def pace(status: LiveStatus) -> None:
    """Frames a second and latency, small."""
    if status.pace is None:
        return
    latency, digits = 1000 * status.pace.latency_p95_s, int(status.pace.fps < 10)
    st.caption(
        f"{status.pace.fps:.{digits}f} frames a second · latency {latency:.0f} ms",
        help="Latency: from the arrival of a frame to its skeleton, for 95 of 100 frames.",
    )
