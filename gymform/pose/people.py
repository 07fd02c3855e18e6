"""The people of a shot over time: where each is expected next, who hides whom, and who lifts.

Two people who pass each other are told apart by where each would be next, in which pose, and by
the colours of torso and legs. The lifter is the one whose joints move up and down against the feet,
who is seen clearly, is large and near the middle.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from gymform import skeleton as sk
from gymform.pose.detection import Detection, overlap, same_body

USUAL_MOVE = 0.5
"""How far a side of a box usually moves between two samples, as a share of the box's size."""

USUAL_CHANGE = 0.25
"""How far keypoints usually are from where they are expected, as a share of the box's size."""

LIKE_SIZE = 0.55
"""Two people are of like size when the smaller box has this share of the other's longer side."""

HIDING = 0.35
"""Somebody is hidden when this share of the box lies behind somebody else's."""

NEARER = 0.02
"""Whoever stands this much lower in the picture, in sizes, is nearer to the camera."""

CROSSED = 0.4
"""Somebody who has come this far sideways, in sizes, walks about; others stand where they are."""

WALKING = 0.08
"""Who moves this far from sample to sample, in sizes, is expected to go on like that."""

COASTING = 8
"""For so many samples the place of somebody who walks is told by the way before."""

FORGOTTEN = 3
"""After so many samples without anybody else, nobody looks for that person any more."""

PROVEN = 4
"""A track counts in full that has so many detections: one alone may be of a chair."""

SURE, MAYBE, MOVES = 0.5, 0.2, 0.1
"""Somebody is there who is seen this surely; or less surely, but moving so far, in sizes. Racks and
letters on walls come to 0.32 and do not move, see `presence`; lifters come to 0.65 and more, but
for those who are hidden behind a rack."""

DRESSED = 0.6
"""Who is less alike the lifter is somebody else, or a piece of background."""

ASTRAY = 0.22
"""A joint this far, in sizes, from where it is expected may be on somebody else's body."""

LASTING = 0.35
"""A second person is spoken of who is there for this share of the lifter's time."""

COLOURS = 4
"""Levels of each of red, green and blue that are told apart in clothes."""

_TORSO = (sk.LEFT_SHOULDER, sk.RIGHT_SHOULDER, sk.RIGHT_HIP, sk.LEFT_HIP)
_LEGS = (
    (sk.LEFT_HIP, sk.LEFT_KNEE, sk.LEFT_ANKLE),
    (sk.RIGHT_HIP, sk.RIGHT_KNEE, sk.RIGHT_ANKLE),
)
_MOVING = ((sk.SHOULDERS, 1.0), (sk.HIPS, 1.0), (sk.WRISTS, 0.7))
"""Joints whose way up and down counts, and how much: hands also gesture."""


@dataclass(eq=False)
class Track:
    """One person over the samples of a shot: ``seen`` is what was detected in each.

    ``hidden`` are samples in which somebody else stood before the person; ``clothes`` the usual
    colours of torso and legs, None until they are looked at; ``usual`` the usual confidence.
    """

    seen: dict[int, Detection] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)
    clothes: np.ndarray | None = None
    usual: float = 0.0

    def add(self, sample: int, person: Detection, clothes: np.ndarray | None = None) -> None:
        """Take in what was detected in a sample."""
        self.usual = (
            person.confidence if not self.seen else 0.9 * self.usual + 0.1 * person.confidence
        )
        self.seen[sample] = person
        if clothes is not None:
            self.clothes = clothes if self.clothes is None else 0.8 * self.clothes + 0.2 * clothes

    def last(self, sample: int) -> tuple[int, Detection]:
        """The sample nearest to ``sample`` in which the person was seen, and the detection."""
        nearest = min(self.seen, key=lambda other: abs(other - sample))
        return nearest, self.seen[nearest]

    def expected(self, sample: int) -> Detection:
        """The last detection, moved on as the person moved before: for long only if walking."""
        at, last = self.last(sample)
        steps = min(abs(sample - at), COASTING if self.walks(at) else 2)
        way = self._step(at, int(np.sign(sample - at))) * steps
        return Detection(last.xy + way, last.score, last.confidence) if way.any() else last

    def _step(self, at: int, direction: int) -> np.ndarray:
        """px (2,) from one sample to the next, by the last three detections up to ``at``."""
        before = range(at, at - COASTING * direction, -direction) if direction else ()
        known = [i for i in before if i in self.seen][:3]
        if len(known) < 2:
            return np.zeros(2)
        way = self.seen[known[0]].centre - self.seen[known[-1]].centre
        return np.asarray(way / abs(known[0] - known[-1]))

    def walks(self, at: int) -> bool:
        """Does the person move sideways around the sample ``at``?"""
        steps = (self._step(at, direction)[0] for direction in (1, -1))
        return bool(max(map(abs, steps)) >= WALKING * self.seen[at].size)

    def way(self, also: Detection | None = None) -> float:
        """How far the person has come sideways, in sizes, ``also`` to there."""
        people = [*self.seen.values(), *([also] if also else [])]
        across = [person.centre[0] for person in people]
        size = float(np.median([person.size for person in people]))
        return float(max(across) - min(across)) / size

    def patience(self, sample: int) -> int:
        """For how many samples the person is looked for when not found after ``sample``."""
        return COASTING if self.walks(sample) else FORGOTTEN

    @property
    def size(self) -> float:
        """px from head to foot when standing, or as near to it as was seen."""
        return max(person.size for person in self.seen.values())

    def clear(self) -> dict[int, Detection]:
        """What was seen where nobody stood before the person."""
        return {i: person for i, person in self.seen.items() if i not in self.hidden}


