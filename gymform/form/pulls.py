"""The phases of the pull of a snatch or a clean, as the literature of weightlifting parts them.

First pull: from lift-off to the first maximum of the knee's angle. Transition (double knee bend):
to the knee's minimum after it. Second pull: to the second maximum of the knee. Turnover: to the
greatest height of the bar. Catch: to the lowest place of the hips under it.

Gourgoulis, Aggelousis, Mavromatis & Garas, "Three-dimensional kinematic analysis of the snatch of
elite Greek weightlifters", J Sports Sci 18 (2000); Baumann, Gross, Quade, Galbierz & Schwirtz,
"The snatch technique of world class weightlifters at the 1985 World Championships", Int J Sport
Biomech 4 (1988); Garhammer, "Biomechanical profiles of Olympic weightlifters", Int J Sport Biomech
1 (1985).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from scipy.signal import find_peaks

from gymform.bar.figures import Track, concentric, crossings
from gymform.exercises import listed
from gymform.form.body import Body, nearest_body
from gymform.skeleton import KNEES, WRISTS
from gymform.types import FormReport, Measure, RepForm, within

CATCHES = {
    "snatch": ("thigh_below_level", "catch_elbow"),
    "clean_and_jerk": ("clean_depth", "rack_elbow"),
}
"""The measures that are taken at the catch of the pull, by the key of the exercise."""

LIFT_OFF, FIRST, BENT, SECOND, HIGHEST, CAUGHT = (
    "lift-off", "first", "bent", "second", "highest", "caught",
)  # fmt: skip
"""The moments that part the phases."""

MOMENTS = (LIFT_OFF, FIRST, BENT, SECOND, HIGHEST, CAUGHT)

PHASES = (
    ("first_pull", "First pull"),
    ("transition", "Transition"),
    ("second_pull", "Second pull"),
    ("turnover", "Turnover"),
    ("catch", "Catch"),
)
"""Keys and titles of what lies between two moments."""

KEYS = frozenset(f"{key}_{what}" for key, _ in PHASES for what in ("s", "peak"))
"""The keys of all measures of a pull."""

OF_FASTEST = "% of its fastest"
"""The unit of a speed without a scale: the bar's greatest one in this repetition is 100."""

BEND = 3.0
"""The knees bend again by so many degrees at least, or the second bend is not told from noise.
Elite lifters bend them by 10 to 20 (Gourgoulis et al. 2000); smoothing takes a part of it."""

AGREE_S = 0.15
"""The knees are straightest within so many seconds of the bar's greatest speed."""

HOW = (
    "Phases of the pull as in Gourgoulis et al. 2000 and Baumann et al. 1988: the first pull ends "
    "where the knees are first straightest, the transition (double knee bend) where they are most "
    "bent after that, the second pull where they are straightest again, the turnover where the bar "
    "is highest, the catch where the hips are lowest under it."
)
"""What the phases are, for people."""

GAP_S = 0.1
"""Knees may be unseen for so long between two moments, seconds."""

AROUND_S = 0.07
"""Knees are seen for so long before and after a moment that they mark."""

FROM_HANG = 0.22
"""Hands that are higher above the ankles than this when the bar lifts off begin from the hang,
statures: the knees are at 0.25."""

CATCH_S = 1.2
"""The hips are lowest at most so long after the bar is highest, seconds."""

MIN_FPS = 24.0
"""Fewer frames a second of life do not show a transition, which takes 0.1 to 0.2 s."""


@dataclass(frozen=True)
class Pull:
    """The seconds of ``moments`` by name, as far as they were seen, and ``reasons`` (clauses with
    their subject) why others were not. ``fastest`` is the bar's greatest speed upwards, px/s."""

    moments: dict[str, float] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    fastest: float = float("nan")


def pull_of(body: Body, track: Track, span_s: tuple[float, float], caught_s: float) -> Pull:
    """The pull of a repetition from ``span_s`` whose hips are lowest under the bar at ``caught_s``.

    All seconds are life's.
    """
    up = -track.velocity[:, 1]
    phase = concentric(up, within(track.time_s, span_s[0], caught_s))
    if phase is None:
        return Pull(reasons=("the pull is left out, since the path of the bar is not seen",))
    if 1 / float(np.median(np.diff(track.time_s))) < MIN_FPS:
        return Pull(reasons=("the pull is left out, since there are too few frames a second",))
    by_bar, reasons = _by_bar(track.time_s, up, phase, caught_s)
    start_s = float(track.time_s[phase[0]])
    peak = phase[0] + int(np.argmax(up[phase[0] : phase[1] + 1]))
    peak_s = float(track.time_s[peak])
    knees, why = knee_moments(body, (start_s, by_bar.get(HIGHEST, caught_s)), peak_s)
    if _hangs(body, start_s):
        by_bar.pop(LIFT_OFF, None)
        knees, why = knees[-1:], "it begins from the hang"
    if why:
        missing = "first pull and transition" if knees else "first pull, transition and second pull"
        reasons += (f"{missing} are left out, since {why}",)
    found = by_bar | dict(zip((SECOND, BENT, FIRST), reversed(knees), strict=False))
    in_order = {name: found[name] for name in MOMENTS if name in found}
    return Pull(in_order, reasons, float(up[peak]))


