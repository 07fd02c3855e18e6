"""Way down, way up and turn of heights that are known."""

import numpy as np
import pytest

from gymform.form.phases import phases_of

RATE = 20


def found(*legs):
    """Heights of ``legs`` (from, to, seconds), each eased in and out, and their phases."""
    parts = [
        a + (b - a) * (1 - np.cos(np.linspace(0, np.pi, round(s * RATE)))) / 2 for a, b, s in legs
    ]
    height = np.concatenate(parts)
    phases = phases_of(height, np.arange(len(height)) / RATE, 0, len(height) - 1)
    assert phases is not None
    return height, phases


@pytest.mark.parametrize("order", [(1.0, 0.5), (0.5, 1.0)], ids=["low turn", "high turn"])
def test_both_ways_and_the_rest_between_them(order):
    begin, turn = order
    height, phases = found((begin, turn, 1.5), (turn, turn, 1.0), (turn, begin, 1.0))
    assert phases.lowering
    assert phases.lifting
    assert (phases.lowering < phases.lifting) == (turn < begin)
    assert phases.hold_s == pytest.approx(1.0, abs=0.4)
    assert height[phases.bottom] == pytest.approx(0.5, abs=0.01)
    assert height[phases.top] == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("order", [(1.0, 0.5), (0.5, 1.0)], ids=["low turn", "high turn"])
@pytest.mark.parametrize("early", [-0.1, 0.1], ids=["before the middle", "after it"])
def test_one_noisy_frame_is_not_the_turn_where_the_lifter_rests(order, early):
    """A slow turn; a frame 0.1 s from its middle is 0.1 % of the height beyond what it should."""
    begin, turn = order
    time_s = np.arange(6 * RATE + 1) / RATE
    height = turn + (begin - turn) * (time_s / 3 - 1) ** 2
    height[round((3 + early) * RATE)] += 0.001 * np.sign(turn - begin)
    phases = phases_of(height, time_s, 0, len(height) - 1)
    assert phases is not None
    at = phases.bottom if turn < begin else phases.top
    assert time_s[at] == pytest.approx(3.0, abs=0.07)


@pytest.mark.parametrize("up", [True, False])
def test_half_a_repetition_has_one_way_and_no_rest(up):
    height, phases = found((0.5, 1.0, 1.0) if up else (1.0, 0.5, 1.0))
    assert (phases.lifting is not None) == up == (phases.lowering is None)
    assert phases.hold_s is None
    assert height[phases.bottom] < 0.51 < 0.99 < height[phases.top]


def test_bottom_and_top_lie_on_the_side_of_the_lifting():
    """Down from 1, up to 0.9: the lockout at the end is judged, not the stance before."""
    height, phases = found((1.0, 0.5, 1.0), (0.5, 0.9, 1.0))
    assert phases.lowering
    assert phases.lifting
    assert phases.top >= phases.lifting[1] - 1
    assert height[phases.top] == pytest.approx(0.9, abs=0.01)


def test_without_a_lifting_they_lie_on_the_side_of_the_lowering():
    """Down, and a film that is cut before the lifter is up: nothing is said of the way up."""
    height = np.concatenate((np.linspace(1.0, 0.5, 20), np.linspace(0.7, 0.8, 2)))
    phases = phases_of(height, np.arange(len(height)) / RATE, 0, len(height) - 1)
    assert phases is not None
    assert phases.lowering
    assert phases.lifting is None
    assert phases.hold_s is None
    assert phases.top == 0
    assert phases.bottom == 19


def test_little_movement_or_little_known_has_no_phases():
    time_s = np.arange(20) / RATE
    assert phases_of(np.linspace(1, 1.02, 20), time_s, 0, 19) is None
    hidden = np.full(20, np.nan)
    hidden[::3] = 1.0
    assert phases_of(hidden, time_s, 0, 19) is None


@pytest.mark.parametrize("up_s", [0.6, 1.0, 2.0])
def test_times_are_the_same_at_30_15_and_10_frames_a_second(up_s):
    """Down in 1.2 s, up in ``up_s``, between two seconds of rest, with the tremor of a network."""
    taken = {}
    for fps in (30, 15, 10):
        time_s = np.arange(0, 4.2 + up_s, 1 / fps)
        line = np.interp(time_s, [1, 2.2, 2.7, 2.7 + up_s], [0, 1, 1, 0])
        height = 1 - 0.2 * (1 - np.cos(np.pi * line))
        height += np.random.default_rng(fps).normal(0, 0.002, len(height))
        phases = phases_of(height, time_s, int(fps), len(height) - int(0.8 * fps))
        taken[fps] = phases.lowering_s, phases.lifting_s, phases.hold_s
    for fps in (15, 10):
        assert taken[fps] == pytest.approx(taken[30], abs=0.13)
    assert taken[30][1] == pytest.approx(up_s, abs=0.25)
