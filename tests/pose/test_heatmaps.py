import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gymform.pose.heatmaps import PEAK_DISTANCE, decode, decode_peaks, flip_back
from gymform.pose.vitpose import HEATMAP_SIZE
from gymform.skeleton import FLIP_PAIRS, NUM_KEYPOINTS

WIDTH, HEIGHT = HEATMAP_SIZE


def gaussians(centres: np.ndarray, peak: float = 1.0, sigma: float = 2.0) -> np.ndarray:
    """Heatmaps (1, K, 64, 48) as in training, a Gaussian at each of ``centres`` (K, 2)."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    squared = (x - centres[:, 0, None, None]) ** 2 + (y - centres[:, 1, None, None]) ** 2
    return (peak * np.exp(-squared / (2 * sigma**2)))[None].astype(np.float32)


def decode_whole_image(heatmap: np.ndarray) -> np.ndarray:
    """Reference for one map: the official steps, computed over the whole image."""
    blurred = cv2.GaussianBlur(heatmap, (11, 11), 0)
    logs = np.log(np.clip(blurred, 0.001, 50)).astype(np.float64)
    logs = np.pad(logs, 1, mode="edge")
    y, x = np.unravel_index(heatmap.argmax(), heatmap.shape)
    i, j = y + 1, x + 1
    gradient = np.array([logs[i, j + 1] - logs[i, j - 1], logs[i + 1, j] - logs[i - 1, j]]) / 2
    dxx = logs[i, j + 1] - 2 * logs[i, j] + logs[i, j - 1]
    dyy = logs[i + 1, j] - 2 * logs[i, j] + logs[i - 1, j]
    dxy = 0.5 * (
        logs[i + 1, j + 1] - logs[i, j + 1] - logs[i + 1, j] + 2 * logs[i, j]
        - logs[i, j - 1] - logs[i - 1, j] + logs[i - 1, j - 1]
    )  # fmt: skip
    hessian = np.array([[dxx, dxy], [dxy, dyy]])
    if dxx >= 0 or np.linalg.det(hessian) <= 1e-12:  # unlike the official code: no peak, no step
        return np.array([x, y])
    step = -np.linalg.inv(hessian) @ gradient
    return np.clip(np.array([x, y]) + np.clip(step, -2, 2), 0, [WIDTH - 1, HEIGHT - 1])


def test_sub_pixel_centres_are_recovered():
    generator = np.random.default_rng(0)
    centres = generator.uniform([5, 5], [WIDTH - 6, HEIGHT - 6], (500, 2))
    points, scores = decode(gaussians(centres))
    error = np.linalg.norm(points[0] - centres, axis=1)
    assert error.max() < 0.05
    assert (scores > 0.9).all()


def test_at_the_border_the_official_blur_costs_a_pixel_and_a_half_at_most():
    generator = np.random.default_rng(0)
    centres = generator.uniform([0, 0], [WIDTH - 1, HEIGHT - 1], (500, 2))
    points, _ = decode(gaussians(centres))
    assert np.abs(points[0] - centres).max() <= 1.5


def test_a_weak_but_clear_peak_is_found_too():
    centres = np.array([[20.3, 30.7]])
    points, scores = decode(gaussians(centres, peak=0.05))
    assert np.abs(points[0] - centres).max() < 0.1
    assert scores[0, 0] == pytest.approx(0.05, abs=0.003)


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32 - 1), roughness=st.sampled_from([0.0, 0.02, 0.3, 1.0]))
def test_decode_equals_the_whole_image_reference(seed, roughness):
    generator = np.random.default_rng(seed)
    centres = generator.uniform([-1, -1], [WIDTH, HEIGHT], (NUM_KEYPOINTS, 2))
    maps = gaussians(centres, peak=0.8)
    maps += generator.normal(0, 1, maps.shape).astype(np.float32) * roughness
    points, _ = decode(maps)
    for heatmap, point in zip(maps[0], points[0], strict=True):
        assert np.abs(point - decode_whole_image(heatmap)).max() < 2e-3


@pytest.mark.parametrize(
    "broken",
    [
        np.zeros((HEIGHT, WIDTH)),
        np.full((HEIGHT, WIDTH), -1.0),
        np.full((HEIGHT, WIDTH), 0.7),
        np.full((HEIGHT, WIDTH), np.nan),
        np.full((HEIGHT, WIDTH), np.inf),
        np.full((HEIGHT, WIDTH), 1e300),
    ],
    ids=["zero", "negative", "flat", "nan", "infinite", "too-large"],
)
def test_a_map_without_a_peak_is_a_missing_keypoint(broken):
    maps = gaussians(np.array([[10.0, 10.0], [20.0, 20.0], [30.0, 30.0]])).astype(np.float64)
    maps[0, 1] = broken
    points, scores = decode(maps)
    assert np.isnan(points[0, 1]).all()
    assert scores[0, 1] == 0
    assert np.isfinite(points[0, [0, 2]]).all()  # its neighbours are untouched
    assert (scores[0, [0, 2]] > 0.9).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_broken_pixel_makes_the_keypoint_missing(value):
    maps = gaussians(np.array([[10.0, 10.0]]))
    maps[0, 0, 50, 40] = value
    points, scores = decode(maps)
    assert np.isnan(points).all()
    assert scores[0, 0] == 0


@settings(max_examples=150)
@given(
    hnp.arrays(
        np.float32,
        (1, 2, HEIGHT, WIDTH),
        elements=st.floats(width=32),
        fill=st.sampled_from([0.0, -0.0, 1e-30, -5.0, 0.2, 7.0, float("nan")]),
    )
)
def test_for_any_values_a_keypoint_is_in_the_map_or_missing(maps):
    points, scores = decode(maps)
    assert points.dtype == np.float32
    assert scores.dtype == np.float32
    assert points.shape == (1, 2, 2)
    assert scores.shape == (1, 2)
    missing = np.isnan(points).any(axis=-1)
    assert (np.isnan(points).all(axis=-1) == missing).all()
    assert ((scores == 0) == missing).all()
    assert (scores <= 1).all()
    there = points[~missing]
    assert ((there >= 0) & (there <= [WIDTH - 1, HEIGHT - 1])).all()


def test_a_mirrored_map_gives_the_mirrored_keypoint():
    centres = np.random.default_rng(3).uniform([9, 9], [WIDTH - 10, HEIGHT - 10], (40, 2))
    points, _ = decode(gaussians(centres))
    mirrored, _ = decode(gaussians(centres)[..., ::-1])
    mirrored[..., 0] = WIDTH - 1 - mirrored[..., 0]
    assert np.abs(mirrored - points).max() < 0.01


def test_no_crops_give_no_keypoints():
    points, scores = decode(np.zeros((0, NUM_KEYPOINTS, HEIGHT, WIDTH), dtype=np.float32))
    assert points.shape == (0, NUM_KEYPOINTS, 2)
    assert scores.shape == (0, NUM_KEYPOINTS)


def test_flip_back_undoes_what_a_mirror_does_to_an_equivariant_network():
    """The fake tells keypoints by brightness, and left from right by how the image looks."""

    def network(image: torch.Tensor) -> torch.Tensor:  # (B, 1, H, W) -> (B, 17, H, W)
        maps = torch.stack([(image[:, 0] == k + 1).float() for k in range(NUM_KEYPOINTS)], dim=1)
        mirrored = image[:, 0].eq(100).any(dim=-1)[:, 0] & image[:, 0, 0, -1].eq(100)
        order = list(range(NUM_KEYPOINTS))
        for left, right in FLIP_PAIRS:
            order[left], order[right] = right, left
        return torch.where(mirrored[:, None, None, None], maps[:, order], maps)

    image = torch.zeros(1, 1, HEIGHT, WIDTH)
    image[0, 0, 0, 0] = 100  # marks the left edge, so that the fake knows a mirrored image
    for k in range(NUM_KEYPOINTS):
        image[0, 0, 5 + 3 * k, 2 + 2 * k] = k + 1
    expected = network(image)
    mirrored = network(image.flip(-1))
    assert not torch.equal(mirrored, expected)
    torch.testing.assert_close(flip_back(mirrored), expected)


def test_flip_back_twice_is_the_identity():
    maps = torch.randn(2, NUM_KEYPOINTS, HEIGHT, WIDTH)
    assert torch.equal(flip_back(flip_back(maps)), maps)


def test_a_smooth_peak_lies_in_the_middle_of_a_rough_one():
    generator = np.random.default_rng(0)
    centres = generator.uniform([8, 8], [WIDTH - 9, HEIGHT - 9], (200, 2))
    maps = gaussians(centres, peak=0.4)
    maps += generator.normal(0, 0.15, maps.shape).astype(np.float32)
    rough, _ = decode(maps)
    smooth, scores = decode(maps, smooth=True)
    errors = [np.linalg.norm(points[0] - centres, axis=1).mean() for points in (rough, smooth)]
    assert errors[1] < 0.75 * errors[0]
    assert scores[0] == pytest.approx(np.minimum(maps[0].max((1, 2)), 1))


def test_smoothing_moves_no_clean_peak():
    centres = np.random.default_rng(0).uniform([12, 12], [WIDTH - 13, HEIGHT - 13], (200, 2))
    points, _ = decode(gaussians(centres), smooth=True)
    assert np.abs(points[0] - centres).max() < 0.05


# ---- further peaks


@pytest.mark.parametrize("smooth", [False, True])
def test_further_peaks_come_by_height_and_the_first_is_that_of_decode(smooth):
    places = np.array([[10.0, 12.0], [35.0, 50.0], [36.0, 12.0]])
    maps = sum(gaussians(places[i : i + 1], peak) for i, peak in enumerate((0.9, 0.5, 0.3)))
    points, scores = decode_peaks(maps, 3, smooth=smooth)
    np.testing.assert_allclose(points[0, 0], places, atol=1)
    np.testing.assert_allclose(scores[0, 0], [0.9, 0.5, 0.3], atol=0.02)
    first, score = decode(maps, smooth=smooth)
    np.testing.assert_array_equal(points[:, :, 0], first)
    np.testing.assert_array_equal(scores[:, :, 0], score)


def test_a_map_of_one_peak_has_no_further_ones():
    points, scores = decode_peaks(gaussians(np.array([[20.0, 20.0]])), 3, smooth=True)
    assert np.isnan(points[0, 0, 1:]).all()
    assert (scores[0, 0, 1:] == 0).all()


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(np.float32, (1, 3, 16, 12), elements=st.floats(-1, 1, width=32)))
def test_peaks_are_apart_and_in_the_map_whatever_it_holds(maps):
    points, scores = decode_peaks(maps, 4)
    for places, height in zip(points[0], scores[0], strict=True):
        there = places[np.isfinite(places).all(1)]
        assert ((there >= 0) & (there <= [11, 15])).all()
        assert (np.isfinite(places).all(1) | (height == 0)).all()
        gaps = np.linalg.norm(there[1:, None] - there[None, 1:], axis=-1)
        assert (gaps[~np.eye(len(gaps), dtype=bool)] >= PEAK_DISTANCE).all()
