"""The way into a page: always through app.py, whatever address was asked for first."""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager


def come_through_app() -> None:
    """Start over through app.py where Streamlit runs a page alone; to be called first in a page.

    Beside a folder ``pages`` Streamlit keeps to its old ways until ``st.navigation`` was called
    once: a server whose first visitor comes by a page's own address shows that page without the
    app around it (``_mpa_v1`` in its script_runner.py).
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()
