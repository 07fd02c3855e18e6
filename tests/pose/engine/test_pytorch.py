"""PyTorch as an engine, in full and in half precision."""

from dataclasses import replace

import pytest
import torch

from gymform.pose.engine.pytorch import TorchEngine, half_precision, with_half
from gymform.pose.vitpose import ViTPose, ViTPoseConfig


@pytest.fixture(scope="module")
def network() -> ViTPose:
    torch.manual_seed(0)
    return ViTPose(replace(ViTPoseConfig(), dim=48, depth=2, heads=4)).eval()


def test_half_precision_changes_heatmaps_little(network):
    images = torch.randn(2, 3, 256, 192)
    halved = with_half(network, torch.bfloat16)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        found = halved(images)
    with torch.inference_mode():
        wanted = network(images)
    assert found.dtype == torch.float32
    assert network.backbone.blocks[0].attn.qkv.weight.dtype == torch.float32
    assert halved.backbone.blocks[0].attn.qkv.weight.dtype == torch.bfloat16
    assert 0 < float((found - wanted).abs().max()) < 0.03 * float(wanted.abs().max())


def test_exact_is_the_network_itself(network):
    images = torch.randn(2, 3, 256, 192)
    kept = torch.tensor([[3, 5, 8], [0, 1, 191]])
    engine = TorchEngine(network, exact=True)
    with torch.inference_mode():
        assert torch.equal(engine.heatmaps(images), network(images))
        assert torch.equal(engine.heatmaps(images, kept), network(images, kept))
    assert engine.name == "torch-fp32"


def test_heatmaps_are_float32_whatever_the_hardware(network):
    engine = TorchEngine(network)
    heatmaps = engine.heatmaps(torch.randn(1, 3, 256, 192))
    assert heatmaps.dtype == torch.float32
    assert heatmaps.shape == (1, 17, 64, 48)
    assert half_precision("cpu") in (None, torch.bfloat16)
    assert half_precision("cuda") == torch.float16
