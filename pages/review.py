"""Page Review: import clips into a data set, extract keypoints, judge every repetition."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import streamlit as st

from gymform.dataset.corrections import version_of
from gymform.dataset.items import (
    ACCEPTED,
    BEST,
    DISPUTED,
    LEARN,
    ORDERS,
    PENDING,
    VERDICTS,
    WORST,
    Filter,
    Judged,
)
from gymform.dataset.paths import data_sets, datasets_dir
from gymform.dataset.reviews import ReviewStore
from gymform.errors import DatasetError, GymformError
from gymform.exercises import name_of
from gymform.roles import Role, require
from gymform.service.dataset_tasks import dataset_folder
from gymform.service.item_figures import ItemFigures, figures_of
from gymform.service.review_session import ReviewSession
from gymform.text import shortened
from gymform.types import percent
from pages.components import access, clip_deletion, clips, disputes, next_clips, people
from pages.components.entry import arrive, come_through_app
from pages.components.reviewer import reviewer
from pages.components.reviewer.payload import ReviewerData
from pages.components.shared import open_store, reply_log
from pages.components.text import as_text, count, plain

STYLE = Path(__file__).parent / "assets" / "review.css"
WIDGET = "reviewer"
COOKIE = "gymform_reviewer"

CLIPS, PEOPLE, REVIEW, BATCH, DISPUTES = "Clips", "People", "Review", "Accept many", "Disputed"

ORDER_NAMES = {
    WORST: "Worst keypoints first",
    "best": "Best keypoints first",
    "name": "By name",
    "recent": "Latest decisions first",
    LEARN: "What the model learns most from first",
}

GRID = 24  # repetitions on one sheet: few enough to look at each


def main() -> None:
    """Choose or create a data set; then show its clips, the review, or the sheet of good ones."""
    access.page_for(Role.CURATOR, "Review")
    st.html(STYLE)
    try:
        found = data_sets()
    except OSError as error:
        st.title("Review")
        st.error(
            f"gymform cannot use its data folder ({error.strerror}). Set GYMFORM_HOME to a folder "
            "that can be written, and start it again.",
            icon=":material/error:",
        )
        return
    folder = header(found)
    if folder is None:
        welcome()
        return
    try:
        store = open_store(folder)
        show(store)
    except GymformError as error:
        st.error(as_text(error), icon=":material/error:")


# -- data sets -------------------------------------------------------------------------------


def header(found: list[Path]) -> Path | None:
    """The title, the choice of a data set, a form for a new one, and the reviewer's name."""
    if not found:
        st.title("Review")
        return None
    title, which, more = st.columns([2, 2, 2], vertical_alignment="center")
    title.markdown("## Review")
    names = {folder.name: folder for folder in found}
    wished = st.session_state.pop("review-open", None) or st.query_params.get("dataset")
    if wished in names and "review-dataset" not in st.session_state:
        st.session_state["review-dataset"] = wished
    name = which.selectbox(
        "Data set",
        list(names),
        key="review-dataset",
        persist_state="session",
        label_visibility="collapsed",
    )
    with more.container(horizontal=True, horizontal_alignment="right"):
        if access.may(Role.ADMIN):
            with st.popover("New data set", icon=":material/add:"):
                ask_for_dataset("another")
        if access.reviewer_of_login():
            st.markdown(f":material/person: {plain(reviewer_name(), 24)}")
        elif who := reviewer_name():
            with st.popover(plain(who, 24), icon=":material/person:"):
                ask_for_name("other-name", who)
    return names.get(name or "", found[0])


def welcome() -> None:
    """What the page shows without a data set: what it is for, and the first step."""
    left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
    with left:
        st.markdown(
            "Make a data set of your own clips, look at every skeleton, and keep the good ones: "
            "the models on the next page learn from them."
        )
        with st.container(border=True):
            if access.may(Role.ADMIN):
                ask_for_dataset("first")
            else:
                st.markdown("There is no data set yet. An admin can make one.")
    with right, st.container(border=True):
        st.markdown(
            ":material/upload: &nbsp;**Import** clips, with exercise and person\n\n"
            ":material/hub: &nbsp;**Extract** the keypoints, in the background\n\n"
            ":material/keyboard: &nbsp;**Review**: A accepts, X rejects, the worst come first\n\n"
            ":material/model_training: &nbsp;**Train** on what was accepted"
        )


