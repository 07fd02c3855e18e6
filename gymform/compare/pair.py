"""Two repetitions compared: their curves, how they differ, and how their pictures fit together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gymform.compare.alignment import (
    EVENLY,
    Alignment,
    Movement,
    align,
    interpolated,
)
from gymform.form.body import Body, bodies_of
from gymform.form.events import Events, events_of
from gymform.motion.body_size import midpoint
from gymform.motion.slow_motion import at_speed, in_film
from gymform.skeleton import ANKLES, ELBOWS, HIPS, KNEES, WRISTS
from gymform.types import CleanTracks, FormReport, PoseSequence, RepForm

DEGREES, HEIGHTS = "°", "% of height"

USUAL = 3
"""From so many other repetitions on a band says where the lifter's own usually lie."""


@dataclass(frozen=True, eq=False)
class Take:
    """What is compared of a result: keypoints, form, how much slower than life its clip is."""

    pose: PoseSequence
    tracks: CleanTracks
    form: FormReport
    slow_motion: float = 1.0


@dataclass(frozen=True, eq=False)
class Curve:
    """One quantity over N samples: ``first`` and ``second`` (N,), NaN unknown, in ``unit``.

    Between ``low`` and ``high`` (N,) lie the first lifter's other repetitions; None for too few.
    """

    title: str
    unit: str
    first: np.ndarray
    second: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None


@dataclass(frozen=True)
class Fit:
    """How the second picture lies over the first: a point x, y of it goes to ``first + scale *
    (point - second)``, x ``mirrored`` where the lifters face opposite ways."""

    scale: float
    mirrored: bool
    first: tuple[float, float]
    second: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Pair:
    """Two repetitions, aligned and compared. ``frames`` int (2, N) are the frames of both clips."""

    alignment: Alignment
    frames: np.ndarray
    curves: tuple[Curve, ...]
    differences: tuple[tuple[str, str, float, float], ...]
    """(title, unit, first, second) of the measures that both have."""
    fit: Fit


def compare(
    first: Take, first_number: int, second: Take, second_number: int, how: str = EVENLY
) -> Pair:
    """Compare repetition ``first_number`` of one result with one of another, or of the same.

    Numbers count from 0. Raises IndexError where there is no such repetition.
    """
    takes, numbers = (first, second), (first_number, second_number)
    events = [events_of(one.pose, one.tracks, one.form, one.slow_motion) for one in takes]
    chosen = [events[k][numbers[k]] for k in (0, 1)]
    seen = [_Seen.of(takes[k], takes[k].form.repetitions[numbers[k]]) for k in (0, 1)]
    movements = (seen[0].movement(), seen[1].movement())
    alignment = align(chosen[0], chosen[1], how=how, movements=movements)
    others = [one for k, one in enumerate(events[0]) if k != first_number]
    frames = np.stack([
        _frames(first.pose.time_s, alignment.first_s),
        _frames(second.pose.time_s, alignment.second_s),
    ])  # fmt: skip
    return Pair(
        alignment,
        frames,
        tuple(_curves(first, seen, alignment, chosen[0], others, first_number)),
        _differences(takes[0].form.repetitions[numbers[0]], takes[1].form.repetitions[numbers[1]]),
        _fit(seen, takes, frames),
    )


