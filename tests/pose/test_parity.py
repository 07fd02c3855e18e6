"""Our network, loaded from a file, against that of the transformers library."""

import dataclasses

import pytest
import torch

from gymform.pose.checkpoints import convert, load_pose_model
from tests.pose.layouts import randomised

transformers = pytest.importorskip("transformers")

TOLERANCE = 1e-4
IMAGES = torch.randn(1, 3, 256, 192, generator=torch.Generator().manual_seed(1))

PLAIN_S = {"hidden_size": 384, "num_attention_heads": 12, "num_hidden_layers": 12}
PLAIN_B = {"hidden_size": 768, "num_attention_heads": 12, "num_hidden_layers": 12}
# the released ++ small has 96 part features, although its config says 192
PLUS_S = PLAIN_S | {"num_experts": 6, "part_features": 96, "num_hidden_layers": 4}
PLUS_L = {
    "hidden_size": 1024,
    "num_attention_heads": 16,
    "num_hidden_layers": 1,
    "num_experts": 6,
    "part_features": 256,
}
OTHER_HEADS = {"hidden_size": 64, "num_attention_heads": 2, "num_hidden_layers": 3}


def oracle(backbone: dict, simple: bool) -> torch.nn.Module:
    """The library's network with random weights, biases and statistics."""
    config = transformers.VitPoseConfig(
        backbone_config=transformers.VitPoseBackboneConfig(
            **backbone, out_indices=[backbone["num_hidden_layers"]]
        ),
        num_labels=17,
        use_simple_decoder=simple,
    )
    return randomised(transformers.VitPoseForPoseEstimation(config))


@pytest.mark.parametrize(
    ("backbone", "simple"),
    [
        pytest.param(PLAIN_S, False, id="S-classic"),
        pytest.param(PLAIN_B, True, id="B-simple"),
        pytest.param(PLUS_S, False, id="plus-S"),
        pytest.param(PLUS_L, True, id="plus-L"),
        pytest.param(OTHER_HEADS, False, id="heads-from-config"),
    ],
)
def test_heatmaps_equal_the_librarys(backbone, simple, tmp_path):
    theirs = oracle(backbone, simple)
    theirs.save_pretrained(tmp_path)
    entry = convert(tmp_path / "model.safetensors", name="oracle")
    ours = load_pose_model("oracle")
    for large in (tmp_path / "model.safetensors", entry.path):
        large.unlink()  # pytest keeps the folders of the last three runs
    experts = backbone.get("num_experts", 1) > 1
    with torch.inference_mode():
        expected = theirs(IMAGES, dataset_index=torch.tensor([0]) if experts else None).heatmaps
        got = ours.network(IMAGES)
    assert expected.std() > 0.1  # equal zeros would prove nothing
    torch.testing.assert_close(got, expected, rtol=0, atol=TOLERANCE)
    assert dataclasses.asdict(ours.config) == entry.config
    assert ours.config.heads == backbone["num_attention_heads"]
    assert not ours.network.training
    if experts:  # the chosen expert matters
        with torch.inference_mode():
            other = theirs(IMAGES, dataset_index=torch.tensor([1])).heatmaps
        assert (other - expected).abs().max() > 100 * TOLERANCE
