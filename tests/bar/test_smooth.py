"""Smoothing over true time stamps (gymform/bar/smooth.py)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gymform.bar.smooth import smooth_positions

RNG = np.random.default_rng(1)


def uneven(seconds: float = 3.0, fps: float = 30.0) -> np.ndarray:
    """Time stamps of a film whose rate is not constant."""
    steps = RNG.uniform(0.6, 1.4, round(seconds * fps)) / fps
    return np.cumsum(steps)


def test_position_and_velocity_of_a_smooth_movement():
    time_s = uneven()
    truth = np.stack([np.sin(2 * time_s), np.cos(3 * time_s)], axis=-1)
    speed = np.stack([2 * np.cos(2 * time_s), -3 * np.sin(3 * time_s)], axis=-1)
    seen = truth + RNG.normal(0, 0.01, truth.shape)
    found = smooth_positions(time_s, seen, np.full(len(seen), 0.01), jerk=20.0)
    assert found.used.mean() > 0.97
    assert np.sqrt(((found.position - truth) ** 2).mean()) < 0.007
    assert np.sqrt(((found.velocity - speed)[5:-5] ** 2).mean()) < 0.1


def test_an_outlier_is_left_out():
    time_s = uneven()
    truth = np.stack([time_s, 2 * time_s], axis=-1)
    seen = truth.copy()
    seen[40] += 5
    found = smooth_positions(time_s, seen, np.full(len(seen), 0.02), jerk=5.0)
    assert not found.used[40]
    assert found.position[40] == pytest.approx(truth[40], abs=0.02)


def test_a_gap_is_bridged():
    time_s = np.arange(60) / 30
    seen = np.stack([time_s, time_s**2], axis=-1)
    truth = seen.copy()
    seen[25:30] = np.nan
    found = smooth_positions(time_s, seen, np.full(60, 0.01), jerk=5.0)
    assert not found.used[25:30].any()
    assert np.abs(found.position - truth)[25:30].max() < 0.01


def test_nothing_seen_is_no_error():
    found = smooth_positions(np.arange(5.0), np.full((5, 2), np.nan), np.ones(5), jerk=1.0)
    assert not found.used.any()
    assert np.isfinite(found.position).all()


@given(
    shift=st.tuples(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)),
    size=st.floats(0.1, 50),
)
def test_a_path_elsewhere_and_larger_is_smoothed_alike(shift, size):
    rng = np.random.default_rng(0)
    time_s = np.cumsum(rng.uniform(0.02, 0.05, 40))
    seen = np.cumsum(rng.normal(0, 0.02, (40, 2)), axis=0)
    sigma = np.full(40, 0.02)
    plain = smooth_positions(time_s, seen, sigma, jerk=5.0)
    moved = smooth_positions(time_s, seen * size + shift, sigma * size, jerk=5.0 * size)
    expected = plain.position * size + shift
    assert moved.position == pytest.approx(expected, abs=1e-3 * size + 1e-6)
