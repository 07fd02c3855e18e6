"""The data that pass through gymform: frozen carriers that validate themselves.

Coordinates are pixels of the *upright* source frame, x right, y down, the centre of the top-left
pixel at (0, 0). Times are seconds from the clip's first frame, from its presentation time stamps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

import numpy as np

from gymform.errors import OptionsError
from gymform.skeleton import NUM_KEYPOINTS

UNKNOWN = "unknown"
"""The label of a :class:`Prediction` that abstains."""

OTHER = "other"
"""The class of everything that is none of the named exercises."""

GOOD_QUALITY, FAIR_QUALITY = 0.75, 0.5
"""Scores of a :class:`PoseQuality` from which on it is called good, or fair."""

QualityLevel = Literal["good", "fair", "poor"]


def _check_array(
    owner: str, name: str, value: np.ndarray, shape: tuple[int | None, ...], dtype: type
) -> None:
    """Raise ValueError unless ``value`` has ``dtype`` and ``shape`` (None matches any length)."""
    if not isinstance(value, np.ndarray):
        raise ValueError(f"{owner}.{name}: expected a numpy array, got {type(value).__name__}")
    if value.dtype != np.dtype(dtype):
        raise ValueError(f"{owner}.{name}: expected {np.dtype(dtype).name}, got {value.dtype.name}")
    fits = len(value.shape) == len(shape) and all(
        want is None or want == got for want, got in zip(shape, value.shape, strict=True)
    )
    if not fits:
        raise ValueError(f"{owner}.{name}: expected shape {shape}, got {value.shape}")


def within(time_s: np.ndarray, start_s: float, end_s: float) -> np.ndarray:
    """bool (T,): which of the seconds ``time_s`` (T,) lie from ``start_s`` to ``end_s``.

    Both ends count, also where they were rounded.
    """
    return np.asarray((time_s >= start_s - 1e-6) & (time_s <= end_s + 1e-6))


def within_any(time_s: np.ndarray, spans: Sequence[tuple[float, float]]) -> np.ndarray:
    """bool (T,): which of the seconds ``time_s`` (T,) lie in one of the ``spans`` (start, end)."""
    inside = np.zeros(len(time_s), bool)
    for start, end in spans:
        inside |= within(time_s, start, end)
    return inside


@dataclass(frozen=True)
class Clip:
    """What is known of a video file after probing or decoding it.

    ``width`` and ``height`` are px of the upright frame; ``rotation`` the degrees (0, 90, 180,
    270) by which stored frames are turned counter-clockwise to stand upright; ``fps`` is frames
    over duration by PTS.
    """

    name: str
    container: str
    codec: str
    width: int
    height: int
    rotation: int
    duration_s: float
    fps: float
    frames: int
    bytes: int
    sha256: str
    problems: tuple[str, ...] = ()
    """Sentences for the user about what could not be read properly. Empty when all is well."""
    capture_fps: float | None = None
    """Frames a second at which the camera recorded, when the file says so and plays at another
    rate (by more than a factor of 1.3); None otherwise."""

    @property
    def slow_motion(self) -> float:
        """How many times as long the clip takes as what it shows; 1 when the file does not say.

        Below 1 for time lapse. No time in gymform is scaled by it unless that is said.
        """
        return self.capture_fps / self.fps if self.capture_fps else 1.0


@dataclass(frozen=True)
class Provenance:
    """Where keypoints come from: all that is needed to reproduce them."""

    network: str = "unknown"
    weights_sha256: str = ""
    engine: str = ""
    """What computed the network: see `pose/engine`; empty in older files."""
    scout: str = ""
    """The small network that went ahead and said where to look; empty without one."""
    decoder: str = "dark-udp"
    flip_test: bool = False
    gymform_version: str = ""
    clip_sha256: str = ""
    schema: int = 1
    note: str = ""
    """What had to be assumed, in words: older files hold neither times nor image size."""
    turn: int = 0
    """Degrees (0, 90, 180, 270) by which frames were turned counter-clockwise, more than the file
    says: the picture lay on its side. Keypoints, boxes and image size are those of the turned
    frame."""


_NOT_GIVEN: np.ndarray = np.zeros(0)
"""Stands for an array that is made from the others when nobody gives it."""


@dataclass(frozen=True, eq=False)
class PoseSequence:
    """One person's keypoints over a clip.

    ``xy`` float32 (T, 17, 2) px, NaN where missing; ``score`` float32 (T, 17) in [0, 1], 0 where
    missing; ``boxes`` float32 (T, 4) px xyxy, NaN where nobody was followed; ``time_s`` float64
    (T,) strictly rising; ``image_size`` (width, height) px. Frames without a person stay in.

    ``shots`` int32 (T,) numbers the stretches between cuts, rising, and is -1 where the picture
    stands still. ``peaks`` float32 (T, 17, K, 3) are the network's own answers, x and y in px and
    score, likeliest first and NaN, NaN, 0 where there are fewer: ``xy`` is what
    ``pose/decoding.py`` chose among them over time. K is 0 where they were not kept. Frames that
    the network did not look at have no peaks; their keypoints are ``interpolated``.
    """

    xy: np.ndarray
    score: np.ndarray
    boxes: np.ndarray
    time_s: np.ndarray
    image_size: tuple[int, int]
    provenance: Provenance = field(default_factory=Provenance)
    shots: np.ndarray = field(default_factory=lambda: _NOT_GIVEN)
    peaks: np.ndarray = field(default_factory=lambda: _NOT_GIVEN)

    def __post_init__(self) -> None:
        owner = "PoseSequence"
        _check_array(owner, "time_s", self.time_s, (None,), np.float64)
        count = len(self.time_s)
        _check_array(owner, "xy", self.xy, (count, NUM_KEYPOINTS, 2), np.float32)
        _check_array(owner, "score", self.score, (count, NUM_KEYPOINTS), np.float32)
        _check_array(owner, "boxes", self.boxes, (count, 4), np.float32)
        if count == 0:
            raise ValueError(f"{owner}: expected at least one frame, got none")
        if not np.isfinite(self.time_s).all() or not (np.diff(self.time_s) > 0).all():
            raise ValueError(f"{owner}.time_s: expected finite, strictly rising seconds")
        if not ((self.score >= 0) & (self.score <= 1)).all():
            raise ValueError(f"{owner}.score: expected values in [0, 1]")
        missing = np.isnan(self.xy).any(axis=-1)
        if np.isinf(self.xy).any():
            raise ValueError(f"{owner}.xy: expected finite numbers or NaN, got infinity")
        if np.isinf(self.boxes).any():
            raise ValueError(f"{owner}.boxes: expected finite numbers or NaN, got infinity")
        if (missing & (self.score > 0)).any() or (missing != np.isnan(self.xy).all(-1)).any():
            raise ValueError(f"{owner}: expected a missing keypoint as NaN x, NaN y and score 0")
        if len(self.image_size) != 2 or min(self.image_size) < 1:
            raise ValueError(f"{owner}.image_size: expected (width, height), got {self.image_size}")
        self._check_shots_and_peaks(owner, count)

    def _check_shots_and_peaks(self, owner: str, count: int) -> None:
        """Check what may be left out, and make it where it was."""
        if self.shots is _NOT_GIVEN:
            object.__setattr__(self, "shots", np.zeros(count, np.int32))
        if self.peaks is _NOT_GIVEN:
            nothing = np.zeros((count, NUM_KEYPOINTS, 0, 3), np.float32)
            object.__setattr__(self, "peaks", nothing)
        _check_array(owner, "shots", self.shots, (count,), np.int32)
        _check_array(owner, "peaks", self.peaks, (count, NUM_KEYPOINTS, None, 3), np.float32)
        numbered = self.shots[self.shots >= 0]
        if (self.shots < -1).any() or not (np.diff(numbered) >= 0).all():
            raise ValueError(f"{owner}.shots: expected rising numbers from 0, or -1 for a stand")
        if np.isinf(self.peaks).any():
            raise ValueError(f"{owner}.peaks: expected finite numbers or NaN, got infinity")

    def __len__(self) -> int:
        return len(self.time_s)

    def part(self, frames: np.ndarray | slice) -> PoseSequence:
        """Some frames of it, chosen by a mask (T,), indices or a slice; times stay the clip's."""
        return replace(
            self,
            **{name: getattr(self, name)[frames] for name in
               ("xy", "score", "boxes", "time_s", "shots", "peaks")},
        )  # fmt: skip

    @property
    def fps(self) -> float:
        """Mean frames a second by time stamps; 0 for a single frame."""
        span = float(self.time_s[-1] - self.time_s[0])
        return (len(self) - 1) / span if span > 0 else 0.0

    @property
    def present(self) -> np.ndarray:
        """bool (T,): frames in which a person was found."""
        return np.asarray((self.score > 0).any(axis=1))

    @property
    def answered(self) -> np.ndarray:
        """bool (T,): frames that the network looked at and found joints in."""
        answered = answered_in(self.peaks)
        return np.asarray(answered if answered.any() else self.present)  # peaks were not kept

    @property
    def interpolated(self) -> np.ndarray:
        """bool (T,): frames that the network did not look at, between two in which it did."""
        followed = np.isfinite(self.boxes).all(axis=1)
        return np.asarray(self.present & followed & ~self.answered)


