"""The measures of a repetition: how deep, how upright, how straight, how fast.

Each is taken only from a view that shows it: angles in the plane of the movement from the side,
widths from the front, heights and times from anywhere. What was not seen is left out. Lengths are
in statures or degrees, so that neither the distance of the camera nor the size of the picture
matters; times are in seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from gymform.exercises import ANY, FRONT, SIDE, At, Computed, Exercise, Most, Speed, Spread
from gymform.form.body import HALF_SEEN, Body
from gymform.form.phases import BEYOND_S, Phases, Span, phases_of
from gymform.form.quantities import BEFORE, OF_HEIGHT, RESTS_ON, elbow_overhead, values_of
from gymform.motion.body_size import midpoint
from gymform.skeleton import ANKLES, ELBOWS, HIPS, KNEES, SHOULDERS, WRISTS
from gymform.types import Measure, RepForm

EARLY = 0.4
"""The first part of the lifting, as a share of its height."""

MIDFOOT = 0.04
"""How far the middle of the foot is in front of the ankle, in statures (foot length 0.152: Drillis
& Contini 1966; the ankle stands a quarter of it from the heel)."""

LIFTED = 0.06
"""An ankle that is higher than the other by this much, in statures, is off the floor."""

MOSTLY = 0.6
"""Share of the frames of a movement in which its joints must be seen to look for an extreme."""

UNSEEN_S = 0.15
"""Seconds for which the hands may be hidden before they are first seen overhead, and what is looked
at beside an extreme."""

STANCE = 0.08
"""Ankles of a squat seen from the front are at least this many statures apart."""

EDGE_S = 0.1
"""An extreme this near to the first or last frame may not be one, seconds ..."""

EDGE_SPEED = 0.2
"""... where the body still moves up or down, or moves already, this many statures a second."""

OVERHEAD = 0.12
"""Hands this many statures above the shoulders are overhead."""

AT_SHOULDERS = -0.05
"""Hands this many statures above the shoulders, or more, have reached them."""

STEADY_S = 1.5
"""A jerk is held overhead for this many seconds more, in which a press-out would show."""

LEAST_WAY = 0.05
"""A way shorter than this, in statures, is too short to compare its two sides."""

UPRIGHT = -60.0
"""Thighs that point up more than this, in degrees, are those of somebody who does not go under the
bar: a muscle snatch has no catch."""

ARM_KEYS = ("catch_elbow", "press_out")
CATCH_KEYS = (*ARM_KEYS, "catch_ahead")
"""What is measured at a catch: of the arms, and besides."""

CATCH_S = 1.2
"""A snatch, a clean or a jerk is caught within this many seconds after the hands are overhead."""


def measure(body: Body, exercise: Exercise | None, start_s: float, end_s: float) -> RepForm:
    """The measures of the repetition from ``start_s`` to ``end_s``.

    Of an exercise that is not known, or has no measures of its own, those that any movement has.
    """
    first, last = body.frame_at(start_s), body.frame_at(end_s)
    for edge in (first, last):
        body.rest_on(edge)
    if exercise is None or not exercise.measures:
        taken = _of_any_movement(body, first, last)
    else:
        taken = _of_exercise(body, exercise, first, last)
    return RepForm(start_s, end_s, tuple(m for m in taken if np.isfinite(m.value)))


@dataclass(frozen=True)
class Repetition:
    """A repetition as measures see it: its first and last frame, its phases where told, and the
    ``way`` (T,) in statures that they are told by."""

    first: int
    last: int
    phases: Phases | None
    way: np.ndarray | None = None
    by_signal: bool = False

    @property
    def frames(self) -> np.ndarray:
        """Its frames; with phases, from the first that moves to the last."""
        spans = [] if self.phases is None else [self.phases.lowering, self.phases.lifting]
        ends = [frame for span in spans if span for frame in span]
        first, last = (min(ends), max(ends)) if ends else (self.first, self.last)
        return np.arange(first, last + 1)


def lifted(body: Body, exercise: Exercise | None) -> np.ndarray | None:
    """What rises and falls with a repetition (T,), in statures; None where the exercise has none.

    Its signal, or the height of the joints that its phases are told by.
    """
    if exercise is None:
        return None
    if exercise.signal is not None:
        return body.signal(exercise.signal.name)
    return body.height(exercise.phases_by) if exercise.phases_by else None


def _of_exercise(body: Body, exercise: Exercise, first: int, last: int) -> Iterator[Measure]:
    """What the exercise names, as far as the camera can see it.

    Without its phases nothing, but for what needs none where a signal has counted it.
    """
    phases, way = None, lifted(body, exercise)
    if way is not None:
        phases = phases_of(way, body.time_s, first, last)
        if phases is None and exercise.signal is None:
            return
        if phases is None and Computed("duration") not in exercise.measures:
            yield from _duration(body, Repetition(first, last, None))
    rep = Repetition(first, last, phases, way, exercise.signal is not None)
    for wanted in exercise.measures:
        if isinstance(wanted, Speed):
            yield from _speed_of(body, rep, wanted)
        elif not _is_seen(body, wanted.view):
            continue
        elif isinstance(wanted, At):
            yield from _at_moment(body, rep, wanted)
        elif isinstance(wanted, Most):
            yield from _most(body, rep, wanted)
        elif isinstance(wanted, Spread):
            yield from _spread(body, rep, wanted)
        else:
            yield from COMPUTED[wanted.name](body, rep)


# ---- why something was not measured -----------------------------------------------------------


_FROM_SIDE_ONLY = {"catch_ahead"}


def shows(body: Body, exercise: Exercise, key: str) -> bool:
    """Does the camera stand where the measure ``key`` of an exercise can be taken?"""
    if key in _FROM_SIDE_ONLY:
        return body.from_side
    views = [
        m.view for m in exercise.measures if isinstance(m, At | Most | Spread) and m.key == key
    ]
    views += [m.view for m in exercise.measures if isinstance(m, Computed) and m.name == key]
    return all(_is_seen(body, view) for view in views)


def why_missing(body: Body, exercise: Exercise, key: str, rep: RepForm) -> str | None:
    """Why the measure ``key`` of a repetition could not be taken, as a clause; None if unclear.

    The joints that it rests on are looked at in the frames that it rests on.
    """
    named = [m for m in exercise.measures if isinstance(m, At | Most | Spread) and m.key == key]
    at = next((m for m in named if isinstance(m, At)), None)
    depth = rep.value("thigh_below_level")
    if key in CATCH_KEYS and depth and depth.value < UPRIGHT:
        return "the lifter does not go under the bar"
    if body.only is not None and body.from_side and body.only != body.side:
        return "it is done with the arm that is farther from the camera"
    pairs = RESTS_ON.get(named[0].quantity if named else key, ())
    first, last = (body.frame_at(s / body.slow_motion) for s in (rep.start_s, rep.end_s))
    frames = np.arange(first, last + 1)
    phases, way = None, lifted(body, exercise)
    if way is not None:
        phases = phases_of(way, body.time_s, first, last)
        if phases is None:
            pairs = _moved_by(exercise)
    if phases is not None and _is_cut_short(body, at, key, phases, _edge_way(body, exercise, way)):
        return "the clip begins or ends on the way there"
    if at is not None and phases is not None:
        moment = {"bottom": phases.bottom, "top": phases.top}[at.moment]
        frames = np.flatnonzero(body.near(moment))
    elif not named and phases is not None and phases.lifting is not None:
        frames = np.arange(phases.lifting[0], phases.lifting[1] + 1)
    if key in ARM_KEYS and _are_arms_short(body, frames):
        return "the arms look too short: they point at the camera, or the plate hides the hands"
    return body.why_not(_judged_joints(body, pairs), frames)


def _are_arms_short(body: Body, frames: np.ndarray) -> bool:
    """Are arms overhead mostly seen so that one cannot tell how far they are bent?"""
    overhead = frames[_above_shoulders(body, AT_SHOULDERS)[frames]]
    seen = overhead[np.isfinite(body.angle(ELBOWS)[overhead])]
    return len(seen) > 0 and bool(np.isnan(elbow_overhead(body)[seen]).mean() >= HALF_SEEN)


def _moved_by(exercise: Exercise) -> tuple[tuple[int, int], ...]:
    """The joints that the phases of an exercise are told by."""
    if exercise.signal is not None:
        return RESTS_ON[exercise.signal.name]
    return (exercise.phases_by, ANKLES) if exercise.phases_by else ()


def _edge_way(body: Body, exercise: Exercise, way: np.ndarray | None) -> np.ndarray:
    """What must not move at the film's first or last frame: the signal, or the shoulders."""
    return way if way is not None and exercise.signal else body.height(SHOULDERS)


