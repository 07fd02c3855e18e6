"""Proposes items to review from a clip's keypoints: its repetitions and their problems.

Reviewers sort items by score and filter them by problem; the notes say what was measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gymform.dataset.items import ClipRecord, Item, Quality, item_id
from gymform.exercises import find_exercise
from gymform.form.cues import repetitions_of
from gymform.motion.camera import median_speed
from gymform.motion.quality import FLOOR, assess, grade
from gymform.motion.repetitions import is_half, whole_repetitions
from gymform.types import CleanTracks, PoseQuality, PoseSequence, within

LOW_CONFIDENCE = "low confidence"
MISSING_JOINTS = "missing joints"
JITTER = "jitter"
BONE_LENGTHS = "bone lengths"
SWAPS = "left-right swaps"
PERSON_LOST = "person lost"
SCENE_CUT = "cut in the scene"
CAMERA_MOTION = "camera motion"
HALF_REPETITION = "half a repetition"
NO_REPETITION = "no repetition"
COPY = "copy of another clip"

PROBLEMS = (
    LOW_CONFIDENCE, MISSING_JOINTS, JITTER, BONE_LENGTHS, SWAPS, PERSON_LOST, SCENE_CUT,
    CAMERA_MOTION, HALF_REPETITION, NO_REPETITION, COPY,
)  # fmt: skip
"""All problems that are looked for, by the names that filters use."""

_PROBLEM_OF = {
    "coverage": PERSON_LOST,
    "mean_confidence": LOW_CONFIDENCE,
    "missing": MISSING_JOINTS,
    "jitter": JITTER,
    "bone_variation": BONE_LENGTHS,
    "swaps_per_100": SWAPS,
}
"""The problem that each measure of `PoseQuality` indicates."""

PROBLEM_GRADE = 0.5
"""A measure graded below this is a problem; `assess` then has a note about it."""

DOUBTFUL = 0.6
"""A score below this gets a note, even when no single measure is a problem."""

CALM_CAMERA, RESTLESS_CAMERA = 0.01, 0.05
"""Camera speeds, diagonals per second: fine up to the first, poor from the second on."""

_WEIGHT = {HALF_REPETITION: 0.5, NO_REPETITION: 0.7, SCENE_CUT: FLOOR}
"""Factors on the score for problems that are there or not."""


@dataclass(frozen=True, eq=False)
class Scene:
    """What the camera did: sampled times (N,) s, number of the shot at each, speeds (N - 1,)."""

    time_s: np.ndarray
    shots: np.ndarray
    camera_speed: np.ndarray


def propose(
    clip: ClipRecord,
    pose: PoseSequence,
    tracks: CleanTracks,
    scene: Scene,
    copies: Sequence[str] = (),
) -> tuple[list[Item], list[Quality]]:
    """An item for every repetition found, and the quality of its frames.

    Repetitions are those of the exercise that the clip is labelled with, where it is known: who
    picks a weight up has not curled it. ``tracks`` are ``clean(pose)``; ``copies`` are
    names of clips that show the same. When no repetition is found, the whole clip is one item.
    """
    end_s = max(clip.duration_s, float(pose.time_s[-1]))
    bounds = _repetitions(tracks, clip.exercise)
    found = bool(bounds)
    bounds = bounds or [(0.0, end_s)]
    items, qualities = [], []
    for part, (start, end) in enumerate(bounds, 1):
        items.append(_item(clip, part, start, min(end, end_s)))
        quality = assess(*_between(pose, tracks, start, end))
        findings = [
            *_findings_of_pose(quality),
            *_findings_of_scene(scene, start, end),
            *_findings_of_movement(tracks, start, end, found),
            *_findings_of_copies(copies),
        ]
        qualities.append(
            Quality(
                score=round(quality.score * math.prod(f.weight for f in findings), 4),
                problems=tuple(f.problem for f in findings),
                notes=tuple(f.note for f in findings),
            )
        )
    return items, qualities


def _repetitions(tracks: CleanTracks, exercise: str) -> list[tuple[float, float]]:
    """(start_s, end_s) of the whole repetitions of an exercise; of any movement where it is not
    known, or where the exercise shows none."""
    known = find_exercise(exercise)
    if known is not None:
        whole = [one for one in repetitions_of(tracks, known) if one.cut_off_by is None]
        if whole:
            return [(one.start_s, one.end_s) for one in whole]
    return whole_repetitions(tracks)


@dataclass(frozen=True)
class _Finding:
    """A problem, a sentence about it, and its factor on the score."""

    problem: str
    note: str
    weight: float = 1.0


def _item(clip: ClipRecord, part: int, start_s: float, end_s: float) -> Item:
    return Item(
        id=item_id(clip.sha256, part),
        clip_sha256=clip.sha256,
        exercise=clip.exercise,
        group=clip.group,
        start_s=round(start_s, 4),
        end_s=round(end_s, 4),
        part=part,
        name=clip.name,
    )


def _between(
    pose: PoseSequence, tracks: CleanTracks, start_s: float, end_s: float
) -> tuple[PoseSequence, CleanTracks]:
    """The frames from ``start_s`` to ``end_s``; times are still those of the clip."""
    inside = within(pose.time_s, start_s, end_s)
    if not inside.any():
        inside[np.abs(pose.time_s - start_s).argmin()] = True
    return pose.part(inside), tracks.part(inside)


def _findings_of_pose(quality: PoseQuality) -> Iterator[_Finding]:
    """What `assess` found; its score includes these already."""
    poor = [name for name in _PROBLEM_OF if grade(name, getattr(quality, name)) < PROBLEM_GRADE]
    if quality.coverage == 0:  # the others follow from it
        poor = ["coverage"]
    if not poor and quality.score < DOUBTFUL:
        weakest = min(_PROBLEM_OF, key=lambda name: grade(name, getattr(quality, name)))
        note = "Several measures are mediocre and add up; this is the weakest of them."
        yield _Finding(_PROBLEM_OF[weakest], note)
    for name, note in zip(poor, quality.notes, strict=False):  # those on single joints come last
        yield _Finding(_PROBLEM_OF[name], note)


def _findings_of_scene(scene: Scene, start_s: float, end_s: float) -> Iterator[_Finding]:
    inside = (scene.time_s >= start_s) & (scene.time_s <= end_s)
    if inside.any() and np.ptp(scene.shots[inside]) > 0:
        first = int(np.flatnonzero(inside)[0])
        cut = first + int(np.flatnonzero(np.diff(scene.shots[inside]))[0])
        moment = (scene.time_s[cut] + scene.time_s[cut + 1]) / 2
        note = f"The scene is cut at about {moment:.1f} s: trim to one side of it, or reject."
        yield _Finding(SCENE_CUT, note, _WEIGHT[SCENE_CUT])
    speed = median_speed(scene.camera_speed, scene.time_s, start_s, end_s)
    calm = np.clip((RESTLESS_CAMERA - speed) / (RESTLESS_CAMERA - CALM_CAMERA), 0, 1)
    if calm < PROBLEM_GRADE:  # False where the speed is unknown
        note = (
            f"The camera moves by {speed:.0%} of the picture's diagonal a second: paths in the "
            "picture are not those of the lifter."
        )
        yield _Finding(CAMERA_MOTION, note, FLOOR + (1 - FLOOR) * float(calm))


def _findings_of_movement(
    tracks: CleanTracks, start_s: float, end_s: float, found: bool
) -> Iterator[_Finding]:
    if not found:
        note = "No repetition was found: nothing moves enough, or the lifter is hardly seen."
        yield _Finding(NO_REPETITION, note, _WEIGHT[NO_REPETITION])
    elif is_half(tracks, start_s, end_s):
        note = "The clip holds half a repetition only: the movement goes one way and never back."
        yield _Finding(HALF_REPETITION, note, _WEIGHT[HALF_REPETITION])


def _findings_of_copies(copies: Sequence[str]) -> Iterator[_Finding]:
    if copies:
        more = f" and {len(copies) - 1} more" if len(copies) > 1 else ""
        note = f"It shows the same as {copies[0]}{more}: a copy, or a repetition just like it."
        yield _Finding(COPY, note)