def answered_in(peaks: np.ndarray) -> np.ndarray:
    """bool (T,): the frames in which a network found joints, by its peaks (T, 17, K, 3)."""
    return np.asarray(np.isfinite(peaks[..., 0]).any(axis=(1, 2)))


@dataclass(frozen=True, eq=False)
class CleanTracks:
    """Trajectories ready for measuring: gaps filled, noise smoothed. The raw ones are kept apart.

    ``xy`` float32 (T, 17, 2) px, NaN where nothing is known; ``velocity`` float32 (T, 17, 2) px/s;
    ``filled`` bool (T, 17), true where a value was interpolated; ``time_s`` float64 (T,);
    ``shots`` int32 (T,) and ``interpolated`` bool (T,) as in :class:`PoseSequence`.
    """

    xy: np.ndarray
    velocity: np.ndarray
    filled: np.ndarray
    time_s: np.ndarray
    shots: np.ndarray = field(default_factory=lambda: _NOT_GIVEN)
    interpolated: np.ndarray = field(default_factory=lambda: _NOT_GIVEN)

    def __post_init__(self) -> None:
        owner = "CleanTracks"
        _check_array(owner, "time_s", self.time_s, (None,), np.float64)
        count = len(self.time_s)
        if self.shots is _NOT_GIVEN:
            object.__setattr__(self, "shots", np.zeros(count, np.int32))
        if self.interpolated is _NOT_GIVEN:
            object.__setattr__(self, "interpolated", np.zeros(count, np.bool_))
        _check_array(owner, "shots", self.shots, (count,), np.int32)
        _check_array(owner, "interpolated", self.interpolated, (count,), np.bool_)
        _check_array(owner, "xy", self.xy, (count, NUM_KEYPOINTS, 2), np.float32)
        _check_array(owner, "velocity", self.velocity, (count, NUM_KEYPOINTS, 2), np.float32)
        _check_array(owner, "filled", self.filled, (count, NUM_KEYPOINTS), np.bool_)

    def part(self, frames: np.ndarray | slice) -> CleanTracks:
        """Some frames of them, as of :meth:`PoseSequence.part`."""
        return CleanTracks(
            self.xy[frames],
            self.velocity[frames],
            self.filled[frames],
            self.time_s[frames],
            self.shots[frames],
            self.interpolated[frames],
        )


