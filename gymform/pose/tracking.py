"""Tracking: the lifter's bounding box in every frame.

A few frames of each shot are searched for people (``detection.py``), who are then compared over
time: the lifter is the one who is large, near the centre, clearly seen and moving. From the best
detection the lifter is followed through sparse frames in both directions; each crop comes from the
keypoints of the frame before. Boxes are interpolated between sparse frames. Where the confidence
drops, the whole frame is searched again; where nobody is found, the box stays NaN.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from gymform.errors import NoPersonError, OptionsError
from gymform.pose.crops import box_to_crop
from gymform.pose.detection import (
    MIN_CONFIDENCE,
    Detection,
    detect_in_boxes,
    detect_in_crops,
    find_people,
    overlap,
    similarity,
)
from gymform.pose.estimator import PoseEstimator
from gymform.types import Target
from gymform.video.shots import cut_times, standing_spans, without_standing
from gymform.video.sparse import SparseFrames

SAMPLE_INTERVAL_S = 0.2
"""Seconds between the sparse frames in which the lifter is located."""

SEED_INTERVAL_S = 2.0
MAX_SEEDS = 3
"""One whole frame of a shot is searched per interval, up to this many in total."""

MAX_EXTRA_SEEDS = 6
"""How many more frames of a shot are searched while nobody has been found in it."""

LOST_SHARE = 0.62
"""A followed person is lost when the confidence falls below this share of its usual value."""

SAME_PERSON_OVERLAP = 0.6
"""A box that overlaps the previous one by this much (intersection over union) is the same person's.
With less overlap it may be somebody else's, or the person moved fast."""

WIDE_PADDING = 2.0
"""In that case a crop with this padding around the previous box is tried as well."""

USUAL_MOVE = 0.5
"""How far a side of a box usually moves between two samples, as a share of the box's size."""

MAX_SEARCHES = 8
"""How many whole frames are searched, besides the seeds, after the person was lost."""

MAX_BRIDGED_S = 1.0
"""A gap between two detections is interpolated up to this length; a longer one is left empty."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class FollowedBoxes:
    """The lifter's ``boxes`` float32 (T, 4) px xyxy in the source frame, NaN where lost.

    ``notes`` are sentences for the user.
    """

    boxes: np.ndarray
    notes: tuple[str, ...]


def follow(
    frames: SparseFrames,
    estimator: PoseEstimator,
    *,
    target: Target | None = None,
    progress: Progress | None = None,
) -> FollowedBoxes:
    """The lifter's boxes over all frames of a clip.

    ``target`` selects another person by a box or a point in one frame, in source px. ``progress``
    is called with (samples done, samples in total). Raises NoPersonError when nobody is found in
    the clip, or at the target.
    """
    tracker = _Tracker(frames, estimator, progress)
    seen: list[Detection | None] = [None] * len(frames)
    chosen_shot = None if target is None else frames.shots[_nearest_sample(frames, target.time_s)]
    for shot in np.unique(frames.shots):
        samples = np.flatnonzero(frames.shots == shot)
        seeds = tracker.seeds(samples, target if shot == chosen_shot else None)
        for sample, detection in tracker.track(samples, seeds):
            seen[sample] = detection
    _drop_weak_shots(seen, frames.shots)
    if all(detection is None for detection in seen):
        raise NoPersonError(
            "Expected a clip that shows one lifter, but no person could be found in it. "
            "Film the whole body from the front or the side in good light, or mark the person "
            "with a box."
        )
    return FollowedBoxes(_boxes(frames, seen), tracker.notes(seen))


def check_target(target: Target, size: tuple[int, int]) -> None:
    """Raise OptionsError unless the target's point or box centre is in a frame of ``size`` px."""
    width, height = size
    x, y = target.point if target.point is not None else target.box_centre
    if not (0 <= x < width and 0 <= y < height):
        raise OptionsError(
            f"The person to follow was marked at {x:.0f}, {y:.0f} px, outside the frame of "
            f"{width} x {height} px. Mark a place inside it."
        )


