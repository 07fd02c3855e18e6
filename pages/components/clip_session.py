"""One clip's way on a page: in the queue, at work, stopped, or done. Pages bring the clip.

A page makes a :class:`ClipSession` in every run and asks it to show what there is; where a session
stands is kept under the page's name, so that two pages never take each other's clip.
"""

from __future__ import annotations

import importlib
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from gymform.errors import BusyError, Cancelled, GymformError
from gymform.installation import program
from gymform.service import analysis_queue
from gymform.service.analysis_queue import JobQueue, Request, State, Status
from gymform.service.once import Once
from gymform.text import cleaned
from gymform.types import Target
from gymform.weights import local_models, manifest_entry, read_manifest
from pages.components import access
from pages.components.text import as_text, plain

if TYPE_CHECKING:
    from gymform.analysis import Options

STAGES = {
    "probe": "Read the clip",
    "search": "Look for the lifter",
    "pose": "Find the joints in every frame",
    "classify": "Recognise the exercise",
    "draw": "Draw the skeleton into the video",
    "proxy": "Prepare the player",
}


@Once
def job_queue() -> JobQueue:
    """The one queue of this app, shared by all sessions."""
    # What a result needs takes seconds to import: begin while the first user looks for a clip.
    load = threading.Thread(target=importlib.import_module, args=("gymform.analysis",), daemon=True)
    load.start()
    return analysis_queue.JobQueue()


def queue_or_reason() -> JobQueue | None:
    """The queue; None where there is none, and the page then says why."""
    try:
        return job_queue()
    except OSError as error:
        st.error(
            f"gymform cannot keep anything in its data folder ({error.strerror}). "
            "Set GYMFORM_HOME to a folder that can be written, and start it again.",
            icon=":material/error:",
        )
        return None


@dataclass
class Place:
    """Where a session stands on one page."""

    session: str = field(default_factory=lambda: uuid.uuid4().hex)
    key: str | None = None
    request: Request | None = None
    before: tuple[str, Request] | None = None
    """The result that was on the screen before this clip."""
    refused: tuple[Request, BusyError] | None = None
    """A clip for which the queue had no room: it is kept until the user tries again or leaves."""
    problem: GymformError | None = None
    """What to tell in the next run."""
    left: int = 0
    """How many clips were left: what is asked for a new one gets another key with each."""


