"""Page Webcam: a live skeleton to check the position, a recorded repetition, and its analysis."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import streamlit as st

from gymform import limits
from gymform.errors import GymformError
from gymform.service.result_store import discard_oldest
from gymform.storage import data_dir
from pages.components import access
from pages.components.clip_session import ClipSession, chosen_options, queue_or_reason, tell
from pages.components.entry import arrive, come_through_app
from pages.components.live.live import beside, gate, live_network, stop_stream, stream
from pages.components.phone import phone_as_camera
from pages.components.recorder.recorder import recorder

if TYPE_CHECKING:
    from gymform.live.session import LiveSession

OFF, LIVE, RECORD = "off", "live", "record"

# Key of a button in the live view: Streamlit forgets its state when another page is shown.
RECORD_BUTTON = "live-record"

STEPS = (
    ("laptop_mac", "Put the camera down", "at hip height, from the side or at 45°"),
    ("accessibility_new", "See whether it sees you", "the live view says how to stand"),
    ("videocam", "Record one repetition", "with a countdown, or hands-free"),
    ("exercise", "Get the result", "skeleton, trajectories and exercise, as for an upload"),
)


@dataclass
class Camera:
    """What this session's camera is used for; ``streams`` counts its streams, for their keys."""

    use: str = OFF
    session: LiveSession | None = None
    started: float = 0.0
    streams: int = 0

    @property
    def key(self) -> str:
        """The key of the current stream."""
        return f"live-stream-{self.streams}"


def main() -> None:
    """The camera, or the analysis of a recording."""
    if queue_or_reason():
        clip_session().show(film)


def clip_session() -> ClipSession:
    """This page's recording in this session."""
    return ClipSession("webcam", another="Record another")


def camera() -> Camera:
    """The camera of this session."""
    kept: Camera = st.session_state.setdefault("webcam", Camera())
    return kept


# -- what the user does ----------------------------------------------------------------------


def go_live() -> None:
    """Start a live view, replacing the last one if there was one."""
    stop_live()
    camera().use = LIVE
    camera().streams += 1
    camera().started = time.monotonic()


def go_record() -> None:
    """Leave the live view for the recorder: only one of them can use the camera."""
    stop_live()
    camera().use = RECORD


def go_off() -> None:
    """Switch the camera off."""
    stop_live()
    camera().use = OFF


def stop_live() -> None:
    """End the stream, if there is one, and drop what it has seen."""
    kept = camera()
    if kept.session is not None:
        kept.session.forget()
        kept.session = None
    stop_stream(kept.key)


def received(message: Mapping[str, Any]) -> None:
    """Store what the recorder sent and analyse it."""
    from gymform.live.recording import Recording, store_recording

    folder = data_dir() / "uploads"
    try:
        access.charge_upload(len(str(message.get("video", ""))) * 3 // 4)
        with st.spinner("Cutting the recording to its motion …"):
            path = store_recording(Recording.from_message(message), folder)
    except GymformError as error:
        clip_session().place.left += 1  # a new recorder
        clip_session().place.problem = error
        return
    discard_oldest(folder, limits.MAX_STORED_UPLOAD_BYTES, spare=path.parent.name)
    name = f"Recording {datetime.now():%H.%M.%S}{path.suffix}"
    clip_session().analyse(path, name, chosen_options())


# -- what is shown ---------------------------------------------------------------------------


def film(problem: GymformError | None) -> None:
    """Whatever the camera is used for; ``problem`` is why the last analysis failed."""
    if problem:
        tell(problem)
    if camera().session is not None and RECORD_BUTTON not in st.session_state:
        go_live()  # back from another page: the old stream has ended
    show = {OFF: welcome, LIVE: live, RECORD: record}
    show[camera().use]()


def welcome() -> None:
    """What this page does, and the button that asks for the camera."""
    left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
    with left:
        st.title("Film a repetition")
        gate(key="gate", on_ready=go_live)
        st.caption("The pictures go to the computer that runs gymform, and nowhere else. No sound.")
        phone_as_camera()
    with right, st.container(border=True):
        for number, (icon, what, how) in enumerate(STEPS, 1):
            st.markdown(f":material/{icon}: &nbsp;**{number}. {what}**  \n:small[:gray[{how}]]")


@st.fragment(run_every=1.0)
def live() -> None:
    """The live picture, with advice beside it.

    The stream is part of the fragment: streamlit-webrtc ends a stream that a run does not show, and
    every run of a fragment counts. It also reruns the page when the browser replies. That would
    lose a click made just then, but not a callback, so the buttons have callbacks. They are above
    the picture, which grows as it starts: otherwise they would move while being pressed.
    """
    if camera().use != LIVE:
        st.rerun()  # the whole page changes
    left, right = st.columns([3, 2], gap="large")
    with left:
        with st.container(horizontal=True):
            st.button(
                "Record a repetition",
                key=RECORD_BUTTON,
                icon=":material/videocam:",
                type="primary",
                on_click=go_record,
            )
            st.button("Turn the camera off", icon=":material/videocam_off:", on_click=go_off)
        try:
            session = live_session()
            stream(session, key=camera().key)
        except GymformError as error:
            tell(error)
            session = None
    if session is not None:
        with right:
            beside(session, time.monotonic() - camera().started, on_again=go_live)


def live_session() -> LiveSession:
    """This session's live view. Raises WeightsError."""
    from gymform.live.session import LiveSession

    kept = camera()
    if kept.session is None:
        with st.spinner("Loading the network for the live view …", show_time=False):
            kept.session = LiveSession(live_network())
    return kept.session


def record() -> None:
    """The recorder, and buttons to leave it."""
    left, right = st.columns([3, 1], gap="large")
    with left:
        message = recorder(key=f"recorder-{clip_session().place.left}")
    with right:
        st.markdown(
            f"##### One repetition\nAt most {limits.MAX_RECORDING_S:.0f} seconds. "
            "Start and end standing still."
        )
        st.button("Back to the live view", icon=":material/accessibility_new:", on_click=go_live)
        st.button("Turn the camera off", icon=":material/videocam_off:", on_click=go_off)
    if message:
        received(message)
        st.rerun()


come_through_app()
arrive("webcam")
main()
