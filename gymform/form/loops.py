"""How far the bar goes sideways on its way up: forwards and backwards, and over the feet.

COCO's skeleton has ankles and no toes: the middle of the foot is taken to be `metrics.MIDFOOT`
before the ankle, 0.04 of the stature (a foot is 0.152 of it long: Drillis & Contini 1966; the
ankle stands a quarter of that from the heel). The plate is nearer to the camera than the feet, by
which the picture shifts it; hands that hold the bar straight tell by how much.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gymform.bar.carrier import Bar
from gymform.bar.figures import RepFigures
from gymform.exercises import Exercise
from gymform.form.body import Body
from gymform.form.metrics import MIDFOOT
from gymform.form.quantities import CM_BEFORE
from gymform.form.set_speed import in_hands
from gymform.motion.body_size import midpoint
from gymform.skeleton import ANKLES, WRISTS
from gymform.types import FormReport, Measure

MIDFOOT_START = "bar_midfoot"
"""The key of where the bar is over the feet as it begins to rise."""

KEYS = frozenset({"bar_forwards", "bar_backwards", MIDFOOT_START, "bar_midfoot_most"})
"""The keys of all measures made here."""

NOTE = "The distance of the bar from the midfoot is left out: "
"""How notes begin that say why."""

LEAST_SEEN = 0.25
"""Share of a lift's frames in which hands are seen, and ankles until the bar is fastest: feet stand
so long, and jump after it in a snatch or a clean."""

SPREAD_CM = 5.0
"""Hands hold the bar where the distance of plate and hands changes by less, cm: the middle half of
frames."""


@dataclass(frozen=True)
class Feet:
    """``x`` px of the midfoot in the bar's still picture, shifted as the plate is, or None and
    ``why`` not, as a clause."""

    x: float | None
    why: str | None = None


def facing_of(body: Body, exercise: Exercise | None) -> int | None:
    """1 where the lifter faces right in the picture, -1 left; None where that is not told."""
    if not body.from_side or (exercise is not None and exercise.lying):
        return None
    return int(body.facing)


def midfoot(
    bar: Bar, body: Body, exercise: Exercise | None, one: RepFigures, slow_motion: float = 1.0
) -> Feet:
    """Where the middle of the foot is in one repetition."""
    facing = facing_of(body, exercise)
    if facing is None:
        return Feet(None, "which way the lifter faces is told from the side only")
    if not in_hands(exercise):
        return Feet(None, "only hands that hold the bar before the body tell it")
    rows = lift_rows(bar, one, slow_motion)
    frames = np.searchsorted(body.time_s, bar.time_s[rows] / slow_motion - 1e-6)
    rows, frames = rows[frames < len(body.time_s)], frames[frames < len(body.time_s)]
    rows, frames = rows[body.observed[frames]], frames[body.observed[frames]]
    shift = bar.xy[rows, 0] - midpoint(body.xy[frames], WRISTS)[:, 0]
    if not len(rows) or np.isfinite(shift).mean() < LEAST_SEEN:
        return Feet(None, "the hands are not seen well enough")
    low, usual, high = np.nanpercentile(shift, (25, 50, 75))
    if (high - low) * (bar.mm_per_px or 1.0) / 10 > SPREAD_CM:
        return Feet(None, "plate and hands do not move as one")
    standing = bar.time_s[rows] <= one.lifts_s + one.time_to_peak_s * slow_motion + 1e-6
    ankles = _ankles(bar, body, rows[standing], frames[standing])
    if not len(ankles) or np.isfinite(ankles).mean() < LEAST_SEEN:
        return Feet(None, "the feet are not seen well enough, or only behind the plate")
    return Feet(float(np.nanmedian(ankles) + usual + facing * MIDFOOT * body.size))


def _ankles(bar: Bar, body: Body, rows: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Where the ankles' middle is in the bar's still picture, px (N,): NaN where it is not known.

    Behind the plate a network guesses them, by as much as a foot's length.
    """
    both = body.xy[frames][:, list(ANKLES)]  # (N, 2, 2)
    behind = np.linalg.norm(both - bar.xy[rows, None], axis=-1) < bar.r[rows, None]
    seen = np.where(behind[..., None], np.nan, both)
    return np.asarray(midpoint(seen, (0, 1))[:, 0] + (bar.still - bar.xy)[rows, 0])


def loop_measures(
    bar: Bar, one: RepFigures, facing: int | None, feet: Feet, slow_motion: float = 1.0
) -> Iterator[Measure]:
    """How far the bar goes to either side of the vertical through its start, and over the feet.

    Forwards is away from the lifter where the bar is pulled before the body. Nothing without a
    scale.
    """
    if facing is None or bar.mm_per_px is None:
        return
    rows = lift_rows(bar, one, slow_motion)
    rows = rows[np.isfinite(bar.still[rows, 0])]
    if not len(rows):
        return
    cm = bar.mm_per_px / 10
    ahead = facing * cm * (bar.still[rows, 0] - bar.still[rows[0], 0])
    for key, title, far in (
        ("bar_forwards", "Bar forwards of its start by", int(np.argmax(ahead))),
        ("bar_backwards", "Bar backwards of its start by", int(np.argmin(ahead))),
    ):
        yield Measure(key, title, abs(float(ahead[far])), "cm", float(bar.time_s[rows[far]]))
    if feet.x is None:
        return
    before = facing * cm * (bar.still[rows, 0] - feet.x)
    most = int(np.argmax(np.abs(before)))
    for key, title, at in (
        (MIDFOOT_START, "Bar from the midfoot, at its start", 0),
        ("bar_midfoot_most", "Bar from the midfoot, at most", most),
    ):
        yield Measure(key, title, float(before[at]), CM_BEFORE, float(bar.time_s[rows[at]]))


def midfoots(form: FormReport) -> list[tuple[float, float]]:
    """For each repetition that tells it a second of the clip, and how many cm the midfoot is to the
    right of the bar then."""
    if form.facing is None:
        return []
    found = (rep.value(MIDFOOT_START) for rep in form.repetitions)
    return [(one.at_s, -form.facing * one.value) for one in found if one]


def lift_rows(bar: Bar, one: RepFigures, slow_motion: float = 1.0) -> np.ndarray:
    """The frames in which the bar of a repetition goes up."""
    ends = one.lifts_s + one.seconds * slow_motion
    return np.flatnonzero((bar.time_s >= one.lifts_s - 1e-6) & (bar.time_s <= ends + 1e-6))
