"""Networks for comparison: as published where that can be counted, blind to padding, learning."""

import numpy as np
import pytest
import torch

from gymform import skeleton as sk
from gymform.errors import OptionsError
from gymform.exercise.networks.catalogue import CATALOGUE
from gymform.exercise.networks.frame_cnn import FrameCNN, FrameCNNConfig
from gymform.exercise.networks.r2plus1d import R2Plus1D, R2Plus1DConfig, middle
from gymform.exercise.networks.registry import FAMILIES, count_parameters, encode_joints, family_of
from gymform.exercise.networks.stgcn import LINKS, _hops, joint_positions, partitions
from tests.motion.makers import STANDING, squat

ON_PIXELS = [name for name, entry in CATALOGUE.items() if entry.on_pixels]
ON_KEYPOINTS = [name for name in CATALOGUE if name not in ON_PIXELS]


def made(name, classes=3, width=4):
    torch.manual_seed(0)
    return family_of(name).build(classes, width)


def test_the_names_are_the_same_everywhere():
    assert list(FAMILIES) == list(CATALOGUE)
    assert [name for name in FAMILIES if FAMILIES[name].on_pixels] == ON_PIXELS


def test_an_unknown_family_is_refused_by_name():
    with pytest.raises(OptionsError, match="Known: " + ", ".join(CATALOGUE)):
        family_of("no such family")


# ---- R(2+1)D


def test_r2plus1d_has_the_published_number_of_parameters():
    """torchvision's r2plus1d_18 with Kinetics-400's head: num_params 31505325 in its own table."""
    assert count_parameters(R2Plus1D(R2Plus1DConfig(classes=400))) == 31_505_325


def test_the_middle_keeps_the_parameters_of_a_3d_convolution():
    for channels, out in ((64, 64), (64, 128), (256, 512)):
        factored = middle(channels, out) * (9 * channels + 3 * out)
        assert factored == pytest.approx(27 * channels * out, rel=0.01)


def test_r2plus1d_halves_time_and_picture_stage_by_stage():
    network = made("r2plus1d")
    x = network.stem(torch.zeros(1, 3, 8, 64, 64))
    assert x.shape == (1, 4, 8, 32, 32)
    assert network.blocks(x).shape == (1, 32, 1, 4, 4)


def test_r2plus1d_sees_motion_and_the_frame_cnn_does_not():
    torch.manual_seed(0)
    clip = torch.rand(1, 3, 8, 32, 32)
    backwards = clip.flip(2)
    with torch.inference_mode():
        moving, still = made("r2plus1d").eval(), made("frame-cnn").eval()
        assert not torch.allclose(moving(clip), moving(backwards), atol=1e-5)
        torch.testing.assert_close(still(clip), still(backwards), atol=1e-5, rtol=0)


def test_the_frame_cnn_averages_the_scores_of_frames():
    torch.manual_seed(0)
    network = FrameCNN(FrameCNNConfig(3, 4)).eval()
    clip = torch.rand(2, 3, 4, 32, 32)
    with torch.inference_mode():
        together = network(clip).exp()
        each = torch.stack([network(clip[:, :, t : t + 1]).exp() for t in range(4)])
    torch.testing.assert_close(together, each.mean(0))
    torch.testing.assert_close(together.sum(1), torch.ones(2))


# ---- ST-GCN


def test_every_joint_hangs_together_and_the_face_is_farthest():
    hops = _hops()
    assert hops.min() == 0
    assert hops.max() == 3
    assert hops[sk.LEFT_WRIST] == hops[sk.RIGHT_ANKLE] == 2
    assert hops[sk.LEFT_EAR] == 3


def test_partitions_share_out_the_graph():
    parts = partitions().numpy()
    whole = parts.sum(0)
    links = {frozenset(link) for link in LINKS} | {frozenset([k]) for k in range(17)}
    found = {frozenset([int(a), int(b)]) for a, b in np.argwhere(whole)}
    assert found == links
    np.testing.assert_allclose(whole.sum(0), 1, atol=1e-6)
    assert (np.count_nonzero(parts, axis=0) <= 1).all()  # every link is in one partition
    # from the hip the knee gathers inwards, from the ankle outwards
    assert parts[1][sk.LEFT_HIP, sk.LEFT_KNEE] > 0
    assert parts[2][sk.LEFT_ANKLE, sk.LEFT_KNEE] > 0


def test_joint_positions_do_not_depend_on_place_and_size():
    time_s = np.arange(40) / 12
    xy = squat(time_s)
    np.testing.assert_allclose(
        joint_positions(xy, 12.0), joint_positions(3 * xy + 100, 12.0), atol=1e-4
    )


def test_a_missing_joint_is_zero_and_marked():
    xy = np.repeat(STANDING[None], 20, 0)
    xy[:, sk.LEFT_WRIST] = np.nan
    joints = joint_positions(xy, 12.0).reshape(20, 17, 3)
    assert (joints[:, sk.LEFT_WRIST] == 0).all()
    assert (joints[:, sk.LEFT_EYE] == 0).all()
    assert (joints[:, sk.RIGHT_WRIST, 2] == 1).all()
    assert np.isfinite(joint_positions(np.full((5, 17, 2), np.nan), 12.0)).all()


# ---- all on keypoints


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
