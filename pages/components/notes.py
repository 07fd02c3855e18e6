"""What people note about a result: lifter, exercise, day, load, a favourite; and its address."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import date
from urllib.parse import urlsplit, urlunsplit

import streamlit as st

from gymform.errors import GymformError
from gymform.exercises import EXERCISES, title_of
from gymform.service.history import (
    MAX_EXERCISE,
    MAX_LIFTER,
    MAX_LOAD_KG,
    MAX_NOTE,
    Entry,
)
from gymform.types import OTHER, UNKNOWN
from pages.components.results import RESULT, history
from pages.components.text import as_text, plain


def show(address: str, *, is_mine: bool) -> None:
    """The notes of a result in a line, with buttons to change them and to copy its address."""
    try:
        entry = history().get(address)
    except GymformError as error:
        st.warning(as_text(error), icon=":material/warning:")
        return
    if entry is None:
        return
    if problem := st.session_state.pop(_PROBLEM, None):
        st.error(as_text(problem), icon=":material/error:")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(in_a_line(entry))
        if is_mine:
            stars(entry)
            if st.button("Notes", icon=":material/edit_note:", key=f"notes-of-{address}"):
                edit(entry)
        with st.popover("Link", icon=":material/link:"):
            st.caption("Whoever has this address and can reach this computer sees the result.")
            st.code(link_to(address), language=None, wrap_lines=True)


def against_reference(address: str) -> None:
    """How a result differs from the lifter's reference of its exercise, with a way to see it."""
    from gymform.compare.trend import changes

    with contextlib.suppress(GymformError):
        entry = history().get(address)
        there = history().reference_of(entry.exercise, entry.lifter) if entry else None
        if entry is None or there is None or there.address == address:
            return
        found = changes(entry.summary, there.summary)
        said = [f"{one.title} {one.here:.0f} {one.unit} ({one.there:.0f})" for one in found[:4]]
        st.markdown(f":material/star: Against the reference: {plain('; '.join(said), 400)}")
        st.page_link(
            "pages/compare.py",
            label="Compare with the reference",
            icon=":material/compare:",
            query_params={"first": there.address, "second": address},
        )


def in_a_line(entry: Entry) -> str:
    """Exercise, lifter, day and load of a row, as markdown."""
    load = "" if entry.load_kg is None else f"{entry.load_kg:g} kg"
    parts = (title_of(entry.exercise), entry.lifter, day_in_words(entry.day), load)
    return " · ".join(plain(part, 40) for part in parts if part)


def day_in_words(day: str) -> str:
    """A day in ISO 8601 as people write it: 31 Mar 2026."""
    try:
        shown = date.fromisoformat(day)
    except ValueError:
        return day
    return f"{shown.day} {shown:%b %Y}"


def link_to(address: str) -> str:
    """The whole address of a result, as the browser of this session reaches the app."""
    here = urlsplit(st.context.url or "")
    base = st.get_option("server.baseUrlPath").strip("/")
    path = f"/{base}/" if base else "/"
    return urlunsplit((here.scheme, here.netloc, path, f"{RESULT}={address}", ""))


# -- changing them -----------------------------------------------------------------------------

_PROBLEM = "notes-problem"


def stars(entry: Entry) -> None:
    """Buttons for a favourite, and for the reference that later results are compared with."""
    icon = ":material/favorite:" if entry.favourite else ":material/favorite_border:"
    st.button(
        "Favourite",
        key=f"favourite-{entry.address}",
        icon=icon,
        type="primary" if entry.favourite else "secondary",
        help="Favourites are kept when space is short." if not entry.favourite else "Take it off.",
        on_click=change,
        args=(entry.address,),
        kwargs={"favourite": not entry.favourite},
    )
    st.button(
        "Reference",
        key=f"reference-{entry.address}",
        icon=":material/star:",
        type="primary" if entry.reference else "secondary",
        help="Later results of this lifter and exercise are compared with this one.",
        on_click=change,
        args=(entry.address,),
        kwargs={"reference": not entry.reference},
    )


@st.dialog("Notes")
def edit(entry: Entry, on_delete: Callable[[Entry], None] | None = None) -> None:
    """Ask for the notes of a row, above the page; with ``on_delete`` a button that deletes it.

    Made when somebody asks for it: a dozen forms on a page take longer than all the rest.
    """
    if form(entry):
        st.rerun()
    if on_delete is None:
        return
    st.divider()
    st.caption("The clip and everything found in it are deleted. For a minute it can be undone.")
    label = "Delete this clip and its results"
    key = f"delete-{entry.address}"
    if st.button(label, icon=":material/delete:", key=key, on_click=on_delete, args=(entry,)):
        st.rerun()


def form(entry: Entry) -> bool:
    """Fields for what can be noted about a row; whether they were saved just now."""
    key = entry.address
    with st.form(f"notes-{key}", border=False):
        st.text_input("Lifter", entry.lifter, key=f"lifter-{key}", max_chars=MAX_LIFTER)
        st.selectbox(
            "Exercise",
            _exercises(entry.exercise),
            index=_exercises(entry.exercise).index(entry.exercise) if entry.exercise else None,
            format_func=title_of,
            accept_new_options=True,
            key=f"exercise-{key}",
            help=f"At most {MAX_EXERCISE} characters. The form is that of the exercise found.",
        )
        st.date_input("Day", _date(entry.day), key=f"day-{key}", format="YYYY-MM-DD")
        st.number_input("Load (kg)", 0.0, MAX_LOAD_KG, entry.load_kg, step=2.5, key=f"load-{key}")
        st.text_area("Note", entry.note, key=f"note-{key}", max_chars=MAX_NOTE)
        return st.form_submit_button(
            "Save", type="primary", icon=":material/save:", on_click=_save, args=(key,)
        )


def _exercises(own: str) -> list[str]:
    """Exercises to choose from, with the one that a row has."""
    known = [*(one.key for one in EXERCISES), OTHER, UNKNOWN]
    with contextlib.suppress(GymformError):
        known += history().choices("exercise")
    return list(dict.fromkeys([*known, *([own] if own else [])]))


def _date(day: str) -> date:
    try:
        return date.fromisoformat(day)
    except ValueError:
        return date.today()


def _save(key: str) -> None:
    state = st.session_state
    change(
        key,
        lifter=state.get(f"lifter-{key}") or "",
        exercise=state.get(f"exercise-{key}") or "",
        day=str(state.get(f"day-{key}") or ""),
        load_kg=state.get(f"load-{key}"),
        note=state.get(f"note-{key}") or "",
    )


def change(address: str, **notes: object) -> None:
    """Change notes, or tell in the next run why not."""
    try:
        history().edit(address, **notes)
    except GymformError as error:
        st.session_state[_PROBLEM] = str(error)
