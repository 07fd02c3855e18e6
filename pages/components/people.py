"""Who is in which clip, on the page Review: a sheet of pictures by person, to correct and confirm.

What is changed here is a draft of this session until it is saved: then the groups count as
confirmed. Proposals of who is the same only fill the draft.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from gymform.dataset import groups
from gymform.dataset.items import EXTRACTED, ClipRecord, item_id
from gymform.dataset.reviews import ReviewStore
from gymform.errors import GymformError
from gymform.roles import Role, require
from gymform.service.dataset_tasks import PEOPLE
from gymform.text import shortened
from gymform.timing import Progress
from pages.components import access
from pages.components.clips import dataset_tasks
from pages.components.text import as_text, count, plain

SHEET = 48
"""Clips on one sheet."""


@dataclass
class Draft:
    """The groups of a data set's clips by sha256 as this session would have them.

    ``version`` changes with every change that the widgets did not make themselves: their keys hold
    it. ``sureness`` is that of a proposal, in [0, 1]; ``base`` is what was saved when it was made.
    """

    base: dict[str, str]
    groups: dict[str, str] = field(default_factory=dict)
    sureness: dict[str, float] = field(default_factory=dict)
    version: int = 0

    def of(self, clip: ClipRecord) -> str:
        return self.groups.get(clip.sha256, clip.group)


def panel(store: ReviewStore, name: str) -> None:
    """The sheet, with what can be done with it; ``name`` is who says who is who."""
    clips = store.clips()
    draft = _draft(store, clips)
    _take_proposal(store, draft)
    _state(store, clips, draft)
    _actions(store, draft, name)
    ordered = sorted(clips, key=lambda clip: (draft.of(clip), clip.name, clip.sha256))
    pages = -(-len(ordered) // SHEET)
    page = 1
    if pages > 1:
        page = st.number_input("Sheet", 1, pages, 1, key=f"people-sheet-{store.folder.name}")
    shown = ordered[(int(page) - 1) * SHEET : int(page) * SHEET]
    _together(draft, shown)
    _sheet(store, draft, shown)


def _draft(store: ReviewStore, clips: Sequence[ClipRecord]) -> Draft:
    """This session's draft; a new one when somebody else saved groups meanwhile."""
    key, now = f"people-{store.folder.name}", {clip.sha256: clip.group for clip in clips}
    draft: Draft | None = st.session_state.get(key)
    if draft is None or any(now.get(one, was) != was for one, was in draft.base.items()):
        version = draft.version + 1 if draft else 0
        draft = st.session_state[key] = Draft(now, version=version)
    draft.base |= now
    return draft


def _state(store: ReviewStore, clips: Sequence[ClipRecord], draft: Draft) -> None:
    """How many people there are, and whether anybody confirmed that."""
    people = len({draft.of(clip) for clip in clips})
    words = f"**{count(len(clips), 'clip')}** of **{count(people, 'person', 'people')}** or sources"
    changed = sum(draft.of(clip) != clip.group for clip in clips)
    open_ = groups.unconfirmed(store)
    if changed:
        st.markdown(f"{words}, {count(changed, 'change')} not saved yet")
    else:
        st.markdown(words)
    if open_:
        st.warning(
            f"Nobody confirmed who is in {len(open_):,} of the clips. A model tested on people it "
            "was trained on looks better than it is: look through them, and save.",
            icon=":material/group:",
        )
    else:
        st.caption(":material/check: Somebody confirmed who is in each clip.")


def _actions(store: ReviewStore, draft: Draft, name: str) -> None:
    task = dataset_tasks().of(store.folder)
    with st.container(horizontal=True):
        st.button(
            "Save who is who",
            type="primary",
            icon=":material/check:",
            on_click=save,
            args=(store, draft, name),
            help="All clips are then confirmed, as shown on all sheets.",
        )
        if access.may(Role.ADMIN):
            st.button(
                "Propose who is the same",
                icon=":material/auto_awesome:",
                on_click=propose,
                args=(store,),
                disabled=bool(task and task.running),
                help="By clothes, place, names and neighbours in time. Nothing is saved.",
            )
        st.button("Discard changes", on_click=discard, args=(draft,), disabled=not draft.groups)
        st.button("Undo what I saved last", icon=":material/undo:", on_click=undo,
                  args=(store, name))  # fmt: skip


def _together(draft: Draft, shown: Sequence[ClipRecord]) -> None:
    """What can be done with several clips at once."""
    ticked = _ticked(draft, shown)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Person or source",
            key=f"people-name-{draft.version}",
            placeholder="as the first that is ticked",
            max_chars=80,
        )
        st.button(
            f"Put {count(len(ticked), 'ticked clip')} together",
            icon=":material/join:",
            on_click=put_together,
            args=(draft, shown),
            disabled=not ticked,
        )
        st.button(
            "Each on its own",
            icon=":material/call_split:",
            on_click=part,
            args=(draft, shown),
            disabled=not ticked,
        )


