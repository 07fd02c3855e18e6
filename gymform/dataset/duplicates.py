"""Copies of one recording, told by what the pictures or the skeletons show over time.

Bytes tell only exact copies. Re-encoded, scaled, trimmed and mirrored ones show the same pictures,
in the same order and at the same pace: a clip's fingerprint is a row of tiny grey pictures, twelve
a second, and two clips are compared at every shift of one against the other. Pictures alone would
take any two repetitions before one camera for copies, so what changes within half a second has to
agree as well. Repetitions of one set, which the eye hardly tells apart, count as copies: neither
belongs on the other side of a split.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from gymform.dataset.items import Copy
from gymform.motion.body_size import stature
from gymform.skeleton import FLIP_ORDER
from gymform.types import PoseSequence
from gymform.video.read import read_frames
from gymform.video.sparse import every

RATE_HZ = 12.0
"""Pictures a second in a fingerprint."""

SIDE = 12
"""Width and height of a fingerprint's pictures, px."""

DECODED_SIDE = 160
"""Frames are shrunk to this while decoding, px."""

LAG = 6
"""Change is measured over so many samples: half a second."""

MIN_SAMPLES = 12
"""Clips that share less than this many samples cannot be told apart: one second."""

MIN_OVERLAP = 0.6
"""A copy shares at least this much of the shorter clip."""

MIN_PICTURES, MIN_CHANGE = 0.9, 0.85
"""From this correlation of pictures, and of their changes, on, two clips are copies.

Re-encoded, scaled, brightened, trimmed and mirrored versions of 24 real clips: above 0.97 and 0.91.
Other repetitions of one set before a fixed camera: 0.95 to 1.0 and 0.4 to 0.95.
"""

SUSPICIOUS = 0.7
"""A few pictures have to correlate this much before two clips are compared in full."""

STEPS = (0.0, 0.5)
"""Shifts between two samples, in samples: copies were not sampled at the same moments."""

MAX_SIZE_DIFFERENCE = 0.1
"""Estimates of a lifter's stature from two parts of a clip differ by no more than this share."""

MAX_CENTRE_DISTANCE = 0.3
"""The middles of all joints in two parts of a clip are no further apart, in statures."""

MIN_JOINTS = 6
"""Copies share so many joints a frame on average."""

MAX_POSE_DISTANCE = 0.03
"""Copies' joints lie this near to each other, root mean square, in statures."""


