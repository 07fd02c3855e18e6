"""Copies of one recording, told by what the pictures or the skeletons show over time.

Bytes tell only exact copies. Re-encoded, scaled, trimmed and mirrored ones show the same pictures
in the same order: a clip's fingerprint is a row of tiny grey pictures, twelve a second, and two
clips are compared at every shift of one against the other. Plain bars around the picture are left
out of a fingerprint. For copies that were cropped or play at another speed, parts of the picture
(`cropping.py`) and many speeds are tried.

Pictures alone would take any two repetitions before one camera for copies, so what changes within
half a second has to agree as well. Repetitions of one set, which the eye hardly tells apart, count
as copies: neither belongs on the other side of a split.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from gymform.dataset.cropping import SIDE, Finder, Mean, cut_out, standardised, whole
from gymform.dataset.items import Copy
from gymform.motion.body_size import stature
from gymform.skeleton import FLIP_ORDER
from gymform.types import PoseSequence
from gymform.video.read import read_frames
from gymform.video.sparse import every

RATE_HZ = 12.0
"""Pictures a second in a fingerprint."""

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

MIN_CHANGE_OF_PARTS = 0.88
"""The same for the changes of a crop: where many rectangles are tried, one fits by chance."""

ROUGH_CHANGE = 0.6
"""Changes of every second picture correlate this much before two clips are compared in full."""

USUAL_SPEEDS = (1.25, 0.8, 1.5, 2 / 3, 2.0, 0.5, 0.75, 4 / 3)
SPEEDS = (1.0, *USUAL_SPEEDS, *(1.05**step for i in range(1, 14) for step in (i, -i)))
"""How many times faster one copy may play than the other: as players offer, and what lies between.
At a speed between two of these, clips drift apart by 2.5%, in ten seconds by a quarter of one."""

BAR_RANGE = 14
"""Rows and columns at the edge whose grey stays within this range, in all frames, are bars."""

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
    with read_frames(path, max_side=DECODED_SIDE, keep=every(1 / RATE_HZ)) as frames:
        pictures = [cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY) for frame in frames]
    if not pictures:
        return b""
    rows, columns = _without_bars(pictures)
    return b"".join(_shrunk(picture[rows, columns]).tobytes() for picture in pictures)


def _shrunk(picture: np.ndarray) -> np.ndarray:
    whole_rows = np.ascontiguousarray(picture)
    return cv2.resize(whole_rows, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def _without_bars(pictures: list[np.ndarray]) -> tuple[slice, slice]:
    """Rows and columns of ``pictures``, each (H, W), without the plain bars around them."""
    low = functools.reduce(np.minimum, pictures).astype(int)
    high = functools.reduce(np.maximum, pictures).astype(int)
    rows, columns = (np.flatnonzero(high.max(axis) - low.min(axis) > BAR_RANGE) for axis in (1, 0))
    if not len(rows) or not len(columns):
        return slice(None), slice(None)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


class Fingerprints:
    """The clips known so far; `copies_of` says which of them a new one repeats."""

    def __init__(self, known: Mapping[str, bytes] | None = None) -> None:
        self._known: dict[str, _Pictures] = {}
        for sha256, data in (known or {}).items():
            self.add(sha256, data)

    def add(self, sha256: str, data: bytes) -> None:
        """Remember a clip's fingerprint."""
        self._known[sha256] = _Pictures.of(_grey(data))

    def copies_of(self, sha256: str, data: bytes) -> list[Copy]:
        """The known clips that show what ``data`` shows, the likeliest first."""
        grey = _grey(data)
        plain, mirrored = _New.of(grey), _New.of(grey[:, :, ::-1])
        copies = []
        for other, known in self._known.items():
            likeness, is_mirrored = max(
                (_likeness(plain, known), False), (_likeness(mirrored, known), True)
            )
            if likeness > 0 and other != sha256:
                copies.append(Copy(sha256, other, is_mirrored, round(likeness, 4)))
        return sorted(copies, key=lambda copy: -copy.likeness)


def _grey(data: bytes) -> np.ndarray:
    """The pictures (N, SIDE, SIDE) of a fingerprint."""
    return np.frombuffer(data, np.uint8).reshape(-1, SIDE, SIDE)


@dataclass(frozen=True, eq=False)
class _Pictures:
    """A fingerprint as it is compared: its pictures ``grey`` uint8 (N, P), the same standardised,
    float32, and their mean."""

    grey: np.ndarray
    plain: np.ndarray
    mean: Mean

    @classmethod
    def of(cls, pictures: np.ndarray) -> _Pictures:
        grey = np.ascontiguousarray(pictures.reshape(-1, SIDE * SIDE))
        return cls(grey, standardised(grey), Mean.of(grey))


@dataclass(frozen=True, eq=False)
class _New:
    """A fingerprint that is compared with all that are known."""

    pictures: _Pictures
    finder: Finder

    @classmethod
    def of(cls, pictures: np.ndarray) -> _New:
        made = _Pictures.of(pictures)
        return cls(made, Finder(made.mean))


def _likeness(new: _New, known: _Pictures) -> float:
    """How sure it is that both show one recording; 0 where they do not."""
    if min(len(new.pictures.grey), len(known.grey)) < MIN_SAMPLES:
        return 0.0
    found = _likeness_at_speeds(new.pictures.plain, known.plain, MIN_CHANGE)
    parts = (_likeness_at_speeds(*pair, MIN_CHANGE_OF_PARTS) for pair in _croppings(new, known))
    return found or max(parts, default=0.0)


