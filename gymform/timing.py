"""Progress callbacks, and seconds spent by stage."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator

Progress = Callable[[str, int, int], None]
"""Called with (stage, done, total) during long work; may raise to stop it."""


def ignore_progress(stage: str, done: int, total: int) -> None:
    """A :data:`Progress` that does nothing."""


class Stopwatch:
    """Adds up wall-clock seconds by stage. Blocks may nest: each counts all of its own time."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextlib.contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - start
