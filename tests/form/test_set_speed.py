"""The speed of a set: what counts, what does not and why, and by what it is told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gymform.bar.figures import figures
from gymform.exercises import BENCH_PRESS, PUSH_UP, SQUAT
from gymform.form.set_speed import (
    PARTIAL,
    SUDDEN,
    Lift,
    better,
    compared,
    in_words,
    not_counted,
    speed_of_lifter,
    speed_of_plate,
)
from gymform.types import BODY, HANDS, PLATE, Measure, RepForm, whole_spans
from tests import fakes

NAMES = {PLATE: "the plate of the bar", HANDS: "the hands", BODY: "the shoulders"}


def reps(count, cut=()):
    return [
        RepForm(3.0 * i, 3.0 * i + 2, (), "the end of the clip" if i in cut else None)
        for i in range(count)
    ]


def lifts(*speeds, rise=50.0, skip=()):
    return {
        i: Lift(speed, rise / speed, 3.0 * i + 1) for i, speed in enumerate(speeds) if i not in skip
    }


def told(*speeds, by=PLATE, cut=(), **how):
    return compared(reps(len(speeds), cut), lifts(*speeds, **how), by, NAMES[by])


def test_the_loss_is_against_the_fastest_so_far_and_says_from_which_repetition_on():
    found = told(50, 51, 45, 38, 36)
    assert found.losses == pytest.approx((0, 0, 11.8, 25.5, 29.4))
    assert found.loss == found.losses[-1]
    assert found.slowed_from == 4
    assert in_words(found) == (
        "Slower by 29 % in the last repetition than in the fastest (give or take 4); more than "
        "20 % from repetition 4 on. Told by the path of the plate of the bar."
    )


def test_a_set_that_recovers_is_not_said_to_be_slow_from_there_on():
    found = told(50, 37, 44)
    assert found.slowed_from == 2
    assert "first in repetition 2" in in_words(found)


def test_a_loss_within_its_uncertainty_is_not_told():
    found = told(60, 60, 50, by=BODY)
    assert found.loss < found.unsure
    assert found.slowed_from is None
    assert in_words(found).startswith("As fast in the last repetition as in the fastest")


def test_what_is_cut_off_or_not_seen_does_not_count_and_is_named():
    found = told(50, 51, 40, 30, 20, cut=(4,), skip=(1, 4))
    assert found.count == 3
    assert found.last == 4
    assert "in repetition 4 (the last that counts) than" in in_words(found)
    assert not_counted(found) == (
        "Not counted: repetition 2 (the plate was not seen all the way up) and repetition 5 "
        "(cut off by the end of the clip)."
    )


def test_a_partial_repetition_and_one_that_is_too_fast_do_not_count():
    three = lifts(50, 50, 50, 95)
    three[1] = Lift(50, 0.5, 4.0)  # half as high
    found = compared(reps(4), three, PLATE, NAMES[PLATE])
    assert found.left_out == (None, PARTIAL, None, SUDDEN)


def test_where_all_count_nothing_is_named():
    assert not_counted(told(50, 40)) == ""


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_do_not_compare(count):
    assert told(*[50.0] * count) is None


@given(
    speeds=st.lists(st.floats(40, 60), min_size=2, max_size=12),
    scale=st.floats(0.01, 100),
    by=st.sampled_from([PLATE, HANDS, BODY]),
)
def test_the_unit_of_length_does_not_matter(speeds, scale, by):
    one = told(*speeds, by=by)
    every = {i: Lift(x.speed * scale, x.seconds, x.lifts_s) for i, x in lifts(*speeds).items()}
    other = compared(reps(len(speeds)), every, by, NAMES[by])
    assert other.losses == pytest.approx(one.losses, abs=0.11)
    assert all(0 <= loss < 100 for loss in one.losses)
    assert one.count == len(speeds)


def test_the_plate_goes_first_unless_it_lacks_most():
    plate, hands = told(50, 40), told(50, 45, 40, 40, by=HANDS)
    assert better(plate, None) is plate
    assert better(None, hands) is hands
    assert better(plate, hands) is hands
    assert better(told(50, 45, 40), hands).by == PLATE


def test_by_the_plate_of_a_film():
    time_s = np.arange(180) / 30
    way = 40 * np.sin(np.pi * time_s / 3) ** 2
    xy = np.stack([np.full(180, 150.0), 120 + way], axis=1)
    bar = fakes.make_bar(180, xy=xy, still=xy, velocity=np.gradient(xy, time_s, axis=0))
    reps = [RepForm(0.0, 3.0, ()), RepForm(3.0, 5.9, ())]
    found = speed_of_plate(reps, figures(bar, whole_spans(reps)))
    assert found.by == PLATE
    assert found.loss == pytest.approx(0, abs=3)


def body(*speeds):
    return [
        RepForm(3.0 * i, 3.0 * i + 2, (
            Measure("rise", "", 30.0, "%", 3.0 * i), Measure("speed", "", speed, "%", 3.0 * i + 1),
        )) for i, speed in enumerate(speeds)
    ]  # fmt: skip


@pytest.mark.parametrize(("exercise", "what"), [(SQUAT, "shoulders"), (PUSH_UP, "shoulders")])
def test_where_hands_hold_no_load_the_body_tells(exercise, what):
    found = speed_of_lifter(body(20, 15), fakes.make_pose(), exercise)
    assert (found.by, found.what) == (BODY, f"the {what}")
    assert found.loss == pytest.approx(25)
    assert found.lifts_s == (1.0, 4.0)


def test_hands_that_are_not_seen_leave_it_to_the_body():
    pose = fakes.make_pose()
    pose.xy[:], pose.score[:] = np.nan, 0
    assert speed_of_lifter(body(20, 15), pose, BENCH_PRESS).by == BODY
