"""The estimator, on people whose keypoints are known."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gymform.pose.crops import box_to_crop
from gymform.pose.estimator import PoseEstimator
from gymform.skeleton import FLIP_ORDER
from tests.pose.painted import dot_model, paint, person_at

SIZE = (400, 320)


@pytest.fixture(scope="module")
def estimator() -> PoseEstimator:
    return PoseEstimator(dot_model())


def box_of(keypoints: np.ndarray) -> np.ndarray:
    return np.concatenate((keypoints.min(0) - 12, keypoints.max(0) + 12))


@settings(max_examples=12)
@given(
    x=st.floats(120, 280),
    y=st.floats(10, 60),
    height=st.floats(160, 240),
    input_height=st.sampled_from((256, 320, 384)),  # in smaller ones a dot may be lost
)
def test_finds_keypoints_where_they_are(x, y, height, input_height):
    truth = person_at(x, y, height)
    crops = box_to_crop(box_of(truth))[None]
    estimator = PoseEstimator(dot_model(input_height=input_height))
    xy, score = estimator.keypoints_in_frame(paint(SIZE, truth), crops)
    assert xy.shape == (1, 17, 2)
    assert xy.dtype == np.float32
    assert (score > 0.5).all()
    assert np.abs(xy[0] - truth).max() < 0.03 * height


def test_mirrored_frame_gives_mirrored_keypoints(estimator):
    truth = person_at(150, 40, 220)
    frame = paint(SIZE, truth)
    box = box_of(truth)
    mirrored_box = np.array([SIZE[0] - 1 - box[2], box[1], SIZE[0] - 1 - box[0], box[3]])
    xy, _ = estimator.keypoints_in_frame(frame, box_to_crop(box)[None])
    mirrored, _ = estimator.keypoints_in_frame(
        frame[:, ::-1].copy(), box_to_crop(mirrored_box)[None]
    )
    # the dots have fixed colours: mirroring moves them, but swaps no names
    expected = xy[0] * [-1, 1] + [SIZE[0] - 1, 0]
    assert np.abs(mirrored[0] - expected).max() < 0.5


def test_flip_test_averages_the_mirror_with_sides_swapped(estimator):
    truth = person_at(200, 40, 220)
    crops = box_to_crop(box_of(truth))[None]
    frame = paint(SIZE, truth)
    plain = estimator.heatmaps(_pixels(frame, crops))
    flipped = PoseEstimator(dot_model(), flip_test=True).heatmaps(_pixels(frame, crops))
    # the dot network tells keypoints by colour, so in a mirror image it does not exchange sides
    expected = (plain + plain[:, list(FLIP_ORDER)]) / 2
    assert np.abs(flipped - expected).max() < 1e-2


@pytest.mark.parametrize("batch_size", [1, 3, 16])
def test_batch_size_changes_nothing(estimator, batch_size):
    people = [person_at(x, 30, 200) for x in (120, 160, 200, 240, 280)]
    frame = paint(SIZE, people[2])
    crops = box_to_crop(np.stack([box_of(person) for person in people]))
    xy, score = estimator.keypoints_in_frame(frame, crops)
    other_xy, other_score = PoseEstimator(dot_model(), batch_size=batch_size).keypoints_in_frame(
        frame, crops
    )
    np.testing.assert_allclose(other_xy, xy, atol=1e-3)
    np.testing.assert_allclose(other_score, score, atol=1e-5)


def test_nobody_gives_missing_keypoints(estimator):
    xy, score = estimator.keypoints_in_frame(
        paint(SIZE), box_to_crop(np.array([50.0, 50, 200, 250]))[None]
    )
    assert np.isnan(xy).all()
    assert (score == 0).all()


def test_refuses_an_empty_batch():
    with pytest.raises(ValueError, match="batch_size"):
        PoseEstimator(dot_model(), batch_size=0)


def _pixels(frame, crops):
    from gymform.pose.crops import cut_crop

    return [cut_crop(frame, crop) for crop in crops]


def test_a_score_is_the_peak_to_the_networks_power():
    crop = paint((192, 256), person_at(96, 30, 200), faint=0.5)
    crops = np.array([[96.0, 128.0, 192.0, 256.0]])
    model = dot_model()
    _, plain = PoseEstimator(model).keypoints_in_crops([crop], crops)
    powered = replace(model, config=replace(model.config, score_power=0.5))
    _, score = PoseEstimator(powered).keypoints_in_crops([crop], crops)
    np.testing.assert_allclose(score, np.sqrt(plain), rtol=1e-6)
