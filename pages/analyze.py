"""Page Analyze: a clip goes in; skeleton, trajectories and the exercise come out."""

from __future__ import annotations

import importlib
import threading
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

import gymform
from gymform import limits
from gymform.errors import Cancelled, GymformError
from gymform.jobs import JobQueue, Request, State, Status
from gymform.results import discard_oldest
from gymform.storage import data_dir, store_upload
from gymform.types import Target
from gymform.weights import local_models, manifest_entry, read_manifest

if TYPE_CHECKING:
    from gymform.analysis import Options

FORMATS = ["mp4", "mov", "m4v", "webm", "avi", "mkv"]
STYLE = Path(__file__).parent / "assets" / "page.css"
SAMPLE = Path(gymform.__file__).parent / "assets" / "sample_squat.mp4"

ADVICE = (
    ("accessibility_new", "Whole body in the picture", "head to feet, the whole time"),
    ("videocam", "Camera still, at hip height", "on a tripod or leaning on something"),
    ("360", "From the side or at 45°", "so that knees, hips and bar are seen"),
    ("repeat_one", "One repetition", "two to ten seconds"),
    ("light_mode", "Light on the lifter", "not behind, and as few people around as possible"),
)

STAGES = {
    "probe": "Read the clip",
    "search": "Look for the lifter",
    "pose": "Find the joints in every frame",
    "classify": "Recognise the exercise",
    "draw": "Draw the skeleton into the video",
    "proxy": "Prepare the player",
}


@st.cache_resource(show_spinner=False)
def job_queue() -> JobQueue:
    """The one queue of this app, shared by all sessions."""
    # What a result needs takes seconds to import: begin while the first user looks for a clip.
    load = threading.Thread(target=importlib.import_module, args=("gymform.analysis",), daemon=True)
    load.start()
    return JobQueue()


def main() -> None:
    """Show the state that this session is in: nothing asked yet, at work, stopped, or done."""
    state = st.session_state
    state.setdefault("session", uuid.uuid4().hex)
    state.setdefault("uploads", 0)
    try:
        queue = job_queue()
    except OSError as error:
        st.error(
            f"gymform cannot keep anything in its data folder ({error.strerror}). "
            "Set GYMFORM_HOME to a folder that can be written, and start it again.",
            icon=":material/error:",
        )
        return
    problem = state.pop("problem", None)
    if "key" not in state:
        welcome(problem)
        return
    if problem:
        tell(problem)
    status = queue.status(state.key, state.session)
    if status.state in (State.WAITING, State.RUNNING):
        headline(state.request.name)
        working()
    elif status.state is State.DONE and (folder := queue.store.find(state.key)):
        done(folder)
    else:
        stopped(status.error)


# -- what the user does ----------------------------------------------------------------------


def analyse(path: Path, name: str, options: Options) -> None:
    """Put a stored clip into the queue and let this session follow it."""
    state = st.session_state
    before = _result_on_screen()
    leave()
    state.before = before
    request = Request(path, name, options)
    try:
        state.key = job_queue().submit(request, state.session)
        state.request = request
    except GymformError as error:
        go_back()
        state.problem = error


def leave() -> None:
    """Drop the clip of this session, and its job where nobody else wants it."""
    state = st.session_state
    if "key" in state:
        job_queue().cancel(state.key, state.session)
        del state.key
    state.before = None
    state.uploads += 1  # a file uploader is emptied by giving it another key


def go_back() -> None:
    """Leave, for the result that was on the screen before, if there was one."""
    state = st.session_state
    before = state.get("before")
    leave()
    if before:
        state.key, state.request = before


def _result_on_screen() -> tuple[str, Request] | None:
    state = st.session_state
    if "key" in state and job_queue().store.find(state.key):
        return state.key, state.request
    return None


def follow(target: Target) -> None:
    """Analyse the same clip again, following another person."""
    request: Request = st.session_state.request
    analyse(request.path, request.name, chosen_options(target))


def uploaded() -> None:
    """Copy what was dropped to disk at once and analyse it."""
    state = st.session_state
    file = state.get(f"upload{state.uploads}")
    if file is None:
        return
    folder = data_dir() / "uploads"
    try:
        path = store_upload(file, folder)
    except GymformError as error:
        state.uploads += 1
        state.problem = error
        return
    discard_oldest(folder, limits.MAX_STORED_UPLOAD_BYTES, spare=path.parent.name)
    analyse(path, file.name, chosen_options())


def chosen_options(target: Target | None = None) -> Options:
    """The options as the widgets stand."""
    from gymform.analysis import Options

    state = st.session_state
    return Options(
        pose_model=state.get("pose_model"), flip_test=state.get("flip_test", False), target=target
    )


# -- nothing asked yet -----------------------------------------------------------------------


def welcome(problem: GymformError | None) -> None:
    """The upload, with advice on how to record; ``problem`` says why there was no analysis."""
    st.html(STYLE)
    left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
    with left:
        st.title("Which lift is it?")
        st.markdown(
            "Drop a clip of one repetition. gymform finds the lifter, follows every joint from "
            "frame to frame and says whether it is a **snatch**, a **deadlift** or a **squat**."
        )
        if problem:
            tell(problem)
        with st.container(key="drop"):
            st.file_uploader(
                "Video of one repetition",
                type=FORMATS,
                key=f"upload{st.session_state.uploads}",
                on_change=uploaded,
                max_upload_size=limits.MAX_UPLOAD_BYTES // 1024**2,
                label_visibility="collapsed",
            )
        st.caption(
            f"At most {limits.MAX_SECONDS:.0f} seconds. "
            "The clip stays on the computer that runs gymform."
        )
        sample()
        with st.expander("Options", icon=":material/tune:"):
            options()
    with right, st.container(border=True):
        st.markdown("##### For a good answer")
        for icon, what, how in ADVICE:
            st.markdown(f":material/{icon}: &nbsp;**{what}**  \n:small[:gray[{how}]]")


