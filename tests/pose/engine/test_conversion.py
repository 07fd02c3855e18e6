"""Converted files: what they compute, that they are kept, and that damaged ones are made anew."""

from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import torch

from gymform.pose.engine import conversion
from gymform.pose.engine.conversion import blocks_file
from gymform.pose.vitpose import ViTPose, ViTPoseConfig

SHA = "a" * 64


@pytest.fixture(scope="module")
def network() -> ViTPose:
    torch.manual_seed(0)
    return ViTPose(replace(ViTPoseConfig(), dim=48, depth=2, heads=4, class_token=True)).eval()


def run(path, tokens: torch.Tensor) -> np.ndarray:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {"tokens": tokens.numpy()})[0]


@pytest.mark.parametrize("shape", [(1, 193), (3, 193), (2, 40)])
def test_the_file_computes_the_blocks_for_any_number_of_tokens(network, shape):
    tokens = torch.randn(*shape, 48)
    with torch.inference_mode():
        wanted = network.backbone.encode(tokens).numpy()
    plain = run(blocks_file(network, SHA, "fp32"), tokens)
    np.testing.assert_allclose(plain, wanted, atol=1e-4)
    rounded = run(blocks_file(network, SHA, "dynamic"), tokens)
    assert 0 < np.abs(rounded - wanted).max() < 0.2


def test_a_file_is_made_once(network, monkeypatch):
    first = blocks_file(network, SHA, "dynamic")
    monkeypatch.setattr(conversion, "_make", lambda *_: pytest.fail("it was made again"))
    assert blocks_file(network, SHA, "dynamic") == first


def test_other_weights_other_networks_and_other_editions_have_their_own(network, monkeypatch):
    other = ViTPose(replace(network.config, heads=2)).eval()
    files = {blocks_file(network, SHA, "fp32"), blocks_file(network, SHA, "dynamic")}
    files |= {blocks_file(network, "b" * 64, "fp32"), blocks_file(other, SHA, "fp32")}
    monkeypatch.setattr(conversion, "EDITION", conversion.EDITION + 1)
    files.add(blocks_file(network, SHA, "fp32"))
    assert len(files) == 5


@pytest.mark.parametrize("damage", ["cut", "changed", "no note", "gone"])
def test_a_damaged_file_is_made_anew(network, damage):
    path = blocks_file(network, SHA, "fp32")
    whole = path.read_bytes()
    if damage == "cut":
        path.write_bytes(whole[:-100])
    elif damage == "changed":
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    elif damage == "no note":
        path.with_suffix(".json").unlink()
    else:
        path.unlink()
    tokens = torch.randn(1, 5, 48)
    with torch.inference_mode():
        wanted = network.backbone.encode(tokens).numpy()
    made = blocks_file(network, SHA, "fp32")
    np.testing.assert_allclose(run(made, tokens), wanted, atol=1e-4)
