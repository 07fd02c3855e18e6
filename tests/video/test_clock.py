"""Times start at 0 and strictly rise, whatever the stamps do."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gymform.video.clock import Clock, presentation_order, stated_rate


def times_of(stamps, rate: float = 30.0) -> tuple[list[float | None], Clock]:
    clock = Clock(rate)
    return [clock.time(stamp) for stamp in stamps], clock


def test_good_stamps_are_kept_from_zero():
    times, clock = times_of([5.0, 5.04, 5.1, 5.5])
    assert times == pytest.approx([0, 0.04, 0.1, 0.5])
    assert list(clock.problems()) == []
    assert clock.frames == 4
    assert clock.duration_s == pytest.approx(0.5 + 0.5 / 3)


def test_repeated_and_earlier_stamps_are_left_out_and_told():
    times, clock = times_of([0, 0.1, 0.1, 0.05, 0.2])
    assert times == pytest.approx([0, 0.1, None, None, 0.2])
    assert list(clock.problems()) == ["2 frames with a repeated or earlier time stamp: left out."]


def test_a_restarted_count_goes_on_without_a_gap():
    times, clock = times_of([100.0, 100.1, 100.2, 0.0, 0.1])
    assert times == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
    assert list(clock.problems()) == [
        "The time stamps jump in 1 place: joined there without a gap."
    ]


def test_an_endless_gap_is_closed():
    times, clock = times_of([0, 0.1, 1e9, 1e9 + 0.1])
    assert times == pytest.approx([0, 0.1, 0.2, 0.3])
    assert clock.jumps == 1


def test_a_pause_of_some_seconds_is_kept():
    times, clock = times_of([0, 0.1, 15.1])
    assert times == pytest.approx([0, 0.1, 15.1])
    assert clock.jumps == 0


def test_missing_stamps_follow_the_stated_rate():
    times, clock = times_of([None, None, None], rate=25)
    assert times == pytest.approx([0, 0.04, 0.08])
    assert list(clock.problems()) == [
        "3 frames without a time stamp: the stated rate of 25 frames a second was used."
    ]


def test_one_frame_lasts_as_long_as_the_rate_says():
    _, clock = times_of([7.0], rate=25)
    assert clock.duration_s == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("rate", "believed"),
    [(None, 30), (Fraction(0), 30), (Fraction(90_000), 30), (Fraction(30_000, 1001), 29.97)],
)
def test_unbelievable_rates_are_not_believed(rate, believed):
    assert stated_rate(rate) == pytest.approx(believed, abs=0.01)


stamps = st.one_of(st.none(), st.floats(-1e12, 1e12), st.floats(0, 2))


@given(st.lists(stamps, max_size=60), st.floats(1, 1000))
def test_any_stamps_give_strictly_rising_times_from_zero(values, rate):
    times, clock = times_of(values, rate)
    kept = [time for time in times if time is not None]
    assert len(times) == clock.frames + clock.dropped
    assert len(kept) == clock.frames
    assert kept[:1] in ([], [0.0])
    assert (np.diff(kept) > 0).all()
    assert bool(values) == (clock.duration_s > 0)


@given(st.lists(st.floats(0, 100), max_size=60, unique=True), st.randoms())
def test_presentation_order_undoes_any_reordering_that_a_decoder_could(values, chance):
    shown = sorted(values)
    decoded = list(shown)
    for start in range(0, len(decoded), 16):
        block = decoded[start : start + 16]
        chance.shuffle(block)
        decoded[start : start + 16] = block
    assert list(presentation_order(decoded)) == shown
