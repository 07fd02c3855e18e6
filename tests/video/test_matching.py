"""Two small pictures of one scene match, moved and grown; two scenes do not."""

import cv2
import numpy as np
import pytest

from gymform.video.matching import chained, followed, in_place, match, view


def scene(seed: int) -> np.ndarray:
    """A picture (54, 96, 3) with things of several sizes in it."""
    rng = np.random.default_rng(seed)
    picture = np.full((54, 96, 3), 90, np.uint8)
    for _ in range(60):
        x, y = rng.integers(0, 96), rng.integers(0, 54)
        size = tuple(int(v) for v in rng.integers(3, 14, 2))
        colour = tuple(int(v) for v in rng.integers(0, 256, 3))
        cv2.rectangle(picture, (int(x), int(y)), (int(x) + size[0], int(y) + size[1]), colour, -1)
    return picture


def grown(picture: np.ndarray, zoom: float, shift: tuple[float, float] = (0, 0)) -> np.ndarray:
    height, width = picture.shape[:2]
    matrix = np.array([
        [zoom, 0, (1 - zoom) * width / 2 + shift[0]],
        [0, zoom, (1 - zoom) * height / 2 + shift[1]],
    ])  # fmt: skip
    return cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)


def test_the_same_picture_in_other_light_is_in_place():
    picture = scene(0)
    darker = (0.5 * picture).astype(np.uint8)
    assert match(view(picture), view(darker)).share > 0.9


@pytest.mark.parametrize("zoom", [1.15, 1.3, 1 / 1.3])
def test_a_zoom_is_told(zoom):
    found = match(view(scene(1)), view(grown(scene(1), zoom)))
    assert found.share > 0.4
    assert found.log_zoom == pytest.approx(np.log(zoom), abs=0.05)


def test_a_small_shift_is_followed():
    found = followed(view(scene(2)), view(grown(scene(2), 1.0, (2, 1))))
    assert found.share > 0.7
    np.testing.assert_allclose(found.moved[:, 2], [2, 1], atol=0.6)


@pytest.mark.parametrize("seed", range(3, 8))
def test_another_scene_does_not_match(seed):
    first, second = view(scene(seed)), view(scene(seed + 50))
    assert match(first, second).share < 0.4
    assert in_place(first.grey[None], second.grey[None])[0] < 0.3


def test_maps_are_chained_in_order():
    zoom = np.array([[2.0, 0, 0], [0, 2, 0]])
    shift = np.array([[1.0, 0, 5], [0, 1, 0]])
    point = chained(zoom, shift) @ [1, 1, 1]
    np.testing.assert_allclose(point, [7, 2])
