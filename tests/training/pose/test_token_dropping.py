"""Which patches stay in a step that drops those far from the body."""

import numpy as np
import pytest
import torch

from gymform.pose.vitpose import ViTPoseConfig
from gymform.training.pose.losses import gaussian_heatmaps
from gymform.training.pose.token_dropping import RADII, drop_patches
from tests.pose.painted import STANDING

CONFIG = ViTPoseConfig(patch_padding=0, class_token=True)


def standing(count: int) -> np.ndarray:
    points = torch.tensor(STANDING * [47, 63], dtype=torch.float32).expand(count, -1, -1)
    return gaussian_heatmaps(points).numpy() * 0.9


def dropped(maps: np.ndarray, seed: int = 0) -> list[tuple[np.ndarray, np.ndarray | None]]:
    return drop_patches(maps, CONFIG, np.random.default_rng(seed))


def test_every_crop_comes_once_and_no_patch_twice():
    parts = dropped(standing(20))
    assert sorted(np.concatenate([rows for rows, _ in parts])) == list(range(20))
    for rows, kept in parts:
        assert kept is not None
        assert len(kept) == len(rows)
        assert all(len(set(crop)) == len(crop) for crop in kept.tolist())


def test_numbers_of_patches_differ_and_those_of_the_body_stay():
    parts = dropped(standing(64))
    counts = [kept.shape[1] for _, kept in parts]
    assert max(counts) > 1.3 * min(counts)
    assert max(counts) < CONFIG.tokens
    x, y = (STANDING * [191, 255])[:, 0], (STANDING * [191, 255])[:, 1]
    body = (y // 16).astype(int) * 12 + (x // 16).astype(int)
    nearest = [np.isin(body, crop).mean() for _, kept in parts for crop in kept]
    assert np.mean(nearest) > 0.97
    assert RADII[0] > 16  # a joint's own patch and its neighbours


def test_all_patches_stay_where_the_teacher_sees_nobody():
    parts = dropped(standing(3) * 0.2)
    assert [kept for _, kept in parts] == [None]


@pytest.mark.parametrize(("seed", "same"), [(0, True), (1, False)])
def test_it_follows_from_the_seed(seed, same):
    first, second = dropped(standing(8)), dropped(standing(8), seed)
    equal = all(np.array_equal(a[1], b[1]) for a, b in zip(first, second, strict=False))
    assert equal == same
