"""The network ViTPose: RGB crops in, one heatmap per keypoint out.

A plain vision transformer with a light decoder (Xu et al., "ViTPose: Simple Vision Transformer
Baselines for Human Pose Estimation", NeurIPS 2022; ViTPose++, TPAMI 2024). Parameters are named
as in the authors' released checkpoints. The file follows a picture through the network: config,
patches, attention, MLP, block, backbone, decoders, network. Shapes in comments: B crops, N tokens,
C channels, H heads, K keypoints; picture sizes are those of the usual crops of 256 x 192 px, see
`ViTPoseConfig.input_height`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

INPUT_SIZE = (192, 256)
"""Width and height of the usual input, px; all networks have inputs of this aspect."""

HEATMAP_SIZE = (48, 64)
"""Width and height of the heatmaps of the usual input: a quarter of it."""

UPSAMPLING = 4
"""The decoder's factor: heatmaps are this many times as wide and high as the grid of patches."""

HEIGHT_STEP = 64
"""Input heights are multiples of this, so that patches cover the input without a rest."""

MAX_PADDING = 2.0
"""The largest `ViTPoseConfig.padding`."""


# far above any ViTPose, so that a damaged file cannot ask for all the memory
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
    """Everything about a network except its weights. The defaults are the official ViTPose-S."""

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
    padding: float = 1.25  # a crop is the box, extended to the input's aspect, times this
    input_height: int = INPUT_SIZE[1]  # of its crops, px

    def __post_init__(self) -> None:
        for name, most in _LIMITS.items():
            value, least = getattr(self, name), 0 if name == "patch_padding" else 1
            if type(value) is not int or not least <= value <= most:
                raise ValueError(f"{name}: expected {least} to {most}, got {value!r}")
        if not isinstance(self.score_power, int | float) or not 0.1 <= self.score_power <= 10:
            raise ValueError(f"score_power: expected 0.1 to 10, got {self.score_power!r}")
        if not isinstance(self.padding, int | float) or not 1 <= self.padding <= MAX_PADDING:
            raise ValueError(f"padding: expected 1 to {MAX_PADDING}, got {self.padding!r}")
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
        rows, columns = (side // UPSAMPLING for side in self.heatmap_size[::-1])
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
        stride = INPUT_SIZE[0] // HEATMAP_SIZE[0]
        return width // stride, height // stride

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        width, height = self.input_size
        size, pad = self.patch_size, self.patch_padding
        return (height + 2 * pad - size) // size + 1, (width + 2 * pad - size) // size + 1

    @property
    def tokens(self) -> int:
        """The number of patches of one crop."""
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
    """Cuts a crop into patches and turns each into a token."""

    def __init__(self, config: ViTPoseConfig) -> None:
        super().__init__()
        size, padding = config.patch_size, config.patch_padding
        self.proj = nn.Conv2d(3, config.dim, kernel_size=size, stride=size, padding=padding)

    def forward(self, images: Tensor) -> Tensor:  # (B, 3, 256, 192)
        patches: Tensor = self.proj(images)  # (B, C, 16, 12)
        return patches.flatten(2).transpose(1, 2)  # (B, N, C)


class Attention(nn.Module):
    """Multi-head self-attention with one joint projection for query, key and value."""

    def __init__(self, config: ViTPoseConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.dim, 3 * config.dim)
        self.proj = nn.Linear(config.dim, config.dim)

    def attend(self, qkv: Tensor) -> Tensor:  # (B, N, 3C)
        """The heads' outputs side by side, before the projection."""
        batch, tokens, width = qkv.shape
        qkv = qkv.reshape(batch, tokens, 3, self.heads, width // 3 // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)  # each (B, H, N, C/H)
        on_cpu = qkv.requires_grad and qkv.device.type == "cpu"
        attention = _unfused_attention if on_cpu else F.scaled_dot_product_attention
        x = attention(query, key, value)  # (B, H, N, C/H)
        return x.transpose(1, 2).reshape(batch, tokens, width // 3)  # (B, N, C)

    def forward(self, x: Tensor) -> Tensor:  # (B, N, C)
        out: Tensor = self.proj(self.attend(self.qkv(x)))  # (B, N, C)
        return out


def _unfused_attention(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attention step by step, for training on CPUs: there the backward pass of PyTorch's fused
    version is slow (104 against 37 ms for 32 crops in bfloat16)."""
    scale: float = query.shape[-1] ** -0.5
    similarity = (query * scale) @ key.transpose(-2, -1)  # (B, H, N, N)
    return similarity.softmax(-1) @ value  # (B, H, N, C/H)


class Mlp(nn.Module):
    """The two-layer perceptron of a block."""

    def __init__(self, config: ViTPoseConfig) -> None:
        super().__init__()
        self.fc1 = nn.Linear(config.dim, config.mlp_ratio * config.dim)
        self.fc2 = nn.Linear(config.mlp_ratio * config.dim, config.dim)

    def forward(self, x: Tensor) -> Tensor:  # (B, N, C)
        out: Tensor = self.fc2(F.gelu(self.fc1(x)))  # (B, N, C)
        return out


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
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class Backbone(nn.Module):
    """Patches, positions, blocks and a last norm: from a picture to a map of features.

    The first row of ``pos_embed`` belongs to the class token. The official networks have no such
    token and add that row to every patch; with ``class_token`` it is added to the token.
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

    def tokens(self, images: Tensor, kept: Tensor | None = None) -> Tensor:  # (B, 3, 256, 192)
        """The input of the first block.

        With ``kept`` int64 (B, n), the numbers of some patches of each crop row by row, only these
        go on (token pruning); N is n then.
        """
        x: Tensor = self.patch_embed(images)  # (B, N, C)
        patches, first = self.pos_embed[:, 1:], self.pos_embed[:, :1]
        x = x + (patches if self.cls_token is not None else patches + first)  # (B, N, C)
        if kept is not None:
            x = x.gather(1, _channels(kept, x))
        if self.cls_token is None:
            return x
        token = (self.cls_token + first).expand(len(x), -1, -1)  # (B, 1, C)
        return torch.cat((token, x), dim=1)  # (B, 1 + N, C)

    def encode(self, x: Tensor) -> Tensor:  # (B, N, C) or (B, 1 + N, C)
        """The tokens after all blocks and the last norm."""
        for block in self.blocks:
            x = block(x)
        out: Tensor = self.last_norm(x)
        return out

    def arrange(self, x: Tensor, kept: Tensor | None = None) -> Tensor:  # (B, (1 +) N, C)
        """The decoder's input: the patches' tokens in their places, 0 in those of dropped ones."""
        if self.cls_token is not None:
            x = x[:, 1:]
        if kept is not None:
            empty = x.new_zeros(len(x), self.pos_embed.shape[1] - 1, x.shape[2])
            x = empty.scatter(1, _channels(kept, x), x)
        return x.transpose(1, 2).reshape(len(x), x.shape[2], *self.grid)  # (B, C, 16, 12)

    def forward(self, images: Tensor, kept: Tensor | None = None) -> Tensor:  # (B, 3, 256, 192)
        return self.arrange(self.encode(self.tokens(images, kept)), kept)


def _channels(kept: Tensor, x: Tensor) -> Tensor:
    """Patch numbers (B, n) for all channels of ``x``: (B, n, C)."""
    return kept[..., None].expand(-1, -1, x.shape[2])


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
        heatmaps: Tensor = self.final_layer(self.deconv_layers(features))  # (B, K, 64, 48)
        return heatmaps


class SimpleDecoder(nn.Module):
    """Bilinear upsampling by four, then a 3x3 convolution.

    Both are linear, so they are done in reverse order: the convolution's nine taps are applied to
    the small maps, and their results upsampled and shifted. That takes a tenth of the work or less,
    with the same result except for rounding.
    """

    def __init__(self, config: ViTPoseConfig) -> None:
        super().__init__()
        self.final_layer = nn.Conv2d(config.dim, config.keypoints, kernel_size=3, padding=1)

    def upsample(self, features: Tensor) -> Tensor:  # (B, C, 16, 12)
        """The convolution's input, (B, C, 64, 48)."""
        x = F.relu(features)
        return F.interpolate(x, scale_factor=UPSAMPLING, mode="bilinear", align_corners=False)

    def forward(self, features: Tensor) -> Tensor:  # (B, C, 16, 12)
        weight, bias = self.final_layer.weight, self.final_layer.bias
        assert bias is not None
        batch, _, *size = features.shape
        small = weight.permute(0, 2, 3, 1).flatten(0, 2) @ F.relu(features).flatten(2)
        rows, columns = (_upsampled_taps(side, features.device) for side in size)
        taps = small.reshape(batch, len(weight), 3, 3, *size)  # (B, K, 3, 3, 16, 12)
        wide = torch.einsum("bkyxhw,xvw->bkyhv", taps, columns)  # (B, K, 3, 16, 48)
        large = torch.einsum("bkyhv,yuh->bkuv", wide, rows)  # (B, K, 64, 48)
        return large + bias[:, None, None]


@cache
@torch.inference_mode(False)  # the result is cached, and used in training too
def _upsampled_taps(size: int, device: torch.device) -> Tensor:
    """Along one side, a matrix (3, 4 size, size) for each of three taps that upsamples a small map
    and shifts it by 1, 0 and -1; zero beyond the border."""
    unit = torch.eye(size, device=device)[None]
    large = F.interpolate(unit, scale_factor=UPSAMPLING, mode="linear", align_corners=False)[0].T
    padded = F.pad(large, (0, 0, 1, 1))
    return torch.stack([padded[tap : tap + len(large)] for tap in range(3)])


class ViTPose(nn.Module):
    """The whole network: normalised RGB crops (B, 3, 256, 192) to heatmaps (B, K, 64, 48)."""

    def __init__(self, config: ViTPoseConfig | None = None) -> None:
        super().__init__()
        self.config = config or ViTPoseConfig()
        self.backbone = Backbone(self.config)
        decoder = ClassicDecoder if self.config.decoder == "classic" else SimpleDecoder
        self.keypoint_head = decoder(self.config)

    def forward(self, images: Tensor, kept: Tensor | None = None) -> Tensor:  # (B, 3, 256, 192)
        return self.decode(self.backbone(images, kept))  # (B, K, 64, 48)

    def decode(self, features: Tensor) -> Tensor:  # (B, C, 16, 12)
        """Heatmaps (B, K, 64, 48) of the backbone's features."""
        # in float32 under autocast too: half precision would level the pixels around a peak
        with torch.autocast(features.device.type, enabled=False):
            heatmaps: Tensor = self.keypoint_head(features.float())
            return heatmaps
