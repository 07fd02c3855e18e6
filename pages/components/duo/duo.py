"""Two repetitions side by side or laid over each other: a Streamlit component."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components.assets import script, text
from pages.components.duo.payload import DuoData

_mount = st.components.v2.component(
    "gymform.duo",
    html=text("duo/duo.html"),
    css=text("controls.css", "duo/duo.css"),
    js=script("duo/duo.js"),
)


def duo(data: DuoData, *, key: str) -> Any:
    """Show two repetitions; ``data`` says which, and how they belong together."""
    return _mount(key=key, data=data)
