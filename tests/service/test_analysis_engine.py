"""Which engine the environment chooses, and the local one: a process on this machine."""

from __future__ import annotations

import time

import pytest

from gymform.errors import OptionsError
from gymform.service.analysis_engine import LocalEngine, engine_from
from gymform.service.ray_engine import RayEngine


@pytest.mark.parametrize("value", [None, "", " ", "local"])
def test_this_machine_is_the_default(value):
    engine = engine_from({} if value is None else {"GYMFORM_ENGINE": value})
    engine.connect()
    assert isinstance(engine, LocalEngine)
    assert (engine.slots, engine.keeps_ready, engine.idle_s) == (1, True, None)


def test_an_address_names_a_cluster():
    engine = engine_from({"GYMFORM_ENGINE": "ray://head:10001", "GYMFORM_RAY_CPUS": "4"})
    assert isinstance(engine, RayEngine)
    assert engine._cpus == 4
    assert not engine.keeps_ready


@pytest.mark.parametrize("value", ["ray", "auto", "http://head", "head:10001"])
def test_anything_else_is_told_with_what_was_expected(value):
    with pytest.raises(OptionsError, match=f"GYMFORM_ENGINE: expected local.*got '{value}'"):
        engine_from({"GYMFORM_ENGINE": value})


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", "²"])
def test_processors_are_a_whole_number(value):
    with pytest.raises(OptionsError, match="GYMFORM_RAY_CPUS: expected a whole number"):
        engine_from({"GYMFORM_ENGINE": "ray://head", "GYMFORM_RAY_CPUS": value})


def test_a_local_worker_works_and_ends(tmp_path):
    worker = LocalEngine("tests.work:scripted").start()
    worker.work(3, {"path": str(tmp_path / "clip"), "name": "fine"}, tmp_path)
    assert worker.usable
    assert worker.started
    said = [worker.message(30) for _ in range(2)]
    assert [message["is"] for message in said] == ["progress", "done"]
    assert (tmp_path / "result.txt").read_text().endswith("fine")
    worker.kill()
    assert not worker.usable
    deadline = time.monotonic() + 30
    while not worker.ended:
        assert worker.message(0.1) is None
        assert time.monotonic() < deadline
