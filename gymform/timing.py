"""Progress and seconds by stage, for those who wait and for benchmarks."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator

Progress = Callable[[str, int, int], None]
"""Hears (stage, done, total) of a long piece of work, and may raise to stop it."""


def unheard(stage: str, done: int, total: int) -> None:
    """A :data:`Progress` for when nobody listens."""


class Stopwatch:
    """Adds up wall-clock seconds under names; blocks may nest, each counts its whole time."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)

    @contextlib.contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - start
