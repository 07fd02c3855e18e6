"""The exercises by name and picture: those that the model in use names, and the others whose form
is judged once somebody says what they are.

The pictures are drawn by ``scripts/draw_exercises.py``.
"""

from __future__ import annotations

import html
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

import gymform
from gymform.errors import GymformError
from gymform.exercises import EXERCISES, find_exercise, title_of
from gymform.types import OTHER
from gymform.weights import manifest_entry

PICTURES = Path(gymform.__file__).parent / "assets" / "exercises"
LONGEST_NAME = 40


def named_exercises() -> list[str]:
    """The classes that the model in use names, ``other`` left out; none without a model."""
    try:
        classes = manifest_entry(None, "exercise").config.get("classes", [])
    except GymformError:
        classes = []
    return [str(name) for name in classes if name != OTHER]


def show_exercises() -> None:
    """All exercises, in two lists with a heading each."""
    named = named_exercises()
    known = {one.key for one in map(find_exercise, named) if one}
    others = [one.key for one in EXERCISES if one.key not in known]
    st.markdown("##### Exercises")
    st.html(LIST_STYLE)
    if named:
        _listed("Named by itself", named)
    if others:
        _listed("Form and repetitions, once you choose the exercise on the result's page", others)


def _listed(heading: str, names: Sequence[str]) -> None:
    st.caption(heading)
    items = "".join(_item(name) for name in names)
    st.html(f'<ul class="exercises">{items}</ul>')


def _item(name: str) -> str:
    """A list item: the picture, where there is one, and the name below it."""
    known = find_exercise(name)
    path = PICTURES / f"{known.key if known else ''}.svg"
    return list_item(path.read_bytes() if path.is_file() else b"", name)


def list_item(svg: bytes, name: str) -> str:
    """A list item: a picture, none where it is empty, and below it what people call an exercise."""
    picture = ""
    if svg:
        source = b64encode(svg).decode()
        picture = f'<img src="data:image/svg+xml;base64,{source}" alt="" width="88" height="88">'
    return f"<li>{picture}<span>{html.escape(title_of(name)[:LONGEST_NAME])}</span></li>"


LIST_STYLE = """<style>
.exercises.exercises {
  display: grid;
  grid-template-columns: repeat(auto-fill, minmax(5.5rem, 1fr));
  gap: 0.5rem;
  margin: 0;
  padding: 0 !important; /* stronger than the page's own indent of lists */
  list-style: none;
}
.exercises li {
  display: flex;
  flex-direction: column;
  align-items: center;
  justify-content: start;
  margin: 0;
  padding: 0;
  font-size: 0.875rem;
  line-height: 1.2;
  text-align: center;
  overflow-wrap: anywhere;
}
</style>"""
