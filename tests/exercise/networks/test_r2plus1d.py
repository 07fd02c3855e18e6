"""R(2+1)D: as published where that can be counted, and it sees movement."""

import pytest
import torch

from gymform.exercise.networks.r2plus1d import MEAN, STD, R2Plus1D, R2Plus1DConfig, middle
from gymform.exercise.networks.registry import count_parameters


def small():
    torch.manual_seed(0)
    return R2Plus1D(R2Plus1DConfig(classes=3, channels=4))


def test_r2plus1d_has_the_published_number_of_parameters():
    """torchvision's r2plus1d_18 with Kinetics-400's head: num_params 31505325 in its own table."""
    assert count_parameters(R2Plus1D(R2Plus1DConfig(classes=400))) == 31_505_325


def test_the_middle_keeps_the_parameters_of_a_3d_convolution():
    for channels, out in ((64, 64), (64, 128), (256, 512)):
        factored = middle(channels, out) * (9 * channels + 3 * out)
        assert factored == pytest.approx(27 * channels * out, rel=0.01)


def test_r2plus1d_halves_time_and_picture_stage_by_stage():
    network = small()
    x = network.stem(torch.zeros(1, 3, 8, 64, 64))
    assert x.shape == (1, 4, 8, 32, 32)
    assert network.blocks(x).shape == (1, 32, 1, 4, 4)


def test_it_sees_in_which_order_frames_come():
    torch.manual_seed(0)
    clip = torch.rand(1, 3, 8, 32, 32)
    network = small().eval()
    with torch.inference_mode():
        assert not torch.allclose(network(clip), network(clip.flip(2)), atol=1e-5)


def test_input_is_scaled_by_the_statistics_of_kinetics():
    """A clip of the mean colour is all zeros for the stem."""
    network, seen = small().eval(), []
    network.stem.register_forward_pre_hook(lambda stem, inputs: seen.append(inputs[0]))
    colours = torch.tensor([MEAN, [m + s for m, s in zip(MEAN, STD, strict=True)]])
    clips = colours[:, :, None, None, None].expand(2, 3, 4, 16, 16)
    with torch.inference_mode():
        network(clips)
    torch.testing.assert_close(seen[0][0], torch.zeros(3, 4, 16, 16))
    torch.testing.assert_close(seen[0][1], torch.ones(3, 4, 16, 16))


@pytest.mark.parametrize(("frames", "side"), [(1, 16), (3, 33), (8, 40)])
def test_any_number_of_frames_of_any_size_gives_a_row_a_clip(frames, side):
    with torch.inference_mode():
        logits = small().eval()(torch.rand(2, 3, frames, side, side))
    assert logits.shape == (2, 3)
    assert torch.isfinite(logits).all()
