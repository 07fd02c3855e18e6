"""The keypoints of a clip, chosen over time among the network's peaks.

A heatmap may have several peaks: an ankle on the leg and one on the rack beside it, a left knee on
the left leg and on the right one. Each frame alone cannot tell them apart. Here a path through the
peaks of all frames is chosen for each joint by dynamic programming (Viterbi 1967): peaks that are
clearly seen, that follow each other no faster than a limb can move, and that are no farther from
the joint before them on the limb than the bone is long. A frame in which no peak fits is left out:
a joint behind a plate is missing, not on the other leg.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from gymform import skeleton as sk
from gymform.motion.body_size import SEGMENTS, stature
from gymform.motion.clean import stretches
from gymform.pose.adaptive import interpolated, runs_of, with_gaps
from gymform.types import answered_in

PEAKS = 3
"""How many peaks of a heatmap are looked at."""

MIN_SCORE = 0.25
"""A peak below this score costs more than a gap."""

REACH_S = 0.6
"""Over a gap longer than this, seconds, anything may have happened."""

FASTEST = 4.2
"""Statures a second: the hands in a snatch reach 3.5, feet in a jump 2.5."""

SLACK = 0.05
"""Statures by which two answers of a network for the same joint may differ at any time."""

JUMP_S = 0.5
"""A jump costs as much as leaving out this many seconds of a joint that is surely seen."""

USUAL = 1.5
"""Statures a second that limbs seldom exceed."""

HASTE_COST = 0.5
"""Cost of each stature beyond that, in seconds of a joint that is surely seen: of two paths that a
limb could follow, the calmer one is likelier."""

GAP_COST = 0.6
"""The same for each stature that a joint has moved while it was hidden."""

SWAP_COST = 0.12
"""Least distance in statures, summed over a pair of limbs, that exchanging them must save."""

SWAP_RATE = 0.4
"""Statures a second that it must save besides: what lasts is no mistake of a moment."""

TOO_LONG = 1.25
"""A bone longer than this share of its usual length ends at the wrong place."""

_PARENTS: dict[int, int] = {
    sk.LEFT_KNEE: sk.LEFT_HIP,
    sk.RIGHT_KNEE: sk.RIGHT_HIP,
    sk.LEFT_ANKLE: sk.LEFT_KNEE,
    sk.RIGHT_ANKLE: sk.RIGHT_KNEE,
    sk.LEFT_ELBOW: sk.LEFT_SHOULDER,
    sk.RIGHT_ELBOW: sk.RIGHT_SHOULDER,
    sk.LEFT_WRIST: sk.LEFT_ELBOW,
    sk.RIGHT_WRIST: sk.RIGHT_ELBOW,
}
"""The joint before each on its limb."""

_LEVELS = (
    tuple(k for k in range(sk.NUM_KEYPOINTS) if k not in _PARENTS),
    (*sk.KNEES, *sk.ELBOWS),
    (*sk.ANKLES, *sk.WRISTS),
)
"""Joints in the order in which they are chosen: each after the one before it on its limb."""

_LIMBS = ((sk.SHOULDERS, sk.ELBOWS, sk.WRISTS), (sk.HIPS, sk.KNEES, sk.ANKLES))
"""Pairs of joints that are exchanged together: those of the arms, those of the legs."""

_BONES = {(a[0], b[0]): length for a, b, length in SEGMENTS if len(a) == 1 and len(b) == 1}


def choose_keypoints(
    peaks: np.ndarray, time_s: np.ndarray, shots: np.ndarray, boxes: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints float32 (T, 17, 2) px and scores (T, 17) out of ``peaks`` (T, 17, K, 3).

    ``peaks``, ``shots`` (T,) and ``boxes`` (T, 4) are as in PoseSequence, ``time_s`` (T,) rising
    seconds. NaN and 0 where nothing fits, and where the picture stands still. Frames in which the
    lifter was followed, but that the network did not look at, are interpolated; none without boxes.
    """
    xy = np.full((*peaks.shape[:2], 2), np.nan, np.float32)
    score = np.zeros(peaks.shape[:2], np.float32)
    looked = answered_in(peaks)
    followed = looked if boxes is None else np.isfinite(boxes).all(axis=1)
    for start, stop in stretches(shots):
        part = start + np.flatnonzero((looked | ~followed)[start:stop])
        xy[part], score[part] = _choose_in_shot(peaks[part], time_s[part])
    for span in with_gaps(runs_of(followed, shots), looked):
        some = interpolated(xy[span], score[span], time_s[span], looked[span])
        xy[span], score[span] = some
    return xy, score


