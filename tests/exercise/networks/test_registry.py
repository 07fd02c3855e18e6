"""Every family by name: blind to padding, learning, encoded as wide as it says."""

import numpy as np
import pytest
import torch

from gymform.errors import OptionsError
from gymform.exercise.networks.catalogue import CATALOGUE
from gymform.exercise.networks.registry import encode_joints, family_of
from gymform.exercise.networks.stgcn import joint_positions
from tests.motion.makers import STANDING

ON_PIXELS = [name for name, entry in CATALOGUE.items() if entry.on_pixels]
ON_KEYPOINTS = [name for name in CATALOGUE if name not in ON_PIXELS]


def made(name, classes=3, width=4):
    torch.manual_seed(0)
    return family_of(name).build(classes, width)


def test_an_unknown_family_is_refused_by_name():
    with pytest.raises(OptionsError, match="Known: " + ", ".join(CATALOGUE)):
        family_of("no such family")


@pytest.mark.parametrize("name", ON_KEYPOINTS)
@pytest.mark.parametrize("steps", [1, 7, 40])
def test_padding_changes_nothing(name, steps):
    network = made(name).eval()
    x = torch.randn(1, steps, family_of(name).inputs)
    padded = torch.full((1, steps + 23, x.shape[-1]), 7.0)
    padded[:, :steps] = x
    mask = (torch.arange(steps + 23) < steps).float()[None]
    with torch.inference_mode():
        alone, together = network(x, torch.ones(1, steps)), network(padded, mask)
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_few_steps_tell_two_clips_apart(name):
    torch.manual_seed(0)
    family, network = family_of(name), made(name, 2)
    if family.on_pixels:
        inputs = (torch.rand(2, 3, 8, 32, 32),)
    else:
        inputs = (torch.randn(2, 20, family.inputs), torch.ones(2, 20))
    label = torch.tensor([0, 1])
    optimizer = torch.optim.AdamW(network.parameters(), 1e-2)
    for _ in range(60):
        loss = torch.nn.functional.cross_entropy(network(*inputs), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.3


def test_encodings_have_the_width_that_the_family_says():
    xy = np.repeat(STANDING[None], 12, 0)
    for name in ON_KEYPOINTS:
        assert family_of(name).encode(xy).shape == (12, family_of(name).inputs)
    np.testing.assert_array_equal(encode_joints(xy), joint_positions(xy, 12.0))
