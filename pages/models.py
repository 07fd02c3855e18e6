"""Page Models: which model is in use; train others on a data set, judge them, and use one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import streamlit as st

from gymform.dataset.paths import data_sets
from gymform.draw import report_charts as charts
from gymform.errors import DatasetError, GymformError
from gymform.exercise.networks.catalogue import CATALOGUE
from gymform.exercises import name_of, title_of
from gymform.installation import program
from gymform.roles import Role
from gymform.training.exercise import deploy, records, runs
from gymform.training.exercise.readiness import Contents
from gymform.weights import ModelEntry, manifest_entry
from pages.components import access, training
from pages.components.entry import arrive, come_through_app
from pages.components.report import show_report
from pages.components.text import as_text, clock, listed, plain, when

# Comments, not docstrings: Streamlit would show a bare string of a page's script on the page.

# Columns by which trainings are compared.
NUMBERS = (
    "Accuracy",
    "95 % interval",
    "Macro F1",
    "Lowest recall",
    "Parameters",
    "ms a clip",
    "Training",
    "Clips",
)

# Height of a model card, px: it is long and scrolls.
CARD_HEIGHT = 480

STATES = {
    records.STARTING: "starting",
    records.RUNNING: "running",
    records.DONE: "done",
    records.STOPPED: "stopped",
    records.FAILED: "failed",
}


def main() -> None:
    """The model in use, then the data set, training and reports."""
    st.title("Models")
    training.show_news()
    try:
        found = data_sets()
    except OSError as error:
        st.error(
            f"gymform cannot use its data folder ({error.strerror}). Set GYMFORM_HOME to a folder "
            "that can be written, and start it again.",
            icon=":material/error:",
        )
        return
    in_use()
    access.page_for(Role.CURATOR, "Train another model")
    if not found:
        no_data_set()
        return
    dataset = choose_data_set(found)
    try:
        what = training.contents(dataset)
    except DatasetError as error:
        st.error(as_text(error), icon=":material/error:")
        return
    known = runs.list_runs(dataset)
    prepare(dataset, what, known)
    if known:
        trainings(dataset, known)
    _damaged(dataset, known)
    training.watch(dataset, tuple((info.id, info.state) for info in known))


# -- the model in use ------------------------------------------------------------------------


def in_use() -> None:
    """The exercise model that the app uses, and the model cards."""
    with st.container(border=True):
        left, right = st.columns([3, 1], vertical_alignment="center")
        embedded = True
        try:
            entry = deploy.active_model()
            embedded = entry.embedded
            badge = ":green-badge[:material/check: In use]"
            left.markdown(f"#### {plain(entry.name)} {badge}\n:gray[{_about(entry)}]")
        except GymformError as error:
            left.error(as_text(error), icon=":material/error:")
            embedded = False
        if not embedded and access.may(Role.ADMIN):
            right.button(
                "Back to the embedded model",
                icon=":material/undo:",
                on_click=training.attempt,
                args=(deploy.make_default_active,),
                kwargs={"news": "The app uses the model that came with it again."},
                width="stretch",
            )
        with st.expander("What am I using?", icon=":material/menu_book:"):
            cards()


def _about(entry: ModelEntry) -> str:
    """Where a model comes from, and its classes."""
    source = "It came with gymform" if entry.embedded else "Trained here"
    names = [plain(name_of(str(name))) for name in entry.config.get("classes", [])]
    return f"{source}. It tells apart {listed(names)}." if names else f"{source}."


def cards() -> None:
    """The model cards: what the models were trained on, how good they are, their limits."""
    kinds = {"exercise": "Which exercise", "pose": "Where the joints are"}
    for tab, kind in zip(st.tabs(list(kinds.values())), kinds, strict=True):
        with tab:
            try:
                entry = manifest_entry(None, kind)
            except GymformError as error:
                st.error(as_text(error), icon=":material/error:")
                continue
            st.caption(
                f"{plain(entry.name)} · {entry.bytes / 1e6:.1f} MB · {plain(entry.licence, 200)} · "
                f"sha256 `{entry.sha256[:12]}` · {plain(entry.provenance, 200)}"
            )
            with st.container(height=CARD_HEIGHT, border=False):
                st.markdown(_card(entry))


def _card(entry: ModelEntry) -> str:
    """A model's card with smaller headings, or a note on where to look instead."""
    try:
        text = entry.path.with_suffix(".md").read_text(encoding="utf-8")
    except (OSError, ValueError):
        if entry.embedded:
            return "The card of this model is missing from this installation."
        return "It was trained here: its report is among the trainings below."
    text = re.sub(r"^# .*\n", "", text)
    return re.sub(r"^(#+) ", lambda match: "#" * min(6, len(match[1]) + 3) + " ", text, flags=re.M)


