"""The rate and the latency of the last seconds."""

from __future__ import annotations

import pytest

from gymform.live.meter import Lateness, Meter


def test_the_meter_measures_rate_and_latency_of_the_last_seconds():
    meter = Meter()
    assert meter.pace() is None
    for number in range(300):
        meter.add(number / 12, 0.5 if number < 100 else 0.05)
    pace = meter.pace()
    assert pace is not None
    assert pace.fps == pytest.approx(12)
    assert pace.latency_s == pytest.approx(0.05)
    assert pace.latency_p95_s == pytest.approx(0.05)


def test_frames_that_waited_are_late():
    lateness = Lateness()
    assert lateness.of(0.0, 50.0) == 0
    assert lateness.of(1.0, 51.0) == pytest.approx(0, abs=1e-3)
    assert lateness.of(2.0, 52.4) == pytest.approx(0.4, abs=1e-2)
    assert lateness.of(3.0, 52.9) == 0  # faster than any before
