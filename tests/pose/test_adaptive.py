"""Which frames are looked at: made movements of which every place is known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gymform import skeleton as sk
from gymform.pose import adaptive
from gymform.pose.adaptive import (
    filled,
    frames_of,
    interpolated,
    look_where_it_moves,
    now_and_then,
    runs_of,
    where_fast,
)
from tests.motion.makers import STANDING, squat

TORSO = 48.0
"""About the length of the torso of `STANDING`, px."""


def peaks_of(xy: np.ndarray, score: float | np.ndarray = 0.9) -> np.ndarray:
    """(T, 17, 3, 3): one peak for each joint of ``xy`` (T, 17, 2)."""
    peaks = np.full((*xy.shape[:2], 3, 3), np.nan, np.float32)
    peaks[..., 2] = 0
    peaks[:, :, 0, :2], peaks[:, :, 0, 2] = xy, score
    return peaks


def walking(time_s: np.ndarray, torsos_a_second: float) -> np.ndarray:
    """(T, 17, 2) px: somebody who moves sideways evenly."""
    shift = time_s[:, None] * [torsos_a_second * TORSO, 0.0]
    return STANDING + shift[:, None]


def with_fast_hand(time_s: np.ndarray, torsos_a_second: float) -> np.ndarray:
    """(T, 17, 2) px: somebody who walks slowly and raises a hand fast from 0.8 to 1.3 s."""
    xy = walking(time_s, 0.2)
    fast = (time_s > 0.8) & (time_s < 1.3)
    xy[:, sk.LEFT_WRIST, 1] -= np.cumsum(np.where(fast, torsos_a_second * TORSO * time_s[1], 0))
    return xy


def looked(xy, time_s, *, scouts=None, runs=None) -> np.ndarray:
    """The frames that are looked at, where the large network sees ``xy`` (T, 17, 2)."""
    peaks = xy if xy.ndim == 4 else peaks_of(xy)
    asked: list[int] = []

    def look(rows: np.ndarray) -> np.ndarray:
        asked.extend(rows.tolist())
        return peaks[rows]

    runs = [np.arange(len(time_s))] if runs is None else runs
    scouts = peaks if scouts is None else scouts
    rows = look_where_it_moves(look, scouts, time_s, runs)
    assert sorted(asked) == rows.tolist()  # each frame once
    return rows


def longest_gap_s(rows: np.ndarray, time_s: np.ndarray) -> float:
    return float(np.diff(time_s[rows]).max())


# ---- how many frames


@settings(max_examples=25, deadline=None)
@given(
    fps=st.sampled_from([24.0, 30.0, 60.0, 120.0]),
    speed=st.floats(0, 0.8 * adaptive.FAST),
    seconds=st.floats(0.5, 4),
)
def test_even_movement_needs_few_looks_whatever_the_frame_rate(fps, speed, seconds):
    time_s = np.arange(round(seconds * fps)) / fps
    rows = looked(walking(time_s, speed), time_s)
    assert {0, len(time_s) - 1} <= set(rows.tolist())
    assert len(rows) <= 2 * np.ceil(time_s[-1] / adaptive.GRID_S) + 3
    assert longest_gap_s(rows, time_s) <= adaptive.GRID_S / 2 + 1.5 / fps


@settings(max_examples=25, deadline=None)
@given(fps=st.sampled_from([24.0, 30.0, 60.0]), speed=st.floats(1.3 * adaptive.FAST, 9))
def test_of_fast_movement_every_frame_is_looked_at(fps, speed):
    time_s = np.arange(round(2 * fps)) / fps
    rows = looked(with_fast_hand(time_s, speed), time_s)
    inside = np.flatnonzero((time_s > 0.9) & (time_s < 1.2))
    assert set(inside.tolist()) <= set(rows.tolist())
    assert len(rows) < len(time_s)


def test_what_turns_is_looked_at_more_often_and_interpolated_well():
    time_s = np.arange(240) / 60
    xy = squat(time_s, period_s=1.5, depth=50)
    rows = looked(xy, time_s)
    assert len(looked(walking(time_s, 0.5), time_s)) < len(rows) < 0.6 * len(time_s)
    seen = np.isin(np.arange(len(time_s)), rows)
    score = np.full(xy.shape[:2], 0.9, np.float32)
    between, _ = interpolated(xy.astype(np.float32), score, time_s, seen)
    off = np.linalg.norm(between - xy, axis=-1).max() / TORSO
    assert off < adaptive.TOLERANCE / 2  # the gap that was checked is halved


def test_what_only_the_small_network_sees_is_looked_at():
    time_s = np.arange(121) / 60
    xy = walking(time_s, 0.3)
    scouts = peaks_of(xy)
    jerk = 53
    assert jerk not in looked(xy, time_s)
    scouts[jerk, sk.RIGHT_KNEE, 0, 1] += 0.25 * TORSO
    rows = looked(xy, time_s, scouts=scouts)
    assert np.abs(rows - jerk).min() == 0


def test_a_joint_that_vanishes_is_followed_nearly_to_where_it_does():
    time_s = np.arange(90) / 30
    score = np.full((90, 17), 0.9)
    score[41:, sk.LEFT_ANKLE] = 0.2
    rows = looked(peaks_of(walking(time_s, 0.1), score), time_s)
    assert rows[rows <= 40].max() >= 39
    assert len(rows) < 45


def test_a_body_of_unknown_size_is_looked_at_in_every_frame():
    time_s = np.arange(30) / 30
    nobody = peaks_of(walking(time_s, 0.0), 0.1)
    assert len(looked(nobody, time_s)) == 30


# ---- runs: nothing is interpolated across a cut


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_runs_have_neither_gaps_nor_cuts_nor_stands(data):
    count = data.draw(st.integers(1, 40))
    followed = np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    steps = data.draw(st.lists(st.integers(0, 1), min_size=count, max_size=count))
    stands = np.array(data.draw(st.lists(st.booleans(), min_size=count, max_size=count)))
    shots = np.where(stands, -1, np.cumsum(steps)).astype(np.int32)
    runs = runs_of(followed, shots)
    every = np.concatenate([*runs, np.zeros(0, int)])
    np.testing.assert_array_equal(every, np.flatnonzero(followed & ~stands))
    for run in runs:
        assert (np.diff(run) == 1).all()
        assert len(set(shots[run])) == 1
    for one, other in itertools.pairwise(runs):
        assert other[0] - one[-1] > 1 or shots[one[-1]] != shots[other[0]]


def test_both_sides_of_a_cut_are_looked_at():
    time_s = np.arange(60) / 30
    xy = walking(time_s, 0.1)
    xy[30:] += 200
    runs = [np.arange(30), np.arange(30, 60)]
    rows = looked(xy, time_s, runs=runs)
    assert {0, 29, 30, 59} <= set(rows.tolist())
    assert len(rows) < 25


# ---- interpolation


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.floats(0.05, 1))
def test_frames_between_lie_between_their_neighbours(seed, share):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 40))
    seen = rng.random(count) < share
    seen[[0, -1]] = True
    time_s = np.cumsum(rng.uniform(0.005, 0.1, count))
    xy = rng.uniform(0, 500, (count, 17, 2)).astype(np.float32)
    score = rng.uniform(0.1, 1, (count, 17)).astype(np.float32)
    lost = rng.random((count, 17)) < 0.2
    xy[lost], score[lost] = np.nan, 0
    where, sure = interpolated(xy, score, time_s, seen)
    np.testing.assert_array_equal(where[seen], xy[seen])
    np.testing.assert_array_equal(sure[seen], score[seen])
    for a, b in itertools.pairwise(np.flatnonzero(seen)):
        part, least = where[a + 1 : b], np.minimum(score[a], score[b])
        assert (sure[a + 1 : b] == least).all()
        assert (np.isnan(part).any(-1) == (least == 0)).all()
        known = least > 0
        low, high = (pick(xy[a], xy[b])[known] for pick in (np.minimum, np.maximum))
        assert (part[:, known] >= low - 1e-3).all()
        assert (part[:, known] <= high + 1e-3).all()


# ---- what figures rest on


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_frames_that_figures_rest_on_are_asked_for(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 80))
    time_s = np.cumsum(rng.uniform(0.01, 0.05, count))
    seen = rng.random(count) < rng.uniform(0, 0.6)
    begin = rng.uniform(-0.2, time_s[-1], int(rng.integers(0, 5)))
    rests = [
        (float(at), float(at + rng.uniform(0, 0.6)), float(rng.choice([0.0, 0.07]))) for at in begin
    ]
    wanted = frames_of(rests, time_s, seen)
    assert not (wanted & seen).any()
    both = seen | wanted
    assert not frames_of(rests, time_s, both).any()
    for start_s, end_s, gap_s in rests:
        inside = np.flatnonzero((time_s >= start_s) & (time_s <= end_s))
        if gap_s == 0:
            assert both[inside].all()
        elif len(inside):
            for row in inside:
                before = np.flatnonzero(both[: row + 1])
                assert len(before)
                assert time_s[row] - time_s[before[-1]] <= gap_s + 1e-9
    if not rests:
        assert not wanted.any()


def test_of_a_dense_film_only_some_frames_are_asked_for():
    time_s = np.arange(240) / 240
    none = np.zeros(240, bool)
    assert frames_of([(0.4, 0.6, 0.07)], time_s, none).sum() <= 4
    assert frames_of([(0.4, 0.6, 0.0)], time_s, none).sum() == pytest.approx(49, abs=1)


# ---- the small network


def scouted_frames(xy: np.ndarray, time_s: np.ndarray, runs=None) -> np.ndarray:
    """bool (T,): the frames that the small network looks at, where it sees ``xy`` (T, 17, 2)."""
    runs = [np.arange(len(time_s))] if runs is None else runs
    scouts = peaks_of(xy)[:, :, 0]
    seen = now_and_then(time_s, runs)
    scouts[~seen] = np.nan
    more = where_fast(scouts, time_s, runs, seen)
    assert not (more & seen).any()
    return seen | more


@settings(max_examples=25, deadline=None)
@given(
    fps=st.sampled_from([10.0, 15.0, 24.0, 30.0, 60.0, 120.0]),
    speed=st.floats(0, 0.8 * adaptive.FAST),
)
def test_the_small_network_looks_now_and_then_where_nobody_moves_fast(fps, speed):
    time_s = np.arange(round(2 * fps)) / fps
    seen = np.flatnonzero(scouted_frames(walking(time_s, speed), time_s))
    assert {0, len(time_s) - 1} <= set(seen.tolist())
    assert longest_gap_s(seen, time_s) <= adaptive.SCOUT_S + 1 / fps
    assert len(seen) <= time_s[-1] / adaptive.SCOUT_S + 2


@settings(max_examples=25, deadline=None)
@given(fps=st.sampled_from([24.0, 30.0, 60.0]), speed=st.floats(1.5 * adaptive.FAST, 9))
def test_the_small_network_looks_at_all_of_a_fast_movement(fps, speed):
    time_s = np.arange(round(2 * fps)) / fps
    seen = scouted_frames(with_fast_hand(time_s, speed), time_s)
    assert seen[(time_s > 0.9) & (time_s < 1.2)].all()
    assert not seen.all()


def test_the_small_network_looks_at_all_frames_of_a_body_of_unknown_size():
    time_s = np.arange(30) / 30
    assert scouted_frames(np.full((30, 17, 2), np.nan), time_s).all()


def test_the_small_network_does_not_look_across_a_cut_nor_outside_the_runs():
    time_s = np.arange(60) / 60
    runs = [np.arange(5, 25), np.arange(25, 50)]
    seen = scouted_frames(walking(time_s, 0.1), time_s, runs)
    assert seen[[5, 24, 25, 49]].all()
    assert not seen[:5].any()
    assert not seen[50:].any()


def test_what_the_small_network_left_out_lies_between_what_it_saw():
    time_s = np.arange(31) / 30
    xy = squat(time_s, period_s=1.0, depth=40)
    whole = peaks_of(xy)
    whole[:, 3, 1] = (7, 8, 0.2)
    some = whole.copy()
    skipped = ~now_and_then(time_s, [np.arange(31)])
    assert skipped.any()
    some[skipped] = np.nan
    found = filled(some, time_s, [np.arange(31)])
    np.testing.assert_array_equal(found[~skipped], whole[~skipped])
    assert np.abs(found[:, :, 0] - whole[:, :, 0]).max() < 0.03 * TORSO
    np.testing.assert_array_equal(found[:, 3, 1], whole[:, 3, 1])  # those of the frame before


def test_before_the_first_and_after_the_last_answer_nothing_is_filled():
    peaks = peaks_of(walking(np.arange(10) / 30, 0.5))
    peaks[[0, 1, 4, 9]] = np.nan
    found = filled(peaks, np.arange(10) / 30, [np.arange(10)])
    assert np.isnan(found[[0, 1, 9], :, 0, :2]).all()
    assert np.isfinite(found[2:9, :, 0]).all()
    assert np.isnan(filled(np.full_like(peaks, np.nan), np.arange(10.0), [np.arange(10)])).all()
