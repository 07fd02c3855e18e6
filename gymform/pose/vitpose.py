"""ViTPose, the network: RGB crops in, one heatmap a keypoint out.

A plain vision transformer with a light decoder (Xu et al., "ViTPose: Simple Vision Transformer
Baselines for Human Pose Estimation", NeurIPS 2022; ViTPose++, TPAMI 2024). Parameters are named
as in the authors' released checkpoints. The file reads from top to bottom in the order in which
a picture passes through: config, patches, attention, MLP, block, backbone, decoders, network.
Shapes in comments: B crops, N tokens, C channels, H heads, K keypoints; sizes of pictures are those
of the usual crops of 256 x 192 px, see `ViTPoseConfig.input_height`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

INPUT_SIZE = (192, 256)
"""Width and height of the crops a network usually sees, px; all see crops of that aspect."""

HEATMAP_SIZE = (48, 64)
"""Width and height of the heatmaps it then answers with: a quarter of the input."""

ENLARGED = 4
"""So many times as wide and high as the grid of patches are the heatmaps."""

HEIGHT_STEP = 64
"""Crops whose height is a multiple of that are whole patches high and wide."""

MOST_PADDING = 2.0
"""No network sees more around a box than that."""


# what no ViTPose comes near: a damaged file must not ask for all memory
_LIMITS = {
    "dim": 4096,
    "depth": 128,
    "heads": 256,
    "mlp_ratio": 16,
    "patch_size": 64,
    "patch_padding": 32,
    "decoder_channels": 4096,
    "keypoints": 1024,
    "input_height": 1024,
}


@dataclass(frozen=True)
class ViTPoseConfig:
    """Everything about a network but its weights. The defaults are the official ViTPose-S."""

    dim: int = 384
    depth: int = 12
    heads: int = 12
    mlp_ratio: int = 4
    patch_size: int = 16
    patch_padding: int = 2  # official networks pad by 2; ones from plain ViTs by 0
    class_token: bool = False  # is a class token part of the token sequence?
    decoder: Literal["classic", "simple"] = "classic"
    decoder_channels: int = 256  # of the classic decoder's two deconvolutions
    keypoints: int = 17
    score_power: float = 1.0  # a keypoint's score is its heatmap's peak to this power
    padding: float = 1.25  # what it sees: the box grown to the input's aspect, times this
    input_height: int = INPUT_SIZE[1]  # of its crops, px

    def __post_init__(self) -> None:
        for name, most in _LIMITS.items():
            value, least = getattr(self, name), 0 if name == "patch_padding" else 1
            if type(value) is not int or not least <= value <= most:
                raise ValueError(f"{name}: expected {least} to {most}, got {value!r}")
        if not isinstance(self.score_power, int | float) or not 0.1 <= self.score_power <= 10:
            raise ValueError(f"score_power: expected 0.1 to 10, got {self.score_power!r}")
        if not isinstance(self.padding, int | float) or not 1 <= self.padding <= MOST_PADDING:
            raise ValueError(f"padding: expected 1 to {MOST_PADDING}, got {self.padding!r}")
        if self.dim % self.heads:
            raise ValueError(f"heads: expected a divisor of dim {self.dim}, got {self.heads}")
        if self.decoder not in ("classic", "simple"):
            raise ValueError(f"decoder: expected 'classic' or 'simple', got {self.decoder!r}")
        if not isinstance(self.class_token, bool):
            raise ValueError(f"class_token: expected true or false, got {self.class_token!r}")
        if self.input_height % HEIGHT_STEP:
            raise ValueError(
                f"input_height: expected a multiple of {HEIGHT_STEP}, got {self.input_height}"
            )
        rows, columns = (side // ENLARGED for side in self.heatmap_size[::-1])
        if self.grid != (rows, columns):
            raise ValueError(
                f"patch_size, patch_padding: expected {rows} x {columns} patches, got {self.grid}"
            )

    @property
    def input_size(self) -> tuple[int, int]:
        """Width and height of its crops, px."""
        return self.input_height * INPUT_SIZE[0] // INPUT_SIZE[1], self.input_height

    @property
    def heatmap_size(self) -> tuple[int, int]:
        """Width and height of its heatmaps, px."""
        width, height = self.input_size
        share = INPUT_SIZE[0] // HEATMAP_SIZE[0]
        return width // share, height // share

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        width, height = self.input_size
        size, pad = self.patch_size, self.patch_padding
        return (height + 2 * pad - size) // size + 1, (width + 2 * pad - size) // size + 1

    @property
    def tokens(self) -> int:
        """Patches of one crop."""
        rows, columns = self.grid
        return rows * columns


OFFICIAL_SIZES: dict[str, dict[str, int]] = {
    "S": {"dim": 384, "depth": 12, "heads": 12},
    "B": {"dim": 768, "depth": 12, "heads": 12},
    "L": {"dim": 1024, "depth": 24, "heads": 16},
    "H": {"dim": 1280, "depth": 32, "heads": 16},
}
"""The four published sizes; `ViTPoseConfig(**OFFICIAL_SIZES["B"])`."""


class PatchEmbed(nn.Module):
    """Cuts a crop into patches and makes a token of each."""

    def __init__(self, config: ViTPoseConfig) -> None:
        super().__init__()
        size, padding = config.patch_size, config.patch_padding
        self.proj = nn.Conv2d(3, config.dim, kernel_size=size, stride=size, padding=padding)

    def forward(self, images: Tensor) -> Tensor:  # (B, 3, 256, 192)
        patches = self.proj(images)  # (B, C, 16, 12)
        return patches.flatten(2).transpose(1, 2)  # (B, N, C)


class Attention(nn.Module):
    """Multi-head self-attention with one joint projection for query, key and value."""

    def __init__(self, config: ViTPoseConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.dim, 3 * config.dim)
        self.proj = nn.Linear(config.dim, config.dim)

    def gather(self, qkv: Tensor) -> Tensor:  # (B, N, 3C)
        """What the heads bring together, before it is projected."""
        batch, tokens, width = qkv.shape
        qkv = qkv.reshape(batch, tokens, 3, self.heads, width // 3 // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)  # each (B, H, N, C/H)
        learns = qkv.requires_grad and qkv.device.type == "cpu"
        attend = _attend_in_parts if learns else F.scaled_dot_product_attention
        x = attend(query, key, value)  # (B, H, N, C/H)
        return x.transpose(1, 2).reshape(batch, tokens, width // 3)  # (B, N, C)

    def forward(self, x: Tensor) -> Tensor:  # (B, N, C)
        return self.proj(self.gather(self.qkv(x)))  # (B, N, C)


def _attend_in_parts(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attention, its steps one by one: of PyTorch's fused one the way back is slow on processors
    (104 against 37 ms for 32 crops in bfloat16)."""
    alike = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)  # (B, H, N, N)
    return alike.softmax(-1) @ value  # (B, H, N, C/H)


