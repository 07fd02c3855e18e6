"""How edges support rims (gymform/bar/rings.py)."""

import itertools

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates, maximum_filter

from gymform.bar.rings import (
    blurred,
    correlate,
    edge_field,
    peaks,
    rim_of,
    rims_of,
    ring_angles,
    ring_directions,
    spaced,
    support_at,
    transform,
)


def disc(x: float, y: float, r: float, aspect: float = 1.0, side: int = 120) -> np.ndarray:
    """A dark disc on a bright wall, float32 (side, side)."""
    image = np.full((side * 4, side * 4), 200, np.uint8)
    middle = (round(x * 4 + 1.5), round(y * 4 + 1.5))
    axes = (round(r * aspect * 4), round(r * 4))
    cv2.ellipse(image, middle, axes, 0, 0, 360, 40, -1)
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA).astype(np.float32)


@settings(max_examples=25)
@given(x=st.floats(45, 75), y=st.floats(45, 75), r=st.floats(15, 30), aspect=st.floats(0.65, 1.05))
def test_the_rim_of_a_disc_is_supported_all_around(x, y, r, aspect):
    field = blurred(edge_field(disc(x, y, r, aspect)))
    on_rim = support_at(field, np.array([x, y]), r, aspect)
    inside = support_at(field, np.array([x, y]), 0.7 * r, aspect)
    aside = support_at(field, np.array([x + 0.7 * r, y]), r, aspect)
    assert on_rim.min() > 0.15
    assert abs(inside.mean()) < 0.5 * on_rim.mean()
    assert aside.mean() < 0.5 * on_rim.mean()


def test_dark_on_bright_and_bright_on_dark_count_alike():
    image = disc(60, 60, 25)
    assert edge_field(image) == pytest.approx(edge_field(255 - image), abs=1e-5)


def test_a_flat_picture_supports_nothing():
    field = edge_field(np.full((50, 50), 90, np.float32))
    assert np.abs(field).max() < 1e-6


def test_the_correlation_finds_the_disc_and_its_size():
    field = transform(edge_field(disc(70, 52, 24, 0.8)), 180)
    scores = {}
    for r in (18, 21, 24, 27):
        for aspect in (0.65, 0.8, 1.0):
            score = correlate(field, r, aspect, 180)[:120, :120]
            scores[r, aspect] = (float(score.max()), np.unravel_index(score.argmax(), score.shape))
    best = max(scores, key=lambda key: scores[key][0])
    assert best == (24, 0.8)
    assert scores[best][1] == pytest.approx((52, 70), abs=1)


def test_correlation_and_support_agree():
    image = disc(60, 60, 22)
    field = edge_field(image)
    by_fft = correlate(transform(field, 180), 22, 1.0, 180)[60, 60]
    direct = support_at(blurred(field), np.array([60.0, 60.0]), 22, 1.0).mean()
    assert by_fft == pytest.approx(direct, abs=0.03)


def test_outside_the_picture_nothing_is_supported():
    field = blurred(edge_field(disc(60, 60, 22)))
    assert support_at(field, np.array([500.0, 500.0]), 20, 1.0).max() == 0


@pytest.mark.parametrize(("rings", "side"), [(1, 3), (1, 30), (7, 9), (85, 7)])
def test_the_support_of_many_rims_is_the_plain_formula(rings, side):
    """However many are sampled at once."""
    rng = np.random.default_rng(0)
    field = blurred(rng.standard_normal((2, 90, 110)).astype(np.float32))
    radii, aspects = rng.uniform(15, 40, rings), rng.uniform(0.6, 1.1, rings)
    centres = rng.uniform(-10, 120, (side * side, 2))
    theta = ring_angles(40)
    expected = np.empty((rings, len(centres)))
    for i, (r, aspect) in enumerate(zip(radii, aspects, strict=True)):
        points, normals = ring_directions(theta, aspect)
        at = centres[:, None] + r * points
        cosine, sine = (
            map_coordinates(half, [at[..., 1], at[..., 0]], order=1, mode="grid-constant")
            for half in field
        )
        twice = 2 * np.arctan2(normals[:, 1], normals[:, 0])
        expected[i] = (cosine * np.cos(twice) + sine * np.sin(twice)).mean(-1)
    found = rims_of(radii, aspects, 40).support(field, centres)
    assert found == pytest.approx(expected, abs=2e-3)  # some OpenCVs round places to 1/32 px


def test_the_support_of_a_rim_is_the_mean_of_that_along_it():
    field = blurred(edge_field(disc(60, 60, 22)))
    centre = np.array([61.3, 58.8])
    one = rim_of(21.0, 0.9, 48).support(field, centre[None])
    assert one.shape == (1, 1)
    assert one[0, 0] == pytest.approx(support_at(field, centre, 21.0, 0.9, 48).mean(), abs=1e-6)


def test_a_smaller_transform_gives_the_same_where_rims_stay_in_it():
    field = edge_field(disc(60, 60, 22))
    small, large = (correlate(transform(field, n), 22, 1.0, n)[24:96, 24:96] for n in (144, 256))
    assert small == pytest.approx(large, abs=1e-6)


@pytest.mark.parametrize("side", [5, 7])
def test_peaks_are_the_largest_around(side):
    support = np.random.default_rng(0).standard_normal((40, 30)).astype(np.float32)
    rows, columns = peaks(support, side, 0.3)
    plain = np.nonzero((support == maximum_filter(support, side)) & (support > 0.3))
    assert (rows == plain[0]).all()
    assert (columns == plain[1]).all()
    assert len(rows) > 5


def test_normals_are_of_length_one_and_stand_on_the_ellipse():
    angles = np.linspace(0, 6, 40)
    points, normals = ring_directions(angles, 0.7)
    along = np.gradient(points, axis=0)
    assert np.linalg.norm(normals, axis=1) == pytest.approx(np.ones(40))
    assert np.abs((along * normals).sum(1))[1:-1].max() < 2e-3


def test_spaced_numbers():
    found = spaced(10, 20, 1.1)
    assert found[0] == pytest.approx(10)
    assert found[-1] == pytest.approx(20)
    assert max(b / a for a, b in itertools.pairwise(found)) <= 1.1 + 1e-9
    assert spaced(20, 10, 1.1) == []


def test_rims_of_many_sizes_and_one_width_are_sampled_in_parts():
    rng = np.random.default_rng(6)
    field = rng.normal(size=(2, 40, 40)).astype(np.float32)
    centres, radii = rng.uniform(10, 30, (300, 2)), np.linspace(3, 9, 20)
    whole = rims_of(radii, 1.0, 64).support(field, centres)
    for radius, row in zip(radii, whole, strict=True):
        np.testing.assert_allclose(
            rims_of(radius, 1.0, 64).support(field, centres)[0], row, atol=1e-5
        )
