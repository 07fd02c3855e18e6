import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gymform.pose.crops import (
    MEAN,
    STD,
    box_to_crop,
    cut_crop,
    frame_to_heatmap,
    heatmap_to_frame,
    to_tensor,
    unmirror,
)
from gymform.pose.vitpose import HEATMAP_SIZE, INPUT_SIZE
from gymform.skeleton import LEFT_WRIST, NOSE, RIGHT_WRIST

UNSCALED = np.array([191.0, 255.0])
"""Size of a crop whose pixels are the frame's own: UDP counts from centre to centre."""


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def smooth_picture(height: int, width: int) -> np.ndarray:
    """Red rises with x, green with y, one step a pixel (or a part of it in large frames)."""
    y, x = np.mgrid[:height, :width].astype(float)
    scale = 250 / max(height, width)
    return np.stack((x * scale, y * scale, 0 * x), axis=-1).round().astype(np.uint8)


coordinate = st.floats(-500, 5000)
length = st.floats(1, 4000)


@given(x=coordinate, y=coordinate, width=length, height=length)
def test_a_crop_holds_the_box_with_its_padding_at_the_inputs_aspect(x, y, width, height):
    crop = box_to_crop(np.array([x, y, x + width, y + height]))
    assert crop[:2] == pytest.approx([x + width / 2, y + height / 2], abs=1e-6)
    assert crop[2] / crop[3] == pytest.approx(192 / 256)
    assert crop[2] >= width * 1.25 - 1e-6
    assert crop[3] >= height * 1.25 - 1e-6
    # no larger than it must be: one of the sides fits exactly
    slack = min(crop[2] - width * 1.25, crop[3] - height * 1.25)
    assert slack == pytest.approx(0, abs=1e-6)


def test_a_box_without_area_still_gives_a_crop_with_area():
    crop = box_to_crop(np.array([[5.0, 5.0, 5.0, 5.0], [9.0, 9.0, 3.0, 2.0]]))
    assert (crop[:, 2:] > 0).all()


@settings(max_examples=200)
@given(
    centre=st.tuples(coordinate, coordinate),
    width=length,
    points=st.lists(st.tuples(st.floats(-9, 60), st.floats(-9, 80)), min_size=1, max_size=5),
)
def test_crop_and_uncrop_round_trip(centre, width, points):
    crops = np.array([[*centre, width, width * 4 / 3]])
    points = np.array([points])
    frame = heatmap_to_frame(points, crops)
    back = frame_to_heatmap(frame, crops)
    assert np.abs(heatmap_to_frame(back, crops) - frame).max() <= 1e-3
    assert np.abs(back - points).max() <= 1e-3


def test_the_corners_of_heatmap_and_crop_are_the_same_places():
    crops = np.array([[100.0, 200.0, 60.0, 80.0]])
    corners = np.array([[[0, 0], [HEATMAP_SIZE[0] - 1, HEATMAP_SIZE[1] - 1]]])
    assert heatmap_to_frame(corners, crops)[0] == pytest.approx(np.array([[70, 160], [130, 240]]))


def test_keypoints_of_a_mirrored_crop_are_mapped_back():
    crops = np.array([[100.0, 200.0, 60.0, 80.0], [9.0, 50.0, 30.0, 40.0]])
    points = np.random.default_rng(0).uniform(0, 47, (2, 17, 2))
    scores = np.random.default_rng(1).uniform(0, 1, (2, 17))
    mirrored = points * [-1, 1] + [HEATMAP_SIZE[0] - 1, 0]
    found, sure = unmirror(heatmap_to_frame(mirrored, crops), scores, crops)
    expected = heatmap_to_frame(points, crops)
    for here, there in ((LEFT_WRIST, RIGHT_WRIST), (RIGHT_WRIST, LEFT_WRIST), (NOSE, NOSE)):
        assert found[:, here] == pytest.approx(expected[:, there])
        assert (sure[:, here] == scores[:, there]).all()


@pytest.mark.parametrize(("left", "top"), [(0, 0), (7, 13), (108, 44)])
def test_an_unscaled_crop_is_pixel_exact(left, top):
    frame = picture(300, 300)
    crop = np.concatenate((np.array([left, top]) + UNSCALED / 2, UNSCALED))
    got = cut_crop(frame, crop)
    assert (got == frame[top : top + 256, left : left + 192]).all()


def test_outside_the_frame_is_black():
    frame = picture(300, 300)
    crop = np.concatenate((np.array([-50, 100]) + UNSCALED / 2, UNSCALED))
    got = cut_crop(frame, crop)
    assert not got[:, :50].any()
    assert (got[:200, 50:] == frame[100:300, :142]).all()
    assert not got[200:].any()


@settings(max_examples=40)
@given(
    size=st.tuples(st.integers(200, 1500), st.integers(200, 1500)),
    share=st.floats(0.2, 0.9),
    place=st.tuples(st.floats(0.3, 0.7), st.floats(0.3, 0.7)),
)
def test_a_crop_shows_at_each_pixel_the_place_that_the_maths_says(size, share, place):
    """For enlarged, unscaled and strongly reduced crops alike (the reduced ones are averaged)."""
    height, width = size
    frame = smooth_picture(height, width)
    crop_width = share * min(width, height * 3 / 4)
    crop = np.array([width * place[0], height * place[1], crop_width, crop_width * 4 / 3])
    got = cut_crop(frame, crop).astype(float)
    for x, y in ((20, 30), (96, 128), (170, 220)):
        at = crop[:2] - crop[2:] / 2 + np.array([x, y]) / (np.array(INPUT_SIZE) - 1) * crop[2:]
        inside = (at > 4).all() and (at < np.array([width, height]) - 5).all()
        if inside:
            expected = at * 250 / max(height, width)
            assert np.abs(got[y, x, :2] - expected).max() <= 1.5


def test_thin_lines_survive_a_strong_reduction():
    frame = np.zeros((2560, 1920, 3), dtype=np.uint8)
    frame[:, 3::10] = 255  # a tenth is white
    crop = np.array([960.0, 1280.0, 1900.0, 1900.0 * 4 / 3])
    got = cut_crop(frame, crop)[20:-20, 20:-20]
    assert got.mean() == pytest.approx(25.5, abs=1)
    assert got.std() < 12  # without averaging each line is hit or missed


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (16, 16)])
def test_a_crop_far_larger_than_the_frame_ends(shape):
    frame = np.full((*shape, 3), 200, dtype=np.uint8)
    got = cut_crop(frame, np.array([0.0, 0.0, 1e5, 1e5 * 4 / 3]))
    assert got.shape == (256, 192, 3)


def test_to_tensor_normalises_with_imagenets_statistics_in_rgb():
    crop = np.zeros((256, 192, 3), dtype=np.uint8)
    crop[..., 0] = 255
    crop[10, 20, 1] = 51
    tensor = to_tensor([crop, crop])
    assert tensor.shape == (2, 3, 256, 192)
    assert tensor.dtype.is_floating_point
    red, green = (1 - MEAN[0]) / STD[0], (0.2 - MEAN[1]) / STD[1]
    assert tensor[1, 0, 0, 0].item() == pytest.approx(red)
    assert tensor[1, 1, 10, 20].item() == pytest.approx(green)
