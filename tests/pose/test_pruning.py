"""Which patches are near a skeleton."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gymform.pose import pruning
from gymform.pose.pruning import like_counts, mirrored, patch_distances
from gymform.pose.vitpose import ViTPoseConfig
from tests.pose.painted import STANDING

CONFIG = ViTPoseConfig(patch_padding=0, class_token=True)


def standing() -> tuple[np.ndarray, np.ndarray]:
    """(1, 17, 3, 2) px and scores: one sure place of each joint."""
    points = np.full((1, 17, 3, 2), np.nan)
    points[0, :, 0] = STANDING * [192, 256]
    score = np.zeros((1, 17, 3))
    score[0, :, 0] = 0.9
    return points, score


def test_the_distance_is_that_from_the_nearest_joint_or_bone():
    points, score = standing()
    distances = patch_distances(points, score, CONFIG).reshape(16, 12)
    knee, ankle = points[0, 13, 0], points[0, 15, 0]
    row, column = int(knee[1] // 16), int(knee[0] // 16)
    assert distances[row, column] <= np.hypot(8, 8)
    between = (knee + ankle) / 2
    assert distances[int(between[1] // 16), int(between[0] // 16)] <= np.hypot(8, 8)
    # far from everything: the upper left corner, from the head
    corner = np.linalg.norm(points[0, :, 0] - 7.5, axis=1).min()
    assert 0.5 * corner < distances[0, 0] <= corner + 1e-3


def test_further_possible_places_count_and_unlikely_ones_do_not():
    points, score = standing()
    alone = patch_distances(points, score, CONFIG).reshape(16, 12)
    points[0, 9, 1] = 7.5, 7.5  # the wrist may be overhead
    score[0, 9, 1] = 0.3
    assert patch_distances(points, score, CONFIG).reshape(16, 12)[0, 0] == pytest.approx(0)
    score[0, 9, 1] = 0.01
    np.testing.assert_allclose(patch_distances(points, score, CONFIG).reshape(16, 12), alone)


def test_distances_are_those_of_the_plain_formula():
    rng = np.random.default_rng(3)
    points = rng.uniform(-20, 260, (5, 17, 3, 2)).astype(np.float32)
    score = rng.uniform(0.3, 1, (5, 17, 3)).astype(np.float32)
    points[:, :, 2], score[:, :, 2] = np.nan, 0
    points[1, 4], score[1, 4] = np.nan, 0
    found = patch_distances(points, score, CONFIG)
    for crop, row in itertools.product(range(5), (0, 7, 100, CONFIG.tokens - 1)):
        y, x = divmod(row, CONFIG.grid[1])
        centre = np.array([x, y]) * CONFIG.patch_size + CONFIG.patch_size / 2 - 0.5
        centre = centre - CONFIG.patch_padding
        off = []
        for joint, place in itertools.product(range(17), range(2)):
            short = np.clip(score[crop, joint, 0] / 0.8, 0.3, 1)
            off.append(short * np.linalg.norm(points[crop, joint, place] - centre))
        for a, b in pruning._BONES:
            one, other = points[crop, [a, b], 0].astype(float)
            along = np.clip((centre - one) @ (other - one) / ((other - one) ** 2).sum(), 0, 1)
            short = np.clip(min(score[crop, [a, b], 0]) / 0.8, 0.3, 1)
            off.append(short * np.linalg.norm(one + along * (other - one) - centre))
        assert found[crop, row] == pytest.approx(np.nanmin(off), abs=0.05)


def test_who_is_too_unsure_is_looked_at_as_a_whole():
    points, score = standing()
    assert (patch_distances(points, score * 0.2, CONFIG) == 0).all()
    assert (patch_distances(np.full_like(points, np.nan), score * 0, CONFIG) == 0).all()


@given(
    distances=hnp.arrays(np.float32, (7, 30), elements=st.floats(0, 100, width=32)),
    batch=st.integers(1, 8),
    radius=st.floats(1, 99),
)
def test_each_crop_comes_once_with_all_patches_that_it_needs(distances, batch, radius):
    seen, counts = [], []
    for rows, kept in like_counts(distances, batch, radius):
        counts.append(30 if kept is None else kept.shape[1])
        assert 1 <= len(rows) <= batch
        seen += rows.tolist()
        if kept is None:
            continue
        assert kept.shape[0] == len(rows)
        for row, patches in zip(rows, kept, strict=True):
            assert len(set(patches.tolist())) == len(patches)
            assert set(np.flatnonzero(distances[row] <= radius)) <= set(patches.tolist())
    assert sorted(seen) == list(range(7))
    assert counts == sorted(counts, reverse=True)  # those that need most first


@given(kept=hnp.arrays(np.int64, (2, 5), elements=st.integers(0, 191)))
def test_mirrored_twice_is_as_before(kept):
    once = mirrored(kept, CONFIG)
    assert ((once // 12) == (kept // 12)).all()
    assert ((once % 12) + (kept % 12) == 11).all()
    np.testing.assert_array_equal(mirrored(once, CONFIG), kept)
