"""ST-GCN: the graph of the skeleton, its partitions, and what a joint is for the network."""

import numpy as np
import torch

from gymform import skeleton as sk
from gymform.exercise.networks.stgcn import (
    LINKS,
    STGCN,
    GraphConv,
    STGCNConfig,
    _hops,
    joint_positions,
    partitions,
)
from tests.motion.makers import STANDING, squat


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


def test_a_graph_convolution_reaches_neighbours_and_no_farther():
    torch.manual_seed(0)
    layer = GraphConv(3, 4)
    x = torch.randn(1, 3, 2, sk.NUM_KEYPOINTS, requires_grad=True)
    layer(x)[..., sk.LEFT_KNEE].sum().backward()
    felt = x.grad.abs().sum((0, 1, 2)) > 0
    assert set(torch.nonzero(felt)[:, 0].tolist()) == {sk.LEFT_HIP, sk.LEFT_KNEE, sk.LEFT_ANKLE}


def test_wider_blocks_halve_the_steps():
    torch.manual_seed(0)
    network = STGCN(STGCNConfig(classes=2, channels=4, widths=(1, 2, 4)))
    lengths = []
    for block in network.blocks:
        block.register_forward_hook(lambda block, inputs, out: lengths.append(out[0].shape[2]))
    network(torch.randn(1, 20, 51), torch.ones(1, 20))
    assert lengths == [20, 10, 5]


def test_a_clip_without_hips_has_its_centre_in_its_joints():
    xy = np.repeat(STANDING[None], 20, 0)
    xy[:, [sk.LEFT_HIP, sk.RIGHT_HIP]] = np.nan
    joints = joint_positions(xy, 12.0)
    np.testing.assert_allclose(joint_positions(xy + 1000, 12.0), joints, atol=1e-4)
    assert (joints.reshape(20, 17, 3)[:, sk.LEFT_KNEE, 2] == 1).all()
