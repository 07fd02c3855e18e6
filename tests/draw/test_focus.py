"""What a remark is about, in the picture."""

from __future__ import annotations

from math import nan

import pytest

from gymform.draw.focus import focus_of, loop_around
from gymform.exercises import EXERCISES


def test_every_rule_shows_what_it_is_about():
    for exercise in EXERCISES:
        for rule in exercise.rules:
            assert any(focus_of(rule.key, turned) for turned in (0.0, 90.0)), rule.key
    assert focus_of("lowering_s", 90.0) == ""


@pytest.mark.parametrize(
    ("measure", "turned", "is_drawn"),
    [
        *(("thigh_below_level", turned, turned >= 50) for turned in (0.0, 45.0, 50.0, 90.0)),
        *((key, turned, turned >= 50) for key in ("tip", "bar_ahead") for turned in (20.0, 80.0)),
        *(("knees_apart", turned, turned <= 40) for turned in (0.0, 40.0, 90.0)),
        *((key, nan, False) for key in ("thigh_below_level", "trunk_lean", "speed", "knees_apart")),
    ],
)
def test_a_line_that_would_mislead_in_this_view_is_not_drawn(measure, turned, is_drawn):
    assert bool(focus_of(measure, turned)) is is_drawn


@pytest.mark.parametrize(
    ("at_s", "slow_motion", "span"),
    [(5.0, 1.0, (4.3, 5.7)), (0.2, 1.0, (0.0, 0.9)), (9.9, 1.0, (9.2, 10.0)), (5, 4.0, (2.2, 7.8))],
)
def test_the_loop_stays_within_the_clip_and_goes_by_life_s_seconds(at_s, slow_motion, span):
    assert loop_around(at_s, 10.0, slow_motion) == pytest.approx(span)
