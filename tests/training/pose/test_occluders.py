"""Occluders: they lie over joints of the limbs, stay near them, and move no label."""

import numpy as np
import pytest

from gymform import skeleton as sk
from gymform.training.pose import occluders
from gymform.training.pose.augment import UNCHANGED, warp
from gymform.training.pose.occluders import body_size, hide_joints
from tests.pose.packs import people


@pytest.fixture(scope="module")
def crop():
    """A painted person as a network sees them: pixels, and keypoints (17, 3)."""
    pack = people(1, "coco_subset", ["a"])
    args = pack.rgb(0), pack.keypoints[0], pack.crop(0)
    return warp(*args, np.random.default_rng(0), UNCHANGED)


def changed(before, after):
    return (before != after).any(-1)


def covered(where, keypoints):
    """The joints (17,) at which the picture changed."""
    x, y = np.rint(keypoints[:, :2]).astype(int).T
    return where[np.clip(y, 0, where.shape[0] - 1), np.clip(x, 0, where.shape[1] - 1)]


def test_one_to_a_few_joints_of_limbs_are_covered_and_much_is_left(crop):
    pixels, keypoints = crop
    counts, areas = [], []
    for seed in range(60):
        where = changed(pixels, hide_joints(pixels, keypoints, np.random.default_rng(seed)))
        counts.append(int(covered(where, keypoints)[list(sk.BODY)].sum()))
        areas.append(where.mean())
    assert np.mean(np.array(counts) >= 1) > 0.9  # a limb may lie just beside a joint
    assert np.mean(counts) < 5
    assert 0.01 < np.mean(areas) < 0.25


def test_all_limbs_come_to_be_hidden(crop):
    pixels, keypoints = crop
    often = np.zeros(sk.NUM_KEYPOINTS)
    for seed in range(150):
        where = changed(pixels, hide_joints(pixels, keypoints, np.random.default_rng(seed)))
        often += covered(where, keypoints)
    assert (often[list(sk.BODY)] >= 8).all()


def test_the_picture_that_came_in_and_the_labels_stay(crop):
    pixels, keypoints = crop
    before, labels = pixels.copy(), keypoints.copy()
    hidden = hide_joints(pixels, keypoints, np.random.default_rng(3))
    assert changed(pixels, hidden).any()
    np.testing.assert_array_equal(pixels, before)
    np.testing.assert_array_equal(keypoints, labels)
    assert hidden.dtype == np.uint8
    assert hidden.shape == pixels.shape


def test_a_seed_repeats(crop):
    first, second = (hide_joints(*crop, np.random.default_rng(8)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("kind", ["_plate_over", "_rack_over", "_limb_over"])
def test_each_kind_lies_over_its_joint(crop, kind):
    pixels, keypoints = crop
    over = 0
    for seed in range(40):
        hidden = pixels.copy()
        joint = sk.BODY[seed % len(sk.BODY)]
        size = body_size(keypoints)
        getattr(occluders, kind)(hidden, keypoints, joint, size, np.random.default_rng(seed))
        where = changed(pixels, hidden)
        y, x = np.nonzero(where)
        nearest = np.hypot(x - keypoints[joint, 0], y - keypoints[joint, 1]).min()
        assert nearest < 0.5 * size
        over += covered(where, keypoints)[joint]
    assert over > 25


def test_a_limb_is_of_the_picture_s_own_colours(crop):
    _, keypoints = crop
    red = np.zeros((256, 192, 3), np.uint8)
    red[..., 0] = 200
    for seed in range(10):
        hidden = red.copy()
        size = body_size(keypoints)
        occluders._limb_over(hidden, keypoints, sk.LEFT_ANKLE, size, np.random.default_rng(seed))
        np.testing.assert_array_equal(hidden, red)


@pytest.mark.parametrize("left", [[], [sk.LEFT_KNEE]])
def test_somebody_hardly_labelled_stays_as_they_are(crop, left):
    pixels, keypoints = crop
    few = np.zeros_like(keypoints)
    few[left] = keypoints[left]
    np.testing.assert_array_equal(hide_joints(pixels, few, np.random.default_rng(0)), pixels)


def test_joints_outside_the_picture_are_not_hidden(crop):
    pixels, keypoints = crop
    far = keypoints.copy()
    far[:, :2] += 1e6
    np.testing.assert_array_equal(hide_joints(pixels, far, np.random.default_rng(0)), pixels)


def test_a_foreshortened_torso_does_not_make_the_body_small(crop):
    _, keypoints = crop
    usual = body_size(keypoints)
    bent = keypoints.copy()
    bent[list(sk.SHOULDERS), :2] = bent[list(sk.HIPS), :2] + [0, -2]
    assert body_size(bent) > 0.4 * usual
    bent[sk.LEFT_HIP, 2] = 0
    assert np.isfinite(body_size(bent))
    assert np.isnan(body_size(keypoints * [1, 1, 0]))
