"""What the bar adds to repetitions: nothing without a scale, and figures of life in slow motion."""

from dataclasses import replace

import numpy as np
import pytest

from gymform.form import bar as form_bar
from gymform.motion.slow_motion import at_speed
from gymform.types import Measure, RepForm
from tests import fakes


def form(*spans, **changes):
    return fakes.make_form(repetitions=tuple(RepForm(*span, ()) for span in spans), **changes)


def with_bar(report, bar, slower=1.0):
    pose = fakes.make_pose()
    tracks = fakes.make_tracks(pose)
    return form_bar.with_bar(report, bar, at_speed(pose, 1 / slower), tracks, slower)


def values(report):
    return [{m.key: m.value for m in rep.measures} for rep in report.repetitions]


def test_rise_and_speed_of_a_whole_repetition():
    bar = fakes.make_bar()
    [found] = values(with_bar(form((0.0, bar.time_s[-1])), bar))
    assert found["bar_rise"] == pytest.approx(8.0, abs=0.2)  # 40 px of 2 mm
    assert found["bar_peak"] == pytest.approx(0.040 * 2 * np.pi / bar.time_s[-1], rel=0.05)
    assert found["bar_drift"] == pytest.approx(0, abs=0.01)
    assert 0 < found["bar_speed"] < found["bar_peak"]


def test_without_a_scale_there_are_no_figures():
    report = form((0.0, 2.9))
    assert with_bar(report, fakes.make_bar(mm_per_px=None)) == report


def test_without_a_scale_the_plate_still_tells_the_speed_of_the_set():
    time_s = np.arange(180) / 30
    way = 120 + 40 * np.sin(np.pi * time_s / 3) ** 2
    xy = np.stack([0 * way, way], axis=1)
    speed = np.gradient(xy, time_s, axis=0)
    bar = fakes.make_bar(180, xy=xy, still=xy, velocity=speed, mm_per_px=None)
    report = with_bar(form((0.0, 3.0), (3.0, 5.9), set_speed=fakes.make_set_speed()), bar)
    assert report.set_speed.by == "plate"
    assert all(not rep.measures for rep in report.repetitions)


def test_a_repetition_that_is_cut_off_has_none():
    report = form((0.0, 2.9))
    cut = replace(report.repetitions[0], cut_off_by="the end of the clip")
    report = replace(report, repetitions=(cut,))
    assert with_bar(report, fakes.make_bar()) == report


@pytest.mark.parametrize("slower", [2.0, 4.0])
def test_slow_motion_is_taken_out_of_speeds_and_not_out_of_moments(slower):
    bar = fakes.make_bar()
    slow = replace(bar, time_s=bar.time_s * slower, velocity=bar.velocity / slower)
    end = float(bar.time_s[-1])
    [real] = with_bar(form((0.0, end)), bar).repetitions
    [film] = with_bar(form((0.0, end * slower)), slow, slower).repetitions
    for one, other in zip(real.measures, film.measures, strict=True):
        assert other.value == pytest.approx(one.value)
        assert other.at_s == pytest.approx(one.at_s * slower)


def test_a_pull_is_told_by_the_plate():
    caught = Measure("thigh_below_level", "Depth", 5.0, "° below level", 2.8)
    report = replace(form(exercise="snatch"), repetitions=(RepForm(0.0, 2.9, (caught,)),))
    [rep] = with_bar(report, fakes.make_bar()).repetitions
    assert any(m.unit == "m/s" and m.key.endswith("_peak") for m in rep.measures)


def test_a_path_is_drawn_from_where_the_bar_begins_to_rise():
    early = Measure("bar_speed", "Mean speed of the bar", 1.2, "m/s", 0.7)
    spans = [(1.0, 2.0, early), (3.0, 4.0, replace(early, at_s=3.5)), (5.0, 6.0, None)]
    reps = tuple(RepForm(a, b, (m,) if m else ()) for a, b, m in spans)
    cut = RepForm(7.0, 8.0, (), "a cut")
    report = fakes.make_form(repetitions=(*reps, cut))
    assert form_bar.spans_of_path(report) == [(0.7, 2.0), (3.0, 4.0), (5.0, 6.0)]


def test_a_repetition_whose_plate_is_hidden_on_the_way_up_is_named():
    bar = fakes.make_bar()
    velocity = bar.velocity.copy()
    velocity[60:66] = np.nan
    report = with_bar(form((0.0, bar.time_s[-1])), replace(bar, velocity=velocity))
    assert values(report) == [{}]
    assert report.notes[-1].startswith(f"{form_bar.NOT_MEASURED}repetition 1: its plate")
