"""Work on a data set in the background of a page: an import, an extraction, or proposals.

A task is one function in one thread. It outlives the reruns of the page and the sessions that watch
it, reports its progress, and can be stopped. An extraction runs in a process of its own, which its
thread watches: it keeps whole cores busy for a long time, and must not slow the pages down.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gymform.dataset.items import IMPORTED
from gymform.dataset.paths import datasets_dir
from gymform.dataset.reviews import ReviewStore
from gymform.errors import BusyError, Cancelled, DatasetError, GymformError
from gymform.in_use import is_locked
from gymform.installation import child_environment
from gymform.roles import Role, only_for
from gymform.storage import atomic_path
from gymform.timing import Progress

IMPORT, EXTRACT, PEOPLE, RANK = "import", "extract", "people", "rank"

_STOPPED = (
    "The extraction stopped in the middle: memory ran out, or somebody ended it. "
    "Start it again: it continues where it stopped."
)

_POLL_S = 0.5
_GRACE_S = 10.0
"""How long a process that was asked to end has to finish writing."""


class DatasetTask:
    """A function running in a thread. ``work`` gets a progress callback that raises to stop it."""

    def __init__(self, kind: str, work: Callable[[Progress], Any]) -> None:
        self.kind = kind
        self.done, self.total = 0, 0
        self.result: Any = None
        self.error: GymformError | None = None
        self._stop = threading.Event()
        self._started = time.monotonic()
        self._first: int | None = None
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it is still running."""
        return self._thread.is_alive()

    @property
    def fraction(self) -> float:
        """The share that is done, in [0, 1]."""
        return min(self.done / self.total, 1.0) if self.total else 0.0

    def eta_s(self) -> float | None:
        """Estimated seconds to go; None while there is nothing to estimate from."""
        made = self.done - (self._first or 0)
        if made < 1:
            return None
        return (time.monotonic() - self._started) / made * (self.total - self.done)

    @only_for(Role.ADMIN, "To stop an import or an extraction")
    def stop(self) -> None:
        """Ask it to stop; it does so after the current clip."""
        self._stop.set()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait until it has ended."""
        self._thread.join(timeout_s)

    def _progress(self, stage: str, done: int, total: int) -> None:
        if self._first is None:
            self._first, self._started = done, time.monotonic()
        self.done, self.total = done, total
        if self._stop.is_set():
            raise Cancelled("It was stopped. What is done is kept: start it again to continue.")

    def _run(self, work: Callable[[Progress], Any]) -> None:
        try:
            self.result = work(self._progress)
        except GymformError as error:
            self.error = error
        except OSError as error:
            self.error = DatasetError(f"The work stopped: {error.strerror or 'a file failed'}.")
        except MemoryError:
            self.error = DatasetError("There is not enough memory. Close other programs first.")


class DatasetTasks:
    """At most one task for each data set; the last one is kept, so that pages can show it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks: dict[Path, DatasetTask] = {}

    def of(self, folder: Path) -> DatasetTask | None:
        """The running task of a data set, or the last one."""
        return self._tasks.get(folder.resolve())

    @only_for(Role.ADMIN, "To import or extract clips")
    def start(self, folder: Path, kind: str, work: Callable[[Progress], Any]) -> DatasetTask:
        """Start ``work``. Raises BusyError while another task of the data set is running."""
        with self._lock:
            before = self.of(folder)
            if before and before.running:
                raise BusyError(
                    "Another task is running in this data set: wait for it, or stop it."
                )
            task = DatasetTask(kind, work)
            self._tasks[folder.resolve()] = task
            return task

    @only_for(Role.ADMIN, "To close the report of an import")
    def forget(self, folder: Path) -> None:
        """Drop the last task of a data set, unless it is still running."""
        with self._lock:
            task = self.of(folder)
            if task and not task.running:
                del self._tasks[folder.resolve()]


