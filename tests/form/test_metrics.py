"""Figures of repetitions against what is true of a jointed figure in space."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gymform import skeleton as sk
from gymform.exercises import SNATCH, SQUAT, Most, Spread, find_exercise
from gymform.form import metrics
from gymform.form.body import body_of
from gymform.form.metrics import Repetition, measure, why_missing
from gymform.form.phases import phases_of
from gymform.motion.clean import clean
from gymform.motion.repetitions import whole_repetitions
from gymform.training.exercise import synthesize
from tests.form.figures import angle_at, below_level, deadlift, film, once, squat


def figures(points, degrees, exercise, fps=30.0):
    """The measures of the only repetition, by key."""
    pose, tracks = film(points, degrees, fps)
    return figures_of(pose, tracks, exercise)


def figures_of(pose, tracks, exercise):
    (span,) = whole_repetitions(tracks)
    return {
        m.key: m for m in measure(body_of(pose, tracks), find_exercise(exercise), *span).measures
    }


# ---- squat


@pytest.mark.parametrize("depth", [0.12, 0.24, 0.34])
@pytest.mark.parametrize("degrees", [0, 45, 90])
def test_depth_is_that_in_space_from_any_side(depth, degrees):
    points = squat(once(30), depth)
    found = figures(points, degrees, "squat")["thigh_below_level"]
    assert found.value == pytest.approx(below_level(points).max(), abs=3)
    assert found.at_s == pytest.approx(1.9, abs=0.3)  # 0.5 of rest, 1.2 down, 0.4 held


def test_angles_at_the_bottom_from_the_side_alone():
    points = squat(once(30), lean=0.7, knees_out=0.0)
    found = figures(points, 90, "squat")
    knee = angle_at(points, sk.LEFT_KNEE, sk.LEFT_HIP, sk.LEFT_ANKLE).min()
    assert found["knee_angle"].value == pytest.approx(knee, abs=4)
    assert found["trunk_lean"].value == pytest.approx(np.degrees(0.7), abs=3)
    assert found["tip"].value < 2
    from_front = figures(points, 0, "squat")
    assert not {"knee_angle", "hip_angle", "trunk_lean", "tip"} & set(from_front)
    assert "knees_apart" in from_front
    assert "knees_apart" not in found


def test_hips_that_rise_first_tip_the_trunk():
    points = squat(once(30, up_s=1.8), tip=0.4)
    trunk = points[:, sk.LEFT_SHOULDER] - points[:, sk.LEFT_HIP]
    lean = np.degrees(np.arctan2(np.abs(trunk[:, 2]), -trunk[:, 1]))
    more = lean.max() - np.degrees(0.6)
    assert more > 15
    assert figures(points, 90, "squat")["tip"].value == pytest.approx(more, abs=4)


def test_knees_come_inwards():
    wide = figures(squat(once(30), knees_out=0.6), 0, "squat")["knees_apart"].value
    narrow = figures(squat(once(30), knees_out=-0.25), 0, "squat")["knees_apart"].value
    assert wide > 110
    assert narrow < 65


def test_times_are_those_of_the_phases():
    found = figures(squat(once(30, down_s=2.0, hold_s=1.0, up_s=0.8)), 90, "squat")
    assert found["lowering_s"].value == pytest.approx(2.0, abs=0.15)
    assert found["lifting_s"].value == pytest.approx(0.8, abs=0.15)
    assert found["hold_s"].value == pytest.approx(1.0, abs=0.2)
    assert found["rise"].value == pytest.approx(100 * (0.3 + 0.288 * (1 - np.cos(0.6))), rel=0.1)


# ---- deadlift


@pytest.mark.parametrize("facing", [90, -90])
def test_a_deadlift_from_either_side(facing):
    u = once(30, down_s=1.5, hold_s=0.8)
    found = figures(deadlift(u), facing, "deadlift")
    assert found["top_hip"].value > 168
    assert found["top_knee"].value > 160
    assert found["start_lean"].value > 50
    assert found["lifting_s"].value == pytest.approx(1.5, abs=0.15)
    assert abs(found["bar_ahead"].value) < 8
    ahead = figures(deadlift(u, before=0.12), facing, "deadlift")["bar_ahead"].value
    assert ahead - found["bar_ahead"].value == pytest.approx(12, abs=2)


def test_hips_that_stay_bent_at_the_top():
    points = deadlift(once(30), soft=np.radians(25))
    hip = angle_at(points, sk.LEFT_HIP, sk.LEFT_SHOULDER, sk.LEFT_KNEE).max()
    assert hip < 155
    assert figures(points, 90, "deadlift")["top_hip"].value == pytest.approx(hip, abs=4)


def test_half_a_repetition_has_no_other_half():
    points = deadlift(once(30))[: round(30 * 1.9)]  # up, and held
    found = figures(points, 90, "deadlift")
    assert "lifting_s" in found
    assert not {"lowering_s", "hold_s"} & set(found)
    assert found["top_hip"].value > 165


# ---- snatch, and what is not known


def test_snatches_are_caught_on_straight_arms():
    for seed in range(6):
        points = synthesize.snatch(np.random.default_rng(seed))
        pose, tracks = film(points, 20, synthesize.BASE_HZ)
        body = body_of(pose, tracks)
        rep = measure(body, SNATCH, float(pose.time_s[0]), float(pose.time_s[-1]))
        assert rep.value("catch_elbow").value > 150
        assert rep.value("press_out").value < 20
        assert 0.3 < rep.value("pull_s").value < 2
        assert rep.value("thigh_below_level").value == pytest.approx(
            below_level(points)[int(rep.value("thigh_below_level").at_s * synthesize.BASE_HZ)],
            abs=8,
        )


@pytest.mark.parametrize(("upper", "told"), [(0.25, False), (0.6, True)])
def test_arms_that_look_too_short_say_nothing_of_the_catch(upper, told):
    """From the side a wide grip shortens the arms; behind a plate the wrists end short of it."""
    points = synthesize.snatch(np.random.default_rng(1))
    pose, _ = film(points, 90, synthesize.BASE_HZ)
    xy = pose.xy.copy()
    for shoulder, elbow, wrist in zip(sk.SHOULDERS, sk.ELBOWS, sk.WRISTS, strict=True):
        up = xy[:, wrist, 1] < xy[:, shoulder, 1]
        fore = 0.65 * (xy[up, wrist] - xy[up, elbow])
        xy[up, elbow] = xy[up, shoulder] + upper * (xy[up, elbow] - xy[up, shoulder])
        xy[up, wrist] = xy[up, elbow] + fore
    pose = replace(pose, xy=xy)
    body = body_of(pose, clean(pose))
    rep = measure(body, SNATCH, float(pose.time_s[0]), float(pose.time_s[-1]))
    assert rep.value("thigh_below_level") is not None
    for key in ("catch_elbow", "press_out"):
        assert (rep.value(key) is not None) is told
        if not told:
            assert "the arms look too short" in why_missing(body, SNATCH, key, rep)


def test_of_any_movement_the_ranges_are_measured():
    points = squat(once(30), knees_out=0.0)
    found = figures(points, 90, "unknown")
    knee = angle_at(points, sk.LEFT_KNEE, sk.LEFT_HIP, sk.LEFT_ANKLE)
    assert found["duration_s"].value == pytest.approx(2.6, abs=0.6)
    assert found["knee_range"].value == pytest.approx(np.ptp(knee), rel=0.1)


# ---- what is not seen is not measured


def test_joints_that_are_not_sure_are_left_out():
    points = squat(once(30))
    pose, tracks = film(points, 90, score=0.4)
    body = body_of(pose, tracks)
    assert measure(body, SQUAT, 0.5, 3.0).measures == ()


def test_from_the_side_the_near_joint_counts():
    pose, _ = film(squat(once(30), knees_out=0.0), 90)
    xy, score = pose.xy.copy(), pose.score.copy()
    far = [sk.LEFT_HIP, sk.LEFT_KNEE, sk.LEFT_ANKLE]
    xy[:, sk.LEFT_KNEE] += (15, 10)
    score[:, far] = 0.6
    guessed = replace(pose, xy=xy, score=score)
    found = figures_of(guessed, clean(guessed), "squat")["knee_angle"].value
    true = figures_of(pose, clean(pose), "squat")["knee_angle"].value
    assert found == pytest.approx(true, abs=1)


def test_bones_that_change_their_length_are_not_believed():
    """From the side a thigh of half its length is somewhere else."""
    pose, _ = film(squat(once(30)), 90)
    xy = pose.xy.copy()
    lowest = slice(40, 75)
    knees, hips = [sk.LEFT_KNEE, sk.RIGHT_KNEE], [sk.LEFT_HIP, sk.RIGHT_HIP]
    xy[lowest, hips[0]] = 0.6 * xy[lowest, hips[0]] + 0.4 * xy[lowest, knees[0]]
    xy[lowest, hips[1]] = 0.6 * xy[lowest, hips[1]] + 0.4 * xy[lowest, knees[1]]
    wrong = replace(pose, xy=xy)
    found = figures_of(wrong, clean(wrong), "squat")
    assert not {"thigh_below_level", "knee_angle", "hip_angle"} & set(found)
    assert "lowering_s" in found


def test_phases_need_most_of_the_frames():
    height = np.full(40, np.nan)
    height[:8] = 1.0
    assert phases_of(height, np.arange(40) / 10, 0, 39) is None


def test_a_cut_in_the_film_is_no_way_down():
    up = np.concatenate([np.full(10, 1.0), np.linspace(0.7, 1.0, 20), np.full(10, 1.0)])
    phases = phases_of(up, np.arange(40) / 10, 0, 39)
    assert phases.lowering is None
    assert phases.hold_s is None
    assert phases.bottom == 10
    assert abs(phases.lifting[0] - 10) <= 1
    assert abs(phases.lifting[1] - 29) <= 1


def test_who_sways_does_not_lift():
    height = 1 + 0.02 * np.sin(np.arange(40) / 5)
    assert phases_of(height, np.arange(40) / 10, 0, 39) is None
    assert phases_of(5 * height, np.arange(40) / 10, 0, 39) is not None


# ---- neither place nor size nor rate matters


@settings(max_examples=15)
@given(st.floats(0, 300), st.floats(0.4, 4), st.sampled_from([20.0, 24.0, 60.0, 120.0]))
def test_neither_place_nor_size_nor_rate_matters(shift, scale, fps):
    usual = figures(squat(once(30)), 80, "squat")
    pose, _ = film(squat(once(fps)), 80, fps)
    xy = (scale * pose.xy + shift).astype(np.float32)
    moved = replace(pose, xy=xy, image_size=(4000, 4000))
    found = figures_of(moved, clean(moved), "squat")
    assert set(found) == set(usual)
    for key, one in found.items():
        slack = 0.15 if one.unit == "s" else 0.02 * abs(usual[key].value) + 1.5
        assert one.value == pytest.approx(usual[key].value, abs=slack), key


def test_a_snatch_without_a_dip_has_no_catch():
    """Hands go from the hips to overhead while the lifter stands."""
    points = squat(np.zeros(90))
    rise = np.clip((np.arange(90) - 20) / 40, 0, 1)[:, None]
    for shoulder, elbow, wrist in (
        (sk.LEFT_SHOULDER, sk.LEFT_ELBOW, sk.LEFT_WRIST),
        (sk.RIGHT_SHOULDER, sk.RIGHT_ELBOW, sk.RIGHT_WRIST),
    ):
        up = points[:, shoulder, 1:2] * 0 + np.sign(
            points[:, sk.NOSE, 1:2] - points[:, shoulder, 1:2]
        )
        points[:, wrist, 1:2] = points[:, shoulder, 1:2] + up * 0.33 * (2 * rise - 1)
        points[:, elbow, 1:2] = points[:, shoulder, 1:2] + up * 0.18 * (2 * rise - 1)
    pose, tracks = film(points, 0)
    body = body_of(pose, tracks)
    rep = measure(body, SNATCH, 0.0, float(pose.time_s[-1]))
    assert rep.value("thigh_below_level").value < -60
    assert rep.value("catch_elbow") is None
    assert rep.value("press_out") is None
    assert "under the bar" in why_missing(body, SNATCH, "press_out", rep)


# ---- what is not seen


def leaning(hide):
    """A squat from the side, the lean of its trunk unknown where ``hide`` (T,) of it says so."""
    pose, tracks = film(squat(once(30), lean=0.7), 90, 30.0)
    body = body_of(pose, tracks)
    found = Repetition(0, len(tracks.time_s) - 1, None)
    return replace(body, lean=np.where(hide(body.lean), np.nan, body.lean)), found


def beside_the_most(lean):
    """Two frames before and two after the farthest lean: shorter than a gap, most of a moment."""
    steps = np.abs(np.arange(len(lean)) - np.nanargmax(lean))
    return (steps > 0) & (steps <= 2)


@pytest.mark.parametrize(
    ("figure", "wanted"),
    [(metrics._most, Most("m", "M", "lean")), (metrics._spread, Spread("m", "M", "lean"))],
)
def test_a_figure_whose_moment_was_not_seen_is_no_nought(figure, wanted):
    (known,) = figure(*leaning(np.isnan), wanted)
    assert known.value > 20
    (unknown,) = figure(*leaning(beside_the_most), wanted)
    assert np.isnan(unknown.value)


@pytest.mark.parametrize("value", [-3.0, 0.0, 2.0, np.nan])
def test_at_least_nought_or_unknown(value):
    found = metrics._at_least_zero(value)
    assert np.isnan(found) if np.isnan(value) else found == max(value, 0.0)


@given(st.floats(0.5, 0.95))
@settings(max_examples=20, deadline=None)
def test_an_extreme_beside_a_gap_may_lie_in_it(share):
    body, rep = leaning(lambda lean: lean > share * np.nanmax(lean))
    assert not list(metrics._most(body, rep, Most("m", "M", "lean")))


def test_hands_are_over_the_foot_that_stands():
    pose, tracks = film(deadlift(once(30), before=0.12), 90, 30.0)
    body = body_of(pose, tracks)
    lifted = body.xy.copy()
    lifted[:, sk.LEFT_ANKLE] -= np.array([0.4 * body.facing, 0.4]) * body.size
    before, after = (metrics._ahead_of_midfoot(one) for one in (body, replace(body, xy=lifted)))
    assert after == pytest.approx(before, abs=0.03, nan_ok=True)
