"""The plate's scale against the lifter's height (gymform/bar/scale.py)."""

from dataclasses import replace

import numpy as np
import pytest

from gymform import limits
from gymform.bar.carrier import no_bar
from gymform.bar.hands import hands_of
from gymform.bar.scale import NEARER, PLATES, checked_by_height, height_by, nearer
from tests.bar.conftest import VIEW
from tests.bar.films import bar_films as bf

POSE = bf.skeleton(bf.SNATCH, VIEW, noise_m=0.0)


def bar():
    """The true path in px, with the plate's scale."""
    true = bf.true_bar(bf.SNATCH, POSE.time_s)
    x, y, r = bf.truth_px(bf.SNATCH, VIEW, POSE.time_s).T
    return replace(true, xy=np.stack([x, y], -1), r=r, mm_per_px=225 / float(np.median(r)))


def test_the_height_is_told_at_the_body_s_distance():
    """The plate is 0.75 m nearer than the body, which is four metres away."""
    hands = hands_of(POSE)
    near = nearer(bar(), hands)
    depth = 4 / (4 - 0.75 * np.cos(np.radians(VIEW.yaw)))
    assert near == pytest.approx(depth, rel=0.02)
    in_its_plane = hands.torso / 0.288 * (1000 * bf.DISTANCE / bf.FOCAL) / 10  # cm
    assert height_by(bar(), POSE) == pytest.approx(in_its_plane, rel=0.03)


def test_a_height_that_agrees_keeps_the_metres():
    one = bar()
    height = height_by(one, POSE)
    assert checked_by_height(one, POSE, 1.08 * height) is one
    assert checked_by_height(one, POSE, 0.93 * height) is one


def test_a_height_that_differs_by_more_than_a_tenth_takes_them():
    one = bar()
    height = height_by(one, POSE)
    checked = checked_by_height(one, POSE, 1.2 * height)
    assert checked.mm_per_px is None
    assert checked.found
    (reason,) = checked.reasons
    for said in (f"{height:.0f} cm", f"{1.2 * height:.0f} cm", "450 mm", "17%"):
        assert said in reason


def test_a_bar_without_metres_stays_as_it_is():
    nothing = no_bar(POSE.time_s, 450.0, "why")
    assert checked_by_height(nothing, POSE, 180) is nothing
    far = replace(bar(), lifting=np.zeros(len(POSE.time_s), bool))
    assert nearer(far, hands_of(POSE)) == NEARER[0]


def test_plates_to_choose_from_may_be_said():
    assert all(limits.MIN_PLATE_MM <= mm <= limits.MAX_PLATE_MM for mm in PLATES.values())
