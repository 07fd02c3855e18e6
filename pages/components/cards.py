"""Results as cards with a picture: in the history, and at the start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from gymform.service.history import Entry
from gymform.service.result_store import ResultStore
from gymform.service.summary import THUMBNAIL
from pages.components import notes
from pages.components.results import RESULT
from pages.components.text import as_text, plain

ANALYZE = "pages/analyze.py"
WIDTH = 120


def card(entry: Entry, *, store: ResultStore, on_delete: Callable[[Entry], None]) -> None:
    """A result with its notes, and buttons to change and to delete it."""
    with st.container(border=True, key=f"card-{entry.address}"):
        left, right = st.columns([1, 5], vertical_alignment="center")
        with left:
            picture(entry, store)
        with right:
            link(entry, plain(entry.verdict or entry.name, 120), ":material/open_in_full:")
            st.caption(f"{notes.in_a_line(entry)} · {plain(entry.name, 40)}")
            if entry.note:
                st.caption(as_text(" ".join(entry.note.split()), 300))
            with st.container(horizontal=True):
                notes.stars(entry)
                label = "Notes, delete"
                if st.button(label, icon=":material/edit_note:", key=f"edit-{entry.address}"):
                    notes.edit(entry, on_delete)


def link(entry: Entry, label: str, icon: str | None = None) -> None:
    """A link to a result; ``label`` is markdown."""
    st.page_link(ANALYZE, label=label, icon=icon, query_params={RESULT: entry.address})


def picture(entry: Entry, store: ResultStore, width: int = WIDTH) -> None:
    """The thumbnail of a result, where there is one."""
    path: Path = store.root / entry.key / THUMBNAIL
    if path.is_file():
        st.image(str(path), width=width, alt=f"The lifter: {entry.verdict}")


def row(entries: list[Entry], store: ResultStore) -> None:
    """Some results side by side, each a picture with its link below."""
    places = st.columns(len(entries))
    for entry, place in zip(entries, places, strict=True):
        with place:
            picture(entry, store)
            link(entry, plain(entry.verdict or entry.name, 70))