def fingerprint(path: Path) -> bytes:
    """The clip's pictures, :data:`RATE_HZ` a second, each :data:`SIDE` x :data:`SIDE` grey bytes.

    Raises VideoError kinds.
    """
    pictures = []
    with read_frames(path, max_side=DECODED_SIDE, keep=every(1 / RATE_HZ)) as frames:
        for frame in frames:
            grey = cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY)
            pictures.append(cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
    return b"".join(picture.tobytes() for picture in pictures)


class Fingerprints:
    """The clips known so far; `copies_of` says which of them a new one repeats."""

    def __init__(self, known: Mapping[str, bytes] | None = None) -> None:
        self._known: dict[str, _Views] = {}
        for sha256, data in (known or {}).items():
            self.add(sha256, data)

    def add(self, sha256: str, data: bytes) -> None:
        """Remember a clip's fingerprint."""
        self._known[sha256] = _Views.of(data)

    def copies_of(self, sha256: str, data: bytes) -> list[Copy]:
        """The known clips that show what ``data`` shows, the likeliest first."""
        new = _Views.of(data)
        copies = []
        for other, known in self._known.items():
            likeness, mirrored = max(
                (_likeness(new.plain, known.plain), False),
                (_likeness(new.plain, known.mirrored), True),
            )
            if likeness > 0 and other != sha256:
                copies.append(Copy(sha256, other, mirrored, round(likeness, 4)))
        return sorted(copies, key=lambda copy: -copy.likeness)


@dataclass(frozen=True, eq=False)
class _Views:
    """A fingerprint as standardised pictures float32 (N, SIDE * SIDE), as it is and mirrored."""

    plain: np.ndarray
    mirrored: np.ndarray

    @classmethod
    def of(cls, data: bytes) -> _Views:
        pictures = np.frombuffer(data, np.uint8).reshape(-1, SIDE, SIDE)
        return cls(_standardised(pictures), _standardised(pictures[:, :, ::-1]))


def _standardised(pictures: np.ndarray) -> np.ndarray:
    """float32 (N, P): each picture with mean 0 and length 1, so that brightness does not count."""
    flat = pictures.reshape(-1, SIDE * SIDE).astype(np.float32)
    flat = flat - flat.mean(1, keepdims=True)
    lengths = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.asarray(flat / (lengths + 1e-3))


def _likeness(a: np.ndarray, b: np.ndarray) -> float:
    """How sure it is that ``a`` and ``b`` (N, P) show one recording; 0 where they do not."""
    if min(len(a), len(b)) < MIN_SAMPLES or not (_resembles(a, b) or _resembles(b, a)):
        return 0.0
    return max(_aligned_likeness(a, _shifted(b, step)) for step in STEPS)


def _resembles(a: np.ndarray, b: np.ndarray) -> bool:
    """Are three pictures from the inside of ``a`` somewhere in ``b``? Cheap, and rarely true."""
    few = a[[len(a) // 4, len(a) // 2, 3 * len(a) // 4]]
    return bool((few @ b.T).max(1).min() >= SUSPICIOUS)


def _shifted(b: np.ndarray, step: float) -> np.ndarray:
    """What would have been sampled ``step`` samples later."""
    return b if step == 0 else (1 - step) * b[:-1] + step * b[1:]


def _aligned_likeness(a: np.ndarray, b: np.ndarray) -> float:
    """The likeness at the shift at which the changes agree best."""
    change_a, change_b = a[LAG:] - a[:-LAG], b[LAG:] - b[:-LAG]
    shifts = np.arange(1 - len(change_a), len(change_b))
    shared = _overlaps(len(a), len(b), shifts)
    pictures = _along_diagonals(a @ b.T)[shifts + len(a) - 1] / np.maximum(shared, 1)
    energy_a = _along_diagonals(np.repeat((change_a**2).sum(1)[:, None], len(change_b), 1))
    energy_b = _along_diagonals(np.repeat((change_b**2).sum(1)[None], len(change_a), 0))
    change = _along_diagonals(change_a @ change_b.T) / np.sqrt(energy_a * energy_b + 1e-9)
    enough = shared >= max(MIN_SAMPLES, MIN_OVERLAP * min(len(a), len(b)))
    found = enough & (pictures >= MIN_PICTURES) & (change >= MIN_CHANGE)
    return float(change[found].max()) if found.any() else 0.0


def _overlaps(length_a: int, length_b: int, shifts: np.ndarray) -> np.ndarray:
    """How many samples two clips share when the second is read ``shifts`` samples further on."""
    return np.asarray(np.minimum(length_a, length_b - shifts) - np.maximum(0, -shifts))


def _along_diagonals(table: np.ndarray) -> np.ndarray:
    """Sums (n + m - 1,) of ``table`` (n, m) along column - row, from -(n - 1) up."""
    rows, columns = table.shape
    sums = np.zeros(rows + columns - 1, table.dtype)
    for row, values in enumerate(table):
        sums[rows - 1 - row : rows - 1 - row + columns] += values
    return sums


# --- by the skeleton ----------------------------------------------------------------------------


class Skeletons:
    """The keypoints known so far; `copies_of` says which clip a new one repeats.

    Finds copies whose pictures were recoloured or written over. Body proportions, place in the
    picture and pace would all have to agree by chance within 3% of the lifter's stature.
    """

    def __init__(self) -> None:
        self._known: dict[str, _PoseViews] = {}

    def add(self, sha256: str, pose: PoseSequence) -> None:
        """Remember a clip's keypoints."""
        self._known[sha256] = _PoseViews.of(pose)

    def copies_of(self, sha256: str, pose: PoseSequence) -> list[Copy]:
        """The known clips in which joints move alike at like places, the likeliest first."""
        new = _PoseViews.of(pose)
        copies = []
        for other, known in self._known.items():
            distance, mirrored = new.distance_to(known)
            if distance <= MAX_POSE_DISTANCE and other != sha256:
                copies.append(Copy(sha256, other, mirrored, round(1 - distance, 4)))
        return sorted(copies, key=lambda copy: -copy.likeness)


@dataclass(frozen=True, eq=False)
class _PoseViews:
    """Keypoints (N, 34) in heights of the picture, NaN missing, as they are and mirrored.

    ``size`` is the lifter's stature in the same unit, NaN without a body; ``centres`` (2, 2) the
    middle of all joints, as they are and mirrored.
    """

    plain: np.ndarray
    mirrored: np.ndarray
    size: float
    centres: np.ndarray

    @classmethod
    def of(cls, pose: PoseSequence) -> _PoseViews:
        width, height = pose.image_size
        count = int((pose.time_s[-1] - pose.time_s[0]) * RATE_HZ) + 1
        wanted = pose.time_s[0] + np.arange(count) / RATE_HZ
        xy = pose.xy[np.abs(pose.time_s[None] - wanted[:, None]).argmin(1)] / height
        flipped = xy[:, list(FLIP_ORDER)] * [-1, 1] + [(width - 1) / height, 0]
        known = xy[np.isfinite(xy).all(-1)]
        x, y = np.median(known, axis=0) if len(known) else (np.nan, np.nan)
        return cls(
            plain=xy.reshape(count, -1),
            mirrored=flipped.reshape(count, -1),
            size=stature(pose.xy) / height,
            centres=np.array([[x, y], [(width - 1) / height - x, y]]),
        )

    def distance_to(self, other: _PoseViews) -> tuple[float, bool]:
        """Distance of the joints in statures, infinite for strangers, and: is one mirrored?"""
        best = (np.inf, False)
        if not abs(self.size - other.size) <= MAX_SIZE_DIFFERENCE * self.size:
            return best  # also where a size is not known
        for view, centre in ((other.plain, other.centres[0]), (other.mirrored, other.centres[1])):
            if np.linalg.norm(self.centres[0] - centre) <= MAX_CENTRE_DISTANCE * self.size:
                nearest = min(_distance(self.plain, _shifted(view, step)) for step in STEPS)
                best = min(best, (nearest / self.size, view is other.mirrored))
        return best


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    """Root mean square distance of joints at the best shift of ``b`` (M, 34) over ``a`` (N, 34).

    Infinite where they share too little.
    """
    if min(len(a), len(b)) < MIN_SAMPLES:
        return np.inf
    known_a, known_b = np.isfinite(a).astype(float), np.isfinite(b).astype(float)
    a, b = np.nan_to_num(a), np.nan_to_num(b)
    squares = (a**2) @ known_b.T + known_a @ (b**2).T - 2 * a @ b.T
    shared = _overlaps(len(a), len(b), np.arange(1 - len(a), len(b)))
    count = _along_diagonals(known_a @ known_b.T) / 2
    enough = shared >= max(MIN_SAMPLES, MIN_OVERLAP * min(len(a), len(b)))
    enough &= count >= MIN_JOINTS * shared
    if not enough.any():
        return np.inf
    mean = np.maximum(_along_diagonals(squares)[enough], 0) / count[enough]
    return float(np.sqrt(mean.min()))