# -- who is who -----------------------------------------------------------------------------


def likelihood(person: Detection, last: Detection, lost_for: int = 0) -> float:
    """How likely ``person`` is the followed one, who was lost ``lost_for`` samples after ``last``.

    The confidence, reduced by how far a side of the box has moved since.
    """
    move = float(np.abs(person.box - last.box).max()) / last.size
    return person.confidence * float(np.exp(-((move / (USUAL_MOVE + lost_for)) ** 2)))


def fit(person: Detection, clothes: np.ndarray | None, track: Track, sample: int) -> float:
    """How well ``person``, in these ``clothes``, is the one of a track, in [0, 1]."""
    expected = track.expected(sample)
    away = np.linalg.norm(person.xy - expected.xy, axis=1)
    weight = np.minimum(person.score, expected.score) * np.isfinite(away)
    moved = float((np.nan_to_num(away) * weight).sum() / (weight.sum() + 1e-9)) / expected.size
    lost_for = abs(sample - track.last(sample)[0]) - 1
    near = float(np.exp(-((moved / (USUAL_CHANGE * (1 + max(0, lost_for)))) ** 2)))
    known = min(1.0, len(track.seen) / PROVEN)
    return known * near * alike(clothes, track.clothes) / (1 + max(0, lost_for))


def clothes_of(picture: np.ndarray, person: Detection) -> np.ndarray | None:
    """The colours of torso and legs: histograms (2, 64) that sum to 1; None where too little shows.

    ``picture`` is uint8 (h, w, 3) RGB.
    """
    torso, legs = (np.zeros(picture.shape[:2], np.uint8) for _ in range(2))
    known = np.isfinite(person.xy).all(axis=1) & (person.score >= 0.2)
    points = np.nan_to_num(person.xy).round().astype(np.int32)
    if not known[list(_TORSO)].all():
        return None
    cv2.fillConvexPoly(torso, cv2.convexHull(points[list(_TORSO)]), 255)
    wide = max(1, round(0.05 * person.size))
    cv2.line(torso, points[_TORSO[0]].tolist(), points[_TORSO[3]].tolist(), 255, wide)
    for leg in _LEGS:
        if known[list(leg)].all():
            cv2.polylines(legs, [points[list(leg)]], False, 255, wide)
    histograms = [
        cv2.calcHist([picture], [0, 1, 2], part, [COLOURS] * 3, [0, 256] * 3).ravel()
        for part in (torso, legs)
    ]
    if min(histogram.sum() for histogram in histograms) < 16:
        return None
    return np.stack([histogram / histogram.sum() for histogram in histograms])


def alike(a: np.ndarray | None, b: np.ndarray | None) -> float:
    """How alike two people are dressed, in [0.3, 1]; 1 where that is not known."""
    if a is None or b is None:
        return 1.0
    return 0.3 + 0.7 * float(np.minimum(a, b).sum(axis=1).mean())


