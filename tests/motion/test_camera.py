"""The camera's speed is that of the background, whatever the lifter does."""

import cv2
import numpy as np
import pytest

from gymform.motion.camera import camera_speed, median_speed
from gymform.video.sparse import SparseFrames

SIZE = (320, 240)
INTERVAL_S = 0.2
DIAGONAL = float(np.hypot(*SIZE))


def film(pan_px: float, *, lifter: bool = True, cut: int | None = None, blank: bool = False):
    """Eight samples, panned by ``pan_px`` a sample, with a textured lifter who moves down."""
    rng = np.random.default_rng(0)
    scene = cv2.resize(rng.integers(0, 255, (60, 120, 3), np.uint8), (960, 480))
    scene = np.full_like(scene, 90) if blank else scene
    person = cv2.resize(rng.integers(0, 255, (25, 10, 3), np.uint8), (80, 200))
    pictures, boxes = [], []
    for i in range(8):
        left = round(200 + pan_px * i)
        picture = scene[100:340, left : left + 320].copy()
        top = 5 + 4 * i
        if lifter:
            picture[top : top + 200, 120:200] = person[:, :, ::-1]
        boxes.append([120, top, 200, top + 200])
        pictures.append(cv2.imencode(".jpg", picture)[1].tobytes())
    shots = np.zeros(8, np.int32) if cut is None else (np.arange(8) >= cut).astype(np.int32)
    frames = SparseFrames(
        np.arange(8) * INTERVAL_S, np.arange(8), tuple(pictures), 1.0, SIZE, shots, shots, ()
    )
    return frames, np.array(boxes, np.float32)


@pytest.mark.parametrize("pan_px", [0.0, 3.0, 12.0, -8.0])
def test_the_speed_is_that_of_the_pan(pan_px):
    speeds = camera_speed(*film(pan_px))
    expected = abs(pan_px) / DIAGONAL / INTERVAL_S
    np.testing.assert_allclose(speeds, expected, atol=0.004)


def test_across_a_cut_and_without_background_it_is_unknown():
    speeds = camera_speed(*film(2.0, cut=4))
    assert np.flatnonzero(np.isnan(speeds)).tolist() == [3]
    assert np.isnan(camera_speed(*film(2.0, blank=True))).all()


def test_without_a_lifter_the_whole_picture_is_background():
    frames, boxes = film(5.0, lifter=False)
    speeds = camera_speed(frames, np.full_like(boxes, np.nan))
    np.testing.assert_allclose(speeds, 5.0 / DIAGONAL / INTERVAL_S, atol=0.004)


def test_the_same_clip_gives_the_same_speeds():
    np.testing.assert_array_equal(camera_speed(*film(7.0)), camera_speed(*film(7.0)))


def test_the_median_speed_is_that_of_the_interval_and_unknown_if_all_are():
    times = np.arange(6) * 1.0
    speeds = np.array([0.1, 0.1, np.nan, 0.5, 0.7])
    assert median_speed(speeds, times, 0.0, 2.0) == pytest.approx(0.1)
    assert median_speed(speeds, times, 3.0, 5.0) == pytest.approx(0.6)
    assert np.isnan(median_speed(speeds, times, 2.0, 3.0))
    assert np.isnan(median_speed(np.empty(0), np.zeros(1), 0.0, 1.0))