# -- data set and training -------------------------------------------------------------------


def no_data_set() -> None:
    """What the page shows without a data set: how to make one."""
    with st.container(border=True):
        st.markdown(
            "##### Train a model on your own clips\n"
            "There is no data set yet. It takes three steps:\n"
            "1. Import clips, one folder for each exercise, ideally of many people.\n"
            "2. Look at each skeleton and accept the good ones.\n"
            "3. Come back here and start a training on two or more exercises."
        )
        training.to_review()


def choose_data_set(found: list[Path]) -> Path:
    """The data set chosen here, else in the address or on the page Review, else the latest."""
    names = {folder.name: folder for folder in found}
    state = st.session_state
    wished = st.query_params.get("dataset") or state.get("review-dataset")
    if wished in names and "models-dataset" not in state:
        state["models-dataset"] = wished
    name = st.selectbox("Data set", list(names), key="models-dataset", persist_state="session")
    return names.get(name or "", found[0])


def prepare(dataset: Path, what: Contents, known: list[records.RunInfo]) -> None:
    """What is in the data set, beside the running training or the form that starts one."""
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("##### What is in it")
        training.show_contents(dataset, what)
    with right:
        st.markdown("##### Train")
        live = next((info for info in known if info.live), None)
        if live:
            training.follow(runs.runs_dir(dataset) / live.id)
        elif access.may(Role.ADMIN):
            training.offer(dataset, what)
        else:
            st.caption("Only an admin can start a training.")


# -- trainings and their reports -------------------------------------------------------------


def trainings(dataset: Path, known: list[records.RunInfo]) -> None:
    """All trainings in one table, and the chosen one below."""
    st.markdown("### Trainings")
    reports = {info.id: report for info in known if (report := _report(dataset, info.id))}
    first = next((row for row, info in enumerate(known) if not info.live), 0)
    chosen = st.dataframe(
        [_row(info, reports.get(info.id), _active(dataset, info.id)) for info in known],
        # the key changes when a training starts or ends, to select the latest finished one
        key=f"trainings-{dataset.name}-{len(known)}-{known[0].id}-{known[0].live}",
        on_select="rerun",
        selection_mode="single-row-required",
        selection_default={"selection": {"rows": [first]}},
        hide_index=True,
        height=min(36 * (len(known) + 1), 296),
        column_config={
            "Accuracy": st.column_config.NumberColumn(format="%.1f %%"),
            "Macro F1": st.column_config.NumberColumn(format="%.3f"),
            "Lowest recall": st.column_config.NumberColumn(format="%.0f %%"),
            "Parameters": st.column_config.NumberColumn(format="localized"),
            "ms a clip": st.column_config.NumberColumn(format="%.1f"),
        },
        placeholder="",
    )
    st.caption("Choose a training to see its report; click a column's name to sort by it.")
    rows = chosen.selection.rows
    info = known[rows[0] if rows and rows[0] < len(known) else first]
    one_training(dataset, info, reports.get(info.id))


def _report(dataset: Path, name: str) -> records.TrainingReport | None:
    """The report of a training; None when there is none or it cannot be read."""
    folder = runs.runs_dir(dataset) / name
    try:
        return _read_report(folder, (folder / "report.json").stat().st_mtime_ns)
    except (GymformError, OSError):
        return None


@st.cache_data(max_entries=64, show_spinner=False)
def _read_report(folder: Path, _changed: int) -> records.TrainingReport | None:
    report = runs.read_report(folder)
    sizes = {len(part.confusion) for part in report.parts.values()}
    sizes |= {len(row) for part in report.parts.values() for row in part.confusion}
    sound = records.TEST in report.parts and sizes == {len(report.classes)}
    return report if sound and report.model in CATALOGUE else None


def _active(dataset: Path, name: str) -> bool:
    try:
        return deploy.is_active(runs.runs_dir(dataset) / name)
    except GymformError:
        return False


def _row(
    info: records.RunInfo, report: records.TrainingReport | None, active: bool
) -> dict[str, Any]:
    """A training as a row of the table; numbers are of clips it was not trained on."""
    row = {
        "Started": when(info.started_at),
        "Model": CATALOGUE[info.options.model].title,
        "State": "in use" if active else STATES[info.state],
    }
    return row | (_numbers(report) if report else dict.fromkeys(NUMBERS))


