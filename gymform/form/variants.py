"""Variants of an exercise that the skeleton tells: sumo, power, seated, on one leg.

Each is said only where it is clear by a margin and seen in most repetitions; else nothing is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from gymform.form.body import Body, median
from gymform.skeleton import ANKLES, HIPS, SHOULDERS
from gymform.types import RepForm

WIDE, NARROW = 1.35, 1.05
"""Ankles over shoulders, as distances in the picture: from the one on it is a sumo stance, up to
the other a conventional one. Both point sideways, so the view changes their ratio little."""

CLEAR_DEPTH = 8.0
"""Degrees that thighs are from level before a catch is called deep or high: the margin of depth."""

UPRIGHT = -60.0
"""Thighs that point up more than this at the catch are those of somebody who stands."""

SEATED = 0.36
"""Hips up to this many statures over the ankles are those of somebody who sits: on a bench with
level thighs they are at 0.25, standing at 0.49."""

RAISED = 0.16
"""An ankle this many statures over the other is in the air: less may be a camera near to the floor
before the lifter, who sees the farther foot higher up."""

Tell = Callable[[Body, RepForm], str | None]
"""The variant that a repetition shows; None where that is unclear."""


def variant_of(exercise: str, seen: Sequence[tuple[Body, RepForm]]) -> str | None:
    """The variant of an exercise (its key) that most of the repetitions ``seen`` show, as a title.

    None where the exercise has no variants that a skeleton tells, or none is clear in most.
    """
    for tell in TELLS.get(exercise, ()):
        count = Counter(tell(body, rep) for body, rep in seen)
        title, most = count.most_common(1)[0] if count else (None, 0)
        if title is not None and most > len(seen) / 2:
            return title
    return None


def _frames(body: Body, rep: RepForm) -> np.ndarray:
    """bool (T,): the frames of a repetition that were looked at."""
    start, end = rep.start_s / body.slow_motion, rep.end_s / body.slow_motion
    inside = (body.time_s >= start - 1e-9) & (body.time_s <= end + 1e-9)
    return np.asarray(inside & body.observed)


def _stance(body: Body, rep: RepForm) -> str | None:
    """Sumo or conventional. Not told from the side, where one foot hides the other."""
    if body.from_side:
        return None
    xy = body.xy[_frames(body, rep)]
    ankles, shoulders = (
        np.abs(xy[:, left, 0] - xy[:, right, 0]) for left, right in (ANKLES, SHOULDERS)
    )
    ratio = median(ankles) / max(median(shoulders), 1e-6)
    if ratio >= WIDE:
        return "Sumo"
    return "Conventional" if ratio <= NARROW else None


def _catch(full: str, power: str, muscle: str) -> Tell:
    """How deep the bar is caught: below level, above it, or standing."""

    def tell(body: Body, rep: RepForm) -> str | None:
        depth = rep.value("thigh_below_level")
        if depth is None or abs(depth.value) < CLEAR_DEPTH:
            return None
        if depth.value > 0:
            return full
        return power if depth.value > UPRIGHT else muscle

    return tell


def _seated(body: Body, rep: RepForm) -> str | None:
    """Seated; nothing is said of somebody who stands, as most do."""
    height = median(body.height(HIPS)[_frames(body, rep)])
    lean = median(np.abs(body.lean[_frames(body, rep)]))
    return "Seated" if height <= SEATED and lean < 45 else None


def _one_legged(body: Body, rep: RepForm) -> str | None:
    """On one leg: the other foot is in the air in the middle of the repetition."""
    frames = np.flatnonzero(_frames(body, rep))
    middle = frames[len(frames) // 3 : max(1, 2 * len(frames) // 3)]
    left, right = (body.xy[middle, joint, 1] for joint in ANKLES)
    apart = median(np.abs(left - right)) / body.size
    return "On one leg" if apart >= RAISED else None


TELLS: dict[str, tuple[Tell, ...]] = {
    "snatch": (_catch("Full snatch", "Power snatch", "Muscle snatch"),),
    "deadlift": (_one_legged, _stance),
    "romanian_deadlift": (_one_legged,),
    "squat": (_one_legged,),
    "overhead_press": (_seated,),
    "bicep_curl": (_seated,),
    "lateral_raise": (_seated,),
}
"""What is looked for in each exercise, by its key; the first that is clear is said."""
