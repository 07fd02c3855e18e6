"""The recorder: a Streamlit component that films one repetition with the browser's own encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from gymform import limits

_FOLDER = Path(__file__).parent

DELAY_S = 5
"""Countdown of a recording that is not hands-free: time to walk to one's place."""


def _text(*names: str) -> str:
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)


_mount = st.components.v2.component(
    "gymform.recorder",
    html=_text("recorder.html"),
    css=_text("live_camera.css", "recorder.css"),
    js=_text("live_camera.js", "recorder.js"),
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
