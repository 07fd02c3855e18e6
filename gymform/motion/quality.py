"""How far a clip's keypoints can be trusted, in numbers and in plain words."""

from __future__ import annotations

import numpy as np

from gymform import skeleton as sk
from gymform.motion.body_size import SEGMENTS, TORSO, segment_lengths, stature
from gymform.motion.clean import MIN_SCORE
from gymform.motion.evidence import evidence_of
from gymform.types import CleanTracks, PoseQuality, PoseSequence

SWAP_GAIN = 0.15
"""Left and right look swapped if exchanging them shortens their step by this many torsos, and by
more than half."""

RANGES: dict[str, tuple[float, float]] = {
    "coverage": (0.95, 0.4),
    "mean_confidence": (0.7, 0.3),
    "missing": (0.05, 0.5),
    "jitter": (0.02, 0.25),
    "bone_variation": (0.15, 0.7),
    "swaps_per_100": (2.0, 25.0),
}
"""For each metric the value that is fully good, and the value that is poor.

Clips with a reliable skeleton have a jitter of about 0.01 to 0.04 torsos and a bone variation of
0.1 to 0.2; where plates hide the legs of lifters seen from the side, up to 0.15 and 0.5.
"""

FLOOR = 0.4
"""The factor by which one poor metric reduces the score."""


UNSEEN = 0.5
"""A pair of joints that is seen in less than this share of the frames is named."""

UNSEEN_FACTOR = 0.8
"""The factor by which each such pair reduces the score."""

ODD = (0.5, 2.0)
"""The length of the legs over that of the torso, by what is usual: a torso bent towards the camera
looks short, but not shorter than half."""


def assess(pose: PoseSequence, tracks: CleanTracks) -> PoseQuality:
    """Quality metrics of ``pose``, a score in [0, 1], and notes for the person who filmed it.

    A joint is missing where ``motion/evidence.py`` does not let it pass, but for its confidence.

    ``tracks`` are ``clean(pose)``. The score is a product with a factor from 1 (good) to
    :data:`FLOOR` (poor) for each metric: one problem makes a clip doubtful, two hardly usable.
    """
    present = pose.present
    trusted = pose.score >= MIN_SCORE
    seen = evidence_of(pose, tracks, MIN_SCORE).known
    metrics = {
        "coverage": float(present.mean()),
        "mean_confidence": _mean(pose.score[present][:, list(sk.BODY)]),
        "missing": 1 - _mean(seen[present][:, list(sk.BODY)]),
        "jitter": jitter(pose, tracks),
        "bone_variation": bone_variation(tracks.xy),
        "swaps_per_100": swaps_per_100(pose, trusted),
    }
    grades = {name: grade(name, value) for name, value in metrics.items()}
    unseen = _unseen_pairs(seen[present]) if present.any() else {}
    odd = _proportions_are_odd(tracks.xy)
    factors = [FLOOR + (1 - FLOOR) * g for g in grades.values()]
    factors += [UNSEEN_FACTOR] * len(unseen) + [FLOOR] * odd
    score = float(np.prod(factors)) if present.any() else 0.0
    notes = (*_notes(metrics, grades), *_notes_of_body(unseen, odd))
    return PoseQuality(score=score, **metrics, notes=notes)


def _unseen_pairs(seen: np.ndarray) -> dict[str, float]:
    """Pairs of joints of which neither is seen in most frames, bool (T, 17), and in which share."""
    shares = {}
    for left, right in sk.BODY_PAIRS:
        name = f"{sk.KEYPOINTS[left].removeprefix('left_')}s"
        shares[name] = 1 - float(seen[:, (left, right)].any(1).mean())
    return {name: share for name, share in shares.items() if share > UNSEEN}


def _proportions_are_odd(xy: np.ndarray) -> bool:
    """Has the body a thigh or a shank that no torso of its kind has?

    A box around a lifter and something else gives skeletons like that.
    """
    lengths = segment_lengths(xy).reshape(len(xy), -1)
    known = np.isfinite(lengths).sum(0) > 0.3 * len(xy)
    if not known[:5].all():
        return False
    usual = np.nanpercentile(lengths[:, :5], 75, axis=0)
    torso, legs = float(usual[0]), usual[1:]
    share = float(np.median(legs)) / max(torso, 1e-6) / (SEGMENTS[1][2] / SEGMENTS[0][2])
    return not ODD[0] <= share <= ODD[1]


