"""How a set slows down: the loss of speed of each repetition against the fastest before it.

No scale is needed. It is told by the plate where that is followed, else by the hands where they
hold the load, else by the part of the body that an exercise names (Sanchez-Medina &
Gonzalez-Badillo, "Velocity loss as an indicator of neuromuscular fatigue during resistance
training", Med Sci Sports Exerc 2011).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from gymform.bar.figures import LOSS, SetFigures, figures_of_hands, loss_of
from gymform.bar.hands import hands_of
from gymform.exercises import Exercise, Speed, listed
from gymform.form.body import around
from gymform.types import BODY, HANDS, PLATE, PoseSequence, RepForm, Rest, SetSpeed, whole_spans

WHOLE = 0.7
"""A repetition that rises less than this share of the highest one is partial: its speed does not
compare."""

OUTLIER = 1.7
"""A repetition this many times as fast as the median is a cut in the film."""

UNSURE_S = {PLATE: 0.05, HANDS: 0.2, BODY: 0.2}
"""When a lift begins and ends is known to within so many seconds together."""

UNSEEN = {
    PLATE: "the plate was not seen all the way up",
    HANDS: "the hands were not seen all the way up",
    BODY: "its speed was not seen",
}
"""Why a repetition without a lift does not count."""

PARTIAL = "it rises less than the others"
SUDDEN = "it is faster than can be"


@dataclass(frozen=True)
class Lift:
    """The way up of a repetition from second ``lifts_s`` of the clip: its mean ``speed`` in any
    length a second, and how many ``seconds`` of life it takes."""

    speed: float
    seconds: float
    lifts_s: float

    @property
    def rise(self) -> float:
        """How far it goes up."""
        return self.speed * self.seconds


def speed_of_plate(repetitions: Sequence[RepForm], found: SetFigures) -> SetSpeed | None:
    """The speed of a set by what was ``found`` of the plate's path in its whole repetitions; None
    of fewer than two."""
    return compared(repetitions, _lifts(repetitions, found), PLATE, "the plate of the bar")


def speed_of_lifter(
    repetitions: Sequence[RepForm],
    pose: PoseSequence,
    exercise: Exercise | None,
    slow_motion: float = 1.0,
    asked: list[Rest] | None = None,
) -> SetSpeed | None:
    """The speed of a set by the hands, where they hold the load, else by the lifter's body.

    ``pose`` is at life's speed, ``repetitions`` are those of a film that is ``slow_motion`` times
    slower. None of fewer than two repetitions, and of a movement without a name in which they are
    not alike. To ``asked`` is added when the hands begin and end to lift, in life's seconds.
    """
    if len(whole_spans(repetitions)) < 2:
        return None
    if in_hands(exercise) and not any(rep.side for rep in repetitions):
        spans = [(a / slow_motion, b / slow_motion) for a, b in whole_spans(repetitions)]
        hands = hands_of(pose, spans)
        if hands is not None and not hands.shoulders:
            lifts = _lifts(repetitions, figures_of_hands(hands, spans), slow_motion)
            found = compared(repetitions, lifts, HANDS, "the hands")
            if found and (exercise or found.count == len(spans)):
                ends = [(one.lifts_s / slow_motion, one.seconds) for one in lifts.values()]
                moments = (second for start, long in ends for second in (start, start + long))
                if asked is not None:
                    asked += map(around, moments)
                return found
    return compared(repetitions, _of_body(repetitions), BODY, f"the {_what(exercise)}")


def better(plate: SetSpeed | None, lifter: SetSpeed | None) -> SetSpeed | None:
    """The one to go by: the plate's, unless it lacks most of what the lifter's has."""
    if plate is None or lifter is None:
        return plate or lifter
    return plate if 2 * plate.count > lifter.count else lifter


def compared(
    repetitions: Sequence[RepForm], lifts: Mapping[int, Lift], by: str, what: str
) -> SetSpeed | None:
    """The speed of a set whose ``lifts`` were measured, by the index of their repetition."""
    why = _left_out(repetitions, lifts, by)
    full = [i for i in sorted(lifts) if i not in why]
    if len(full) < 2:
        return None
    losses = dict(zip(full, loss_of(np.array([lifts[i].speed for i in full])), strict=True))
    unsure = {i: 100 * UNSURE_S[by] / lifts[i].seconds for i in full}
    last = full[-1]
    every = range(len(repetitions))
    return SetSpeed(
        by=by,
        what=what,
        losses=tuple(round(float(losses[i]), 1) if i in losses else None for i in every),
        lifts_s=tuple(lifts[i].lifts_s if i in losses else None for i in every),
        left_out=tuple(why.get(i) for i in every),
        loss=round(float(losses[last]), 1),
        unsure=round(unsure[last], 1),
        slowed_from=next((i + 1 for i in full if losses[i] > LOSS + unsure[i]), None),
    )


def _left_out(repetitions: Sequence[RepForm], lifts: Mapping[int, Lift], by: str) -> dict[int, str]:
    """Why repetitions do not count, by their index."""
    why = {
        i: f"cut off by {rep.cut_off_by}" if rep.cut_off_by else UNSEEN[by]
        for i, rep in enumerate(repetitions)
        if i not in lifts
    }
    highest = max((lift.rise for lift in lifts.values()), default=0.0)
    part = {i for i, one in lifts.items() if one.speed <= 0 or one.rise < WHOLE * highest}
    speeds = {i: one.speed for i, one in lifts.items() if i not in part}
    usual = median(speeds.values()) if speeds else 0.0
    sudden = {i for i, speed in speeds.items() if speed >= OUTLIER * usual}
    return why | dict.fromkeys(part, PARTIAL) | dict.fromkeys(sudden, SUDDEN)


def in_words(found: SetSpeed) -> str:
    """Such as "Slower by 27 % in the last repetition than in the fastest; ..."."""
    where = last_in_words(found)
    if found.loss <= found.unsure:
        how = f"{found.loss:.0f} % slower, which is within what it is uncertain by"
        said = f"As fast in {where} as in the fastest, as far as can be told ({how})."
    else:
        said = f"Slower by {found.loss:.0f} % in {where} than in the fastest"
        said += f" (give or take {found.unsure:.0f}){_since(found)}."
    return f"{said} Told by the path of {found.what}."


def last_in_words(found: SetSpeed) -> str:
    """What the last repetition that counts is called."""
    if found.last == len(found.losses):
        return "the last repetition"
    return f"repetition {found.last} (the last that counts)"


def _since(found: SetSpeed) -> str:
    """From which repetition on the loss is surely large, as a clause."""
    if found.slowed_from is None:
        return ""
    later = [loss for loss in found.losses[found.slowed_from - 1 :] if loss is not None]
    if min(later) > LOSS:
        return f"; more than {LOSS:.0f} % from repetition {found.slowed_from} on"
    return f"; more than {LOSS:.0f} % first in repetition {found.slowed_from}"


def not_counted(found: SetSpeed) -> str:
    """A sentence about the repetitions that do not count; "" where all do."""
    reasons: dict[str, list[str]] = {}
    for number, why in enumerate(found.left_out, 1):
        if why:
            reasons.setdefault(why, []).append(str(number))
    named = [f"{'repetition' if len(n) == 1 else 'repetitions'} {listed(n, 'and')} ({why})"
             for why, n in reasons.items()]  # fmt: skip
    return f"Not counted: {listed(named, 'and')}." if named else ""


def _lifts(
    repetitions: Sequence[RepForm], found: SetFigures, slow_motion: float = 1.0
) -> dict[int, Lift]:
    """The lifts of figures whose moments are those of a film divided by ``slow_motion``."""
    each = {one.start_s: one for one in found.repetitions}
    return {
        i: Lift(one.speed, one.seconds, one.lifts_s * slow_motion)
        for i, rep in enumerate(repetitions)
        if not rep.cut_off_by and (one := each.get(rep.start_s / slow_motion))
    }


def _of_body(repetitions: Sequence[RepForm]) -> dict[int, Lift]:
    """The lifts by the measures of repetitions."""
    found = {}
    for i, rep in enumerate(repetitions):
        rise, speed = rep.value("rise"), rep.value("speed")
        if rise and speed and rise.value > 0 and speed.value > 0:
            found[i] = Lift(speed.value, rise.value / speed.value, speed.at_s)
    return found


def in_hands(exercise: Exercise | None) -> bool:
    """Do the hands hold what is lifted? So in anything that has no name."""
    if exercise is None:
        return True
    named = [one.what for one in exercise.measures if isinstance(one, Speed)]
    return "hands" in named or (exercise.barbell and not named)


def _what(exercise: Exercise | None) -> str:
    """The part of the body that the speed of an exercise is told by."""
    named = [one.what for one in exercise.measures if isinstance(one, Speed)] if exercise else []
    return named[0] if named else "hands"
