"""One clip on a page: waiting, being analysed, stopped, or done. Pages provide the clip.

A page creates a :class:`ClipSession` in every run and asks it to show its state. The state is kept
under the page's name, so that two pages never mix up their clips.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from gymform.errors import BusyError, Cancelled, GymformError, NotAllowedError, OptionsError
from gymform.in_use import held
from gymform.installation import program
from gymform.service import deletion
from gymform.service.analysis_queue import JobQueue, Request, State, Status
from gymform.service.history import DONE, FAILED, GONE, owner_of_new
from gymform.service.summary import picture_of, read_summary
from gymform.text import cleaned
from gymform.trash import UNDO_S
from gymform.types import Target
from gymform.weights import local_models, manifest_entry, read_manifest
from pages.components import access, notes
from pages.components.entry import was_here
from pages.components.results import RESULT, STOPPED, history, job_queue, request_of
from pages.components.text import as_text, plain

if TYPE_CHECKING:
    from gymform.analysis import Options

SPEEDS = (None, 1.0, 2.0, 4.0, 8.0)
"""Slow motion that can be chosen: how many times slower than life; None: as the file says."""

STAGES = {
    "probe": "Read the clip",
    "search": "Look for the lifter",
    "pose": "Find the joints in every frame",
    "classify": "Recognise the exercise",
    "bar": "Follow the bar",
    "proxy": "Prepare the player",
}


def queue_or_reason() -> JobQueue | None:
    """The queue; None when it cannot be created, and the page then says why."""
    try:
        return job_queue()
    except OSError as error:
        st.error(
            f"gymform cannot write to its data folder ({error.strerror}). "
            "Set GYMFORM_HOME to a folder that can be written, and start it again.",
            icon=":material/error:",
        )
        return None


@dataclass(frozen=True)
class Deleted:
    """A clip that was just deleted: its entry in the trash, when, its result's key, its request,
    its address in the history."""

    entry: str
    at: float
    key: str
    request: Request
    address: str | None = None


@dataclass
class Place:
    """The state of one page in one session."""

    session: str = field(default_factory=lambda: uuid.uuid4().hex)
    key: str | None = None
    request: Request | None = None
    address: str | None = None
    """Where the clip is in the history; None where that cannot be written."""
    asked: str = ""
    """The address in the browser's address bar in the last run."""
    before: tuple[str, Request, str | None] | None = None
    """The result that was shown before this clip."""
    refused: tuple[Request, BusyError] | None = None
    """A clip that the full queue refused: it is kept until the user tries again or leaves."""
    problem: GymformError | None = None
    """An error to show in the next run."""
    deleted: Deleted | None = None
    """The clip that was deleted last."""
    left: int = 0
    """How many clips the user has left; part of the keys of the widgets that ask for a new one."""