def mixed(person: Detection, expected: Detection) -> bool:
    """Are some joints of ``person``, or a side of the box, so far from where they are expected
    that they may be on somebody else's body?"""
    if float(np.abs(person.box - expected.box).max()) > ASTRAY * expected.size:
        return True
    away = np.linalg.norm(person.xy - expected.xy, axis=1)
    sure = np.minimum(person.score, expected.score) >= 0.3
    return int((away[sure] > ASTRAY * expected.size).sum()) >= 2


def without(picture: np.ndarray, boxes: list[np.ndarray]) -> np.ndarray:
    """The picture with the people in ``boxes`` painted over, so that others are found."""
    painted = picture.copy()
    for box in boxes:
        x0, y0, x1, y1 = np.rint(np.maximum(box, 0)).astype(int)
        painted[y0:y1, x0:x1] = 128
    return painted


def of_like_size(a: Detection, b: Detection) -> bool:
    """Could the one be taken for the other?"""
    return min(a.size, b.size) >= LIKE_SIZE * max(a.size, b.size)


def hides(other: Track, front: Detection | None, person: Detection, size: float) -> bool:
    """Does somebody who came along stand before ``person``, as ``front`` in the same picture?

    ``size`` is that of the person when standing, px.
    """
    if front is None or other.way(front) < CROSSED or covered(person.box, front.box) < HIDING:
        return False
    nearer = front.box[3] - person.box[3] > -NEARER * size
    return bool(nearer or front.size > 1.15 * size)


def covered(box: np.ndarray, other: np.ndarray) -> float:
    """The share of ``box`` that lies within ``other``."""
    side = np.maximum(np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2]), 0)
    return float(np.prod(side) / (np.prod(box[2:] - box[:2]) + 1e-9))


# -- who lifts ------------------------------------------------------------------------------


def choose_lifter(tracks: list[Track], samples: int, size: np.ndarray) -> Track:
    """The likeliest lifter among ``tracks`` of a shot of so many samples.

    ``size`` is the picture's (width, height) px.
    """
    return max(tracks, key=lambda track: lifter_likeness(track, samples, size))


def lifter_likeness(track: Track, samples: int, size: np.ndarray) -> float:
    """How much a person looks like the lifter: clearly seen, large, near the middle, moving."""
    clear = float(np.mean([distinctness(person, size) for person in track.seen.values()]))
    return clear * span(track) / max(1, samples) * (0.4 + min(1.2, 3 * movement(track)))


def distinctness(person: Detection, size: np.ndarray) -> float:
    """How clearly, how large and how near the middle of a picture of ``size`` px somebody is."""
    width, height = size
    large = min(1.0, person.size / (0.6 * min(height, width)))
    off_centre = abs(person.centre[0] - width / 2) / (width / 2)
    return float(person.confidence**2 * large * (1.0 - 0.4 * min(1.0, off_centre)))


def movement(track: Track) -> float:
    """How far joints go up and down against the feet, in sizes of the person.

    A way in one direction does not count, as of somebody who walks up to the camera; 0 for
    somebody seen in fewer than four samples.
    """
    people = [track.seen[i] for i in sorted(track.seen)]
    if len(people) < 4:
        return 0.0
    xy, score = (np.stack([getattr(one, name) for one in people]) for name in ("xy", "score"))
    height = np.where((score >= 0.3) & np.isfinite(xy[..., 1]), xy[..., 1], np.nan)
    feet = _middle(height, sk.ANKLES)
    if np.isfinite(feet).sum() < 4:
        feet = _middle(height, sk.HIPS)
    size = float(np.median([one.size for one in people]))
    dense = 2 * len(people) > span(track)
    ways = [weight * _way(_middle(height, joints) - feet, dense) for joints, weight in _MOVING]
    return max(ways) / size


def _middle(height: np.ndarray, joints: tuple[int, ...]) -> np.ndarray:
    """The mean height px (N,) of those of the joints that are known."""
    part = height[:, list(joints)]
    known = np.isfinite(part)
    total = np.where(known, part, 0).sum(axis=1)
    return np.where(known.any(axis=1), total / np.maximum(known.sum(axis=1), 1), np.nan)


