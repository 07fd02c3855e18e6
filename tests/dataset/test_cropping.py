"""A rectangle of one picture is told from the others by what another picture shows."""

import cv2
import numpy as np
import pytest

from gymform.dataset.cropping import MIN_MEAN, SIDE, Finder, Mean, cut_out, whole


def picture(seed: int) -> np.ndarray:
    """A smooth picture of 120 x 120 px."""
    few = np.random.default_rng(seed).integers(0, 255, (7, 7), np.uint8)
    return cv2.resize(few, (120, 120), interpolation=cv2.INTER_CUBIC)


def tiny(large: np.ndarray) -> np.ndarray:
    """It as one picture of a fingerprint, (1, SIDE * SIDE)."""
    return cv2.resize(large, (SIDE, SIDE), interpolation=cv2.INTER_AREA).reshape(1, -1)


CROPS = [
    np.s_[6:114, 6:114],
    np.s_[15:105, 15:105],
    np.s_[0:90, 30:120],
    np.s_[:, 24:96],
    np.s_[42:108, :],
]


@pytest.mark.parametrize("crop", CROPS)
@pytest.mark.parametrize("seed", range(3))
def test_the_part_that_was_cropped_is_found_from_both_sides(crop, seed):
    original = tiny(picture(seed))
    part = tiny(np.ascontiguousarray(picture(seed)[crop]))
    for found in (
        Finder(Mean.of(part)).parts_of(Mean.of(original)),
        Finder(Mean.of(original)).parts_like(Mean.of(part)),
    ):
        likeness = [float((cut_out(original, each) @ whole(part).T).item()) for each in found]
        assert max(likeness) >= 0.97


@pytest.mark.parametrize("seed", range(3))
def test_another_picture_is_no_part(seed):
    one, other = Mean.of(tiny(picture(seed))), Mean.of(tiny(picture(seed + 10)))
    assert Finder(one).parts_of(other) == Finder(one).parts_like(other) == []


def test_the_correlations_are_those_of_the_parts_cut_out():
    part = tiny(np.ascontiguousarray(picture(1)[15:105, 15:105]))
    original = tiny(picture(1)).astype(np.float32)
    for rectangle in Finder(Mean.of(part)).parts_of(Mean.of(original)):
        assert (cut_out(original, rectangle) @ whole(part).T).item() >= MIN_MEAN - 1e-3


@pytest.mark.parametrize("flat", [np.zeros((0, SIDE * SIDE)), np.full((3, SIDE * SIDE), 90)])
def test_no_pictures_and_plain_ones_have_no_parts(flat):
    mean, other = Mean.of(flat), Mean.of(tiny(picture(0)))
    assert Finder(mean).parts_of(other) == Finder(other).parts_of(mean) == []
    assert Finder(mean).parts_like(other) == Finder(other).parts_like(mean) == []
