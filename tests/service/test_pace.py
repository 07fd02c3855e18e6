"""How long an analysis will take, from what was measured here."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

import pytest

from gymform.service.pace import in_words, measured_pace


@pytest.mark.parametrize(
    ("pace_s", "film_s", "said"),
    [
        (0.001, 5, "a second or two"),
        (0.03, 5, "about 4 seconds"),
        (0.068, 5, "about 10 seconds"),
        (0.3, 5, "about 45 seconds"),
        (0.068, 120, "about 4 minutes"),
    ],
)
def test_it_is_said_as_people_would(pace_s, film_s, said):
    assert in_words(pace_s, film_s) == said


def test_the_fastest_engine_counts_and_nothing_is_said_before_it_was_measured(monkeypatch):
    name = "gymform.pose.engine.choice"
    monkeypatch.delitem(sys.modules, name, raising=False)
    assert measured_pace() is None
    monkeypatch.setitem(sys.modules, name, SimpleNamespace(measured=lambda: None))
    assert measured_pace() is None
    times = {"torch": 68.6, "onnxruntime": 61.9}
    monkeypatch.setitem(sys.modules, name, SimpleNamespace(measured=lambda: times))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert measured_pace() == pytest.approx(0.068, rel=0.1)  # as benchmarks/speed.md measured