def _is_cut_short(
    body: Body, at: At | None, key: str, phases: Phases, way: np.ndarray | None = None
) -> bool:
    """Does a measure rest on a moment at which the film begins or ends on the way?"""
    if at is None:
        return key == "tip" and _at_edge(body, phases.bottom)
    return _at_edge(body, {"bottom": phases.bottom, "top": phases.top}[at.moment], way)


def _judged_joints(body: Body, pairs: tuple[tuple[int, int], ...]) -> list[int]:
    """The joints of ``pairs`` that count from where the camera stands: from the side, the near."""
    if body.from_side:
        return [pair[body.side] for pair in pairs]
    return [joint for pair in pairs for joint in pair]


def _is_seen(body: Body, view: str) -> bool:
    """Does the camera stand where ``view`` asks for it?"""
    return {SIDE: body.from_side, FRONT: body.from_front, ANY: True}[view]


def _at_moment(body: Body, rep: Repetition, wanted: At) -> Iterator[Measure]:
    """A quantity at the bottom or the top, unless the film begins or ends on the way there."""
    if rep.phases is None:
        return
    frame = {"bottom": rep.phases.bottom, "top": rep.phases.top}[wanted.moment]
    if _at_edge(body, frame, rep.way if rep.by_signal else None):
        return
    values, unit = values_of(body, wanted.quantity)
    yield _at(body, wanted.key, wanted.title, values, frame, unit)


