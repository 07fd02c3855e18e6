"""Running means of a network's weights: these are shipped, not the weights of the last step."""

from __future__ import annotations

import copy

from torch import nn


class RunningMean:
    """``network`` holds the exponential mean of another network's weights, with a smaller decay in
    the first updates. Running statistics of norm layers are averaged too, to fit the weights."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.network = copy.deepcopy(network).eval()
        self._decay = decay
        self._updates = 0

    def update(self, network: nn.Module) -> None:
        """Add the network's weights to the mean."""
        weight = max(1 - self._decay, 9 / (10 + self._updates)) if self._updates else 1.0
        self._updates += 1
        move_towards(self.network, network, weight)


def move_towards(network: nn.Module, other: nn.Module, share: float) -> None:
    """Move the weights of ``network`` towards those of ``other`` by ``share`` of the difference;
    integer counts are copied."""
    values = other.state_dict()
    for name, weight in network.state_dict().items():
        if weight.is_floating_point():
            weight.lerp_(values[name].to(weight), share)
        else:
            weight.copy_(values[name])