@dataclass(frozen=True)
class Window:
    """One repetition or window of a clip, with the classifier's probabilities for it alone."""

    start_s: float
    end_s: float
    probabilities: tuple[float, ...]


def percent(share: float) -> str:
    """0.943 as "94%"; never "0%" or "100%" for what is not quite that."""
    if 0 < share < 0.005:
        return "<1%"
    return ">99%" if 0.995 <= share < 1 else f"{share:.0%}"


@dataclass(frozen=True)
class Ablation:
    """The probabilities if a ``part`` of the body ("arms", "trunk", "legs") had not moved."""

    part: str
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class Neighbour:
    """An accepted clip of the training data that a movement is like: its ``exercise``, how like it
    is (1: the same to the network, 0: nothing in common), its ``number`` in the model's file.
    """

    exercise: str
    likeness: float
    number: int


@dataclass(frozen=True)
class Prediction:
    """Which exercise a clip shows.

    ``probabilities`` are calibrated, in the order of ``classes`` (the manifest's), and sum to 1.
    ``label`` is a class or ``unknown``. ``reason`` says in words why the label is ``unknown`` or
    what speaks against it; None when there is nothing to add. ``ablations`` show which parts of the
    body the label depends on. ``candidates`` are the classes that it may be, the likeliest first:
    a set that holds the right one in as many of 100 clips as the model's card promises; empty where
    the model makes no such promise. ``nearest`` are the accepted clips that the movement is most
    like; empty for a model that holds none.
    """

    classes: tuple[str, ...]
    probabilities: tuple[float, ...]
    label: str
    reason: str | None
    model_sha256: str
    windows: tuple[Window, ...] = ()
    ablations: tuple[Ablation, ...] = ()
    candidates: tuple[str, ...] = ()
    nearest: tuple[Neighbour, ...] = ()

    def __post_init__(self) -> None:
        if len(self.classes) != len(self.probabilities):
            raise ValueError(
                f"Prediction.probabilities: expected {len(self.classes)}, "
                f"got {len(self.probabilities)}"
            )
        if not np.isfinite(self.probabilities).all() or abs(sum(self.probabilities) - 1) > 1e-3:
            raise ValueError("Prediction.probabilities: expected finite numbers that sum to 1")
        if self.label != UNKNOWN and self.label not in self.classes:
            raise ValueError(f"Prediction.label: {self.label!r} is not one of {self.classes}")
        if not set(self.candidates) <= set(self.classes):
            raise ValueError(
                f"Prediction.candidates: expected some of {self.classes}, got {self.candidates}"
            )

    def in_film(self, slow_motion: float) -> Prediction:
        """The same with the moments of a film that is so many times slower than life."""
        if slow_motion == 1:
            return self
        windows = tuple(
            replace(w, start_s=w.start_s * slow_motion, end_s=w.end_s * slow_motion)
            for w in self.windows
        )
        return replace(self, windows=windows)

    @property
    def confidence(self) -> float:
        """The largest probability."""
        return max(self.probabilities)

    def likeliest(self, probabilities: tuple[float, ...] | None = None) -> str:
        """The class with the largest probability, of this prediction or of ``probabilities``."""
        return max(zip(probabilities or self.probabilities, self.classes, strict=True))[1]


