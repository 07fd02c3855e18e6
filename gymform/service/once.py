"""Things of which a process has one: the queue, the networks, the tasks.

They are not kept in Streamlit's cache. A browser may ask the server to clear that one at any time,
for everybody, and what was made again beside the old one was a second worker, or a second network.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """Calls ``make`` when first asked, and gives everybody what it made; a decorator.

    Threads that ask at the same time wait for each other. What was raised is not kept: the next
    one who asks tries again.
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
        """Is it there already?"""
        return bool(self._made)

    def forget(self) -> None:
        """Let the next one who asks have a new one made; for tests."""
        with self._lock:
            self._made.clear()
