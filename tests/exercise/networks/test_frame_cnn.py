"""The network on single frames: it averages their scores and is blind to movement."""

import torch

from gymform.exercise.networks.frame_cnn import FrameCNN, FrameCNNConfig


def made():
    """A network that is sure of every frame, but not of the same class."""
    torch.manual_seed(0)
    network = FrameCNN(FrameCNNConfig(3, 4)).eval()
    with torch.no_grad():
        network.head.weight *= 1000
        network.head.bias.zero_()
    return network


def test_the_frame_cnn_averages_the_scores_of_frames():
    network = made()
    clip = torch.rand(2, 3, 4, 32, 32)
    with torch.inference_mode():
        together = network(clip).exp()
        each = torch.stack([network(clip[:, :, t : t + 1]).exp() for t in range(4)])
    torch.testing.assert_close(together, each.mean(0))
    torch.testing.assert_close(together.sum(1), torch.ones(2))


def test_the_order_of_frames_does_not_matter():
    network = made()
    clip = torch.rand(1, 3, 8, 32, 32)
    with torch.inference_mode():
        for order in (torch.arange(7, -1, -1), torch.randperm(8)):
            torch.testing.assert_close(network(clip[:, :, order]), network(clip), atol=1e-5, rtol=0)


def test_a_frame_twice_counts_twice():
    """So padding a clip with copies of itself changes nothing."""
    network = made()
    clip = torch.rand(1, 3, 2, 32, 32)
    one, other = clip[:, :, :1], clip[:, :, 1:]
    with torch.inference_mode():
        torch.testing.assert_close(network(torch.cat([clip, clip], 2)), network(clip))
        mixed = (2 * network(one).exp() + network(other).exp()) / 3
        torch.testing.assert_close(network(torch.cat([one, clip], 2)).exp(), mixed)


def test_the_picture_is_reduced_to_a_thirty_second():
    network = FrameCNN(FrameCNNConfig(3, 4))
    x = network.blocks(network.stem(torch.zeros(1, 3, 64, 96)))
    assert x.shape == (1, 8 * 4, 2, 3)