class ClipSession:
    """The clips of one page in one session.

    ``page`` is part of the key in the session's state; ``another`` is the label of the button that
    leaves a clip.
    """

    def __init__(self, page: str, another: str) -> None:
        self._page = page
        self._another = another
        self.place: Place = st.session_state.setdefault(f"flow-{page}", Place())

    # -- what the user does --------------------------------------------------------------------

    def analyse(self, path: Path, name: str, options: Options) -> None:
        """Put a stored clip into the queue, and make it this session's clip."""
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
            self._note()
        except BusyError as error:
            self.go_back()
            self.place.refused = request, error
        except GymformError as error:
            self.go_back()
            self.place.problem = error

    def leave(self) -> None:
        """Drop the clip of this session, and its job unless another session wants it."""
        if self.place.key:
            job_queue().cancel(self.place.key, self.place.session)
        if self.place.address:
            with contextlib.suppress(GymformError):
                history().drop(self.place.address)
        self.put_away()

    def put_away(self) -> None:
        """Show the start again; a job goes on, and can be found in the history."""
        self.place.key = self.place.before = self.place.refused = self.place.address = None
        self.place.asked = ""
        self.place.left += 1
        st.query_params.pop(RESULT, None)

    def go_back(self) -> None:
        """Leave, and return to the result that was shown before, if there was one."""
        before = self.place.before
        self.leave()
        if before:
            self.place.key, self.place.request, self.place.address = before

    def open(self, address: str) -> None:
        """Make the result or the job at an address this session's clip."""
        try:
            entry = history().get(address)
            if entry is None:
                raise OptionsError(GONE)
        except GymformError as error:
            self.put_away()
            self.place.problem = error
            return
        self.put_away()
        self.place.address, self.place.asked = entry.address, entry.address
        self.place.key, self.place.request = entry.key, request_of(entry)
        st.query_params[RESULT] = entry.address
        job_queue().join(entry.key, self.place.session)

    def _note(self) -> None:
        """Write the clip into the history, which gives it an address."""
        request, key = self._request, self.place.key
        assert key is not None
        folder = job_queue().store.find(key)
        try:
            entry = history().add(
                key,
                name=request.name,
                path=request.path,
                options=asdict(request.options),
                clip_sha256=request.clip_sha256(),
                owner=owner_of_new(),
                summary=read_summary(folder) if folder else None,
            )
            if not folder and (folder := job_queue().store.find(key)):  # it has just ended
                history().finish(key, read_summary(folder), None)
        except GymformError as error:
            self.place.problem = error
            return
        self.place.address = self.place.asked = entry.address
        st.query_params[RESULT] = entry.address

    def _follow_address(self) -> None:
        """Go where the browser's address bar points: it may be a link, a reload or the way back."""
        place = self.place
        asked = st.query_params.get(RESULT, "")
        if asked and asked != place.address:
            self.open(asked)
        elif not asked and place.address:
            if was_here() and place.asked:  # the browser's own way back
                self.put_away()
            else:
                st.query_params[RESULT] = place.asked = place.address

    @property
    def is_mine(self) -> bool:
        """Whether the clip may be changed, deleted, and analysed again: it is not somebody else's
        whose address was passed on."""
        if self.place.address is None:
            return True
        try:
            history().check_mine(self.place.address)
        except NotAllowedError:
            return False
        except GymformError:
            return True
        return True

    def follow(self, target: Target) -> None:
        """Analyse the same clip again, following another person."""
        request = self._request
        if self.is_mine:
            self.analyse(request.path, request.name, chosen_options(target))

    def follow_plate(self, plate: tuple[float, float, float, float] | None) -> None:
        """Follow the bar of the same clip again, by the plate that was shown, or that is found."""
        self._with_bar(plate=plate, plate_mm=None)

    def measure_by(self, plate_mm: float) -> None:
        """Measure the bar of the same clip again, whose plate has this diameter, mm."""
        self._with_bar(plate_mm=plate_mm)

    def check_by(self, height_cm: float | None) -> None:
        """Check the bar's metres by how tall the lifter is, cm; None: do not."""
        self._with_bar(height_cm=height_cm)

    def _with_bar(self, **said: Any) -> None:
        request = self._request
        if self.is_mine:
            self.analyse(request.path, request.name, replace(request.options, **said))

    def repeat(self) -> None:
        """Analyse the same clip again; after a failure, the result before stays available."""
        request, before = self._request, self.place.before
        if not self.is_mine:
            return
        self.analyse(request.path, request.name, chosen_options(request.options.target))
        self.place.before = self.place.before or before

    # -- what the page shows -------------------------------------------------------------------

    def show(self, welcome: Callable[[GymformError | None], None]) -> None:
        """Show the clip's state; without a clip ``welcome``, given why the last analysis failed."""
        self._follow_address()
        problem, self.place.problem = self.place.problem, None
        self._deleted()
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
            self._stopped(status.error or self._why_not())

    def _why_not(self) -> GymformError | None:
        """What the history knows of a clip that the queue does not know any more."""
        if self.place.address is None:
            return None
        try:
            entry = history().get(self.place.address)
        except GymformError as error:
            return error
        if entry is not None and entry.state == FAILED:
            return GymformError(entry.problem)
        if entry is not None and entry.state == DONE:
            return GymformError(
                "The files of this result were deleted to make room for newer ones. "
                "Analyse the clip again, or upload it again if it is gone too."
            )
        return None

    @property
    def _request(self) -> Request:
        assert self.place.request is not None
        return self.place.request

    def _result_on_screen(self) -> tuple[str, Request, str | None] | None:
        key = self.place.key
        if key and job_queue().store.find(key):
            return key, self._request, self.place.address
        return None

    def _headline(self, name: str | None = None) -> None:
        """The clip's name, and a button to leave it for another one."""
        left, right = st.columns([4, 1], vertical_alignment="center")
        left.markdown(f":gray[{plain(name or self._request.name)}]")
        right.button(self._another, icon=":material/add:", on_click=self.leave, width="stretch")

    @st.fragment(run_every=0.5)
    def _working(self) -> None:
        """Progress, an estimate and a button to cancel; the rest of the app stays usable."""
        assert self.place.key is not None
        status = job_queue().status(self.place.key, self.place.session)
        if status.state not in (State.WAITING, State.RUNNING):
            st.rerun()
        with st.container(border=True):
            st.progress(status.fraction, text=_progress_text(status))
            if status.first:
                _first_answer(status.first)
            else:
                st.markdown(_steps(status.stage))
            if st.button("Cancel", icon=":material/close:"):
                self.go_back()
                self.place.problem = Cancelled("The analysis was cancelled.")
                st.rerun()

    def _done(self, folder: Path) -> None:
        """The result. One that is damaged on disk is deleted, so that it can be made again."""
        from pages.components.bar import Again
        from pages.components.result import load_result, show_result

        with held(folder):  # nothing deletes it while it is read
            try:
                result = load_result(folder)
            except GymformError as error:
                assert self.place.key is not None
                job_queue().store.forget(self.place.key)
                self._stopped(error)
                return
            self._headline()
            is_mine = self.is_mine
            again = Again(self.follow, self.follow_plate, self.measure_by, self.check_by)
            if self.place.address:
                notes.show(self.place.address, is_mine=is_mine)
            show_result(result, folder, self._request.name, again=again if is_mine else None)
            if self.place.address and is_mine:
                notes.against_reference(self.place.address)
        if not is_mine:
            return
        with st.expander("Analyse again with other options", icon=":material/tune:"):
            show_options()
            st.button("Analyse again", icon=":material/refresh:", on_click=self.repeat)
        self._offer_deletion()

    # -- deletion ------------------------------------------------------------------------------

    def _offer_deletion(self) -> None:
        """A button to delete the clip, behind another one that says what goes."""
        with st.popover("Delete", icon=":material/delete:"):
            st.caption(
                "The clip and everything found in it are deleted on the computer that runs "
                "gymform. For a minute it can be undone."
            )
            st.button(
                "Delete this clip and its results", icon=":material/delete:", on_click=self.delete
            )

    def delete(self) -> None:
        """Delete the clip with all its results, also those that were shown before."""
        key, request, address = self.place.key, self._request, self.place.address
        assert key is not None
        try:
            sha256 = history().check_mine(address).clip_sha256 if address else ""
            entry = deletion.delete_results(job_queue().store, request.path, key, history(), sha256)
        except GymformError as error:
            self.place.problem = error
            return
        self.leave()
        self.place.deleted = Deleted(entry, time.monotonic(), key, request, address)
        forget_results()

    def _deleted(self) -> None:
        """For a minute after a deletion, a way to undo it."""
        if self.place.deleted is None:
            return
        if time.monotonic() - self.place.deleted.at > UNDO_S:
            self.place.deleted = None
            return
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.info("The clip and its results are deleted.", icon=":material/delete:")
        right.button("Undo", icon=":material/undo:", on_click=self.restore, width="stretch")

    def restore(self) -> None:
        """Bring the deleted clip back, and show it."""
        deleted, self.place.deleted = self.place.deleted, None
        assert deleted is not None
        try:
            deletion.restore_results(deleted.entry, history())
        except GymformError as error:
            self.place.problem = error
            return
        self.leave()
        self.place.key, self.place.request = deleted.key, deleted.request
        self.place.address = deleted.address

    def _refused(self, request: Request, error: BusyError) -> None:
        """Say that the queue is full, and offer to try again with the same clip."""
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
        """Drop the clip that the full queue refused."""
        self.place.refused = None

    def _stopped(self, error: GymformError | None) -> None:
        """Why there is no result, and buttons for what to do."""
        self._headline()
        tell(error or Cancelled(STOPPED))
        if not self.is_mine:
            return
        with st.container(horizontal=True):
            st.button("Try again", icon=":material/refresh:", on_click=self.repeat)
            if self.place.before:
                st.button("Back to the result", icon=":material/undo:", on_click=self.go_back)
            self._offer_deletion()