def sample() -> None:
    """A way to see it work without a clip at hand."""
    st.button(
        "Try the sample",
        icon=":material/play_circle:",
        disabled=not SAMPLE.is_file(),
        help=None if SAMPLE.is_file() else "The sample clip is missing from this installation.",
        on_click=lambda: analyse(SAMPLE, "sample squat.mp4", chosen_options()),
    )


def options() -> None:
    """The pose model and the flip test."""
    try:
        models, default = read_manifest().models + local_models(), manifest_entry(None, "pose")
    except GymformError as error:
        tell(error)
        return
    names = [model.name for model in models if model.kind == "pose"]
    st.selectbox(
        "Pose model",
        names,
        index=names.index(default.name),
        key="pose_model",
        persist_state="session",
        help="The network that finds the joints. More can be fetched in the terminal: "
        "`python -m gymform weights list`.",
    )
    st.toggle(
        "Flip test",
        key="flip_test",
        persist_state="session",
        help="Look at every frame a second time, mirrored: a little more exact, twice as slow.",
    )


# -- at work ---------------------------------------------------------------------------------


@st.fragment(run_every=0.5)
def working() -> None:
    """Progress, an estimate and a way out; the rest of the app stays free."""
    state = st.session_state
    status = job_queue().status(state.key, state.session)
    if status.state not in (State.WAITING, State.RUNNING):
        st.rerun()
    with st.container(border=True):
        st.progress(status.fraction, text=_progress_text(status))
        st.markdown(_steps(status.stage))
        if st.button("Cancel", icon=":material/close:"):
            go_back()
            state.problem = Cancelled("The analysis was cancelled.")
            st.rerun()


def _progress_text(status: Status) -> str:
    if status.state is State.WAITING and status.ahead:
        count = "one analysis" if status.ahead == 1 else f"{status.ahead} analyses"
        return f"**Waiting** for {count} before this one"
    if not status.stage:
        return "**Starting**"
    done = f"**{status.fraction:.0%}**".replace("%", " %")
    return done if status.eta_s is None else f"{done} · {_duration(status.eta_s)} left"


def _steps(stage: str) -> str:
    """The stages as a list: what is done, what is under way, what is to come."""
    names = list(STAGES)
    now = names.index(stage) if stage in names else -1
    done = [f":material/check_circle: {STAGES[name]}" for name in names[: max(now, 0)]]
    under_way = [f":material/pending: **{STAGES[stage]}**"] if now >= 0 else []
    to_come = [f":gray[:material/circle: {STAGES[name]}]" for name in names[now + 1 :]]
    return "  \n".join(done + under_way + to_come)


def _duration(seconds: float) -> str:
    """An estimate as people say it; no more exact than it is."""
    if seconds < 5:
        return "a few seconds"
    if seconds < 60:
        return f"about {5 * round(seconds / 5)} seconds"
    return f"about {round(seconds / 60)} min" if seconds >= 90 else "about a minute"


# -- done, or stopped ------------------------------------------------------------------------


def headline(name: str) -> None:
    """Which clip this is, and the way to another one."""
    left, right = st.columns([4, 1], vertical_alignment="center")
    left.markdown(f"#### {_plain(name)}")
    right.button("Another clip", icon=":material/add:", on_click=leave, width="stretch")


def done(folder: Path) -> None:
    """The result; one that was damaged on disk is thrown away, so that it can be made again."""
    from pages.components.result import load_result, show_result

    state = st.session_state
    try:
        result = load_result(folder)
    except GymformError as error:
        job_queue().store.forget(state.key)
        stopped(error)
        return
    headline(state.request.name)
    show_result(result, folder, state.request.name, on_other_person=follow)
    again()


def tell(problem: GymformError) -> None:
    """Say what went wrong, or only that the user's wish was done."""
    if isinstance(problem, Cancelled):
        st.info(str(problem), icon=":material/info:")
    else:
        st.error(str(problem), icon=":material/error:")


def stopped(error: GymformError | None) -> None:
    """Why there is no answer, and what to do."""
    headline(st.session_state.request.name)
    tell(
        error or Cancelled("The analysis was stopped: this page was closed or silent for a while.")
    )
    with st.container(horizontal=True):
        st.button("Try again", icon=":material/refresh:", on_click=_repeat)
        if st.session_state.before:
            st.button("Back to the result", icon=":material/undo:", on_click=go_back)


def again() -> None:
    """The same clip with other options."""
    with st.expander("Analyse again with other options", icon=":material/tune:"):
        options()
        st.button("Analyse again", icon=":material/refresh:", on_click=_repeat)


def _repeat() -> None:
    """Ask for the same clip once more; from a failure, the result before stays in reach."""
    state = st.session_state
    request, before = state.request, state.before
    analyse(request.path, request.name, chosen_options(request.options.target))
    state.before = state.before or before


def _plain(name: str) -> str:
    """A file's name as text: nothing in it is markup, nor endlessly long."""
    shown = name if len(name) <= 60 else f"{name[:40]}…{name[-15:]}"
    return "".join(f"\\{char}" if char in r"\`*_{}[]()#+-.!|<>~$:" else char for char in shown)


main()
