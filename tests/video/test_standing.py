"""Frames that only repeat the one before are told from people who stand still."""

import numpy as np
import pytest

from gymform.video.standing import changes, standing

FPS = 15
TIME_S = np.arange(60) / FPS


def film(stands: slice | None, noise: float = 1.0) -> list[np.ndarray]:
    """A bright bar that goes up and down before a textured wall; the picture ``stands``."""
    rng = np.random.default_rng(0)
    wall = rng.integers(60, 120, (54, 96, 3)).astype(float)
    pictures: list[np.ndarray] = []
    for t in range(60):
        if stands and stands.start < t < stands.stop:
            pictures.append(pictures[-1])
            continue
        picture = wall + rng.normal(0, noise, wall.shape)
        row = int(25 + 15 * np.sin(t / 3))
        picture[row : row + 8, 30:60] = 220
        pictures.append(np.clip(picture, 0, 255).astype(np.uint8))
    return pictures


def found(pictures: list[np.ndarray]) -> np.ndarray:
    return standing(changes(pictures), TIME_S)


def test_a_picture_that_stands_in_mid_film_is_found():
    stands = found(film(slice(20, 35)))
    np.testing.assert_array_equal(np.flatnonzero(stands), np.arange(21, 35))


@pytest.mark.parametrize("stands", [None, slice(20, 22)], ids=["never", "one repeated frame"])
def test_a_film_that_goes_on_does_not_stand(stands):
    assert not found(film(stands)).any()


def test_every_frame_twice_is_a_lower_rate_and_no_standing_picture():
    pictures = [picture for picture in film(None)[:30] for _ in range(2)]
    assert not found(pictures).any()


def test_a_wall_seen_by_a_camera_does_not_stand():
    rng = np.random.default_rng(1)
    wall = rng.integers(60, 120, (54, 96, 3)).astype(float)
    seen = [np.clip(wall + rng.normal(0, 3, wall.shape), 0, 255).astype(np.uint8) for _ in TIME_S]
    assert not found(seen).any()