def _by_bar(
    time_s: np.ndarray, up: np.ndarray, phase: tuple[int, int], caught_s: float
) -> tuple[dict[str, float], tuple[str, ...]]:
    """The moments that the bar's speed upwards (T,) tells, and why others are not told."""
    first, last = phase
    moments: dict[str, float] = {}
    reasons: tuple[str, ...] = ()
    if first > 0 and np.isfinite(up[first - 1]):
        moments[LIFT_OFF] = crossings(time_s, up, first, last)[0]
    else:
        reasons = ("the first pull is left out, since the lift-off is not in the clip",)
    highest = _zero_after(time_s, up, first + int(np.argmax(up[first : last + 1])))
    if highest is not None:
        moments[HIGHEST] = highest
        if 0 < caught_s - highest <= CATCH_S:
            moments[CAUGHT] = caught_s
        else:
            reasons += ("the catch is left out, since the hips are not lowest soon after it",)
    return moments, reasons


def knee_moments(
    body: Body, span_s: tuple[float, float], peak_s: float
) -> tuple[tuple[float, ...], str | None]:
    """Seconds of the knees' first maximum, minimum and second maximum in a span, and why not all.

    The second maximum is the one at ``peak_s``, when the bar is fastest; one moment is that alone.
    """
    if not body.from_side:
        return (), "angles of the knees are seen from the side only"
    angle, time_s = body.angle(KNEES), body.time_s
    inside = within(time_s, *span_s)
    if inside.any():
        body.rest_on(*np.flatnonzero(inside)[[0, -1]])
    rows = np.flatnonzero(inside & np.isfinite(angle) & body.observed)
    values, moments = angle[rows], time_s[rows]
    peaks = find_peaks(values, prominence=BEND)[0] if len(rows) >= 5 else np.zeros(0, int)
    nearest = int(np.abs(moments[peaks] - peak_s).argmin()) if len(peaks) else -1
    if nearest < 0 or abs(moments[peaks[nearest]] - peak_s) > AGREE_S:
        why = body.why_not([KNEES[body.side]], np.flatnonzero(inside))
        return (), why or "the knees are not straightest when the bar is fastest"
    second = int(peaks[nearest])
    if not _seen_around(time_s, rows, second):
        return (), "the knees are not seen all the time around their second extension"
    seconds = (vertex(moments, values, second),)
    if nearest == 0:
        return seconds, "no second bend of the knees is seen"
    first = int(peaks[nearest - 1])
    bent = first + int(np.argmin(values[first : second + 1]))
    close = np.diff(moments[first : second + 1]).max() <= GAP_S
    if not close or not all(_seen_around(time_s, rows, i) for i in (first, bent)):
        return seconds, "the knees are not seen all the time around their second bend"
    return (vertex(moments, values, first), vertex(moments, values, bent), *seconds), None


def pull_measures(pull: Pull, track: Track, mm_per_px: float | None) -> Iterator[Measure]:
    """How long each phase takes that was seen from end to end, and the bar's peak speed in it."""
    up = -track.velocity[:, 1]
    scale, unit = (mm_per_px or 0) / 1000, "m/s"
    if mm_per_px is None:
        scale, unit = 100 / pull.fastest, OF_FASTEST
    for (key, title), (begin, end) in zip(PHASES, pairwise(MOMENTS), strict=True):
        if begin not in pull.moments or end not in pull.moments:
            continue
        from_s, to_s = pull.moments[begin], pull.moments[end]
        yield Measure(f"{key}_s", title, to_s - from_s, "s", from_s)
        speeds = np.where(within(track.time_s, from_s, to_s), -up if end == CAUGHT else up, np.nan)
        if np.isfinite(speeds).any() and np.nanmax(speeds) > 0:
            at = int(np.nanargmax(speeds))
            name = f"{title}, peak speed{' down' if end == CAUGHT else ''}"
            moment = float(track.time_s[at])
            yield Measure(f"{key}_peak", name, float(speeds[at]) * scale, unit, moment)


