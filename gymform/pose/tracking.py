"""Tracking: the lifter's bounding box in every frame.

A few frames of each shot are searched for people (``detection.py``). All who may be the lifter, or
be taken for the lifter, are followed through sparse frames in both directions; each crop comes from
the keypoints of the frame before. Whoever comes along later is noticed by the picture's change. The
lifter is chosen over the whole shot (``people.py``). Boxes are interpolated between sparse
frames. Where the confidence drops, the whole frame is searched again; where nobody is found, or
somebody stands before the lifter, the box stays NaN.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from gymform.errors import NoPersonError, OptionsError
from gymform.pose.crops import box_to_crop
from gymform.pose.detection import (
    MIN_CONFIDENCE,
    SURE_CONFIDENCE,
    Detection,
    detect_in_boxes,
    detect_in_crops,
    detect_in_pictures,
    find_people,
    overlap,
    presence,
    same_body,
    similarity,
)
from gymform.pose.estimator import PoseEstimator
from gymform.pose.people import (
    CROSSED,
    DRESSED,
    LASTING,
    LIKE_SIZE,
    SURE,
    Track,
    alike,
    changed_place,
    choose_lifter,
    clothes_of,
    covered,
    distinctness,
    fit,
    hides,
    is_new,
    is_somebody,
    is_unchanged,
    likelihood,
    mixed,
    second_person,
    span,
    without,
)
from gymform.pose.speculation import Chain, Earlier, Speculation
from gymform.pose.upright import upright_turn
from gymform.types import Target
from gymform.video.shots import cut_times, standing_spans, without_standing
from gymform.video.sparse import SparseFrames, first_to_last

SAMPLE_INTERVAL_S = 0.2
"""Seconds between the sparse frames in which the lifter is located."""

SEED_INTERVAL_S = 2.0
MAX_SEEDS = 3
"""One whole frame of a shot is searched per interval, up to this many in total."""

CLEAR_CONFIDENCE, SMALLER = 0.6, 0.7
"""Once somebody is seen this clearly, nobody is searched for in windows of a smaller share of that
person's size."""

LOOKS = 5
"""In so many samples of a shot the other network has to see the lifter too."""

MAX_EXTRA_SEEDS = 6
"""How many more frames of a shot are searched while nobody has been found in it."""

LOST_SHARE = 0.62
"""A followed person is lost when the confidence falls below this share of its usual value."""

SAME_PERSON_OVERLAP = 0.6
"""A box that overlaps the previous one by this much (intersection over union) is the same person's.
With less overlap it may be somebody else's, or the person moved fast."""

WIDE_PADDING = 2.0
"""In that case a crop with this padding around the previous box is tried as well."""

JUMP = 0.6
"""A box that moves by this share of its size from one sample to the next may be somebody else's."""

MAX_PEOPLE = 3
"""So many people of a shot are followed at a time, the likeliest lifters first."""

TOUCHING = 0.1
"""Joints may be found on the wrong body where this share of a box lies within somebody else's."""

MAX_NEWCOMERS = 4
"""So often in a shot a change in the picture is searched for somebody who comes along."""

NEWCOMER_CONFIDENCE = 0.5
"""A newcomer is seen in one crop only, so this surely."""

PERHAPS, AGAIN = 0.35, 0.25
"""Somebody may have come along, or stand about, who is seen this surely, and on a second look, by
another network or in another crop (`presence`). On a second look bars and plates were seen with up
to 0.19, people with 0.38 and more."""

DIM, LOOSE = 0.9, 0.5
"""At an end of a track, somebody who is seen less surely than this share of the usual is looked at
by the other network too; there `presence` must reach this share of the track's. A barbell on the
floor, followed before the lifter came, had a fifth."""

SELDOM = 3
"""Bystanders who stay where they are, away from the lifter, are looked at in every third sample."""

GROWTH, MAX_STEPS = 1.5, 2.25
"""A box that grows or shrinks by more from one sample to the next may be somebody else's, and after
any time one that has changed by more than this number of such steps."""

FAR, FOLDED = 0.9, 3.0
"""Two people in frames that are seconds apart may be the same one when they are nearer to each
other than this many sizes, and neither is so many times larger: from the start of a snatch to the
arms overhead a box grows to 2.6 times its size."""

MAX_SEARCHES = 8
"""How many whole frames are searched, besides the seeds, after the person was lost."""

MAX_BRIDGED_S = 1.0
"""A gap between two detections is interpolated up to this length; a longer one is left empty."""

