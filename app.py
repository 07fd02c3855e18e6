"""gymform: the app's pages and how they are laid out; run with ``streamlit run app.py``."""

from pathlib import Path

import streamlit as st

ASSETS = Path(__file__).parent / "pages" / "assets"

st.set_page_config(page_title="gymform", page_icon=ASSETS / "icon.svg", layout="wide")
st.logo(str(ASSETS / "logo.svg"), size="large")
st.navigation(
    [
        st.Page("pages/analyze.py", title="Analyze", icon=":material/exercise:", default=True),
        st.Page("pages/webcam.py", title="Webcam", icon=":material/videocam:", url_path="webcam"),
        st.Page("pages/review.py", title="Review", icon=":material/rule:", url_path="review"),
        st.Page(
            "pages/models.py", title="Models", icon=":material/model_training:", url_path="models"
        ),
    ],
    position="top",
).run()
