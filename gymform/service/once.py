"""Objects that exist once per process: the queue, the networks, the tasks.

They are not kept in Streamlit's cache: a browser may ask the server to clear it at any time, for
everybody, and there would then be a second worker or a second network beside the first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """A decorator: ``make`` is called once, and every call returns what it made.

    Threads that call at the same time wait for each other. When ``make`` raises, the next call
    tries again.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self.__doc__ = make.__doc__
        self._make = make
        self._lock = threading.Lock()
        self._made: list[T] = []

    def __call__(self) -> T:
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]

    @property
    def made(self) -> bool:
        """Whether it has been made."""
        return bool(self._made)

    def forget(self) -> None:
        """Let the next call make a new one; for tests."""
        with self._lock:
            self._made.clear()
