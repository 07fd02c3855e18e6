"""What engines share that compute the blocks only."""

from dataclasses import replace

import torch
from torch import Tensor

from gymform.pose.engine.base import TokenEngine
from gymform.pose.vitpose import ViTPose, ViTPoseConfig


class Plain(TokenEngine):
    """Computes the blocks by the network itself."""

    name = "plain"

    def __init__(self, network: ViTPose) -> None:
        super().__init__(network)
        self._encode = network.backbone.encode

    def encode(self, tokens: Tensor) -> Tensor:
        return self._encode(tokens)


def test_patches_before_and_heatmaps_after_are_those_of_the_network():
    for class_token, padding in ((False, 2), (True, 0)):
        torch.manual_seed(0)
        config = replace(
            ViTPoseConfig(), dim=48, depth=2, heads=4, class_token=class_token,
            patch_padding=padding,
        )  # fmt: skip
        network = ViTPose(config).eval()
        images, kept = torch.randn(2, 3, 256, 192), torch.tensor([[3, 5, 8], [0, 1, 191]])
        with torch.inference_mode():
            assert torch.equal(Plain(network).heatmaps(images), network(images))
            assert torch.equal(Plain(network).heatmaps(images, kept), network(images, kept))


def test_the_engine_keeps_no_blocks_and_takes_none_away():
    network = ViTPose(replace(ViTPoseConfig(), dim=48, depth=2, heads=4))
    engine = Plain(network)
    assert len(engine.network.backbone.blocks) == 0
    assert len(network.backbone.blocks) == 2
