"""What the search for the lifter will probably ask for, computed ahead in threads of its own.

Tracking is one look after another, each at one crop, and one crop keeps one core busy. So the
likeliest lifter is followed ahead, in both directions at once, while newcomers and bystanders are
looked at. An answer is used only for the very detection that it was computed for, so it is what
would be computed when asked for. With one thread nothing is computed ahead.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

from gymform.pose.detection import Detection

Step = Callable[[int, Detection], Detection | None]
"""Who is found in a sample, by the detection in the sample before it."""

Onward = Callable[[int, Detection | None], Detection | None]
"""The detection from which tracking goes on after what was found in a sample; None ends it."""

T = TypeVar("T")

Earlier = Callable[[], list[T]]
"""What the calls before one gave."""


class Speculation:
    """So many ``threads`` that compute ahead. None of them outlives the ``with`` block."""

    def __init__(self, threads: int = 1) -> None:
        self._pool = ThreadPoolExecutor(threads, "search") if threads > 1 else None
        self._chains: list[Chain] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for chain in self._chains:
            chain.stop()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def at_once(self, calls: Sequence[Callable[[Earlier[T]], T]]) -> list[T]:
        """What the ``calls`` give, computed side by side. Each can ask for what those before it
        gave, and then waits for it."""
        if self._pool is None:
            results: list[T] = []
            for call in calls:
                results.append(call(lambda: results))
            return results
        futures: list[Future[T]] = []
        for call in calls:
            futures.append(self._pool.submit(call, functools.partial(_results, futures[:])))
        return _results(futures)

    def chain(self, samples: Sequence[int], first: Detection, step: Step, onward: Onward) -> Chain:
        """Follow a person ahead through ``samples``, which lead away from the ``first``
        detection."""
        if self._pool is None or not samples:
            return Chain((), first)
        chain = Chain(samples, first)
        self._chains.append(chain)
        self._pool.submit(chain.run, step, onward)
        return chain


class Chain:
    """One person, followed ahead through ``samples``, from each detection to the next."""

    def __init__(self, samples: Sequence[int], first: Detection) -> None:
        self._samples = samples
        self._first = first
        self._stopped = threading.Event()
        # a step is announced before the answer that leads to it is known: nobody asks for it sooner
        self._announced: dict[tuple[int, Detection], Future[Detection | None]] = {}
        if samples:
            self._announced[samples[0], first] = Future()

    def run(self, step: Step, onward: Onward) -> None:
        """Take the steps until ``onward`` gives nobody, or nobody wants them any more.

        An error ends the chain; it is raised where that step is asked for.
        """
        last = self._first
        for number, sample in enumerate(self._samples, 1):
            if self._stopped.is_set():
                return
            answer = self._announced[sample, last]
            try:
                found = step(sample, last)
                person = onward(sample, found)
            except BaseException as error:  # noqa: BLE001 - it is raised by whoever asks for it
                answer.set_exception(error)
                return
            if person is not None and number < len(self._samples):
                self._announced[self._samples[number], person] = Future()
            answer.set_result(found)
            if person is None:
                return
            last = person

    def answer(
        self, sample: int, last: Detection, look: Callable[[], Detection | None]
    ) -> Detection | None:
        """Who is found in ``sample`` by the detection ``last``: known ahead, or by a ``look`` now.

        Whoever asks for a step that was not announced has gone another way: the chain ends.
        """
        announced = self._announced.get((sample, last))
        if announced is None or self._stopped.is_set():
            self.stop()
            return look()
        return announced.result()

    def stop(self) -> None:
        """Take no further step."""
        self._stopped.set()


def _results(futures: list[Future[T]]) -> list[T]:
    return [future.result() for future in futures]
