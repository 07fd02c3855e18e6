"""Functions that a process in the sandbox is asked to run, most of which it should not survive."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np

from gymform.errors import GymformError, TooLongError


def give_back(*values: Any) -> tuple[Any, ...]:
    """What came, to be sent back."""
    return values


def pid() -> int:
    return os.getpid()


def limits_now() -> tuple[int, int]:
    """Soft limits of memory, bytes, and of open core files."""
    import resource

    return resource.getrlimit(resource.RLIMIT_DATA)[0], resource.getrlimit(resource.RLIMIT_CORE)[0]


def eat_memory(count: int) -> int:
    return int(np.ones(count, np.uint8).sum())


def eat_memory_in_c(count: int) -> bool:
    """Whether the C library grants ``count`` bytes."""
    library = ctypes.CDLL(None)
    library.malloc.restype = ctypes.c_void_p
    library.malloc.argtypes = [ctypes.c_size_t]
    return bool(library.malloc(count))


def burn() -> None:
    while True:
        pass


def hang(note: Path) -> None:
    """Wait for ever; ``note`` says who waits."""
    note.write_text(str(os.getpid()))
    while True:
        time.sleep(1)


def die(number: int) -> None:
    os.kill(os.getpid(), number)


def segfault() -> None:
    ctypes.string_at(0)


def abort() -> None:
    os.abort()


def leave() -> None:
    os._exit(signal.SIGTERM)


def babble() -> int:
    """Write to standard output, which is the pipe to the app in a careless worker."""
    print("not a message", flush=True)
    subprocess.run(["echo", "not a message either"], check=True)
    return 5


def too_long() -> None:
    raise TooLongError("This clip is too long for a test.")


def other_error() -> None:
    raise GymformError("This is of no special kind.")


def bug() -> None:
    raise ZeroDivisionError("in /secret/place")


def keep(megabytes: int) -> None:
    """Hold on to memory after the call."""
    HELD.append(np.ones(megabytes * 1024 * 1024, np.uint8))


def what_is_imported() -> list[str]:
    import sys

    return sorted(sys.modules)


HELD: list[np.ndarray] = []
