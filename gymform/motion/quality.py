"""How far a clip's keypoints can be trusted, in figures and in plain words."""

from __future__ import annotations

import numpy as np

from gymform import skeleton as sk
from gymform.motion.body_size import TORSO, segment_lengths, stature
from gymform.motion.clean import MIN_SCORE
from gymform.types import CleanTracks, PoseQuality, PoseSequence

SWAP_GAIN = 0.15
"""A pair looks swapped when exchanging it shortens its step by this many torsos, and by half."""

RANGES: dict[str, tuple[float, float]] = {
    "coverage": (0.95, 0.4),
    "mean_confidence": (0.7, 0.3),
    "missing": (0.05, 0.5),
    "jitter": (0.02, 0.25),
    "bone_variation": (0.15, 0.7),
    "swaps_per_100": (2.0, 25.0),
}
"""For each figure the value from which on it is fully good, and from which on it is poor.

Clips on which the skeleton holds have a jitter of about 0.01 to 0.04 torsos and a bone variation
of 0.1 to 0.2; where plates hide the legs of lifters seen from the side, up to 0.15 and 0.5.
"""

FLOOR = 0.4
"""What is left of the summary by one figure that is poor."""


def assess(pose: PoseSequence, tracks: CleanTracks) -> PoseQuality:
    """Figures of trust for ``pose``, their summary in [0, 1], and notes for whoever filmed it.

    ``tracks`` are ``clean(pose)``. The summary is a product in which a figure that is poor leaves
    :data:`FLOOR`: one trouble makes a clip doubtful, two make it hardly usable.
    """
    present = pose.present
    trusted = pose.score >= MIN_SCORE
    figures = {
        "coverage": float(present.mean()),
        "mean_confidence": _mean(pose.score[present][:, list(sk.BODY)]),
        "missing": 1 - _mean(trusted[present][:, list(sk.BODY)]),
        "jitter": jitter(pose, tracks),
        "bone_variation": bone_variation(tracks.xy),
        "swaps_per_100": swaps_per_100(pose, trusted),
    }
    grades = {name: grade(name, value) for name, value in figures.items()}
    score = float(np.prod([FLOOR + (1 - FLOOR) * g for g in grades.values()]))
    score = score if present.any() else 0.0
    return PoseQuality(score=score, **figures, notes=_notes(figures, grades))


def jitter(pose: PoseSequence, tracks: CleanTracks) -> float:
    """Mean length of what cleaning takes out of a frame-to-frame step, in torsos; 0 if unknown."""
    size = stature(tracks.xy) * TORSO
    if len(pose) < 2 or not np.isfinite(size):
        return 0.0
    step = np.diff(pose.xy - tracks.xy, axis=0)[:, list(sk.BODY)]
    length = np.linalg.norm(step, axis=-1)
    return _mean(length[np.isfinite(length)]) / size


def bone_variation(xy: np.ndarray) -> float:
    """Median, over the body's segments, of their length's spread over its median; 0 if unknown.

    The spread is half the distance of the 16th and 84th percentile: the standard deviation where
    lengths are normal. Bones do not grow, but projections change as a limb turns to the camera,
    so a clean clip is not at 0 either.
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
    """Frames in 100 at which a left and a right joint seem to have changed places."""
    size = stature(np.where(trusted[..., None], pose.xy, np.nan)) * TORSO
    if len(pose) < 2 or not np.isfinite(size):
        return 0.0
    xy = np.where(trusted[..., None], pose.xy, np.nan) / size
    return 100 * float(swapped(xy[:-1], xy[1:]).mean())


def swapped(xy: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Whether, from one pose (T, 17, 2) to the other, a left and a right joint seem to have changed
    places: bool (T,). Torsos; joints that are NaN count for nothing."""

    def apart(joint: int, other: int) -> np.ndarray:
        return np.linalg.norm(others[:, other] - xy[:, joint], axis=-1)

    found = np.zeros(len(xy), bool)
    for left, right in sk.BODY_PAIRS:
        stay = apart(left, left) + apart(right, right)
        cross = apart(left, right) + apart(right, left)
        found |= (stay - cross > SWAP_GAIN) & (cross < 0.5 * stay)
    return found


def grade(name: str, value: float) -> float:
    """1 for a good figure, 0 for a poor one, linear in between."""
    good, poor = RANGES[name]
    return float(np.clip((value - poor) / (good - poor), 0, 1))


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else 0.0


def _notes(figures: dict[str, float], grades: dict[str, float]) -> tuple[str, ...]:
    """One sentence for each figure that is far from good: what is seen and what helps."""
    if figures["coverage"] == 0:
        return ("Nobody was found in this clip.",)
    sentences = {
        "coverage": f"The lifter was found in {figures['coverage']:.0%} of the frames only: keep "
        "the whole body in the picture from start to end.",
        "mean_confidence": "The joints are hard to see: film in better light, nearer, with clothes "
        "that stand out from the background.",
        "missing": f"{figures['missing']:.0%} of the joints could not be found, hidden or outside "
        "the picture: film from the side or at an angle, with head and feet in view.",
        "jitter": "The joints tremble from frame to frame: speeds and angles are rough.",
        "bone_variation": "Limb lengths change more than a turning body explains: the skeleton may "
        "have slipped to something else for a while.",
        "swaps_per_100": f"Left and right were mixed up in about {figures['swaps_per_100']:.0f} of "
        "100 frames: do not compare sides.",
    }
    return tuple(text for name, text in sentences.items() if grades[name] < 0.5)