@dataclass(frozen=True)
class PoseQuality:
    """How reliable the keypoints of a clip are. ``notes`` explain what is wrong, in words.

    ``score`` in [0, 1] sums it up; ``coverage`` is the share of frames with a person,
    ``mean_confidence`` the mean keypoint score where present, ``missing`` the share of body
    keypoints missing, ``jitter`` the mean frame-to-frame displacement that smoothing removes, in
    torso lengths, ``bone_variation`` the mean coefficient of variation of limb lengths,
    ``swaps_per_100`` suspected left-right swaps in 100 frames.
    """

    score: float
    coverage: float
    mean_confidence: float
    missing: float
    jitter: float
    bone_variation: float
    swaps_per_100: float
    notes: tuple[str, ...] = ()


def quality_level(score: float) -> QualityLevel:
    """What a pose quality of ``score`` in [0, 1] is called wherever it is shown."""
    if score >= GOOD_QUALITY:
        return "good"
    return "fair" if score >= FAIR_QUALITY else "poor"


@dataclass(frozen=True)
class Measure:
    """One measurement of a repetition: ``value`` in ``unit`` at second ``at_s``.

    ``key`` is its name in files, ``title`` the one for people.
    """

    key: str
    title: str
    value: float
    unit: str
    at_s: float


@dataclass(frozen=True)
class RepForm:
    """The measures of one repetition, with its start and end.

    ``cut_off_by`` says what hides a part of it ("the start of the clip", "a cut"); then nothing is
    measured. ``side`` is "left" or "right" where that arm alone does it.
    """

    start_s: float
    end_s: float
    measures: tuple[Measure, ...]
    cut_off_by: str | None = None
    side: str | None = None

    def in_film(self, slow_motion: float) -> RepForm:
        """The same with the moments of a film that is so many times slower than life."""
        if slow_motion == 1:
            return self
        return replace(
            self,
            start_s=self.start_s * slow_motion,
            end_s=self.end_s * slow_motion,
            measures=tuple(replace(m, at_s=m.at_s * slow_motion) for m in self.measures),
        )

    def value(self, key: str) -> Measure | None:
        """The measure called ``key``; None when it could not be taken."""
        return next((measure for measure in self.measures if measure.key == key), None)


def whole_spans(repetitions: Sequence[RepForm]) -> list[tuple[float, float]]:
    """(start, end) in seconds of the repetitions that are not cut off."""
    return [(rep.start_s, rep.end_s) for rep in repetitions if not rep.cut_off_by]


SIDE, FRONT = 50.0, 40.0
"""Degrees by which the lifter faces away from the camera: a side view from ``SIDE`` on, a front or
back view up to ``FRONT``. In a side view angles of a squat or a deadlift err by less than 10."""


