"""Names of parameters in files: each family finds every one, and ignores only what it may."""

import pytest
import torch

from gymform.pose.layouts import FAMILIES, is_counter
from tests.pose.layouts import LAYOUTS, small_network

FAMILY = {family.name: family for family in FAMILIES}
LAYOUT_OF = {
    "official": "official ViTPose",
    "official++": "official ViTPose",
    "mmpose": "mmpose 1.x",
    "hugging-face": "Hugging Face",
    "hugging-face++": "Hugging Face",
}


@pytest.fixture(scope="module", params=["classic", "simple"])
def network(request):
    torch.manual_seed(0)
    return small_network(request.param)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_parameter_is_found_whole_and_the_rest_is_ignored(network, layout):
    """A file of each layout, written out without these rules."""
    family, state = FAMILY[LAYOUT_OF[layout]], LAYOUTS[layout](network)
    used = set()
    for name, tensor in network.state_dict().items():
        if is_counter(name):
            continue
        keys = family.keys_of(name, experts=layout.endswith("++"))
        used |= set(keys)
        parts = torch.cat([state[key] for key in keys]) if len(keys) > 1 else state[keys[0]]
        if name == "backbone.pos_embed" and not family.first_position:
            parts = torch.cat([torch.zeros_like(parts[:, :1]), parts], 1)
            tensor = torch.cat([torch.zeros_like(tensor[:, :1]), tensor[:, 1:] + tensor[:, :1]], 1)
        torch.testing.assert_close(parts, tensor)
    assert all(family.ignores(key) for key in state.keys() - used)
    assert not any(family.ignores(key) for key in used)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_blocks_tell_the_family(network, layout):
    state = LAYOUTS[layout](network)
    found = [one.name for one in FAMILIES if any(key.startswith(one.blocks) for key in state)]
    assert found == [LAYOUT_OF[layout]]


def test_an_unknown_key_is_not_ignored():
    for family in FAMILIES:
        for key in ("backbone.adapter.weight", "keypoint_head.extra.bias", ""):
            assert not family.ignores(key)
        assert family.ignores("backbone.anything.num_batches_tracked")


@pytest.mark.parametrize("family", ["official ViTPose", "Hugging Face"])
def test_the_first_expert_is_coco_s_and_never_ignored(family):
    blocks = FAMILY[family].blocks
    for number, ignored in ((0, False), (1, True), (5, True), (12, True)):
        assert FAMILY[family].ignores(f"{blocks}3.mlp.experts.{number}.weight") == ignored
    keys = FAMILY[family].keys_of("backbone.blocks.3.mlp.fc2.bias", experts=True)
    assert keys == (f"{blocks}3.mlp.fc2.bias", f"{blocks}3.mlp.experts.0.bias")
    assert len(FAMILY[family].keys_of("backbone.blocks.3.mlp.fc1.bias", experts=True)) == 1


def test_query_key_and_value_follow_each_other():
    keys = FAMILY["Hugging Face"].keys_of("backbone.blocks.0.attn.qkv.weight")
    assert [key.split(".")[-2] for key in keys] == ["query", "key", "value"]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_no_two_parameters_share_a_key(network, family):
    names = [name for name in network.state_dict() if not is_counter(name)]
    keys = [key for name in names for key in family.keys_of(name, experts=True)]
    assert len(keys) == len(set(keys))
