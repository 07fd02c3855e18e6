"""What the bar's path adds to the form of repetitions: its rise and its speed, in cm and m/s."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gymform.bar.carrier import Bar
from gymform.bar.figures import RepFigures, figures, track_of
from gymform.form.body import bodies_of
from gymform.form.cues import with_set_speed
from gymform.form.pulls import CATCHES, at_life_s_speed, with_pulls
from gymform.form.set_speed import better, speed_of_plate, whole_spans
from gymform.motion.slow_motion import at_speed, in_film
from gymform.types import CleanTracks, FormReport, Measure, PoseSequence

BAR_SPEED = "bar_speed"
"""The key of the measure by which repetitions are compared."""


def with_bar(
    form: FormReport,
    bar: Bar,
    pose: PoseSequence,
    tracks: CleanTracks,
    slow_motion: float = 1.0,
) -> FormReport:
    """``form`` with what the ``bar`` says of it: the speed of the set, the phases of a pull, and
    its own measures where it has a scale.

    All of them speak of the moments of a clip that is ``slow_motion`` times slower than life.
    """
    by_plate = speed_of_plate(form.repetitions, bar, slow_motion)
    form = with_set_speed(form, better(by_plate, form.set_speed))
    form = _with_pulls(form, bar, pose, tracks, slow_motion)
    if bar.mm_per_px is None:
        return form
    spans = whole_spans(form.repetitions)
    found = {one.start_s: one for one in figures(bar, spans, slow_motion).repetitions}
    return replace(
        form,
        repetitions=tuple(
            replace(rep, measures=(*rep.measures, *_measures(found[rep.start_s], slow_motion)))
            if not rep.cut_off_by and rep.start_s in found
            else rep
            for rep in form.repetitions
        ),
    )


def _with_pulls(
    form: FormReport, bar: Bar, pose: PoseSequence, tracks: CleanTracks, slow_motion: float
) -> FormReport:
    """``form`` with the phases of a pull by the plate, where one is followed."""
    if form.exercise not in CATCHES or not bar.found:
        return form
    bodies = bodies_of(at_speed(pose, slow_motion), in_film(tracks, 1 / slow_motion))
    track = at_life_s_speed(track_of(bar), slow_motion)
    return with_pulls(form, bodies, track, bar.mm_per_px, slow_motion)


def _measures(one: RepFigures, slow_motion: float) -> Iterator[Measure]:
    """The measures of a repetition, as far as they are known."""
    begins = one.lifts_s
    fastest = begins + one.time_to_peak_s * slow_motion
    rows = (
        ("bar_rise", "Rise of the bar", one.rise_cm, "cm", begins),
        (BAR_SPEED, "Mean speed of the bar", one.mean_velocity, "m/s", begins),
        ("bar_peak", "Peak speed of the bar", one.peak_velocity, "m/s", fastest),
        ("bar_propulsive", "Mean propulsive speed", one.propulsive_velocity, "m/s", begins),
        ("bar_to_peak", "Time to the peak speed", one.time_to_peak_s, "s", fastest),
        ("bar_drift", "Bar away from the vertical", one.drift_cm, "cm", begins),
    )
    for key, title, value, unit, at_s in rows:
        if value is not None:
            yield Measure(key, title, value, unit, at_s)
