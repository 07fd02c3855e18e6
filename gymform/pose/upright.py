"""Which way is up: whether a clip's picture lies on its side or stands on its head.

Somebody who lies on a bench looks much like somebody who stands in a picture that lies on its side.
Two things tell them apart. A network that learnt from upright pictures sees somebody who stands
more surely than the same person lying. And whoever lifts while standing moves towards the feet and
back, whoever lies moves across.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from gymform import skeleton as sk
from gymform.pose.detection import Detection, detect_in_boxes
from gymform.pose.estimator import PoseEstimator
from gymform.pose.speculation import Earlier, Speculation
from gymform.video.sparse import SparseFrames, first_to_last

STANDS = 0.5
"""Legs, or a trunk, that point up by this share of their length belong to nobody who lies."""

CLEARER = 0.1
"""Somebody seen more surely by this much, on average, stands in the turned picture."""

SLIGHTLY_CLEARER = 0.03
"""This much will do when the person also moves towards the feet and back."""

AGAINST = 0.0
"""Seen less surely than in the picture as it is, the first few samples speak against it. Engines
differ by 0.02 there."""

NO_LESS = 0.02
"""In no picture may the person be seen less surely by more than this then."""

LEAST_MOVEMENT, ALONG = 0.1, 1.5
"""Movement towards the feet, in sizes of the person, and as a multiple of that across."""

SAMPLES = 6
"""So many pictures of a clip are looked at, if the first half of them does not speak against it."""


@dataclass(frozen=True, eq=False)
class _Pair:
    """One person as seen in a picture as it is, and in the turned one."""

    as_is: Detection
    turned: Detection

    @property
    def gain(self) -> float:
        return self.turned.confidence - self.as_is.confidence


def upright_turn(
    frames: SparseFrames,
    estimator: PoseEstimator,
    people: dict[int, Detection],
    known: int = 0,
    ahead: Speculation | None = None,
) -> int:
    """By how many degrees the pictures must be turned counter-clockwise to stand upright: 0, 90,
    180 or 270.

    ``people`` are detections of the likeliest lifter in a few samples. Where most of them stand or
    sit upright, nothing is looked at. ``known`` is the turn that another network found by itself:
    two that agree need not both be sure. Samples are looked at side by side by the threads of
    ``ahead``.
    """
    lying = [person for person in people.values() if not is_up(person)]
    if not people or 2 * len(lying) <= len(people):
        return 0
    turn = _towards_up(lying)
    if turn == 0:
        return 0
    pairs: list[_Pair] = []
    for batch in _samples(frames, people):
        looks = [functools.partial(_pair, frames, estimator, people, i, turn) for i in batch]
        found = (ahead or Speculation()).at_once(looks)
        pairs += [pair for pair in found if pair is not None]
        if len(pairs) < 2 or np.mean([pair.gain for pair in pairs]) < AGAINST:
            return 0
    is_clear = _seems_clearer(pairs) if turn == known else _is_clearer(pairs)
    return turn if _stands(pairs) and is_clear else 0


def is_up(person: Detection) -> bool:
    """Does somebody stand, sit or kneel, with legs or trunk pointing up?"""
    return max(upward(person, sk.ANKLES, sk.HIPS), upward(person, sk.HIPS, sk.SHOULDERS)) >= STANDS


def upward(person: Detection, low: tuple[int, ...], high: tuple[int, ...]) -> float:
    """How far it goes up from the joints ``low`` to ``high``, as a share of their distance."""
    way = _way(person, low, high)
    return float(-way[1] / (np.hypot(*way) + 1e-6))


def _way(person: Detection, low: tuple[int, ...], high: tuple[int, ...]) -> np.ndarray:
    return np.asarray(person.xy[list(high)].mean(axis=0) - person.xy[list(low)].mean(axis=0))


def _towards_up(people: list[Detection]) -> int:
    """The turn, degrees counter-clockwise, that brings heads over feet."""
    x, y = np.nansum([_way(p, sk.ANKLES, sk.SHOULDERS) / p.size for p in people], axis=0)
    if abs(x) > abs(y):
        return 90 if x > 0 else 270
    return 180 if y > 0 else 0


def _samples(frames: SparseFrames, people: dict[int, Detection]) -> list[list[int]]:
    """The samples of ``people``, then as many others of the same shot as are still wanted."""
    known = sorted(people)
    shot = np.flatnonzero(frames.shots == frames.shots[known[0]])
    return [known, [i for i in first_to_last(shot, SAMPLES) if i not in known]]


def _pair(
    frames: SparseFrames,
    estimator: PoseEstimator,
    people: dict[int, Detection],
    sample: int,
    turn: int,
    earlier: Earlier[_Pair | None],
) -> _Pair | None:
    """The person in a ``sample`` as it is and turned by ``turn`` degrees; None if not in both."""
    nearest = min(people, key=lambda i: abs(i - sample))
    box = people[nearest].box
    as_is = people.get(sample)
    if as_is is None:
        found = detect_in_boxes(frames.picture(sample), estimator, box[None])
        as_is = found[0] if found else None
    size = np.array(frames.size) * frames.scale
    picture = frames.turned(turn).picture(sample)
    found = detect_in_boxes(picture, estimator, turn_box(box, size, turn)[None])
    return _Pair(as_is, found[0]) if as_is is not None and found else None


def turn_box(box: np.ndarray, size: np.ndarray, turn: int) -> np.ndarray:
    """A box (4,) xyxy px in a picture of ``size`` px after a turn, degrees counter-clockwise."""
    width, height = size
    for _ in range(turn // 90):
        x0, y0, x1, y1 = box
        box = np.array([y0, width - x1, y1, width - x0])
        width, height = height, width
    return box


def _stands(pairs: list[_Pair]) -> bool:
    """Does the person stand in the turned pictures, upright in some of them?"""
    legs = np.array([upward(pair.turned, sk.ANKLES, sk.HIPS) for pair in pairs])
    trunk = np.array([upward(pair.turned, sk.HIPS, sk.SHOULDERS) for pair in pairs])
    return bool((legs >= STANDS).mean() >= 0.8 and (trunk >= STANDS).mean() >= 0.5)


def _is_clearer(pairs: list[_Pair]) -> bool:
    gains = np.array([pair.gain for pair in pairs])
    if gains.mean() >= CLEARER:
        return True
    return bool(_seems_clearer(pairs) and gains.min() >= -NO_LESS and _along(pairs))


def _seems_clearer(pairs: list[_Pair]) -> bool:
    return bool(np.mean([pair.gain for pair in pairs]) >= SLIGHTLY_CLEARER)


def _along(pairs: list[_Pair]) -> bool:
    """Do shoulders or hands move towards the feet and back, in the turned pictures up and down?"""
    size = max(pair.turned.size for pair in pairs)
    ways = [
        np.ptp([_way(pair.turned, sk.ANKLES, joints) for pair in pairs], axis=0) / size
        for joints in (sk.SHOULDERS, sk.WRISTS)
    ]
    across, along = max(ways, key=lambda way: float(way[1]))
    return bool(along >= LEAST_MOVEMENT and along >= ALONG * across)
