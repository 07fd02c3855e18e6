"""Plate or not, metres or not (gymform/bar/judge.py)."""

from dataclasses import replace

import numpy as np
import pytest

from gymform.bar.find import Candidate
from gymform.bar.judge import Evidence, doubts_of_size, is_seen, why_no_plate
from gymform.bar.windows import MIDDLE, TORSO_PX

GOOD = Evidence(seen=0.95, likeness=0.99, ratio=1.2, change=0.02, camera=0.002, aspect=0.95,
                torsos=0.5)  # fmt: skip


def candidate(score: float, arcs: float, aspect: float = 1.0, x: float = 0.0) -> Candidate:
    """A ring with so much support in so large a share of its rim."""
    around = np.where(np.arange(64) < 64 * arcs, 0.5, 0.0)
    return Candidate(MIDDLE + x, MIDDLE, 30, aspect, score, np.zeros((4, 2)), np.zeros(4), around)


def test_a_good_plate_has_nothing_against_it():
    assert list(why_no_plate(GOOD)) == []
    assert list(doubts_of_size(GOOD, plate_given=False)) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"seen": 0.4}, "40%"),
        ({"likeness": 0.8}, "go up and down as they do"),
        ({"likeness": float("nan")}, "go up and down as they do"),
        ({"ratio": 0.3}, "go up and down as they do"),
        ({"ratio": 2.5}, "go up and down as they do"),
    ],
)
def test_what_is_no_plate(change, word):
    (reason,) = why_no_plate(replace(GOOD, **change))
    assert word in reason


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"change": 0.09}, "9%"),
        ({"aspect": 0.6}, "obliquely"),
        ({"camera": 0.1}, "pans"),
        ({"torsos": 0.2}, "diameter"),
    ],
)
def test_what_has_no_metres(change, word):
    (reason,) = doubts_of_size(replace(GOOD, **change), plate_given=False)
    assert word in reason


def test_who_says_the_diameter_is_believed():
    assert list(doubts_of_size(replace(GOOD, torsos=0.2), plate_given=True)) == []


@pytest.mark.parametrize(
    ("score", "arcs", "seen"), [(0.5, 0.9, True), (0.2, 0.9, False), (0.5, 0.5, False)]
)
def test_a_rim_has_to_be_seen_all_around(score, arcs, seen):
    assert is_seen(candidate(score, arcs)) is seen


def test_an_oblique_plate_lies_beside_the_hands_and_a_chest_does_not():
    assert is_seen(candidate(0.5, 0.9, aspect=0.75, x=-0.9 * TORSO_PX))
    assert not is_seen(candidate(0.5, 0.9, aspect=0.75))