def forget_results() -> None:
    """Drop all results from memory; those that are still on disk are read again."""
    from pages.components import result

    result.load_result.clear()
    result.player_data.clear()


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
        help="Look at every frame a second time, mirrored: a little more accurate, twice as slow.",
    )
    st.selectbox(
        "Slow motion",
        SPEEDS,
        format_func=_speed,
        key="slow_motion",
        persist_state="session",
        help="How many times slower than life the clip plays. Times and speeds are those of life.",
    )


def _speed(slow_motion: float | None) -> str:
    if slow_motion is None:
        return "as the file says"
    return "no slow motion" if slow_motion == 1 else f"{slow_motion:g} times slower than life"


def chosen_options(target: Target | None = None) -> Options:
    """The options chosen in the widgets."""
    from gymform.analysis import Options

    state = st.session_state
    return Options(
        pose_model=state.get("pose_model"),
        flip_test=state.get("flip_test", False),
        target=target,
        slow_motion=state.get("slow_motion"),
    )


# -- words -----------------------------------------------------------------------------------


def tell(problem: GymformError) -> None:
    """Show what went wrong; a cancellation is shown as information, not as an error."""
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


def _first_answer(folder: Path) -> None:
    """What the small network says, with its pictures, while the large one looks more closely."""
    from pages.components.result import in_short, load_result

    try:
        answer = in_short(load_result(folder))
        count = len(read_summary(folder).get("repetitions", []))
        paths = [folder / picture_of(number) for number in range(min(count, 6))]
        pictures = [path.read_bytes() for path in paths if path.is_file()]
    except (GymformError, OSError):  # the last answer has just taken its place
        return
    with st.container(border=True, key="first-answer"):
        st.markdown(f"### :material/bolt: First answer\n{answer}")
        st.caption("By a small network. A large one is looking more closely now.")
        with st.container(horizontal=True):
            for number, picture in enumerate(pictures, 1):
                st.image(picture, width=110, alt=f"Repetition {number}")


def _steps(stage: str) -> str:
    """The stages as a list: done, current, and to come."""
    names = list(STAGES)
    now = names.index(stage) if stage in names else -1
    done = [f":material/check_circle: {STAGES[name]}" for name in names[: max(now, 0)]]
    under_way = [f":material/pending: **{STAGES[stage]}**"] if now >= 0 else []
    to_come = [f":gray[:material/circle: {STAGES[name]}]" for name in names[now + 1 :]]
    return "  \n".join(done + under_way + to_come)


def _duration(seconds: float) -> str:
    """An estimated duration, rounded as people would say it."""
    if seconds < 5:
        return "a few seconds"
    if seconds < 60:
        return f"about {5 * round(seconds / 5)} seconds"
    return f"about {round(seconds / 60)} min" if seconds >= 90 else "about a minute"