TURNED = {
    degrees: f"The picture {lies}: it was turned by {by} degrees for the analysis."
    for degrees, lies, by in (
        (90, "lies on its side", 90),
        (180, "is upside down", 180),
        (270, "lies on its side", 90),
    )
}
"""What the user is told, by the turn in degrees counter-clockwise."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class FollowedBoxes:
    """The lifter's ``boxes`` float32 (T, 4) px xyxy in the source frame, NaN where lost.

    ``notes`` are sentences for the user. ``turn`` is by how many degrees the frames were turned
    counter-clockwise, since they lay on their side; the boxes are those in the turned frames.
    ``plain`` says that it was easy: one upright lifter, surely and always found, and nobody else.
    """

    boxes: np.ndarray
    notes: tuple[str, ...]
    turn: int = 0
    plain: bool = False


def follow(
    frames: SparseFrames,
    estimator: PoseEstimator,
    *,
    witness: PoseEstimator | None = None,
    newcomers: PoseEstimator | None = None,
    target: Target | None = None,
    known_turn: int = 0,
    progress: Progress | None = None,
    threads: int = 1,
) -> FollowedBoxes:
    """The lifter's boxes over all frames of a clip.

    Another network, the ``witness``, has to see the same person in a few frames of each shot. Where
    the picture changes as when somebody comes along, ``newcomers`` looks, by default ``estimator``.

    ``target`` selects another person by a box or a point in one frame, in px of the frame turned
    upright. ``known_turn`` is how another network would turn the pictures. ``progress`` is called
    with (samples done, samples in total), and may raise to stop. With more than one of ``threads``,
    so many compute ahead what will probably be asked for (`speculation.py`). Raises NoPersonError
    when nobody is found in the clip, or at the target; OptionsError for a target outside the frame.
    """
    networks = _Networks(estimator, newcomers or estimator, witness)
    with Speculation(threads) as ahead:
        tracker = _Tracker(frames, networks, progress, ahead)
        turn = tracker.turn(known_turn)
        if turn:
            tracker = _Tracker(frames.turned(turn), networks, progress, ahead)
        return _followed(tracker, target, turn)


def _followed(tracker: _Tracker, target: Target | None, turn: int) -> FollowedBoxes:
    """The lifter's boxes in frames that were turned upright, by ``turn`` degrees."""
    frames = tracker.frames
    if target is not None:
        check_target(target, frames.size)
    seen: list[Detection | None] = [None] * len(frames)
    hidden: set[int] = set()
    chosen_shot = None if target is None else frames.shots[_nearest_sample(frames, target.time_s)]
    for shot in np.unique(frames.shots):
        samples = np.flatnonzero(frames.shots == shot)
        marked = bool(shot == chosen_shot)
        seeds = tracker.seeds(samples, target if marked else None)
        lifter = tracker.track(samples, seeds, marked=marked)
        for sample, detection in lifter.clear().items():
            seen[sample] = detection
        hidden |= lifter.hidden
    _drop_weak_shots(seen, frames.shots)
    if all(detection is None for detection in seen):
        raise NoPersonError(
            "Expected a clip that shows one lifter, but no person could be found in it. "
            "Film the whole body from the front or the side in good light, or mark the person "
            "with a box."
        )
    notes = (TURNED[turn],) if turn else ()
    boxes = _boxes(frames, seen, hidden)
    plain = not turn and not hidden and tracker.is_untroubled and np.isfinite(boxes).all()
    return FollowedBoxes(boxes, (*notes, *tracker.notes(seen)), turn, bool(plain))


def check_target(target: Target, size: tuple[int, int]) -> None:
    """Raise OptionsError unless the target's point or box centre is in a frame of ``size`` px."""
    width, height = size
    x, y = target.point if target.point is not None else target.box_centre
    if not (0 <= x < width and 0 <= y < height):
        raise OptionsError(
            f"The person to follow was marked at {x:.0f}, {y:.0f} px, outside the frame of "
            f"{width} x {height} px. Mark a place inside it."
        )


@dataclass(frozen=True)
class _Networks:
    """Who looks for the lifter, who for newcomers, and who has to see the lifter too."""

    main: PoseEstimator
    newcomers: PoseEstimator
    witness: PoseEstimator | None