def ask_for_dataset(key: str) -> None:
    """A form that creates a data set."""
    with st.form(f"new-dataset-{key}", border=False):
        name = st.text_input("Name of the new data set", placeholder="my lifts", max_chars=60)
        if not st.form_submit_button("Create", type="primary"):
            return
    try:
        require(Role.ADMIN, "To make a data set")
        folder = dataset_folder(datasets_dir(), name)
        if (folder / "dataset.sqlite").exists():
            raise DatasetError(f"There is already a data set of that name: {name.strip()}.")
        ReviewStore.open(folder, create=True).close()
    except GymformError as error:
        st.error(as_text(error), icon=":material/error:")
        return
    except OSError as error:
        st.error(f"It cannot be created: {error.strerror}.", icon=":material/error:")
        return
    st.session_state.pop("review-dataset", None)
    st.session_state["review-open"] = folder.name
    st.rerun()


# -- who reviews -----------------------------------------------------------------------------


def reviewer_name() -> str:
    """The reviewer's name: that of the login, else asked once in each browser; "" before."""
    if of_login := access.reviewer_of_login():
        return of_login
    state = st.session_state
    if "reviewer-name" not in state:
        state["reviewer-name"] = unquote(st.context.cookies.get(COOKIE, ""))[:80].strip()
    return str(state["reviewer-name"])


def ask_for_name(key: str, before: str = "") -> None:
    """A form for the reviewer's name, which is stored with every decision."""
    with st.form(f"who-{key}", border=False):
        name = st.text_input(
            "Your name", before, max_chars=80, help="It is stored with every decision you make."
        )
        if st.form_submit_button("Begin" if not before else "Change", type="primary"):
            who = access.visitor()
            if who is not None and not who.may_be_called(name.strip()):
                st.error("This name belongs to somebody who logs in.", icon=":material/error:")
            elif name.strip() and name.strip().isprintable():
                st.session_state["reviewer-name"] = name.strip()
                st.rerun()
            else:
                st.error("A name is needed, on one line.", icon=":material/error:")


# -- the three parts of the page -------------------------------------------------------------


def show(store: ReviewStore) -> None:
    """The chosen part of the page: at first the clips, then the review once there are items."""
    name = reviewer_name()
    known = store.judged(seen_by=name)
    bar = st.container(horizontal=True, vertical_alignment="center", key="review-bar")
    part = bar.segmented_control(
        "View",
        [CLIPS, PEOPLE, REVIEW, BATCH, *([DISPUTES] if disputes.wanted(store) else [])],
        default=REVIEW if known else CLIPS,
        required=True,
        key=f"review-view-{store.folder.name}",
        persist_state="session",
        label_visibility="collapsed",
    )
    clips.notice(store)
    if part == CLIPS:
        clips.panel(store)
    elif not known:
        st.info(
            "Nothing to review yet: import clips and extract their keypoints first.",
            icon=":material/info:",
        )
    elif not name:
        with st.container(border=True, width=480):
            ask_for_name("first")
    elif part == PEOPLE:
        people.panel(store, name)
    elif part == DISPUTES:
        disputes.panel(store, name)
    elif part == REVIEW:
        with bar:
            chosen = choose_filter(store.folder.name, known)
            disputes.rule(store, name)
        if chosen.order == LEARN:
            next_clips.show(store)
        review(store.folder, chosen, st.query_params.get("item"))
        next_steps(store)
    else:
        accept_many(store, name)


# -- the review ------------------------------------------------------------------------------


def choose_filter(dataset: str, known: list[Judged]) -> Filter:
    """Which items to show, and in which order: the widgets and what is chosen in them."""
    offers = {
        "Exercise": sorted({one.item.exercise for one in known}),
        "Person or source": sorted({one.item.group for one in known}),
        "Problem": sorted({problem for one in known for problem in one.problems}),
    }
    with st.popover("Filter", icon=":material/filter_alt:"):
        verdicts = st.pills(
            "Verdict",
            VERDICTS,
            selection_mode="multi",
            default=[PENDING],
            format_func=str.capitalize,
            key="filter-verdicts",
            persist_state="session",
        )
        exercises, groups, problems = (
            tuple(
                st.multiselect(
                    label,
                    names,
                    key=f"filter-{label}-{dataset}",
                    persist_state="session",
                    placeholder="All",
                )
            )
            for label, names in offers.items()
        )
        order = st.selectbox(
            "Order",
            ORDERS,
            format_func=ORDER_NAMES.__getitem__,
            key="filter-order",
            persist_state="session",
        )
    chosen = Filter(exercises, groups, tuple(verdicts), problems, order)
    st.markdown(f":gray[{_filter_in_words(chosen)}]", width="content")
    return chosen


