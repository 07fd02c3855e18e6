"""What the network should answer, and how far its answer is from it.

Targets are Gaussians around the joints' exact places, unrounded (UDP: Huang et al., CVPR 2020), so
that a perfect answer decodes to the label itself. A joint that is known to lie outside
the crop has an empty heatmap: the network learns to say so. Shapes: B crops, K keypoints.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gymform.pose.vitpose import HEATMAP_SIZE

SIGMA = 2.0
"""Standard deviation of a target, px of the usual heatmap; in larger ones it is as much larger."""

RIDGE = 1e-3
"""Weight decay of the fit of one network's features to another's, over their mean square."""


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
    """Squared error (B, K) of each heatmap; 1 is that of an empty answer to a joint in sight."""
    height, width = targets.shape[-2:]
    mass = math.pi * sigma_of((width, height)) ** 2  # sum of a target's squared values
    return (heatmaps.float() - targets).square().sum((-2, -1)) / mass


def masked_mean(losses: Tensor, weight: Tensor) -> Tensor:
    """Mean of ``losses`` (B, K) where ``weight`` (B, K) is positive; 0 when it is nowhere."""
    losses = torch.where(weight > 0, losses, 0.0)  # a missing joint must not even spread a NaN
    return (losses * weight).sum() / weight.sum().clamp(min=1e-6)


def unexplained(features: Tensor, meant: Tensor) -> Tensor:
    """Share of the variance of ``meant`` (B, C, H, W) that ``features`` (B, c, H, W) do not tell.

    A hint from a wider teacher (Romero et al., "FitNets: Hints for Thin Deep Nets", ICLR 2015). The
    map from one to the other is fitted anew to every batch by least squares, so that there is
    nothing of it to learn or to keep.
    """
    x, y = (of.float().flatten(2).transpose(1, 2).flatten(0, 1) for of in (features, meant))
    x, y = x - x.mean(0), y - y.mean(0)  # (B H W, c), (B H W, C)
    with torch.no_grad():
        scatter = x.T @ x
        ridge = RIDGE * scatter.diagonal().mean().clamp(min=1e-12)
        fitted = torch.linalg.solve(scatter + ridge * torch.eye(len(scatter)).to(x), x.T @ y)
    return (y - x @ fitted).square().sum() / y.square().sum().clamp(min=1e-12)


def trusted(losses: Tensor, weight: Tensor, distrust: Tensor) -> Tensor:
    """``weight`` (B, K) with 0 for the largest losses among the joints that are not trusted.

    ``distrust`` (B,) is the share of each crop's labels that is taken for wrong. Crops of equal
    distrust are from one source: of all their labelled joints in the batch, that share is dropped.
    """
    weight = weight.clone()
    for share in distrust.unique().tolist():
        rows = (distrust == share)[:, None] & (weight > 0)
        count = int(share * int(rows.sum()))
        if count:
            least = losses.detach()[rows].topk(count).values[-1]
            weight[rows & (losses.detach() >= least)] = 0.0
    return weight
