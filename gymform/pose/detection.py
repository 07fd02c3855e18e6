"""The people in one picture, detected with the pose network itself.

There is no person detector here, and none is needed: where a window shows a person, ViTPose's
heatmaps have high peaks, and a second crop around the keypoints gives the same keypoints again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from gymform.pose.crops import box_to_crop
from gymform.pose.estimator import PoseEstimator
from gymform.skeleton import BODY, OKS_SIGMAS

WINDOW_HEIGHTS = (1.0, 0.6, 0.35)
"""Heights of the search windows as shares of the frame's height. Smaller windows are searched only
while the larger ones show nobody who is clearly seen and fills a good part of them."""

WINDOW_STEP = 2 / 3
"""Distance between neighbouring windows, as a share of their side."""

FILLED_SHARE = 0.5
"""A person who fills this share of a window needs no smaller window."""

MIN_CONFIDENCE = 0.3
"""A detection below this confidence is discarded: background can score this high."""

SURE_CONFIDENCE = 0.45
"""From this confidence on, no smaller windows need to be searched."""

SAME_BODY = 0.5
"""Two detections in one picture that are so similar are the same person."""

SHARED, NEAR = 2 / 3, 0.1
"""They are, too, where so large a share of the body's joints is no farther apart than this share of
the smaller one's size."""

MARGIN = 0.12
"""A box is enlarged by this share of its longer side: head and feet extend past the keypoints."""


@dataclass(frozen=True, eq=False)
class Detection:
    """A person in one frame: keypoints (17, 2) px of the picture, scores (17,), confidence."""

    xy: np.ndarray
    score: np.ndarray
    confidence: float

    @functools.cached_property
    def box(self) -> np.ndarray:
        """float64 (4,) px xyxy around the confident keypoints, with a margin for head and feet."""
        sure = self.score >= max(0.2, 0.3 * float(np.median(self.score)))
        if sure.sum() < 4:
            sure = self.score >= np.sort(self.score)[-4]
        points = self.xy[sure]
        points = points[np.isfinite(points).all(axis=1)]
        low, high = points.min(axis=0), points.max(axis=0)
        margin = MARGIN * max(float((high - low).max()), 4.0)
        return np.concatenate((low - margin, high + margin)).astype(np.float64)

    @property
    def size(self) -> float:
        """The longer side of the box, px."""
        return float(max(self.box[2] - self.box[0], self.box[3] - self.box[1]))

    @property
    def centre(self) -> np.ndarray:
        """The box's centre (2,) px."""
        return np.asarray((self.box[:2] + self.box[2:]) / 2)


def similarity(a: Detection, b: Detection) -> float:
    """How similar two poses in one frame are, in [0, 1]: OKS of one against the other."""
    distance = np.linalg.norm(a.xy - b.xy, axis=1)
    area = max((a.size * b.size) * 0.5, 1.0)
    sigmas = 2 * np.array(OKS_SIGMAS)
    closeness = np.exp(-(distance**2) / (2 * area * sigmas**2))
    weight = np.minimum(a.score, b.score)
    total = float(weight.sum())
    return float(np.nansum(closeness * weight) / total) if total > 0 else 0.0


def same_body(a: Detection, b: Detection) -> bool:
    """Are two detections in one picture the same person?

    Also where one of them has that person's trunk and arms, and the legs on other things.
    """
    if similarity(a, b) >= SAME_BODY:
        return True
    body = list(BODY)
    near = np.linalg.norm(a.xy[body] - b.xy[body], axis=1) <= NEAR * min(a.size, b.size)
    return bool(near.sum() >= SHARED * len(body))


def find_people(
    picture: np.ndarray,
    estimator: PoseEstimator,
    *,
    around: np.ndarray | None = None,
    least: Callable[[], float] = lambda: 0.0,
) -> list[Detection]:
    """The people in one picture, highest confidence first, each confirmed and listed once.

    With ``around`` (2,) px, only windows centred on that point are searched. Of the smaller windows
    those are left out that are less than ``least`` px high; it is asked only when it comes to them.
    """
    height, width = picture.shape[:2]
    if around is not None:
        sizes = height * np.array([1.4, 1.0, 0.7, 0.5, 0.35, 0.25])
        crops = np.array([[*around, 0.75 * size, size] for size in sizes])
        return _confirmed_people(picture, estimator, crops, keep=6)
    whole = box_to_crop(np.array([0.0, 0.0, width, height]), padding=1.0)
    people: list[Detection] = []
    for share in WINDOW_HEIGHTS:
        crops = search_windows(width, height, share)
        if share == WINDOW_HEIGHTS[0]:
            crops = np.concatenate((whole[None], crops))
        if share < WINDOW_HEIGHTS[0] and crops[-1, 3] < least():
            break
        people += _confirmed_people(picture, estimator, crops)
        if any(
            p.confidence >= SURE_CONFIDENCE and p.size >= FILLED_SHARE * crops[-1, 3]
            for p in people
        ):
            break
    return _distinct(people)


