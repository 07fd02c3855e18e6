"""Whom to follow: the lifter's box in every frame.

On a few frames of each shot, windows of several sizes are tried (``sightings.py``) and the people
found in them compared over time; the one who is large, near the centre, surely seen and moving is
the lifter. From the best sighting that person is followed through sparse frames in both directions,
each box made from the keypoints before; between sparse frames boxes are interpolated. Where the
confidence collapses the frame is searched again, and where nobody is found the box stays NaN.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from gymform.errors import NoPersonError, OptionsError
from gymform.pose.crops import box_to_crop
from gymform.pose.detection import ACCEPT, Detection, find_people, look_at, overlap, see, similarity
from gymform.pose.estimator import PoseEstimator
from gymform.types import Target
from gymform.video.sparse import SparseFrames

SAMPLE_INTERVAL_S = 0.2
"""Seconds between the sparse frames in which the person is looked for."""

SEED_INTERVAL_S = 2.0
MAX_SEEDS = 3
"""A shot is searched all over once in so many seconds, but not more often than that."""

MAX_EXTRA_SEEDS = 6
"""So many more frames of a shot are searched while nobody was found in it."""

COLLAPSE = 0.62
"""A followed person is lost when the confidence falls under this share of its usual value."""

STAYS = 0.6
"""A box that overlaps the one before by this much (intersection over union) is the same person's;
another one may be somebody else's, or that of somebody who moves fast."""

WIDER = 2.0
"""In that case they are looked for in a crop with this padding of the box before, too."""

REACH = 0.5
"""How far, over its size, a box's side may well go from one sample to the next."""

MAX_SEARCHES = 8
"""Searches of a whole frame, after the seeds, when the person was lost."""

BRIDGE_S = 1.0
"""A gap between two sightings up to this long is interpolated, a longer one left empty."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Following:
    """The followed person: ``boxes`` float32 (T, 4) px xyxy of the source frame, NaN where lost."""

    boxes: np.ndarray
    notes: tuple[str, ...]


def follow(
    frames: SparseFrames,
    estimator: PoseEstimator,
    *,
    target: Target | None = None,
    progress: Progress | None = None,
) -> Following:
    """The lifter's boxes over all frames of a clip.

    ``target`` names another person by a box or a point in one frame, in source px. ``progress``
    hears (samples done, samples in all). Raises NoPersonError when nobody is seen anywhere, or
    where the target is.
    """
    tracker = _Tracker(frames, estimator, progress)
    seen: list[Detection | None] = [None] * len(frames)
    chosen_shot = None if target is None else frames.shots[_nearest_sample(frames, target.time_s)]
    for shot in np.unique(frames.shots):
        samples = np.flatnonzero(frames.shots == shot)
        seeds = tracker.seeds(samples, target if shot == chosen_shot else None)
        for sample, sighting in tracker.track(samples, seeds):
            seen[sample] = sighting
    _drop_weak_shots(seen, frames.shots)
    if all(sighting is None for sighting in seen):
        raise NoPersonError(
            "Expected a clip that shows one lifter, but no person could be found in it. "
            "Film the whole body from the front or the side in good light, or mark the person "
            "with a box."
        )
    return Following(_boxes(frames, seen), tracker.notes(seen))


def check_target(target: Target, size: tuple[int, int]) -> None:
    """Raise OptionsError unless the target's box or point lies in a frame of ``size`` px."""
    width, height = size
    x, y = target.point if target.point is not None else target.box_centre
    if not (0 <= x < width and 0 <= y < height):
        raise OptionsError(
            f"The person to follow was marked at {x:.0f}, {y:.0f} px, outside the frame of "
            f"{width} x {height} px. Mark a place inside it."
        )


