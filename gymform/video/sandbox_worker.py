"""The process in which foreign media files are opened, with limits on what one file may cost.

    python -m gymform.video.sandbox_worker

It reads requests from standard input and answers on standard output (see `messages.py`):

    in   {"do": "module:function", "with": (...), "memory_bytes": ..., "cpu_s": ...}
    out  {"is": "done", "value": ..., "last": false}
         {"is": "failed", "kind": "DamagedVideoError", "text": "...", "last": false}
         {"is": "memory", "last": true}

FFmpeg allocates what a header asks for before anyone can look at it. Here such a request fails, or
ends this process, and not the app. When the app goes away, standard input ends and so does the
worker, and also after a while without anything to do.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import math
import os
import queue
import random
import signal
import sys
import threading
from pathlib import Path
from typing import IO, Any

from gymform.errors import GymformError
from gymform.video.memory import go_first, lower
from gymform.video.messages import receive, send

MAX_CALLS = 200
"""After so many files the worker makes way for a fresh one: whatever leaked is given back."""

MAX_KEPT_BYTES = 200 * 1024 * 1024
"""A worker that still holds so much memory after a file makes way for a fresh one, too."""

IDLE_S = 300.0
"""A worker without work ends after so long."""

MAX_CORES = 4
"""Cores that a worker uses. Each thread's stack counts as memory, and FFmpeg starts one a core."""

_log = logging.getLogger(__name__)


def serve(requests: IO[bytes], replies: IO[bytes]) -> None:
    """Do what ``requests`` ask, one after the other; returns when it is time for a new worker."""
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests, inbox), daemon=True).start()
    for number in range(1, MAX_CALLS + 1):
        try:
            request = inbox.get(timeout=IDLE_S)
        except queue.Empty:
            return
        reply = _answer(request)
        last = number == MAX_CALLS or reply["is"] == "memory" or _resident() > MAX_KEPT_BYTES
        send(replies, {**reply, "last": last})
        if last:
            return


def _read(requests: IO[bytes], inbox: queue.SimpleQueue[Any]) -> None:
    """Hand requests on. When the app is gone there is nobody to work for: end at once."""
    with contextlib.suppress(EOFError):
        while True:
            inbox.put(receive(requests))
    os._exit(0)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    """The reply to a request. Errors come back with their kind and the text for the user."""
    try:
        function = _resolve(request["do"])
        set_limits(request["memory_bytes"], request["cpu_s"])
        return {"is": "done", "value": function(*request["with"])}
    except GymformError as error:
        return {"is": "failed", "kind": type(error).__name__, "text": str(error)}
    except MemoryError:
        return {"is": "memory"}
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not end the app
        _log.exception("a file could not be read")
        text = (
            f"Reading this file met an unexpected problem ({type(error).__name__}). Export the "
            "clip again as MP4 and retry; the details are in the app's log."
        )
        return {"is": "failed", "kind": "VideoError", "text": text}


def _resolve(name: str) -> Any:
    """The function that ``module:function`` names."""
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function)


def set_limits(memory_bytes: int, cpu_s: float) -> None:
    """Limit this process to so much memory, and to so much computing time from now on.

    Over the first an allocation fails, over the second the kernel ends the process. Memory is
    what the process may write to (RLIMIT_DATA): files that are mapped to be read do not count.
    Only Linux holds to that limit; elsewhere it is not set.
    """
    if sys.platform == "win32":
        return
    import resource

    spent = resource.getrusage(resource.RUSAGE_SELF)
    seconds = math.ceil(spent.ru_utime + spent.ru_stime + cpu_s)
    lower(resource.RLIMIT_CPU, seconds)
    if sys.platform == "linux":
        lower(resource.RLIMIT_DATA, memory_bytes)


def _resident() -> int:
    """Bytes of memory that this process holds now; 0 where nobody tells."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _behave() -> None:
    """Leave no core dump, use few cores, and be the first to go when the machine's memory ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the app, which then closes us
    if sys.platform == "win32":
        return
    lower(importlib.import_module("resource").RLIMIT_CORE, 0)
    go_first()
    if sys.platform == "linux":
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, random.sample(cores, min(MAX_CORES, len(cores))))


def main() -> None:
    """Serve standard input and output until the app closes them."""
    _behave()
    # Native libraries print to descriptor 1 when they like: give them standard error instead.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests = os.fdopen(os.dup(0), "rb")
    importlib.import_module("gymform.video.read")  # takes a while: before the first file comes
    serve(requests, replies)


if __name__ == "__main__":
    main()
