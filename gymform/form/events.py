"""The moments of a repetition that have a name: where it starts, turns and ends.

They are what a strip of pictures shows and what two repetitions are laid over each other by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gymform.exercises import Exercise, find_exercise
from gymform.form.body import Body, bodies_of, nearest_body
from gymform.form.metrics import lifted
from gymform.form.phases import Phases, phases_of
from gymform.motion.slow_motion import at_speed, in_film
from gymform.skeleton import HIPS, SHOULDERS
from gymform.types import CleanTracks, FormReport, PoseSequence, RepForm

START, BOTTOM, CATCH, LOCKOUT, TURN, END = "start", "bottom", "catch", "lockout", "turn", "end"
TOP = "top"
"""Names of moments. ``turn`` is where a movement without a name of its own reverses."""


@dataclass(frozen=True)
class Events:
    """The moments of one repetition by name, in their order: seconds of the clip."""

    moments: tuple[tuple[str, float], ...]

    def at(self, name: str) -> float | None:
        """The second of the moment called ``name``; None where the repetition has none."""
        return next((second for one, second in self.moments if one == name), None)

    @property
    def names(self) -> tuple[str, ...]:
        """The names in order."""
        return tuple(name for name, _ in self.moments)

    @property
    def main(self) -> tuple[str, float]:
        """The moment that says most: the bottom, the catch or the lockout, else the turn."""
        wanted = (CATCH, BOTTOM, LOCKOUT, TOP, TURN)
        known = dict(self.moments)
        return next(((name, known[name]) for name in wanted if name in known), self.moments[0])


def events_of(
    pose: PoseSequence, tracks: CleanTracks, form: FormReport, slow_motion: float = 1.0
) -> list[Events]:
    """The moments of each repetition of ``form``, in its order.

    Moments are those of a clip that is ``slow_motion`` times slower than life.
    """
    exercise = find_exercise(form.exercise)
    lying = exercise is not None and exercise.lying
    real = at_speed(pose, slow_motion)
    bodies = bodies_of(real, in_film(tracks, 1 / slow_motion), lying=lying)
    return [_events(bodies, exercise, rep, slow_motion) for rep in form.repetitions]


def _events(
    bodies: Sequence[Body], exercise: Exercise | None, rep: RepForm, slow_motion: float
) -> Events:
    """The moments of one repetition, strictly rising; its ends alone where no more is known."""
    start_s, end_s = rep.start_s / slow_motion, rep.end_s / slow_motion
    inner: list[tuple[str, float]] = []
    if bodies:
        body = nearest_body(bodies, (start_s + end_s) / 2)
        inner = _inner(body, exercise, rep, (start_s, end_s), slow_motion)
    named = [one for one in inner if one[0] in (START, END)]
    first = next((second for name, second in named if name == START), start_s)
    last = next((second for name, second in named if name == END), end_s)
    moments = [(START, first), *(one for one in inner if one not in named), (END, last)]
    kept = [moments[0]]
    for name, second in moments[1:]:
        if second > kept[-1][1] + 1e-6:
            kept.append((name, second))
    return Events(tuple((name, round(second * slow_motion, 6)) for name, second in kept))


def _inner(
    body: Body,
    exercise: Exercise | None,
    rep: RepForm,
    span_s: tuple[float, float],
    slow_motion: float,
) -> list[tuple[str, float]]:
    """The moments in between, and start and end where the phases know them better."""
    catch = rep.value("catch_elbow") or (
        rep.value("thigh_below_level") if exercise and exercise.key == "snatch" else None
    )
    if catch:
        return [(CATCH, catch.at_s / slow_motion)]
    first, last = (body.frame_at(second) for second in span_s)
    way = lifted(body, exercise)
    phases = phases_of(body.height(SHOULDERS) if way is None else way, body.time_s, first, last)
    if phases is None and way is None:
        phases = phases_of(body.height(HIPS), body.time_s, first, last)
    return _of_phases(body.time_s, phases, _turns(exercise)) if phases else []


def _turns(exercise: Exercise | None) -> tuple[str, str]:
    """What the lowest and the highest moment of an exercise are called."""
    if exercise is None or not exercise.has_phases:
        return TURN, TURN
    return BOTTOM, LOCKOUT if exercise.signal is None else TOP


def _of_phases(
    time_s: np.ndarray, phases: Phases, names: tuple[str, str]
) -> list[tuple[str, float]]:
    """Moments between the phases: a squat turns at the bottom, a deadlift at the lockout."""
    spans = sorted(span for span in (phases.lowering, phases.lifting) if span)
    (low, high), is_known = names, names != (TURN, TURN)
    moments = [(START, float(time_s[spans[0][0]])), (END, float(time_s[spans[-1][1]]))]
    if phases.lowering and phases.lifting:
        turn = low if phases.lowering < phases.lifting else high
        frame = phases.bottom if turn == low and phases.lowering < phases.lifting else phases.top
        moments.insert(1, (turn, float(time_s[frame])))
    elif is_known:
        name, frame = (high, phases.top) if phases.lifting else (low, phases.bottom)
        moments.insert(1, (name, float(time_s[frame])))
    return moments
