"""Analyses on a Ray cluster: the app's end. The cluster's end is `ray_worker.py`.

A worker is an actor of the cluster, with a process of its own for one clip at a time. It is started
when there is a job, kept while more come, and given back when there are none, so that extractions
find free processors. What it says is fetched with calls that wait there.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gymform import __version__
from gymform.errors import OptionsError, VideoError, WorkerError
from gymform.ray_cluster import connect, disconnect
from gymform.service.analysis_worker import CLIP_GONE, DEFAULT_WORK, FIRST
from gymform.service.ray_worker import Host, parcel_of, write_files

MAX_SLOTS = 64
"""Most analyses at once, however large the cluster: each has a thread in the app."""

IDLE_S = 60.0
"""How long an actor without a job keeps its processors and its models, seconds."""

ANSWER_S = 60.0
"""How long the cluster may take to say that gymform is installed there, seconds."""

_CALLS = 3
"""Calls that an actor takes at once: the work, its messages, and that it is cancelled."""

_WAIT_S = 2.0
"""How long a call for messages waits in the actor, seconds."""

_log = logging.getLogger(__name__)


class RayEngine:
    """Starts workers on the cluster at ``address``, each with ``cpus`` processors of it."""

    slots = 1
    keeps_ready = False
    idle_s: float | None = IDLE_S

    def __init__(self, address: str, *, cpus: int = 1, work: str = DEFAULT_WORK) -> None:
        self._address = address
        self._cpus = cpus
        self._work = work
        self._lock = threading.Lock()

    def connect(self) -> None:
        """Connect, and count the cluster's places for a worker.

        Raises OptionsError when it cannot be reached, has too few processors, or lacks this
        version of gymform.
        """
        ray = connect(self._address)
        places = sum(
            int(node["Resources"].get("CPU", 0) // self._cpus)
            for node in ray.nodes()
            if node["Alive"]
        )
        if not places:
            raise OptionsError(
                f"The Ray cluster at {self._address} has no machine with {self._cpus} processors: "
                "expected one at least. Add machines, or lower GYMFORM_RAY_CPUS."
            )
        self.slots = min(places, MAX_SLOTS)
        self._check_version(ray)

    def _check_version(self, ray: Any) -> None:
        try:
            there = ray.get(ray.remote(num_cpus=0)(installed).remote(), timeout=ANSWER_S)
        except Exception as error:
            raise OptionsError(
                f"The Ray cluster at {self._address} cannot run gymform ({type(error).__name__}): "
                f"expected version {__version__} to be installed on each of its machines."
            ) from error
        if there != __version__:
            raise OptionsError(
                f"The Ray cluster at {self._address} has another gymform: expected version "
                f"{__version__}, got {there}. Install the same on each of its machines."
            )

    def start(self) -> RayWorker:
        """A new actor; connected anew where the cluster was lost. Raises WorkerError."""
        with self._lock:
            try:
                return self._new_worker()
            except WorkerError:
                raise
            except Exception as error:  # noqa: BLE001 - Ray and gRPC raise what they like
                _log.warning("the cluster was lost: %s: %s", type(error).__name__, error)
                disconnect()
                return self._new_worker()

    def _new_worker(self) -> RayWorker:
        try:
            ray = connect(self._address)
        except OptionsError as error:
            raise WorkerError(f"{error} Then try again.") from error
        actor = ray.remote(num_cpus=self._cpus, max_concurrency=_CALLS)(Host)
        return RayWorker(ray, actor.remote(self._work))


def installed() -> str:
    """The version of gymform where this runs."""
    return __version__


class RayWorker:
    """The app's end of one actor.

    Whatever a lost cluster or a crash in the actor makes Ray raise ends this worker; the queue then
    says so, or tries another one.
    """

    def __init__(self, ray: Any, host: Any) -> None:
        self._ray = ray
        self._host = host
        self._number, self._folder = 0, Path()
        self._unread: Any = None
        self._messages: deque[dict[str, Any]] = deque()
        self._to_cancel: deque[int] = deque()
        self.started = False
        self.ended = False

    @property
    def usable(self) -> bool:
        """Whether it can be given another job."""
        return not self.ended

    def work(self, number: int, request: Mapping[str, Any], folder: Path) -> None:
        """Send the clip and begin. Raises VideoError without the clip, WeightsError."""
        self._number, self._folder = number, folder
        parcel = parcel_of(number, request)
        try:
            clip = Path(request["path"]).read_bytes()
        except OSError:
            raise VideoError(CLIP_GONE) from None
        with self._ending():
            self._host.work.remote(parcel, self._ray.put(clip))

    def cancel(self, number: int) -> None:
        """Have the next :meth:`message` tell the actor: the network would keep a page waiting."""
        self._to_cancel.append(number)

    def kill(self) -> None:
        """End the actor, or its waiting for a place."""
        with self._ending():
            self._ray.kill(self._host)
        self.ended = True

    def message(self, timeout_s: float) -> dict[str, Any] | None:
        """The next message, its files unpacked; None when there is none in time. Raises OSError."""
        while self._to_cancel and not self.ended:
            with self._ending():
                self._host.cancel.remote(self._to_cancel.popleft())
        if not self._messages and not self.ended:
            with self._ending():
                self._fetch(timeout_s)
        return self._unpacked(self._messages.popleft()) if self._messages else None

    @contextlib.contextmanager
    def _ending(self) -> Iterator[None]:
        """Within, whatever Ray raises ends this worker."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - Ray, its client and gRPC raise what they like
            _log.warning("a worker of the cluster ended: %s: %s", type(error).__name__, error)
            self.ended = True

    def _fetch(self, timeout_s: float) -> None:
        if self._unread is None:
            self._unread = self._host.messages.remote(_WAIT_S)
        try:
            self._messages.extend(self._ray.get(self._unread, timeout=timeout_s))
        except self._ray.exceptions.GetTimeoutError:
            return
        self._unread, self.started = None, True

    def _unpacked(self, message: dict[str, Any]) -> dict[str, Any]:
        files = message.pop("files", None)
        if message["id"] != self._number or files is None:
            return message
        if message["is"] == "done":
            shutil.rmtree(self._folder / FIRST, ignore_errors=True)
            write_files(files, self._folder)
        else:
            write_files(files, self._folder / FIRST)
        return message
