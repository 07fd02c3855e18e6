"""Notices in an open page that the server was started again, and offers to reload the page."""

from __future__ import annotations

import streamlit as st

from gymform.service.guard import RUN_HEADER, run_name
from pages.components.assets import script, text
from pages.components.restart.payload import RestartData

_mount = st.components.v2.component(
    "gymform.restart",
    html=text("restart/restart.html"),
    css=text("controls.css", "restart/restart.css"),
    js=script("restart/restart.js"),
)


def notice_restart() -> None:
    """Watch the server from the page; app.py calls it once in every run."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    data: RestartData = {
        "url": f"{'/' + base if base else ''}/_stcore/health",
        "header": RUN_HEADER,
        "run": run_name(),
    }
    _mount(key="restart", data=data, height="content")
