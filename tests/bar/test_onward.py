"""Following a plate by its own motion (gymform/bar/onward.py)."""

import numpy as np
import pytest

from gymform.bar.follow import Plate
from gymform.bar.onward import AWAY_S, followed_on, gaps
from tests.bar.conftest import VIEW
from tests.bar.films import bar_films as bf


def test_a_plate_that_left_the_hands_is_followed_both_ways(snatch):
    """Known from 1.7 to 2.4 s only; it goes on before and after, but not beyond 1.5 s."""
    time_s = np.arange(round(bf.SNATCH.seconds * VIEW.fps)) / VIEW.fps
    truth = bf.truth_px(bf.SNATCH, VIEW, time_s)
    plate = Plate(0.0, 0.0, float(truth[0, 2]), np.cos(np.radians(VIEW.yaw)), np.array([0.0]),
                  np.zeros((1, 2)))  # fmt: skip
    known = (time_s > 1.7) & (time_s < 2.4)
    places = np.where(known[:, None], truth[:, :2], np.nan)
    found = followed_on(snatch, plate, time_s, places, 0.5)
    error = np.linalg.norm(found - truth[:, :2], axis=1) / plate.r
    near = (time_s > 1.7 - AWAY_S) & (time_s < 2.4 + AWAY_S - 0.1)
    assert np.isfinite(error[near]).mean() > 0.95
    assert np.nanmax(error[near]) < 0.1
    assert np.isnan(error[time_s > 2.4 + AWAY_S + 0.1]).all()


def test_nothing_is_made_up_where_no_rim_is(dumbbell):
    time_s = np.arange(60) / VIEW.fps
    plate = Plate(0.0, 0.0, 60.0, 1.0, np.array([0.0]), np.zeros((1, 2)))
    places = np.full((60, 2), np.nan)
    places[:10] = 240, 300
    assert np.isnan(followed_on(dumbbell, plate, time_s, places, 0.5)[10:]).all()


def test_gaps_are_the_frames_near_those_that_are_known():
    time_s = np.arange(200) / 30
    seen = np.zeros(200, bool)
    seen[80:90] = True
    wanted = gaps(time_s, seen)
    assert wanted.min() == pytest.approx(80 - 45, abs=1)
    assert wanted.max() == pytest.approx(89 + 45, abs=1)
    assert not np.isin(np.arange(80, 90), wanted).any()
    assert not len(gaps(time_s, np.zeros(200, bool)))