class _Tracker:
    """The state of one :func:`follow`: frames, network, how many searches are left."""

    def __init__(
        self, frames: SparseFrames, estimator: PoseEstimator, progress: Progress | None
    ) -> None:
        self.frames = frames
        self.estimator = estimator
        self.progress = progress
        self.searches = MAX_SEARCHES
        self.done = 0

    # -- seeds: who is there, and who of them is the lifter ---------------------------------

    def seeds(self, samples: np.ndarray, target: Target | None) -> dict[int, Detection]:
        """The person to follow, as seen in a few of a shot's samples; empty when nobody is."""
        if target is not None:
            sample = _nearest_sample(self.frames, target.time_s, samples)
            return {sample: self._marked(sample, target)}
        times = self.frames.sample_times()[samples]
        wanted = int(np.clip(round((times[-1] - times[0]) / SEED_INTERVAL_S), 1, MAX_SEEDS))
        people = {place: self._people(place) for place in _spread_over(samples, wanted)}
        if not any(people.values()):
            # empty moments happen: look elsewhere before giving the shot up
            for place in _spread_over(samples, MAX_EXTRA_SEEDS):
                people[place] = self._people(place)
                if people[place]:
                    break
        return _choose_lifter(people, self.frames)

    def _people(self, sample: int) -> list[Detection]:
        return find_people(self.frames.picture(sample), self.estimator)

    def _marked(self, sample: int, target: Target) -> Detection:
        """The person whom the user marked in one sample."""
        picture, scale = self.frames.picture(sample), self.frames.scale
        if target.box is not None:
            x, y, width, height = np.array(target.box) * scale
            box = np.array([x, y, x + width, y + height])
            people = look_at(picture, self.estimator, box[None])
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
        """(sample, sighting or None) for each sample of a shot, outwards from the best seed."""
        if not seeds:
            self._advance(len(samples))
            return
        start = max(seeds, key=lambda sample: seeds[sample].confidence)
        yield start, seeds[start]
        self._advance(1)
        forward = samples[samples > start]
        backward = samples[samples < start][::-1]
        for path in (forward, backward):
            yield from self._walk(path, seeds[start], seeds)

    def _walk(
        self, path: np.ndarray, first: Detection, seeds: dict[int, Detection]
    ) -> Iterable[tuple[int, Detection | None]]:
        last, usual, lost_for = first, first.confidence, 0
        for sample in path:
            picture = self.frames.picture(sample)
            sighting: Detection | None = _step(picture, self.estimator, last)
            seed = seeds.get(int(sample))
            if seed is not None and _is_better(seed, sighting):
                sighting = seed
            elif sighting is not None and _has_collapsed(sighting, last, usual):
                sighting = self._recover(picture, sighting, last, usual, lost_for)
            if sighting is None:
                lost_for += 1
            else:
                lost_for = 0
                usual += 0.1 * (sighting.confidence - usual)
                last = sighting
            yield int(sample), sighting
            self._advance(1)

    def _recover(
        self, picture: np.ndarray, doubtful: Detection, last: Detection, usual: float, lost_for: int
    ) -> Detection | None:
        """The followed person, searched for in the whole frame; every other frame, to save time.

        The ``doubtful`` sighting stays when it is more likely than all others: a blurred lifter
        is still the lifter, however surely a spectator is seen.
        """
        if self.searches <= 0 or lost_for % 2:
            return None
        self.searches -= 1
        people = [
            person
            for person in find_people(picture, self.estimator)
            if person.confidence >= max(ACCEPT, COLLAPSE * usual) and _of_like_size(person, last)
        ]
        if doubtful.confidence >= ACCEPT and _of_like_size(doubtful, last):
            people.append(doubtful)
        return max(people, key=lambda p: _likelihood(p, last, lost_for), default=None)

    def _advance(self, count: int) -> None:
        self.done += count
        if self.progress is not None:
            self.progress(min(self.done, len(self.frames)), len(self.frames))

    def notes(self, seen: list[Detection | None]) -> tuple[str, ...]:
        """Sentences for the user about cuts and about stretches without the person."""
        notes = []
        cuts = int(self.frames.shots[-1])
        if cuts:
            notes.append(
                f"The clip has {cuts} cut{'s' if cuts > 1 else ''}; one continuous shot works best."
            )
        missing = sum(sighting is None for sighting in seen) / len(seen)
        if missing > 0.05:
            notes.append(f"Nobody could be followed in {missing:.0%} of the clip.")
        return tuple(notes)


