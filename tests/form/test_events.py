"""The moments of a repetition that have a name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gymform.form.cues import assess_form
from gymform.form.events import BOTTOM, CATCH, END, START, TURN, Events, events_of
from gymform.motion.clean import clean
from gymform.motion.quality import assess
from gymform.types import FormReport, Measure, RepForm
from tests import fakes


def form_of(pose, label="squat", slow_motion=1.0):
    tracks = clean(pose)
    prediction = fakes.make_prediction(label)
    return tracks, assess_form(pose, tracks, assess(pose, tracks), prediction, slow_motion)


def test_a_squat_starts_turns_at_the_bottom_and_ends():
    pose = fakes.make_pose()
    tracks, form = form_of(pose)
    (events,) = events_of(pose, tracks, form)
    assert events.names == (START, BOTTOM, END)
    assert events.at(BOTTOM) == pytest.approx(1.48, abs=0.1)
    assert events.main == (BOTTOM, events.at(BOTTOM))
    assert events.at(CATCH) is None


def test_moments_of_slow_motion_are_those_of_the_film():
    pose = fakes.make_pose()
    tracks, form = form_of(pose)
    (real,) = events_of(pose, tracks, form)
    slow_pose, slow_tracks = (replace(one, time_s=one.time_s * 4) for one in (pose, tracks))
    slow_form = replace(form, repetitions=tuple(rep.in_film(4) for rep in form.repetitions))
    (slow,) = events_of(slow_pose, slow_tracks, slow_form, 4.0)
    assert [second for _, second in slow.moments] == pytest.approx(
        [4 * second for _, second in real.moments], abs=1e-5
    )


def test_a_movement_without_a_name_turns():
    pose = fakes.make_pose()
    tracks, form = form_of(pose, "other")
    events = events_of(pose, tracks, form)
    assert events[0].names == (START, TURN, END)
    assert events[0].at(TURN) == pytest.approx(1.48, abs=0.15)


def test_a_snatch_is_caught():
    pose = fakes.make_pose()
    catch = Measure("catch_elbow", "Elbow angle at the catch", 170.0, "°", 1.2)
    form = FormReport("snatch", 80.0, (RepForm(0.3, 2.5, (catch,)),))
    (events,) = events_of(pose, clean(pose), form)
    assert events.moments == ((START, 0.3), (CATCH, 1.2), (END, 2.5))


def test_moments_always_rise_and_where_nobody_was_seen_the_ends_remain():
    pose = fakes.make_pose()
    nobody = replace(pose, xy=np.full_like(pose.xy, np.nan), score=np.zeros_like(pose.score))
    form = FormReport("squat", 80.0, (RepForm(0.5, 2.5, ()), RepForm(2.5, 2.9, ())))
    for events in events_of(nobody, clean(nobody), form):
        assert events.names == (START, END)
    late = Measure("catch_elbow", "", 170.0, "°", 5.0)
    form = FormReport("snatch", 80.0, (RepForm(0.3, 2.5, (late,)),))
    (events,) = events_of(pose, clean(pose), form)
    seconds = [second for _, second in events.moments]
    assert seconds == sorted(set(seconds))


def test_the_first_moment_stands_for_a_repetition_without_a_main_one():
    assert Events(((START, 0.5), (END, 1.0))).main == (START, 0.5)
