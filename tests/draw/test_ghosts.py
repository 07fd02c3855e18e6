"""Ghosts: earlier ways up, each from where the current one begins."""

from dataclasses import replace

import numpy as np
import pytest

from gymform.draw.ghosts import MOST, ghosts_at, lifts_of
from gymform.types import RepForm
from tests import fakes


def bar_of(count, shift=0.0):
    """A bar that goes up and down ``count`` times in 3 s each, ``shift`` px farther each time."""
    frames = 90 * count
    time_s = np.arange(frames) / 30
    way = 120 + 40 * np.cos(np.pi * time_s / 3) ** 2
    xy = np.stack([100 + shift * (time_s // 3), way], axis=1)
    velocity = np.gradient(xy, time_s, axis=0)
    return fakes.make_bar(frames, xy=xy, still=xy, velocity=velocity)


def form_of(count, cut=None):
    return fakes.make_form(
        repetitions=tuple(
            RepForm(3.0 * i, 3.0 * i + 2.9, (), "a cut" if i == cut else None) for i in range(count)
        )
    )


def test_lifts_are_the_ways_up_of_whole_repetitions():
    lifts = lifts_of(bar_of(3), form_of(3, cut=1))
    assert len(lifts) == 2
    for first, last in lifts:
        assert first % 90 == pytest.approx(1, abs=1)
        assert last % 90 == pytest.approx(44, abs=2)
    assert lifts_of(None, form_of(1)) == lifts_of(bar_of(1), None) == []


def test_ghosts_begin_where_the_current_lift_does_and_go_with_the_camera():
    bar = bar_of(3, shift=5.0)
    lifts = lifts_of(bar, form_of(3))
    assert ghosts_at(bar, lifts, lifts[0][1]) == []
    ghosts = ghosts_at(bar, lifts, lifts[2][0] + 5)
    assert len(ghosts) == 2
    for ghost in ghosts:
        np.testing.assert_allclose(ghost[0], bar.still[lifts[2][0]])
    panned = replace(bar, xy=bar.still + np.array([30.0, 0.0]))
    np.testing.assert_allclose(ghosts_at(panned, lifts, lifts[2][0])[0][0, 0], ghosts[0][0, 0] + 30)


def test_no_more_than_can_be_told_apart():
    bar = bar_of(12)
    assert len(ghosts_at(bar, lifts_of(bar, form_of(12)), 90 * 12 - 1)) == MOST


def test_a_frame_without_a_bar_has_none():
    bar = bar_of(2)
    lifts = lifts_of(bar, form_of(2))
    bar.xy[170] = np.nan
    assert ghosts_at(bar, lifts, 170) == []