def extract_in_process(
    store: ReviewStore, progress: Progress, *, jobs: int = 1, command: list[str] | None = None
) -> None:
    """Run ``python -m gymform extract`` on the data set and report how many clips are done.

    Where an extraction runs already, started by an app that was killed or in a terminal, waits for
    that one first. Until this ends or is stopped a file in the data set says that it is wanted:
    :func:`resume_extractions` goes on with it when the app ended in between. Raises Cancelled when
    ``progress`` does, after the process has ended; DatasetError with the command's own error
    message when it fails. What was extracted is kept: the command continues from there.
    """
    order = store.files.extraction_order
    with atomic_path(order) as temporary:
        temporary.write_text(json.dumps({"jobs": jobs}), encoding="utf-8")
    leaving = threading.Event()
    try:
        while is_locked(store.files.extraction_lock):
            _count(store, progress)
            time.sleep(_POLL_S)
        command = command or [sys.executable, "-m", "gymform", "extract", str(store.folder)]
        _run_extraction(store, progress, [*command, "--jobs", str(jobs)], leaving)
    finally:
        if not leaving.is_set():  # the app goes on: it was finished, stopped, or it failed
            order.unlink(missing_ok=True)


def _run_extraction(
    store: ReviewStore, progress: Progress, command: list[str], leaving: threading.Event
) -> None:
    """Run the command and count; sets ``leaving`` when the app ends meanwhile. Raises as above."""
    log = store.folder / "extract.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=child_environment(),
            start_new_session=True,  # its workers end with it
        )

        def leave() -> None:
            leaving.set()
            _end(process)

        atexit.register(leave)
        try:
            while process.poll() is None:
                _count(store, progress)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_POLL_S)
        finally:
            _end(process)
            atexit.unregister(leave)
    _count(store, progress)
    if process.returncode == 0:
        return
    # Clips that failed also make the command fail, but the page lists them itself.
    if (message := _last_message(log)) or store.states()[IMPORTED]:
        raise DatasetError(message or _STOPPED)


def resume_extractions(tasks: DatasetTasks) -> list[Path]:
    """Go on with the extractions that the app was at when it ended; their data sets' folders."""
    resumed = []
    for order in sorted(datasets_dir().glob("*/extract.json")):
        with contextlib.suppress(GymformError, OSError):
            store = ReviewStore.open(order.parent)
            if not store.states()[IMPORTED]:
                store.close()
                order.unlink(missing_ok=True)
                continue
            work = functools.partial(_resumed, store, _jobs_in(order))
            tasks.start(order.parent, EXTRACT, work)
            resumed.append(order.parent)
    return resumed


def _resumed(store: ReviewStore, jobs: int, progress: Progress) -> None:
    with store:
        extract_in_process(store, progress, jobs=jobs)


def _jobs_in(order: Path) -> int:
    """How many processes were wanted; one where the file does not say."""
    try:
        return max(1, int(json.loads(order.read_text(encoding="utf-8"))["jobs"]))
    except (OSError, ValueError, KeyError, TypeError):
        return 1


def _count(store: ReviewStore, progress: Progress) -> None:
    states = store.states()
    total = sum(states.values())
    progress(EXTRACT, total - states[IMPORTED], total)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Interrupt the process and its workers as Ctrl-C does; kill them when that does not help."""
    for number, patience in ((signal.SIGINT, _GRACE_S), (signal.SIGKILL, None)):
        if process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)


def _last_message(log: Path) -> str:
    """The command's last error message, for the user; "" when there is none."""
    lines = log.read_text(errors="replace").splitlines()
    messages = [line for line in lines if line.startswith("gymform:")]
    return messages[-1].removeprefix("gymform:").strip() if messages else ""


_NAME = re.compile(r"[^\W_][\w .-]{0,59}")


def dataset_folder(parent: Path, name: str) -> Path:
    """The folder of the data set called ``name`` below ``parent``.

    Raises DatasetError for a name that is no plain folder name.
    """
    name = name.strip()
    if not _NAME.fullmatch(name) or name.endswith("."):
        raise DatasetError(
            "Expected a name of letters, digits, spaces, dots, - and _, beginning with a letter "
            f"or digit, at most 60 characters; got {name[:60]!r}."
        )
    return parent / name


def plain_file_name(name: str, number: int) -> str:
    """A safe file name for an upload that the user called ``name``: readable, and never a path."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    stem, _, suffix = last.rpartition(".") if "." in last else (last, "", "")
    stem = re.sub(r"[^\w -]+", "_", stem).strip(" _-")[:60]
    suffix = re.sub(r"[^a-z0-9]", "", suffix.lower())[:5]
    return f"{stem or f'clip {number}'}.{suffix or 'mp4'}"
