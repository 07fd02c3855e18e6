"""Small networks, and their parameters in each of the four layouts of checkpoints.

The names are spelled out here on purpose, independently of the loader's rules.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gymform.pose.vitpose import ViTPose, ViTPoseConfig

State = dict[str, Tensor]


def small_network(decoder: str = "classic", depth: int = 2, **options) -> ViTPose:
    """A tiny ViTPose in eval mode; all its parameters and statistics affect its output."""
    config = ViTPoseConfig(
        **{"dim": 32, "heads": 4, "decoder_channels": 16} | options, depth=depth, decoder=decoder
    )
    return randomised(ViTPose(config))


def randomised(network: nn.Module, seed: int = 0) -> nn.Module:
    """``network`` in eval mode, with random numbers also where initialisation gives 0 or 1."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.05 * torch.randn(parameter.shape, generator=generator)
        for name, buffer in network.named_buffers():
            if name.endswith(("running_mean", "running_var")):
                buffer += torch.rand(buffer.shape, generator=generator)
    return network.eval()


def official(network: ViTPose) -> State:
    """The authors' layout, with the class token that some files keep from pretraining."""
    unused = {"backbone.cls_token": torch.randn(1, 1, network.config.dim)}
    return dict(network.state_dict()) | unused


def official_plus(network: ViTPose, part: int = 8) -> State:
    """ViTPose++: the last ``part`` rows of each fc2 are expert 0, beside other data sets'."""
    state = dict(network.state_dict())
    for i in range(network.config.depth):
        mlp = f"backbone.blocks.{i}.mlp"
        _split_experts(state, f"{mlp}.fc2", f"{mlp}.experts", part)
    for i in range(5):
        state[f"associate_keypoint_heads.{i}.final_layer.weight"] = torch.randn(16, 32, 3, 3)
        state[f"associate_keypoint_heads.{i}.deconv_layers.0.weight"] = torch.randn(32, 16, 4, 4)
    return state


def mmpose(network: ViTPose) -> State:
    """MMPose's layout. It has no row for a class token: the first is added to the others."""
    ours = network.state_dict()
    positions = ours["backbone.pos_embed"]
    state = {
        "backbone.pos_embed": positions[:, 1:] + positions[:, :1],
        "data_preprocessor.mean": torch.zeros(3, 1, 1),
    }
    for kind in ("weight", "bias"):
        state[f"backbone.patch_embed.projection.{kind}"] = ours[f"backbone.patch_embed.proj.{kind}"]
        state[f"backbone.ln1.{kind}"] = ours[f"backbone.last_norm.{kind}"]
        for i in range(network.config.depth):
            old, new = f"backbone.blocks.{i}", f"backbone.layers.{i}"
            state[f"{new}.ln1.{kind}"] = ours[f"{old}.norm1.{kind}"]
            state[f"{new}.ln2.{kind}"] = ours[f"{old}.norm2.{kind}"]
            state[f"{new}.attn.qkv.{kind}"] = ours[f"{old}.attn.qkv.{kind}"]
            state[f"{new}.attn.proj.{kind}"] = ours[f"{old}.attn.proj.{kind}"]
            state[f"{new}.ffn.layers.0.0.{kind}"] = ours[f"{old}.mlp.fc1.{kind}"]
            state[f"{new}.ffn.layers.1.{kind}"] = ours[f"{old}.mlp.fc2.{kind}"]
    for key, tensor in ours.items():
        if key.startswith("keypoint_head."):
            state["head." + key.removeprefix("keypoint_head.")] = tensor
    return state


def hugging_face(network: ViTPose) -> State:
    """The Hugging Face layout."""
    ours = network.state_dict()
    state = {"backbone.embeddings.position_embeddings": ours["backbone.pos_embed"]}
    for kind in ("weight", "bias"):
        patches = "backbone.embeddings.patch_embeddings.projection"
        state[f"{patches}.{kind}"] = ours[f"backbone.patch_embed.proj.{kind}"]
        state[f"backbone.layernorm.{kind}"] = ours[f"backbone.last_norm.{kind}"]
        state[f"head.conv.{kind}"] = ours[f"keypoint_head.final_layer.{kind}"]
        for i in range(network.config.depth):
            old, new = f"backbone.blocks.{i}", f"backbone.encoder.layer.{i}"
            query, key, value = ours[f"{old}.attn.qkv.{kind}"].chunk(3)
            state[f"{new}.attention.attention.query.{kind}"] = query
            state[f"{new}.attention.attention.key.{kind}"] = key
            state[f"{new}.attention.attention.value.{kind}"] = value
            state[f"{new}.attention.output.dense.{kind}"] = ours[f"{old}.attn.proj.{kind}"]
            state[f"{new}.layernorm_before.{kind}"] = ours[f"{old}.norm1.{kind}"]
            state[f"{new}.layernorm_after.{kind}"] = ours[f"{old}.norm2.{kind}"]
            state[f"{new}.mlp.fc1.{kind}"] = ours[f"{old}.mlp.fc1.{kind}"]
            state[f"{new}.mlp.fc2.{kind}"] = ours[f"{old}.mlp.fc2.{kind}"]
    names = {"0": "deconv1", "1": "batchnorm1", "3": "deconv2", "4": "batchnorm2"}
    for key, tensor in ours.items():
        if key.startswith("keypoint_head.deconv_layers."):
            _, _, number, kind = key.split(".")
            state[f"head.{names[number]}.{kind}"] = tensor
    return state


def hugging_face_plus(network: ViTPose, part: int = 8) -> State:
    """The Hugging Face layout with experts."""
    state = hugging_face(network)
    for i in range(network.config.depth):
        mlp = f"backbone.encoder.layer.{i}.mlp"
        _split_experts(state, f"{mlp}.fc2", f"{mlp}.experts", part)
    return state


def _split_experts(state: State, fc2: str, experts: str, part: int) -> None:
    for kind in ("weight", "bias"):
        whole = state[f"{fc2}.{kind}"]
        state[f"{fc2}.{kind}"] = whole[:-part]
        state[f"{experts}.0.{kind}"] = whole[-part:]
        for k in range(1, 6):
            state[f"{experts}.{k}.{kind}"] = torch.randn_like(whole[-part:])


LAYOUTS = {
    "official": official,
    "official++": official_plus,
    "mmpose": mmpose,
    "hugging-face": hugging_face,
    "hugging-face++": hugging_face_plus,
}
