"""Small moving skeletons: well-formed, inside the picture, and honest about what is missing."""

import xml.etree.ElementTree as ET

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gymform import skeleton as sk
from gymform.draw.looping import SIZE, looping_skeleton

SVG = "{http://www.w3.org/2000/svg}"


def poses(seed=0, count=8):
    return np.random.default_rng(seed).uniform(-1, 1, (count, 17, 2)).astype(np.float32)


def numbers(root):
    """All coordinates of lines and discs."""
    texts = [one.get("values") for one in root.iter(f"{SVG}animate")]
    texts += [one.get("d") for one in root.iter(f"{SVG}path")]
    for mark in "ML;":
        texts = [text.replace(mark, " ") for text in texts]
    return [float(number) for text in texts for number in text.split()]


@given(st.integers(0, 1000), st.floats(1e-3, 1e4))
@settings(max_examples=25, deadline=None)
def test_everything_lies_inside_the_picture_at_any_scale(seed, scale):
    found = numbers(ET.fromstring(looping_skeleton(poses(seed) * scale, 2.0)))
    assert min(found) >= 0
    assert max(found) <= SIZE


def test_a_missing_joint_takes_its_limb_along_and_nothing_else():
    whole = poses()
    without = whole.copy()
    without[3, sk.LEFT_WRIST] = np.nan  # in one pose is enough
    root = ET.fromstring(looping_skeleton(without, 2.0))
    arm = next(root.iter(f"{SVG}path")).get("d")
    assert arm.count("L") == 1  # shoulder to elbow is left
    assert "nan" not in ET.tostring(root).decode()
    assert len(list(root.iter(f"{SVG}path"))) == 10  # five chains, moving and still


def test_only_an_elbow_is_no_line():
    lonely = poses()
    lonely[:, [sk.LEFT_SHOULDER, sk.LEFT_WRIST]] = np.nan
    assert len(list(ET.fromstring(looping_skeleton(lonely, 2.0)).iter(f"{SVG}path"))) == 8


def test_it_lasts_as_long_as_it_should_and_can_stand_still():
    root = ET.fromstring(looping_skeleton(poses(), 1.7))
    assert {one.get("dur") for one in root.iter(f"{SVG}animate")} == {"1.7s"}
    still = next(one for one in root.iter(f"{SVG}g") if one.get("class") == "still")
    assert not list(still.iter(f"{SVG}animate"))
    assert "prefers-reduced-motion" in root.find(f"{SVG}style").text


def test_somebody_who_does_not_move_is_drawn_too():
    same = np.repeat(poses()[:1], 8, 0)
    root = ET.fromstring(looping_skeleton(same, 2.0))
    assert list(root.iter(f"{SVG}path"))
    assert not list(root.iter(f"{SVG}animate"))
