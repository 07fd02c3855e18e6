"""The phases of a pull: its moments are found where they are, and what is not seen is left out."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from gymform import skeleton as sk
from gymform.bar.figures import Track
from gymform.form.body import bodies_of
from gymform.form.pulls import (
    BENT,
    CAUGHT,
    FIRST,
    HIGHEST,
    LIFT_OFF,
    MOMENTS,
    OF_FASTEST,
    PHASES,
    SECOND,
    at_life_s_speed,
    pull_of,
    vertex,
    with_pulls,
)
from gymform.types import FormReport, Measure, RepForm
from tests.form.figures import deadlift, film, once

KNEE = ((0.0, 80), (0.3, 80), (0.8, 150), (0.95, 132), (1.1, 172), (1.4, 95), (1.7, 60), (2.6, 60))
SPEED = ((0.0, 0), (0.3, 0), (0.8, 1.2), (0.95, 1.3), (1.12, 1.9), (1.4, 0), (1.55, -0.6), (1.7, 0),
         (2.6, 0))  # fmt: skip
TRUE = {FIRST: 0.8, BENT: 0.95, SECOND: 1.1, HIGHEST: 1.4, CAUGHT: 1.7}
SPAN = (0.1, 2.5)


def along(points, time_s):
    return PchipInterpolator(*np.array(points, float).T)(time_s)


def lift(fps=50.0, knee=KNEE, speed=SPEED, hands=0.1):
    """(body, track) of a lift at 500 px a metre, with the hands so high above the ankles."""
    pose, tracks = film(deadlift(once(fps)), 90, fps)
    (body,) = bodies_of(pose, tracks)
    time_s = np.arange(0, 2.6, 1 / fps)
    count = len(time_s)
    body = replace(body, time_s=time_s, shots=body.shots[:count], xy=body.xy[:count].copy(),
                   angles=np.zeros((count, 17)), lean=body.lean[:count],
                   observed=body.observed[:count])  # fmt: skip
    body.angles[:, list(sk.KNEES)] = along(knee, time_s)[:, None]
    feet = body.xy[:, list(sk.ANKLES), 1].mean(1)
    body.xy[:, list(sk.WRISTS), 1] = (feet - hands * body.size)[:, None]
    velocity = np.stack([0 * time_s, -500 * along(speed, time_s)], 1)
    xy = np.cumsum(velocity, axis=0) / fps
    return body, Track(time_s, xy, velocity, np.ones(count, bool))


@pytest.mark.parametrize("fps", [30.0, 50.0, 120.0])
def test_every_moment_is_found_to_within_a_frame(fps):
    pull = pull_of(*lift(fps), SPAN, 1.7)
    assert pull.reasons == ()
    assert tuple(pull.moments) == MOMENTS
    for name, true in TRUE.items():
        assert pull.moments[name] == pytest.approx(true, abs=0.5 / fps)
    assert 0.3 < pull.moments[LIFT_OFF] < 0.45  # where it is faster than a twentieth


def form(**changes):
    caught = Measure("thigh_below_level", "Depth", 5.0, "° below level", 1.7)
    return FormReport("snatch", 90.0, (RepForm(*SPAN, (caught,)),), **changes)


def measures(report):
    return {m.key: m for m in report.repetitions[0].measures}


@pytest.mark.parametrize(("scale", "unit", "most"), [(2.0, "m/s", 1.9), (None, OF_FASTEST, 100)])
def test_durations_and_peak_speeds(scale, unit, most):
    body, track = lift()
    found = measures(with_pulls(form(), [body], track, scale))
    assert found["transition_s"].value == pytest.approx(0.15, abs=0.02)
    assert found["turnover_s"].value == pytest.approx(0.3, abs=0.02)
    assert found["second_pull_s"].at_s == pytest.approx(0.95, abs=0.01)
    assert found["turnover_peak"].value == pytest.approx(most, rel=0.02)
    assert found["catch_peak"].value == pytest.approx(0.6 * most / 1.9, rel=0.05)
    assert {m.unit for key, m in found.items() if key.endswith("_peak")} == {unit}


def test_without_a_scale_speeds_are_shares_of_the_whole_pull_s_fastest():
    body, track = lift()
    body.angles[:] = np.nan
    found = measures(with_pulls(form(), [body], track))
    assert found["catch_peak"].value == pytest.approx(100 * 0.6 / 1.9, rel=0.05)


def test_where_the_depth_is_not_seen_the_arms_tell_the_catch():
    body, track = lift()
    caught = Measure("catch_elbow", "Elbows", 170.0, "°", 1.7)
    report = FormReport("snatch", 90.0, (RepForm(*SPAN, (caught,)),))
    assert "catch_s" in measures(with_pulls(report, [body], track))


def test_phases_follow_each_other_without_a_gap():
    body, track = lift()
    found = measures(with_pulls(form(), [body], track))
    each = [found[f"{key}_s"] for key, _ in PHASES]
    ends = [one.at_s + one.value for one in each]
    assert ends[:-1] == pytest.approx([one.at_s for one in each[1:]])


def test_made_again_they_take_the_place_of_the_former_ones():
    body, track = lift()
    once_made = with_pulls(form(notes=("Something else.",)), [body], track, 2.0)
    assert with_pulls(once_made, [body], track, 2.0) == once_made


def test_slow_motion_changes_moments_and_not_durations():
    body, track = lift()
    real = measures(with_pulls(form(), [body], track, 2.0))
    slow = replace(track, time_s=track.time_s * 4, velocity=track.velocity / 4)
    rep = form().repetitions[0].in_film(4)
    report = replace(form(), repetitions=(rep,))
    filmed = measures(with_pulls(report, [body], at_life_s_speed(slow, 4), 2.0, 4))
    for key, one in real.items():
        assert filmed[key].value == pytest.approx(one.value)
        assert filmed[key].at_s == pytest.approx(4 * one.at_s)


def told(body, track):
    report = with_pulls(form(), [body], track)
    return {key[:-2] for key in measures(report) if key.endswith("_s")}, " ".join(report.notes)


def test_knees_hidden_at_their_bend_leave_the_first_two_phases_out():
    body, track = lift()
    body.angles[(body.time_s > 0.85) & (body.time_s < 1.0)] = np.nan
    found, why = told(body, track)
    assert found == {"turnover", "catch"}
    assert "first pull and transition are left out" in why


def test_without_knees_only_what_the_bar_tells():
    body, track = lift()
    body.angles[:] = np.nan
    found, why = told(body, track)
    assert found == {"catch"}
    assert "first pull, transition and second pull are left out" in why


def test_from_the_front_angles_of_knees_do_not_count():
    body, track = lift()
    found, why = told(replace(body, turned=10.0), track)
    assert found == {"catch"}
    assert "seen from the side only" in why


def test_a_single_bend_has_no_transition():
    smooth = ((0.0, 80), (0.3, 80), (1.1, 172), (1.4, 95), (1.7, 60), (2.6, 60))
    found, why = told(*lift(knee=smooth))
    assert found == {"turnover", "catch"}
    assert "no second bend of the knees is seen" in why


def test_from_the_hang_there_is_no_first_pull():
    found, why = told(*lift(hands=0.35))
    assert found == {"turnover", "catch"}
    assert "it begins from the hang" in why


def test_a_clip_that_begins_on_the_way_up_has_no_lift_off():
    body, track = lift()
    track.velocity[track.time_s < 0.5] = np.nan
    found, why = told(body, track)
    assert found == {"transition", "second_pull", "turnover", "catch"}
    assert "the lift-off is not in the clip" in why


def test_too_few_frames_a_second():
    found, why = told(*lift(fps=15))
    assert found == set()
    assert "too few frames" in why


def test_a_catch_that_was_not_seen():
    body, track = lift()
    report = with_pulls(FormReport("snatch", 90.0, (RepForm(*SPAN, ()),)), [body], track)
    assert report.notes == (
        "Phases of the pull: the pull is left out, since the catch is not seen.",
    )


def test_knees_and_bar_that_do_not_fit_each_other():
    late = tuple((t + (0.4 if t > 0 else 0), v) for t, v in SPEED[:-1])
    found, _ = told(*lift(speed=late))
    assert "second_pull" not in found


def test_other_exercises_and_what_is_cut_off_have_no_pull():
    body, track = lift()
    squat = replace(form(), exercise="squat")
    assert with_pulls(squat, [body], track) is squat
    cut = replace(form().repetitions[0], cut_off_by="a cut")
    report = replace(form(), repetitions=(cut,))
    assert with_pulls(report, [body], track) == report


def test_an_extreme_lies_between_frames():
    time_s = np.arange(5) / 10
    assert vertex(time_s, -((time_s - 0.23) ** 2), 2) == pytest.approx(0.23)
    assert vertex(time_s, time_s, 4) == 0.4
