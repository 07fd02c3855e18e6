"""Signals: high where the load is high, blind to what is not seen, and to place and size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gymform import skeleton as sk
from gymform.motion.signals import ARM, RACKED, RESTS_ON, SIGNALS
from tests.motion.makers import STANDING

XY = np.repeat(STANDING[None] / 170.0, 3, 0)


def raised(joints, by):
    xy = XY.copy()
    xy[1, list(joints), 1] -= by
    return xy


@pytest.mark.parametrize("name", SIGNALS)
def test_one_column_or_one_for_each_side_all_known(name):
    values = SIGNALS[name](XY)
    assert values.shape in ((3, 1), (3, 2))
    assert np.isfinite(values).all()
    np.testing.assert_allclose(values[0], values[2])


@pytest.mark.parametrize("name", SIGNALS)
def test_what_a_signal_rests_on_and_is_not_seen_leaves_it_unknown(name):
    for pair in RESTS_ON[name]:
        xy = XY.copy()
        xy[1, list(pair)] = np.nan
        if name == "trunk_rise" and pair == sk.SHOULDERS:
            xy[1, sk.NOSE] = np.nan
        if name == "apart" and pair == sk.ANKLES:
            continue  # the hands alone show it
        values = SIGNALS[name](xy)
        assert np.isnan(values[1]).all(), pair
        assert np.isfinite(values[0]).all()


@settings(max_examples=15)
@given(st.sampled_from(sorted(SIGNALS)), st.floats(-3, 3), st.floats(-3, 3))
def test_where_the_lifter_is_does_not_matter(name, right, down):
    np.testing.assert_allclose(
        SIGNALS[name](XY + np.array([right, down])), SIGNALS[name](XY), atol=1e-9
    )


@pytest.mark.parametrize(
    ("name", "joints"),
    [("hands_height", sk.WRISTS), ("hands_over_hips", sk.WRISTS), ("hands_over_feet", sk.WRISTS),
     ("hips_over_feet", sk.HIPS), ("shoulders_over_hips", sk.SHOULDERS), ("apart", sk.WRISTS),
     ("trunk_rise", (*sk.SHOULDERS, sk.NOSE))],
)  # fmt: skip
def test_what_rises_raises_its_signal_by_as_much(name, joints):
    values = SIGNALS[name](raised(joints, 0.1))
    np.testing.assert_allclose(values[1] - values[0], 0.1, atol=1e-9)


def test_a_press_leaves_out_how_the_weight_is_picked_up():
    assert (SIGNALS["hands_over_shoulders"](XY) == RACKED).all()
    over = SIGNALS["hands_over_shoulders"](raised((*sk.WRISTS, *sk.ELBOWS), 0.6))
    assert (over[1] > 0.2).all()


def test_hands_that_hang_are_a_full_hang_for_a_pull_up():
    assert (SIGNALS["shoulders_to_bar"](XY) == -ARM).all()
    bar = SIGNALS["shoulders_to_bar"](raised(sk.WRISTS, 0.6))
    np.testing.assert_allclose(bar[1], -0.6 + 52 / 170)


def test_pulls_are_presses_turned_round():
    np.testing.assert_allclose(
        SIGNALS["hands_to_shoulders"](XY), -SIGNALS["hands_from_shoulders"](XY)
    )


def test_without_feet_heights_are_counted_from_the_hips():
    xy = raised(sk.WRISTS, 0.1)
    xy[:, list(sk.ANKLES)] = np.nan
    values = SIGNALS["hands_over_feet"](xy)
    np.testing.assert_allclose(values[1] - values[0], 0.1, atol=1e-9)
