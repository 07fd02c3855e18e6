"""The recorder: a Streamlit component that films one repetition with the browser's own encoder."""

from __future__ import annotations

from typing import Any

import streamlit as st

from gymform import limits
from pages.components.assets import text

DELAY_S = 5
"""Countdown of a recording that is not hands-free: time to walk to one's place."""


_mount = st.components.v2.component(
    "gymform.recorder",
    html=text("recorder/recorder.html"),
    css=text("controls.css", "live/live_camera.css", "recorder/recorder.css"),
    js=text("live/live_camera.js", "recorder/recorder.js"),
)


def recorder(*, key: str) -> dict[str, Any] | None:
    """Show the recorder; in the run after a recording was sent, what it sent.

    That is {"video": base64, "motion": [start_s, end_s] or None}, unchecked.
    """
    result = _mount(
        key=key,
        data={
            "maxSeconds": limits.MAX_RECORDING_S,
            "maxBytes": limits.MAX_RECORDING_BYTES,
            "delayS": DELAY_S,
        },
        on_recording_change=lambda: None,
    )
    message: dict[str, Any] | None = result.recording
    return message
