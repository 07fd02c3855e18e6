"""The bar of a clip, from the film and the skeleton: found, followed, measured, or not at all."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from gymform.bar.background import Background
from gymform.bar.carrier import Bar, no_bar
from gymform.bar.far import far_of, goes_along
from gymform.bar.find import Candidate, find_candidates, of_mark
from gymform.bar.follow import Plate, Sights, chosen, look
from gymform.bar.hands import Hands, hands_of
from gymform.bar.judge import Evidence, doubts_of_size, is_head, is_seen, why_no_plate
from gymform.bar.onward import followed_on
from gymform.bar.rim import exact, growth
from gymform.bar.smooth import Smoothed, smooth_positions
from gymform.bar.windows import MIDDLE, Window, sample_times, windows_of
from gymform.types import PoseSequence

PLATE_MM = 450.0
"""Diameter of bumper plates and of the largest iron ones (IWF, IPF), mm."""

JERK = 120.0
"""How suddenly a bar's acceleration changes, plate radii / s^2.5."""

NOISE = 0.02
"""Standard deviation of a plate's place in one frame, radii."""

CLEAR = 0.55
"""A rim whose support is a smaller share of what is usual in the film is something else."""

RADIUS_S = 0.5
"""The radius is the median over so many seconds before and after."""

BRIDGED_S = 0.25
"""A plate that is hidden for longer than this is not where smoothing would put it."""


On = Callable[[np.ndarray, np.ndarray, float], np.ndarray]

MIN_WINDOWS = 6
"""A lift that is seen in fewer frames shows no plate that moves."""


def follow_bar(
    path: Path,
    pose: PoseSequence,
    *,
    repetitions: Sequence[tuple[float, float]] | None = None,
    mark: tuple[float, float, float, float] | None = None,
    plate_mm: float | None = None,
) -> Bar:
    """The path of the barbell's plate in the film at ``path``; none where that is not certain.

    ``pose`` are the lifter's keypoints, ``repetitions`` (start, end) in seconds as `form` has them
    (None: wherever the hands go up or down). ``mark`` is (time_s, x, y, r), a plate's centre and
    half height in px that a user showed at a second; then nothing is looked for, and what is there
    is followed. ``plate_mm`` is the plate's diameter, None: the usual 450 mm where it looks like
    that. The film is decoded twice. Raises VideoError kinds.
    """
    diameter = PLATE_MM if plate_mm is None else plate_mm
    hands = hands_of(pose, repetitions)
    if hands is None:
        return no_bar(pose.time_s, diameter, "The hands are not seen going up or down.")
    turn = pose.provenance.turn
    times = sample_times(hands)
    if len(times) < MIN_WINDOWS:
        return no_bar(pose.time_s, diameter, "The hands are seen in too few frames of a lift.")
    windows = list(windows_of(path, hands, times, turn=turn))
    candidates = [] if mark else find_candidates(windows)
    candidate = _marked(windows, hands, mark) if mark else _found(candidates, windows, hands)
    if candidate is None:
        return no_bar(pose.time_s, diameter, "Nothing round is seen that moves with the hands.")
    background = Background(pose.boxes, pose.time_s)
    plate = plate_of(candidate, windows)
    sights = look(path, hands, plate, turn=turn, hear=background.hear)
    on = functools.partial(followed_on, path, plate, turn=turn)
    bar = judged(sights, plate, hands, background, plate_mm, mark is not None, on)
    other = far_of(candidate, candidates)
    if not bar.found or other is None:
        return bar
    far = plate_of(other, windows)
    return with_far(bar, look(path, hands, far, turn=turn), far)


def _found(
    candidates: Sequence[Candidate], windows: list[Window], hands: Hands
) -> Candidate | None:
    """The disc that is likeliest to be a plate; None where none is clear enough."""
    for candidate in candidates[:3]:
        if is_seen(candidate) and not is_head(candidate, windows, hands):
            return candidate
    return None


def _marked(
    windows: list[Window], hands: Hands, mark: tuple[float, float, float, float]
) -> Candidate | None:
    """The disc that a user showed, in all windows; None where the hands are not seen then."""
    time_s, x, y, r = mark
    there = hands.at(np.array([time_s]))[0]
    if not np.isfinite(there).all():
        return None
    scale = windows[0].scale
    middle = (np.array([x, y]) - there) * scale + MIDDLE
    way = (there - np.median([window.hands for window in windows], axis=0)) * scale
    return of_mark(middle, way, r * scale, windows)


def plate_of(candidate: Candidate, windows: Sequence[Window]) -> Plate:
    """Where the disc is against the hands, in px of the source."""
    scale = windows[0].scale
    x, y = ((value - MIDDLE) / scale for value in (candidate.x, candidate.y))
    times = np.array([window.time_s for window in windows])
    return Plate(x, y, candidate.r / scale, candidate.aspect, times, candidate.shifts / scale)


