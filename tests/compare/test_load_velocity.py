"""Load and velocity: a line that is there is found, an interval covers, and doubts are said."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gymform.compare.load_velocity import (
    CONFIDENCE,
    THRESHOLDS,
    best_velocity,
    fieller,
    in_words,
    load_velocity,
)

LOADS = [60.0, 80.0, 100.0, 120.0]


def along(loads, slope=-0.006, intercept=1.2):
    return [intercept + slope * load for load in loads]


@given(
    slope=st.floats(-0.02, -0.003),
    most=st.floats(130, 400),
    exercise=st.sampled_from(sorted(THRESHOLDS)),
)
def test_an_exact_line_gives_its_load_and_the_error_of_measuring(slope, most, exercise):
    """Points that lie on a line by chance are no more exact than what is measured."""
    velocity = THRESHOLDS[exercise].velocity
    loads, speeds = LOADS, along(LOADS, slope, velocity - slope * most)
    found = load_velocity(loads, speeds, exercise)
    ends = fieller(np.array(loads), np.array(speeds), velocity)
    if ends is None or found.one_rm is None:
        assert "scatter" in found.why
        return
    assert found.one_rm == pytest.approx(most)
    assert found.low < most - 0.02 / -slope
    assert found.high > most + 0.02 / -slope


@pytest.mark.parametrize("count", [4, 6, 12])
def test_the_interval_holds_the_true_load_as_often_as_it_says(count):
    rng = np.random.default_rng(count)
    slope, intercept, most = -0.006, 1.2, 150.0
    held, runs = 0, 2000
    for _ in range(runs):
        loads = rng.uniform(50, 130, count)
        speeds = intercept + slope * loads + rng.normal(0, 0.06, count)
        level = intercept + slope * most + rng.normal(0, 0.06)  # the day's own threshold
        ends = fieller(loads, speeds, level)
        held += ends is None or ends[0] <= most <= ends[1]
    assert held / runs == pytest.approx(CONFIDENCE, abs=0.02)


@given(unit=st.floats(0.1, 10))
def test_the_unit_of_load_does_not_matter(unit):
    speeds = np.array(along(LOADS)) + np.array([0.01, -0.01, 0.005, 0.0])
    kg = load_velocity(LOADS, list(speeds), "squat")
    other = load_velocity([unit * load for load in LOADS], list(speeds), "squat")
    for name in ("one_rm", "low", "high"):
        assert getattr(other, name) == pytest.approx(unit * getattr(kg, name))
    assert kg.low < kg.one_rm < kg.high


@pytest.mark.parametrize(
    ("loads", "speeds", "exercise", "why"),
    [
        ([], [], "squat", "there are none"),
        ([100.0] * 4, [0.6, 0.5, 0.5, 0.6], "squat", "there is one"),
        ([80.0, 100.0], [0.7, 0.6], "squat", "there are 2"),
        ([100.0, 102.5, 105.0], [0.7, 0.6, 0.5], "squat", "too alike: one of 84 kg or less"),
        ([60.0, 80.0, 100.0], [0.5, 0.6, 0.7], "squat", "not lifted more slowly"),
        ([60.0, 80.0, 100.0], along([60, 80, 100]), "row", "not known to gymform"),
        ([60.0, 80.0, 100.0], [0.9, 0.5, 0.6], "squat", "scatter too much"),
        ([60.0, 80.0, 100.0, 120.0], [0.7, 0.5, 0.3, 0.1], "squat", "below the 120 kg"),
    ],
)  # fmt: skip
def test_what_speaks_against_an_estimate_is_said(loads, speeds, exercise, why):
    found = load_velocity(loads, speeds, exercise)
    assert found.one_rm is None
    assert why in found.why
    assert why in in_words(found, exercise)


def test_the_words_say_that_it_is_an_estimate_and_from_what():
    words = in_words(load_velocity(LOADS, along(LOADS), "squat"), "squat")
    assert words == (
        "About 150 kg once: an estimate from 4 sets with 4 different loads, with 95 % between 140 "
        "and 163 kg. It is where the line reaches 0.30 m/s (Conceicao et al. 2016, Sanchez-Medina "
        "et al. 2017)."
    )


def test_the_best_whole_repetition_of_a_set_counts():
    reps = [({"bar_speed": 0.6}, False), ({"bar_speed": 0.7}, False), ({"bar_speed": 0.9}, True),
            ({}, False)]  # fmt: skip
    summary = {"repetitions": [{"measures": one, "cut_off": cut} for one, cut in reps]}
    assert best_velocity(summary) == 0.7
    assert best_velocity({}) is None


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("bad", [(NAN, 0.5), (90.0, NAN), (INF, 0.5), (90.0, INF), (0.0, 0.5)])
def test_what_is_no_number_does_not_count(bad):
    with_bad = load_velocity([*LOADS, bad[0]], [*along(LOADS), bad[1]], "squat")
    assert with_bad == load_velocity(LOADS, along(LOADS), "squat")


def test_loads_that_only_rounding_tells_apart_are_one():
    found = load_velocity([60.0, 60.0 + 1e-9, 100.0], [0.9, 0.9, 0.5], "squat")
    assert (found.loads, found.one_rm) == (2, None)


@pytest.mark.parametrize("bad", [NAN, None, INF])
def test_a_repetition_without_a_speed_is_not_the_best(bad):
    reps = [{"measures": {"bar_speed": one}} for one in (bad, 0.6)]
    assert best_velocity({"repetitions": reps}) == 0.6