class Mlp(nn.Module):
    """The two-layer perceptron of a block."""

    def __init__(self, config: ViTPoseConfig) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.dim, config.mlp_ratio * config.dim)
        self.fc2 = nn.Linear(config.mlp_ratio * config.dim, config.dim)

    def forward(self, x: Tensor) -> Tensor:  # (B, N, C)
        return self.fc2(F.gelu(self.fc1(x)))  # (B, N, C)


class Block(nn.Module):
    """A pre-norm transformer block."""

    def __init__(self, config: ViTPoseConfig) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.dim, eps=1e-6)
        self.attn = Attention(config)
        self.norm2 = nn.LayerNorm(config.dim, eps=1e-6)
        self.mlp = Mlp(config)

    def forward(self, x: Tensor) -> Tensor:  # (B, N, C)
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Backbone(nn.Module):
    """Patches, positions, blocks and a last norm: a picture becomes a map of features.

    The first row of ``pos_embed`` belongs to the class token. The official networks have none in
    the sequence and add that row to every patch; with ``class_token`` it is added to the token.
    """

    def __init__(self, config: ViTPoseConfig) -> None:
        super().__init__()
        self.grid = config.grid
        self.patch_embed = PatchEmbed(config)
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + config.tokens, config.dim))
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.dim)) if config.class_token else None
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.depth))
        self.last_norm = nn.LayerNorm(config.dim, eps=1e-6)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)

    def tokens(self, images: Tensor) -> Tensor:  # (B, 3, 256, 192)
        """What the first block sees."""
        x = self.patch_embed(images)  # (B, N, C)
        patches, first = self.pos_embed[:, 1:], self.pos_embed[:, :1]
        if self.cls_token is None:
            return x + patches + first  # (B, N, C)
        token = (self.cls_token + first).expand(len(x), -1, -1)  # (B, 1, C)
        return torch.cat((token, x + patches), dim=1)  # (B, 1 + N, C)

    def features(self, x: Tensor) -> Tensor:  # (B, N, C) or (B, 1 + N, C)
        """What the decoder sees of the last block's tokens."""
        x = self.last_norm(x)
        x = x[:, -self.pos_embed.shape[1] + 1 :]  # (B, N, C), without a class token
        return x.transpose(1, 2).unflatten(2, self.grid)  # (B, C, 16, 12)

    def forward(self, images: Tensor) -> Tensor:  # (B, 3, 256, 192)
        x = self.tokens(images)
        for block in self.blocks:
            x = block(x)
        return self.features(x)


