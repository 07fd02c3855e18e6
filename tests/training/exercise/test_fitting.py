"""Fitting: the loss falls, the mean of the weights is returned, what diverges is stopped."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from gymform.errors import TrainingError
from gymform.training.exercise.fitting import Plan, fit, fit_scale

POINTS = torch.tensor([[-1.0], [1.0]])
LABELS = torch.tensor([0, 1])


def network_of():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(1, 2), nn.Dropout(0.1))


def batches(count):
    return [((POINTS,), LABELS)] * count


def test_the_loss_falls_and_each_step_is_told():
    told = []
    network = network_of()
    fit(network, batches(60), Plan(60, 0.1), lambda step, loss, mean: told.append((step, loss)))
    assert [step for step, _ in told] == list(range(1, 61))
    assert told[-1][1] < 0.6 * told[0][1]


def test_the_mean_of_the_weights_is_returned_ready_to_judge():
    network = network_of()
    mean = fit(network, batches(20), Plan(20, 0.1, average=0.9))
    assert mean is not network
    assert not mean.training
    assert network.training
    assert not torch.equal(mean[0].weight, network[0].weight)
    last = fit(network_of(), batches(20), Plan(20, 0.1, average=0.0))
    assert (last(POINTS).argmax(1) == LABELS).all()


def test_the_watcher_sees_the_mean_and_may_stop():
    class Stop(Exception):
        pass

    def stop(step, loss, mean):
        seen.append(mean.training)
        if step == 3:
            raise Stop

    seen = []
    with pytest.raises(Stop):
        fit(network_of(), batches(10), Plan(10, 0.1), stop)
    assert seen == [False] * 3


def test_a_loss_that_is_not_finite_says_what_to_do():
    sick = [*batches(1), ((POINTS * float("inf"),), LABELS)]
    with pytest.raises(TrainingError, match=r"at step 2\. Train with another --seed"):
        fit(network_of(), sick, Plan(4, 0.1))


class Scaled(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("std", torch.ones(features))


@given(st.integers(0, 2**32 - 1), st.floats(-50, 50), st.floats(0.1, 20))
def test_inputs_are_scaled_to_mean_0_and_deviation_1(seed, mean, std):
    rng = np.random.default_rng(seed)
    inputs = [rng.normal(mean, std, (n, 3)) for n in (5, 40, 1)]
    network = Scaled(3)
    fit_scale(network, inputs)
    scaled = (np.concatenate(inputs) - network.mean.numpy()) / network.std.numpy()
    np.testing.assert_allclose(scaled.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(scaled.std(0), 1, atol=1e-3)


def test_an_input_that_never_changes_is_not_blown_up():
    network = Scaled(2)
    fit_scale(network, [np.array([[1.0, 0.0], [1.0, 2.0]])])
    assert network.std.tolist() == pytest.approx([0.05, 1.0])
    assert network.mean.tolist() == pytest.approx([1.0, 1.0])
