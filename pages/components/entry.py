"""Makes sure that every page is run through app.py, and knows where its visitor comes from."""

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


def arrive(page: str) -> None:
    """Note which page is shown; a page calls it in every run, before it looks at its address."""
    state = st.session_state
    state["came-from"], state["page-shown"] = state.get("page-shown"), page


def was_here() -> bool:
    """Whether the last run of this session was of the same page."""
    return bool(st.session_state.get("came-from") == st.session_state.get("page-shown"))