def _most(body: Body, rep: Repetition, wanted: Most) -> Iterator[Measure]:
    """The largest value of a quantity in a repetition, at least 0."""
    values, unit = values_of(body, wanted.quantity)
    frame = _extreme(body, values, rep.frames, np.nanargmax)
    if frame is not None:
        most = _at_least_zero(body.about(values, frame))
        yield Measure(wanted.key, wanted.title, most, unit, float(body.time_s[frame]))


def _spread(body: Body, rep: Repetition, wanted: Spread) -> Iterator[Measure]:
    """How far a quantity goes to and fro in a repetition; its moment is the farther end."""
    values, unit = values_of(body, wanted.quantity)
    low, high = (_extreme(body, values, rep.frames, pick) for pick in (np.nanargmin, np.nanargmax))
    if low is None or high is None:
        return
    span = body.about(values, high) - body.about(values, low)
    usual = float(np.nanmedian(values[rep.frames]))
    far = max((low, high), key=lambda frame: abs(float(values[frame]) - usual))
    moment = float(body.time_s[far])
    yield Measure(wanted.key, wanted.title, _at_least_zero(span), unit, moment)


def _at_edge(body: Body, frame: int, way: np.ndarray | None = None) -> bool:
    """Is a frame so near to the shot's first or last that the body still moves up or down there?

    ``way`` (T,) in statures is what moves; without it the height of the shoulders.
    """
    time_s, now = body.time_s, body.time_s[frame]
    height = body.height(SHOULDERS) if way is None else way
    for edge in (time_s[0], time_s[-1]):
        near = np.flatnonzero((np.abs(time_s - edge) <= 2 * EDGE_S) & np.isfinite(height))
        if abs(now - edge) <= EDGE_S and len(near) >= 2:
            rise = height[near[-1]] - height[near[0]]
            if abs(rise) > EDGE_SPEED * (time_s[near[-1]] - time_s[near[0]]):
                return True
    return False


def _of_any_movement(body: Body, first: int, last: int) -> Iterator[Measure]:
    """Duration, and in a side view the range of motion of each joint."""
    yield from _duration(body, Repetition(first, last, None))
    if not body.from_side:
        return
    first = body.frame_at(body.time_s[first] - BEYOND_S)
    last = body.frame_at(body.time_s[last] + BEYOND_S)
    pairs = {"knee": KNEES, "hip": HIPS, "shoulder": SHOULDERS, "elbow": ELBOWS}
    for name, pair in pairs.items():
        angles = np.where(body.observed, body.angle(pair), np.nan)[first : last + 1]
        if np.isfinite(angles).sum() >= 5:
            low = first + int(np.nanargmin(angles))
            for end in (low, first + int(np.nanargmax(angles))):
                body.rest_on(end)
            reach = float(np.nanpercentile(angles, 98) - np.nanpercentile(angles, 2))
            yield Measure(f"{name}_range", f"Range of the {name}", reach, "°",
                          float(body.time_s[low]))  # fmt: skip


