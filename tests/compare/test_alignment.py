"""Moments of two repetitions that belong together."""

from __future__ import annotations

import numpy as np
import pytest

from gymform.compare.alignment import (
    EVENLY,
    SAMPLES,
    WARPED,
    Movement,
    align,
    interpolated,
    shared_moments,
    warped,
)
from gymform.form.events import BOTTOM, CATCH, END, LOCKOUT, START, Events

SQUAT = Events(((START, 1.0), (BOTTOM, 2.0), (END, 4.0)))
SLOW = Events(((START, 10.0), (BOTTOM, 14.0), (END, 16.0)))


def test_moments_with_a_name_lie_on_each_other_and_time_runs_evenly_in_between():
    found = align(SQUAT, SLOW)
    assert found.moments == ((START, 0), (BOTTOM, SAMPLES), (END, 2 * SAMPLES))
    for name, sample in found.moments:
        assert found.first_s[sample] == pytest.approx(SQUAT.at(name))
        assert found.second_s[sample] == pytest.approx(SLOW.at(name))
    assert found.second_s[SAMPLES // 2] == pytest.approx(12.0)
    assert (np.diff(found.first_s) > 0).all()


def test_repetitions_without_a_moment_in_common_share_their_ends():
    pull = Events(((START, 0.0), (LOCKOUT, 1.0), (END, 2.0)))
    assert [name for name, *_ in shared_moments(SQUAT, pull)] == [START, END]
    catch = Events(((START, 0.0), (CATCH, 1.0), (END, 2.0)))
    assert align(pull, catch).moments == ((START, 0), (END, SAMPLES))


def test_a_moment_that_is_the_last_of_one_is_none_in_between():
    """A repetition that is cut off at the bottom ends there."""
    half = Events(((START, 0.0), (BOTTOM, 1.0)))
    assert [one[0] for one in shared_moments(SQUAT, half)] == [START, END]
    assert shared_moments(SQUAT, half)[-1][1:] == (4.0, 1.0)


def test_warping_finds_a_movement_that_runs_ahead_and_keeps_both_ends():
    even = np.linspace(0, 1, SAMPLES + 1)
    ahead = even**1.3  # at each sample of the first, the second is as far as it was then
    first, second = (np.stack([np.cos(2 * at), at**2], axis=1) for at in (ahead, even))
    found = warped(first, second, even)
    assert (found[0], found[-1]) == (0.0, 1.0)
    assert (np.diff(found) >= 0).all()
    assert np.abs(found - ahead).max() < 0.4 * np.abs(even - ahead).max()


def test_warping_works_between_moments_and_moves_none_of_them():
    time_s = np.linspace(0, 20, 401)
    movements = tuple(
        Movement(time_s, np.sin((time_s - start) * pace)[:, None])
        for start, pace in ((1.0, 1.0), (10.0, 0.4))
    )
    even, found = (align(SQUAT, SLOW, how=how, movements=movements) for how in (EVENLY, WARPED))
    assert found.moments == even.moments
    for _, sample in found.moments:
        assert found.second_s[sample] == even.second_s[sample]
    assert (np.diff(found.second_s) >= 0).all()
    assert np.abs(found.second_s - even.second_s).max() > 0.05


def test_what_stands_still_or_is_unknown_is_not_warped_to():
    time_s = np.linspace(0, 20, 401)
    nothing = Movement(time_s, np.full((401, 2), np.nan))
    even = align(SQUAT, SLOW)
    found = align(SQUAT, SLOW, how=WARPED, movements=(nothing, nothing))
    assert np.allclose(found.second_s, even.second_s, atol=0.1)


def test_between_known_values_it_is_a_line_and_without_any_unknown():
    values = np.array([0.0, np.nan, 2.0])
    assert interpolated(np.arange(3.0), values, np.array([1.0])) == [1.0]
    assert np.isnan(interpolated(np.arange(3.0), values * np.nan, np.array([1.0]))).all()
