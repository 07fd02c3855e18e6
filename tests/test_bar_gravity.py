"""The measure of falls (benchmarks/bar_gravity.py)."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from gymform.bar.carrier import Bar
from gymform.bar.hands import Hands

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
if str(BENCHMARKS) not in sys.path:
    sys.path.insert(0, str(BENCHMARKS))

bar_gravity = importlib.import_module("bar_gravity")


def dropped(acceleration: float) -> tuple[Bar, Hands]:
    """A bar that rests at 1.5 m for a second, falls to 0.2 m and lies; the hands stay up.

    A plate's radius is 45 px, so 1 px is 5 mm.
    """
    time_s = np.arange(90) / 30
    since = np.clip(time_s - 1, 0, None)
    height = np.maximum(1.5 - acceleration * since**2 / 2, 0.2)
    speed = np.where((height < 1.5) & (height > 0.2), acceleration * since, 0.0)
    xy = np.stack([np.full(90, 100.0), -height / 0.005], axis=-1)
    velocity = np.stack([np.zeros(90), speed / 0.005], axis=-1)
    seen = np.ones(90, bool)
    bar = Bar(time_s, xy, np.full(90, 45.0), seen, velocity, xy, seen, 1.0, 5.0, 450.0)
    hands = np.tile([100.0, -300.0], (90, 1))
    return bar, Hands(hands, time_s, seen, 60.0, hands, False)


@pytest.mark.parametrize("acceleration", [9.81, 6.0])
def test_a_fall_is_found_and_measured(acceleration):
    (fall,) = bar_gravity.falls("a clip", *dropped(acceleration))
    assert fall.metres_s2 == pytest.approx(acceleration, rel=0.02)
    assert fall.apart > bar_gravity.LET_GO
    assert ("as gravity" in fall.verdict) == (acceleration == 9.81)


def test_what_is_lowered_with_the_hands_is_no_free_fall():
    bar, hands = dropped(5.0)
    held = Hands(bar.xy, hands.time_s, hands.lifting, 60.0, hands.head, False)
    (fall,) = bar_gravity.falls("a clip", bar, held)
    assert "held" in fall.verdict