class ClipSession:
    """The clips of one page in one session.

    ``page`` names the place in the session's state; ``another`` is the label of the button that
    leaves a clip.
    """

    def __init__(self, page: str, another: str) -> None:
        self._another = another
        self.place: Place = st.session_state.setdefault(f"flow-{page}", Place())

    # -- what the user does --------------------------------------------------------------------

    def analyse(self, path: Path, name: str, options: Options) -> None:
        """Put a stored clip into the queue and let this session follow it."""
        before = self._result_on_screen()
        self.leave()
        self.place.before = before
        request = Request(path, cleaned(name) or "clip", options)
        try:
            whose, may_wait = access.owner() or ("", 0)
            self.place.key = job_queue().submit(
                request, self.place.session, owner=whose, owner_may_wait=may_wait
            )
            self.place.request = request
        except BusyError as error:
            self.go_back()
            self.place.refused = request, error
        except GymformError as error:
            self.go_back()
            self.place.problem = error

    def leave(self) -> None:
        """Drop the clip of this session, and its job where nobody else wants it."""
        if self.place.key:
            job_queue().cancel(self.place.key, self.place.session)
        self.place.key = self.place.before = self.place.refused = None
        self.place.left += 1

    def go_back(self) -> None:
        """Leave, for the result that was on the screen before, if there was one."""
        before = self.place.before
        self.leave()
        if before:
            self.place.key, self.place.request = before

    def follow(self, target: Target) -> None:
        """Analyse the same clip again, following another person."""
        request = self._request
        self.analyse(request.path, request.name, chosen_options(target))

    def repeat(self) -> None:
        """Ask for the same clip once more; from a failure, the result before stays in reach."""
        request, before = self._request, self.place.before
        self.analyse(request.path, request.name, chosen_options(request.options.target))
        self.place.before = self.place.before or before

    # -- what the page shows -------------------------------------------------------------------

    def show(self, welcome: Callable[[GymformError | None], None]) -> None:
        """Show the clip's state; without a clip ``welcome``, told why there was no analysis."""
        problem, self.place.problem = self.place.problem, None
        if self.place.refused:
            self._refused(*self.place.refused)
            return
        if self.place.key is None:
            welcome(problem)
            return
        if problem:
            tell(problem)
        queue = job_queue()
        status = queue.status(self.place.key, self.place.session)
        if status.state in (State.WAITING, State.RUNNING):
            self._headline()
            self._working()
        elif status.state is State.DONE and (folder := queue.store.find(self.place.key)):
            self._done(folder)
        else:
            self._stopped(status.error)

    @property
    def _request(self) -> Request:
        assert self.place.request is not None
        return self.place.request

    def _result_on_screen(self) -> tuple[str, Request] | None:
        key = self.place.key
        return (key, self._request) if key and job_queue().store.find(key) else None

    def _headline(self, name: str | None = None) -> None:
        """Which clip this is, and the way to another one."""
        left, right = st.columns([4, 1], vertical_alignment="center")
        left.markdown(f"#### {plain(name or self._request.name)}")
        right.button(self._another, icon=":material/add:", on_click=self.leave, width="stretch")

    @st.fragment(run_every=0.5)
    def _working(self) -> None:
        """Progress, an estimate and a way out; the rest of the app stays free."""
        assert self.place.key is not None
        status = job_queue().status(self.place.key, self.place.session)
        if status.state not in (State.WAITING, State.RUNNING):
            st.rerun()
        with st.container(border=True):
            st.progress(status.fraction, text=_progress_text(status))
            st.markdown(_steps(status.stage))
            if st.button("Cancel", icon=":material/close:"):
                self.go_back()
                self.place.problem = Cancelled("The analysis was cancelled.")
                st.rerun()

    def _done(self, folder: Path) -> None:
        """The result; one that was damaged on disk is thrown away, so that it can be made again."""
        from pages.components.result import load_result, show_result

        try:
            result = load_result(folder)
        except GymformError as error:
            assert self.place.key is not None
            job_queue().store.forget(self.place.key)
            self._stopped(error)
            return
        self._headline()
        show_result(result, folder, self._request.name, on_other_person=self.follow)
        with st.expander("Analyse again with other options", icon=":material/tune:"):
            show_options()
            st.button("Analyse again", icon=":material/refresh:", on_click=self.repeat)

    def _refused(self, request: Request, error: BusyError) -> None:
        """The queue was full: the clip waits here."""
        self._headline(request.name)
        st.warning(as_text(error), icon=":material/hourglass_top:")
        with st.container(horizontal=True):
            st.button(
                "Try again",
                icon=":material/refresh:",
                on_click=self.analyse,
                args=(request.path, request.name, request.options),
            )
            if self.place.key:
                st.button(
                    "Back to the result", icon=":material/undo:", on_click=self.forget_refused
                )

    def forget_refused(self) -> None:
        """Give up the clip for which there was no room."""
        self.place.refused = None

    def _stopped(self, error: GymformError | None) -> None:
        """Why there is no answer, and what to do."""
        self._headline()
        silent = "The analysis was stopped: this page was closed or silent for a while."
        tell(error or Cancelled(silent))
        with st.container(horizontal=True):
            st.button("Try again", icon=":material/refresh:", on_click=self.repeat)
            if self.place.before:
                st.button("Back to the result", icon=":material/undo:", on_click=self.go_back)


# -- how to analyse --------------------------------------------------------------------------


def show_options() -> None:
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
        f"`{program()} weights list`.",
    )
    st.toggle(
        "Flip test",
        key="flip_test",
        persist_state="session",
        help="Look at every frame a second time, mirrored: a little more exact, twice as slow.",
    )


def chosen_options(target: Target | None = None) -> Options:
    """The options as the widgets stand."""
    from gymform.analysis import Options

    state = st.session_state
    return Options(
        pose_model=state.get("pose_model"), flip_test=state.get("flip_test", False), target=target
    )


# -- words -----------------------------------------------------------------------------------


def tell(problem: GymformError) -> None:
    """Say what went wrong, or only that the user's wish was done."""
    if isinstance(problem, Cancelled):
        st.info(as_text(problem), icon=":material/info:")
    else:
        st.error(as_text(problem), icon=":material/error:")


def _progress_text(status: Status) -> str:
    if status.state is State.WAITING and status.ahead:
        count = "one analysis" if status.ahead == 1 else f"{status.ahead} analyses"
        left = "" if status.eta_s is None else f" · begins in {_duration(status.eta_s)}"
        return f"**Waiting** for {count} before this one{left}"
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
