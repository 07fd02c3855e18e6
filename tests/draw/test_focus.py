"""What a remark is about, in the picture."""

from __future__ import annotations

import pytest

from gymform.draw.focus import focus_of, loop_around
from gymform.exercises import EXERCISES


def test_every_rule_shows_what_it_is_about():
    for exercise in EXERCISES:
        for rule in exercise.rules:
            assert focus_of(rule.key), rule.key
    assert focus_of("lowering_s") == ""


@pytest.mark.parametrize(
    ("at_s", "slow_motion", "span"),
    [(5.0, 1.0, (4.3, 5.7)), (0.2, 1.0, (0.0, 0.9)), (9.9, 1.0, (9.2, 10.0)), (5, 4.0, (2.2, 7.8))],
)
def test_the_loop_stays_within_the_clip_and_goes_by_life_s_seconds(at_s, slow_motion, span):
    assert loop_around(at_s, 10.0, slow_motion) == pytest.approx(span)
