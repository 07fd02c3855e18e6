"""Quality: good clips score well, each kind of problem lowers the score and is named."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gymform import skeleton as sk
from gymform.motion.clean import clean
from gymform.motion.quality import assess
from tests.motion.makers import sequence, sparsely, squat_sequence

SWAP = list(sk.FLIP_ORDER)


def quality_of(xy, time_s, score=0.9, **how):
    pose = sequence(xy, time_s, score, **how)
    return assess(pose, clean(pose))


@pytest.fixture
def good():
    return squat_sequence(30.0)


def test_a_good_clip_has_nothing_to_note(good):
    quality = assess(good, clean(good))
    assert quality.score > 0.9
    assert quality.notes == ()
    assert quality.coverage == 1
    assert quality.missing == 0
    assert quality.mean_confidence == pytest.approx(0.9)
    assert quality.swaps_per_100 == 0


def test_absent_frames_cost_coverage(good):
    xy = good.xy.copy()
    xy[: len(xy) // 2 + 30] = np.nan
    quality = quality_of(xy, good.time_s)
    assert quality.coverage == pytest.approx(75 / 210)
    assert quality.missing == 0  # of the frames with a person, none lacks a joint
    assert "36%" in quality.notes[0]


def test_low_scores_cost_confidence(good):
    quality = quality_of(good.xy, good.time_s, score=0.35)
    assert quality.mean_confidence == pytest.approx(0.35)
    assert quality.score < 0.6
    assert any("light" in note for note in quality.notes)


def test_missing_legs_are_missing_joints(good):
    xy = good.xy.copy()
    xy[:, sk.LEFT_KNEE :] = np.nan
    quality = quality_of(xy, good.time_s)
    assert quality.missing == pytest.approx(4 / 12)
    assert quality.score < 0.7


def test_trembling_is_jitter(good):
    rng = np.random.default_rng(0)
    quality = quality_of(good.xy + rng.normal(0, 5, good.xy.shape), good.time_s)
    assert quality.jitter > 0.08
    assert any("tremble" in note for note in quality.notes)


def test_stretching_limbs_are_bone_variation(good):
    wave = 1 + 0.6 * np.sin(2 * np.pi * good.time_s / 2)[:, None, None]
    quality = quality_of(good.xy * wave, good.time_s)
    assert quality.bone_variation > 0.3
    assert any("Limb lengths" in note for note in quality.notes)


def test_swapped_sides_are_counted(good):
    xy = good.xy * [2, 1]
    frames = np.arange(20, 200, 10)
    xy[frames] = xy[frames][:, SWAP]
    quality = quality_of(xy, good.time_s)
    assert quality.swaps_per_100 == pytest.approx(100 * 2 * len(frames) / 209, rel=0.05)
    assert any("Left and right" in note for note in quality.notes)


@pytest.mark.parametrize("count", [1, 2, 10])
def test_nobody_there(count):
    quality = quality_of(np.full((count, 17, 2), np.nan), np.arange(count) / 30)
    assert quality.score == 0
    assert quality.notes == ("Nobody was found in this clip.",)


def test_a_single_frame(good):
    quality = quality_of(good.xy[:1], good.time_s[:1])
    assert np.isfinite(quality.score)
    assert quality.jitter == 0


@settings(max_examples=20)
@given(st.floats(0, 1000), st.floats(0.3, 6), st.integers(0, 2**32 - 1))
def test_neither_place_nor_size_matters(shift, scale, seed):
    rng = np.random.default_rng(seed)
    pose = squat_sequence(20.0)
    xy = pose.xy + rng.normal(0, 1.5, pose.xy.shape)
    size = (9000, 9000)  # all of it in the picture
    plain = quality_of(xy + 500, pose.time_s, image_size=size)
    moved = quality_of((xy + 500) * scale + shift, pose.time_s, image_size=size)
    for name in ("score", "jitter", "bone_variation", "swaps_per_100"):
        assert getattr(moved, name) == pytest.approx(getattr(plain, name), rel=0.02, abs=1e-3)


# ---- what is said of the body


@pytest.mark.parametrize(("pair", "name"), [(sk.ANKLES, "ankles"), (sk.WRISTS, "wrists")])
def test_joints_that_the_picture_cuts_off_are_named_and_cost(good, pair, name):
    xy = good.xy.copy()
    xy[:, list(pair), 1] = 359  # the last row of the picture
    quality = quality_of(xy, good.time_s)
    assert quality.score < 0.8
    assert quality.missing == pytest.approx(2 / 12, abs=0.02)
    assert any(f"The {name} are hidden or outside" in note for note in quality.notes)


def test_legs_on_something_else_are_noticed(good):
    xy = good.xy.copy()
    hips = xy[:, [11, 12]].mean(1, keepdims=True)
    for joints in ([13, 14], [15, 16]):
        xy[:, joints] = hips + 2.4 * (xy[:, joints] - hips)
    quality = quality_of(xy, good.time_s, image_size=(2000, 2000))
    assert quality.score < 0.5
    assert any("do not fit together" in note for note in quality.notes)


def test_frames_that_were_not_looked_at_take_nothing_from_the_quality():
    whole, sparse = squat_sequence(), sparsely(squat_sequence())
    before, after = (assess(pose, clean(pose)) for pose in (whole, sparse))
    assert (after.coverage, after.missing) == (before.coverage, before.missing) == (1, 0)
    assert after.score == pytest.approx(before.score, abs=0.02)
