"""Load and velocity of one lifter in one exercise, and the load that can be lifted once.

The mean velocity of a lift falls on a line as the load grows, and at the one-repetition maximum it
is nearly the same for all lifters: the minimal velocity threshold of an exercise. The line is that
of least squares through the best repetition of each set, velocity over load. The interval holds
the loads at which the threshold lies inside the line's prediction interval (Fieller, "Some problems
in interval estimation", J R Stat Soc B 1954; Student's t with as many degrees of freedom as there
are sets, less two).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student

from gymform.form.bar import BAR_SPEED


@dataclass(frozen=True)
class Threshold:
    """The mean velocity of a one-repetition maximum, m/s, and who measured it."""

    velocity: float
    source: str


THRESHOLDS = {
    "bench_press": Threshold(0.17, "Gonzalez-Badillo & Sanchez-Medina 2010"),
    "squat": Threshold(0.30, "Conceicao et al. 2016, Sanchez-Medina et al. 2017"),
    "deadlift": Threshold(0.15, "Lake et al. 2017, Ruf et al. 2018"),
}
"""By the key of the exercise; of others the literature that gymform goes by says nothing."""

LEAST_LOADS = 3
"""Different loads from which on a line is drawn."""

LEAST_SPREAD = 0.2
"""The lightest load is below the heaviest by this share of it at least."""

CONFIDENCE = 0.95
"""How often the interval holds the load, if the line is straight and sets scatter around it alike.
"""

LEAST_ERROR = 0.02
"""Points scatter by as much at least, m/s: so exact is a velocity by the plate, and three that lie
on a line by chance are no more exact (`benchmarks/bar_synthetic.md`)."""

LOAD_DIGITS = 1
"""Loads that differ by less than a tenth of a kg are the same load."""

WIDEST = 1.0
"""An interval that is wider than this share of the estimate says nothing."""


@dataclass(frozen=True)
class LoadVelocity:
    """A line through ``sets`` sets with ``loads`` different loads: ``slope`` m/s for each kg and
    ``intercept`` m/s, None where no line is drawn.

    ``one_rm`` kg is where it reaches the threshold, between ``low`` and ``high``; all None where
    that is not told, for the reason in ``why``, a sentence.
    """

    sets: int
    loads: int
    slope: float | None = None
    intercept: float | None = None
    one_rm: float | None = None
    low: float | None = None
    high: float | None = None
    why: str = ""


def best_velocity(summary: Mapping[str, Any]) -> float | None:
    """The greatest mean velocity of the bar in the whole repetitions of a result, m/s."""
    reps = (rep["measures"] for rep in summary.get("repetitions", ()) if not rep.get("cut_off"))
    speeds = [float(rep[BAR_SPEED]) for rep in reps if rep.get(BAR_SPEED) is not None]
    return max((speed for speed in speeds if np.isfinite(speed)), default=None)


def load_velocity(
    loads_kg: Sequence[float], velocities: Sequence[float], exercise: str
) -> LoadVelocity:
    """The line through sets of ``loads_kg`` (N,) with the ``velocities`` (N,) of their best.

    Sets without a load or a velocity above 0 do not count.
    """
    x, y = np.array(loads_kg, np.float64), np.array(velocities, np.float64)
    known = np.isfinite(x) & np.isfinite(y) & (x > 0) & (y > 0)
    x, y = x[known], y[known]
    sets, loads = len(x), len(np.unique(x.round(LOAD_DIGITS)))
    if loads < LEAST_LOADS:
        return LoadVelocity(sets, loads, why=_too_few(loads))
    if x.min() > (1 - LEAST_SPREAD) * x.max():
        least = (1 - LEAST_SPREAD) * x.max()
        why = f"The loads are too alike: one of {least:.0f} kg or less is needed."
        return LoadVelocity(sets, loads, why=why)
    slope, intercept = (float(number) for number in np.polyfit(x, y, 1))
    if slope >= 0:
        why = "Heavier loads were not lifted more slowly, so no line tells the most."
        return LoadVelocity(sets, loads, why=why)
    found = THRESHOLDS.get(exercise)
    if found is None:
        why = "How slow the heaviest lift of this exercise is, is not known to gymform."
        return LoadVelocity(sets, loads, slope, intercept, why=why)
    one_rm = (found.velocity - intercept) / slope
    ends = fieller(x, y, found.velocity)
    why = _doubt(one_rm, ends, float(x.max()))
    if why or ends is None:
        return LoadVelocity(sets, loads, slope, intercept, why=why)
    return LoadVelocity(sets, loads, slope, intercept, one_rm, max(0.0, ends[0]), ends[1])


def fieller(x: np.ndarray, y: np.ndarray, level: float) -> tuple[float, float] | None:
    """Between which x the line through points (N,) may be at ``level``; None where anywhere.

    Those are the x at which a further observation of ``level`` lies inside the prediction interval.
    """
    count, middle = len(x), float(x.mean())
    slope, intercept = np.polyfit(x, y, 1)
    spread = float(((x - middle) ** 2).sum())
    error = float(((y - intercept - slope * x) ** 2).sum()) / (count - 2)
    sure = (1 + CONFIDENCE) / 2
    reach = max(
        float(student.ppf(sure, count - 2)) ** 2 * error, float(norm.ppf(sure) * LEAST_ERROR) ** 2
    )
    # (level - mean - slope d)^2 = reach (1 + 1/n + d^2 / spread), for d = x - middle
    a = float(slope) ** 2 - reach / spread
    b = float(slope) * (level - float(y.mean()))
    c = (level - float(y.mean())) ** 2 - reach * (1 + 1 / count)
    if a <= 0:
        return None
    root = float(np.sqrt(max(0.0, b * b - a * c)))
    return middle + (b - root) / a, middle + (b + root) / a


def in_words(found: LoadVelocity, exercise: str) -> str:
    """The estimate in a sentence or two, or why there is none."""
    if found.one_rm is None or found.low is None or found.high is None:
        return f"{found.why} So far: {found.sets} sets with {found.loads} different loads."
    threshold = THRESHOLDS[exercise]
    return (
        f"About {found.one_rm:.0f} kg once: an estimate from {found.sets} sets with {found.loads} "
        f"different loads, with {CONFIDENCE:.0%} between {found.low:.0f} and {found.high:.0f} kg. "
        f"It is where the line reaches {threshold.velocity:.2f} m/s ({threshold.source})."
    ).replace("%", " %")


def _too_few(loads: int) -> str:
    return f"{LEAST_LOADS} different loads are needed for a line, and there {_are(loads)}."


def _are(count: int) -> str:
    return "is one" if count == 1 else f"are {count or 'none'}"


def _doubt(one_rm: float, ends: tuple[float, float] | None, heaviest: float) -> str:
    """Why an estimate is not given; "" where nothing speaks against it."""
    if ends is None or ends[1] - ends[0] > WIDEST * one_rm:
        return "The sets scatter too much around the line to say how much could be lifted once."
    if one_rm < heaviest:
        return f"The line ends below the {heaviest:g} kg that were lifted: it does not fit."
    return ""