def _way(values: np.ndarray, dense: bool) -> float:
    """From the 10th to the 90th percentile of what is left without the trend.

    In ``dense`` samples single answers that differ from both neighbours are taken out.
    """
    known = np.flatnonzero(np.isfinite(values))
    if len(known) < 4:
        return 0.0
    part = values[known]
    if dense:
        padded = np.pad(part, 1, mode="edge")
        part = np.median(np.lib.stride_tricks.sliding_window_view(padded, 3), axis=1)
    part = part - np.polyval(np.polyfit(known, part, 1), known)
    low, high = np.percentile(part, (10, 90))
    return float(high - low)


def second_person(lifter: Track, tracks: list[Track]) -> Track | None:
    """Somebody of like size who is seen for a good part of the lifter's time."""
    for other in tracks:
        if other is lifter:
            continue
        beside = [i for i in other.seen if i in lifter.seen]
        like = [i for i in beside if _distinct_and_alike(lifter.seen[i], other.seen[i])]
        if len(beside) and span(other) >= LASTING * span(lifter) and len(like) > len(beside) / 2:
            return other
    return None


def span(track: Track) -> int:
    """Over how many samples somebody is seen, gaps included."""
    return max(track.seen) - min(track.seen) + 1 if track.seen else 0


def _distinct_and_alike(a: Detection, b: Detection) -> bool:
    return of_like_size(a, b) and not same_body(a, b) and b.confidence >= 0.5 * a.confidence


def is_somebody(track: Track, certainty: float) -> bool:
    """Is a track that is seen with this certainty one of a person?

    Racks and letters on walls have limbs of plausible lengths too, but neither look like people for
    sure nor move.
    """
    return certainty >= SURE or (certainty >= MAYBE and movement(track) >= MOVES)


# -- who comes along ------------------------------------------------------------------------

_CHANGED = 24
"""A pixel has changed when its brightness differs by this much between two samples."""

UNCHANGED = 0.01
"""Where a smaller share of the pixels has changed, there is nobody who was not there before."""

_SMALL = 160
"""Longer side px of the pictures that are compared."""


def changed_place(
    before: np.ndarray, picture: np.ndarray, known: list[np.ndarray], size: float
) -> np.ndarray | None:
    """The box px (4,) of a change that is large enough for a person of ``size`` px, or None.

    ``known`` are boxes of the people that are followed, who may move. None too where the whole
    picture has changed, as under a camera that moves.
    """
    scale = _small_scale(picture)
    changed = _changes(before, picture)
    elsewhere = np.ones_like(changed)
    for box in known:
        room = 0.12 * max(box[2:] - box[:2])
        x0, y0, x1, y1 = np.rint((box + np.array([-room, -room, room, room])) * scale).astype(int)
        elsewhere[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)] = 0
    changed *= elsewhere
    if changed.sum() > 0.3 * elsewhere.sum():
        return None
    joined = cv2.morphologyEx(changed, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(joined)
    blobs = [
        s for s in stats[1:] if s[3] >= 0.5 * size * scale and s[4] >= 0.02 * (size * scale) ** 2
    ]
    if not blobs:
        return None
    x, y, width, height, _ = max(blobs, key=lambda s: s[4])
    return np.asarray(np.array([x, y, x + width, y + height]) / scale)


def is_unchanged(before: np.ndarray, picture: np.ndarray) -> bool:
    """Do both pictures show the same, but for noise?"""
    return bool(_changes(before, picture).mean() < UNCHANGED)


def _changes(before: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """uint8 (h, w) of the reduced pictures, 1 where they differ."""
    scale = _small_scale(picture)
    small = [
        cv2.cvtColor(
            cv2.resize(one, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA),
            cv2.COLOR_RGB2GRAY,
        )
        for one in (before, picture)
    ]
    return (cv2.absdiff(small[0], small[1]) > _CHANGED).astype(np.uint8)


def _small_scale(picture: np.ndarray) -> float:
    return float(min(1.0, _SMALL / max(picture.shape[:2])))


def is_new(person: Detection, others: list[Detection]) -> bool:
    """Is ``person`` none of the ``others`` in the same picture?"""
    return all(not same_body(person, o) and overlap(person.box, o.box) < 0.6 for o in others)