def _sheet(store: ReviewStore, draft: Draft, shown: Sequence[ClipRecord]) -> None:
    """A card for each clip, those of one person beside each other."""
    names = sorted({draft.of(clip) for clip in store.clips()})
    for person in dict.fromkeys(draft.of(clip) for clip in shown):
        members = [clip for clip in shown if draft.of(clip) == person]
        st.markdown(f"##### {plain(person)} :gray[{count(len(members), 'clip')}]")
        with st.container(horizontal=True, gap="small"):
            for clip in members:
                with st.container(width=184, border=True):
                    _card(store, draft, clip, names)


def _card(store: ReviewStore, draft: Draft, clip: ClipRecord, names: list[str]) -> None:
    picture = store.files.thumb(item_id(clip.sha256, 1))
    if picture.is_file():
        st.image(picture, width="stretch", alt=f"A frame of {shortened(clip.name)}")
    else:
        st.caption("No picture yet" if clip.state != EXTRACTED else "No picture")
    st.checkbox(plain(clip.name, 22), key=_tick(draft, clip))
    sure = draft.sureness.get(clip.sha256)
    st.caption(f"{plain(clip.exercise, 20)}" + ("" if sure is None else f" · {sure:.0%} sure"))
    key = f"people-is-{clip.sha256}-{draft.version}"
    st.selectbox(
        "Who",
        names,
        index=names.index(draft.of(clip)),
        key=key,
        accept_new_options=True,
        label_visibility="collapsed",
        on_change=rename,
        args=(draft, clip, key),
    )


def _tick(draft: Draft, clip: ClipRecord) -> str:
    return f"people-tick-{clip.sha256}-{draft.version}"


# -- what the buttons do ---------------------------------------------------------------------


def rename(draft: Draft, clip: ClipRecord, key: str) -> None:
    """The clip shows who is chosen in the widget."""
    if name := str(st.session_state[key] or "").strip():
        draft.groups[clip.sha256] = name
        draft.version += 1


def _ticked(draft: Draft, shown: Sequence[ClipRecord]) -> list[ClipRecord]:
    return [clip for clip in shown if st.session_state.get(_tick(draft, clip))]


def put_together(draft: Draft, shown: Sequence[ClipRecord]) -> None:
    """The clips that are ticked now show one person, of the name that is typed now."""
    clips = _ticked(draft, shown)
    typed = str(st.session_state.get(f"people-name-{draft.version}") or "").strip()
    if clips:
        draft.groups |= dict.fromkeys((clip.sha256 for clip in clips), typed or draft.of(clips[0]))
        draft.version += 1


def part(draft: Draft, shown: Sequence[ClipRecord]) -> None:
    """Each of the clips that are ticked now shows somebody else."""
    taken = set(draft.base.values()) | set(draft.groups.values())
    for clip in _ticked(draft, shown):
        stem = clip.name.rpartition(".")[0] or clip.name
        name = stem if stem not in taken else f"{stem} {clip.sha256[:8]}"
        draft.groups[clip.sha256] = name
        taken.add(name)
    draft.version += 1


def discard(draft: Draft) -> None:
    """Back to what is saved."""
    draft.groups, draft.sureness = {}, {}
    draft.version += 1


def save(store: ReviewStore, draft: Draft, name: str) -> None:
    """Put all clips into the groups of the draft, which confirms them; or tell why not."""
    try:
        now = {clip.sha256: draft.of(clip) for clip in store.clips()}
        open_ = groups.unconfirmed(store)
        was = {clip.sha256: clip.group for clip in store.clips()}
        new = {one: group for one, group in now.items() if one in open_ or was[one] != group}
        groups.assign(store, new, reviewer=name)
    except GymformError as error:
        st.session_state["page-problem"] = str(error)
        return
    st.session_state["people-said"] = f"Saved: {count(len(new), 'clip')}."
    draft.base |= now
    discard(draft)


def undo(store: ReviewStore, name: str) -> None:
    """Take back what this reviewer saved last, or tell why not."""
    try:
        undone = groups.undo(store, reviewer=name)
    except GymformError as error:
        st.session_state["page-problem"] = str(error)
        return
    st.session_state["people-said"] = (
        f"Undone: {count(undone, 'clip')} as before."
        if undone
        else "There is nothing of yours to undo."
    )


def propose(store: ReviewStore) -> None:
    """Start comparing the clips in the background, or tell why not."""

    def work(progress: Progress) -> object:
        from gymform.dataset.people import propose_groups  # it imports SciPy

        return propose_groups(store, progress=progress)

    try:
        require(Role.ADMIN, "To compare the clips")
        dataset_tasks().start(store.folder, PEOPLE, work)
    except GymformError as error:
        st.session_state["page-problem"] = str(error)


def _take_proposal(store: ReviewStore, draft: Draft) -> None:
    """Fill the draft with a proposal that has just been made."""
    if said := st.session_state.pop("people-said", None):
        st.success(as_text(said), icon=":material/check:")
    task = dataset_tasks().of(store.folder)
    if task is None or task.kind != PEOPLE or task.running or task.result is None:
        return
    if st.session_state.get("people-proposal") is not task:
        st.session_state["people-proposal"] = task
        draft.groups = dict(task.result.groups)
        draft.sureness = dict(task.result.sureness)
        draft.version += 1
        st.info(
            "Proposed below: look through each person, correct what is wrong, then save.",
            icon=":material/auto_awesome:",
        )