@dataclass(frozen=True, eq=False)
class _Seen:
    """A lifter's body in the shot of a repetition, with the film's seconds."""

    body: Body
    time_s: np.ndarray

    @classmethod
    def of(cls, take: Take, rep: RepForm) -> _Seen:
        pose = at_speed(take.pose, take.slow_motion)
        bodies = bodies_of(pose, in_film(take.tracks, 1 / take.slow_motion))
        middle = (rep.start_s + rep.end_s) / 2 / take.slow_motion
        body = min(bodies, key=lambda body: float(np.abs(body.time_s - middle).min()))
        return cls(body, body.time_s * take.slow_motion)

    def quantities(self) -> dict[str, tuple[str, np.ndarray]]:
        """What is compared over time, by its title: unit and values (T,)."""
        body = self.body
        return {
            "Knee angle": (DEGREES, body.angle(KNEES)),
            "Hip angle": (DEGREES, body.angle(HIPS)),
            "Trunk lean": (DEGREES, body.lean),
            "Elbow angle": (DEGREES, body.angle(ELBOWS)),
            "Height of the hips": (HEIGHTS, 100 * body.height(HIPS)),
            "Height of the hands": (HEIGHTS, 100 * body.height(WRISTS)),
            "Hands before the ankles": (HEIGHTS, 100 * self._hands_ahead()),
        }

    def _hands_ahead(self) -> np.ndarray:
        """How far (T,) the hands are before the ankles, statures; NaN unless seen from the side."""
        body = self.body
        hands, ankles = midpoint(body.xy, WRISTS), midpoint(body.xy, ANKLES)
        if not body.from_side:
            return np.full(len(hands), np.nan)
        return np.asarray(body.facing * (hands - ankles)[:, 0] / body.size)

    def movement(self) -> Movement:
        """What warping goes by: angles in steps of 30°, heights of a tenth."""
        values = [
            values / (30.0 if unit == DEGREES else 10.0)
            for unit, values in self.quantities().values()
        ]
        return Movement(self.time_s, np.stack(values, axis=1))


def _frames(time_s: np.ndarray, moments_s: np.ndarray) -> np.ndarray:
    """The nearest frame (N,) to each moment."""
    return np.asarray(np.abs(time_s[:, None] - moments_s[None]).argmin(axis=0))


def _curves(
    first: Take,
    seen: list[_Seen],
    alignment: Alignment,
    events: Events,
    others: list[Events],
    number: int,
) -> list[Curve]:
    """Every quantity that both show, with the band of the first lifter's other repetitions."""
    own, theirs = seen[0].quantities(), seen[1].quantities()
    reps = [rep for k, rep in enumerate(first.form.repetitions) if k != number]
    band = [
        (_Seen.of(first, rep), align(events, other).second_s)
        for rep, other in zip(reps, others, strict=True)
        if not rep.cut_off_by and len(align(events, other).moments) == len(alignment.moments)
    ]
    curves = []
    for title, (unit, values) in own.items():
        one = interpolated(seen[0].time_s, values, alignment.first_s)
        two = interpolated(seen[1].time_s, theirs[title][1], alignment.second_s)
        if np.isfinite(one).all() and np.isfinite(two).all():
            low, high = _band(title, band, one)
            curves.append(Curve(title, unit, one, two, low, high))
    return curves


def _band(
    title: str, others: list[tuple[_Seen, np.ndarray]], own: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | tuple[None, None]:
    """Mean of the lifter's repetitions less and plus twice their standard deviation, (N,) each."""
    rows = [interpolated(seen.time_s, seen.quantities()[title][1], at) for seen, at in others]
    rows = [row for row in rows if np.isfinite(row).all()]
    if len(rows) + 1 < USUAL:
        return None, None
    all_of_them = np.stack([own, *rows])
    mean, spread = all_of_them.mean(axis=0), all_of_them.std(axis=0, ddof=1)
    return mean - 2 * spread, mean + 2 * spread


def _differences(first: RepForm, second: RepForm) -> tuple[tuple[str, str, float, float], ...]:
    return tuple(
        (one.title, one.unit, one.value, other.value)
        for one in first.measures
        if (other := second.value(one.key)) is not None
    )


def _fit(seen: list[_Seen], takes: tuple[Take, Take], frames: np.ndarray) -> Fit:
    """Lay the feet over each other, as large as the lifters are, facing the same way."""
    one, other = seen[0].body, seen[1].body
    mirrored = one.from_side and other.from_side and one.facing != other.facing
    feet = [_feet(take.tracks, row) for take, row in zip(takes, frames, strict=True)]
    return Fit(float(one.size / other.size), bool(mirrored), feet[0], feet[1])


def _feet(tracks: CleanTracks, frames: np.ndarray) -> tuple[float, float]:
    """The median place of the ankles' middle over a repetition, px; the picture's corner unseen."""
    places = midpoint(tracks.xy[frames], ANKLES)
    known = places[np.isfinite(places).all(-1)]
    x, y = np.median(known, axis=0) if len(known) else (0.0, 0.0)
    return float(x), float(y)
