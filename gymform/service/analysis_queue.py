"""Analyses in the background: a queue, workers behind it, results on disk.

A page submits a clip and polls; it never waits. As many jobs run at once as the engine has slots
(see `analysis_engine.py`): one in a process on this machine, so memory is bounded by one analysis
however many sessions there are, or several on a cluster. A worker is never in the app's process, so
a crash in a decoder costs one job and not the app. A job's key covers everything that the result
depends on: the clip's content, the options, the weights, the version. A known key is answered from
disk at once, and two sessions that ask for the same key share one job.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import hashlib
import itertools
import json
import logging
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gymform import __version__, errors, limits
from gymform.errors import BusyError, GymformError, VideoError, WorkerError
from gymform.in_use import hold, release
from gymform.service.analysis_engine import Engine, LocalEngine, Worker
from gymform.service.analysis_worker import CLIP_GONE, DEFAULT_WORK, FIRST
from gymform.service.result_store import ResultStore
from gymform.weights import manifest_entry, sha256_of

if TYPE_CHECKING:
    from gymform.analysis import Options

_log = logging.getLogger(__name__)

_TICK_S = 0.5
"""How often the queue checks for abandoned and overdue jobs while one is running."""

_REMEMBERED = 200
"""Number of ended jobs whose status is kept."""

STOPPED = (
    "The analysis stopped in the middle: memory ran out, or something in the file broke the video "
    "decoder. Try again; if it happens again, use a shorter clip or save it as MP4 first."
)
HUNG = (
    "The analysis made no progress for a long time and was stopped. "
    "Try again; if it happens again, use a shorter clip or save it as MP4 first."
)


@dataclass(frozen=True)
class Request:
    """What to analyse: a stored clip, its name as the user knows it, and the options."""

    path: Path
    name: str
    options: Options

    def key(self) -> str:
        """64 hexadecimal digits, a hash of everything that the result depends on.

        Raises WeightsError when a model is missing, VideoError when the clip is gone.
        """
        return _digest(self._parts() | {"exercise": manifest_entry(None, "exercise").sha256})

    def pose_key(self) -> str:
        """The same of everything that the keypoints depend on: not the exercise model, nor what
        was said of the bar.
        """
        parts = self._parts()
        options = {name: said for name, said in parts["options"].items() if name not in OF_BAR}
        return _digest(parts | {"options": options})

    def _parts(self) -> dict[str, Any]:
        return {
            "clip": self.clip_sha256(),
            # the model goes by its content, not by its name
            "options": asdict(self.options) | {"pose_model": None},
            "pose": manifest_entry(self.options.pose_model, "pose").sha256,
            "version": __version__,
        }

    def clip_sha256(self) -> str:
        """The sha256 of the clip's content. Raises VideoError when the clip is gone."""
        try:
            kept = self.path.stat()
            return _sha256(self.path, kept.st_size, kept.st_mtime_ns)
        except OSError:
            raise VideoError(CLIP_GONE) from None

    def as_message(self) -> dict[str, Any]:
        """The request as the worker reads it."""
        return {"path": str(self.path), "name": self.name, "options": asdict(self.options)}


OF_BAR = ("plate", "plate_mm", "height_cm")
"""Options that the keypoints do not depend on."""


