"""What the program does, in one walk: clip -> skeleton -> trajectories -> exercise -> form.

Read :func:`analyze` first. Pages call it through `service/analysis_queue.py`, the terminal through
`cli.py`; `analysis_io.py` writes what comes out to files and reads it back.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gymform import limits
from gymform.bar.carrier import Bar
from gymform.bar.frames import at_frames, often_enough
from gymform.bar.mark import check_numbers, check_place
from gymform.bar.path import PLATE_MM, follow_bar
from gymform.bar.scale import checked_by_height
from gymform.errors import OptionsError
from gymform.exercise.classifier import Classifier, load_classifier
from gymform.exercise.playback import speed_notes
from gymform.exercises import find_exercise
from gymform.form.bar import with_bar
from gymform.form.cues import assess_form
from gymform.motion.clean import clean
from gymform.motion.quality import assess
from gymform.motion.slow_motion import at_speed, in_film
from gymform.pose.adaptive import frames_of
from gymform.pose.networks import load_estimators
from gymform.pose.sequence import extract_poses
from gymform.timing import Progress, Stopwatch, ignore_progress
from gymform.types import (
    CleanTracks,
    Clip,
    FormReport,
    PoseQuality,
    PoseSequence,
    Prediction,
    Target,
)
from gymform.video.memory import memory_limited, memory_of_analysis
from gymform.video.sandbox import probe_apart

__all__ = ["Analysis", "Options", "Target", "analyze"]


PLATE_MM_SPAN = (limits.MIN_PLATE_MM, limits.MAX_PLATE_MM)
HEIGHT_CM_SPAN = (limits.MIN_HEIGHT_CM, limits.MAX_HEIGHT_CM)
SLOW_MOTION_SPAN = (limits.MIN_SLOW_MOTION, limits.MAX_SLOW_MOTION)
"""Between which numbers an option lies."""


@dataclass(frozen=True)
class Options:
    """Options of an analysis: pose network, flip test, person to follow, highest frame rate.

    ``exact`` computes in float32 and leaves out all that saves time: see `pose/networks.py`. With
    it and with ``flip_test`` every frame is looked at, see `pose/adaptive.py`. ``slow_motion`` says
    how many times slower than life the clip plays; None: as the file says.
    ``plate`` is (time_s, x, y, r): where the plate of the bar is in one frame, and half its height,
    px; None: it is looked for. ``plate_mm`` is its diameter; None: the usual one. ``height_cm`` is
    the lifter's, to check the plate's scale by.
    """

    pose_model: str | None = None
    flip_test: bool = False
    exact: bool = False
    target: Target | None = None
    max_fps: float | None = None
    slow_motion: float | None = None
    plate: tuple[float, float, float, float] | None = None
    plate_mm: float | None = None
    height_cm: float | None = None

    def __post_init__(self) -> None:
        if self.plate is not None:
            check_numbers(self.plate)
        for said, value, span, unit in (
            ("Diameter of the plate", self.plate_mm, PLATE_MM_SPAN, "mm"),
            ("Height of the lifter", self.height_cm, HEIGHT_CM_SPAN, "cm"),
            ("Slow motion", self.slow_motion, SLOW_MOTION_SPAN, "times slower than life"),
        ):
            is_number = isinstance(value, int | float)
            if value is not None and not (is_number and span[0] <= value <= span[1]):
                got = f"{value:g}" if is_number else f"{str(value)[:40]!r}"
                raise OptionsError(
                    f"{said}: expected {span[0]:g} to {span[1]:g} {unit}, got {got}."
                )


TOTAL = "total"
"""Where ``Analysis.seconds`` has the time from the start to this answer."""


@dataclass(frozen=True, eq=False)
class Analysis:
    """All that was found out about a clip. ``seconds`` is the time spent in each stage, some of
    which lie inside others, and under `TOTAL` the whole time by the clock.

    Moments are those of the clip; durations and speeds are those of life, where the clip is
    ``slow_motion`` times slower. ``bar`` is None where none was looked for.
    """

    clip: Clip
    pose: PoseSequence
    tracks: CleanTracks
    quality: PoseQuality
    prediction: Prediction
    form: FormReport
    seconds: Mapping[str, float]
    slow_motion: float = 1.0
    bar: Bar | None = None

    @property
    def looked_at(self) -> str:
        """In how many frames the pose network looked for joints, in words."""
        count, between = len(self.pose), int(self.pose.interpolated.sum())
        looked = int(self.pose.answered.sum())
        if looked == count:
            return f"looked at all {count}"
        words = f"looked at {looked} of {count}"
        return f"{words}, {between} are interpolated" if between else words


def analyze(
    path: Path,
    options: Options | None = None,
    *,
    name: str | None = None,
    progress: Progress | None = None,
    on_first: Callable[[Analysis], None] | None = None,
) -> Analysis:
    """The analysis of the clip at ``path``, called ``name`` in texts.

    ``progress`` is called in the stages probe, search, pose, classify and bar, and may raise
    `Cancelled` to stop. ``on_first`` hears the first answer, complete but made with a small pose
    network only and without the bar; it is not called where the chosen network is small itself or
    the options ask for an exact answer. Raises the kinds of GymformError.
    """
    options, report = options or Options(), progress or ignore_progress
    stopwatch, began_s = Stopwatch(), time.perf_counter()
    report("probe", 0, 1)
    clip = probe_apart(path, name)
    _check_plate(options, clip)
    said, slower = options.slow_motion, options.slow_motion or clip.slow_motion
    with stopwatch("load"):
        networks = load_estimators(
            options.pose_model,
            flip_test=options.flip_test,
            exact=options.exact,
            stopwatch=stopwatch,
        )
        classifier = load_classifier()
    report("probe", 1, 1)
    judge_of = _Judge(classifier, slower, stopwatch)

    def answer(pose: PoseSequence, notes: tuple[str, ...] = ()) -> Analysis:
        with stopwatch("classify"):
            tracks, quality, prediction, form = judge_of(pose)
            notes += speed_notes(pose, tracks, prediction, classifier, said=said, used=slower)
        shown, seconds = _as_shown(clip, pose, notes), dict(stopwatch.seconds)
        seconds[TOTAL] = time.perf_counter() - began_s
        return Analysis(shown, pose, tracks, quality, prediction, form, seconds, slower)

    with stopwatch("poses"), memory_limited(memory_of_analysis(clip.width, clip.height)):
        pose, notes = extract_poses(
            path,
            clip,
            networks.main,
            scout=networks.scout,
            target=options.target,
            max_fps=options.max_fps,
            progress=report,
            on_first=None if on_first is None else lambda first: on_first(answer(first)),
            rests_on=None if options.exact or options.flip_test else judge_of.rests_on,
        )
    report("classify", 0, 1)
    result = answer(pose, notes)
    report("classify", 1, 1)
    report("bar", 0, 1)
    with stopwatch("bar"), memory_limited(memory_of_analysis(clip.width, clip.height)):
        result = with_its_bar(path, result, options)
    report("bar", 1, 1)
    return replace(result, seconds=stopwatch.seconds | {TOTAL: time.perf_counter() - began_s})


Judged = tuple[CleanTracks, PoseQuality, Prediction, FormReport]
"""What keypoints say: see :func:`judge`."""


@dataclass(eq=False)
class _Judge:
    """Says what keypoints of one clip say, as :func:`judge`, and which frames that rests on.

    The exercise is told once it was asked for those: a few more frames do not tell another one.
    ``last`` are the keypoints that were judged last, which are not judged again, and what they say.
    """

    classifier: Classifier
    slow_motion: float
    stopwatch: Stopwatch
    prediction: Prediction | None = None
    last: tuple[PoseSequence, Judged] | None = None

    def __call__(self, pose: PoseSequence) -> Judged:
        if self.last is None or self.last[0] is not pose:
            self.last = pose, self._judged(pose)
        return self.last[1]

    def rests_on(self, pose: PoseSequence) -> np.ndarray:
        """bool (T,): the frames to look at, for figures to rest on no interpolated ones."""
        with self.stopwatch("classify"):
            _, _, self.prediction, form = self(pose)
        return frames_of(form.rests_on, pose.time_s, ~pose.interpolated)

    def _judged(self, pose: PoseSequence) -> Judged:
        if self.prediction is None:
            return judge(pose, self.classifier, self.slow_motion)
        tracks, quality, form = measure(pose, self.prediction, self.slow_motion)
        return tracks, quality, self.prediction, form


def with_its_bar(path: Path, result: Analysis, options: Options) -> Analysis:
    """``result`` with the bar's path in the clip at ``path``, and what it says of repetitions.

    Without a mark of the plate only where a barbell may be lifted in the exercise. A path that is
    known already is taken as it is where nothing was said of the bar, then and now. Raises the
    kinds of VideoError.
    """
    exercise, bar = find_exercise(result.prediction.label), result.bar
    if options.plate is None and not (exercise and exercise.barbell):
        return replace(result, bar=None)
    if bar is None or not _is_plain(bar, options):
        bar = _bar(path, result, options)
    form = with_bar(result.form, bar, result.pose, result.tracks, result.slow_motion)
    return replace(result, bar=bar, form=form)


def _check_plate(options: Options, clip: Clip) -> None:
    """Raise OptionsError for a plate outside a clip, which may be turned later."""
    if options.plate:
        check_place(options.plate, (max(clip.width, clip.height),) * 2, clip.duration_s)


def _is_plain(bar: Bar, options: Options) -> bool:
    """Is this the bar that is found where neither plate nor height are said?

    One without metres may have lost them to a height.
    """
    said = (options.plate, options.plate_mm, options.height_cm)
    usual = bar.plate_mm == PLATE_MM and not bar.marked
    return usual and bar.mm_per_px is not None and all(one is None for one in said)


def _bar(path: Path, result: Analysis, options: Options) -> Bar:
    """The bar's path in the clip at ``path``: wherever the hands go up or down, as measured in
    `benchmarks/bar.md`."""
    pose = result.pose
    if options.plate:
        check_place(options.plate, pose.image_size, float(pose.time_s[-1]))
    bar = follow_bar(path, pose, mark=options.plate, plate_mm=options.plate_mm)
    if options.height_cm is not None:
        bar = checked_by_height(bar, pose, options.height_cm)
    return often_enough(at_frames(bar, pose.time_s))


def judge(pose: PoseSequence, classifier: Classifier, slow_motion: float = 1.0) -> Judged:
    """What keypoints say: trajectories, their quality, the exercise, the form.

    Where the clip is ``slow_motion`` times slower than life, movement is judged at life's speed;
    moments in what comes out are those of the clip.
    """
    real, tracks, quality = _at_life_s_speed(pose, slow_motion)
    prediction = classifier.predict(real, tracks, quality)
    form = assess_form(real, tracks, quality, prediction, slow_motion)
    return in_film(tracks, slow_motion), quality, prediction.in_film(slow_motion), form


def measure(
    pose: PoseSequence, prediction: Prediction, slow_motion: float = 1.0
) -> tuple[CleanTracks, PoseQuality, FormReport]:
    """The same for an exercise that is known already."""
    real, tracks, quality = _at_life_s_speed(pose, slow_motion)
    form = assess_form(real, tracks, quality, prediction, slow_motion)
    return in_film(tracks, slow_motion), quality, form


def _at_life_s_speed(
    pose: PoseSequence, slow_motion: float
) -> tuple[PoseSequence, CleanTracks, PoseQuality]:
    """Keypoints at life's speed, their trajectories and their quality."""
    real = at_speed(pose, slow_motion)
    tracks = clean(real)
    return real, tracks, assess(real, tracks)


def _as_shown(clip: Clip, pose: PoseSequence, notes: tuple[str, ...]) -> Clip:
    """The clip as it was analysed: turned upright where it lay on its side, with the ``notes``."""
    width, height = pose.image_size
    return replace(
        clip,
        width=width,
        height=height,
        rotation=(clip.rotation + pose.provenance.turn) % 360,
        problems=tuple(dict.fromkeys((*clip.problems, *notes))),
    )
