"""Where exactly a rim is (gymform/bar/rim.py)."""

import cv2
import numpy as np
import pytest

from gymform.bar.rim import ANGLES, SIZES, exact, growth, profiles

BESIDE = np.zeros(2)


def plate(r: float, aspect: float, x: float = 100.3, y: float = 99.6) -> np.ndarray:
    """A black plate with a ring inside it, on a bright wall, uint8 (200, 200)."""
    large = np.full((1600, 1600), 180, np.uint8)
    middle = (round(8 * x + 3.5), round(8 * y + 3.5))
    for share, grey in ((1.0, 40), (0.7, 90), (0.6, 40), (0.2, 160)):
        axes = (round(8 * r * aspect * share), round(8 * r * share))
        cv2.ellipse(large, middle, axes, 0, 0, 360, grey, -1)
    return cv2.resize(large, (200, 200), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize(("r", "aspect"), [(45.0, 1.0), (30.0, 0.8), (60.0, 0.95)])
@pytest.mark.parametrize("off", [0.95, 1.0, 1.06])
def test_size_and_width_are_found_from_near_them(r, aspect, off):
    centre = np.array([100.3, 99.6])
    one = profiles(plate(r, aspect), centre, r * off, aspect + 0.05)
    size, wider = exact(np.stack([one] * 5), aspect + 0.05, BESIDE)
    assert size * off == pytest.approx(1, abs=0.015)
    assert aspect + 0.05 + wider == pytest.approx(aspect, abs=0.02)


def test_a_painted_disc_inside_the_rim_is_not_taken_for_it():
    """A shield painted on a plate is clearer than the plate's own black rim."""
    centre = np.array([100.3, 99.6])
    picture = plate(48, 1.0)
    cv2.circle(picture, (100, 100), 36, 230, -1)
    cv2.circle(picture, (100, 100), 12, 30, -1)
    one = profiles(picture, centre, 36.5, 1.0)
    size, _ = exact(np.stack([one] * 5), 1.0, BESIDE)
    assert size * 36.5 == pytest.approx(48, rel=0.03)


def test_the_thickness_of_a_plate_seen_obliquely_does_not_make_it_higher():
    """A black plate: where its outer face ends and its thickness begins is not seen."""
    large = np.full((1600, 1600), 180, np.uint8)
    for back in range(0, 6 * 8):
        cv2.ellipse(large, (800 + back, 800), (8 * 46, 8 * 48), 0, 0, 360, 40, -1)
    picture = cv2.resize(large, (200, 200), interpolation=cv2.INTER_AREA)
    one = profiles(picture, np.array([102.4, 99.4]), 48.0, 1.0)
    known, _ = exact(np.stack([one] * 5), 1.0, np.array([-1.5, 0.0]))
    ignored, _ = exact(np.stack([one] * 5), 1.0, BESIDE)
    assert known == pytest.approx(1, abs=0.01)
    assert ignored > known


def test_too_few_frames_change_nothing():
    nothing = np.full((20, len(SIZES), ANGLES), np.nan, np.float32)
    assert exact(nothing, 1.0, BESIDE) == (1.0, 0.0)


def test_a_plate_that_comes_nearer():
    centre = np.array([100.3, 99.6])
    radii = np.linspace(44, 48, 9)
    frames = np.stack([profiles(plate(r, 1.0), centre, 46.0, 1.0) for r in radii])
    assert growth(frames) == pytest.approx(radii / 46.0, abs=0.01)
    assert growth(np.full_like(frames, np.nan)) == pytest.approx(1.0)
    frames[3] = np.nan
    assert np.isnan(growth(frames)[3])