def _numbers(report: records.TrainingReport) -> dict[str, Any]:
    """The values of the columns NUMBERS."""
    test = report.parts[records.TEST]
    low, up = charts.wilson(test.accuracy * test.clips, test.clips)
    values = (
        100 * test.accuracy,
        f"{100 * low:.0f} to {100 * up:.0f} %",
        test.macro.f1,
        100 * test.lowest_recall,
        report.parameters,
        report.timing.ms_per_clip,
        clock(report.timing.training_s),
        sum(report.clips.values()),
    )
    return dict(zip(NUMBERS, values, strict=True))


def one_training(
    dataset: Path, info: records.RunInfo, report: records.TrainingReport | None
) -> None:
    """State, actions and report of a training."""
    folder = runs.runs_dir(dataset) / info.id
    names = ", ".join(title_of(name) for name in info.classes)
    st.markdown(
        f"#### {CATALOGUE[info.options.model].title}, {when(info.started_at)}"
        + (f"\n:gray[{plain(names, 200)}]" if names else "")
    )
    if info.live:
        st.info("It is running: see its curves above.", icon=":material/pending:")
        return
    if info.state == records.FAILED:
        st.error(f"It failed. {as_text(info.message)}", icon=":material/error:")
    elif info.state == records.STOPPED:
        st.info("It was stopped before its end.", icon=":material/stop_circle:")
    if access.may(Role.ADMIN):
        actions(folder, info)
    if report:
        show_report(report, dataset)
    elif info.state == records.DONE:
        st.error(
            "The report of this training is missing or damaged. The model itself may be fine: "
            f"judge it again in the terminal with `{program()} evaluate`, or train it again.",
            icon=":material/error:",
        )


def actions(folder: Path, info: records.RunInfo) -> None:
    """Buttons to use, continue and delete a training."""
    try:
        active, reason = deploy.is_active(folder), deploy.why_not_active(folder)
    except GymformError:
        active, reason = False, None
    with st.container(horizontal=True, vertical_alignment="center"):
        if active:
            st.markdown(":green-badge[:material/check: In use]")
        elif info.state == records.DONE:
            use_it(folder, reason)
        else:
            st.button(
                "Continue",
                icon=":material/play_arrow:",
                on_click=training.attempt,
                args=(runs.resume_run, folder),
                help="Finished folds are kept.",
            )
        log = folder / "output.log"
        if info.state == records.FAILED and log.is_file():
            st.download_button(
                "Log",
                data=log.read_bytes,
                file_name=f"{info.id}.log",
                mime="text/plain",
                icon=":material/download:",
                on_click="ignore",
                help="The output of the process, for a bug report.",
            )
        with st.popover("Delete", icon=":material/delete:", disabled=active):
            st.markdown("Its curves, report and weights are deleted; the data set is kept.")
            st.button(
                "Delete this training",
                icon=":material/delete:",
                on_click=training.attempt,
                args=(runs.delete_run, folder),
            )
    if reason and info.state == records.DONE:
        st.caption(as_text(reason))


def use_it(folder: Path, reason: str | None) -> None:
    """The button that takes a model into use; one that is no better than guessing asks twice."""
    doubt = "" if reason else deploy.why_doubtful(folder)
    use: dict[str, Any] = {
        "type": "primary",
        "icon": ":material/check:",
        "on_click": training.attempt,
        "args": (deploy.make_active, folder),
        "kwargs": {
            "even_if_doubtful": bool(doubt),
            "news": "The app uses this model from now on, on page Analyze too. Results of before "
            "are judged anew from their keypoints when you open them.",
        },
    }
    if not doubt:
        st.button(
            "Use this model", disabled=bool(reason), help=as_text(reason or "") or None, **use
        )
        return
    with st.popover("Use this model", icon=":material/warning:"):
        st.warning(as_text(doubt), icon=":material/warning:")
        sure = st.checkbox("I want to use it all the same", key=f"doubtful-{folder.name}")
        st.button("Use it all the same", disabled=not sure, **use)


def _damaged(dataset: Path, known: list[records.RunInfo]) -> None:
    """Say which folders of trainings cannot be read."""
    listed_ids = {info.id for info in known}
    folders = [path for path in runs.runs_dir(dataset).glob("*/") if path.is_dir()]
    broken = sorted(path.name for path in folders if path.name not in listed_ids)
    if broken:
        st.warning(
            f"Not readable, and left out: {plain(', '.join(broken), 200)}. The file run.json of "
            "such a training is missing or damaged; its folder can be deleted.",
            icon=":material/warning:",
        )


come_through_app()
arrive("models")
main()