def search_windows(width: int, height: int, share: float) -> np.ndarray:
    """Overlapping windows (M, 4), centre and size px, that cover a frame.

    They have the aspect of the network's input and ``share`` of the frame's height, or less where
    the frame is too narrow for that.
    """
    size = np.array([0.75 * share * height, share * height])
    size *= min(1.0, width / size[0])
    columns, rows = (
        _spread(float(side), whole) for side, whole in zip(size, (width, height), strict=True)
    )
    return np.array([[x, y, *size] for y in rows for x in columns], dtype=np.float64)


def _spread(side: float, whole: int) -> np.ndarray:
    """Centres px of the fewest windows of ``side`` that cover ``whole`` with enough overlap."""
    if whole <= side + 1:
        return np.array([whole / 2])
    count = int(np.ceil((whole - side) / (WINDOW_STEP * side))) + 1
    return np.linspace(side / 2, whole - side / 2, count)


def detect_in_crops(
    picture: np.ndarray, estimator: PoseEstimator, crops: np.ndarray
) -> list[Detection | None]:
    """One detection for each crop (B, 4); None where fewer than four keypoints are found."""
    return _detections(*estimator.keypoints_in_frame(picture, crops))


def detect_in_pictures(
    places: Iterable[tuple[np.ndarray, np.ndarray]], estimator: PoseEstimator
) -> list[Detection | None]:
    """The same for one crop (4,) of each of several pictures, computed together."""
    return _detections(*estimator.keypoints_in_frames(places))


def _detections(xy: np.ndarray, score: np.ndarray) -> list[Detection | None]:
    seen = zip(xy, score, strict=True)
    return [Detection(p, s, float(s.mean())) if (s > 0).sum() >= 4 else None for p, s in seen]


def presence(one: Detection | None, other: Detection | None) -> float:
    """How surely two networks see the same person in one crop, in [0, 1].

    Where there is nobody, each of them places joints on other things.
    """
    if one is None or other is None:
        return 0.0
    return min(one.confidence, other.confidence) * similarity(one, other)


def _confirmed_people(
    picture: np.ndarray, estimator: PoseEstimator, crops: np.ndarray, keep: int = 4
) -> list[Detection]:
    """The ``keep`` best people in ``crops``, if a second crop around their keypoints agrees."""
    first = [person for person in detect_in_crops(picture, estimator, crops) if person is not None]
    people = _distinct(first)[:keep]
    if not people:
        return []
    people = detect_in_boxes(picture, estimator, np.stack([person.box for person in people]))
    return [person for person in _distinct(people) if person.confidence >= MIN_CONFIDENCE]


def detect_in_boxes(
    picture: np.ndarray, estimator: PoseEstimator, boxes: np.ndarray
) -> list[Detection]:
    """The people in boxes (B, 4) px, detected twice, the second time around their keypoints.

    The confidence is the mean score times the root of the similarity of both detections: a chair
    may look like a person once, but not twice in the same pose.
    """
    seen = detect_in_crops(picture, estimator, box_to_crop(boxes))
    first = [person for person in seen if person is not None]
    if not first:
        return []
    crops = box_to_crop(np.stack([person.box for person in first]))
    second = detect_in_crops(picture, estimator, crops)
    return [
        replace(b, confidence=b.confidence * np.sqrt(similarity(a, b)))
        for a, b in zip(first, second, strict=True)
        if b is not None
    ]


def _distinct(people: list[Detection]) -> list[Detection]:
    """Highest confidence first, each person once."""
    kept: list[Detection] = []
    for person in sorted(people, key=lambda p: -p.confidence):
        if not any(
            same_body(person, other) or overlap(person.box, other.box) > 0.6 for other in kept
        ):
            kept.append(person)
    return kept


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes xyxy."""
    side = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    common = float(np.prod(np.maximum(side, 0)))
    return common / (float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2])) - common + 1e-9)
