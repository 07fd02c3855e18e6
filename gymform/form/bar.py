"""What the bar's path adds to the form of repetitions: its rise and its speed, in cm and m/s."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from gymform.bar.carrier import Bar
from gymform.bar.figures import RepFigures, SetFigures, figures, track_of
from gymform.exercises import find_exercise, listed
from gymform.form.body import Body, bodies_of, nearest_body
from gymform.form.cues import with_set_speed
from gymform.form.loops import NOTE, facing_of, loop_measures, midfoot
from gymform.form.pulls import CATCHES, at_life_s_speed, with_pulls
from gymform.form.set_speed import better, speed_of_plate
from gymform.motion.slow_motion import at_speed, in_film
from gymform.types import CleanTracks, FormReport, Measure, PoseSequence, RepForm, whole_spans

BAR_SPEED = "bar_speed"
"""The key of the measure by which repetitions are compared."""


NOT_MEASURED = "The bar is not measured in "
"""How a note begins on repetitions without figures of the bar."""


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
    found = figures(bar, whole_spans(form.repetitions), slow_motion)
    by_plate = speed_of_plate(form.repetitions, found)
    form = with_set_speed(form, better(by_plate, form.set_speed))
    if not bar.found or (form.exercise not in CATCHES and bar.mm_per_px is None):
        return form
    exercise = find_exercise(form.exercise)
    bodies = bodies_of(
        at_speed(pose, slow_motion),
        in_film(tracks, 1 / slow_motion),
        lying=exercise is not None and exercise.lying,
    )
    track = at_life_s_speed(track_of(bar), slow_motion)
    form = with_pulls(form, bodies, track, bar.mm_per_px, slow_motion)
    return form if bar.mm_per_px is None else _in_metres(form, bar, found, bodies, slow_motion)


def _in_metres(
    form: FormReport, bar: Bar, seen: SetFigures, bodies: Sequence[Body], slow_motion: float
) -> FormReport:
    """``form`` with the measures of a bar that has a scale, made of a ``form`` without."""
    exercise = find_exercise(form.exercise)
    found = {one.start_s: one for one in seen.repetitions}
    sides, reasons = set(), []

    def measured(rep: RepForm) -> RepForm:
        one = None if rep.cut_off_by else found.get(rep.start_s)
        if one is None:
            return rep
        made = [*_measures(one, slow_motion)]
        if bodies:
            body = nearest_body(bodies, (rep.start_s + rep.end_s) / 2 / slow_motion)
            facing, feet = facing_of(body, exercise), midfoot(bar, body, exercise, one, slow_motion)
            made += loop_measures(bar, one, facing, feet, slow_motion)
            reasons.append(feet.why)
            sides.add(facing)
        return replace(rep, measures=(*rep.measures, *made))

    repetitions = tuple(measured(rep) for rep in form.repetitions)
    notes = (f"{NOTE}{why}." for why in dict.fromkeys(reasons) if why)
    return replace(
        form,
        repetitions=repetitions,
        notes=(*form.notes, *_not_seen(form.repetitions, found), *notes),
        facing=sides.pop() if len(sides) == 1 else None,
    )


def _not_seen(repetitions: Sequence[RepForm], found: Mapping[float, RepFigures]) -> Iterator[str]:
    """A sentence about the whole repetitions of which the bar has no figures, if there are any."""
    numbers = [
        str(number)
        for number, rep in enumerate(repetitions, 1)
        if not rep.cut_off_by and rep.start_s not in found
    ]
    if numbers:
        which = "repetitions" if len(numbers) > 1 else "repetition"
        yield (
            f"{NOT_MEASURED}{which} {listed(numbers, 'and')}: its plate is not seen all the way up."
        )


def spans_of_path(form: FormReport) -> list[tuple[float, float]]:
    """(start, end) in seconds of the whole repetitions, each with all of the bar's way up, which
    may begin before the lifter's repetition does."""
    found = []
    for rep in form.repetitions:
        rises = rep.value(BAR_SPEED)
        start = min(rep.start_s, rises.at_s) if rises else rep.start_s
        found += [] if rep.cut_off_by else [(start, rep.end_s)]
    return found


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
