"""The skeleton's tables agree with each other and with COCO."""

import pytest

from gymform import skeleton as sk
from gymform.skeleton import Side

OPPOSITE = {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT, Side.CENTRE: Side.CENTRE}


def test_names_are_cocos_in_cocos_order():
    assert sk.KEYPOINTS[0] == "nose"
    assert sk.KEYPOINTS[5:7] == ("left_shoulder", "right_shoulder")
    assert sk.KEYPOINTS[-1] == "right_ankle"
    assert len(set(sk.KEYPOINTS)) == sk.NUM_KEYPOINTS == len(sk.OKS_SIGMAS) == 17


@pytest.mark.parametrize("name", sk.KEYPOINTS)
def test_constant_and_index_name_the_same_keypoint(name):
    assert getattr(sk, name.upper()) == sk.INDEX[name] == sk.KEYPOINTS.index(name)


@pytest.mark.parametrize("keypoint", range(sk.NUM_KEYPOINTS))
def test_flip_goes_to_the_same_joint_of_the_other_side_and_back(keypoint):
    mirrored = sk.FLIP_ORDER[keypoint]
    assert sk.FLIP_ORDER[mirrored] == keypoint
    assert sk.side_of(mirrored) is OPPOSITE[sk.side_of(keypoint)]
    joint = sk.KEYPOINTS[keypoint].removeprefix("left_").removeprefix("right_")
    assert sk.KEYPOINTS[mirrored].endswith(joint)


def test_edges_connect_and_mirror():
    assert len({frozenset(edge) for edge in sk.EDGES}) == len(sk.EDGES)
    assert {k for edge in sk.EDGES for k in edge} == set(range(sk.NUM_KEYPOINTS))
    edges = {frozenset(edge) for edge in sk.EDGES}
    assert {frozenset(sk.FLIP_ORDER[k] for k in edge) for edge in edges} == edges


@pytest.mark.parametrize(
    ("edge", "side"),
    [
        ((sk.LEFT_HIP, sk.LEFT_KNEE), Side.LEFT),
        ((sk.RIGHT_ELBOW, sk.RIGHT_WRIST), Side.RIGHT),
        ((sk.LEFT_SHOULDER, sk.RIGHT_SHOULDER), Side.CENTRE),
        ((sk.NOSE, sk.RIGHT_EYE), Side.RIGHT),
        ((sk.LEFT_EYE, sk.NOSE), Side.LEFT),
    ],
)
def test_side_of_edge(edge, side):
    assert sk.side_of_edge(edge) is side


def test_every_side_has_its_own_colour():
    assert set(sk.COLOURS) == set(Side)
    assert len(set(sk.COLOURS.values())) == 3


def test_body_leaves_the_head_out():
    assert sk.KEYPOINTS[sk.BODY[0]] == "left_shoulder"
    assert len(sk.BODY) == 12
