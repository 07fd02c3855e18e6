"""Work ahead: a generator that runs in a thread of its own while its results are used."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

T = TypeVar("T")


@contextlib.contextmanager
def ahead(source: Callable[[], Generator[T]], size: int) -> Iterator[Iterator[T]]:
    """The items of ``source()``, made by a thread that is at most ``size`` items ahead.

    What the thread raises is raised where the items are taken. When the block ends, the generator
    has been closed and the thread has ended, wherever they were.
    """
    waiting: queue.Queue[tuple[str, T | BaseException | None]] = queue.Queue(size)
    stopped = threading.Event()

    def put(kind: str, item: T | BaseException | None = None) -> bool:
        """Wait for a place, but not for ever: whoever takes the items may have gone."""
        while not stopped.is_set():
            with contextlib.suppress(queue.Full):
                waiting.put((kind, item), timeout=0.1)
                return True
        return False

    def work() -> None:
        try:
            with contextlib.closing(source()) as items:
                for item in items:
                    if not put("item", item):
                        return
        except BaseException as error:  # noqa: BLE001 - it is raised again by whoever takes items
            put("error", error)
        else:
            put("end")

    thread = threading.Thread(target=work, name="ahead", daemon=True)
    thread.start()
    try:
        yield _taken(waiting)
    finally:
        stopped.set()
        thread.join()


def _taken(waiting: queue.Queue[tuple[str, T | BaseException | None]]) -> Iterator[T]:
    while True:
        kind, item = waiting.get()
        if kind == "end":
            return
        if isinstance(item, BaseException) and kind == "error":
            raise item
        yield item  # type: ignore[misc]
