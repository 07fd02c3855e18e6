"""The process in the sandbox makes way for a fresh one when it has done enough, or nothing."""

import os
import threading

import pytest

from gymform.video import sandbox_worker
from gymform.video.messages import receive, send
from tests.video import misdeeds

REQUEST = {
    "do": f"{misdeeds.__name__}:give_back", "with": (1,),
    "memory_bytes": 10**9, "cpu_s": 60,
}  # fmt: skip

KEPT: list = []
"""Pipes that stay open: a worker whose input ends takes its process with it."""


@pytest.fixture
def worker(monkeypatch):
    """The worker's loop in a thread: the thread, and the ends of its pipes."""
    monkeypatch.setattr(sandbox_worker, "set_limits", lambda memory_bytes, cpu_s: None)
    monkeypatch.setattr(sandbox_worker, "_resident", lambda: 0)
    monkeypatch.setattr(sandbox_worker, "MAX_CALLS", 3)
    ends = [os.pipe(), os.pipe()]
    (requests, asking), (listening, replies) = (
        (os.fdopen(reading, "rb"), os.fdopen(writing, "wb")) for reading, writing in ends
    )
    KEPT.extend((requests, asking))
    thread = threading.Thread(target=sandbox_worker.serve, args=(requests, replies))
    yield thread, asking, listening
    thread.join(20)
    assert not thread.is_alive()


def test_it_ends_after_so_many_files(worker):
    thread, asking, listening = worker
    thread.start()
    for last in (False, False, True):
        send(asking, REQUEST)
        assert receive(listening) == {"is": "done", "value": (1,), "last": last}
    thread.join(20)


def test_it_ends_when_there_is_nothing_to_do(worker, monkeypatch):
    monkeypatch.setattr(sandbox_worker, "IDLE_S", 0.05)
    thread, _, _ = worker
    thread.start()
    thread.join(20)
    assert not thread.is_alive()


def test_it_ends_when_memory_ran_out(worker):
    thread, asking, listening = worker
    thread.start()
    send(asking, REQUEST | {"do": f"{__name__}:out_of_memory", "with": ()})
    assert receive(listening) == {"is": "memory", "last": True}


def out_of_memory() -> None:
    raise MemoryError
