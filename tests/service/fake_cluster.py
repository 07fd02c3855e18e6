"""A cluster within the test's own process: the few calls of Ray that gymform makes, with threads.

Whatever would cross the network is pickled, so what could not travel fails here too.
"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any


class RayError(Exception):
    """As Ray's."""


class GetTimeoutError(RayError, TimeoutError):
    """As Ray's."""


class FakeRay:
    """Stands for the module ``ray``; ``cpus`` are those of each machine."""

    exceptions = SimpleNamespace(RayError=RayError, GetTimeoutError=GetTimeoutError)

    def __init__(self, *cpus: float) -> None:
        self.cpus = cpus or (2.0,)
        self.version: str | None = None
        self.actors: list[_Actor] = []
        self.full = False
        self.lost = False

    def is_initialized(self) -> bool:
        return True

    def nodes(self) -> list[dict[str, Any]]:
        return [{"Alive": True, "Resources": {"CPU": cpus}} for cpus in self.cpus] + [
            {"Alive": False, "Resources": {"CPU": 64.0}}
        ]

    def remote(self, **options: float) -> Callable[[Any], Any]:
        def decorate(made: Any) -> Any:
            make = self._actor if isinstance(made, type) else self._task
            return SimpleNamespace(remote=lambda *given: make(made, *given))

        return decorate

    def put(self, value: Any) -> Any:
        self._reach()
        return value

    def get(self, reference: Future[Any], timeout: float) -> Any:
        self._reach()
        try:
            return travelled(reference.result(timeout))
        except TimeoutError:
            raise GetTimeoutError from None

    def kill(self, actor: _Actor) -> None:
        actor.die()

    def _task(self, function: Callable[..., Any], *given: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(self.version or function(*given))
        return done

    def _actor(self, kind: type, *given: Any) -> _Actor:
        self._reach()
        self.actors.append(_Actor(kind, given, waits=self.full))
        return self.actors[-1]

    def _reach(self) -> None:
        if self.lost:
            raise ConnectionError("the cluster is gone")


class _Actor:
    """An object whose methods are called in threads; one that ``waits`` has no place yet."""

    def __init__(self, kind: type, given: tuple[Any, ...], *, waits: bool) -> None:
        self.alive = True
        self._calls: list[Future[Any]] = []
        self._pool = ThreadPoolExecutor(3)
        self._place = threading.Event()
        self._object = kind(*given)
        if not waits:
            self._place.set()

    def __getattr__(self, name: str) -> Any:
        return SimpleNamespace(remote=lambda *given: self._call(name, given))

    def give_place(self) -> None:
        self._place.set()

    def die(self) -> None:
        """As when its process is killed: every call fails, also those that are waited for."""
        self.alive = False
        self._place.set()
        for call in self._calls:
            if not call.done():
                call.set_exception(RayError("the actor died"))

    def _call(self, name: str, given: tuple[Any, ...]) -> Future[Any]:
        told: Future[Any] = Future()
        self._calls.append(told)
        if self.alive:
            self._pool.submit(self._run, told, name, travelled(given))
        else:
            told.set_exception(RayError("the actor has died"))
        return told

    def _run(self, told: Future[Any], name: str, given: tuple[Any, ...]) -> None:
        self._place.wait()
        result = getattr(self._object, name)(*given) if self.alive else None
        if self.alive:
            told.set_result(result)


def travelled(value: Any) -> Any:
    """What comes out at the other end of the network."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - the test's own
