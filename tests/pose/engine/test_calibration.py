"""8 bits for OpenVINO: what is rounded, by how much, and what remains of a run that fails."""

import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch

from gymform.pose.engine import calibration
from gymform.pose.engine.calibration import (
    quantise_static,
    read_quantised,
    sample_tokens,
)
from gymform.pose.engine.conversion import blocks_file
from gymform.pose.vitpose import ViTPose, ViTPoseConfig

SHA = "d" * 64
DEPTH = 2


@pytest.fixture(scope="module")
def network() -> ViTPose:
    torch.manual_seed(0)
    return ViTPose(replace(ViTPoseConfig(), dim=48, depth=DEPTH, heads=4, class_token=True)).eval()


def test_the_sample_gives_the_blocks_inputs(network):
    tokens = sample_tokens(network)
    assert len(tokens) >= 16
    assert {one.shape for one in tokens} == {(1, 1 + network.config.tokens, network.config.dim)}
    assert all(not np.array_equal(tokens[0], other) for other in tokens[1:])
    again = sample_tokens(network)
    assert all(np.array_equal(a, b) for a, b in zip(tokens, again, strict=True))


class TestWithOpenVino:
    @pytest.fixture(autouse=True)
    def _installed(self):
        pytest.importorskip("openvino", reason="needs requirements-openvino.txt")

    @pytest.mark.parametrize("shape", [(1, 193), (3, 193), (2, 40)])
    def test_the_file_computes_the_blocks_for_any_number_of_tokens(self, network, shape):
        import openvino

        model = read_quantised(blocks_file(network, SHA, "static"))
        compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        tokens = torch.from_numpy(sample_tokens(network)[0][:, : shape[1]]).repeat(shape[0], 1, 1)
        with torch.inference_mode():
            wanted = network.backbone.encode(tokens).numpy()
        (found,) = compiled([tokens.numpy()]).values()
        away = np.abs(found - wanted)
        assert away.max() > 0
        assert np.median(away) < 0.06 * wanted.std()
        assert np.percentile(away, 99) < 0.3 * wanted.std()

    def test_all_products_are_rounded_but_those_of_the_softmax(self, network):
        model = read_quantised(blocks_file(network, SHA, "static"))
        kinds = [node.get_type_name() for node in model.get_ops()]
        assert kinds.count("FakeQuantize") == 6 * DEPTH  # 4 layers, and query and key
        softmax = [node for node in model.get_ops() if node.get_type_name() == "Softmax"]
        readers = {place.get_node().get_type_name() for one in softmax
                   for place in one.output(0).get_target_inputs()}  # fmt: skip
        assert readers == {"MatMul"}

    def test_matrices_are_kept_in_8_bits(self, network):
        with zipfile.ZipFile(blocks_file(network, SHA, "static")) as archive:
            size = archive.getinfo(calibration.WEIGHTS).file_size
        matrices = sum(p.numel() for p in network.backbone.blocks.parameters() if p.dim() > 1)
        assert matrices < size < 1.5 * matrices

    def test_nothing_remains_of_a_run_that_fails(self, network, tmp_path, monkeypatch):
        def full(*_, **__):
            raise OSError(28, "No space left on device")

        plain = blocks_file(network, SHA, "fp32")
        monkeypatch.setattr(calibration.zipfile, "ZipFile", full)
        with pytest.raises(OSError, match="No space"):
            quantise_static(plain, sample_tokens(network)[:2], tmp_path / "blocks.zip")
        assert list(tmp_path.iterdir()) == []