# -- one step further ---------------------------------------------------------------------


def _step(picture: np.ndarray, estimator: PoseEstimator, last: Detection) -> Detection | None:
    """The followed person one sample later, looked for where it was."""
    [found] = see(picture, estimator, box_to_crop(last.box)[None])
    if found is not None and overlap(found.box, last.box) >= STAYS:
        return found
    # moved far, or somebody else who is seen better: look where they went, and wider
    crops = [box_to_crop(last.box, padding=WIDER)]
    if found is not None:
        crops.insert(0, box_to_crop(found.box))
    again = [person for person in see(picture, estimator, np.stack(crops)) if person]
    return max(again, key=lambda person: _likelihood(person, last), default=found)


def _likelihood(person: Detection, last: Detection, lost_for: int = 0) -> float:
    """How likely this is the followed person, last seen ``lost_for`` samples before the last one.

    The confidence counts less the farther a side of the box has gone since.
    """
    gone = float(np.abs(person.box - last.box).max()) / last.size
    return person.confidence * float(np.exp(-((gone / (REACH + lost_for)) ** 2)))


def _distance_to(person: Detection, point: np.ndarray) -> float:
    """Distance px from a point to the nearest keypoint, at least a little."""
    return float(np.nanmin(np.linalg.norm(person.xy - point, axis=1))) + 0.05 * person.size


def _is_better(seed: Detection, sighting: Detection | None) -> bool:
    """Does the search's sighting replace the tracked one in the same frame?"""
    if sighting is None:
        return True
    return similarity(seed, sighting) < 0.5 and seed.confidence > sighting.confidence


def _has_collapsed(sighting: Detection, last: Detection, usual: float) -> bool:
    return sighting.confidence < COLLAPSE * usual or not _of_like_size(sighting, last)


def _of_like_size(a: Detection, b: Detection) -> bool:
    """May both be the same person, some samples apart?"""
    return 0.4 < a.size / b.size < 2.5


# -- whom of them, and boxes for all frames -------------------------------------------------


def _choose_lifter(
    people: dict[int, list[Detection]], frames: SparseFrames
) -> dict[int, Detection]:
    """Link sightings of the seed frames into people and take the likeliest lifter's."""
    chains: list[dict[int, Detection]] = []
    for sample in sorted(people):
        free = list(people[sample])
        for chain in chains:
            last = chain[max(chain)]
            near = [p for p in free if _could_be(last, p)]
            if near:
                best = min(near, key=lambda p: float(np.hypot(*(p.centre - last.centre))))
                chain[sample] = best
                free.remove(best)
        chains += [{sample: person} for person in free]
    if not chains:
        return {}
    return max(chains, key=lambda chain: _lifter_value(chain, frames))


def _drop_weak_shots(seen: list[Detection | None], shots: np.ndarray) -> None:
    """Forget what was followed in shots far less surely than in the best: titles, close-ups."""
    usual = {}
    for shot in np.unique(shots):
        sightings = (seen[i] for i in np.flatnonzero(shots == shot))
        confidences = [sighting.confidence for sighting in sightings if sighting is not None]
        usual[shot] = float(np.median(confidences)) if confidences else 0.0
    for i, shot in enumerate(shots):
        if usual[shot] < COLLAPSE * max(usual.values()):
            seen[i] = None


def _could_be(a: Detection, b: Detection) -> bool:
    far = float(np.hypot(*(a.centre - b.centre))) / max(a.size, b.size)
    return far < 0.9 and _of_like_size(a, b)


def _lifter_value(chain: dict[int, Detection], frames: SparseFrames) -> float:
    """How much a person looks like the lifter: sure, large, near the centre, and moving."""
    width, height = np.array(frames.size) * frames.scale
    sightings = list(chain.values())
    value = 0.0
    for person in sightings:
        large = min(1.0, person.size / (0.6 * min(height, width)))
        off_centre = abs(person.centre[0] - width / 2) / (width / 2)
        value += person.confidence**2 * large * (1.0 - 0.4 * min(1.0, off_centre))
    moves = [_motion(a, b) for a, b in itertools.pairwise(sightings)]
    return value * (0.6 + min(0.6, float(np.mean(moves)) if moves else 0.2))


