"""The app as a server: what keeps it from starting, and what runs beside the pages."""

from __future__ import annotations

import asyncio
import threading

import pytest
from streamlit import config

import serve
from gymform.service.analysis_engine import ENGINE
from gymform.service.deletion import KEEP_DAYS


def test_days_that_are_none_keep_the_app_from_starting(monkeypatch):
    monkeypatch.setenv(KEEP_DAYS, "a week")
    with pytest.raises(SystemExit, match="GYMFORM_KEEP_DAYS: expected a number of days above 0"):
        serve.readable_settings()


def test_an_engine_that_cannot_be_reached_keeps_the_app_from_starting(monkeypatch):
    monkeypatch.setenv(ENGINE, "ray")
    serve.analysis_engine.forget()
    with pytest.raises(SystemExit, match="gymform: GYMFORM_ENGINE: expected local"):
        serve.reach_engine()
    monkeypatch.delenv(ENGINE)
    serve.reach_engine()


def test_the_app_goes_on_with_extractions_and_sweeps_from_its_start_to_its_end(monkeypatch):
    option = config.get_option
    monkeypatch.setattr(
        config, "get_option", lambda name: True if name == "server.headless" else option(name)
    )

    def sweepers() -> list[str]:
        return [one.name for one in threading.enumerate() if "sweeper" in one.name]

    resumed = []
    monkeypatch.setattr(serve, "resume_extractions", resumed.append)

    async def run() -> None:
        async with serve.lifespan(None):
            assert len(sweepers()) == 1

    asyncio.run(run())
    assert sweepers() == []
    assert resumed == [serve.dataset_tasks()]
