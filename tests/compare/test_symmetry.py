"""How evenly left and right move."""

from __future__ import annotations

import numpy as np
import pytest

from gymform.compare.symmetry import PAIRS, asymmetry
from gymform.motion.body_size import stature
from gymform.types import FRONT, SIDE
from tests import fakes


@pytest.fixture(name="tracks")
def _tracks():
    """Both sides of the body at one height in every frame."""
    tracks = fakes.make_tracks(fakes.make_pose())
    for left, right in PAIRS:
        tracks.xy[:, right, 1] = tracks.xy[:, left, 1]
    return tracks


def lower(tracks, side: int, share: float) -> None:
    """Let one side hang lower by a share of the lifter's height."""
    size = stature(tracks.xy)
    for pair in PAIRS:
        tracks.xy[:, pair[side], 1] += share * size


def test_an_even_lift_differs_by_nothing_and_an_uneven_one_by_as_much_as_it_hangs(tracks):
    span = float(tracks.time_s[0]), float(tracks.time_s[-1])
    assert asymmetry(tracks, 0.0, *span) == pytest.approx(0, abs=1e-6)
    lower(tracks, 1, 0.05)
    assert asymmetry(tracks, 0.0, *span) == pytest.approx(5, rel=0.02)


@pytest.mark.parametrize("turned", [FRONT + 1, SIDE, 90.0, float("nan")])
def test_it_is_measured_from_the_front_or_the_back_alone(tracks, turned):
    assert asymmetry(tracks, turned, 0.0, 9.0) is None


def test_a_pair_that_was_hardly_seen_does_not_count(tracks):
    lower(tracks, 0, 0.05)
    for left, right in PAIRS[1:]:
        tracks.xy[:, right, 1] = tracks.xy[:, left, 1]
    tracks.xy[: len(tracks.xy) * 2 // 3, PAIRS[0][0]] = np.nan
    assert asymmetry(tracks, 0.0, 0.0, 9.0) == pytest.approx(0, abs=1e-6)


def test_nothing_in_time_or_in_the_picture_is_no_number(tracks):
    assert asymmetry(tracks, 0.0, 99.0, 100.0) is None
    tracks.xy[:] = np.nan
    assert asymmetry(tracks, 0.0, 0.0, 9.0) is None
