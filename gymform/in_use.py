"""Folders that are in use, and so are not deleted: by any thread of any process.

A lock of the operating system (``flock``) on the folder itself says so. It ends with its process,
even when that is killed. Where a file system knows no such locks, nothing counts as in use.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import inspect
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ParamSpec, TypeVar

from gymform.errors import BusyError

P = ParamSpec("P")
R = TypeVar("R")


def hold(folder: Path) -> int | None:
    """Mark ``folder`` as in use until :func:`release` is called with what this returns.

    Many may hold a folder at once. None when it is not there, or is just being deleted.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def release(held: int | None) -> None:
    """Let a folder go that :func:`hold` marked."""
    if held is not None:
        fcntl.flock(held, fcntl.LOCK_UN)  # also where a child process has inherited the descriptor
        os.close(held)


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """``folder`` is in use within the block."""
    descriptor = hold(folder)
    try:
        yield
    finally:
        release(descriptor)


def holds(argument: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator: while the function runs, the folder of its argument of this name is in use.

    The argument is a data set's store: whatever has a ``folder``.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def holding(*args: P.args, **kwargs: P.kwargs) -> R:
            store = signature.bind(*args, **kwargs).arguments[argument]
            with held(store.folder):
                return function(*args, **kwargs)

        return holding

    return decorate


@contextlib.contextmanager
def alone(folder: Path, busy: str) -> Iterator[None]:
    """Nobody else uses ``folder`` within the block: it can be deleted there.

    Raises BusyError with the text ``busy`` while somebody does, FileNotFoundError without a folder.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):  # its file system knows no locks
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BusyError(busy) from None
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(file: Path, busy: str) -> Iterator[None]:
    """Nobody else, in any process, is in such a block with ``file``; it is made when missing.

    Raises BusyError with the text ``busy`` while somebody is.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        with contextlib.suppress(OSError):  # its file system knows no locks
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BusyError(busy) from None
        yield
    finally:
        os.close(descriptor)


def is_locked(file: Path) -> bool:
    """Whether somebody is in a block of :func:`locked` with ``file``."""
    if not file.is_file():
        return False
    try:
        with locked(file, ""):
            return False
    except (BusyError, OSError):
        return True


def is_held(folder: Path) -> bool:
    """Whether somebody is using ``folder``."""
    try:
        with alone(folder, ""):
            return False
    except BusyError:
        return True
    except OSError:
        return False
