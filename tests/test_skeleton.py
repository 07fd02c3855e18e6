"""The skeleton's tables agree with each other and with COCO."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import pytest

from gymform import skeleton as sk
from gymform.skeleton import Side

PROJECT = Path(__file__).resolve().parents[1]

HALPE = ("head_top", "neck", "mid_hip", "left_big_toe", "right_big_toe", "left_small_toe",
         "right_small_toe", "left_heel", "right_heel")  # fmt: skip
"""What Halpe's 26 keypoints add to COCO's (Fang et al., "AlphaPose", TPAMI 2022)."""

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


def test_pairs_are_cocos():
    pairs = ((1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 14), (15, 16))
    assert pairs == sk.FLIP_PAIRS
    assert pairs[2:] == sk.BODY_PAIRS


# ---- more keypoints, as somebody who extends the skeleton would add them --------------------


def source_with(names: Iterable[str], constants: int) -> str:
    """The source of skeleton.py with ``names`` and so many constants added behind the last."""
    source = Path(sk.__file__).read_text(encoding="utf-8")
    last = "0.087, 0.087, 0.089, 0.089,"
    assert source.count('    "right_ankle",\n') == source.count(last) == 1
    added = "".join(f'    "{name}",\n' for name in names)
    source = source.replace('    "right_ankle",\n', '    "right_ankle",\n' + added)
    return source.replace(last, last + " 0.1," * constants)


def extended(names: Iterable[str], constants: int) -> ModuleType:
    """skeleton.py as a module, with names and constants added."""
    module = ModuleType("extended_skeleton")
    exec(compile(source_with(names, constants), "skeleton.py", "exec"), module.__dict__)  # noqa: S102
    return module


def test_more_keypoints_are_a_matter_of_names_and_constants():
    more = extended(HALPE, len(HALPE))
    assert (*sk.KEYPOINTS, *HALPE) == more.KEYPOINTS
    assert more.NUM_KEYPOINTS == len(more.OKS_SIGMAS) == len(more.FLIP_ORDER) == 26
    for name in HALPE:
        mirrored = more.KEYPOINTS[more.FLIP_ORDER[more.INDEX[name]]]
        swapped = {"left": "right", "right": "left"}
        first, _, rest = name.partition("_")
        assert mirrored == (f"{swapped[first]}_{rest}" if first in swapped else name)
    # what the rest of gymform knows of the body stays as it is
    assert (more.BODY, more.HEAD, more.BODY_PAIRS) == (sk.BODY, sk.HEAD, sk.BODY_PAIRS)
    for name in sk.KEYPOINTS:
        assert getattr(more, name.upper()) == getattr(sk, name.upper())


@pytest.mark.parametrize(
    ("names", "constants", "text"),
    [
        (HALPE, 0, "OKS_SIGMAS: expected a constant for each of the 26 keypoints, got 17"),
        (["left_heel"], 1, "'heel' needs both a left and a right keypoint"),
        (["right_heel"], 1, "'heel' needs both a left and a right keypoint"),
        (["nose"], 1, "expected every name once"),
        (["left_knee"], 1, "expected every name once"),
    ],
)
def test_what_is_missing_of_a_new_keypoint_is_said_in_words(names, constants, text):
    with pytest.raises(ValueError, match=text):
        extended(names, constants)


def test_all_of_gymform_imports_with_more_keypoints_and_names_what_it_lacks(tmp_path):
    """The network that ships has 17 heatmaps, and a loader that says so."""
    (tmp_path / "weights").symlink_to(PROJECT / "weights")
    for path in (PROJECT / "gymform").rglob("*.py"):
        copy = tmp_path / path.relative_to(PROJECT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    (tmp_path / "gymform" / "skeleton.py").write_text(source_with(HALPE, len(HALPE)))
    modules = [
        ".".join(path.relative_to(tmp_path).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((tmp_path / "gymform").rglob("*.py"))
    ]
    program = f"""
import importlib
for module in {modules!r}:
    importlib.import_module(module)
from gymform.errors import WeightsError
from gymform.pose.checkpoints import load_pose_model
try:
    load_pose_model()
except WeightsError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "expected 26 keypoints, got 17. gymform needs every one of its skeleton" in done.stdout