class _Tracker:
    """The state of one :func:`follow`: frames, network and the searches that remain."""

    def __init__(
        self, frames: SparseFrames, estimator: PoseEstimator, progress: Progress | None
    ) -> None:
        self.frames = frames
        self.estimator = estimator
        self.progress = progress
        self.searches = MAX_SEARCHES
        self.done = 0

    # -- seeds: find the people, and the lifter among them ----------------------------------

    def seeds(self, samples: np.ndarray, target: Target | None) -> dict[int, Detection]:
        """Detections of the person to follow in a few samples of a shot; empty without a person."""
        if target is not None:
            sample = _nearest_sample(self.frames, target.time_s, samples)
            return {sample: self._marked(sample, target)}
        times = self.frames.sample_times()[samples]
        wanted = int(np.clip(round((times[-1] - times[0]) / SEED_INTERVAL_S), 1, MAX_SEEDS))
        people = {sample: self._people(sample) for sample in _spread_over(samples, wanted)}
        if not any(people.values()):
            # the lifter may be out of the picture for a moment: try others before giving up
            for sample in _spread_over(samples, MAX_EXTRA_SEEDS):
                people[sample] = self._people(sample)
                if people[sample]:
                    break
        return _choose_lifter(people, self.frames)

    def _people(self, sample: int) -> list[Detection]:
        return find_people(self.frames.picture(sample), self.estimator)

    def _marked(self, sample: int, target: Target) -> Detection:
        """The person that the user marked in one sample."""
        picture, scale = self.frames.picture(sample), self.frames.scale
        if target.box is not None:
            x, y, width, height = np.array(target.box) * scale
            box = np.array([x, y, x + width, y + height])
            people = detect_in_boxes(picture, self.estimator, box[None])
            point = np.array(target.box_centre) * scale
        else:
            point = np.array(target.point) * scale
            people = find_people(picture, self.estimator, around=point)
        if not people:
            raise NoPersonError(
                "Expected a person where you marked one, but nobody was found there. Click on the "
                "hips, or draw a box around the whole body."
            )
        return min(people, key=lambda person: _distance_to(person, point) / person.confidence)

    # -- tracking ---------------------------------------------------------------------------

    def track(
        self, samples: np.ndarray, seeds: dict[int, Detection]
    ) -> Iterable[tuple[int, Detection | None]]:
        """(sample, detection or None) for each sample of a shot, starting from the best seed."""
        if not seeds:
            self._advance(len(samples))
            return
        start = max(seeds, key=lambda sample: seeds[sample].confidence)
        yield start, seeds[start]
        self._advance(1)
        forward = samples[samples > start]
        backward = samples[samples < start][::-1]
        for direction in (forward, backward):
            yield from self._follow_from(seeds[start], direction, seeds)

    def _follow_from(
        self, first: Detection, samples: np.ndarray, seeds: dict[int, Detection]
    ) -> Iterable[tuple[int, Detection | None]]:
        last, usual, lost_for = first, first.confidence, 0
        for sample in samples:
            picture = self.frames.picture(sample)
            detection: Detection | None = _step(picture, self.estimator, last)
            seed = seeds.get(int(sample))
            if seed is not None and _outranks(seed, detection):
                detection = seed
            elif detection is not None and _is_doubtful(detection, last, usual):
                detection = self._recover(picture, detection, last, usual, lost_for)
            if detection is None:
                lost_for += 1
            else:
                lost_for = 0
                usual += 0.1 * (detection.confidence - usual)
                last = detection
            yield int(sample), detection
            self._advance(1)

    def _recover(
        self, picture: np.ndarray, doubtful: Detection, last: Detection, usual: float, lost_for: int
    ) -> Detection | None:
        """The followed person, found by searching the whole frame; only in every other frame.

        The ``doubtful`` detection is kept when it is likelier than all others: a blurred lifter
        is still the lifter, however clearly a spectator is seen.
        """
        if self.searches <= 0 or lost_for % 2:
            return None
        self.searches -= 1
        people = [
            person
            for person in find_people(picture, self.estimator)
            if person.confidence >= max(MIN_CONFIDENCE, LOST_SHARE * usual)
            and _of_similar_size(person, last)
        ]
        if doubtful.confidence >= MIN_CONFIDENCE and _of_similar_size(doubtful, last):
            people.append(doubtful)
        return max(people, key=lambda p: _likelihood(p, last, lost_for), default=None)

    def _advance(self, count: int) -> None:
        self.done += count
        if self.progress is not None:
            self.progress(min(self.done, len(self.frames)), len(self.frames))

    def notes(self, seen: list[Detection | None]) -> tuple[str, ...]:
        """Sentences for the user: about cuts, a standing picture and time without the person."""
        notes = []
        frames = self.frames
        cuts = cut_times(frames.frame_shots, frames.time_s)
        if len(cuts):
            notes.append(
                f"The clip has {'a cut' if len(cuts) == 1 else 'cuts'} at {_listed(cuts)} s; one "
                "continuous shot works best."
            )
        still = standing_spans(frames.frame_shots, frames.time_s)
        if still:
            spans = _joined([f"from {first:.1f} to {last:.1f} s" for first, last in still])
            notes.append(f"The picture stands still {spans}: no times are taken over it.")
        missing = sum(detection is None for detection in seen) / len(seen)
        if missing > 0.05:
            notes.append(f"Nobody could be followed in {missing:.0%} of the clip.")
        return tuple(notes)


