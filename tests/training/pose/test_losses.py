"""Targets decode to the labels they were made from; missing labels give no gradient."""

import numpy as np
import pytest
import torch

from gymform.pose.heatmaps import decode
from gymform.training.pose.losses import (
    drop_suspect_labels,
    gaussian_heatmaps,
    joint_losses,
    masked_mean,
    residual_variance,
)


@pytest.mark.parametrize("size", [(48, 64), (60, 80)])
def test_targets_decode_back_to_the_keypoints(size):
    rng = np.random.default_rng(0)
    points = rng.uniform((6, 6), np.array(size) - 7, (50, 17, 2)).astype(np.float32)
    found, score = decode(gaussian_heatmaps(torch.from_numpy(points), size).numpy())
    assert np.abs(found - points).max() < 0.1
    assert score.min() > 0.85


def test_rounding_a_joint_would_be_seen():
    points = torch.full((1, 17, 2), 20.5)
    found, _ = decode(gaussian_heatmaps(points.round()).numpy())
    assert np.abs(found - points.numpy()).min() > 0.4


def test_a_joint_outside_has_an_empty_map():
    points = torch.tensor([[[-20.0, 30.0]] * 17])
    assert gaussian_heatmaps(points).max() < 1e-6


def test_targets_are_as_much_larger_as_their_maps():
    usual = gaussian_heatmaps(torch.full((1, 17, 2), 20.0))
    twice = gaussian_heatmaps(torch.full((1, 17, 2), 40.0), (96, 128))
    torch.testing.assert_close(twice[..., ::2, ::2], usual)


@pytest.mark.parametrize("size", [(48, 64), (60, 80)])
def test_an_empty_heatmap_costs_one(size):
    targets = gaussian_heatmaps(torch.full((2, 17, 2), 24.3), size)
    losses = joint_losses(torch.zeros_like(targets), targets)
    assert losses.shape == (2, 17)
    assert losses.mean().item() == pytest.approx(1, abs=1e-3)


def test_missing_joints_give_no_gradient():
    heatmaps = torch.rand(3, 17, 64, 48, requires_grad=True)
    weight = torch.ones(3, 17)
    weight[1, 4] = weight[2] = 0
    points = torch.full((3, 17, 2), 20.0)
    points[2] = float("nan")  # the position of a missing label must not matter
    masked_mean(joint_losses(heatmaps, gaussian_heatmaps(points)), weight).backward()
    moved = heatmaps.grad.abs().sum((2, 3)) > 0
    assert (moved == (weight > 0)).all()
    assert torch.isfinite(heatmaps.grad[:2]).all()


def test_nothing_labelled_at_all_is_no_division_by_zero():
    assert masked_mean(torch.ones(2, 17), torch.zeros(2, 17)).item() == 0


def test_the_least_plausible_labels_of_a_source_are_dropped():
    losses = torch.arange(40.0).reshape(4, 10)
    weight = torch.ones(4, 10)
    weight[1, 9] = 0
    kept = drop_suspect_labels(losses, weight, torch.tensor([0.1, 0.1, 0.0, 0.0]))
    dropped = (weight - kept).nonzero().tolist()
    assert dropped == [[1, 8]]  # a tenth of 19 labels, rounded down; the other source keeps all


def test_features_that_explain_all_leave_no_residual():
    torch.manual_seed(0)
    narrow = torch.randn(4, 8, 16, 12)
    wide = torch.einsum("cd,bdhw->bchw", torch.randn(24, 8), narrow) + 3
    assert residual_variance(narrow, wide) < 0.01
    assert residual_variance(torch.randn(4, 8, 16, 12), wide) > 0.95
    half = torch.cat((narrow[:, :4], torch.randn(4, 4, 16, 12)), 1)
    assert 0.2 < residual_variance(half, wide) < 0.8


def test_following_a_hint_brings_features_nearer():
    torch.manual_seed(0)
    mine = torch.randn(2, 6, 16, 12, requires_grad=True)
    target = torch.randn(2, 12, 16, 12)
    before = residual_variance(mine, target)
    before.backward()
    assert torch.isfinite(mine.grad).all()
    assert residual_variance(mine.detach() - 200 * mine.grad, target) < before.detach()


def test_features_that_are_all_alike_explain_nothing():
    assert residual_variance(
        torch.zeros(2, 6, 16, 12), torch.randn(2, 12, 16, 12)
    ) == pytest.approx(1)
