"""Keypoints and pixels move together: painted dots are found again after the augmentation."""

from dataclasses import replace

import numpy as np
import pytest

from gymform.pose.crops import box_to_crop, cut_crop
from gymform.skeleton import FLIP_ORDER, LEFT_WRIST, NUM_KEYPOINTS, RIGHT_WRIST
from gymform.training.pose import augment as aug
from gymform.training.pose.augment import UNCHANGED, Augmentation
from tests.pose.packs import people

GEOMETRY = replace(
    UNCHANGED, flip=0.5, scale=0.3, rotate=0.6, rotation=40.0, tumble=0.2, shift=0.08, half_body=0.2
)

SIZE = (216, 288)


def augment(rgb, keypoints, standard, rng, how):
    """The warp, then the change of pixels, as training makes a crop."""
    pixels, moved = aug.warp(rgb, keypoints, standard, rng, how)
    return aug.change_pixels(pixels, moved, rng, how), moved


def picture_of(point):
    """A picture with one soft dot at ``point``, on black."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]]
    dot = 255 * np.exp(-((x - point[0]) ** 2 + (y - point[1]) ** 2) / (2 * 3.0**2))
    return np.repeat(np.rint(dot).astype(np.uint8)[..., None], 3, axis=2)


def centre_of(pixels):
    """The centre of the dot, px (2,)."""
    weight = pixels[..., 0].astype(float)
    y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    return np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()


@pytest.fixture(scope="module")
def crop():
    pack = people(1, "coco_subset", ["a"])
    return pack.rgb(0), pack.keypoints[0], pack.crop(0)


def somebody(rng):
    """Keypoints (17, 3) anywhere in a picture of SIZE, and its standard crop."""
    xy = rng.uniform((60, 80), (156, 208), (17, 2))
    standard = np.array([107.5, 143.5, 215 / 1.5, 287 / 1.5])
    return np.column_stack((xy, np.full(17, 2.0))).astype(np.float32), standard


def test_dots_are_where_the_keypoints_say():
    checked, mirrored = 0, 0
    for seed in range(60):
        keypoints, standard = somebody(np.random.default_rng((1, seed)))
        joint = seed % 17
        picture = picture_of(keypoints[joint])
        pixels, moved = augment(picture, keypoints, standard, np.random.default_rng(seed), GEOMETRY)
        either = moved[[joint, FLIP_ORDER[joint]], :2]
        if not ((either > 15) & (either < (176, 240))).all():
            continue  # part of the dot may be cut off
        distance = np.linalg.norm(moved[:, :2] - centre_of(pixels), axis=1)
        # in a mirror the dot of a left joint is that of a right one
        assert min(distance[joint], distance[FLIP_ORDER[joint]]) < 0.25
        checked += 1
        mirrored += distance[joint] > 0.25
    assert checked > 20
    assert 5 < mirrored < checked - 5


def test_a_mirror_swaps_the_sides():
    keypoints, standard = somebody(np.random.default_rng(0))
    picture = picture_of(keypoints[RIGHT_WRIST])
    rng = np.random.default_rng
    _, usual = augment(picture, keypoints, standard, rng(0), UNCHANGED)
    pixels, mirrored = augment(picture, keypoints, standard, rng(0), replace(UNCHANGED, flip=1.0))
    np.testing.assert_allclose(mirrored[LEFT_WRIST, 0], 191 - usual[RIGHT_WRIST, 0], atol=1e-3)
    assert np.abs(centre_of(pixels) - mirrored[LEFT_WRIST, :2]).max() < 0.1


@pytest.mark.parametrize("degrees", [-170.0, -90.0, 0.0, 30.0, 90.0])
def test_a_rotated_person_is_cropped_as_if_found_that_way(degrees):
    keypoints, _ = somebody(np.random.default_rng(1))
    keypoints[3] = (500, 500, 0)  # without a label it has no place
    seen = keypoints[:, 2] > 0
    box = np.concatenate((keypoints[seen, :2].min(0), keypoints[seen, :2].max(0)))
    rotated, standard = aug.rotate_person(keypoints, box_to_crop(box), degrees)
    box = np.concatenate((rotated[seen, :2].min(0), rotated[seen, :2].max(0)))
    np.testing.assert_allclose(standard, box_to_crop(box), atol=1e-3)


def test_a_rotated_box_keeps_its_distance_to_the_joints():
    keypoints, standard = somebody(np.random.default_rng(2))

    def off_the_joints(standard):
        rotated, seen = aug.rotate_person(keypoints, standard, 90.0)
        return seen[:2] - (rotated[:, :2].min(0) + rotated[:, :2].max(0)) / 2

    aside = np.array([standard[0] + 20, *standard[1:]])
    np.testing.assert_allclose(
        off_the_joints(aside) - off_the_joints(standard), [0, -20], atol=1e-3
    )


def test_a_tumbling_person_may_stand_on_the_head():
    keypoints, standard = somebody(np.random.default_rng(3))
    picture = picture_of(keypoints[0])
    how = replace(UNCHANGED, tumble=1.0)
    ups = [
        augment(picture, keypoints, standard, np.random.default_rng(seed), how)[1][:, 1]
        for seed in range(40)
    ]
    order = [np.corrcoef(up, keypoints[:, 1])[0, 1] for up in ups]
    assert min(order) < -0.9
    assert max(order) > 0.9


def test_unchanged_is_what_inference_sees(crop):
    rgb, keypoints, standard = crop
    pixels, moved = augment(rgb, keypoints, standard, np.random.default_rng(0), UNCHANGED)
    np.testing.assert_array_equal(pixels, cut_crop(rgb, standard))
    corner = standard[:2] - standard[2:] / 2
    expected = (keypoints[:, :2] - corner) / standard[2:] * [191, 255]
    np.testing.assert_allclose(moved[:, :2], expected, atol=1e-3)


def test_a_seed_repeats(crop):
    first, second = (augment(*crop, np.random.default_rng(5), Augmentation()) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


PIXELS_ONLY = [
    name for name in Augmentation.__dataclass_fields__ if not getattr(GEOMETRY, name)
]  # all but geometry


@pytest.mark.parametrize("name", PIXELS_ONLY)
def test_each_change_of_pixels_changes_them_and_moves_nothing(crop, name):
    rgb, keypoints, standard = crop
    rng = np.random.default_rng
    usual, before = augment(rgb, keypoints, standard, rng(3), UNCHANGED)
    pixels, after = augment(rgb, keypoints, standard, rng(3), replace(UNCHANGED, **{name: 1.0}))
    assert pixels.dtype == np.uint8
    assert pixels.shape == usual.shape
    assert (pixels != usual).mean() > 0.005
    np.testing.assert_array_equal(before, after)


def test_motion_blur_moves_nothing():
    for seed in range(30):
        kernel = aug.motion_kernel(np.random.default_rng(seed))
        side = np.arange(len(kernel)) - len(kernel) // 2
        assert kernel.sum() == pytest.approx(1, abs=1e-5)
        assert abs((kernel * side).sum()) < 1e-5
        assert abs((kernel * side[:, None]).sum()) < 1e-5


def test_half_a_body_without_labels_stays_whole(crop):
    rgb, keypoints, standard = crop
    nobody = keypoints * 0
    how = replace(UNCHANGED, half_body=1.0)
    np.testing.assert_allclose(
        aug.random_crop(nobody, standard, np.random.default_rng(0), how), standard
    )
    half = aug.random_crop(keypoints, standard, np.random.default_rng(0), how)
    assert standard[2] / 2 <= half[2] < standard[2]
    pixels, _ = augment(rgb, nobody, standard, np.random.default_rng(0), Augmentation())
    assert pixels.shape == (256, 192, 3)


def test_a_label_far_outside_is_no_trouble(crop):
    rgb, keypoints, standard = crop
    far = keypoints.copy()
    far[:, :2] += 1e6
    for seed in range(20):
        augment(
            rgb, far, standard, np.random.default_rng(seed), replace(Augmentation(), barbell=1.0)
        )


def test_the_matrix_and_the_keypoints_are_inverse(crop):
    _, keypoints, standard = crop
    matrix = aug.input_to_picture(standard, 33.0, True)
    moved = aug.move_keypoints(keypoints, matrix, True)
    back = moved[list(FLIP_ORDER), :2] @ matrix[:, :2].T + matrix[:, 2]
    np.testing.assert_allclose(back, keypoints[:, :2], atol=1e-3)
    assert len(moved) == NUM_KEYPOINTS