MAX_LISTED = 6
"""Most moments that one sentence names."""


def _listed(moments: np.ndarray) -> str:
    """Seconds as "4.6, 7.2 and 9.0"."""
    return _joined([f"{moment:.1f}" for moment in moments])


def _joined(parts: list[str]) -> str:
    """ "a, b and c"; of many the first, and how many more there are."""
    if len(parts) > MAX_LISTED:
        parts = [*parts[: MAX_LISTED - 1], f"{len(parts) - MAX_LISTED + 1} more"]
    return " and ".join((", ".join(parts[:-1]), parts[-1])) if len(parts) > 1 else parts[0]


# -- from one sample to the next ----------------------------------------------------------


def _step(picture: np.ndarray, estimator: PoseEstimator, last: Detection) -> Detection | None:
    """The followed person one sample after ``last``, detected around the last box."""
    [found] = detect_in_crops(picture, estimator, box_to_crop(last.box)[None])
    if found is not None and overlap(found.box, last.box) >= SAME_PERSON_OVERLAP:
        return found
    # a fast move, or somebody else who is seen better: try the new place and a wider crop
    crops = [box_to_crop(last.box, padding=WIDE_PADDING)]
    if found is not None:
        crops.insert(0, box_to_crop(found.box))
    people = [person for person in detect_in_crops(picture, estimator, np.stack(crops)) if person]
    return max(people, key=lambda person: _likelihood(person, last), default=found)


def _likelihood(person: Detection, last: Detection, lost_for: int = 0) -> float:
    """How likely ``person`` is the followed one, who was lost ``lost_for`` samples after ``last``.

    The confidence, reduced by how far a side of the box has moved since.
    """
    move = float(np.abs(person.box - last.box).max()) / last.size
    return person.confidence * float(np.exp(-((move / (USUAL_MOVE + lost_for)) ** 2)))


def _distance_to(person: Detection, point: np.ndarray) -> float:
    """Distance px from a point to the nearest keypoint, plus a little so that it is never 0."""
    return float(np.nanmin(np.linalg.norm(person.xy - point, axis=1))) + 0.05 * person.size


def _outranks(seed: Detection, detection: Detection | None) -> bool:
    """Should the seed replace the detection that tracking gave in the same frame?"""
    if detection is None:
        return True
    return similarity(seed, detection) < 0.5 and seed.confidence > detection.confidence


def _is_doubtful(detection: Detection, last: Detection, usual: float) -> bool:
    return detection.confidence < LOST_SHARE * usual or not _of_similar_size(detection, last)


def _of_similar_size(a: Detection, b: Detection) -> bool:
    """Could both be the same person, some samples apart?"""
    return 0.4 < a.size / b.size < 2.5


# -- the lifter among the people, and boxes for all frames ----------------------------------


def _choose_lifter(
    people: dict[int, list[Detection]], frames: SparseFrames
) -> dict[int, Detection]:
    """Link the seed frames' detections into people; return those of the likeliest lifter."""
    chains: list[dict[int, Detection]] = []
    for sample in sorted(people):
        free = list(people[sample])
        for chain in chains:
            last = chain[max(chain)]
            near = [person for person in free if _maybe_same_person(last, person)]
            if near:
                best = min(near, key=lambda p: float(np.hypot(*(p.centre - last.centre))))
                chain[sample] = best
                free.remove(best)
        chains += [{sample: person} for person in free]
    if not chains:
        return {}
    return max(chains, key=lambda chain: _lifter_likeness(chain, frames))


def _drop_weak_shots(seen: list[Detection | None], shots: np.ndarray) -> None:
    """Set to None what was followed in shots with far less confidence than in the best one.

    These are titles and close-ups.
    """
    usual = {}
    for shot in np.unique(shots):
        detections = (seen[i] for i in np.flatnonzero(shots == shot))
        confidences = [detection.confidence for detection in detections if detection is not None]
        usual[shot] = float(np.median(confidences)) if confidences else 0.0
    for i, shot in enumerate(shots):
        if usual[shot] < LOST_SHARE * max(usual.values()):
            seen[i] = None


def _maybe_same_person(a: Detection, b: Detection) -> bool:
    distance = float(np.hypot(*(a.centre - b.centre))) / max(a.size, b.size)
    return distance < 0.9 and _of_similar_size(a, b)


