"""Convolution over the skeleton's graph and over time, for comparison: one file, in reading order.

ST-GCN after Yan, Xiong & Lin, "Spatial Temporal Graph Convolutional Networks for Skeleton-Based
Action Recognition" (AAAI 2018), with their spatial partitioning, on the COCO-17 skeleton, and
smaller: a data set of lifts has hundreds of clips, Kinetics has 300,000.
Shapes: B clips, C channels, N steps, V = 17 joints, P = 3 partitions, K classes. ``mask`` is 1
where a step exists and 0 where it is padding; it is applied before steps are mixed.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gymform import skeleton as sk
from gymform.exercise.features import MAX_POSITION
from gymform.motion.body_size import midpoint, statures
from gymform.skeleton import HIPS, SHOULDERS

INPUTS = 3
"""Numbers a joint: x and y from the hips in statures, and whether it is seen."""

LINKS: tuple[tuple[int, int], ...] = (
    *sk.EDGES,
    (sk.NOSE, sk.LEFT_SHOULDER),
    (sk.NOSE, sk.RIGHT_SHOULDER),
)
"""The skeleton's edges, and the neck that COCO-17 lacks: without it the head hangs on nothing."""

CENTRE = (*SHOULDERS, *HIPS)
"""The joints nearest to the body's centre of gravity."""

FACE = (sk.LEFT_EYE, sk.RIGHT_EYE, sk.LEFT_EAR, sk.RIGHT_EAR)
"""Joints that not every source of training tracks has: never shown."""


@dataclass(frozen=True)
class STGCNConfig:
    """The shape of an :class:`STGCN`: a block for each of ``widths``, in units of ``channels``.

    A block that is wider than the one before halves the number of steps. The original has
    channels 64 and widths (1, 1, 1, 1, 2, 2, 2, 4, 4, 4).
    """

    classes: int
    channels: int = 16
    widths: tuple[int, ...] = (1, 1, 2, 2, 4)
    kernel: int = 9
    dropout: float = 0.25


def joint_positions(xy: np.ndarray, rate_hz: float) -> np.ndarray:
    """float32 (N, 51): x, y and presence of every joint, always finite.

    ``xy`` (N, 17, 2) px at even steps, NaN where missing. Positions are statures from the hips'
    mean place in the clip, so that the way of the hips stays; a missing joint is three zeros.
    """
    sizes = statures(xy, rate_hz)
    if not np.isfinite(sizes).all():
        return np.zeros((len(xy), sk.NUM_KEYPOINTS * INPUTS), np.float32)
    body = xy / sizes[:, None, None]
    hips = midpoint(body, HIPS)
    known = np.isfinite(hips).all(-1)
    centre = np.median(hips[known] if known.any() else np.nanmedian(body, 1), axis=0)
    places = np.clip(body - np.nan_to_num(centre), -MAX_POSITION, MAX_POSITION)
    seen = np.isfinite(places).all(-1, keepdims=True)
    seen[:, list(FACE)] = False
    joints = np.where(seen, np.concatenate([places, np.ones_like(seen, float)], -1), 0.0)
    return joints.reshape(len(xy), -1).astype(np.float32)


def partitions() -> Tensor:
    """(3, V, V): normalised adjacency from joint (row) to joint (column) by partition.

    Yan et al., section 3.3, spatial configuration: the joint itself and neighbours equally far
    from the centre; neighbours nearer to it (centripetal); neighbours farther off (centrifugal).
    Columns are divided by the joint's number of neighbours, itself included.
    """
    hops = _hops()
    adjacency = np.eye(sk.NUM_KEYPOINTS)
    for a, b in LINKS:
        adjacency[a, b] = adjacency[b, a] = 1
    adjacency /= adjacency.sum(0, keepdims=True)
    nearer, farther = hops[:, None] < hops[None], hops[:, None] > hops[None]
    parts = [adjacency * ~(nearer | farther), adjacency * nearer, adjacency * farther]
    return torch.from_numpy(np.stack(parts)).float()


