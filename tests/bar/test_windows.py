"""Windows around the hands (gymform/bar/windows.py)."""

import cv2
import numpy as np
import pytest

from gymform.bar.hands import Hands, hands_of
from gymform.bar.windows import (
    MIDDLE,
    SIDE,
    TORSO_PX,
    cut,
    sample_times,
    smoothed_around,
    windows_of,
)
from tests.bar.conftest import VIEW
from tests.bar.films import bar_films as bf


@pytest.fixture(name="hands")
def _hands() -> Hands:
    hands = hands_of(bf.skeleton(bf.SNATCH, VIEW), bf.SNATCH.repetitions)
    assert hands is not None
    return hands


def test_sampled_frames_show_the_hands_at_all_heights(hands):
    times = sample_times(hands, 20)
    assert 10 <= len(times) <= 20
    assert (np.diff(times) > 0).all()
    heights = np.sort(hands.at(times)[:, 1])
    lifted = hands.xy[hands.lifting, 1]
    assert np.ptp(heights) > 0.95 * np.ptp(lifted)


def test_windows_hold_the_hands_in_their_middle_and_the_torso_at_one_size(snatch, hands):
    times = sample_times(hands, 8)
    windows = list(windows_of(snatch, hands, times))
    assert [w.time_s for w in windows] == pytest.approx(times)
    for window in windows:
        assert window.field.shape == (2, SIDE, SIDE)
        assert window.scale == pytest.approx(TORSO_PX / hands.torso)
        assert window.to_window(window.hands) == pytest.approx([MIDDLE, MIDDLE])
        there = np.array([30.0, 77.0])
        assert window.to_window(window.to_source(there)) == pytest.approx(there)


def test_what_lies_outside_the_frame_has_no_edges(hands):
    grey = np.full((40, 30), 200, np.uint8)
    window = cut(grey, 1.0, hands, float(hands.time_s[50]))
    assert not window.inside.all()
    assert np.abs(window.field[:, ~window.inside]).max() == 0


@pytest.mark.parametrize("there", [(150.0, 90.0), (3.5, 178.0), (319.0, 0.0)])
def test_a_part_is_smoothed_as_the_whole_frame_is(there):
    grey = np.random.default_rng(1).integers(0, 256, (180, 320), np.uint8)
    part, (left, top) = smoothed_around(grey, np.array(there), 40, 3.0)
    assert part.size < 0.5 * grey.size
    whole = cv2.GaussianBlur(grey, (0, 0), 3.0)
    x, y = (slice(max(round(at) - 40, 0), round(at) + 40) for at in there)
    inner = part[max(y.start - top, 0) : y.stop - top, max(x.start - left, 0) : x.stop - left]
    np.testing.assert_array_equal(inner, whole[y, x])


@pytest.mark.parametrize("there", [(-140.0, 60.0), (500.0, 400.0)])
def test_of_a_point_outside_the_frame_there_is_a_part_too(there):
    part, _ = smoothed_around(np.zeros((180, 320), np.uint8), np.array(there), 40, 3.0)
    assert part.size > 0
