"""Sit-ups and jumping jacks: counted from any side, and what their rules say."""

import pytest

from gymform.exercises import JUMPING_JACK, SIT_UP
from gymform.types import Verdict
from tests.exercises.movements import again, counted, jumping_jack, mean, report, sit_up, titles


@pytest.mark.parametrize("degrees", [0, 45, 90, 180])
@pytest.mark.parametrize(
    ("make", "one"), [(sit_up, SIT_UP), (jumping_jack, JUMPING_JACK)], ids=lambda x: str(x)[:12]
)
def test_as_many_as_there_are_from_any_side(make, one, degrees):
    assert [counted(make(again(n)), degrees, one) for n in (1, 4)] == [1, 4]


def test_fast_jacks_count_as_well():
    u = again(5, down_s=0.4, hold_s=0.1, up_s=0.4)
    assert counted(jumping_jack(u), 0, JUMPING_JACK) == 5


def test_up_to_vertical_and_a_part_of_the_way():
    full = report(sit_up(again(2), 1.75), 90, "sit_up")
    assert titles(full) == {"Up to vertical": Verdict.GOOD, "Down to the floor": Verdict.GOOD}
    crunch = report(sit_up(again(2), 0.8), 90, "sit_up")
    assert titles(crunch)["A part of the way up"] is Verdict.LOOK
    assert mean(crunch, "top_trunk") == pytest.approx(45.8, abs=3)


def test_a_crunch_counts_although_it_is_small():
    assert counted(sit_up(again(3), 0.35), 90, SIT_UP) == 3


def test_wide_jacks_with_the_arms_overhead_and_lazy_ones():
    good = titles(report(jumping_jack(again(2)), 0, "jumping_jack"))
    assert set(good.values()) == {Verdict.GOOD}
    lazy = titles(report(jumping_jack(again(2), 0.15, 1.6), 0, "jumping_jack"))
    assert lazy["The hands stay below the head"] is Verdict.LOOK
    assert lazy["The feet stay close together"] is Verdict.LOOK
    aside = report(jumping_jack(again(2)), 90, "jumping_jack")
    assert "The feet jump well apart" not in titles(aside)
    assert any("from the front only" in note for note in aside.notes)
