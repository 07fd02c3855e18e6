"""Page History: all results, to find them again, note what they were, compare and delete them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from gymform import limits
from gymform.compare.load_velocity import THRESHOLDS, best_velocity, in_words, load_velocity
from gymform.draw.load_velocity import load_velocity_chart
from gymform.errors import GymformError
from gymform.exercises import title_of
from gymform.roles import Role
from gymform.service import deletion
from gymform.service.archive import export, import_zip
from gymform.service.history import DONE, FAILED, WAITING, Entry
from gymform.storage import data_dir
from gymform.trash import UNDO_S
from pages.components import access, cards
from pages.components.clip_session import forget_results, queue_or_reason
from pages.components.entry import arrive, come_through_app
from pages.components.results import history, job_queue
from pages.components.text import as_text, count, plain

STYLE = Path(__file__).parent / "assets" / "page.css"

SHOWN = 12  # results on one sheet

MOST_SETS = 500  # of a lifter in an exercise that a line is drawn through

EVERY = "All"

LOAD_VELOCITY_HELP = (
    "The fastest repetition of each set with a noted load, by the bar's mean speed in m/s. What "
    "could be lifted once at most is estimated where the line reaches the speed at which lifters "
    "lift their most: an estimate, no test, and only as good as the metres of the clips."
)

DELETED, PROBLEM, SAID = "history-deleted", "history-problem", "history-said"


@dataclass(frozen=True)
class Deleted:
    """A clip that was just deleted: its name, its entry in the trash, when."""

    name: str
    entry: str
    at: float


def main() -> None:
    """The filters, the results that fit them, and what can be done with all of them."""
    st.html(STYLE)
    st.title("History")
    if not queue_or_reason():
        return
    try:
        _news()
        _under_way()
        _results()
    except GymformError as error:
        st.error(as_text(error), icon=":material/error:")


def _news() -> None:
    """What the last click led to, and for a minute a way to undo a deletion."""
    state = st.session_state
    if problem := state.pop(PROBLEM, None):
        st.error(as_text(problem), icon=":material/error:")
    if said := state.pop(SAID, None):
        st.success(as_text(said), icon=":material/check:")
    deleted: Deleted | None = state.get(DELETED)
    if deleted is None:
        return
    if time.monotonic() - deleted.at > UNDO_S:
        del state[DELETED]
        return
    left, right = st.columns([5, 1], vertical_alignment="center")
    left.info(f"Deleted: {plain(deleted.name)}.", icon=":material/delete:")
    right.button("Undo", icon=":material/undo:", on_click=_restore, width="stretch")


def _under_way() -> None:
    """Analyses that wait, run or failed, with links to them."""
    entries, _ = history().find(states=(WAITING, FAILED), most=SHOWN)
    for entry in entries:
        waits = entry.state == WAITING
        icon = ":material/hourglass_top:" if waits else ":material/error:"
        cards.link(entry, f"{plain(entry.name)} ({'under way' if waits else 'failed'})", icon)


# -- the list ----------------------------------------------------------------------------------


def _results() -> None:
    """The filters, and one sheet of the results that fit."""
    state, known = st.session_state, history().choices("exercise")
    words, exercise, lifter, liked = st.columns([4, 2, 2, 2], vertical_alignment="bottom")
    words.text_input(
        "Search", key="history-search", placeholder="Clip, lifter, note …", max_chars=200,
        icon=":material/search:", persist_state="session",
    )  # fmt: skip
    _choice(exercise, "Exercise", known, "history-exercise")
    _choice(lifter, "Lifter", history().choices("lifter"), "history-lifter")
    liked.toggle("Favourites", key="history-favourites", persist_state="session")
    find = partial(
        history().find,
        search=state.get("history-search") or "",
        exercise=_chosen("history-exercise"),
        lifter=_chosen("history-lifter"),
        favourites=bool(state.get("history-favourites")),
    )
    sheet = int(state.get("history-sheet") or 1) - 1
    entries, total = find(first=sheet * SHOWN, most=SHOWN)
    if not entries and sheet and total:
        state["history-sheet"] = 1
        entries, total = find(most=SHOWN)
    st.caption(count(total, "result"))
    if not total:
        _nothing(is_filtered=any(find.keywords.values()))
    for entry in entries:
        cards.card(entry, store=job_queue().store, on_delete=_delete)
    if total > SHOWN:
        st.pagination(-(-total // SHOWN), key="history-sheet")
    if total:
        _load_velocity()
    _zip(total)


def _load_velocity() -> None:
    """Load and velocity of the exercise and the lifter that were chosen."""
    exercise, lifter = _chosen("history-exercise"), _chosen("history-lifter")
    if not exercise:
        return
    entries, _ = history().find(exercise=exercise, lifter=lifter, most=MOST_SETS)
    sets = [(one, one.load_kg, speed) for one in entries
            if one.load_kg and (speed := best_velocity(one.summary))]  # fmt: skip
    if not sets:
        return
    with st.container(key="load-and-velocity"):
        st.markdown("## Load and velocity", help=LOAD_VELOCITY_HELP)
    if not lifter and len({one.lifter for one, _, _ in sets}) > 1:
        st.caption("Choose a lifter above: loads of several do not lie on one line.")
        return
    loads, speeds = [load for _, load, _ in sets], [speed for _, _, speed in sets]
    found = load_velocity(loads, speeds, exercise)
    line = estimate = None
    if found.slope is not None and found.intercept is not None:
        line = (found.slope, found.intercept)
    if found.one_rm is not None and found.low is not None and found.high is not None:
        estimate = (found.one_rm, found.low, found.high, THRESHOLDS[exercise].velocity)
    names = [f"{plain(one.name, 40)}, {one.day}" for one, _, _ in sets]
    said = in_words(found, exercise)
    st.plotly_chart(
        load_velocity_chart(loads, speeds, names, line, estimate),
        key="load-velocity", config={"displayModeBar": False}, alt=said,
    )  # fmt: skip
    st.markdown(as_text(said))


def _choice(place: DeltaGenerator, label: str, names: list[str], key: str) -> None:
    """A list of ``names`` to choose one from, or all."""
    options = [EVERY, *names]
    if st.session_state.get(key) not in options:
        st.session_state.pop(key, None)
    place.selectbox(
        label, options, key=key, format_func=lambda one: one if one == EVERY else title_of(one)
        if label == "Exercise" else one,
    )  # fmt: skip


def _chosen(key: str) -> str:
    value = st.session_state.get(key) or EVERY
    return "" if value == EVERY else str(value)


def _nothing(*, is_filtered: bool) -> None:
    if is_filtered:
        st.info("No result fits. Take a filter off, or search for less.", icon=":material/search:")
    else:
        st.info("Results appear here once a clip was analysed.", icon=":material/history:")
        st.page_link("pages/analyze.py", label="Analyze a clip", icon=":material/exercise:")


# -- deletion ----------------------------------------------------------------------------------


def _delete(entry: Entry) -> None:
    """Delete a clip with its results, or tell in the next run why not."""
    state = st.session_state
    try:
        mine = history().check_mine(entry.address)
        name = deletion.delete_results(
            job_queue().store, Path(mine.path), mine.key, history(), mine.clip_sha256
        )
    except GymformError as error:
        state[PROBLEM] = str(error)
        return
    state[DELETED] = Deleted(mine.name, name, time.monotonic())
    forget_results()


def _restore() -> None:
    deleted = st.session_state.pop(DELETED, None)
    try:
        if deleted is not None:
            deletion.restore_results(deleted.entry, history())
    except GymformError as error:
        st.session_state[PROBLEM] = str(error)


# -- as a zip ----------------------------------------------------------------------------------


def _zip(total: int) -> None:
    """Export of what may be listed, and import of what was exported."""
    with st.expander("Export and import", icon=":material/folder_zip:"):
        st.caption(
            "A zip holds the clips, keypoints, answers and notes. The newest results go in first, "
            f"as many as fit into {limits.MAX_UPLOAD_BYTES // 1024**2} MB; in the terminal "
            "`gymform data export FILE` writes them all."
        )
        if total:
            st.download_button(
                "Export as zip", data=_exported, file_name="gymform results.zip",
                mime="application/zip", icon=":material/download:", on_click="ignore",
            )  # fmt: skip
        if access.may(Role.CURATOR):
            key = f"zip-{st.session_state.get('zips', 0)}"
            st.file_uploader(
                "Import a zip of results", type=["zip"], key=key,
                on_change=_import, max_upload_size=limits.MAX_UPLOAD_BYTES // 1024**2,
            )  # fmt: skip


def _exported() -> bytes:
    """The zip of the visitor's results. Raises OSError."""
    entries, _ = history().find(states=(DONE,), most=5000)
    path = data_dir() / "exports" / f"{time.time_ns()}.zip"
    try:
        export(entries, job_queue().store, path, max_bytes=limits.MAX_UPLOAD_BYTES)
        return path.read_bytes()
    finally:
        path.unlink(missing_ok=True)


def _import() -> None:
    """Add the results of the uploaded zip, and tell in the next run how many."""
    from pages.components.upload_memory import forget

    state = st.session_state
    file = state.get(f"zip-{state.get('zips', 0)}")
    if file is None:
        return
    path = data_dir() / "exports" / f"{time.time_ns()}-import.zip"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as target:
            while chunk := file.read(1024 * 1024):
                target.write(chunk)
        with st.spinner("Checking every result of the zip …"):
            found = import_zip(path, job_queue().store, history())
        state[SAID] = f"{count(found.count, 'result')} imported."
        state[PROBLEM] = " ".join(found.problems[:5]) or None
    except (GymformError, OSError) as error:
        state[PROBLEM] = str(error) if isinstance(error, GymformError) else "The disk failed."
    finally:
        path.unlink(missing_ok=True)
        forget([file])
        state["zips"] = state.get("zips", 0) + 1


come_through_app()
arrive("history")
main()