def judged(
    sights: Sights,
    plate: Plate,
    hands: Hands,
    background: Background,
    plate_mm: float | None,
    marked: bool,
    on: On,
) -> Bar:
    """The path of what was seen, or none, with the reasons.

    ``on`` follows it where the hands do not tell, from seconds, places and its usual support.
    """
    places, support = chosen(sights, plate)
    by_hands = clearly_seen(places, support)
    places[~by_hands] = np.nan
    seen = by_hands
    if by_hands.sum() >= MIN_WINDOWS:
        places = on(sights.time_s, places, float(np.median(support[by_hands])))
        seen = np.isfinite(places[:, 0])
    diameter = PLATE_MM if plate_mm is None else plate_mm
    if seen.sum() < MIN_WINDOWS or not np.isfinite(sights.rims[seen, 0, 0]).any():
        return no_bar(sights.time_s, diameter, "The plate is seen in too few frames.")
    at_best = seen & (places[:, 0] == sights.places[:, 0, 0])
    rims = np.where(at_best[:, None, None], sights.rims, np.nan)
    hands_at = np.array([plate.x, plate.y]) / plate.r
    larger, wider = exact(rims, plate.aspect, hands_at)
    plate = replace(plate, r=plate.r * larger, aspect=plate.aspect + wider)
    r = radii(plate.r * growth(rims), sights.time_s)
    path = smoothed(sights.time_s, places, plate.r)
    observed = seen & path.used
    xy = bridged(path.position, observed, sights.time_s)
    still = background.still(xy, sights.time_s)
    evidence = evidence_of(sights.time_s, xy, r, observed, by_hands, hands, background, plate)
    against = list(why_no_plate(evidence))
    if against and not marked:
        return no_bar(sights.time_s, diameter, *against)
    unsure = list(doubts_of_size(evidence, plate_mm is not None))
    scale = None if unsure else diameter / (2 * float(np.median(r[observed])))
    away = smoothed(sights.time_s, np.where(observed[:, None], still, np.nan), plate.r)
    velocity = np.where(np.isfinite(xy), away.velocity, np.nan)
    return Bar(
        sights.time_s, xy, np.where(np.isfinite(xy[:, 0]), r, np.nan), observed, velocity, still,
        lifting_at(hands, sights.time_s), plate.aspect, scale, diameter, tuple(against + unsure),
        marked,
    )  # fmt: skip


def with_far(bar: Bar, sights: Sights, far: Plate) -> Bar:
    """``bar`` with the path of the plate on its other end, where that goes along with it."""
    places, support = chosen(sights, far)
    places[~clearly_seen(places, support)] = np.nan
    if not goes_along(bar.xy, places, bar.lifting):
        return bar
    path = smoothed(sights.time_s, places, far.r)
    known = np.isfinite(places[:, 0]) & path.used
    larger, _ = exact(sights.rims, far.aspect, np.array([far.x, far.y]) / far.r)
    xy = bridged(path.position, known, sights.time_s)
    return replace(bar, far=xy, far_r=far.r * larger)


def clearly_seen(places: np.ndarray, support: np.ndarray) -> np.ndarray:
    """bool (T,): where the rim is supported nearly as well as it usually is in this film.

    What is found while the plate is away from the hands, or outside the frame, is supported less.
    """
    seen = np.isfinite(places[:, 0])
    usual = float(np.median(support[seen])) if seen.any() else 0.0
    return np.asarray(seen & (support >= CLEAR * usual))


def smoothed(time_s: np.ndarray, xy: np.ndarray, r: float) -> Smoothed:
    """A path (T, 2) px, NaN where nothing was seen, smoothed; ``r`` px is the plate's radius."""
    return smooth_positions(time_s, xy, np.full(len(xy), NOISE * r), JERK * r)


def radii(seen: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """The plate's radius (T,) px over time: slow, as it comes nearer or goes away only slowly."""
    known = np.isfinite(seen)
    if not known.any():
        return np.full(len(seen), np.nan)
    times, values = time_s[known], seen[known]
    first = np.searchsorted(times, times - RADIUS_S)
    last = np.searchsorted(times, times + RADIUS_S, side="right")
    medians = [np.median(values[a:b]) for a, b in zip(first, last, strict=True)]
    return np.asarray(np.interp(time_s, times, medians))


def bridged(xy: np.ndarray, observed: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """The path (T, 2) without what is farther than `BRIDGED_S` from where it was seen."""
    times = time_s[observed]
    if not len(times):
        return np.full_like(xy, np.nan)
    after = np.minimum(np.searchsorted(times, time_s), len(times) - 1)
    before = np.maximum(np.searchsorted(times, time_s, side="right") - 1, 0)
    inside = (time_s >= times[0] - 1e-9) & (time_s <= times[-1] + 1e-9)
    gap = times[after] - times[before]
    return np.where((inside & (gap <= BRIDGED_S))[:, None], xy, np.nan)


def lifting_at(hands: Hands, time_s: np.ndarray) -> np.ndarray:
    """bool (T,): at which seconds of the film the hands lift."""
    near = np.interp(time_s, hands.time_s, hands.lifting.astype(float))
    return np.asarray(near > 0.5)


def evidence_of(
    time_s: np.ndarray,
    xy: np.ndarray,
    r: np.ndarray,
    observed: np.ndarray,
    by_hands: np.ndarray,
    hands: Hands,
    background: Background,
    plate: Plate,
) -> Evidence:
    """What speaks for and against a followed disc, measured over the lift.

    ``by_hands`` bool (T,): where it was found by the hands, and is to move as they do.
    """
    lifting = lifting_at(hands, time_s)
    middle = hands.at(time_s)
    both = observed & by_hands & lifting & np.isfinite(middle[:, 0])
    likeness, ratio = float("nan"), float("nan")
    if both.sum() >= MIN_WINDOWS:
        ups, plates = middle[both, 1], xy[both, 1]
        likeness = float(np.corrcoef(ups, plates)[0, 1])
        ratio = float(plates.std() / max(ups.std(), 1e-6))
    sizes = r[observed & lifting] if (observed & lifting).any() else r
    low, high = np.quantile(sizes, [0.05, 0.95])
    seen = float(observed[lifting].mean()) if lifting.any() else 0.0
    change = float((high - low) / 2 / np.median(sizes))
    return Evidence(seen, likeness, ratio, change, background.speed(), plate.aspect,
                    plate.r / hands.torso)  # fmt: skip