class Verdict(StrEnum):
    """What a cue says: all is well, something to look at, or too close to call."""

    GOOD = "good"
    LOOK = "look"
    CLOSE = "close"


@dataclass(frozen=True)
class Cue:
    """What a rule says about the form: a ``title`` and a ``text`` with the measure behind it.

    ``basis`` names where the rule comes from; ``at_s`` is the second to look at. ``key`` is the
    measure that was judged, in ``judged`` repetitions, of which ``good`` were good and ``look``
    something to look at.
    """

    verdict: Verdict
    title: str
    text: str
    basis: str
    at_s: float
    key: str = ""
    judged: int = 0
    good: int = 0
    look: int = 0


PLATE, HANDS, BODY = "plate", "hands", "body"
"""What the speed of a set may be told by."""


@dataclass(frozen=True)
class SetSpeed:
    """How a set slows down, a value for each repetition of its report.

    ``by`` is :data:`PLATE`, :data:`HANDS` or :data:`BODY`, ``what`` names it in words. ``losses``
    are per cent by which the mean speed on the way up is below the fastest so far, ``lifts_s`` the
    seconds of the clip at which the way up begins; both None where a repetition does not count, for
    the reason in ``left_out``. ``loss`` is that of the last one that counts, uncertain by
    ``unsure``; ``slowed_from`` the number, from 1, of the first whose loss is surely above a fifth.
    """

    by: str
    what: str
    losses: tuple[float | None, ...]
    lifts_s: tuple[float | None, ...]
    left_out: tuple[str | None, ...]
    loss: float
    unsure: float
    slowed_from: int | None

    @property
    def count(self) -> int:
        """How many repetitions count."""
        return sum(loss is not None for loss in self.losses)

    @property
    def last(self) -> int:
        """The number, from 1, of the last repetition that counts."""
        return max(i for i, loss in enumerate(self.losses, 1) if loss is not None)


Rest = tuple[float, float, float]
"""What a figure rests on: the keypoints from a second to another one, in frames that were looked at
and are no farther apart than the third number, seconds; 0 for every frame."""


@dataclass(frozen=True)
class FormReport:
    """How the repetitions were done. ``exercise`` is the prediction's label.

    ``turned`` is how far the lifter faces away from the camera, in degrees: 0 is a front or back
    view, 90 a side view, NaN unknown. ``notes`` say what could not be judged, and why. ``variant``
    is a title such as "Sumo", where the skeleton tells. ``set_speed`` is None where fewer than two
    repetitions can be compared. ``facing`` is 1 where the lifter faces right in the picture, -1
    left, where measures of the bar rest on it. ``rests_on`` says whose keypoints the figures were
    taken from.
    """

    exercise: str
    turned: float
    repetitions: tuple[RepForm, ...] = ()
    cues: tuple[Cue, ...] = ()
    notes: tuple[str, ...] = ()
    variant: str | None = None
    set_speed: SetSpeed | None = None
    facing: int | None = None
    rests_on: tuple[Rest, ...] = ()

    @property
    def seen_from(self) -> str:
        """Where the camera stood, in words."""
        if not np.isfinite(self.turned):
            return "seen from a side that could not be told"
        if self.turned >= SIDE:
            return "seen from the side"
        return "seen from the front or the back" if self.turned <= FRONT else "seen diagonally"


@dataclass(frozen=True)
class Target:
    """A person marked by the user in one frame: by ``box`` (x, y, w, h) or by ``point``, in px."""

    time_s: float = 0.0
    box: tuple[float, float, float, float] | None = None
    point: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if (self.box is None) == (self.point is None):
            raise ValueError("Target: expected either a box or a point")
        values = self.box or self.point or ()
        if not np.isfinite([self.time_s, *values]).all():
            raise ValueError("Target: expected finite numbers")
        if self.box is not None and min(self.box[2:]) <= 0:
            raise ValueError(f"Target.box: expected width and height above 0, got {self.box[2:]}")

    @property
    def box_centre(self) -> tuple[float, float]:
        """The centre of the box, px."""
        if self.box is None:
            raise ValueError("Target: has no box")
        x, y, width, height = self.box
        return x + width / 2, y + height / 2


@dataclass(frozen=True)
class Table:
    """How a CSV is written: what stands between cells, and before a number's decimals."""

    separator: str = ","
    decimal: str = "."

    def __post_init__(self) -> None:
        if self.separator == self.decimal:
            raise OptionsError(
                "A comma cannot both part cells and begin decimals: choose ';' or a tab between "
                "cells."
            )