def _filter_in_words(chosen: Filter) -> str:
    parts = [
        " or ".join(chosen.verdicts) or "every verdict",
        *(
            " or ".join(plain(name, 30) for name in names)
            for names in (chosen.exercises, chosen.groups, chosen.problems)
            if names
        ),
        ORDER_NAMES[chosen.order].lower(),
    ]
    return " · ".join(parts)


@st.fragment(run_every=2)
def review(folder: Path, wanted: Filter, item: str | None) -> None:
    """The widget, at first with ``item``; updated every two seconds with others' decisions."""
    state = st.session_state
    try:
        place = (str(folder), reviewer_name(), wanted, open_store(folder).is_blind())
        if state.get("desk-place") != place:
            store = open_store(folder)
            own = access.own_decisions()
            state.desk = ReviewSession(store, reviewer_name(), wanted, reply_log(), own)
            state["desk-place"] = place
            state.tour = state.get("tour", 0) + 1
            state.pop("desk-data", None)
        first = item if state.tour == 1 else None
        state["desk-data"] = exchange(state.desk, state.tour, first)
    except GymformError as error:
        st.error(as_text(error), icon=":material/error:")
    if "desk-data" in state:
        reviewer.reviewer(state["desk-data"], key=WIDGET)
        figures(state.desk.store, state["desk-data"]["current"])
        if clip_deletion.of_item(state.desk.store, state["desk-data"]["current"]):
            del state["desk-place"]  # the review begins anew, with what is left
            st.rerun()  # of the whole page, which shows how to undo it


def figures(store: ReviewStore, item: str | None) -> None:
    """What the model in use and the form's rules say of the repetition, when somebody asks."""
    if item is None or not st.toggle("What the model says", key="figures-on"):
        return
    try:
        judged = store.get(item, reviewer_name())
        version = version_of(store, judged.item.clip_sha256)
        found = _figures(store.folder, item, judged.revision, version)
    except GymformError as error:
        st.caption(as_text(error))
        return
    answer = found.prediction
    shares = zip(answer.classes, answer.probabilities, strict=True)
    told = ", ".join(
        f"{plain(name_of(name))} {percent(share)}"
        for name, share in sorted(shares, key=lambda pair: -pair[1])
    )
    corrected = " With your corrections." if found.corrected else ""
    st.markdown(f"**{plain(name_of(answer.label)).capitalize()}** :gray[{told}.{corrected}]")
    for cue in found.form.cues:
        st.caption(f"{as_text(cue.title)}: {as_text(cue.text)}")


@st.cache_data(max_entries=64, show_spinner=False)
def _figures(folder: Path, item: str, revision: int, version: int) -> ItemFigures:
    """Computed again when the item was trimmed or corrected, since that is in the cache key."""
    return figures_of(open_store(folder), item)


def exchange(session: ReviewSession, tour: int, item: str | None) -> ReviewerData:
    """Write the decisions that the widget sent; what it should show now."""
    work: Mapping[str, Any] = reviewer.work_of(WIDGET) or {}
    if work:
        session.receive(work)
    here = work.get("tour") == tour and work.get("desk") == session.replies.id
    at = work.get("at") if here else item
    return reviewer.facts(session, session.state(at, reviewer.COMING), tour)


@st.fragment(run_every=5)
def next_steps(store: ReviewStore) -> None:
    """What comes after the last clip of this reviewer: disputes, export and training."""
    try:
        mine, counts = store.counts(seen_by=reviewer_name()), store.counts()
    except GymformError:
        return
    if mine[PENDING] or not counts[ACCEPTED]:
        return
    if counts[DISPUTED]:
        st.info(
            f"About {count(counts[DISPUTED], 'repetition')} reviewers disagree: settle that under "
            "Disputed. Until then they are left out of training and export.",
            icon=":material/balance:",
        )
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(
            f"**Everything is judged:** {count(counts[ACCEPTED], 'repetition')} accepted.",
            width="stretch",
        )
        st.download_button(
            "Export",
            data=lambda: exported(store),
            file_name=f"{store.folder.name}.zip",
            mime="application/zip",
            icon=":material/download:",
            on_click="ignore",
            help="The manifest with its split, keypoints as arrays and as a table, corrections.",
        )
        if st.button("Train", type="primary", icon=":material/model_training:"):
            st.switch_page("pages/models.py", query_params={"dataset": store.folder.name})


