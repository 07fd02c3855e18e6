"""The clips of a data set on the page Review: import, extraction, and their results."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from gymform import limits
from gymform.dataset.items import EXTRACTED, FAILED, IMPORTED, ClipRecord
from gymform.dataset.reviews import ReviewStore
from gymform.errors import BusyError, Cancelled, GymformError, OptionsError
from gymform.exercises import EXERCISES
from gymform.in_use import held, hold, release
from gymform.roles import Role, require
from gymform.service.access import ROOTS, Settings
from gymform.service.dataset_tasks import (
    EXTRACT,
    IMPORT,
    PEOPLE,
    RANK,
    DatasetTask,
    DatasetTasks,
    extract_in_process,
    plain_file_name,
)
from gymform.service.once import Once
from gymform.service.result_store import IMPORT_PREFIX
from gymform.sniff import VIDEO_SUFFIXES
from gymform.storage import data_dir, expanded
from gymform.timing import Progress
from pages.components import access, clip_deletion
from pages.components.text import as_text, count, duration, listed, plain
from pages.components.upload_memory import forget

if TYPE_CHECKING:
    from gymform.dataset.clips import ImportReport

WORK = {
    IMPORT: "Importing",
    EXTRACT: "Extracting keypoints",
    PEOPLE: "Comparing who is in the clips",
    RANK: "Asking the model what it would learn from",
}
"""What each kind of task is doing."""

UPLOADS, FOLDER = "Upload", "Folder on this computer"
BY_FOLDERS = "By the folders or the table index.csv"

GROUPINGS = {
    "folder": "The folder it lies in",
    "regex": "A pattern in its name",
    "csv": "A table (CSV)",
}
"""How clips are put into groups: a group is a person or source, never in two parts of a split."""


@Once
def dataset_tasks() -> DatasetTasks:
    """Imports and extractions of all sessions."""
    return DatasetTasks()


def panel(store: ReviewStore) -> None:
    """Import on the left, extraction on the right, and the list of clips below."""
    if not access.may(Role.ADMIN):
        st.caption("Only an admin can import clips and extract their keypoints.")
        listing(store.clips())
        return
    left, right = st.columns([3, 2], gap="large")
    task = dataset_tasks().of(store.folder)
    busy = bool(task and task.running)
    with left:
        st.markdown("##### Import clips")
        importing(store, busy)
    with right:
        st.markdown("##### Extract the keypoints")
        extracting(store, busy)
    if task and task.kind == IMPORT and not task.running and task.result:
        report(store, task.result)
    known = store.clips()
    listing(known)
    clip_deletion.choose(store, known)


def notice(store: ReviewStore) -> None:
    """The running task of the data set, or what has just gone wrong; on every part of the page."""
    if problem := st.session_state.pop("page-problem", None):
        st.error(as_text(problem), icon=":material/error:")
    clip_deletion.notice(store)
    task = dataset_tasks().of(store.folder)
    if not task:
        return
    if task.running:
        running_task(store.folder)
    elif isinstance(task.error, Cancelled):
        st.info(as_text(task.error), icon=":material/info:")
    elif task.error:
        st.error(as_text(task.error), icon=":material/error:")


@st.fragment(run_every=1)
def running_task(folder: Path) -> None:
    """Progress of an import or extraction, an estimate, and a button to stop it."""
    task = dataset_tasks().of(folder)
    if not task or not task.running:
        st.rerun()
    with st.container(border=True):
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.progress(task.fraction, text=_progress_text(task))
        if access.may(Role.ADMIN):
            right.button("Stop", icon=":material/stop:", on_click=task.stop, width="stretch")


def _progress_text(task: DatasetTask) -> str:
    what = WORK[task.kind]
    if not task.total:
        return f"**{what}** …"
    eta = task.eta_s()
    left = "" if eta is None else f" · {duration(eta)} left"
    return f"**{what}**: {task.done:,} of {count(task.total, 'clip')} done{left}"


# -- import ----------------------------------------------------------------------------------


def importing(store: ReviewStore, busy: bool) -> None:
    """Where the clips are, what they show, who is in them; and the button that imports them."""
    way = st.segmented_control(
        "From where",
        [UPLOADS, FOLDER],
        default=UPLOADS,
        required=True,
        key="import-way",
        label_visibility="collapsed",
    )
    number = st.session_state.setdefault("import-turn", 0)
    files: list[Any] = []
    path = ""
    if way == UPLOADS:
        files = st.file_uploader(
            "Clips",
            type=list(VIDEO_SUFFIXES),
            accept_multiple_files=True,
            key=f"import-files-{number}",
            max_upload_size=limits.MAX_UPLOAD_BYTES // 1024**2,
            label_visibility="collapsed",
        )
    else:
        path = st.text_input(
            "Folder",
            key="import-folder",
            placeholder="~/Videos/lifts",
            help="On the computer that runs gymform. The originals are only read, never changed.",
        )
    exercise = _ask_for_exercise(store, way)
    group_by = _ask_for_grouping(way, tabled=exercise is None)
    ready = bool(files) or bool(path.strip())
    if st.button(
        "Import",
        type="primary",
        icon=":material/download:",
        disabled=busy or not ready,
        help="Another import or extraction is running." if busy else None,
    ):
        try:
            begin_import(store, files, path, exercise, group_by)
        except GymformError as error:
            st.error(as_text(error), icon=":material/error:")
            return
        forget(files)
        st.session_state["import-turn"] = number + 1
        st.rerun()


def _ask_for_exercise(store: ReviewStore, way: str | None) -> str | None:
    """The exercise of all clips; None when folders or a table give it."""
    known = sorted({clip.exercise for clip in store.clips()} | {one.key for one in EXERCISES})
    options = known if way == UPLOADS else [BY_FOLDERS, *known]
    chosen = st.selectbox(
        "Exercise",
        options,
        index=None if way == UPLOADS else 0,
        accept_new_options=True,
        placeholder="Choose or type one",
        key=f"import-exercise-{way}",
        help="What all these clips show. Otherwise each exercise has a folder, or there is a table "
        "index.csv with the columns file, exercise and group.",
    )
    return None if chosen == BY_FOLDERS else chosen


def _ask_for_grouping(way: str | None, tabled: bool) -> str | None:
    """How to find each clip's person or source; None to use folders or the table.

    ``tabled`` says whether a table index.csv may be used.
    """
    if way == UPLOADS:
        person = st.text_input(
            "Person or source",
            key="import-person",
            placeholder="one for each clip, when left empty",
            help="All these clips show the same person, who is never in both training and test.",
        )
        return f"person:{person.strip()}" if person.strip() else None
    how = st.selectbox(
        "Person or source",
        list(GROUPINGS),
        format_func=lambda how: BY_FOLDERS if tabled and how == "folder" else GROUPINGS[how],
        key="import-grouping",
        help="Clips of one person or source stay together, in either training or test.",
    )
    if how == "folder":
        return None
    label = {"regex": "Pattern (regular expression)", "csv": "Table"}[how]
    hint = {"regex": r"person(\d+)", "csv": "~/Videos/lifts/index.csv"}[how]
    what = st.text_input(label, key=f"import-{how}", placeholder=hint).strip()
    return f"{how}:{what}"


def begin_import(
    store: ReviewStore, files: list[Any], path: str, exercise: str | None, group_by: str | None
) -> None:
    """Start the import in the background.

    Raises OptionsError and BusyError; the uploads are then deleted.
    """
    require(Role.ADMIN, "To import clips")
    if files and not exercise:
        raise OptionsError("Which exercise do the clips show? Choose one, or type a new one.")
    rules = access.settings()
    folder = _store_uploads(files) if files else _folder_at(path, rules)
    in_use = hold(folder) if files else None
    how, _, what = (group_by or "").partition(":")
    if how == "csv":
        group_by = f"csv:{expanded(what)}"

    def clean_up() -> None:
        release(in_use)
        if files:
            shutil.rmtree(folder, ignore_errors=True)

    def work(progress: Progress) -> ImportReport:
        from gymform.dataset.clips import import_clips

        try:
            return import_clips(
                folder,
                store,
                exercise=exercise,
                group_by=group_by,
                progress=progress,
                allowed=None if files else rules.may_import,
            )
        finally:
            clean_up()

    try:
        dataset_tasks().start(store.folder, IMPORT, work)
    except BusyError:
        clean_up()
        raise


def _folder_at(path: str, rules: Settings) -> Path:
    """The folder that was typed. Raises OptionsError, the same for all folders that are closed."""
    folder = expanded(path.strip())
    if not rules.may_import(folder):
        names = listed([root.name or str(root) for root in rules.import_roots()])
        where = f"below {names}" if names else "from no folder of this computer"
        raise OptionsError(
            f"Clips can be imported {where}, and not from gymform's own folder. Whoever runs "
            f"gymform can name other folders: {ROOTS}."
        )
    try:
        there = folder.is_dir()
    except OSError:  # no permission for the folder above it
        there = False
    if not there:
        raise OptionsError(
            f"There is no folder {folder.name!r} on the computer that runs gymform, or it may not "
            "be read. Check the path."
        )
    return folder


def _store_uploads(files: list[Any]) -> Path:
    """Write the uploads into a new folder, under names that gymform made; that folder.

    Raises OptionsError when the disk fails; nothing is then left of them.
    """
    root = data_dir() / "uploads" / f"{IMPORT_PREFIX}{secrets.token_hex(8)}"
    try:
        root.mkdir(parents=True)
        with held(root):
            _copy_uploads(files, root)
    except OSError as error:
        shutil.rmtree(root, ignore_errors=True)
        raise OptionsError(
            f"The clips could not be stored ({error.strerror}). Free some space and import them "
            "again."
        ) from error
    return root


def _copy_uploads(files: list[Any], root: Path) -> None:
    taken: set[str] = set()
    for number, file in enumerate(files, start=1):
        name = plain_file_name(file.name, number)
        name = f"{number} {name}" if name in taken else name
        taken.add(name)
        with (root / name).open("xb") as copy:
            shutil.copyfileobj(file, copy)


def report(store: ReviewStore, done: ImportReport) -> None:
    """What happened to the files of the last import."""
    with st.container(border=True):
        left, right = st.columns([5, 1], vertical_alignment="center")
        known = f" {count(len(done.known), 'was', 'were')} already there." if done.known else ""
        left.markdown(f":material/check: **{count(len(done.added), 'clip')} imported.**{known}")
        right.button(
            "Close", on_click=dataset_tasks().forget, args=(store.folder,), width="stretch"
        )
        if done.duplicates:
            st.markdown(f"**{count(len(done.duplicates), 'duplicate')}**")
            st.dataframe(
                {
                    "File": [one.name for one in done.duplicates],
                    "Shows the same as": [one.of for one in done.duplicates],
                    "Kind": [one.kind for one in done.duplicates],
                    "Likeness": [f"{one.likeness:.0%}" for one in done.duplicates],
                },
                hide_index=True,
            )
            st.caption(
                "Identical files are kept once. Copies that were re-encoded, mirrored or trimmed "
                "are kept, but never in two parts of a split."
            )
        if done.unreadable:
            st.markdown(f"**{count(len(done.unreadable), 'file')} left out**")
            st.dataframe(
                {
                    "File": [one.name for one in done.unreadable],
                    "Why": [one.reason for one in done.unreadable],
                },
                hide_index=True,
            )


# -- extraction ------------------------------------------------------------------------------


def extracting(store: ReviewStore, busy: bool) -> None:
    """How many clips are extracted, and the button that starts or continues.

    While it runs, the one count is in the line of its progress.
    """
    states = store.states()
    done, waiting, failed = states[EXTRACTED], states[IMPORTED], states[FAILED]
    if not sum(states.values()):
        st.caption("Import clips first.")
        return
    if busy:
        st.caption("How far it is stands above. Meanwhile, you can review what is done.")
    else:
        first, second, third = st.columns(3)
        first.metric("Done", f"{done:,}")
        second.metric("Waiting", f"{waiting:,}")
        third.metric("Without a skeleton", f"{failed:,}")
    st.caption(
        "The lifter is found and followed, keypoints and repetitions are saved for every clip. "
        "It runs in the background, also when this page is closed, and goes on by itself after a "
        "restart of the app."
    )
    if not waiting and not failed:
        st.markdown(":material/check: All keypoints are there.")
        return
    jobs = st.number_input(
        "Clips at once",
        1,
        32,
        1,
        key="extract-jobs",
        help="More of them need more memory and cores.",
    )
    label = (
        "Extract" if not done + failed else "Continue" if waiting else "Try the failed ones again"
    )
    if st.button(label, type="primary", icon=":material/hub:", disabled=busy):
        try:
            dataset_tasks().start(
                store.folder,
                EXTRACT,
                lambda progress: extract_in_process(store, progress, jobs=int(jobs)),
            )
        except GymformError as error:
            st.error(as_text(error), icon=":material/error:")
            return
        st.rerun()


def listing(clips: list[ClipRecord]) -> None:
    """Every clip with its state."""
    if not clips:
        return
    lost = [clip for clip in clips if clip.state == FAILED]
    if lost:
        with st.expander(f"{count(len(lost), 'clip')} without a skeleton", icon=":material/error:"):
            for clip in lost[:100]:
                st.markdown(f"- **{plain(clip.name)}**: {plain(clip.reason, 300)}")
    with st.expander(f"All {count(len(clips), 'clip')}", icon=":material/list:"):
        st.dataframe(
            {
                "Clip": [clip.name for clip in clips],
                "Exercise": [clip.exercise for clip in clips],
                "Person or source": [clip.group for clip in clips],
                "Seconds": [round(clip.duration_s, 1) for clip in clips],
                "Size": [f"{clip.width} × {clip.height}" for clip in clips],
                "State": [clip.state for clip in clips],
            },
            hide_index=True,
        )
