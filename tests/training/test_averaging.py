"""Running means of weights: exact at first, slower to move later, counts copied."""

import pytest
import torch
from torch import nn

from gymform.training.averaging import RunningMean, move_towards


def layer(value):
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, value)
    return network


@pytest.mark.parametrize(("share", "expected"), [(0.0, 0.0), (0.25, 1.0), (1.0, 4.0)])
def test_weights_move_by_the_share(share, expected):
    network = layer(0.0)
    move_towards(network, layer(4.0), share)
    assert network.weight.item() == pytest.approx(expected)


def test_counts_are_copied_and_running_statistics_move():
    network, other = nn.BatchNorm1d(1), nn.BatchNorm1d(1)
    other.num_batches_tracked.fill_(7)
    other.running_mean.fill_(2.0)
    move_towards(network, other, 0.5)
    assert network.num_batches_tracked.item() == 7
    assert network.running_mean.item() == pytest.approx(1.0)


def test_the_mean_begins_at_the_first_weights_and_forgets_them():
    mean = RunningMean(layer(0.0), decay=0.9)
    mean.update(layer(5.0))
    assert mean.network.weight.item() == pytest.approx(5.0)
    for _ in range(200):
        mean.update(layer(1.0))
    assert mean.network.weight.item() == pytest.approx(1.0, abs=1e-3)
    assert not mean.network.training


def test_the_averaged_network_is_a_copy():
    network = layer(1.0)
    mean = RunningMean(network, decay=0.5)
    mean.update(network)
    with torch.no_grad():
        network.weight.fill_(9.0)
    assert mean.network.weight.item() == pytest.approx(1.0)