def exported(store: ReviewStore) -> bytes:
    """The export as a zip; a text that says why there is none."""
    from gymform.dataset.export import export_zip  # it imports SciPy

    try:
        return export_zip(store)
    except GymformError as error:
        return f"{error}\n".encode()


# -- accepting many --------------------------------------------------------------------------


def accept_many(store: ReviewStore, name: str) -> None:
    """A sheet of the best pending repetitions: look, untick the bad ones, accept the rest."""
    state = st.session_state
    left, right = st.columns([2, 1], vertical_alignment="bottom", gap="large")
    least = left.slider(
        "Pose quality of at least", 50, 100, 80, key="batch-least", persist_state="session"
    )
    waiting = [
        one
        for one in store.judged(Filter(verdicts=(PENDING,), order=BEST), name)
        if (one.quality or 0) * 100 >= least
    ]
    aside: set[str] = state.setdefault("batch-aside", set())
    offered = [one for one in waiting if one.item.id not in aside]
    right.markdown(
        f"**{count(len(waiting), 'repetition')}** to judge"
        + (f", {len(waiting) - len(offered)} set aside" if len(waiting) > len(offered) else "")
    )
    if said := state.pop("batch-said", None):
        st.success(as_text(said), icon=":material/check:")
    if not offered:
        st.info(
            "Nothing is left above this quality. Lower it, or continue in Review.",
            icon=":material/info:",
        )
    else:
        sheet(store, name, offered[:GRID], len(offered))
    st.button(
        "Undo my last decision", icon=":material/undo:", on_click=undo_last, args=(store, name)
    )


def sheet(store: ReviewStore, name: str, shown: list[Judged], total: int) -> None:
    """Thumbnails with checkboxes: what is ticked is accepted, the rest set aside."""
    with st.form("sheet", border=False):
        st.caption(
            f"The best {len(shown)} of {total:,}. Untick what does not look right: "
            "it stays in Review."
        )
        with st.container(horizontal=True, gap="small"):
            for one in shown:
                with st.container(width=168, border=True):
                    thumbnail(store, one)
                    st.checkbox(
                        f"{plain(one.item.name, 24)}", value=True, key=f"tick-{one.item.id}"
                    )
        st.form_submit_button(
            "Accept what is ticked",
            type="primary",
            icon=":material/done_all:",
            on_click=accept_ticked,
            args=(store, name, [one.item.id for one in shown]),
        )


def thumbnail(store: ReviewStore, one: Judged) -> None:
    """A frame with the skeleton, with quality, exercise and times."""
    picture = store.files.thumb(one.item.id)
    if picture.is_file():
        st.image(
            picture, width="stretch", alt=f"A frame of {shortened(one.item.name)} with its skeleton"
        )
    else:
        st.caption("No picture")
    st.markdown(
        f"**{100 * (one.quality or 0):.0f}** · {plain(one.item.exercise, 24)}  \n"
        f":gray[{one.item.start_s:.1f} – {one.item.end_s:.1f} s]"
    )


def accept_ticked(store: ReviewStore, name: str, ids: list[str]) -> None:
    """Accept the ticked items that are still pending; set the others aside."""
    state = st.session_state
    ticked = [one for one in ids if state.get(f"tick-{one}")]
    state["batch-aside"] |= set(ids) - set(ticked)
    try:
        free = [one for one in ticked if store.get(one, name).verdict == PENDING]
        accepted = store.decide_all(free, ACCEPTED, reviewer=name)
    except GymformError as error:
        state["page-problem"] = str(error)
        return
    if (own := access.own_decisions()) is not None:
        own.update(one.revision for one in accepted)
    taken = len(ticked) - len(free)
    others = (
        f" {count(taken, 'was', 'were')} judged by others in the meantime, and left."
        if taken
        else ""
    )
    state["batch-said"] = f"{count(len(free), 'repetition')} accepted.{others}"


def undo_last(store: ReviewStore, name: str) -> None:
    """Undo the reviewer's last decision, or the whole sheet that they accepted last."""
    try:
        undone = store.undo(name, own=access.own_decisions())
    except GymformError as error:
        st.session_state["page-problem"] = str(error)
        return
    st.session_state["batch-said"] = (
        f"Undone: {shortened(undone.item.name)} is {undone.verdict} again."
        if undone
        else "There is nothing of yours to undo."
    )


come_through_app()
arrive("review")
main()