def _motion(a: Detection, b: Detection) -> float:
    """Mean displacement of the sure keypoints over body size."""
    weight = np.minimum(a.score, b.score)
    distance = np.nan_to_num(np.linalg.norm(a.xy - b.xy, axis=1))
    return float((distance * weight).sum() / (weight.sum() + 1e-9)) / max(a.size, b.size)


def _spread_over(samples: np.ndarray, count: int) -> list[int]:
    """``count`` of the samples, at the middles of equal parts; fewer when there are fewer."""
    return sorted(
        {int(i) for i in samples[((np.arange(count) + 0.5) / count * len(samples)).astype(int)]}
    )


def _nearest_sample(frames: SparseFrames, time_s: float, samples: np.ndarray | None = None) -> int:
    samples = np.arange(len(frames)) if samples is None else samples
    return int(samples[np.abs(frames.sample_times()[samples] - time_s).argmin()])


def _boxes(frames: SparseFrames, seen: list[Detection | None]) -> np.ndarray:
    """Boxes float32 (T, 4) in source px for all frames from sightings at samples."""
    boxes = np.full((len(frames.time_s), 4), np.nan)
    times = frames.sample_times()
    edges = _shot_edges(frames)
    for run in _runs(frames, seen):
        crops = np.stack([seen[i].box for i in run]) / frames.scale  # type: ignore[union-attr]
        crops = _smooth(crops)
        shot = frames.shots[run[0]]
        start, end = edges[shot]
        # a run that begins or ends at a lost sample reaches half way to it
        reach = SAMPLE_INTERVAL_S / 2
        if run[0] - 1 >= 0 and frames.shots[run[0] - 1] == shot:
            start = max(start, times[run[0]] - reach)
        if run[-1] + 1 < len(seen) and frames.shots[run[-1] + 1] == shot:
            end = min(end, times[run[-1]] + reach)
        inside = (frames.time_s >= start) & (frames.time_s < end)
        for side in range(4):
            boxes[inside, side] = np.interp(frames.time_s[inside], times[run], crops[:, side])
    return boxes.astype(np.float32)


def _runs(frames: SparseFrames, seen: list[Detection | None]) -> list[list[int]]:
    """Samples with the person, split at cuts and at gaps too long to bridge."""
    times = frames.sample_times()
    runs: list[list[int]] = []
    for i, sighting in enumerate(seen):
        if sighting is None:
            continue
        last = runs[-1][-1] if runs else None
        joined = (
            last is not None
            and frames.shots[last] == frames.shots[i]
            and (i == last + 1 or times[i] - times[last] <= BRIDGE_S)
        )
        if joined:
            runs[-1].append(i)
        else:
            runs.append([i])
    return runs


def _shot_edges(frames: SparseFrames) -> dict[int, tuple[float, float]]:
    """Start and end seconds of each shot; a cut lies half way between two samples."""
    times = frames.sample_times()
    edges = {}
    for shot in np.unique(frames.shots):
        samples = np.flatnonzero(frames.shots == shot)
        first, last = samples[0], samples[-1]
        start = -np.inf if first == 0 else (times[first - 1] + times[first]) / 2
        end = np.inf if last == len(times) - 1 else (times[last] + times[last + 1]) / 2
        edges[int(shot)] = (start, end)
    return edges


def _smooth(boxes: np.ndarray) -> np.ndarray:
    """Steady boxes (N, 4) that still hold their neighbours, so a quick move stays inside."""
    padded = np.pad(boxes, ((1, 1), (0, 0)), mode="edge")
    low = np.minimum(np.minimum(padded[:-2, :2], padded[1:-1, :2]), padded[2:, :2])
    high = np.maximum(np.maximum(padded[:-2, 2:], padded[1:-1, 2:]), padded[2:, 2:])
    around = np.concatenate((low, high), axis=1)
    mixed = (boxes + around) / 2
    return gaussian_filter1d(mixed, sigma=0.8, axis=0, mode="nearest")
