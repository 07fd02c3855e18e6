"""Labels for joints in clips that something hides: resolved instead of left out.

Label fusion leaves out what teachers disagree on, and that is mostly what a plate, a rack or the
body itself hides: a network that learns from it never hears where hidden joints are. Here

- teachers that hidden joints fool have no vote: what the others agree on is labelled
  (``benchmarks/hidden_joints.md`` says how often each of them is right);
- a joint that is still missing is carried over from the frames before and after, where it has not
  moved in between.

What was inferred has v 1, all else 2.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from gymform import skeleton as sk
from gymform.motion.body_size import TORSO, stature
from gymform.training.pose.label_fusion import (
    ClipPeople,
    Rules,
    TeacherKeypoints,
    label,
    split_name,
)
from gymform.training.pose.packs import MARGIN, standard_crop
from gymform.training.pose.pseudo_labels import stored_size

NOTE = (
    "In clips, joints that something hides are labelled where MoveNet and gymform's own network "
    "agree, or from the frames before and after."
)
"""For the model card of a network that learned from such labels."""

FOOLED = ("mediapipe",)
"""Teachers whose answers about hidden joints are guesses."""

BESIDE_S = 1.1
"""A joint is carried over from frames at most this far before and after: the second neighbours."""

STILL = 0.15
"""It has not moved when its places before and after are nearer than this share of the torso."""


def label_with_hidden(predictions: TeacherKeypoints) -> list[np.ndarray | None]:
    """Keypoints (17, 3), px of the stored picture, of each person in clips; None where nobody can
    be labelled."""
    trusted = [
        at for at, name in enumerate(predictions.teachers) if split_name(name)[0] not in FOOLED
    ]
    people = predictions.people
    labels = []
    for row in range(len(people)):
        crop = picture_crop(people.crop[row])
        by_all = label(list(predictions.of_clips[:, row]), crop, Rules())
        by_trusted = label(list(predictions.of_clips[trusted, row]), crop, Rules())
        labels.append(marked_inferred(by_trusted, by_all))
    for _, rows in itertools.groupby(range(len(people)), people.clip.__getitem__):
        carry_over(labels, people, list(rows))
    return labels


def picture_crop(crop: np.ndarray) -> np.ndarray:
    """The network's crop (4,) in the stored picture of a person with this ``crop`` of the frame."""
    return standard_crop(*stored_size(crop))


def marked_inferred(by_trusted: np.ndarray | None, by_all: np.ndarray | None) -> np.ndarray | None:
    """The labels of the trusted teachers, v 1 for joints that all together had not labelled."""
    if by_trusted is None:
        return by_all
    marked = by_trusted.copy()
    agreed = np.zeros(len(marked), bool) if by_all is None else by_all[:, 2] > 0
    marked[~agreed & (marked[:, 2] > 0), 2] = 1.0
    return marked


def carry_over(
    labels: list[np.ndarray | None], people: ClipPeople, rows: Sequence[int]
) -> list[tuple[int, int]]:
    """Fill joints of the limbs that are missing in one of the ``rows``, frames of one clip in
    order, and at one place before and after. Returns (row, joint) of each."""
    known = [row for row in rows if labels[row] is not None]
    if len(known) < 3:
        return []
    tracks = np.stack([in_frame(labels[row], people.crop[row]) for row in known])
    time_s = people.time_s[known]
    torso = TORSO * stature(tracks)
    filled = []
    for i, joint in itertools.product(range(len(known)), sk.BODY):
        place = _carried(tracks[:, joint], time_s, i, STILL * torso)
        if np.isnan(tracks[i, joint]).any() and place is not None:
            row = known[i]
            points = labels[row].copy()  # type: ignore[union-attr]
            points[joint] = *in_picture(place, people.crop[row]), 1.0
            labels[row] = points
            filled.append((row, int(joint)))
    return filled


def _carried(track: np.ndarray, time_s: np.ndarray, at: int, reach: float) -> np.ndarray | None:
    """Where a joint must be at frame ``at`` of its ``track`` (T, 2): between its neighbours."""
    seen = np.isfinite(track).all(1)
    before = [k for k in range(at) if seen[k] and time_s[at] - time_s[k] <= BESIDE_S]
    after = [k for k in range(at + 1, len(track)) if seen[k] and time_s[k] - time_s[at] <= BESIDE_S]
    if not before or not after:
        return None
    first, last = before[-1], after[0]
    if not np.linalg.norm(track[last] - track[first]) <= reach:  # NaN too
        return None
    share = (time_s[at] - time_s[first]) / (time_s[last] - time_s[first])
    return np.asarray(track[first] + share * (track[last] - track[first]))


# ---- pixels of the stored picture and of the frame ---------------------------------------------


def in_frame(points: np.ndarray | None, crop: np.ndarray) -> np.ndarray:
    """Points (17, 2) px of the frame, NaN where not labelled, from ``points`` (17, 3)."""
    if points is None:
        return np.full((sk.NUM_KEYPOINTS, 2), np.nan)
    size = np.array(stored_size(crop))
    placed = crop[:2] + (points[:, :2] - (size - 1) / 2) * crop[2:] * MARGIN / (size - 1)
    return np.asarray(np.where(points[:, 2:] > 0, placed, np.nan))


def in_picture(place: np.ndarray, crop: np.ndarray) -> np.ndarray:
    """The same place (2,) in px of the stored picture."""
    size = np.array(stored_size(crop))
    return np.asarray((place - crop[:2]) / (crop[2:] * MARGIN) * (size - 1) + (size - 1) / 2)
