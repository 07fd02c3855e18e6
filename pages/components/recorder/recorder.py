"""The recorder: a Streamlit component that films one repetition with the browser's encoder."""

from __future__ import annotations

import streamlit as st

from gymform import limits
from pages.components.assets import script, text
from pages.components.recorder.payload import RecorderData, Recording

DELAY_S = 5
"""Countdown of a recording that is not hands-free, s: time to walk into place."""


_mount = st.components.v2.component(
    "gymform.recorder",
    html=text("recorder/recorder.html"),
    css=text("controls.css", "live/live_camera.css", "recorder/recorder.css"),
    js=script("recorder/recorder.js"),
)


def recorder(*, key: str) -> Recording | None:
    """Show the recorder; what it sent, unchecked, in the run after that, else None."""
    data: RecorderData = {
        "max_seconds": limits.MAX_RECORDING_S,
        "max_bytes": limits.MAX_RECORDING_BYTES,
        "delay_s": DELAY_S,
    }
    result = _mount(key=key, data=data, on_recording_change=lambda: None)
    message: Recording | None = result.recording
    return message