class ClassicDecoder(nn.Module):
    """Two deconvolutions, each doubling the resolution, then a 1x1 convolution."""

    def __init__(self, config: ViTPoseConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for channels in (config.dim, config.decoder_channels):
            layers += [
                nn.ConvTranspose2d(channels, config.decoder_channels, 4, 2, 1, bias=False),
                nn.BatchNorm2d(config.decoder_channels),
                nn.ReLU(inplace=True),
            ]
        self.deconv_layers = nn.Sequential(*layers)
        self.final_layer = nn.Conv2d(config.decoder_channels, config.keypoints, kernel_size=1)

    def forward(self, features: Tensor) -> Tensor:  # (B, C, 16, 12)
        return self.final_layer(self.deconv_layers(features))  # (B, K, 64, 48)


class SimpleDecoder(nn.Module):
    """Bilinear enlargement by four, then a 3x3 convolution.

    Both are linear, so they are done the other way round: the convolution's nine taps are taken of
    the small maps, and what they give is enlarged and shifted. That needs a tenth of the work, or
    less, and gives the same but for rounding.
    """

    def __init__(self, config: ViTPoseConfig) -> None:
        super().__init__()
        self.final_layer = nn.Conv2d(config.dim, config.keypoints, kernel_size=3, padding=1)

    def enlarge(self, features: Tensor) -> Tensor:  # (B, C, 16, 12)
        """What the convolution sees."""
        x = F.relu(features)
        return F.interpolate(x, scale_factor=ENLARGED, mode="bilinear", align_corners=False)

    def forward(self, features: Tensor) -> Tensor:  # (B, C, 16, 12)
        weight, bias = self.final_layer.weight, self.final_layer.bias
        assert bias is not None
        small = weight.permute(0, 2, 3, 1).flatten(0, 2) @ F.relu(features).flatten(2)
        rows, columns = (_enlarge_and_shift(s, features.device) for s in features.shape[2:])
        taps = small.unflatten(2, features.shape[2:]).unflatten(1, (-1, 3, 3))
        wide = torch.einsum("bkyxhw,xvw->bkyhv", taps, columns)  # (B, K, 3, 16, 48)
        large = torch.einsum("bkyhv,yuh->bkuv", wide, rows)  # (B, K, 64, 48)
        return large + bias[:, None, None]


@cache
@torch.inference_mode(False)  # it is kept, and networks that learn need it too
def _enlarge_and_shift(size: int, device: torch.device) -> Tensor:
    """Along one side, what each of three taps sees of small maps, (3, 4 size, size): enlarged, and
    shifted by one, nought and minus one; zero beyond the border."""
    unit = torch.eye(size, device=device)[None]
    enlarged = F.interpolate(unit, scale_factor=ENLARGED, mode="linear", align_corners=False)[0].T
    padded = F.pad(enlarged, (0, 0, 1, 1))
    return torch.stack([padded[tap : tap + len(enlarged)] for tap in range(3)])


class ViTPose(nn.Module):
    """The whole network: normalised RGB crops (B, 3, 256, 192) to heatmaps (B, K, 64, 48)."""

    def __init__(self, config: ViTPoseConfig | None = None) -> None:
        super().__init__()
        self.config = config or ViTPoseConfig()
        self.backbone = Backbone(self.config)
        decoder = ClassicDecoder if self.config.decoder == "classic" else SimpleDecoder
        self.keypoint_head = decoder(self.config)

    def forward(self, images: Tensor) -> Tensor:
        return self.decode(self.backbone(images))

    def decode(self, features: Tensor) -> Tensor:  # (B, C, 16, 12)
        """Heatmaps (B, K, 64, 48) of the backbone's features."""
        # under autocast too: in half precision the pixels around a peak would be equally high
        with torch.autocast(features.device.type, enabled=False):
            return self.keypoint_head(features.float())
