"""The network: padding is invisible, time is symmetric, everything is seen."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gymform.exercise.classifier import MAX_SECONDS as LONGEST_SEEN
from gymform.exercise.features import RATE_HZ
from gymform.exercise.networks.tcn import TCN, TCNConfig, over_time, pool
from gymform.training.exercise.augment import MAX_SECONDS

CONFIG = TCNConfig(features=7, classes=4, channels=16)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return TCN(CONFIG).eval()


@settings(max_examples=25)
@given(st.integers(1, 130), st.integers(0, 200), st.integers(0, 200), st.floats(-1e3, 1e3))
def test_padding_changes_nothing(steps, before, after, filling):
    torch.manual_seed(steps)
    network = TCN(CONFIG).eval()
    x = torch.randn(1, steps, 7)
    padded = torch.full((1, before + steps + after, 7), filling)
    padded[:, before : before + steps] = x
    mask = torch.zeros(1, before + steps + after)
    mask[:, before : before + steps] = 1
    with torch.inference_mode():
        alone = network(x, torch.ones(1, steps)).softmax(1)
        together = network(padded, mask).softmax(1)
    torch.testing.assert_close(alone, together, atol=1e-6, rtol=0)


def test_a_batch_gives_what_each_clip_gives_alone(network):
    clips = [torch.randn(n, 7) for n in (3, 40, 121)]
    x, mask = torch.zeros(3, 121, 7), torch.zeros(3, 121)
    for i, clip in enumerate(clips):
        x[i, : len(clip)], mask[i, : len(clip)] = clip, 1
    with torch.inference_mode():
        together = network(x, mask).softmax(1)
        for i, clip in enumerate(clips):
            alone = network(clip[None], torch.ones(1, len(clip))).softmax(1)[0]
            torch.testing.assert_close(together[i], alone, atol=1e-6, rtol=0)


def test_a_convolution_over_time_is_that_of_channels_first():
    torch.manual_seed(0)
    conv, x = torch.nn.Conv1d(5, 6, 3, padding=4, dilation=4), torch.randn(2, 30, 5)
    expected = conv(x.transpose(1, 2)).transpose(1, 2)
    torch.testing.assert_close(over_time(conv, x), expected, atol=1e-6, rtol=0)


def test_the_receptive_field_holds_the_longest_stretch():
    steps = int(max(MAX_SECONDS, LONGEST_SEEN) * RATE_HZ) + 1
    assert TCNConfig(66, 4).receptive_field >= 2 * steps - 1  # from any step to any other


def test_the_receptive_field_is_what_it_says():
    """A change at one step is felt exactly as far as the formula says, to both sides."""
    config = TCNConfig(features=2, classes=2, channels=8, dilations=(1, 2, 4))
    torch.manual_seed(0)
    network = TCN(config).eval()
    x = torch.randn(1, 101, 2, requires_grad=True)
    mask = torch.ones(1, 101, 1)
    h = over_time(network.stem, x)
    for block in network.blocks:
        h = block(h, mask)
    h[0, 50].sum().backward()
    felt = torch.nonzero(x.grad[0].abs().sum(-1))[:, 0]
    reach = (config.receptive_field - 1) // 2
    assert (felt.min().item(), felt.max().item()) == (50 - reach, 50 + reach)


def test_the_pool_ignores_what_is_masked():
    x = torch.tensor([[[1.0, 3.0, 99.0]]])
    mask = torch.tensor([[[1.0, 1.0, 0.0]]])
    assert pool(x, mask).tolist() == [[2.0, 3.0]]
    assert pool(x, torch.zeros(1, 1, 3)).tolist() == [[0.0, 0.0]]
