"""A narrowed network is close to the wide one, and equal to it where nothing is lost."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from gymform.errors import OptionsError
from gymform.pose.vitpose import ViTPose, ViTPoseConfig
from gymform.training.pose.narrowing import narrow_network

CONFIG = ViTPoseConfig(dim=64, depth=2, heads=4, patch_padding=0, class_token=True,
                       decoder="simple")  # fmt: skip
IMAGES = torch.randn(8, 3, 256, 192, generator=torch.Generator().manual_seed(0))
OTHERS = torch.randn(4, 3, 256, 192, generator=torch.Generator().manual_seed(1))


def network(config: ViTPoseConfig = CONFIG, strength: float = 3.0) -> ViTPose:
    """A random network whose blocks do something."""
    torch.manual_seed(0)
    made = ViTPose(config).eval()
    with torch.no_grad():
        for parameter in made.backbone.blocks.parameters():
            if parameter.dim() == 2:
                parameter.mul_(strength)
    return made


def low_rank(wide: ViTPose, rank: int) -> ViTPose:
    """``wide`` with every token in one subspace of ``rank``, and half its heads without effect."""
    generator = torch.Generator().manual_seed(2)
    basis = torch.linalg.qr(torch.randn(wide.config.dim, rank, generator=generator))[0]
    centred = basis - basis.mean(0)  # what norms see of it has the same rank
    keep = centred @ torch.linalg.pinv(centred)
    backbone = wide.backbone
    size = wide.config.dim // wide.config.heads
    with torch.no_grad():
        weight = backbone.patch_embed.proj.weight
        weight.copy_((keep @ weight.flatten(1)).view_as(weight))
        backbone.patch_embed.proj.bias.copy_(keep @ backbone.patch_embed.proj.bias)
        backbone.pos_embed.copy_(backbone.pos_embed @ keep)
        backbone.cls_token.copy_(torch.ones_like(backbone.cls_token) @ keep)
        for block in backbone.blocks:
            for layer in (block.attn.proj, block.mlp.fc2):
                layer.weight.copy_(keep @ layer.weight)
                layer.bias.copy_(keep @ layer.bias)
            block.attn.proj.weight[:, size : 3 * size] = 0
            block.mlp.fc2.weight[:, ::2] = 0
    return wide


def tokens(made: ViTPose, images: torch.Tensor) -> torch.Tensor:
    x = made.backbone.tokens(images)
    for block in made.backbone.blocks:
        x = block(x)
    return x


def test_where_nothing_is_lost_tokens_are_the_same_but_rotated():
    wide = low_rank(network(), rank=31)
    narrow = narrow_network(wide, replace(CONFIG, dim=32, heads=2), IMAGES)
    with torch.no_grad():
        theirs, ours = (F.layer_norm(tokens(n, OTHERS), (n.config.dim,)) for n in (wide, narrow))
    # angles between tokens do not change with a rotation
    theirs, ours = (F.normalize(x.flatten(0, 1), dim=1) for x in (theirs, ours))
    torch.testing.assert_close(ours @ ours.T, theirs @ theirs.T, atol=0.03, rtol=0)


def test_a_network_of_half_the_width_answers_much_as_before():
    wide = network()
    narrow = narrow_network(wide, replace(CONFIG, dim=32, heads=2), IMAGES)
    with torch.no_grad():
        wanted, found = wide(OTHERS), narrow(OTHERS)
    assert (found - wanted).var() < 0.6 * wanted.var()


def test_the_same_crops_give_the_same_network():
    first, second = (
        narrow_network(network(), replace(CONFIG, dim=32, heads=2), IMAGES) for _ in range(2)
    )
    for name, tensor in first.state_dict().items():
        assert torch.equal(tensor, second.state_dict()[name]), name


@pytest.mark.parametrize(
    "change", [{"depth": 3}, {"heads": 8}, {"class_token": False}, {"decoder": "classic"}]
)
def test_networks_of_another_kind_are_refused(change):
    with pytest.raises(OptionsError, match="--init"):
        narrow_network(ViTPose(replace(CONFIG, **change)), replace(CONFIG, dim=32, heads=2), IMAGES)


def test_two_classic_decoders_are_refused():
    classic = replace(CONFIG, decoder="classic")
    with pytest.raises(OptionsError, match="simple decoder"):
        narrow_network(ViTPose(classic), replace(classic, dim=32, heads=2), IMAGES)
