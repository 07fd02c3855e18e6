"""The recurrent network: padding is kept out, both directions are read, input is scaled."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gymform.exercise.networks.gru import GRU, GRUConfig

CONFIG = GRUConfig(features=5, classes=3, channels=6)


def network_of(config=CONFIG):
    torch.manual_seed(0)
    return GRU(config).eval()


@settings(max_examples=20)
@given(st.integers(1, 30), st.integers(0, 20), st.floats(-1e3, 1e3))
def test_what_stands_in_the_padding_does_not_matter(steps, after, filling):
    network = network_of()
    padded = torch.full((1, steps + after, 5), filling)
    padded[:, :steps] = torch.randn(1, steps, 5)
    mask = (torch.arange(steps + after) < steps).float()[None]
    with torch.inference_mode():
        alone = network(padded[:, :steps], torch.ones(1, steps))
        torch.testing.assert_close(network(padded, mask), alone, atol=1e-5, rtol=0)


def test_clips_of_a_batch_do_not_touch_each_other():
    """Whatever their order: they are sorted by length inside, and must come back in theirs."""
    network, lengths = network_of(), (4, 9, 2)
    clips = torch.randn(3, 9, 5)
    mask = torch.stack([(torch.arange(9) < n).float() for n in lengths])
    with torch.inference_mode():
        together = network(clips, mask)
        for row, n in enumerate(lengths):
            alone = network(clips[row : row + 1, :n], torch.ones(1, n))[0]
            torch.testing.assert_close(together[row], alone, atol=1e-5, rtol=0)


def test_the_order_of_steps_matters():
    network, x = network_of(), torch.randn(1, 8, 5)
    with torch.inference_mode():
        assert not torch.allclose(
            network(x, torch.ones(1, 8)), network(x.flip(1), torch.ones(1, 8))
        )


def test_the_first_step_knows_of_the_last():
    """... because one of the two directions begins at the end."""
    network = network_of(GRUConfig(features=5, classes=3, channels=6, layers=1, dropout=0))
    x = torch.randn(1, 8, 5, requires_grad=True)
    network.gru(x)[0][0, 0].sum().backward()
    assert x.grad[0, -1].abs().sum() > 0


def test_input_is_scaled():
    network, x = network_of(), torch.randn(1, 8, 5)
    with torch.inference_mode():
        plain = network(x, torch.ones(1, 8))
        network.mean.fill_(3.0)
        network.std.fill_(2.0)
        torch.testing.assert_close(network(2 * x + 3, torch.ones(1, 8)), plain)


def test_a_clip_without_steps_still_gives_numbers():
    with torch.inference_mode():
        logits = network_of()(torch.zeros(1, 4, 5), torch.zeros(1, 4))
    assert torch.isfinite(logits).all()


def test_the_head_sees_mean_and_maximum_over_the_steps_that_exist():
    network, seen = network_of(), []
    network.head.register_forward_pre_hook(lambda head, inputs: seen.append(inputs[0]))
    x = torch.randn(1, 9, 5)
    with torch.inference_mode():
        network(x, (torch.arange(9) < 6).float()[None])
        h = network.gru(x[:, :6])[0]
    torch.testing.assert_close(seen[0], torch.cat([h.mean(1), h.amax(1)], 1))
