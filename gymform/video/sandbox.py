"""Foreign media files are opened in another process, which has limits; see `sandbox_worker.py`.

A file of 100 bytes can make FFmpeg ask for two gigabytes, and a file can break a decoder. What a
stranger sends is therefore read by :func:`run_apart`: the app's own process stays as small as it
was, and a file that goes over a limit costs itself and nothing else.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TypeVar

from gymform import errors
from gymform.errors import GymformError, ReadingStoppedError, WorkerError
from gymform.installation import child_environment
from gymform.types import Clip
from gymform.video.memory import memory_of_frames
from gymform.video.messages import receive, send
from gymform.video.read import probe

AT_ONCE_S = 0.5
"""A process whose end shows within this time had ended before it was asked, seconds."""

MAX_WORKERS = 2
"""Files that are read at the same time; who comes later waits."""

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """What reading one file may cost: memory of the process in all, computing time, waiting."""

    memory_bytes: int
    cpu_s: float
    wall_s: float


PROBING = Limits(memory_bytes=400 * 1024 * 1024, cpu_s=10, wall_s=60)
"""For a look at a file: its packets are counted and one frame is decoded. The process itself has
80 MB; a clip of 4096 x 2304 px in HEVC with 10 bits needs 190 MB in all."""

CPU_S_PER_MEGAPIXEL = 0.1
"""Computing time for each million pixels of a clip. Decoding HEVC takes 0.01, a cut 0.035."""

MAX_CPU_S = 3600.0


def decoding(clip: Clip) -> Limits:
    """Limits for reading all frames of ``clip``, by the size and number that a probe found."""
    pixels = clip.width * clip.height
    cpu_s = PROBING.cpu_s + CPU_S_PER_MEGAPIXEL * pixels * clip.frames / 1e6
    return Limits(
        memory_bytes=PROBING.memory_bytes + memory_of_frames(clip.width, clip.height),
        cpu_s=min(cpu_s, MAX_CPU_S),
        wall_s=PROBING.wall_s + 3 * min(cpu_s, MAX_CPU_S),
    )


def probe_apart(path: Path, name: str | None = None) -> Clip:
    """What `read.probe` says of the file at ``path``, found in another process.

    Raises what it raises, and ReadingStoppedError when the file goes over a limit.
    """
    return run_apart(PROBING, probe, path.absolute(), name)


def run_apart(
    limits: Limits,
    function: Callable[Arguments, Result],
    *arguments: Arguments.args,
    **keywords: Arguments.kwargs,
) -> Result:
    """What ``function(*arguments)`` returns, run in a process with ``limits``.

    ``function`` stands at the top of a module; arguments and result are such as `messages.send`
    takes. Raises the function's own errors when they are GymformErrors, VideoError for others,
    ReadingStoppedError when it goes over a limit or its process ends, WorkerError when no process
    can be started.
    """
    if keywords:
        raise TypeError("run_apart: expected arguments by position only")
    name = f"{function.__module__}:{function.__qualname__}"
    result: Result = _workers().run(limits, name, arguments)
    return result


@functools.cache
def _workers() -> Workers:
    workers = Workers()
    atexit.register(workers.close)
    if hasattr(os, "register_at_fork"):  # a fork must not talk to its parent's workers
        os.register_at_fork(after_in_child=_workers.cache_clear)
    if sys.platform != "linux":
        _log.warning(
            "This system cannot limit the memory of a process: a hostile video may use much of it. "
            "Limits on time are kept."
        )
    return workers


class Workers:
    """Processes that read files, at most ``count`` at once; one of them is kept warm."""

    def __init__(self, count: int = MAX_WORKERS) -> None:
        self._free = threading.BoundedSemaphore(count)
        self._lock = threading.Lock()
        self._warm: Worker | None = None

    def run(self, limits: Limits, name: str, arguments: tuple[Any, ...]) -> Any:
        """The result of the function called ``name``; see :func:`run_apart`."""
        request = {
            "do": name,
            "with": arguments,
            "memory_bytes": limits.memory_bytes,
            "cpu_s": limits.cpu_s,
        }
        with self._free:
            for _ in range(2):
                worker = self._take()
                try:
                    reply = worker.ask(request, limits)
                finally:
                    self._give_back(worker)
                if reply is not None:  # else it had ended for want of work
                    return _result(reply, limits)
        raise WorkerError("The process that reads videos does not answer. Try again.")

    def close(self) -> None:
        """End the warm process."""
        with self._lock:
            if self._warm is not None:
                self._warm.end()
            self._warm = None

    def _take(self) -> Worker:
        with self._lock:
            worker, self._warm = self._warm, None
        if worker is not None and worker.usable:
            return worker
        if worker is not None:
            worker.end()
        return Worker()

    def _give_back(self, worker: Worker) -> None:
        with self._lock:
            if self._warm is None and worker.usable:
                self._warm = worker
                return
        worker.end()


class Worker:
    """The app's end of a process that reads files."""

    def __init__(self) -> None:
        one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MALLOC_ARENA_MAX"), "1")
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gymform.video.sandbox_worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**child_environment(), **one},
            )
        except OSError as error:
            raise WorkerError(
                f"The process that reads videos cannot be started ({error.strerror}). Close other "
                "programs and try again."
            ) from error
        self._is_last = False
        self._is_late = False
        self._was_asked = False

    @property
    def usable(self) -> bool:
        """Can it be given another file?"""
        return not self._is_last and not self._is_late and self._process.poll() is None

    def ask(self, request: dict[str, Any], limits: Limits) -> dict[str, Any] | None:
        """The reply to ``request``; None when the process had ended on its own before it came.

        Raises ReadingStoppedError when there is no reply in time, or the process has ended.
        """
        assert self._process.stdin
        assert self._process.stdout
        timer = threading.Timer(limits.wall_s, self._stop)
        timer.daemon = True
        timer.start()
        asked_at, was_asked, self._was_asked = time.monotonic(), self._was_asked, True
        try:
            send(self._process.stdin, request)
            reply: dict[str, Any] = receive(self._process.stdout)
            self._is_last = reply["last"]
            return reply
        except (OSError, EOFError):
            at_once = was_asked and time.monotonic() - asked_at < AT_ONCE_S
            if not self._has_retired() and not (at_once and self._was_killed()):
                self._complain(limits)
            return None
        except BaseException:  # interrupted: a late reply must not be taken for the next one's
            self.end()
            raise
        finally:
            timer.cancel()

    def end(self) -> None:
        """Kill the process and forget it."""
        self._is_last = True
        with contextlib.suppress(OSError):
            self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                stream.close() if stream else None
        self._process.wait()

    def _stop(self) -> None:
        self._is_late = True
        self._process.kill()

    def _has_retired(self) -> bool:
        """Whether the process, from which nothing came, ended well for want of work."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        return self._process.poll() == 0 and not self._is_late

    def _was_killed(self) -> bool:
        """Whether somebody killed the process: while it waited, when that shows at once."""
        return self._process.poll() == -signal.SIGKILL and not self._is_late

    def _complain(self, limits: Limits) -> NoReturn:
        raise ReadingStoppedError(_words(self._process.poll(), self._is_late, limits))


def _words(code: int | None, is_late: bool, limits: Limits) -> str:
    """Why a process gave no reply, for the user."""
    again = "Export the clip again as MP4, or choose another one."
    if is_late:
        return (
            f"Reading this file took longer than {limits.wall_s:.0f} s and was stopped. Try again "
            f"when the machine is less busy. {again}"
        )
    if code == -getattr(signal, "SIGXCPU", 0):
        return (
            f"Reading this file took more than {limits.cpu_s:.0f} s of computing time, which no "
            f"sound clip of its size needs, and was stopped. {again}"
        )
    return (
        "The process that read this file ended in the middle: something in the file broke the "
        f"video decoder, or memory ran out. {again}"
    )


def _result(reply: dict[str, Any], limits: Limits) -> Any:
    """The value in a reply. Raises the error in it, with its own type again."""
    if reply["is"] == "done":
        return reply["value"]
    if reply["is"] == "memory":
        raise ReadingStoppedError(
            f"Reading this file takes more than {limits.memory_bytes // 1024**2} MB of memory, "
            "which no sound clip of its size needs. Export the clip again as MP4, or choose "
            "another one."
        )
    kind = getattr(errors, reply["kind"], None)
    if isinstance(kind, type) and issubclass(kind, GymformError):
        raise kind(reply["text"])
    raise GymformError(reply["text"])
