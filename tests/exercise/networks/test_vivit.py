"""ViViT: as published where that can be counted, it sees movement, and it learns from poses."""

import pytest
import torch

from gymform.exercise.networks.registry import count_parameters
from gymform.exercise.networks.vivit import ViViT, ViViTConfig
from gymform.pose.vitpose import ViTPose, ViTPoseConfig


def small(**changes):
    torch.manual_seed(0)
    shape = {"channels": 8, "heads": 2, "spatial_blocks": 2, "temporal_blocks": 2, **changes}
    return ViViT(ViViTConfig(classes=3, **shape)).eval()


def published(config: ViViTConfig) -> int:
    """Parameters by the paper's description, counted by hand."""
    c, (frames, side) = config.channels, config.tubelet
    block = 2 * 2 * c + (3 * c * c + 3 * c) + (c * c + c) + (4 * c * c + 4 * c) + (4 * c * c + c)
    tubelets = 3 * frames * side * side * c + c
    positions = (config.grid**2 + 1 + config.moments + 1) * c
    tokens, norms = 2 * c, 2 * 2 * c
    blocks = (config.spatial_blocks + config.temporal_blocks) * block
    return tubelets + positions + tokens + norms + blocks + c * config.classes + config.classes


def test_vivit_b_has_the_published_number_of_parameters():
    """Table 2 of the paper: 115.1 million for the factorised encoder of ViViT-B/16x2."""
    config = ViViTConfig(400, channels=768, heads=12, moments=16, grid=14)
    with torch.device("meta"):
        count = count_parameters(ViViT(config))
    assert count == published(config)
    assert round(count / 1e6, 1) == 115.1


@pytest.mark.parametrize(
    "changes", [{}, {"channels": 12, "heads": 3}, {"tubelet": (4, 8)}, {"moments": 3, "grid": 2}]
)
def test_the_formula_holds_for_other_shapes(changes):
    network = small(**changes)
    assert count_parameters(network) == published(network.config)


def test_it_sees_in_which_order_frames_come():
    clip = torch.rand(1, 3, 8, 32, 32)
    network = small()
    with torch.inference_mode():
        assert not torch.allclose(network(clip), network(clip.flip(2)), atol=1e-5)


def test_the_moments_of_one_clip_do_not_touch_another():
    clips = torch.rand(2, 3, 8, 32, 32)
    network = small()
    with torch.inference_mode():
        both, alone = network(clips), network(clips[:1])
    torch.testing.assert_close(both[:1], alone)


@pytest.mark.parametrize(("frames", "side"), [(1, 16), (3, 33), (8, 40), (16, 112)])
def test_any_number_of_frames_of_any_size_gives_a_row_a_clip(frames, side):
    with torch.inference_mode():
        logits = small()(torch.rand(2, 3, frames, side, side))
    assert logits.shape == (2, 3)
    assert torch.isfinite(logits).all()


# ---- what it takes over from a pose network


def backbone(**changes):
    torch.manual_seed(1)
    config = ViTPoseConfig(**{"dim": 8, "depth": 2, "heads": 2, **changes})
    state = ViTPose(config).state_dict()
    return {k.removeprefix("backbone."): v for k, v in state.items() if k.startswith("backbone.")}


def test_everything_that_fits_is_taken_over():
    network, pose = small(), backbone()
    assert network.adopt(pose) == len(pose)
    for name, tensor in network.spatial.blocks.state_dict().items():
        torch.testing.assert_close(tensor, pose[f"blocks.{name}"])
    torch.testing.assert_close(network.spatial.norm.weight, pose["last_norm.weight"])


def test_a_tubelet_at_first_sees_its_middle_frame_as_a_patch_is_seen():
    network, pose = small(), backbone()
    network.adopt(pose)
    clip = torch.rand(1, 3, 2, 16, 16)
    with torch.inference_mode():
        seen = network.embed(clip)[:, :, 0]
        patch = torch.nn.functional.conv2d(
            clip[:, :, 1], pose["patch_embed.proj.weight"], pose["patch_embed.proj.bias"], stride=16
        )
    torch.testing.assert_close(seen, patch)


def test_positions_keep_their_place_in_the_picture():
    """Those of a gradient are a gradient after resizing, in the same direction."""
    network, pose = small(), backbone()
    grid = torch.linspace(0, 1, 16).view(16, 1, 1).expand(16, 12, 8)
    pose["pos_embed"] = torch.cat([torch.zeros(1, 1, 8), grid.reshape(1, -1, 8)], 1)
    network.adopt(pose)
    places = network.places[0, 0]
    assert (places.diff(dim=0) > 0).all()
    torch.testing.assert_close(places, places[:, :1].expand_as(places), atol=1e-6, rtol=0)


def test_what_does_not_fit_stays_as_it_was():
    network = small(channels=16, heads=2)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    assert network.adopt(backbone()) == 0
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(tensor, before[name])