def _hops() -> np.ndarray:
    """Edges (V,) between every joint and the nearest of the centre's."""
    hops = np.full(sk.NUM_KEYPOINTS, -1)
    hops[list(CENTRE)] = 0
    waiting = deque(CENTRE)
    while waiting:
        joint = waiting.popleft()
        for link in LINKS:
            if joint in link:
                other = link[0] if link[1] == joint else link[1]
                if hops[other] < 0:
                    hops[other] = hops[joint] + 1
                    waiting.append(other)
    return hops


class GraphConv(nn.Module):
    """(B, C, N, V) to (B, D, N, V): each joint gathers its neighbours, by partition.

    ``importance`` weighs every edge and is learned (section 3.5).
    """

    links: Tensor

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.register_buffer("links", partitions(), persistent=False)
        self.importance = nn.Parameter(torch.ones_like(self.links))
        self.conv = nn.Conv2d(channels, out * len(self.links), 1)

    def forward(self, x: Tensor) -> Tensor:
        b, _, n, v = x.shape
        h = self.conv(x).view(b, len(self.links), -1, n, v)  # (B, P, D, N, V)
        return torch.einsum("bpdnv,pvw->bdnw", h, self.links * self.importance)  # (B, D, N, V)


class Block(nn.Module):
    """Graph convolution, temporal convolution with ``stride``, and a way around both."""

    def __init__(self, channels: int, out: int, config: STGCNConfig, stride: int) -> None:
        super().__init__()
        k = config.kernel
        self.stride = stride
        self.graph = GraphConv(channels, out)
        self.norm1 = nn.BatchNorm2d(out)
        self.time = nn.Conv2d(out, out, (k, 1), (stride, 1), (k // 2, 0))
        self.norm2 = nn.BatchNorm2d(out)
        self.dropout = nn.Dropout(config.dropout)
        self.around = (
            nn.Identity()
            if channels == out and stride == 1
            else nn.Sequential(nn.Conv2d(channels, out, 1, (stride, 1)), nn.BatchNorm2d(out))
        )

    def forward(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        h = torch.relu(self.norm1(self.graph(x))) * mask  # (B, D, N, V)
        h = self.dropout(self.norm2(self.time(h)))  # (B, D, N / stride, V)
        mask = mask[:, :, :: self.stride]  # (B, 1, N / stride, 1)
        return torch.relu(h + self.around(x)) * mask, mask


class STGCN(nn.Module):
    """Joint sequences (B, N, V * 3) with mask (B, N) to class logits (B, K)."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: STGCNConfig) -> None:
        super().__init__()
        self.config = config
        inputs = sk.NUM_KEYPOINTS * INPUTS
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("std", torch.ones(inputs))
        widths = [config.channels * width for width in config.widths]
        self.stem = nn.Conv2d(INPUTS, widths[0], 1)
        before = [widths[0], *widths[:-1]]
        self.blocks = nn.ModuleList(
            Block(channels, out, config, stride=2 if out > channels else 1)
            for channels, out in zip(before, widths, strict=True)
        )
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(widths[-1], config.classes)

    def forward(self, joints: Tensor, mask: Tensor) -> Tensor:
        x = (joints - self.mean) / self.std  # (B, N, V * 3)
        x = torch.unflatten(x, -1, (sk.NUM_KEYPOINTS, INPUTS)).permute(0, 3, 1, 2)  # (B, 3, N, V)
        mask = mask[:, None, :, None].to(x.dtype)  # (B, 1, N, 1)
        x = self.stem(x) * mask  # (B, C, N, V)
        for block in self.blocks:
            x, mask = block(x, mask)  # (B, D, N / stride, V)
        steps = mask.sum((1, 2, 3)).clamp(min=1)[:, None]  # (B, 1)
        x = x.mean(-1).sum(-1) / steps  # (B, D)
        out: Tensor = self.head(self.dropout(x))  # (B, K)
        return out
