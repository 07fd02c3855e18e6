"""ViViT, a transformer on video, for comparison: one file, in reading order.

Arnab et al., "ViViT: A Video Vision Transformer" (ICCV 2021), model 2, the factorised encoder: a
clip is cut into tubelets, small boxes of picture and time; a spatial transformer looks at the
tubelets of one moment, a temporal transformer at one token of each moment. With 400 classes and the
defaults of ViViT-B/16x2 it has the 115.1 million parameters of the paper's table 2.
Shapes: B clips, T frames, H and W px, M moments, N tubelets of a moment, C channels, K classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""RGB statistics of ImageNet, which the spatial transformer was first taught with."""

CHANNELS_A_HEAD = 32
"""As in the embedded ViTPose-S: 12 heads for 384 channels."""


@dataclass(frozen=True)
class ViViTConfig:
    """The shape of a :class:`ViViT`.

    The defaults are a spatial transformer like the embedded ViTPose-S; ViViT-B/16x2 has 768
    channels, 12 heads, and positions for 16 moments of 14 x 14 tubelets. Clips of another length or
    size get positions in between.
    """

    classes: int
    channels: int = 384
    heads: int = 12
    spatial_blocks: int = 12
    temporal_blocks: int = 4
    tubelet: tuple[int, int] = (2, 16)
    moments: int = 8
    grid: int = 7
    dropout: float = 0.0


class Attention(nn.Module):
    """Multi-head self-attention with one joint projection for query, key and value."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:  # (B, N, C)
        batch, tokens, channels = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, self.heads, channels // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)  # each (B, heads, N, C / heads)
        seen = F.scaled_dot_product_attention(query, key, value)
        out: Tensor = self.proj(seen.transpose(1, 2).reshape(batch, tokens, channels))  # (B, N, C)
        return out


class Mlp(nn.Module):
    """The two-layer perceptron of a block."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, 4 * channels)
        self.fc2 = nn.Linear(4 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:  # (B, N, C)
        out: Tensor = self.fc2(F.gelu(self.fc1(x)))  # (B, N, C)
        return out


class Block(nn.Module):
    """A pre-norm transformer block; its parameters are named as those of ViTPose."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels, eps=1e-6)
        self.attn = Attention(channels, heads)
        self.norm2 = nn.LayerNorm(channels, eps=1e-6)
        self.mlp = Mlp(channels)

    def forward(self, x: Tensor) -> Tensor:  # (B, N, C)
        x = x + self.attn(self.norm1(x))
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class Encoder(nn.Module):
    """Blocks over a sequence (B, N, C) with a class token before it: the token's answer (B, C)."""

    def __init__(self, channels: int, heads: int, blocks: int) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.zeros(1, 1, channels))
        self.token_position = nn.Parameter(torch.zeros(1, 1, channels))
        self.blocks = nn.ModuleList(Block(channels, heads) for _ in range(blocks))
        self.norm = nn.LayerNorm(channels, eps=1e-6)
        nn.init.trunc_normal_(self.token, std=0.02)
        nn.init.trunc_normal_(self.token_position, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        token = (self.token + self.token_position).expand(len(x), -1, -1)  # (B, 1, C)
        x = torch.cat([token, x], 1)  # (B, 1 + N, C)
        for block in self.blocks:
            x = block(x)
        out: Tensor = self.norm(x[:, 0])  # (B, C)
        return out


class ViViT(nn.Module):
    """Clips (B, 3, T, H, W) in [0, 1] to class logits (B, K)."""

    mean: Tensor
    std: Tensor

    def __init__(self, config: ViViTConfig) -> None:
        super().__init__()
        self.config = config
        for name, values in (("mean", MEAN), ("std", STD)):
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1, 1), persistent=False)
        c, (frames, side) = config.channels, config.tubelet
        self.embed = nn.Conv3d(3, c, (frames, side, side), (frames, side, side))
        self.places = nn.Parameter(torch.zeros(1, c, config.grid, config.grid))
        self.times = nn.Parameter(torch.zeros(1, c, config.moments))
        self.spatial = Encoder(c, config.heads, config.spatial_blocks)
        self.temporal = Encoder(c, config.heads, config.temporal_blocks)
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(c, config.classes)
        nn.init.trunc_normal_(self.places, std=0.02)
        nn.init.trunc_normal_(self.times, std=0.02)

    def forward(self, clips: Tensor) -> Tensor:
        x = self.embed(self._padded((clips - self.mean) / self.std))  # (B, C, M, rows, columns)
        batch, channels, moments, *grid = x.shape
        places = F.interpolate(self.places, grid, mode="bilinear", align_corners=False)
        x = x + places.unsqueeze(2)  # (B, C, M, rows, columns)
        x = x.permute(0, 2, 3, 4, 1).reshape(batch * moments, -1, channels)  # (B M, N, C)
        x = self.spatial(x).reshape(batch, moments, channels)  # (B, M, C)
        times = F.interpolate(self.times, moments, mode="linear", align_corners=False)
        x = self.temporal(x + times.transpose(1, 2))  # (B, C)
        out: Tensor = self.head(self.dropout(x))  # (B, K)
        return out

    def _padded(self, clips: Tensor) -> Tensor:
        """``clips`` with the last frame repeated, and grey at the edges, to whole tubelets."""
        frames, side = self.config.tubelet
        more = -clips.shape[2] % frames
        if more:
            clips = torch.cat([clips, clips[:, :, -1:].expand(-1, -1, more, -1, -1)], 2)
        return F.pad(clips, (0, -clips.shape[4] % side, 0, -clips.shape[3] % side))

    @torch.no_grad()
    def adopt(self, backbone: Mapping[str, Tensor]) -> int:
        """Take over what fits from the backbone of a ViTPose; the number of its tensors taken.

        ``backbone`` holds ``patch_embed.proj``, ``pos_embed``, ``blocks.N`` and ``last_norm``, all
        or some. Patches become tubelets that at first see their middle frame alone (equation 9 of
        the paper); positions are those of the picture, resized. The temporal transformer starts
        anew: nothing in a picture has taught it.
        """
        own = {name.replace("last_norm.", "norm."): tensor for name, tensor in backbone.items()}
        spatial = self.spatial.state_dict()
        taken = [k for k, v in own.items() if k in spatial and spatial[k].shape == v.shape]
        self.spatial.load_state_dict({k: own[k] for k in taken}, strict=False)
        return len(taken) + self._adopt_patches(own) + self._adopt_places(own)

    def _adopt_patches(self, own: Mapping[str, Tensor]) -> int:
        weight = own.get("patch_embed.proj.weight")
        if weight is None or self.embed.bias is None:
            return 0
        if weight.shape != self.embed.weight.shape[:2] + self.embed.weight.shape[3:]:
            return 0
        self.embed.weight.zero_()
        self.embed.weight[:, :, self.config.tubelet[0] // 2] = weight
        self.embed.bias.copy_(own["patch_embed.proj.bias"])
        return 2

    def _adopt_places(self, own: Mapping[str, Tensor]) -> int:
        """Resize the positions (1, 1 + rows x columns, C) of a crop four by three."""
        places = own.get("pos_embed")
        if places is None or places.shape[2] != self.config.channels:
            return 0
        columns = round(((places.shape[1] - 1) * 3 / 4) ** 0.5)
        grid = places[:, 1:].transpose(1, 2).reshape(1, self.config.channels, -1, columns)
        size = self.places.shape[2:]
        resized = F.interpolate(grid, size, mode="bilinear", align_corners=False)
        self.places.copy_(resized + places[:, :1].transpose(1, 2).unsqueeze(3))
        return 1
