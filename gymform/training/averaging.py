"""Running means of a network's weights, which both laboratories ship instead of the last step."""

from __future__ import annotations

import copy

from torch import nn


class RunningMean:
    """``network``: the exponential mean of another's weights, which forgets faster while it has
    seen little. Running statistics of norms are averaged too, so that they fit the weights."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval()
        self._decay = decay
        self._seen = 0

    def update(self, network: nn.Module) -> None:
        """Take the network's weights into the mean."""
        weight = max(1 - self._decay, 9 / (10 + self._seen)) if self._seen else 1.0
        self._seen += 1
        move_towards(self.network, network, weight)


def move_towards(network: nn.Module, other: nn.Module, share: float) -> None:
    """Move the weights of ``network`` by ``share`` of the way to those of ``other``; counts are
    copied."""
    values = other.state_dict()
    for name, weight in network.state_dict().items():
        if weight.is_floating_point():
            weight.lerp_(values[name].to(weight), share)
        else:
            weight.copy_(values[name])
