"""Makes sure that every page is run through app.py, whatever its address."""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager


def come_through_app() -> None:
    """Rerun through app.py when Streamlit runs a page alone; a page calls it first.

    Where there is a folder ``pages``, Streamlit uses its old kind of multipage app until
    ``st.navigation`` is called for the first time: a server whose first visitor opens a page's own
    address shows that page without the app around it (``_mpa_v1`` in its script_runner.py).
    """
    # Once per session: AppTest resets this setting after each run, and a rerun in the middle of a
    # test would lose the click that it had just made.
    if PagesManager.uses_pages_directory and "came_through_app" not in st.session_state:
        st.session_state["came_through_app"] = True
        PagesManager.uses_pages_directory = False
        st.rerun()
