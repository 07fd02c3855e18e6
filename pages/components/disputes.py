"""Judging blind on the page Review: the switch, and the list of what reviewers disagree about."""

from __future__ import annotations

import streamlit as st

from gymform.dataset.items import (
    ACCEPTED,
    DISPUTED,
    REASONS,
    REJECTED,
    WORST,
    Filter,
    Judged,
    Opinion,
)
from gymform.dataset.reviews import ReviewStore
from gymform.dataset.standing import is_open
from gymform.errors import GymformError
from gymform.exercises import name_of
from gymform.roles import Role
from gymform.text import shortened
from pages.components import access
from pages.components.text import as_text, count, plain

SHEET = 8
"""Disputed repetitions on one sheet: each has a video."""

SAID = "disputes-said"
"""Key in a session's state: what to say about the last decision."""


def rule(store: ReviewStore, name: str) -> None:
    """The switch "Judge blind"; for those who may not change it, whether it is on."""
    blind = store.is_blind()
    words = "Nobody sees what others decided about a repetition before they have judged it."
    if not access.may(Role.ADMIN):
        if blind:
            st.markdown(":material/visibility_off: Judged blind", help=words, width="content")
        return
    key = f"judge-blind-{store.folder.name}"
    st.session_state[key] = blind  # somebody else may have changed it
    st.toggle("Judge blind", key=key, on_change=switch, args=(store, name, key), help=words)


def switch(store: ReviewStore, name: str, key: str) -> None:
    """Let all reviewers of the data set judge blind, or openly again."""
    try:
        store.set_blind(bool(st.session_state[key]), reviewer=name)
    except GymformError as error:
        st.session_state["page-problem"] = str(error)


def wanted(store: ReviewStore) -> bool:
    """Whether there is a list of disputes: reviewers judge blind, or did."""
    return store.is_blind() or any(is_open(one) for one in store.judged())


def panel(store: ReviewStore, name: str) -> None:
    """What reviewers disagree about, with both verdicts, for ``name`` to decide for good."""
    disputed = store.judged(Filter(verdicts=(DISPUTED,), order=WORST))
    settled = sum(one.settled for one in store.judged())
    if disputed:
        st.markdown(
            f"Reviewers disagree about **{count(len(disputed), 'repetition')}**: left out of "
            "training and export until somebody decides."
        )
    if settled:
        st.caption(f"Settled for good: {count(settled, 'repetition')}.")
    if said := st.session_state.pop(SAID, None):
        st.success(as_text(said), icon=":material/check:")
    for one in disputed[:SHEET]:
        with st.container(border=True):
            _dispute(store, one, name)
    if len(disputed) > SHEET:
        st.caption(f"The first {SHEET} of {len(disputed):,}.")
    if not disputed:
        st.info(
            "Nothing is disputed. Where “Judge blind” is on under Review, repetitions come here "
            "that two reviewers judge differently.",
            icon=":material/balance:",
        )
    st.button("Undo my last decision", icon=":material/undo:", on_click=undo, args=(store, name))


def _dispute(store: ReviewStore, one: Judged, name: str) -> None:
    left, right = st.columns([2, 3], gap="medium")
    with left:
        _film(store, one)
    with right:
        st.markdown(f"**{plain(one.item.name, 60)}** :gray[{_span(one)}]")
        for said in one.opinions:
            st.markdown(_in_words(said))
        _decision(store, one, name)


def _film(store: ReviewStore, one: Judged) -> None:
    """The repetition with its skeleton."""
    film = store.files.proxy(one.item.clip_sha256)
    if film.is_file():
        st.video(film, start_time=one.item.start_s, end_time=one.item.end_s, muted=True)
    else:
        st.caption("No video")


def _span(one: Judged) -> str:
    return f"{one.item.start_s:.1f} – {one.item.end_s:.1f} s"


def _in_words(said: Opinion) -> str:
    """ "Anna rejected it: occluded (a plate hides the knees)"."""
    what = f"{said.verdict} it"
    if said.verdict == ACCEPTED:
        what += f" as {plain(name_of(said.exercise), 40)}"
    why = ", ".join(said.reasons)
    text = f"**{plain(said.reviewer, 40)}** {what}{f': {why}' if why else ''}"
    return text + (f" :gray[({plain(said.comment, 300)})]" if said.comment else "")


def _decision(store: ReviewStore, one: Judged, name: str) -> None:
    """The form in which somebody decides for good."""
    number = one.item.id
    exercises = list(dict.fromkeys([one.item.exercise, *(said.exercise for said in one.opinions)]))
    given = [reason for said in one.opinions for reason in said.reasons]
    with st.form(f"dispute-{number}", border=False):
        st.selectbox(
            "Exercise", exercises, key=f"dispute-exercise-{number}", format_func=name_of,
            accept_new_options=True,
        )  # fmt: skip
        st.multiselect(
            "Reasons to reject it", REASONS, default=list(dict.fromkeys(given)),
            key=f"dispute-reasons-{number}", placeholder="None",
        )  # fmt: skip
        with st.container(horizontal=True):
            for label, verdict, icon in (
                ("Accept", ACCEPTED, ":material/check:"),
                ("Reject", REJECTED, ":material/close:"),
            ):
                st.form_submit_button(
                    label, icon=icon, key=f"dispute-{verdict}-{number}", on_click=settle,
                    args=(store, one, verdict, name),
                )  # fmt: skip


def settle(store: ReviewStore, one: Judged, verdict: str, name: str) -> None:
    """Write the final decision, with what was chosen in the form."""
    state, number = st.session_state, one.item.id
    rejected = verdict == REJECTED
    reasons = state[f"dispute-reasons-{number}"] if rejected else ()
    if rejected and not reasons:
        state["page-problem"] = (
            "Why is it rejected? Choose at least one reason, and reject it then."
        )
        return
    exercise = str(state[f"dispute-exercise-{number}"] or "")
    try:
        (after,) = store.settle(
            [number], verdict, reviewer=name, exercise=exercise, reasons=tuple(reasons)
        )
    except GymformError as error:
        state["page-problem"] = str(error)
        return
    if (own := access.own_decisions()) is not None:
        own.add(after.revision)
    state[SAID] = f"{shortened(one.item.name)} is {verdict} for good, as {name} decided."


def undo(store: ReviewStore, name: str) -> None:
    """Undo the reviewer's last decision, whichever it was."""
    try:
        undone = store.undo(name, own=access.own_decisions())
    except GymformError as error:
        st.session_state["page-problem"] = str(error)
        return
    st.session_state[SAID] = (
        f"Undone: {shortened(undone.item.name)} is {undone.verdict} again."
        if undone
        else "There is nothing of yours to undo."
    )