def _lifter_likeness(chain: dict[int, Detection], frames: SparseFrames) -> float:
    """How much a person looks like the lifter: clearly seen, large, near the centre, moving."""
    width, height = np.array(frames.size) * frames.scale
    detections = list(chain.values())
    value = 0.0
    for person in detections:
        large = min(1.0, person.size / (0.6 * min(height, width)))
        off_centre = abs(person.centre[0] - width / 2) / (width / 2)
        value += person.confidence**2 * large * (1.0 - 0.4 * min(1.0, off_centre))
    moves = [_motion(a, b) for a, b in itertools.pairwise(detections)]
    return value * (0.6 + min(0.6, float(np.mean(moves)) if moves else 0.2))


def _motion(a: Detection, b: Detection) -> float:
    """Mean displacement of the keypoints, weighted by score, as a share of the person's size."""
    weight = np.minimum(a.score, b.score)
    distance = np.nan_to_num(np.linalg.norm(a.xy - b.xy, axis=1))
    return float((distance * weight).sum() / (weight.sum() + 1e-9)) / max(a.size, b.size)


def _spread_over(samples: np.ndarray, count: int) -> list[int]:
    """``count`` samples at the middles of equal parts; fewer when there are fewer samples."""
    return sorted(
        {int(i) for i in samples[((np.arange(count) + 0.5) / count * len(samples)).astype(int)]}
    )


def _nearest_sample(frames: SparseFrames, time_s: float, samples: np.ndarray | None = None) -> int:
    samples = np.arange(len(frames)) if samples is None else samples
    return int(samples[np.abs(frames.sample_times()[samples] - time_s).argmin()])


def _boxes(frames: SparseFrames, seen: list[Detection | None]) -> np.ndarray:
    """Boxes float32 (T, 4) px in the source frame for all frames, from the samples' detections."""
    boxes = np.full((len(frames.time_s), 4), np.nan)
    times = frames.sample_times()
    edges = _shot_edges(frames)
    for run in _runs(frames, seen):
        samples = [sample for sample, _ in run]
        sides = _smooth(np.stack([person.box for _, person in run]) / frames.scale)
        first, last = samples[0], samples[-1]
        shot = frames.shots[first]
        start, end = edges[shot]
        # next to a lost sample, the boxes reach half way to it
        reach = SAMPLE_INTERVAL_S / 2
        if first - 1 >= 0 and frames.shots[first - 1] == shot:
            start = max(start, times[first] - reach)
        if last + 1 < len(seen) and frames.shots[last + 1] == shot:
            end = min(end, times[last] + reach)
        inside = (frames.time_s >= start) & (frames.time_s < end)
        for side in range(4):
            boxes[inside, side] = np.interp(frames.time_s[inside], times[samples], sides[:, side])
    return boxes.astype(np.float32)


def _runs(frames: SparseFrames, seen: list[Detection | None]) -> list[list[tuple[int, Detection]]]:
    """(sample, detection) where the person is seen, split at cuts and at gaps too long to fill."""
    times = frames.sample_times()
    runs: list[list[tuple[int, Detection]]] = []
    for i, detection in enumerate(seen):
        if detection is None:
            continue
        last = runs[-1][-1][0] if runs else None
        joined = (
            last is not None
            and frames.shots[last] == frames.shots[i]
            and (i == last + 1 or times[i] - times[last] <= MAX_BRIDGED_S)
        )
        if joined:
            runs[-1].append((i, detection))
        else:
            runs.append([(i, detection)])
    return runs


def _shot_edges(frames: SparseFrames) -> dict[int, tuple[float, float]]:
    """Seconds at which each shot starts and at which the next one does."""
    shots = without_standing(frames.frame_shots)
    edges = {}
    for shot in np.unique(shots):
        inside = np.flatnonzero(shots == shot)
        start = -np.inf if inside[0] == 0 else frames.time_s[inside[0]]
        end = np.inf if inside[-1] == len(shots) - 1 else frames.time_s[inside[-1] + 1]
        edges[int(shot)] = (float(start), float(end))
    return edges


def _smooth(boxes: np.ndarray) -> np.ndarray:
    """Boxes (N, 4) smoothed over time, enlarged towards their neighbours to hold quick moves."""
    padded = np.pad(boxes, ((1, 1), (0, 0)), mode="edge")
    low = np.minimum(np.minimum(padded[:-2, :2], padded[1:-1, :2]), padded[2:, :2])
    high = np.maximum(np.maximum(padded[:-2, 2:], padded[1:-1, 2:]), padded[2:, 2:])
    around = np.concatenate((low, high), axis=1)
    enlarged = (boxes + around) / 2
    return np.asarray(gaussian_filter1d(enlarged, sigma=0.8, axis=0, mode="nearest"))
