"""A video transformer starts from the pose network; every other network starts from nothing."""

import copy
import logging

import torch

from gymform.errors import WeightsError
from gymform.exercise.networks.registry import family_of
from gymform.exercise.networks.vivit import ViViT, ViViTConfig
from gymform.pose.vitpose import ViTPose, ViTPoseConfig
from gymform.training.exercise import pretraining
from gymform.training.exercise.pretraining import origin_of, start_from_pose
from gymform.weights import ModelEntry


class Loaded:
    """Stands in for a pose model that was loaded."""

    def __init__(self):
        torch.manual_seed(0)
        self.network = ViTPose(ViTPoseConfig(dim=8, depth=1, heads=2)).bfloat16()


def vivit():
    return ViViT(ViViTConfig(2, channels=8, heads=2, spatial_blocks=1, temporal_blocks=1))


def same(one, other):
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_a_vivit_gets_the_blocks_of_the_pose_network(monkeypatch):
    pose = Loaded()
    monkeypatch.setattr(pretraining, "load_pose_model", lambda: pose)
    network = vivit()
    start_from_pose(network)
    assert network.spatial.blocks[0].mlp.fc1.weight.dtype == torch.float32
    expected = pose.network.backbone.blocks[0].mlp.fc1.weight.float()
    torch.testing.assert_close(network.spatial.blocks[0].mlp.fc1.weight, expected)


def test_another_network_stays_as_it_is(monkeypatch):
    monkeypatch.setattr(pretraining, "load_pose_model", Loaded)
    network = family_of("r2plus1d").build(2, 4)
    before = copy.deepcopy(network)
    start_from_pose(network)
    assert same(network, before)


def test_without_a_pose_network_it_starts_from_nothing_and_says_so(monkeypatch, caplog):
    def missing():
        raise WeightsError("vitpose-s.safetensors: missing")

    monkeypatch.setattr(pretraining, "load_pose_model", missing)
    network = vivit()
    before = copy.deepcopy(network)
    with caplog.at_level(logging.WARNING):
        start_from_pose(network)
    assert same(network, before)
    assert "starts from nothing" in caplog.text


def test_the_pose_network_is_part_of_what_a_vivit_is_made_of(tmp_path, monkeypatch):
    """A finished ViViT is not taken for one that started from other weights."""
    seen = []
    for content in (b"one", b"two"):
        path = tmp_path / "pose.safetensors"
        path.write_bytes(content)
        entry = ModelEntry.of(path, name="pose", kind="pose", licence="", provenance="", config={})
        monkeypatch.setattr(pretraining, "manifest_entry", lambda *_, entry=entry: entry)
        seen.append(origin_of(family_of("vivit")))
    assert seen[0] != seen[1]
    assert origin_of(family_of("r2plus1d")) == ""
