"""Target heatmaps and losses.

Targets are Gaussians around the joints' exact positions, not rounded to pixels (UDP: Huang et al.,
CVPR 2020), so that a perfect heatmap decodes to the label itself. A labelled joint outside the crop
has an empty target: the network learns to give it a low score. Shapes: B crops, K keypoints.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gymform.pose.vitpose import HEATMAP_SIZE

SIGMA = 2.0
"""Standard deviation of a target, px of the standard heatmap; it scales with the heatmap's size."""

RIDGE = 1e-3
"""Weight decay of the fit of one network's features to another's, over the mean square."""


def sigma_of(size: tuple[int, int]) -> float:
    """Standard deviation of a target in heatmaps of ``size`` (width, height), px."""
    return SIGMA * size[1] / HEATMAP_SIZE[1]


def gaussian_heatmaps(points: Tensor, size: tuple[int, int] = HEATMAP_SIZE) -> Tensor:
    """Heatmaps (B, K, H, W) with peak 1 at ``points`` (B, K, 2) heatmap px; ``size`` (W, H)."""
    (width, height), spread = size, 2 * sigma_of(size) ** 2
    x = torch.arange(width, device=points.device, dtype=points.dtype)
    y = torch.arange(height, device=points.device, dtype=points.dtype)
    across = torch.exp(-((x - points[..., :1]) ** 2) / spread)  # (B, K, W)
    down = torch.exp(-((y - points[..., 1:]) ** 2) / spread)  # (B, K, H)
    return down[..., :, None] * across[..., None, :]


def joint_losses(heatmaps: Tensor, targets: Tensor) -> Tensor:
    """Squared error (B, K) of each heatmap, relative to that of an empty heatmap for a joint inside
    the crop."""
    height, width = targets.shape[-2:]
    mass = math.pi * sigma_of((width, height)) ** 2  # sum of a target's squared values
    return (heatmaps.float() - targets).square().sum((-2, -1)) / mass


def masked_mean(losses: Tensor, weight: Tensor) -> Tensor:
    """Mean of ``losses`` (B, K) by ``weight`` (B, K); 0 when all weights are 0."""
    losses = torch.where(weight > 0, losses, 0.0)  # the NaN of a missing joint must not spread
    mean: Tensor = (losses * weight).sum() / weight.sum().clamp(min=1e-6)
    return mean


def residual_variance(features: Tensor, target: Tensor) -> Tensor:
    """Share of the variance of ``target`` (B, C, H, W) that a linear map of ``features``
    (B, c, H, W) leaves.

    A hint from a wider teacher (Romero et al., "FitNets: Hints for Thin Deep Nets", ICLR 2015). The
    map is fitted to every batch by least squares, so that it needs no training and no storage.
    """
    x, y = (maps.float().flatten(2).transpose(1, 2).flatten(0, 1) for maps in (features, target))
    x, y = x - x.mean(0), y - y.mean(0)  # (B H W, c), (B H W, C)
    with torch.no_grad():
        scatter = x.T @ x
        ridge = RIDGE * scatter.diagonal().mean().clamp(min=1e-12)
        fitted = torch.linalg.solve(scatter + ridge * torch.eye(len(scatter)).to(x), x.T @ y)
    residual: Tensor = (y - x @ fitted).square().sum() / y.square().sum().clamp(min=1e-12)
    return residual


def drop_suspect_labels(losses: Tensor, weight: Tensor, noise: Tensor) -> Tensor:
    """``weight`` (B, K) with 0 for labels that are probably wrong: those of the largest losses.

    ``noise`` (B,) is the share of wrong labels in each crop's source. Crops of equal ``noise`` are
    treated as one source: of all their labelled joints in the batch, that share is dropped.
    """
    weight = weight.clone()
    for share in torch.unique(noise).tolist():
        rows = (noise == share)[:, None] & (weight > 0)
        count = int(share * int(rows.sum()))
        if count:
            least = losses.detach()[rows].topk(count).values[-1]
            weight[rows & (losses.detach() >= least)] = 0.0
    return weight