def _croppings(new: _New, known: _Pictures) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pictures of both, where one of them seems to be a crop of the other.

    Clips of one camera have the same picture as a whole, and no part is tried.
    """
    grey = new.pictures.grey
    likeness = float(new.pictures.mean.whole @ known.mean.whole)
    for rectangle in new.finder.parts_of(known.mean, likeness):
        yield whole(grey), cut_out(known.grey, rectangle)
    for rectangle in new.finder.parts_like(known.mean, likeness):
        yield cut_out(grey, rectangle), whole(known.grey)


def _likeness_at_speeds(a: np.ndarray, b: np.ndarray, least: float) -> float:
    """The likeness of pictures (N, P) at the first speed at which it is no less than ``least``."""
    if not (_resembles(a, b) or _resembles(b, a)):
        return 0.0
    for speed in SPEEDS:
        faster = _sped_up(b, speed)
        if len(faster) >= MIN_SAMPLES and (speed == 1.0 or _roughly_agree(a, faster)):
            likeness = max(_aligned_likeness(a, _shifted(faster, step)) for step in STEPS)
            if likeness >= least:
                return likeness
    return 0.0


def _roughly_agree(a: np.ndarray, b: np.ndarray) -> bool:
    """Might the changes agree? Found out from every second picture, in a sixth of the time."""
    shared, change = _changes_by_shift(a[::2], b[::2], LAG // 2)
    enough = shared >= max(MIN_SAMPLES, MIN_OVERLAP * min(len(a), len(b))) // 2
    return bool(change[enough].max(initial=0) >= ROUGH_CHANGE)


def _sped_up(b: np.ndarray, speed: float) -> np.ndarray:
    """``b`` (N, P) as it would have been sampled, had it played ``speed`` times as fast."""
    if speed == 1.0:
        return b
    places = np.arange(0, len(b) - 1, speed)
    before = places.astype(int)
    share = (places - before)[:, None].astype(np.float32)
    return np.asarray((1 - share) * b[before] + share * b[before + 1])


def _resembles(a: np.ndarray, b: np.ndarray) -> bool:
    """Are three pictures from the inside of ``a`` somewhere in ``b``? Cheap, and rarely true."""
    few = a[[len(a) // 4, len(a) // 2, 3 * len(a) // 4]]
    return bool((few @ b.T).max(1).min() >= SUSPICIOUS)


def _shifted(b: np.ndarray, step: float) -> np.ndarray:
    """What would have been sampled ``step`` samples later."""
    return b if step == 0 else (1 - step) * b[:-1] + step * b[1:]


def _aligned_likeness(a: np.ndarray, b: np.ndarray) -> float:
    """The likeness at the shift at which the changes agree best."""
    shared, change = _changes_by_shift(a, b, LAG)
    found = (shared >= max(MIN_SAMPLES, MIN_OVERLAP * min(len(a), len(b)))) & (change >= MIN_CHANGE)
    if not found.any():
        return 0.0
    pictures = _along_diagonals(a @ b.T)[LAG : len(a) + len(b) - 1 - LAG] / np.maximum(shared, 1)
    found &= pictures >= MIN_PICTURES
    return float(change[found].max(initial=0.0))


def _changes_by_shift(a: np.ndarray, b: np.ndarray, lag: int) -> tuple[np.ndarray, np.ndarray]:
    """Samples shared at every shift of ``b`` over ``a``, and how much their changes correlate."""
    change_a, change_b = a[lag:] - a[:-lag], b[lag:] - b[:-lag]
    shifts = np.arange(1 - len(change_a), len(change_b))
    energy_a = _sums_by_shift((change_a**2).sum(1), np.maximum(0, -shifts), len(change_b) - shifts)
    energy_b = _sums_by_shift((change_b**2).sum(1), np.maximum(0, shifts), len(change_a) + shifts)
    change = _along_diagonals(change_a @ change_b.T) / np.sqrt(energy_a * energy_b + 1e-9)
    return _overlaps(len(a), len(b), shifts), change


def _sums_by_shift(values: np.ndarray, starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """The sum of ``values`` from each start to the stop that belongs to it, or to their end."""
    sums = np.concatenate([[0.0], values.cumsum(dtype=float)])
    return np.asarray(sums[np.minimum(stops, len(values))] - sums[starts])


def _overlaps(length_a: int, length_b: int, shifts: np.ndarray) -> np.ndarray:
    """How many samples two clips share when the second is read ``shifts`` samples further on."""
    return np.asarray(np.minimum(length_a, length_b - shifts) - np.maximum(0, -shifts))


def _along_diagonals(table: np.ndarray) -> np.ndarray:
    """Sums (n + m - 1,) of ``table`` (n, m) along column - row, from -(n - 1) up."""
    rows, columns = table.shape
    padded = np.zeros((rows, rows + columns), table.dtype)
    padded[:, :columns] = table[::-1]
    # read with rows that are one shorter, each row begins one further to the right
    flat = padded.ravel()[: rows * (rows + columns - 1)]
    return np.asarray(flat.reshape(rows, -1).sum(0))


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
