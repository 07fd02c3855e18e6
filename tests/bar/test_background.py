"""The camera's motion, taken out of a path (gymform/bar/background.py)."""

import numpy as np
import pytest

from gymform.bar import background
from gymform.bar.background import Background

RNG = np.random.default_rng(2)
WALL = np.kron(RNG.integers(0, 255, (40, 60)), np.ones((8, 8))).astype(np.uint8)
NOBODY = np.full((2, 4), np.nan)


def heard(step_px: int, frames: int = 12) -> Background:
    """A wall of which the camera sees a part that moves to the right by so many px a frame."""
    film = Background(NOBODY, np.array([0.0, 9.0]))
    for i in range(frames):
        x = 20 + step_px * i
        film.hear(WALL[:240, x : x + 320], 1.0, i / 10)
    return film


def test_a_still_camera_changes_nothing():
    camera = heard(0)
    path = RNG.normal(100, 30, (12, 2))
    assert camera.speed() == pytest.approx(0, abs=1e-3)
    assert camera.still(path, np.arange(12) / 10) is path


def test_a_pan_is_taken_out():
    camera = heard(4)
    assert camera.speed() == pytest.approx(40 / 400, rel=0.05)
    time_s = np.arange(12) / 10
    on_the_wall = np.stack([200 - 4.0 * np.arange(12), np.full(12, 100.0)], axis=-1)
    still = camera.still(on_the_wall, time_s)
    assert still == pytest.approx(np.tile([200.0, 100.0], (12, 1)), abs=1.0)


def test_no_frames_no_speed():
    assert Background(NOBODY, np.array([0.0, 1.0])).speed() == 0


@pytest.mark.parametrize("seen", [None, np.zeros((2, 3)), 9 * np.eye(2, 3)])
def test_a_background_that_is_not_recognised_is_taken_to_stand_still(monkeypatch, seen):
    monkeypatch.setattr(background, "background_motion", lambda *_: seen)
    moved = heard(4)
    path = RNG.normal(100, 30, (12, 2))
    assert moved.speed() == 0
    np.testing.assert_array_equal(moved.still(path, np.arange(12) / 10), path)
