"""Clips leave a data set on the page Review: deleted or moved to another one, with undo."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from gymform.dataset.deletion import delete_clips, restore_clip
from gymform.dataset.items import ClipRecord
from gymform.dataset.moving import move_clips
from gymform.dataset.paths import data_sets
from gymform.dataset.reviews import ReviewStore
from gymform.errors import GymformError
from gymform.roles import Role
from gymform.trash import UNDO_S
from pages.components import access
from pages.components.shared import open_store
from pages.components.text import count, plain

GONE = "review-gone"
"""Key in a session's state: the last :class:`Gone`."""

WHAT_GOES = (
    "Its keypoints, videos, repetitions and all decisions about it go with it. For a minute it can "
    "be undone."
)
ALL_THAT_GOES = (
    "Keypoints, videos, repetitions and all decisions about the clips go with them. A deletion can "
    "be undone for a minute."
)


@dataclass(frozen=True)
class Gone:
    """Clips that just left the data set in ``folder``, in words; how they come back, and when.

    ``entries`` are names in the trash, or else the clips ``moved`` to the data set in ``to``.
    """

    folder: Path
    words: str
    at: float
    entries: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    to: Path | None = None


def notice(store: ReviewStore) -> None:
    """For a minute after clips left, a way to undo it."""
    gone: Gone | None = st.session_state.get(GONE)
    if gone is None or gone.folder != store.folder:
        return
    if time.monotonic() - gone.at > UNDO_S:
        del st.session_state[GONE]
        return
    left, right = st.columns([5, 1], vertical_alignment="center")
    icon = ":material/drive_file_move:" if gone.to else ":material/delete:"
    left.info(gone.words, icon=icon)
    right.button(
        "Undo",
        icon=":material/undo:",
        key="undo-deletion",
        on_click=restore,
        args=(store, gone),
        width="stretch",
    )


def choose(store: ReviewStore, clips: list[ClipRecord]) -> None:
    """Choose clips, and delete them or move them to another data set."""
    if not clips:
        return
    with st.popover("Delete or move clips", icon=":material/delete:"):
        names = {clip.sha256: clip.name for clip in clips}
        chosen = st.multiselect(
            "Clips", list(names), format_func=names.__getitem__, key="leaving-clips"
        )
        st.caption(ALL_THAT_GOES)
        st.button(
            "Delete these clips and their results",
            icon=":material/delete:",
            on_click=delete,
            args=(store, [(sha256, names[sha256]) for sha256 in chosen]),
            disabled=not chosen,
        )
        others = {one.name: one for one in data_sets() if one != store.folder}
        if not others:
            return
        to = st.selectbox("Another data set", list(others), key="leaving-to")
        st.button(
            "Move these clips there",
            icon=":material/drive_file_move:",
            on_click=move,
            args=(store, others[to], [(sha256, names[sha256]) for sha256 in chosen]),
            disabled=not chosen,
        )


def of_item(store: ReviewStore, item_id: str | None) -> bool:
    """In the review: a button that deletes the clip of the item that is shown; was it pressed?"""
    if item_id is None or not access.may(Role.ADMIN):
        return False
    try:
        item = store.get(item_id).item
    except GymformError:  # somebody else has just deleted it
        return False
    with st.popover("Delete this clip", icon=":material/delete:"):
        st.caption(f"**{plain(item.name)}**. {WHAT_GOES}")
        pressed = st.button(
            "Delete this clip and its results",
            icon=":material/delete:",
            key=f"delete-{item.id}",  # pressed for this item, whatever is shown by then
        )
    if pressed:
        delete(store, [(item.clip_sha256, item.name)])
    return pressed


def delete(store: ReviewStore, chosen: list[tuple[str, str]]) -> None:
    """Delete clips (sha256, name), or tell in the next run why not."""
    try:
        entries = delete_clips(store, [sha256 for sha256, _ in chosen])
    except GymformError as error:
        st.session_state["page-problem"] = str(error)
        return
    words = f"Deleted: {_called(chosen)}."
    st.session_state[GONE] = Gone(store.folder, words, time.monotonic(), tuple(entries))


def move(store: ReviewStore, to: Path, chosen: list[tuple[str, str]]) -> None:
    """Move clips (sha256, name) to the data set in ``to``, or tell in the next run why not."""
    moved = tuple(sha256 for sha256, _ in chosen)
    try:
        move_clips(store, open_store(to), moved)
    except GymformError as error:
        st.session_state["page-problem"] = str(error)
        return
    words = f"Moved to {plain(to.name)}: {_called(chosen)}."
    st.session_state[GONE] = Gone(store.folder, words, time.monotonic(), moved=moved, to=to)


def _called(chosen: list[tuple[str, str]]) -> str:
    """What clips are called: the name of one, the number of several."""
    return plain(chosen[0][1]) if len(chosen) == 1 else count(len(chosen), "clip")


def restore(store: ReviewStore, gone: Gone) -> None:
    """Bring clips back, or tell in the next run why not."""
    st.session_state.pop(GONE, None)
    try:
        if gone.to:
            move_clips(open_store(gone.to), store, gone.moved)
        for entry in reversed(gone.entries):
            restore_clip(store, entry)
    except GymformError as error:
        st.session_state["page-problem"] = str(error)