def _choose_in_shot(peaks: np.ndarray, time_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same without a cut: peaks (T, 17, K, 3)."""
    best = peaks[:, :, 0]
    size = stature(np.where(best[..., 2:] >= MIN_SCORE, best[..., :2], np.nan).astype(np.float64))
    if not np.isfinite(size) or len(peaks) < 2:
        return best[..., :2].copy(), best[..., 2].copy()
    peaks = _exchanged(peaks, time_s, size)
    xy = np.full((*best.shape[:2], 2), np.nan, np.float32)
    score = np.zeros(best.shape[:2], np.float32)
    for joints in _LEVELS:
        merit = np.stack([_merit(peaks[:, joint], xy, joint, size) for joint in joints])
        places = peaks[:, joints, :, :2].swapaxes(0, 1) / size
        for joint, chosen in zip(joints, _paths(places, merit, time_s), strict=True):
            rows = np.flatnonzero(chosen >= 0)
            found = peaks[rows, joint, chosen[rows]]
            xy[rows, joint], score[rows, joint] = found[:, :2], found[:, 2]
    return xy, score


def _merit(peaks: np.ndarray, xy: np.ndarray, joint: int, size: float) -> np.ndarray:
    """How much each peak (T, K, 3) of a joint is worth, -inf where there is none: (T, K).

    Its score above `MIN_SCORE`, less the length by which its bone is too long.
    """
    merit = np.where(peaks[..., 2] > 0, peaks[..., 2] - MIN_SCORE, -np.inf)
    if joint in _PARENTS:
        parent = _PARENTS[joint]
        length = np.linalg.norm(peaks[..., :2] - xy[:, parent, None], axis=-1) / size
        excess = length / (TOO_LONG * _BONES[parent, joint]) - 1
        merit = merit - 2 * np.clip(np.nan_to_num(excess), 0, 1)
    return np.asarray(merit)


def _paths(places: np.ndarray, merit: np.ndarray, time_s: np.ndarray) -> list[np.ndarray]:
    """The peak to take in each frame, or -1: int (T,) of each joint, the path of the largest merit.

    ``places`` (J, T, K, 2) are in statures, ``merit`` (J, T, K). Two peaks that follow each other
    within `REACH_S` must not be farther apart than a limb moves in that time; after a longer gap,
    or at the price of a jump, they may.
    """
    joints, count, width = merit.shape
    gain = merit * _steps(time_s)[:, None]
    total = np.full(merit.shape, -np.inf)
    before = np.full(merit.shape, -1)
    jump = JUMP_S * (1 - MIN_SCORE)
    first = 0
    old = _End(np.zeros(joints), np.full(joints, -1))  # of a path too long ago to matter
    best = _End(np.full(joints, -np.inf), np.full(joints, -1))
    for t in range(count):
        while time_s[t] - time_s[first] > REACH_S:
            old.extend(total[:, first], first)
            first += 1
        jumps = best.value - jump > old.value
        options = np.repeat(np.where(jumps, best.value - jump, old.value)[:, None], width, 1)
        source = np.repeat(np.where(jumps, best.at, old.at)[:, None], width, 1)
        if t > first:
            value, at = _best_steps(
                places[:, first:t], total[:, first:t], time_s[first:t], places[:, t], time_s[t]
            )
            better = value > options
            options = np.where(better, value, options)
            source = np.where(better, at + first * width, source)
        total[:, t] = options + gain[:, t]
        before[:, t] = source
        best.extend(total[:, t], t)
    ends = np.where(best.value > 0, best.at, -1)
    return [_traced(*one) for one in zip(before, ends.tolist(), strict=True)]


@dataclass(eq=False)
class _End:
    """The best end of each joint's path so far: its ``value`` (J,), and its flat index ``at``."""

    value: np.ndarray
    at: np.ndarray

    def extend(self, total: np.ndarray, t: int) -> None:
        """Let the best peak of frame ``t`` be the end where its ``total`` (J, K) is better."""
        peak = total.argmax(axis=1)
        value = total[np.arange(len(total)), peak]
        better = value > self.value
        self.value = np.where(better, value, self.value)
        self.at = np.where(better, t * total.shape[1] + peak, self.at)


def _best_steps(
    places: np.ndarray, total: np.ndarray, times: np.ndarray, to: np.ndarray, time_s: float
) -> tuple[np.ndarray, np.ndarray]:
    """The best way to each of the peaks ``to`` (J, K, 2) from those of W frames before, in each of
    which a path is worth ``total`` (J, W, K): values and flat indices (J, K)."""
    joints, width = to.shape[:2]
    distance = np.linalg.norm(to[:, None, None] - places[:, :, :, None], axis=-1)  # (J, W, K, K)
    since = (time_s - times)[:, None, None]
    haste = np.maximum(distance - USUAL * since - SLACK / 2, 0)
    hidden = (np.arange(len(times)) < len(times) - 1)[:, None, None]
    value = total[..., None] - HASTE_COST * haste - GAP_COST * hidden * distance
    value = np.where(distance <= FASTEST * since + SLACK, value, -np.inf)
    value = value.reshape(joints, -1, width)
    at = value.argmax(axis=1)
    return np.take_along_axis(value, at[:, None], axis=1)[:, 0], at


def _traced(before: np.ndarray, end: int) -> np.ndarray:
    """The peaks (T,) of the path that ends at the flat index ``end``; -1 where it leaves out."""
    count, width = before.shape
    chosen = np.full(count, -1)
    while end >= 0:
        t, k = divmod(end, width)
        chosen[t] = k
        end = int(before[t, k])
    return chosen


def _steps(time_s: np.ndarray) -> np.ndarray:
    """Seconds (T,) that each frame stands for."""
    steps = np.diff(time_s)
    usual = float(np.median(steps))
    return np.asarray(np.minimum(np.r_[steps, usual], 3 * usual))


# ---- limbs that are exchanged -----------------------------------------------------------------


def _exchanged(peaks: np.ndarray, time_s: np.ndarray, size: float) -> np.ndarray:
    """``peaks`` (T, 17, K, 3) with arms and legs put right that change sides for a moment."""
    out = peaks.copy()
    for limb in _LIMBS:
        swap = _swapped(peaks, limb, time_s, size)
        for left, right in limb:
            out[swap, left], out[swap, right] = peaks[swap, right], peaks[swap, left]
    return out


def _swapped(
    peaks: np.ndarray, limb: tuple[tuple[int, int], ...], time_s: np.ndarray, size: float
) -> np.ndarray:
    """In which frames both limbs of a pair are exchanged, bool (T,): the cheapest path.

    Staying exchanged costs as much a second as the limbs must be apart for it to pay.
    """
    joints = np.array(limb)  # (J, 2)
    known = peaks[:, joints, 0, 2] >= MIN_SCORE
    places = np.where(known[..., None], peaks[:, joints, 0, :2] / size, np.nan)  # (T, J, 2, 2)
    usable = np.flatnonzero(np.any(np.all(known, axis=2), axis=1))
    swap = np.zeros(len(peaks), bool)
    if len(usable) < 3:
        return swap
    cost = np.array([0.0, 0.0])
    back = np.zeros((len(usable), 2), int)
    seen = places[usable]
    apart = _distances(seen[:-1], seen[1:]).tolist()
    crossed = _distances(seen[:-1], seen[1:, :, ::-1]).tolist()
    for i, (a, b) in enumerate(itertools.pairwise(usable), start=1):
        same, other = apart[i - 1], crossed[i - 1]
        ways = np.array([[same, other + SWAP_COST], [other, same]])  # from, to
        if time_s[b] - time_s[a] > REACH_S:
            ways = np.array([[0.0, SWAP_COST], [0.0, 0.0]])
        total = cost[:, None] + ways
        back[i] = np.argmin(total, axis=0)
        held = min(float(time_s[b] - time_s[a]), REACH_S)
        cost = np.min(total, axis=0) + np.array([0.0, SWAP_RATE * held])
    state = int(cost[1] < cost[0])
    for i in range(len(usable) - 1, -1, -1):
        swap[usable[i]] = bool(state)
        state = int(back[i, state])
    return swap


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Distances (N,) between frames (N, J, 2, 2): sums over joints and sides, each up to 0.3."""
    lengths = np.linalg.norm(a - b, axis=-1)
    return np.asarray(np.minimum(np.nan_to_num(lengths), 0.3).sum(axis=(1, 2)))