NOTE = "Phases of the pull: "
"""How notes on them begin."""


def with_pulls(
    form: FormReport,
    bodies: Sequence[Body],
    track: Track,
    mm_per_px: float | None = None,
    slow_motion: float = 1.0,
) -> FormReport:
    """``form`` with the phases of the pull by the path of the bar, or of the hands.

    ``bodies`` and ``track`` are at life's speed. Phases that the form has already are replaced. The
    same where the exercise has no pull.
    """
    if form.exercise not in CATCHES or not bodies:
        return form
    repetitions: list[RepForm] = []
    said: dict[str, list[int]] = {}
    for number, rep in enumerate(form.repetitions, 1):
        pull = Pull() if rep.cut_off_by else _pull(form.exercise, bodies, track, rep, slow_motion)
        for reason in pull.reasons:
            said.setdefault(reason, []).append(number)
        kept = tuple(m for m in rep.measures if m.key not in KEYS)
        made = pull_measures(pull, track, mm_per_px) if pull.moments else ()
        found = RepForm(0, 0, tuple(made)).in_film(slow_motion).measures
        repetitions.append(replace(rep, measures=kept + found))
    count = sum(not rep.cut_off_by for rep in repetitions)
    notes = tuple(note for note in form.notes if not note.startswith(NOTE))
    notes += tuple(_note(reason, numbers, count) for reason, numbers in said.items())
    return replace(form, repetitions=tuple(repetitions), notes=notes)


def _pull(
    exercise: str, bodies: Sequence[Body], track: Track, rep: RepForm, slow_motion: float
) -> Pull:
    """The pull of one whole repetition."""
    caught_s = caught_at(exercise, rep)
    if caught_s is None:
        return Pull(reasons=("the pull is left out, since the catch is not seen",))
    start_s, end_s = rep.start_s / slow_motion, rep.end_s / slow_motion
    body = nearest_body(bodies, (start_s + end_s) / 2)
    return pull_of(body, track, (start_s, end_s), caught_s / slow_motion)


def _note(reason: str, numbers: Sequence[int], count: int) -> str:
    """A sentence on what is left out, and in which repetitions."""
    if len(numbers) == count:
        return f"{NOTE}{reason}."
    named = f"repetition{'' if len(numbers) == 1 else 's'} {listed([*map(str, numbers)], 'and')}"
    return f"{NOTE}{reason} ({named})."


def at_life_s_speed(track: Track, slow_motion: float) -> Track:
    """The ``track`` of a film that is ``slow_motion`` times slower, in life's seconds."""
    times = track.time_s / slow_motion
    return replace(track, time_s=times, velocity=track.velocity * slow_motion)


def caught_at(exercise: str, rep: RepForm) -> float | None:
    """The second of the clip at which the pull of a repetition is caught; None where unknown."""
    found = (rep.value(key) for key in CATCHES.get(exercise, ()))
    return next((measure.at_s for measure in found if measure), None)


def vertex(time_s: np.ndarray, values: np.ndarray, i: int) -> float:
    """The second of an extreme of ``values`` (N,) at index ``i``, between frames: of a parabola."""
    if not 0 < i < len(values) - 1:
        return float(time_s[i])
    a, b, _ = np.polyfit(time_s[i - 1 : i + 2] - time_s[i], values[i - 1 : i + 2], 2)
    shift = -b / (2 * a) if a else 0.0
    return float(np.clip(time_s[i] + shift, time_s[i - 1], time_s[i + 1]))


def _seen_around(time_s: np.ndarray, rows: np.ndarray, i: int) -> bool:
    """Are the known frames ``rows`` dense around the one at index ``i``?"""
    near = np.abs(time_s - time_s[rows[i]]) <= AROUND_S
    return bool(np.isin(np.flatnonzero(near), rows).all())


def _zero_after(time_s: np.ndarray, up: np.ndarray, peak: int) -> float | None:
    """The second at which the bar stops rising after frame ``peak``; None where it is not seen."""
    stops = np.flatnonzero(~(up[peak:] > 0))
    if not len(stops) or not np.isfinite(up[peak + stops[0]]):
        return None
    i = peak + int(stops[0])
    share = up[i - 1] / (up[i - 1] - up[i])
    return float(time_s[i - 1] + share * (time_s[i] - time_s[i - 1]))


def _hangs(body: Body, start_s: float) -> bool:
    """Are the hands too high for a bar on the floor when it lifts off?"""
    height = body.about(body.height(WRISTS), body.frame_at(start_s))
    return bool(height > FROM_HANG)