# ---- single measures -----------------------------------------------------------------------


def _duration(body: Body, rep: Repetition) -> Iterator[Measure]:
    """How long the repetition takes."""
    start, end = (float(body.time_s[frame]) for frame in (rep.first, rep.last))
    yield Measure("duration_s", "Duration", end - start, "s", start)


def _at(
    body: Body, key: str, title: str, values: np.ndarray, frame: int, unit: str = "°"
) -> Measure:
    """``values`` (T,) around one frame."""
    return Measure(key, title, body.about(values, frame), unit, float(body.time_s[frame]))


def _tip(body: Body, rep: Repetition) -> Iterator[Measure]:
    """By how much the trunk leans forward early in the lifting, beyond its lean at the bottom."""
    phases = rep.phases
    if phases is None or phases.lifting is None or _at_edge(body, phases.bottom):
        return
    worst = _extreme(body, body.lean, _early(body, phases.lifting), np.nanargmax)
    if worst is not None:
        lean = body.about(body.lean, worst) - body.about(body.lean, phases.bottom)
        moment = float(body.time_s[worst])
        yield Measure("tip", "Trunk tips on the way up by", _at_least_zero(lean), "°", moment)


def _knees_apart(body: Body, rep: Repetition) -> Iterator[Measure]:
    """Distance of the knees over that of the ankles, at its least early in the lifting."""
    if rep.phases is None or rep.phases.lifting is None:
        return
    knees, ankles = (
        np.abs(body.xy[:, pair[0], 0] - body.xy[:, pair[1], 0]) for pair in (KNEES, ANKLES)
    )
    # legs that seem to stand on one spot are one leg, found twice
    share = np.where(ankles >= STANCE * body.size, 100 * knees / np.maximum(ankles, 1e-6), np.nan)
    least = _extreme(body, share, _early(body, rep.phases.lifting), np.nanargmin)
    if least is not None:
        yield _at(body, "knees_apart", "Knees apart, of the ankles", share, least, "%")


def _bar_ahead(body: Body, rep: Repetition) -> Iterator[Measure]:
    """How far the hands are in front of the middle of the feet, at its most during the lifting."""
    if rep.phases is None or rep.phases.lifting is None:
        return
    lifting = rep.phases.lifting
    ahead = 100 * _ahead_of_midfoot(body)
    most = _extreme(body, ahead, np.arange(lifting[0], lifting[1] + 1), np.nanargmax)
    if most is not None:
        yield _at(body, "bar_ahead", "Hands from the midfoot, on the way", ahead, most, BEFORE)


def _ahead_of_midfoot(body: Body) -> np.ndarray:
    """How far (T,) the hands are in front of the midfoot, in statures, in a side view.

    The foot is that which stands, where the other one is lifted.
    """
    feet, hands = body.xy[:, list(ANKLES)], midpoint(body.xy, WRISTS)  # (T, 2, 2), (T, 2)
    lower = np.take_along_axis(feet, feet[..., 1].argmax(1)[:, None, None], 1)[:, 0]  # (T, 2)
    with np.errstate(invalid="ignore"):
        lifted_one = np.abs(np.diff(feet[..., 1], axis=1)[:, 0]) > LIFTED * body.size
    ankles = np.where(lifted_one[:, None], lower, feet.mean(1))
    return np.asarray(body.facing * (hands - ankles)[:, 0] / body.size - MIDFOOT)


def _times(body: Body, rep: Repetition) -> Iterator[Measure]:
    """How long the phases take."""
    phases = rep.phases
    if phases is None:
        return
    named = (
        ("lowering_s", "Down", phases.lowering, phases.lowering_s),
        ("lifting_s", "Up", phases.lifting, phases.lifting_s),
    )
    for key, title, span, seconds in named:
        if span is not None and seconds is not None:
            for end in span:
                body.rest_on(end)
            yield Measure(key, title, seconds, "s", float(body.time_s[span[0]]))
    if phases.hold_s is not None and phases.lowering and phases.lifting:
        between = min(phases.lowering[1], phases.lifting[1])
        moment = float(body.time_s[between])
        yield Measure("hold_s", "Held in between", phases.hold_s, "s", moment)


