"""Finding the disc that moves with the hands (gymform/bar/find.py)."""

import numpy as np
import pytest

from gymform.bar.find import find_candidates, of_mark, same_ring, way_of
from gymform.bar.hands import hands_of
from gymform.bar.windows import Window, sample_times, windows_of
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