def _digest(parts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@functools.lru_cache(maxsize=256)
def _sha256(path: Path, size: int, changed_ns: int) -> str:
    """The sha256 of a file that is as it was at that time: it is read once."""
    return sha256_of(path)


class State(Enum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Status:
    """What a page may show of a job.

    ``ahead`` is the number of jobs before it, ``fraction`` the share that is done, ``eta_s`` the
    estimated seconds to go, of a waiting job until it begins (None while unknown), ``error`` why
    it failed. ``first`` is the folder of the first answer of a running job, as `analysis_io.load`
    reads it, from when it is there until the job ends.
    """

    state: State
    ahead: int = 0
    stage: str = ""
    fraction: float = 0.0
    eta_s: float | None = None
    error: GymformError | None = None
    first: Path | None = None


@dataclass(eq=False)
class _Job:
    """The work for one key; ``claims`` are the sessions that want it, by when each last polled."""

    key: str
    request: Request
    number: int
    owner: str = ""
    """Whose quota it uses up while it waits; "" where nobody counts."""
    claims: dict[str, float] = field(default_factory=dict)
    state: State = State.WAITING
    error: GymformError | None = None
    progress: Estimate | None = None
    first: Path | None = None
    """Where the first answer is, while the job runs."""
    held: int | None = None
    """Keeps the clip's folder from being deleted while the job waits or runs."""
    begun: bool = False
    """Whether a worker has said anything about it."""
    began_s: float = 0.0
    """When it began, by `time.monotonic`."""
    stop_by: float | None = None
    """When the worker of a cancelled job is killed if still at it; None for one not cancelled."""

    @property
    def ended(self) -> bool:
        return self.state in (State.DONE, State.FAILED, State.CANCELLED)

    def let_go(self) -> None:
        """Let the clip's folder be deleted again."""
        release(self.held)
        self.held = None


@dataclass(eq=False)
class _Slot:
    """A place at which one job runs at a time: its thread, its worker, the job it is at."""

    thread: threading.Thread | None = None
    worker: Worker | None = None
    job: _Job | None = None


@dataclass(frozen=True)
class Ended:
    """How a job ended: with a result in ``folder``, or for the reason ``error``.

    ``took_s`` is how long it ran; 0 for one that was stopped while it waited.
    """

    key: str
    folder: Path | None
    error: GymformError | None
    took_s: float


class JobQueue:
    """Takes requests, runs them, reports their progress. Safe to call from any thread.

    The ``engine`` runs the jobs, by default this machine, which does ``work``. Raises OptionsError
    when it cannot be reached.
    """

    def __init__(
        self,
        store: ResultStore | None = None,
        *,
        engine: Engine | None = None,
        work: str = DEFAULT_WORK,
        max_waiting: int = limits.MAX_QUEUED_JOBS,
        abandoned_after_s: float = limits.ABANDONED_AFTER_S,
        silent_after_s: float = limits.MAX_SILENT_S,
        grace_s: float = 5.0,
    ) -> None:
        self.store = store or ResultStore()
        self._engine = engine or LocalEngine(work)
        self._engine.connect()
        self._max_waiting = max_waiting
        self._abandoned_after_s = abandoned_after_s
        self._silent_after_s = silent_after_s
        self._grace_s = grace_s
        self._on_end: Callable[[Ended], None] | None = None
        self._on_begin: Callable[[str], None] | None = None
        self._changed = threading.Condition()
        self._jobs: OrderedDict[str, _Job] = OrderedDict()
        self._waiting: deque[_Job] = deque()
        self._slots = [_Slot() for _ in range(self._engine.slots)]
        self._shares = dict(STAGE_SHARES)
        self._mean_s: float | None = None
        self.pace_s: float | None = None
        """Seconds that an analysis takes for each frame here; learned, or set by who knows it."""
        self._numbers = itertools.count(1)
        self._closed = False
        for slot in self._slots:
            slot.thread = threading.Thread(
                target=self._serve, args=(slot,), name="gymform-jobs", daemon=True
            )
            slot.thread.start()
        atexit.register(self.close)

    def submit(
        self, request: Request, session: str, *, owner: str = "", owner_may_wait: int = 0
    ) -> str:
        """The key of the job for ``request``: a finished, a shared or a new one.

        ``owner`` is whoever asks, in whatever session, and ``owner_may_wait`` how many of their
        jobs may wait at once. Raises BusyError when too many are waiting already, WeightsError
        when a model is missing.
        """
        key = request.key()
        with self._changed:
            if self.store.find(key):
                return key
            job = self._jobs.get(key)
            if job is None or job.ended or job.stop_by is not None:
                if owner:
                    self._check_owner(owner, owner_may_wait)
                job = self._enqueue(key, request, owner)
            job.claims[session] = time.monotonic()
        return key

    def listen(
        self, on_end: Callable[[Ended], None], on_begin: Callable[[str], None] | None = None
    ) -> None:
        """Have ``on_end`` hear of every job that ends while the queue is open.

        It is called in whatever thread ends the job, before pages see a new result. ``on_begin``
        hears the key of each job that begins.
        """
        self._on_end, self._on_begin = on_end, on_begin

    def join(self, key: str, session: str) -> None:
        """This session wants the job as well, if there is one that has not ended."""
        with self._changed:
            job = self._jobs.get(key)
            if job and not job.ended:
                job.claims[session] = time.monotonic()

    def status(self, key: str, session: str) -> Status:
        """The state of the job. Asking also shows that the session is still alive."""
        with self._changed:
            job = self._jobs.get(key)
            if (job is None or job.ended) and self.store.find(key):
                return Status(State.DONE)
            if job is None or job.state is State.DONE:  # the result was deleted
                return Status(State.CANCELLED)
            if session in job.claims:
                job.claims[session] = time.monotonic()
            return self._describe(job)

    def cancel(self, key: str, session: str) -> None:
        """This session no longer wants the job; it stops unless another session does."""
        with self._changed:
            job = self._jobs.get(key)
            if job and job.claims.pop(session, None) is not None and not job.claims:
                self._stop(job)

    def close(self) -> None:
        """Stop the workers; no job runs afterwards."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            for slot in self._slots:
                if slot.worker:
                    slot.worker.kill()
        atexit.unregister(self.close)

    # -- with the lock held ------------------------------------------------------------------

    def _check_owner(self, owner: str, may_wait: int) -> None:
        """Raise BusyError when as many jobs of ``owner`` wait as may."""
        places = [place for place, job in enumerate(self._waiting) if job.owner == owner]
        if len(places) >= may_wait:
            first = places[0] + 1
            raise BusyError(
                f"{len(places)} of your analyses are waiting already, as many as one visitor may "
                f"have; the first is number {first} in the queue and begins "
                f"{_in_about(self._wait_s(first - 1))}. Try again then."
            )

    def _enqueue(self, key: str, request: Request, owner: str) -> _Job:
        if (waiting := len(self._waiting)) >= self._max_waiting:
            raise BusyError(
                f"gymform is busy: {waiting} analyses are waiting already, yours would be number "
                f"{waiting + 1} and begin {_in_about(self._wait_s(waiting))}. A place in the queue "
                f"is free {_in_about(self._wait_s(0))}: try again then."
            )
        job = _Job(key, request, next(self._numbers), owner, held=hold(request.path.parent))
        self._jobs[key] = job
        self._jobs.move_to_end(key)
        self._waiting.append(job)
        self._forget_old_jobs()
        self._changed.notify_all()
        return job

    def _forget_old_jobs(self) -> None:
        ended = [key for key, job in self._jobs.items() if job.ended]
        for key in ended[: max(0, len(self._jobs) - _REMEMBERED)]:
            del self._jobs[key]

    def _describe(self, job: _Job) -> Status:
        if job.state is State.WAITING:
            place = self._waiting.index(job)
            ahead = place + len(self._running())
            return Status(State.WAITING, ahead=ahead, eta_s=self._wait_s(place))
        if job.state is State.RUNNING and job.progress:
            progress = job.progress
            eta_s = progress.eta_s()
            return Status(
                State.RUNNING, 0, progress.stage, progress.fraction, eta_s, first=job.first
            )
        return Status(job.state, error=job.error)

    def _wait_s(self, place: int) -> float | None:
        """Estimated seconds until the job with ``place`` others waiting before it begins."""
        if self._mean_s is None:
            return None
        rounds, earlier = divmod(place, len(self._slots))
        free_s = [0.0] * (len(self._slots) - len(self._running()))
        for job in self._running():
            eta_s = job.progress.eta_s() if job.progress else None
            free_s.append(self._mean_s if eta_s is None else eta_s)
        return rounds * self._mean_s + sorted(free_s)[earlier]

    def _running(self) -> list[_Job]:
        return [slot.job for slot in self._slots if slot.job]

    def _stop(self, job: _Job) -> None:
        """Take an unwanted job out of the queue, or ask the worker to stop it."""
        if job.state is State.WAITING:
            self._waiting.remove(job)
            job.state = State.CANCELLED
            job.let_go()
            self._tell(job, errors.Cancelled("The analysis was cancelled."))
        elif job.state is State.RUNNING and job.stop_by is None:
            job.stop_by = time.monotonic() + self._grace_s
            for slot in self._slots:
                if slot.job is job and slot.worker:
                    slot.worker.cancel(job.number)

    def _drop_abandoned(self) -> None:
        """Stop the jobs whose sessions have all stopped polling."""
        oldest = time.monotonic() - self._abandoned_after_s
        for job in [*self._waiting, *self._running()]:
            job.claims = {who: seen for who, seen in job.claims.items() if seen >= oldest}
            if not job.claims:
                self._stop(job)

    # -- the queue's own threads, one for each slot ------------------------------------------

    def _serve(self, slot: _Slot) -> None:
        """Run job after job until the queue is closed."""
        while job := self._next(slot):
            self._tell_begun(job)
            error: GymformError | None
            try:
                error = self._run(slot, job)
            except GymformError as problem:
                error = problem
            except OSError as problem:
                error = WorkerError(
                    f"The results cannot be written ({problem.strerror}). Free some space in "
                    "gymform's data folder and try again."
                )
            except Exception as problem:  # noqa: BLE001 - the thread must survive, or no job runs again
                _log.exception("the job queue failed")
                error = WorkerError(f"The analysis could not be run ({type(problem).__name__}).")
            if not error and job.stop_by is None:
                self._tell(job, None)  # before a page finds the result
            with self._changed:
                slot.job = None
                job.let_go()
                if job.stop_by is not None:
                    job.state = State.CANCELLED
                else:
                    job.state, job.error = (State.FAILED if error else State.DONE), error
            if job.state is not State.DONE:
                self._tell(job, error)

    def _tell_begun(self, job: _Job) -> None:
        if self._on_begin is None:
            return
        try:
            self._on_begin(job.key)
        except Exception:  # noqa: BLE001 - the analysis goes on all the same
            _log.exception("the beginning of a job could not be noted")

    def _tell(self, job: _Job, error: GymformError | None) -> None:
        """Tell whoever listens how a job ended; what ends with the app is taken up again later."""
        if self._on_end is None or self._closed:
            return
        folder = self.store.find(job.key) if error is None and job.stop_by is None else None
        took_s = time.monotonic() - job.began_s if job.began_s else 0.0
        try:
            self._on_end(Ended(job.key, folder, error, took_s))
        except Exception:  # noqa: BLE001 - the result is there all the same
            _log.exception("the end of a job could not be noted")

    def _next(self, slot: _Slot) -> _Job | None:
        """Wait for a job; None when the queue is closed.

        In the meantime a worker is started, or let go, as the engine has it.
        """
        if self._engine.keeps_ready and not self._closed:
            with contextlib.suppress(GymformError, OSError):  # tried again when there is a job
                self._ready_worker(slot)
        with self._changed:
            called = self._changed.wait_for(self._is_called, self._engine.idle_s)
        if not called and slot.worker and slot.worker.usable:
            slot.worker.kill()
        with self._changed:
            self._changed.wait_for(self._is_called)
            if self._closed:
                return None
            job = slot.job = self._waiting.popleft()
            job.state, job.progress = State.RUNNING, Estimate(self._shares, pace_s=self.pace_s)
            job.began_s = time.monotonic()
            return job

    def _is_called(self) -> bool:
        return self._closed or bool(self._waiting)

    def _ready_worker(self, slot: _Slot) -> Worker:
        """A usable worker; a new one when the last has died."""
        if slot.worker is None or not slot.worker.usable:
            worker = self._engine.start()
            with self._changed:
                slot.worker = worker
                if self._closed:
                    worker.kill()
        return slot.worker

    def _run(self, slot: _Slot, job: _Job) -> GymformError | None:
        """Have a worker run one job; the error that ended it, if any.

        A worker that ended before it began was killed while it waited, which is not the clip's
        fault: another one tries, once.
        """
        error = self._run_once(slot, job)
        if error is not None and str(error) == STOPPED and not job.begun and job.stop_by is None:
            error = self._run_once(slot, job)
        return error

    def _run_once(self, slot: _Slot, job: _Job) -> GymformError | None:
        worker = self._ready_worker(slot)
        if self._closed or job.stop_by is not None:
            return WorkerError(STOPPED)
        started = time.monotonic()
        with self.store.new_folder(job.key) as folder:
            worker.work(job.number, self._message_for(job), folder)
            try:
                error = self._follow(job, worker, folder)
            except BaseException:  # what it goes on with belongs to no job any more
                worker.kill()
                raise
            job.first = None
            if error is None and job.stop_by is None:
                self._keep(job, folder)
                with self._changed:
                    frames = job.progress.frames if job.progress else 0
                    self._learn(time.monotonic() - started, frames)
        return error

    def _message_for(self, job: _Job) -> dict[str, Any]:
        """The request, with the folder of a result whose keypoints can be judged again, if any.

        Another exercise model was taken into use since: the answer then comes in seconds.
        """
        message = job.request.as_message()
        with contextlib.suppress(GymformError):
            if known := self.store.with_poses(job.request.pose_key()):
                message["known"] = str(known)
        return message

    def _keep(self, job: _Job, folder: Path) -> None:
        with contextlib.suppress(GymformError):
            self.store.mark_poses(folder, job.request.pose_key())
        self.store.keep(job.key, folder)

    def _learn(self, took_s: float, frames: int) -> None:
        """Move the mean time of a job, and of a frame, halfway to what the last one took."""
        self._mean_s = took_s if self._mean_s is None else (self._mean_s + took_s) / 2
        if frames:
            pace_s = took_s / frames
            self.pace_s = pace_s if self.pace_s is None else (self.pace_s + pace_s) / 2

    def _follow(self, job: _Job, worker: Worker, folder: Path) -> GymformError | None:
        """Read the worker's messages until the job has ended; the error that ended it, if any."""
        assert job.progress is not None
        last_message_s = time.monotonic()
        while True:
            message = worker.message(_TICK_S)
            now = time.monotonic()
            with self._changed:
                self._drop_abandoned()
            if job.stop_by is not None and now > job.stop_by:
                worker.kill()
            if message is not None or not worker.started:
                last_message_s = now
            if message is None:
                if error := self._silence(worker, now - last_message_s):
                    return error
                continue
            if message["id"] != job.number:
                continue
            job.begun = True
            if message["is"] == "progress" and message["stage"] == FIRST:
                job.first = folder / FIRST
            elif message["is"] == "progress":
                job.progress.update(message["stage"], message["done"], message["total"])
            elif message["is"] == "done":
                self._shares = job.progress.learned()
                return None
            else:
                return _error_of(message)

    def _silence(self, worker: Worker, silent_s: float) -> GymformError | None:
        """Why a worker that said nothing for so long will say nothing more; None when it may."""
        if worker.ended:
            return WorkerError(STOPPED)
        if silent_s > self._silent_after_s:
            worker.kill()
            return WorkerError(HUNG)
        return None


def _error_of(message: Mapping[str, Any]) -> GymformError:
    """The worker's error as an exception of its original type."""
    if message["is"] == "cancelled":
        return errors.Cancelled("The analysis was cancelled.")
    kind = getattr(errors, message["kind"], None)
    known = isinstance(kind, type) and issubclass(kind, GymformError)
    return (kind if known else GymformError)(message["text"])  # type: ignore[misc]


def _in_about(seconds: float | None) -> str:
    """When something begins, as people say it."""
    if seconds is None:
        return "in a few minutes"
    if seconds < 90:
        return f"in about {max(5, 5 * round(seconds / 5))} seconds"
    return f"in about {round(seconds / 60)} minutes"


STAGE_SHARES: dict[str, float] = {
    "probe": 0.01,
    "search": 0.20,
    "pose": 0.55,
    "classify": 0.04,
    "bar": 0.05,
    "proxy": 0.15,
}
"""Share of the total time that each stage takes, in order; updated after every finished job."""

_EVERY_FRAME = "pose"
"""The stage that counts the frames of the clip."""

_WARM_UP = "probe"
"""The stage in which a new worker also loads its models."""


class Estimate:
    """How much of a job is done and how long the rest will take, from its stages' progress.

    ``pace_s`` is how long others took for each frame. It counts for the more, the less is done: an
    estimate from the first second alone halves or doubles with the next stage.
    """

    def __init__(
        self, shares: Mapping[str, float], now: float | None = None, pace_s: float | None = None
    ) -> None:
        self._pace_s = pace_s
        self.frames = 0
        self._shares = dict(shares)
        self._stage_started = time.monotonic() if now is None else now
        self._anchor: tuple[float, float] | None = None
        self._spent: dict[str, float] = {}
        self.stage = ""
        self.fraction = 0.0

    def update(self, stage: str, done: int, total: int, now: float | None = None) -> None:
        """Record the progress of a stage."""
        now = time.monotonic() if now is None else now
        if stage != self.stage:
            self._close_stage(now)
            self.stage = stage
            if self._anchor is None and stage != _WARM_UP:
                self._anchor = (now, self.fraction)
        if stage == _EVERY_FRAME:
            self.frames = total
        part = min(done / total, 1.0) if total > 0 else 0.0
        reached = self._before(stage) + self._shares.get(stage, 0.0) * part
        # never backwards: a bar that shrinks looks broken
        self.fraction = max(self.fraction, min(reached / sum(self._shares.values()), 1.0))

    def eta_s(self, now: float | None = None) -> float | None:
        """Estimated seconds to go, None while there is nothing to estimate from.

        The warm-up does not count: its length depends on what is loaded already.
        """
        measured = self._measured_s(now)
        if self._pace_s is None or not self.frames:
            return measured
        usual = self._pace_s * self.frames * (1 - self.fraction)
        if measured is None:
            return usual
        return self.fraction * measured + (1 - self.fraction) * usual

    def _measured_s(self, now: float | None) -> float | None:
        """The same from this job's own progress alone."""
        if self._anchor is None:
            return None
        start, fraction = self._anchor
        spent = (time.monotonic() if now is None else now) - start
        if spent < 1.0 or self.fraction - fraction < 0.03:
            return None
        return spent * (1 - self.fraction) / (self.fraction - fraction)

    def learned(self, now: float | None = None) -> dict[str, float]:
        """The shares, moved halfway towards what this job took."""
        self._close_stage(time.monotonic() if now is None else now)
        total = sum(self._spent.get(stage, 0.0) for stage in self._shares)
        if total <= 0:
            return self._shares
        return {
            stage: (share + self._spent.get(stage, 0.0) / total) / 2
            for stage, share in self._shares.items()
        }

    def _close_stage(self, now: float) -> None:
        self._spent[self.stage] = self._spent.get(self.stage, 0.0) + now - self._stage_started
        self._stage_started = now

    def _before(self, stage: str) -> float:
        """Sum of the shares of the stages before ``stage``; 0 for an unknown stage."""
        names = list(self._shares)
        end = names.index(stage) if stage in names else 0
        return sum(self._shares[name] for name in names[:end])
