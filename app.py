"""gymform: the app's pages and how they are laid out; served by serve.py."""

import gc
from pathlib import Path

import streamlit as st

from pages.components.access import admit
from pages.components.restart.restart import notice_restart

ASSETS = Path(__file__).parent / "pages" / "assets"


@st.cache_resource(show_spinner=False)
def freeze_imports(page: int) -> None:
    """Exempt everything that page number ``page`` has imported from garbage collection.

    Streamlit collects after every run of a page, which would each time go through all of it.
    """
    gc.collect()
    gc.freeze()


st.set_page_config(page_title="gymform", page_icon=ASSETS / "icon.svg", layout="wide")
st.html(ASSETS / "app.css")
st.logo(str(ASSETS / "logo.svg"), size="large")
admit()
pages = [
    st.Page("pages/analyze.py", title="Analyze", icon=":material/exercise:", default=True),
    st.Page("pages/history.py", title="History", icon=":material/history:", url_path="history"),
    st.Page("pages/compare.py", title="Compare", icon=":material/compare:", url_path="compare"),
    st.Page("pages/webcam.py", title="Webcam", icon=":material/videocam:", url_path="webcam"),
    st.Page("pages/review.py", title="Review", icon=":material/rule:", url_path="review"),
    st.Page("pages/models.py", title="Models", icon=":material/model_training:", url_path="models"),
]
page = st.navigation(pages, position="top")
page.run()
notice_restart()
freeze_imports(pages.index(page))
