"""Finding the disc that moves with the hands (gymform/bar/find.py)."""

from dataclasses import replace

import numpy as np
import pytest

from gymform.bar import find
from gymform.bar.find import (
    Candidate,
    field_near,
    find_candidates,
    mean_field,
    of_mark,
    same_ring,
    way_of,
)
from gymform.bar.hands import hands_of
from gymform.bar.rings import blurred, ring_transform, spaced
from gymform.bar.windows import SIDE, TORSO_PX, Window, sample_times, windows_of
from tests.bar.conftest import VIEW
from tests.bar.films import bar_films as bf


@pytest.fixture(name="windows", scope="module")
def _windows(snatch) -> list[Window]:
    hands = hands_of(bf.skeleton(bf.SNATCH, VIEW), bf.SNATCH.repetitions)
    assert hands is not None
    return list(windows_of(snatch, hands, sample_times(hands, 24)))


def errors(candidate, windows: list[Window]) -> np.ndarray:
    """How far its centre is from the truth in each window, in diameters."""
    found = []
    for window, shift in zip(windows, candidate.shifts, strict=True):
        x, y, r = bf.truth_px(bf.SNATCH, VIEW, np.array(window.time_s))
        here = window.to_source(np.array([candidate.x, candidate.y]) + shift)
        found.append(np.hypot(*(here - [x, y])) / (2 * r))
    return np.array(found)


def test_the_near_plate_is_the_best_candidate(windows):
    best = find_candidates(windows)[0]
    assert np.median(errors(best, windows)) < 0.04
    true = bf.truth_px(bf.SNATCH, VIEW, np.array(1.0))[2]
    assert best.r / windows[0].scale == pytest.approx(true, rel=0.06)
    assert best.score > 0.4


def test_a_mark_is_followed_to_all_windows(windows):
    window = windows[0]
    x, y, r = bf.truth_px(bf.SNATCH, VIEW, np.array(window.time_s))
    middle = window.to_window(np.array([x, y]))
    found = of_mark(middle, way_of(windows)[0], r * window.scale, windows)
    assert np.median(errors(found, windows)) < 0.04
    assert found.r / window.scale == pytest.approx(r, rel=0.06)


def test_the_same_ring(windows):
    one, *others = find_candidates(windows)
    assert same_ring(one, one)
    assert not any(same_ring(other, one) for other in others)


def shifts_of(windows: list[Window]) -> np.ndarray:
    return np.random.default_rng(0).uniform(-30, 30, (len(windows), 2))


def test_the_mean_of_shifted_windows_is_the_plain_formula(windows):
    shifts = shifts_of(windows)
    total, count = np.zeros((2, SIDE, SIDE)), np.zeros((SIDE, SIDE))
    for window, shift in zip(windows, shifts, strict=True):
        dx, dy = np.round(shift).astype(int)
        total += np.roll(window.field, (-dy, -dx), axis=(1, 2))
        count += np.roll(window.inside, (-dy, -dx), axis=(0, 1))
    expected = total / np.maximum(count, len(windows) / 4)
    assert mean_field(windows, shifts) == pytest.approx(expected, abs=1e-6)
    box = (slice(0, 40), slice(100, SIDE))
    part = mean_field(windows, shifts, box)
    assert part == pytest.approx(expected[:, :40, 100:], abs=1e-6)


@pytest.mark.parametrize(("x", "y"), [(120.4, 90.7), (20.0, 250.0), (400.0, -300.0)])
def test_near_a_candidate_the_mean_is_that_of_whole_windows(windows, x, y):
    one = Candidate(x, y, 30.0, 1.0, 0.5, shifts_of(windows), np.zeros(0), np.zeros(0))
    whole = blurred(mean_field(windows, one.shifts))
    part, (left, top) = field_near(one, windows, 40.0)
    height, width = part.shape[1:]
    expected = whole[:, top : top + height, left : left + width]
    rows, columns = (
        np.flatnonzero(np.abs(np.arange(first, first + size) - middle) <= 41)
        for first, size, middle in ((top, height, y), (left, width, x))
    )
    inside = np.ix_([0, 1], rows, columns)
    assert part[inside] == pytest.approx(expected[inside], abs=1e-6)
    for size, middle, first in ((width, x, left), (height, y, top)):
        assert first == 0 or first <= max(middle - 40, 0) or first == SIDE - 1
        assert first + size == SIDE or first + size >= min(middle + 40, SIDE) or first + size == 1


def test_no_rim_that_is_looked_for_goes_around_the_transform():
    """What leaves it at one side would come in at the other."""
    farthest = find.FAR * TORSO_PX / 2 + find.RADII[1] * TORSO_PX / 2 * max(find.ASPECTS)
    middle = (SIDE // 2 - 1) / 2
    low, high = np.floor(middle - farthest) - 1, np.ceil(middle + farthest) + 1
    assert high < find.FFT_SIDE
    assert find.FFT_SIDE + low > SIDE // 2


def test_all_rings_that_are_looked_for_are_transformed_once():
    radii = spaced(find.RADII[0], find.RADII[1], find.FINER)
    assert len(radii) * len(find.ASPECTS) <= ring_transform.cache_info().maxsize


def test_rings_that_differ_are_not_the_same():
    one = Candidate(100, 100, 30, 1.0, 0.5, np.zeros((1, 2)), np.zeros(1), np.zeros(64))
    assert same_ring(replace(one, x=107, r=33), one)
    assert not same_ring(replace(one, x=108), one)
    assert not same_ring(replace(one, r=34), one)
