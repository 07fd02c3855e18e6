"""Figures of repetitions and sets (gymform/bar/figures.py)."""

from dataclasses import replace

import numpy as np
import pytest

from gymform.bar.carrier import Bar
from gymform.bar.figures import concentric, figures, figures_of_hands, loss_of, propulsive
from gymform.bar.hands import Hands

MM_PER_PX = 4.0


def lifted(seconds: list[float], rise_m: float = 0.5, fps: float = 60.0) -> tuple[Bar, list]:
    """A bar that goes up in so many seconds each time, and down in one; its repetitions."""
    time_s = np.arange(0, sum(seconds) + 2 * len(seconds) + 0.5, 1 / fps)
    height, speed, spans, start = np.zeros_like(time_s), np.zeros_like(time_s), [], 0.5
    for up in seconds:
        for length, sign in ((up, 1), (1.0, -1)):
            share = np.round((time_s - start) / length, 9)
            inside = (share > 0) & (share <= 1)
            wave = rise_m * (1 - np.cos(np.pi * share[inside])) / 2
            height[inside] = wave if sign > 0 else rise_m - wave
            slope = np.pi * rise_m / 2 / length * np.sin(np.pi * share[inside])
            speed[inside] = sign * slope
            start += length
        spans.append((start - up - 1.0, start))
        start += 0.5
    px = 1000 / MM_PER_PX
    xy = np.stack([100 + 0 * height, 500 - px * height], axis=-1)
    velocity = np.stack([0 * speed, -px * speed], axis=-1)
    seen = np.ones(len(time_s), bool)
    bar = Bar(time_s, xy, np.full(len(time_s), 50.0), seen, velocity, xy, seen, 1.0, MM_PER_PX,
              450.0)  # fmt: skip
    return bar, spans


def test_metres_of_one_repetition():
    bar, spans = lifted([0.8])
    (rep,) = figures(bar, spans).repetitions
    assert rep.rise_cm == pytest.approx(50, rel=0.01)
    assert rep.mean_velocity == pytest.approx(0.5 / 0.8, rel=0.05)
    assert rep.peak_velocity == pytest.approx(np.pi / 2 * 0.5 / 0.8, rel=0.01)
    assert rep.time_to_peak_s == pytest.approx(0.4, abs=0.03)
    assert rep.drift_cm == pytest.approx(0)
    assert rep.seconds == pytest.approx(0.8, abs=0.03)


def test_a_film_that_is_slower_than_life():
    bar, spans = lifted([0.8])
    (plain,) = figures(bar, spans).repetitions
    (slow,) = figures(bar, spans, slow_motion=4.0).repetitions
    assert slow.mean_velocity == pytest.approx(4 * plain.mean_velocity)
    assert slow.seconds == pytest.approx(plain.seconds / 4)
    assert slow.rise_cm == pytest.approx(plain.rise_cm)
    assert slow.lifts_s == plain.lifts_s


def test_speeds_of_a_set():
    bar, spans = lifted([0.8, 0.85, 1.05, 1.3])
    speeds = np.array([rep.speed for rep in figures(bar, spans).repetitions])
    assert speeds[0] / speeds == pytest.approx([1, 0.85 / 0.8, 1.05 / 0.8, 1.3 / 0.8], rel=0.02)


def test_a_phase_that_is_not_seen_gives_nothing():
    bar, spans = lifted([0.8])
    bar.observed[:] = False
    assert figures(bar, spans).repetitions == ()


def test_hands_tell_speeds_without_metres():
    bar, spans = lifted([0.8, 1.2])
    hands = Hands(bar.xy, bar.time_s, bar.lifting, 120.0, bar.xy, False)
    found = figures_of_hands(hands, spans)
    first, second = (rep.speed for rep in found.repetitions)
    assert second / first == pytest.approx(0.8 / 1.2, abs=0.03)
    assert all(rep.mean_velocity is None for rep in found.repetitions)


def test_the_phase_around_the_greatest_speed():
    assert concentric(np.array([-1, 0, 0.5, 1, 0.5, 0, 0.3])) == (2, 4)
    assert concentric(np.array([-1.0, -2.0])) is None
    assert concentric(np.array([np.nan, np.nan])) is None


def test_a_phase_may_begin_before_its_repetition_and_end_after_it():
    up = np.array([-1, 0, 0.5, 1, 0.5, 0, 3.0])
    inside = np.array([0, 0, 0, 1, 1, 1, 0], bool)
    assert concentric(up, inside) == (2, 4)
    bar, [(start, end)] = lifted([0.8])
    (late,) = figures(bar, [(start + 0.3, end)]).repetitions
    (whole,) = figures(bar, [(start, end)]).repetitions
    assert late.rise_cm == pytest.approx(whole.rise_cm)


def test_the_propulsive_phase_ends_where_gravity_alone_would_not_slow_it_so():
    time_s = np.arange(0, 1, 0.01)
    speeds = np.where(time_s < 0.7, 1.0, 1.0 - 12 * (time_s - 0.7)).clip(0)
    assert propulsive(time_s, speeds) == pytest.approx(1.0, abs=0.02)
    assert propulsive(time_s, np.full(100, 0.8)) == pytest.approx(0.8)


def test_loss_is_against_the_fastest_so_far():
    assert loss_of(np.array([1.0, 1.25, 1.0])) == pytest.approx([0, 0, 20])


def rising(bar: Bar) -> np.ndarray:
    """The frames of a way up."""
    up = -bar.velocity[:, 1]
    return np.flatnonzero(up > 0.01 * up.max())


def without(bar: Bar, rows: slice) -> Bar:
    """``bar`` whose plate is hidden in some frames."""
    xy, velocity, still = bar.xy.copy(), bar.velocity.copy(), bar.still.copy()
    observed = bar.observed.copy()
    for array in (xy, velocity, still):
        array[rows] = np.nan
    observed[rows] = False
    return replace(bar, xy=xy, velocity=velocity, still=still, observed=observed)


@pytest.mark.parametrize(
    ("first", "last"), [(0.02, 0.2), (0.15, 0.4), (0.4, 0.6), (0.5, 0.9), (0.8, 0.98)]
)
def test_a_plate_that_is_hidden_on_the_way_up_gives_no_part_of_it_as_the_whole(first, last):
    bar, spans = lifted([1.0])
    up = rising(bar)
    begin, count = int(up[0]), len(up)
    hidden = slice(begin + round(first * count), begin + round(last * count))
    assert figures(bar, spans).repetitions
    assert not figures(without(bar, hidden), spans).repetitions


def test_a_plate_that_is_hidden_while_the_bar_rests_changes_nothing():
    bar, spans = lifted([1.0])
    up = rising(bar)
    [whole] = figures(bar, spans).repetitions
    [found] = figures(without(bar, slice(0, max(0, int(up[0]) - 3))), spans).repetitions
    assert found == whole


@pytest.mark.parametrize("share", [0.2, 0.4, 0.6])
def test_a_film_that_begins_or_ends_on_the_way_up_gives_no_figures(share):
    bar, spans = lifted([1.0])
    up = rising(bar)
    middle = int(up[0] + share * len(up))
    for rows in (slice(middle, None), slice(None, middle)):
        names = ("time_s", "xy", "r", "observed", "velocity", "still", "lifting")
        part = replace(bar, **{name: getattr(bar, name)[rows] for name in names})
        assert not figures(part, spans).repetitions