def jitter(pose: PoseSequence, tracks: CleanTracks) -> float:
    """Mean change that cleaning makes to a frame-to-frame step, in torsos; 0 if unknown."""
    size = stature(tracks.xy) * TORSO
    if len(pose) < 2 or not np.isfinite(size):
        return 0.0
    step = np.diff(pose.xy - tracks.xy, axis=0)[:, list(sk.BODY)]
    length = np.linalg.norm(step, axis=-1)
    return _mean(length[np.isfinite(length)]) / size


def bone_variation(xy: np.ndarray) -> float:
    """Relative spread of the segments' lengths over time, median over segments; 0 if unknown.

    The spread is half the distance between the 16th and 84th percentiles (the standard deviation
    of a normal distribution), divided by the median. Bones do not grow, but projections change as a
    limb turns to the camera, so even a clean clip is above 0.
    """
    lengths = segment_lengths(xy).reshape(len(xy), -1)
    variations = []
    for column in lengths.T:
        known = column[np.isfinite(column)]
        if len(known) >= 3 and np.median(known) > 0:
            low, middle, high = np.percentile(known, [16, 50, 84])
            variations.append((high - low) / 2 / middle)
    return float(np.median(variations)) if variations else 0.0


def swaps_per_100(pose: PoseSequence, trusted: np.ndarray) -> float:
    """In how many of 100 frames a left and a right joint seem to be swapped."""
    size = stature(np.where(trusted[..., None], pose.xy, np.nan)) * TORSO
    if len(pose) < 2 or not np.isfinite(size):
        return 0.0
    xy = np.where(trusted[..., None], pose.xy, np.nan) / size
    return 100 * float(swapped(xy[:-1], xy[1:]).mean())


def swapped(xy: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Whether a left and a right joint seem to be swapped between two poses: bool (T,).

    ``xy`` and ``others`` are (T, 17, 2) in torsos; joints that are NaN are ignored.
    """

    def distance(joint: int, other: int) -> np.ndarray:
        return np.asarray(np.linalg.norm(others[:, other] - xy[:, joint], axis=-1))

    found = np.zeros(len(xy), bool)
    for left, right in sk.BODY_PAIRS:
        same = distance(left, left) + distance(right, right)
        crossed = distance(left, right) + distance(right, left)
        found |= (same - crossed > SWAP_GAIN) & (crossed < 0.5 * same)
    return found


def grade(name: str, value: float) -> float:
    """1 for a good value of the metric ``name``, 0 for a poor one, linear in between."""
    good, poor = RANGES[name]
    return float(np.clip((value - poor) / (good - poor), 0, 1))


def _notes_of_body(unseen: dict[str, float], odd: bool) -> tuple[str, ...]:
    """Sentences about the joints that are hardly seen, and about a body that cannot be."""
    notes = [
        f"The {name} are hidden or outside the picture in {share:.0%} of the frames."
        for name, share in unseen.items()
    ]
    if odd:
        notes.append(
            "The skeleton's legs and torso do not fit together: it may lie on something else "
            "beside the lifter."
        )
    return tuple(notes)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else 0.0


def _notes(metrics: dict[str, float], grades: dict[str, float]) -> tuple[str, ...]:
    """One sentence for each metric that is far from good: what is wrong and what helps."""
    if metrics["coverage"] == 0:
        return ("Nobody was found in this clip.",)
    sentences = {
        "coverage": f"The lifter was found in {metrics['coverage']:.0%} of the frames only: keep "
        "the whole body in the picture from start to end.",
        "mean_confidence": "The joints are hard to see: film in better light, nearer, with clothes "
        "that stand out from the background.",
        "missing": f"{metrics['missing']:.0%} of the joints could not be found, hidden or outside "
        "the picture: film from the side or at an angle, with head and feet in view.",
        "jitter": "The joints tremble from frame to frame: speeds and angles are rough.",
        "bone_variation": "Limb lengths change more than a turning body explains: the skeleton may "
        "have slipped to something else for a while.",
        "swaps_per_100": f"Left and right were mixed up in about {metrics['swaps_per_100']:.0f} of "
        "100 frames: do not compare sides.",
    }
    return tuple(text for name, text in sentences.items() if grades[name] < 0.5)