def _speed_of(body: Body, rep: Repetition, wanted: Speed) -> Iterator[Measure]:
    """How far and how fast what an exercise names rises."""
    span, seconds = (rep.phases.lifting, rep.phases.lifting_s) if rep.phases else (None, None)
    height = body.height(wanted.joints) if wanted.joints else rep.way
    if height is not None:
        yield from _speed(body, span, height, wanted.what, seconds)


def _speed(
    body: Body,
    lifting: Span | None,
    height: np.ndarray,
    what: str,
    seconds: float | None = None,
) -> Iterator[Measure]:
    """How far and how fast the load at ``height`` (T,) rises, in per cent of the stature.

    ``seconds`` is how long that takes, where it is known more exactly than the frames tell.
    """
    if lifting is None:
        return
    begin, end = lifting
    seconds = float(body.time_s[end] - body.time_s[begin]) if seconds is None else seconds
    rise = body.about(height, end) - body.about(height, begin)
    moment = float(body.time_s[begin])
    yield Measure("rise", f"Rise of the {what}", 100 * rise, OF_HEIGHT, moment)
    if seconds > 0:
        speed = 100 * rise / seconds
        yield Measure("speed", f"Speed of the {what}", speed, "% of height a second", moment)


def _extreme(
    body: Body, values: np.ndarray, frames: np.ndarray, pick: Callable[[np.ndarray], np.intp]
) -> int | None:
    """The one of ``frames`` where ``values`` (T,) are extreme, of those that were looked at.

    None when fewer than 3 or less than `MOSTLY` of them are known, or when those beside it are not
    for longer than `UNSEEN_S`: the extreme may be hidden.
    """
    part = values[frames]
    known = np.isfinite(part)
    seen = known & body.observed[frames]
    if known.sum() < 3 or known.mean() < MOSTLY or not seen.any():
        return None
    found = int(pick(np.where(seen, part, np.nan)))
    return None if _borders_on_gap(body.time_s[frames], known, found) else int(frames[found])


def _borders_on_gap(time_s: np.ndarray, known: np.ndarray, at: int) -> bool:
    """Is what lies just before or just after the value ``at`` unknown for longer than `UNSEEN_S`?

    ``time_s`` and ``known`` are (n,).
    """
    places = np.flatnonzero(known)
    place = int(np.searchsorted(places, at))
    before = places[place - 1] if place else 0
    after = places[place + 1] if place + 1 < len(places) else len(known) - 1
    return any(
        abs(b - a) > 1 and abs(time_s[b] - time_s[a]) > UNSEEN_S
        for a, b in ((before, at), (at, after))
    )


def _at_least_zero(value: float) -> float:
    """``value``, 0 where it is less; NaN stays NaN: what was not seen is no 0."""
    return float(np.maximum(value, 0.0))


def _early(body: Body, lifting: Span) -> np.ndarray:
    """Frames of the first :data:`EARLY` of the lifting, by the height of the shoulders."""
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


def _overhead_catch(body: Body, rep: Repetition) -> Iterator[Measure]:
    """From the floor to overhead: how fast, how deep, and on which arms it is caught."""
    over = _overhead(body, rep)
    if over is None:
        return
    hands = body.height(WRISTS)
    bottom = rep.first + int(np.nanargmin(hands[rep.first : over + 1]))
    body.rest_on(bottom, over)
    catch = _catch(body, over, rep.last)
    if _just_seen(hands, body.time_s, over):
        seconds = float(body.time_s[over] - body.time_s[bottom])
        yield Measure("pull_s", "Floor to overhead", seconds, "s", float(body.time_s[bottom]))
        yield from _speed(body, (bottom, over), body.height(WRISTS), "hands")
    depth, unit = values_of(body, "depth")
    yield _at(body, "thigh_below_level", "Depth", depth, catch, unit)
    if body.about(depth, catch) < UPRIGHT:
        return
    yield from _caught(body, rep, catch)


def _jerk(body: Body, rep: Repetition) -> Iterator[Measure]:
    """From the shoulders to overhead: on which arms the jerk is caught. Also without a dip."""
    over = _overhead(body, rep)
    if over is None:
        return
    soon = np.flatnonzero(body.time_s <= body.time_s[over] + CATCH_S + STEADY_S)
    held = _above_shoulders(body, OVERHEAD)[over : int(soon[-1]) + 1]
    last = over + int(np.argmin(held)) if not held.all() else int(soon[-1])
    after = Repetition(rep.first, max(rep.last, last), None)
    yield from _caught(body, after, _catch(body, over, after.last))


