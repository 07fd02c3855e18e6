"""Deletion of a clip from a data set on the page Review, with a minute to undo it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from gymform.dataset.deletion import delete_clip, restore_clip
from gymform.dataset.items import ClipRecord
from gymform.dataset.reviews import ReviewStore
from gymform.errors import GymformError
from gymform.roles import Role
from gymform.trash import UNDO_S
from pages.components import access
from pages.components.text import plain

DELETED = "review-deleted"
"""Key in a session's state: the last :class:`Deleted`."""

WHAT_GOES = (
    "Its keypoints, videos, repetitions and all decisions about it go with it. For a minute it can "
    "be undone."
)


@dataclass(frozen=True)
class Deleted:
    """A clip that was just deleted: of which data set, its name, its entry in the trash, when."""

    folder: Path
    name: str
    entry: str
    at: float


def notice(store: ReviewStore) -> None:
    """For a minute after a deletion, a way to undo it."""
    deleted: Deleted | None = st.session_state.get(DELETED)
    if deleted is None or deleted.folder != store.folder:
        return
    if time.monotonic() - deleted.at > UNDO_S:
        del st.session_state[DELETED]
        return
    left, right = st.columns([5, 1], vertical_alignment="center")
    left.info(f"Deleted: {plain(deleted.name)}.", icon=":material/delete:")
    right.button(
        "Undo",
        icon=":material/undo:",
        key="undo-deletion",
        on_click=restore,
        args=(store, deleted.entry),
        width="stretch",
    )


def choose(store: ReviewStore, clips: list[ClipRecord]) -> None:
    """Choose one of the clips and delete it."""
    if not clips:
        return
    with st.popover("Delete a clip", icon=":material/delete:"):
        names = {clip.sha256: clip.name for clip in clips}
        chosen = st.selectbox("Clip", list(names), format_func=names.__getitem__, key="delete-clip")
        st.caption(WHAT_GOES)
        st.button(
            "Delete this clip and its results",
            icon=":material/delete:",
            on_click=delete,
            args=(store, chosen, names.get(chosen or "", "")),
            disabled=chosen is None,
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
        delete(store, item.clip_sha256, item.name)
    return pressed


def delete(store: ReviewStore, sha256: str, name: str) -> None:
    """Delete a clip, or tell in the next run why not."""
    try:
        entry = delete_clip(store, sha256)
    except GymformError as error:
        st.session_state["page-problem"] = str(error)
        return
    st.session_state[DELETED] = Deleted(store.folder, name, entry, time.monotonic())


def restore(store: ReviewStore, entry: str) -> None:
    """Undo the deletion of a clip, or tell in the next run why not."""
    st.session_state.pop(DELETED, None)
    try:
        restore_clip(store, entry)
    except GymformError as error:
        st.session_state["page-problem"] = str(error)