class _Tracker:
    """The state of one :func:`follow`: frames, network and the searches that remain."""

    def __init__(
        self,
        frames: SparseFrames,
        networks: _Networks,
        progress: Progress | None,
        ahead: Speculation,
    ) -> None:
        self.frames = frames
        self.ahead = ahead
        self.networks = networks
        self.estimator = networks.main
        self.progress = progress
        self.searches = MAX_SEARCHES
        self.done = 0
        self.passers: list[tuple[float, float]] = []
        self.second = 0
        self.crowded = False
        self.unsure = False
        self.searched: dict[int, list[Detection]] = {}
        self.largest = 0.0

    def turn(self, known: int = 0) -> int:
        """By how many degrees the pictures must be turned: judged in the longest shot."""
        longest = np.bincount(self.frames.shots).argmax()
        samples = np.flatnonzero(self.frames.shots == longest)
        people = _rivals(_chains(self._search(samples)), self.picture_size)
        if not people:
            return 0
        return upright_turn(self.frames, self.estimator, people[0], known, self.ahead)

    # -- seeds: find the people, and the likeliest lifter among them --------------------------

    def seeds(self, samples: np.ndarray, target: Target | None) -> list[dict[int, Detection]]:
        """Detections in a few samples of a shot, one dictionary a person, the likeliest lifter
        first; empty without a person."""
        if target is not None:
            sample = _nearest_sample(self.frames, target.time_s, samples)
            marked = self._marked(sample, target)
            others = [one for one in self._people_in([sample])[sample] if is_new(one, [marked])]
            return [{sample: marked}, *({sample: one} for one in others)]
        return _rivals(_chains(self._search(samples)), self.picture_size)

    def _search(self, samples: np.ndarray) -> dict[int, list[Detection]]:
        """The people in a few samples of a shot."""
        times = self.frames.sample_times()[samples]
        wanted = int(np.clip(round((times[-1] - times[0]) / SEED_INTERVAL_S), 1, MAX_SEEDS))
        people = self._people_in(_spread_over(samples, wanted))
        if not any(people.values()):
            # the lifter may be out of the picture for a moment: try others before giving up
            for sample in _spread_over(samples, MAX_EXTRA_SEEDS):
                people |= self._people_in([sample])
                if people[sample]:
                    break
        return people

    @property
    def picture_size(self) -> np.ndarray:
        """(width, height) of a sampled picture, px."""
        return np.array(self.frames.size) * self.frames.scale

    def _people_in(self, samples: list[int]) -> dict[int, list[Detection]]:
        """The people in each of the ``samples``, which are searched side by side."""
        fresh = [sample for sample in samples if sample not in self.searched]

        def search(sample: int, earlier: Earlier[list[Detection]]) -> list[Detection]:
            return find_people(
                self.frames.picture(sample),
                self.estimator,
                least=lambda: SMALLER * self._largest(earlier()),
            )

        found = self.ahead.at_once([functools.partial(search, sample) for sample in fresh])
        self.largest = self._largest(found)
        self.searched |= dict(zip(fresh, found, strict=True))
        return {sample: self.searched[sample] for sample in samples}

    def _largest(self, found: list[list[Detection]]) -> float:
        """The size px of the largest who is clearly seen, before or among those ``found``."""
        people = [one for people in found for one in people if one.confidence >= CLEAR_CONFIDENCE]
        return max([self.largest, *(person.size for person in people)])

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

    @property
    def is_untroubled(self) -> bool:
        """Was nobody lost, was the lifter surely seen, and was nobody else there?"""
        return not self.crowded and not self.unsure and self.searches == MAX_SEARCHES

    # -- tracking ---------------------------------------------------------------------------

    def track(
        self, samples: np.ndarray, seeds: list[dict[int, Detection]], *, marked: bool = False
    ) -> Track:
        """The lifter over the samples of a shot: the ``marked`` person, else the one who moves."""
        if not seeds:
            self.advance(len(samples))
            return Track()
        tracking = _ShotTracker(self, seeds, samples)
        while tracking.misled is not None:  # the seeds are of two people: begin again
            first = {i: one for i, one in seeds[0].items() if i != tracking.misled}
            parted = [first, {tracking.misled: seeds[0][tracking.misled]}, *seeds[1:]]
            seeds = _rivals(parted, self.picture_size)
            tracking = _ShotTracker(self, seeds, samples)
        lifter, tracks = tracking.first, tracking.tracks
        if not marked:
            lifter = choose_lifter(tracks, len(samples), self.picture_size)
            if lifter is not tracking.first:  # who was looked at now and then only: look closely
                rivals = [track.seen for track in tracks if track is not lifter]
                closer = _ShotTracker(self, [dict(lifter.seen), *rivals], samples)
                if closer.misled is None:
                    lifter, tracks = closer.first, closer.tracks
        others = (track for track in tracks if track is not lifter)
        self.crowded |= any(self._certainty(track) >= AGAIN for track in others)
        certainty = self._certainty(lifter)
        self.unsure |= certainty < SURE
        if not marked:
            if not is_somebody(lifter, certainty):
                return Track()
            self._cut_loose_ends(lifter, certainty)
        self._look_for_others(lifter, tracks)
        return lifter

    def _cut_loose_ends(self, lifter: Track, certainty: float) -> None:
        """Forget what was followed before the lifter came, and after the lifter had gone.

        Where nobody is any more, a crop around the last place shows things, which a network half
        takes for a body, and the other one does not. Whole tracks are not judged here.
        """
        if self.networks.witness is None:
            return
        usual = float(np.median([person.confidence for person in lifter.seen.values()]))
        for backwards in (False, True):
            samples = sorted(lifter.seen, reverse=backwards)
            if lifter.seen[samples[0]].confidence < DIM * usual:
                half = samples[: len(samples) // 2]
                for sample in half[: self._loose(lifter, half, LOOSE * certainty)]:
                    del lifter.seen[sample]

    def _loose(self, lifter: Track, samples: list[int], least: float) -> int:
        """How many of ``samples`` come before two in a row that both networks see; 0 when there are
        no such two."""
        proven = 0
        for number, sample in enumerate(samples):
            [surely] = self._presences(lifter, [sample])
            proven = proven + 1 if surely >= least else 0
            if proven == 2:
                return number - 1
        return 0

    def _certainty(self, track: Track) -> float:
        """How surely a person is there: the median of a few samples."""
        samples = first_to_last(np.array(sorted(track.seen)), LOOKS)
        return float(np.median(self._presences(track, samples)))

    def _presences(self, track: Track, samples: Sequence[int]) -> list[float]:
        """How surely a person is there in each of ``samples``: see `presence`; how clearly the
        person is seen where there is no other network."""
        people = [track.seen[sample] for sample in samples]
        if self.networks.witness is None:
            return [person.confidence for person in people]
        crops = box_to_crop(np.stack([person.box for person in people]))
        pictures = (self.frames.picture(sample) for sample in samples)
        others = detect_in_pictures(zip(pictures, crops, strict=True), self.networks.witness)
        return [presence(*pair) for pair in zip(people, others, strict=True)]

    def may_be_there(self, person: Detection, picture: np.ndarray) -> bool:
        """May somebody who was half seen be there? A second look, in a crop that fits, tells, and
        one by the other network: both may take a rack for a body, but not in the same pose."""
        if person.confidence < PERHAPS:
            return False
        crop = box_to_crop(person.box)[None]
        return all(
            presence(person, *detect_in_crops(picture, network, crop)) >= AGAIN
            for network in dict.fromkeys((self.networks.newcomers, self.estimator))
        )

    def _look_for_others(self, lifter: Track, tracks: list[Track]) -> None:
        """Find out in which samples somebody stands before the lifter, and who stands beside."""
        for sample, person in lifter.seen.items():
            others = (track for track in tracks if track is not lifter)
            if any(hides(o, o.seen.get(sample), person, lifter.size) for o in others):
                lifter.hidden.add(sample)
        times, half = self.frames.sample_times(), SAMPLE_INTERVAL_S / 2
        for first, last in _runs_of(lifter.hidden):
            while last + 1 < max(lifter.seen) and last + 1 not in lifter.seen:
                last += 1
            while first - 1 > min(lifter.seen) and first - 1 not in lifter.seen:
                first -= 1
            lifter.hidden |= set(range(first, last + 1))
            self.passers.append((times[first] - half, times[last] + half))
        if second_person(lifter, tracks) is not None:
            self.second += span(lifter)

    def may_search(self, track: Track, sample: int) -> bool:
        """May the whole frame be searched for somebody who is lost? In every other sample."""
        return self.searches > 0 and (abs(sample - track.last(sample)[0]) - 1) % 2 == 0

    def recover(
        self, picture: np.ndarray, doubtful: Detection | None, track: Track, sample: int
    ) -> Detection | None:
        """The followed person, found by searching the whole frame.

        The ``doubtful`` detection is kept when it is likelier than all others: a blurred lifter
        is still the lifter, however clearly a spectator is seen.
        """
        at, last = track.last(sample)
        lost_for = abs(sample - at) - 1
        self.searches -= 1
        people = [
            person
            for person in find_people(picture, self.estimator, least=lambda: SMALLER * last.size)
            if person.confidence >= max(MIN_CONFIDENCE, LOST_SHARE * track.usual)
            and _of_similar_size(person, last, lost_for + 1)
        ]
        if (
            doubtful is not None
            and doubtful.confidence >= MIN_CONFIDENCE
            and _of_similar_size(doubtful, last, lost_for + 1)
        ):
            people.append(doubtful)

        dressed = [(one, alike(clothes_of(picture, one), track.clothes)) for one in people]
        likely = {
            one: likelihood(one, last, lost_for) * clothes
            for one, clothes in dressed
            if clothes >= DRESSED
        }
        return max(likely, key=likely.__getitem__, default=None)

    def advance(self, count: int) -> None:
        """So many samples more are done."""
        self.done += count
        if self.progress is not None:
            self.progress(min(self.done, len(self.frames)), len(self.frames))

    def notes(self, seen: list[Detection | None]) -> tuple[str, ...]:
        """Sentences for the user: about cuts, a standing picture, other people, and time without
        the person."""
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
        notes += [
            f"Somebody passed before the lifter from {max(0.0, start):.1f} to {end:.1f} s: "
            "nothing is judged there."
            for start, end in self.passers
        ]
        if self.second >= LASTING * len(seen):
            notes.append(
                "A second person of like size is in the picture: "
                "if the wrong one was followed, mark the lifter."
            )
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


class _ShotTracker:
    """The people of one shot, followed together through its ``samples``.

    ``seeds`` are detections of each; the first is looked at in every sample, and searched for where
    lost. Newcomers are added at the end of ``tracks``.
    """

    def __init__(
        self, tracker: _Tracker, seeds: list[dict[int, Detection]], samples: np.ndarray
    ) -> None:
        self.tracker = tracker
        self.frames, self.estimator = tracker.frames, tracker.estimator
        self.tracks: list[Track] = []
        self.seeds = list(seeds)
        self.newcomers = MAX_NEWCOMERS
        self.changed = False
        self.empty: np.ndarray | None = None
        self.misled: int | None = None
        self.ended: set[int] = set()
        start = max(seeds[0], key=lambda sample: seeds[0][sample].confidence)
        self._begin(start, self.frames.picture(start))
        tracker.advance(1)
        directions = [samples[samples > start], samples[samples < start][::-1]]
        chains = [self._ahead(start, direction.tolist()) for direction in directions]
        for direction, self.chain in zip(directions, chains, strict=True):
            if self.misled is None:
                self._follow(start, direction)
            self.chain.stop()

    @property
    def first(self) -> Track:
        """The likeliest lifter."""
        return self.tracks[0]

    def _ahead(self, start: int, samples: list[int]) -> Chain:
        """Follow the likeliest lifter ahead, as far as nothing is doubtful."""
        track = Track()

        def step(sample: int, last: Detection) -> Detection | None:
            return _step(self.frames.picture(sample), self.estimator, last)

        def onward(sample: int, person: Detection | None) -> Detection | None:
            if person is None or _is_doubtful(person, track, sample):
                person = self.seeds[0].get(sample)
            if person is not None:
                track.add(sample, person)
            return person

        first = self.seeds[0][start]
        track.add(start, first)
        return self.tracker.ahead.chain(samples, first, step, onward)

    def _follow(self, start: int, samples: np.ndarray) -> None:
        """Follow everybody through ``samples``, which lead away from ``start``."""
        before = self.frames.picture(start)
        self.ended.clear()
        self.empty = None
        for sample in samples.tolist():
            picture = self.frames.picture(sample)
            last = self.first.last(sample)
            self._step(sample, picture)
            if self._is_misled(sample, *last):
                self.misled = start
                return
            self._begin(sample, picture)
            self._welcome(sample, before, picture)
            before = picture
            self.tracker.advance(1)

    def _begin(self, sample: int, picture: np.ndarray) -> None:
        """Begin a track with each of the seeds' people who is seen in ``sample`` for the first
        time."""
        if not self.tracks:
            self._add(self.seeds[0][sample], sample, picture)
        for seed in self.seeds[1:]:
            if sample in seed and is_new(seed[sample], self._now(sample)):
                self._add(seed[sample], sample, picture)

    def _add(self, person: Detection, sample: int, picture: np.ndarray) -> None:
        track = Track()
        track.add(sample, person, clothes_of(picture, person))
        self.tracks.append(track)

    def _now(self, sample: int) -> list[Detection]:
        """Where the people are who are followed, as far as is known."""
        followed = (track for n, track in enumerate(self.tracks) if n not in self.ended)
        return [track.expected(sample) for track in followed]

    def _step(self, sample: int, picture: np.ndarray) -> None:
        """Find everybody in the next sample."""
        found: dict[int, Detection] = {}
        for number in range(len(self.tracks) - 1, -1, -1):  # the lifter last: others may hide him
            if number and not self._is_due(number, sample):
                continue
            person = self._find(number, sample, picture, found)
            if person is not None:
                found[number] = person
        kept = self._each_their_own(found, sample, picture)
        for number, person in kept.items():
            if number == 0 and self._is_mixed(person, found, sample):
                self.first.hidden.add(sample)
            else:
                self.tracks[number].add(sample, person, self._clothes(picture, person))
        for number in range(1, len(self.tracks)):
            if number not in kept and self._is_gone(self.tracks[number], sample):
                self.ended.add(number)

    def _is_misled(self, sample: int, before: int, last: Detection) -> bool:
        """Did the start lead to somebody else than the other seeds do?

        ``last`` is where the likeliest lifter was seen in the sample ``before``.
        """
        seed, person = self.seeds[0].get(sample), self.first.seen.get(sample)
        if seed is None or person is None:
            return False
        moved = float(np.hypot(*(seed.centre - last.centre))) / last.size
        return is_new(seed, [person]) or moved > JUMP * abs(sample - before)

    def _is_gone(self, track: Track, sample: int) -> bool:
        """Is it no use to look for a bystander any longer?"""
        at, _ = track.last(sample)
        across = track.expected(sample).centre[0]
        outside = not 0 <= across <= self.tracker.picture_size[0]
        return outside or abs(sample - at) >= track.patience(at)

    def _is_due(self, number: int, sample: int) -> bool:
        """Is it time to look at a bystander? Always at those who move or are near the lifter."""
        if number in self.ended:
            return False
        track = self.tracks[number]
        at, last = track.last(sample)
        if abs(sample - at) >= SELDOM or len(track.seen) < SELDOM or track.way() >= CROSSED:
            return True
        lifter = self.first.last(sample)[1]
        room = 0.1 * lifter.size
        return covered(last.box, lifter.box + np.array([-room, -room, room, room])) > 0

    def _find(
        self, number: int, sample: int, picture: np.ndarray, found: dict[int, Detection]
    ) -> Detection | None:
        """One person in the next sample; the likeliest lifter is also searched for."""
        track = self.tracks[number]
        last, expected = track.last(sample)[1], track.expected(sample)
        if number:
            [person] = detect_in_crops(picture, self.estimator, box_to_crop(expected.box)[None])
            if person is None or not _holds(person, expected, track):
                return None
            near = any(self._touches_lifter(one, sample) for one in (expected, person))
            return None if near and mixed(person, expected) else person
        if self._is_behind(expected, found, sample):
            track.hidden.add(sample)  # no look: whoever is hidden comes out again
            return None
        if self.empty is not None and is_unchanged(self.empty, picture):
            return None  # no look: who was not there before is not there now
        person = self.chain.answer(sample, last, lambda: _step(picture, self.estimator, last))
        seed = self.seeds[0].get(sample)
        if seed is not None and (person is None or _is_doubtful(person, track, sample)):
            return seed
        if person is None or not _is_doubtful(person, track, sample):
            return person
        found_again = None
        if self.tracker.may_search(track, sample):
            found_again = self.tracker.recover(picture, person, track, sample)
            self.empty = picture if found_again is None else None
        if found_again is None and person.confidence >= LOST_SHARE * track.usual:
            track.hidden.add(sample)  # somebody is seen there, but not the lifter
        return found_again

    def _touches_lifter(self, person: Detection, sample: int) -> bool:
        """Is ``person`` so near that joints may be found on the wrong body?"""
        return covered(person.box, self.first.last(sample)[1].box) > TOUCHING

    def _clothes(self, picture: np.ndarray, person: Detection) -> np.ndarray | None:
        """Clothes are looked at only where somebody could be taken for somebody else."""
        return clothes_of(picture, person) if len(self.tracks) > 1 else None

    def _each_their_own(
        self, found: dict[int, Detection], sample: int, picture: np.ndarray
    ) -> dict[int, Detection]:
        """``found``, where a body that was found for two people is left to the one it fits."""

        def suits(number: int) -> float:
            person = found[number]
            return fit(person, self._clothes(picture, person), self.tracks[number], sample)

        kept: dict[int, Detection] = {}
        for number in sorted(found, key=suits, reverse=True) if len(found) > 1 else found:
            if all(not same_body(found[number], other) for other in kept.values()):
                kept[number] = found[number]
        if 0 in found and 0 not in kept:
            again = self._look_again(sample, picture)
            if again is not None and is_new(again, list(kept.values())):
                kept[0] = again
            elif any(self.tracks[number].way() >= CROSSED for number in kept):
                self.first.hidden.add(sample)
        return kept

    def _look_again(self, sample: int, picture: np.ndarray) -> Detection | None:
        """The lifter in a narrow crop where he is expected, after somebody else was found there."""
        expected = self.first.expected(sample)
        crop = box_to_crop(expected.box, padding=1.0)
        [person] = detect_in_crops(picture, self.estimator, crop[None])
        return person if person is not None and _holds(person, expected, self.first) else None

    def _is_mixed(self, person: Detection, found: dict[int, Detection], sample: int) -> bool:
        """Is the lifter hidden, or found with joints of somebody who walks past?"""
        if self._is_behind(person, found, sample):
            return True
        passers = (self._place(n, found, sample) for n in self._walkers(sample))
        near = any(covered(person.box, passer.box) > TOUCHING for passer in passers)
        return near and mixed(person, self.first.expected(sample))

    def _walkers(self, sample: int) -> list[int]:
        """The numbers of those who walk about and are followed."""
        return [
            number
            for number, track in enumerate(self.tracks)
            if number and number not in self.ended and track.walks(track.last(sample)[0])
        ]

    def _place(self, number: int, found: dict[int, Detection], sample: int) -> Detection:
        return found.get(number) or self.tracks[number].expected(sample)

    def _is_behind(self, person: Detection, found: dict[int, Detection], sample: int) -> bool:
        """Does somebody who came along stand before ``person``?"""
        return any(
            hides(other, self._place(number, found, sample), person, self.first.size)
            for number, other in enumerate(self.tracks)
            if number and number not in self.ended
        )

    def _welcome(self, sample: int, before: np.ndarray, picture: np.ndarray) -> None:
        """Begin a track where the picture changes as it does when somebody comes along."""
        now = self._now(sample)
        if sample not in self.first.seen or self.newcomers <= 0 or len(now) > MAX_PEOPLE:
            return
        size = self.first.last(sample)[1].size
        place = changed_place(before, picture, [person.box for person in now], size)
        lasting, self.changed = place is not None and self.changed, place is not None
        if place is None or not lasting:
            return
        self.newcomers -= 1
        rest = without(picture, [person.box for person in now])
        crop = box_to_crop(_of_height(place, size))
        [person] = detect_in_crops(rest, self.tracker.networks.newcomers, crop[None])
        if person is None or person.size < LIKE_SIZE * size:
            return
        if person.confidence < max(NEWCOMER_CONFIDENCE, 0.5 * self.first.usual):
            self.tracker.crowded |= self.tracker.may_be_there(person, rest)
            return
        self.tracker.crowded = True
        if is_new(person, now):
            self._add(person, sample, picture)


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
    return max(people, key=lambda person: likelihood(person, last), default=found)


def _distance_to(person: Detection, point: np.ndarray) -> float:
    """Distance px from a point to the nearest keypoint, plus a little so that it is never 0."""
    return float(np.nanmin(np.linalg.norm(person.xy - point, axis=1))) + 0.05 * person.size


def _outranks(seed: Detection, detection: Detection | None) -> bool:
    """Should the seed replace the detection that tracking gave in the same frame?"""
    if detection is None:
        return True
    return similarity(seed, detection) < 0.5 and seed.confidence > detection.confidence


def _is_doubtful(detection: Detection, track: Track, sample: int) -> bool:
    """Weakly seen, of another size, or too far away?"""
    at, last = track.last(sample)
    moved = float(np.hypot(*(detection.centre - last.centre))) / last.size
    return (
        detection.confidence < LOST_SHARE * track.usual
        or not _of_similar_size(detection, last, abs(sample - at))
        or moved > JUMP * abs(sample - at)
    )


def _holds(person: Detection, expected: Detection, track: Track) -> bool:
    """Is ``person`` whom the track leads to? Nobody searches for a bystander, so be strict."""
    moved = float(np.hypot(*(person.centre - expected.centre))) / expected.size
    sure = person.confidence >= max(MIN_CONFIDENCE, 0.5 * track.usual)
    return sure and moved < JUMP and 0.5 < person.size / expected.size < 2.0


def _of_similar_size(a: Detection, b: Detection, samples: float = MAX_STEPS) -> bool:
    """Could both be the same person, so many samples apart?"""
    most = GROWTH ** min(samples, MAX_STEPS)
    return bool(1 / most < a.size / b.size < most)


# -- the lifter among the people, and boxes for all frames ----------------------------------


def _chains(people: dict[int, list[Detection]]) -> list[dict[int, Detection]]:
    """The seed frames' detections, linked into people: whoever is clearly seen and near first."""
    chains: list[dict[int, Detection]] = []
    for sample in sorted(people):
        free = list(people[sample])
        lasts = [chain[max(chain)] for chain in chains]
        pairs = [
            (
                min(last.confidence, person.confidence) * (1 - _distance(last, person)),
                number,
                person,
            )
            for number, last in enumerate(lasts)
            for person in free
            if _maybe_same_person(last, person)
        ]
        for _, number, person in sorted(pairs, key=lambda pair: -pair[0]):
            if person in free and sample not in chains[number]:
                chains[number][sample] = person
                free.remove(person)
        chains += [{sample: person} for person in free]
    return chains


def _distance(a: Detection, b: Detection) -> float:
    """Between the centres of two boxes, as a share of the larger one's size."""
    return float(np.hypot(*(a.centre - b.centre))) / max(a.size, b.size)


def _rivals(chains: list[dict[int, Detection]], size: np.ndarray) -> list[dict[int, Detection]]:
    """The likeliest lifter's detections, and those of others who may lift or be taken for him."""
    ordered = sorted(chains, key=lambda chain: -_lifter_likeness(chain, size))
    if not ordered:
        return []
    first = _clearest(ordered[0])
    others = [
        chain
        for chain in ordered[1:]
        if _clearest(chain).size >= LIKE_SIZE * first.size
        and _clearest(chain).confidence >= max(SURE_CONFIDENCE, 0.6 * first.confidence)
    ]
    return [ordered[0], *others[: MAX_PEOPLE - 1]]


def _clearest(chain: dict[int, Detection]) -> Detection:
    return max(chain.values(), key=lambda person: person.confidence)


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
    return _distance(a, b) < FAR and 1 / FOLDED < a.size / b.size < FOLDED


def _lifter_likeness(chain: dict[int, Detection], size: np.ndarray) -> float:
    """How much a person in the seeds looks like the lifter: see `people.lifter_likeness`."""
    detections = list(chain.values())
    moves = [_motion(a, b) for a, b in itertools.pairwise(detections)]
    presence = sum(distinctness(person, size) for person in detections)
    return presence * (0.6 + min(0.6, float(np.mean(moves)) if moves else 0.2))


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


def _boxes(frames: SparseFrames, seen: list[Detection | None], hidden: set[int]) -> np.ndarray:
    """Boxes float32 (T, 4) px in the source frame for all frames, from the samples' detections."""
    boxes = np.full((len(frames.time_s), 4), np.nan)
    times = frames.sample_times()
    edges = _shot_edges(frames)
    for run in _runs(frames, seen, hidden):
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


def _runs(
    frames: SparseFrames, seen: list[Detection | None], hidden: set[int]
) -> list[list[tuple[int, Detection]]]:
    """(sample, detection) where the person is seen, split at cuts, at gaps too long to fill and
    where somebody else stands before the person."""
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
            and not hidden.intersection(range(last + 1, i))
        )
        if joined:
            runs[-1].append((i, detection))
        else:
            runs.append([(i, detection)])
    return runs


def _of_height(place: np.ndarray, size: float) -> np.ndarray:
    """The box of a change, made as high as a person of ``size`` px."""
    middle = (place[1] + place[3]) / 2
    half = max(size, place[3] - place[1]) / 2
    return np.array([place[0], middle - half, place[2], middle + half])


def _runs_of(numbers: set[int]) -> list[tuple[int, int]]:
    """First and last of each run of numbers, which may leave out two at a time."""
    runs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if runs and number - runs[-1][1] <= SELDOM:
            runs[-1] = runs[-1][0], number
        else:
            runs.append((number, number))
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
