"""What works behind the queue of analyses: a process on this machine, or a Ray cluster.

The queue (`analysis_queue.py`) keeps order, quotas and results. An engine says how many jobs run at
once and starts workers; a worker takes one job at a time and answers with the messages that
`analysis_worker.py` lists. The environment variable GYMFORM_ENGINE chooses: unset or ``local`` is
one process here, ``ray://host:port`` a cluster.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from gymform.errors import OptionsError
from gymform.installation import child_environment
from gymform.ray_cluster import CLIENT
from gymform.service.analysis_worker import DEFAULT_WORK
from gymform.service.ray_engine import RayEngine

ENGINE = "GYMFORM_ENGINE"
"""The environment variable that names the engine."""

CPUS = "GYMFORM_RAY_CPUS"
"""The environment variable that says how many of a cluster's processors work on one analysis."""

LOCAL = "local"

_log = logging.getLogger(__name__)


class Worker(Protocol):
    """The app's end of whatever analyses clips, one at a time. None of it waits, but `message`,
    and `work` for as long as the clip travels."""

    @property
    def usable(self) -> bool:
        """Whether it can be given another job."""

    @property
    def started(self) -> bool:
        """Whether it is at work, and does not wait itself for a free place."""

    @property
    def ended(self) -> bool:
        """Whether it will say nothing more."""

    def work(self, number: int, request: Mapping[str, Any], folder: Path) -> None:
        """Begin job ``number``; its results come into ``folder``."""

    def cancel(self, number: int) -> None:
        """Ask for job ``number`` to be stopped."""

    def kill(self) -> None:
        """End it, whatever it is at."""

    def message(self, timeout_s: float) -> dict[str, Any] | None:
        """The next message; None when there is none in time or it has ended."""


class Engine(Protocol):
    """Starts workers: ``slots`` of them work at once.

    A worker is started before there is a job for it when ``keeps_ready``, and ended after
    ``idle_s`` seconds without one; None: never.
    """

    slots: int
    keeps_ready: bool
    idle_s: float | None

    def connect(self) -> None:
        """Make sure that workers can be started; sets ``slots``. Raises OptionsError."""

    def start(self) -> Worker:
        """A new worker. Raises GymformError or OSError."""


def engine_from(environment: Mapping[str, str] = os.environ) -> Engine:
    """The engine that the environment names, not connected yet. Raises OptionsError."""
    name = environment.get(ENGINE, "").strip() or LOCAL
    if name == LOCAL:
        return LocalEngine()
    if not name.startswith(CLIENT):
        raise OptionsError(
            f"{ENGINE}: expected {LOCAL}, or the address of a Ray cluster such as "
            f"ray://head:10001, got {name!r}."
        )
    return RayEngine(name, cpus=_cpus(environment.get(CPUS, "").strip() or "1"))


def _cpus(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise OptionsError(f"{CPUS}: expected a whole number of processors, got {text!r}.")
    return int(text)


class LocalEngine:
    """One process on this machine, so memory is bounded by one analysis however many wait."""

    slots = 1
    keeps_ready = True
    idle_s: float | None = None

    def __init__(self, work: str = DEFAULT_WORK) -> None:
        self._work = work

    def connect(self) -> None:
        """Nothing to do."""

    def start(self) -> LocalWorker:
        """A new process. Raises OSError."""
        return LocalWorker(self._work)


class LocalWorker:
    """The app's end of a worker process."""

    started = True

    def __init__(self, work: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "gymform.service.analysis_worker", work],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=child_environment(),
        )
        self._messages: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._killed = False
        self._ended = threading.Event()
        threading.Thread(target=self._read, name="gymform-worker-output", daemon=True).start()

    @property
    def usable(self) -> bool:
        """Whether it can be given another job."""
        return not self._killed and self._process.poll() is None

    @property
    def ended(self) -> bool:
        """Whether the process has ended and all its messages were read."""
        return self._ended.is_set() and self._messages.empty()

    def work(self, number: int, request: Mapping[str, Any], folder: Path) -> None:
        self._send({"id": number, "do": "work", "request": request, "folder": str(folder)})

    def cancel(self, number: int) -> None:
        self._send({"id": number, "do": "cancel"})

    def kill(self) -> None:
        self._killed = True
        self._process.kill()

    def message(self, timeout_s: float) -> dict[str, Any] | None:
        """The next message, or None when there is none in time or the worker has died."""
        try:
            return self._messages.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def _send(self, message: Mapping[str, Any]) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except OSError:  # it has died, which whoever asks for messages will notice
            _log.debug("a message came too late for the worker")

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._messages.put(json.loads(line))
        self._process.wait()
        self._ended.set()
        self._messages.put(None)  # wakes the thread that waits for a message
