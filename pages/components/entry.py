"""The way into a page: always through app.py, whatever address was asked for first."""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager


def come_through_app() -> None:
    """Start over through app.py where Streamlit runs a page alone; to be called first in a page.

    Beside a folder ``pages`` Streamlit keeps to its old ways until ``st.navigation`` was called
    once: a server whose first visitor comes by a page's own address shows that page without the
    app around it (``_mpa_v1`` in its script_runner.py).
    """
    # Once in a session: AppTest forgets after each run how pages are found, and a rerun in the
    # middle of a test would swallow the click that it had just made.
    if PagesManager.uses_pages_directory and "came_through_app" not in st.session_state:
        st.session_state["came_through_app"] = True
        PagesManager.uses_pages_directory = False
        st.rerun()
