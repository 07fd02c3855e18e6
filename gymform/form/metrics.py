"""Repetitions in figures: how deep, how upright, how straight, how fast.

Each measure is taken only from where the camera can see it: angles in the plane of the movement
from the side, widths from the front, heights and times from anywhere. What was not seen is left
out. Lengths are in statures or degrees, so that neither the distance of the camera nor the size of
the picture matters, and times are true seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from gymform.form.body import Body
from gymform.form.phases import BEYOND_S, Phases, Span, phases_of
from gymform.motion.body_size import midpoint
from gymform.skeleton import ANKLES, ELBOWS, HIPS, KNEES, SHOULDERS, WRISTS
from gymform.types import Measure, RepForm

BELOW_LEVEL = "° below level"
"""The unit of how far the thighs point down; less than 0 is above level."""

BEFORE = "% before"
"""The unit of how far hands are before the middle of the feet; less than 0 is behind."""

EARLY = 0.4
"""The first part of the way up, as a share of its height."""

MIDFOOT = 0.04
"""How far the middle of the foot is before the ankle, statures (foot length 0.152: Drillis &
Contini 1966; the ankle stands a quarter of it from the heel)."""

OVERHEAD = 0.12
"""Hands so many statures above the shoulders are overhead."""

CATCH_S = 1.2
"""A snatch is caught within this time of the hands being overhead."""


def measure(body: Body, exercise: str, start_s: float, end_s: float) -> RepForm:
    """The figures of the repetition from ``start_s`` to ``end_s``.

    Of an exercise that is not known, those that any movement has.
    """
    taken = _MEASURES.get(exercise, _any)(body, body.frame_at(start_s), body.frame_at(end_s))
    return RepForm(start_s, end_s, tuple(m for m in taken if np.isfinite(m.value)))


# ---- by exercise ---------------------------------------------------------------------------


def _squat(body: Body, first: int, last: int) -> Iterator[Measure]:
    phases = phases_of(body.height(HIPS), body.time_s, first, last)
    if phases is None:
        return
    yield _depth(body, phases.bottom)
    if body.from_side:
        yield _at(body, "knee_angle", "Knee angle at the bottom", body.angle(KNEES), phases.bottom)
        yield _at(body, "hip_angle", "Hip angle at the bottom", body.angle(HIPS), phases.bottom)
        yield _at(body, "trunk_lean", "Trunk lean at the bottom", body.lean, phases.bottom)
        yield from _tip(body, phases)
    if body.from_front:
        yield from _knees_apart(body, phases.lifting)
    yield from _times(body, phases)
    yield from _speed(body, phases.lifting, SHOULDERS, "shoulders")


def _deadlift(body: Body, first: int, last: int) -> Iterator[Measure]:
    phases = phases_of(body.height(SHOULDERS), body.time_s, first, last)
    if phases is None:
        return
    if body.from_side:
        yield _at(body, "start_lean", "Trunk lean at the start", body.lean, phases.bottom)
        yield _at(body, "start_knee", "Knee angle at the start", body.angle(KNEES), phases.bottom)
        yield from _tip(body, phases)
        yield from _bar_ahead(body, phases.lifting)
        yield _at(body, "top_hip", "Hip angle at the top", body.angle(HIPS), phases.top)
        yield _at(body, "top_knee", "Knee angle at the top", body.angle(KNEES), phases.top)
    yield from _times(body, phases)
    yield from _speed(body, phases.lifting, WRISTS, "hands")


def _snatch(body: Body, first: int, last: int) -> Iterator[Measure]:
    hands = body.height(WRISTS)
    above = hands - body.height(SHOULDERS) > OVERHEAD
    overhead = np.flatnonzero(above[first : last + 1])
    if not len(overhead):
        return
    over = first + int(overhead[0])
    before = hands[first : over + 1]
    if np.isfinite(before).sum() < 3:
        return
    bottom = first + int(np.nanargmin(before))
    catch = _catch(body, over, last)
    moment = float(body.time_s[catch])
    yield Measure("pull_s", "Floor to overhead", float(body.time_s[over] - body.time_s[bottom]),
                  "s", float(body.time_s[bottom]))  # fmt: skip
    yield from _speed(body, (bottom, over), WRISTS, "hands")
    yield _depth(body, catch)
    elbows = body.angle(ELBOWS)
    caught = body.about(elbows, catch)
    yield Measure("catch_elbow", "Elbow angle at the catch", caught, "°", moment)
    later = elbows[catch : last + 1][above[catch : last + 1]]
    later = later[np.isfinite(later)]
    if len(later) >= 3:
        opened = max(0.0, float(np.percentile(later, 80)) - caught)
        yield Measure("press_out", "Elbows open after the catch by", opened, "°", moment)
    if body.from_side:
        ahead = _ahead_of_midfoot(body)
        yield _at(body, "catch_ahead", "Hands from the midfoot, caught", 100 * ahead, catch, BEFORE)


def _any(body: Body, first: int, last: int) -> Iterator[Measure]:
    """How long it takes, and how far the joints go in the picture."""
    seconds = float(body.time_s[last] - body.time_s[first])
    yield Measure("duration_s", "Duration", seconds, "s", float(body.time_s[first]))
    if not body.from_side:
        return
    first = body.frame_at(body.time_s[first] - BEYOND_S)
    last = body.frame_at(body.time_s[last] + BEYOND_S)
    pairs = {"knee": KNEES, "hip": HIPS, "shoulder": SHOULDERS, "elbow": ELBOWS}
    for name, pair in pairs.items():
        angles = body.angle(pair)[first : last + 1]
        if np.isfinite(angles).sum() >= 5:
            low = first + int(np.nanargmin(angles))
            reach = float(np.nanpercentile(angles, 98) - np.nanpercentile(angles, 2))
            yield Measure(f"{name}_range", f"Range of the {name}", reach, "°",
                          float(body.time_s[low]))  # fmt: skip


_MEASURES: dict[str, Callable[[Body, int, int], Iterator[Measure]]] = {
    "squat": _squat,
    "deadlift": _deadlift,
    "snatch": _snatch,
}


# ---- single measures -----------------------------------------------------------------------


def _at(
    body: Body, key: str, title: str, values: np.ndarray, frame: int, unit: str = "°"
) -> Measure:
    """``values`` (T,) around one frame."""
    return Measure(key, title, body.about(values, frame), unit, float(body.time_s[frame]))


def _depth(body: Body, frame: int) -> Measure:
    """How far the thighs point below level."""
    thighs = body.of_pair(body.thighs)
    return _at(body, "thigh_below_level", "Thighs at the bottom", thighs, frame, BELOW_LEVEL)


def _tip(body: Body, phases: Phases) -> Iterator[Measure]:
    """How much the trunk leans more, early on the way up, than at the bottom."""
    if phases.lifting is None:
        return
    worst = _extreme(body.lean, _early(body, phases.lifting), np.nanargmax)
    if worst is not None:
        more = max(0.0, body.about(body.lean, worst) - body.about(body.lean, phases.bottom))
        moment = float(body.time_s[worst])
        yield Measure("tip", "Trunk tips on the way up by", more, "°", moment)


def _knees_apart(body: Body, lifting: Span | None) -> Iterator[Measure]:
    """Distance of the knees over that of the ankles, where it is least early on the way up."""
    if lifting is None:
        return
    knees, ankles = (
        np.abs(body.xy[:, pair[0], 0] - body.xy[:, pair[1], 0]) for pair in (KNEES, ANKLES)
    )
    share = 100 * knees / np.maximum(ankles, 1e-6)
    least = _extreme(share, _early(body, lifting), np.nanargmin)
    if least is not None:
        yield _at(body, "knees_apart", "Knees apart, of the ankles", share, least, "%")


def _bar_ahead(body: Body, lifting: Span | None) -> Iterator[Measure]:
    """How far the hands are before the middle of the feet, where it is most on the way up."""
    if lifting is None:
        return
    ahead = 100 * _ahead_of_midfoot(body)
    most = _extreme(ahead, np.arange(lifting[0], lifting[1] + 1), np.nanargmax)
    if most is not None:
        yield _at(body, "bar_ahead", "Hands from the midfoot, on the way", ahead, most, BEFORE)


def _ahead_of_midfoot(body: Body) -> np.ndarray:
    """Statures (T,) by which the hands are before the middle of the feet, seen from the side."""
    hands, ankles = midpoint(body.xy, WRISTS), midpoint(body.xy, ANKLES)
    return np.asarray(body.facing * (hands - ankles)[:, 0] / body.size - MIDFOOT)


def _times(body: Body, phases: Phases) -> Iterator[Measure]:
    """How long the phases take."""
    named = (("lowering_s", "Down", phases.lowering), ("lifting_s", "Up", phases.lifting))
    for key, title, span in named:
        if span is not None:
            seconds = float(body.time_s[span[1]] - body.time_s[span[0]])
            yield Measure(key, title, seconds, "s", float(body.time_s[span[0]]))
    if phases.hold_s is not None and phases.lowering and phases.lifting:
        between = min(phases.lowering[1], phases.lifting[1])
        moment = float(body.time_s[between])
        yield Measure("hold_s", "Held in between", phases.hold_s, "s", moment)


def _speed(
    body: Body, lifting: Span | None, joints: tuple[int, ...], what: str
) -> Iterator[Measure]:
    """How far and how fast the load goes up: per cent of the stature."""
    if lifting is None:
        return
    begin, end = lifting
    seconds = float(body.time_s[end] - body.time_s[begin])
    height = body.height(joints)
    rise = body.about(height, end) - body.about(height, begin)
    moment = float(body.time_s[begin])
    yield Measure("rise", f"Rise of the {what}", 100 * rise, "% of height", moment)
    if seconds > 0:
        speed = 100 * rise / seconds
        yield Measure("speed", f"Speed of the {what}", speed, "% of height a second", moment)


def _extreme(
    values: np.ndarray, frames: np.ndarray, pick: Callable[[np.ndarray], np.intp]
) -> int | None:
    """The one of ``frames`` at which ``values`` (T,) are extreme; None where few are known."""
    part = values[frames]
    return int(frames[pick(part)]) if np.isfinite(part).sum() >= 3 else None


def _early(body: Body, lifting: Span) -> np.ndarray:
    """Frames of the first :data:`EARLY` of the way up, by the height of the shoulders."""
    frames = np.arange(lifting[0], lifting[1] + 1)
    height = body.height(SHOULDERS)[frames]
    known = np.isfinite(height)
    if not known.any():
        return frames
    height = np.interp(frames, frames[known], height[known])
    risen = (height - height[0]) / max(float(height[-1] - height[0]), 1e-6)
    late = np.flatnonzero(risen > EARLY)
    return frames[: int(late[0]) if len(late) else len(frames)]


def _catch(body: Body, over: int, last: int) -> int:
    """The frame with the lowest hips soon after the hands are overhead at frame ``over``."""
    soon = np.flatnonzero(body.time_s <= body.time_s[over] + CATCH_S)
    frames = np.arange(over, min(last, int(soon[-1])) + 1)
    height = body.height(HIPS)[frames]
    return int(frames[np.nanargmin(height)]) if np.isfinite(height).any() else over