def _rack(body: Body, rep: Repetition) -> Iterator[Measure]:
    """The catch of a clean: how deep, and how far the arms are bent under the bar."""
    over = _overhead(body, rep)
    up = _above_shoulders(body, AT_SHOULDERS)[rep.first : (over or rep.last) + 1]
    reached = np.flatnonzero(up)
    if not len(reached):
        return
    catch = _catch(body, rep.first + int(reached[0]), over or rep.last)
    depth, unit = values_of(body, "depth")
    yield _at(body, "clean_depth", "Depth of the clean", depth, catch, unit)
    elbows = body.angle(ELBOWS)
    yield _at(body, "rack_elbow", "Elbow angle in the rack", elbows, catch)


def _above_shoulders(body: Body, least: float) -> np.ndarray:
    """bool (T,): are the hands at least so far above the shoulders, in statures?"""
    return np.asarray(body.height(WRISTS) - body.height(SHOULDERS) > least)


def _overhead(body: Body, rep: Repetition) -> int | None:
    """The first frame of a repetition with the hands overhead, once enough was seen before it."""
    overhead = np.flatnonzero(_above_shoulders(body, OVERHEAD)[rep.first : rep.last + 1])
    if not len(overhead):
        return None
    over = rep.first + int(overhead[0])
    known = np.isfinite(body.height(WRISTS)[rep.first : over + 1]).sum()
    return over if known >= 3 else None


def _caught(body: Body, rep: Repetition, catch: int) -> Iterator[Measure]:
    """The arms at the catch, what they do after it, and where the bar is."""
    moment = float(body.time_s[catch])
    above = _above_shoulders(body, OVERHEAD)
    elbows = elbow_overhead(body)
    caught = body.about(elbows, catch)
    body.rest_on(catch, rep.last)
    yield Measure("catch_elbow", "Elbow angle at the catch", caught, "°", moment)
    above &= body.observed
    later = elbows[catch : rep.last + 1][above[catch : rep.last + 1]]
    later = later[np.isfinite(later)]
    if len(later) >= 3:
        opened = _at_least_zero(float(np.percentile(later, 80)) - caught)
        yield Measure("press_out", "Elbows open after the catch by", opened, "°", moment)
    if body.from_side:
        ahead = _ahead_of_midfoot(body)
        yield _at(body, "catch_ahead", "Hands from the midfoot, caught", 100 * ahead, catch, BEFORE)


def _even(body: Body, rep: Repetition) -> Iterator[Measure]:
    """How far left and right differ at most, in per cent of the way that they go."""
    pairs = np.stack([body.xy[:, list(WRISTS)], body.xy[:, list(SHOULDERS)]])
    height = (pairs[1] - pairs[0])[..., 1] / body.size  # (T, 2): hands above shoulders
    both = height[rep.frames]
    known = np.isfinite(both).all(-1)
    if body.only is not None or known.sum() < 3 or known.mean() < MOSTLY:
        return
    middle = both[known].mean(-1)
    for end in (int(middle.argmax()), int(middle.argmin())):
        body.rest_on(int(rep.frames[known][end]))
    way = float(np.ptp(middle))
    gap = np.abs(both[:, 0] - both[:, 1])
    worst = int(rep.frames[int(np.nanargmax(gap))])
    if way > LEAST_WAY:
        gap_s = body.about(np.abs(height[:, 0] - height[:, 1]), worst)
        moment = float(body.time_s[worst])
        yield Measure("even", "Left and right differ by", 100 * gap_s / way, "% of the way", moment)


def _just_seen(values: np.ndarray, time_s: np.ndarray, frame: int) -> bool:
    """Were ``values`` (T,) known shortly before ``frame``?"""
    known = np.flatnonzero(np.isfinite(values[:frame]))
    return len(known) > 0 and float(time_s[frame] - time_s[known[-1]]) <= UNSEEN_S


COMPUTED: dict[str, Callable[[Body, Repetition], Iterator[Measure]]] = {
    "tip": _tip,
    "knees_apart": _knees_apart,
    "bar_ahead": _bar_ahead,
    "times": _times,
    "overhead_catch": _overhead_catch,
    "jerk": _jerk,
    "rack": _rack,
    "even": _even,
    "duration": _duration,
}
"""What takes more than a look at one moment, by the name that exercises use."""
