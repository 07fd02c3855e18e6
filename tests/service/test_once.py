"""One queue, one network, one worker: whoever asks, and whatever is cleared."""

from __future__ import annotations

import importlib
import threading

import pytest
import streamlit as st

from gymform.service.once import Once


def test_it_is_made_when_first_asked_for_and_only_then():
    made = []
    thing = Once(lambda: made.append(1) or object())
    assert not made
    assert not thing.made
    assert thing() is thing()
    assert made == [1]
    assert thing.made


def test_threads_that_ask_at_once_get_the_same():
    begun, made, got = threading.Event(), [], []

    @Once
    def thing() -> object:
        made.append(1)
        begun.wait(10)
        return object()

    threads = [threading.Thread(target=lambda: got.append(thing())) for _ in range(8)]
    for thread in threads:
        thread.start()
    begun.set()
    for thread in threads:
        thread.join(10)
    assert made == [1]
    assert len(got) == 8
    assert len(set(map(id, got))) == 1


def test_a_failure_is_not_kept():
    answers = iter([OSError("full"), "made"])

    @Once
    def thing() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with pytest.raises(OSError, match="full"):
        thing()
    assert thing() == "made"


def test_forgotten_it_is_made_anew():
    thing = Once(object)
    first = thing()
    thing.forget()
    assert thing() is not first


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("pages.components.clip_session", "job_queue"),
        ("pages.components.clips", "dataset_tasks"),
        ("pages.components.shared", "reply_log"),
        ("pages.components.live.live", "live_network"),
        ("pages.components.live.live", "live_classifier"),
    ],
)
def test_what_a_process_has_once_is_not_in_a_cache_that_browsers_clear(module, name, monkeypatch):
    thing = getattr(importlib.import_module(module), name)
    assert isinstance(thing, Once)
    monkeypatch.setattr(thing, "_made", ["the one"])
    st.cache_data.clear()
    st.cache_resource.clear()
    assert thing() == "the one"
