"""The paths of earlier repetitions, to lay under the one that is being done."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gymform.bar.carrier import Bar
from gymform.bar.figures import figures
from gymform.types import FormReport, whole_spans

MOST = 8
"""So many repetitions before the current one are drawn; more cannot be told apart."""

Lift = tuple[int, int]
"""First and last frame of the bar's way up."""


def lifts_of(bar: Bar | None, form: FormReport | None) -> list[Lift]:
    """The ways up of the whole repetitions in which the bar is seen, in their order."""
    if bar is None or form is None:
        return []
    found = figures(bar, whole_spans(form.repetitions)).repetitions
    spans = [(one.lifts_s, one.lifts_s + one.seconds) for one in found]
    return [(int(first), int(last) - 1) for first, last in np.searchsorted(bar.time_s, spans)]


def ghosts_at(bar: Bar, lifts: Sequence[Lift], frame: int) -> list[np.ndarray]:
    """The paths (N, 2) px of the ways up that are over at a frame, as its camera sees them.

    They are shifted so that each begins where the one that began last does.
    """
    begun = [first for first, _ in lifts if first <= frame]
    if not begun or not np.isfinite(bar.xy[frame]).all():
        return []
    start = bar.still[begun[-1]] + bar.xy[frame] - bar.still[frame]
    over = [lift for lift in lifts if lift[1] < frame][-MOST:]
    paths = [bar.still[first : last + 1] - bar.still[first] + start for first, last in over]
    return [path for path in paths if np.isfinite(path[0]).all()]
