"""The order by what the model would learn most from: how old it is, and a button to ask again."""

from __future__ import annotations

import streamlit as st

from gymform.dataset.ranking import read_ranking
from gymform.dataset.reviews import ReviewStore
from gymform.errors import GymformError
from gymform.roles import Role, require
from gymform.service.dataset_tasks import RANK
from gymform.timing import Progress
from gymform.weights import manifest_entry
from pages.components import access
from pages.components.clips import dataset_tasks
from pages.components.text import as_text, count, plain


def show(store: ReviewStore) -> None:
    """Say which model was asked about how many repetitions, and offer to ask the one in use."""
    try:
        entry = manifest_entry(None, "exercise")
    except GymformError as error:
        st.error(as_text(error), icon=":material/error:")
        return
    ranking = read_ranking(store.files)
    task = dataset_tasks().of(store.folder)
    busy = bool(task and task.running)
    with st.container(horizontal=True, vertical_alignment="center"):
        if ranking is None:
            said = "The model was not asked yet: the worst keypoints come first."
        elif ranking.model_sha256 != entry.sha256:
            said = "Another model was asked than the one in use."
        else:
            asked = count(len(ranking.gains), "repetition")
            said = f"{plain(entry.name, 40)} was asked about {asked}. Newer ones come last."
        st.caption(said, width="stretch")
        if access.may(Role.ADMIN):
            label = "Ask the model" if ranking is None else "Ask again"
            st.button(
                label, icon=":material/psychology:", disabled=busy, on_click=ask, args=(store,)
            )


def ask(store: ReviewStore) -> None:
    """Start asking the model in the background, or tell why not."""

    def work(progress: Progress) -> object:
        from gymform.dataset.next_clips import rank  # it imports SciPy

        return rank(store, progress=progress)

    try:
        require(Role.ADMIN, "To ask the model")
        dataset_tasks().start(store.folder, RANK, work)
    except GymformError as error:
        st.session_state["page-problem"] = str(error)
