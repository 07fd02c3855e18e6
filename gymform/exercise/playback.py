"""Does the film play slower than life? Said by the file, by the user, or asked about."""

from __future__ import annotations

from collections.abc import Iterator

from gymform.exercise.classifier import Classifier
from gymform.exercises import name_of
from gymform.motion.clean import clean
from gymform.motion.quality import assess
from gymform.motion.repetitions import whole_repetitions
from gymform.motion.slow_motion import at_speed
from gymform.types import OTHER, UNKNOWN, CleanTracks, PoseSequence, Prediction, percent

TRIED = (2.0, 4.0, 8.0)
"""Times slower than life that phones and editors make films."""

SURE = 0.9
"""From this probability on an exercise at another speed is worth a question."""

LONGEST_S = 12.0
"""A repetition that takes longer than this is more likely filmed slowly, seconds."""

SHORTEST_S = 0.8
"""At another speed a repetition must still take this long: nobody lifts faster."""


def speed_notes(
    pose: PoseSequence,
    tracks: CleanTracks,
    prediction: Prediction,
    classifier: Classifier,
    *,
    said: float | None,
    used: float,
) -> tuple[str, ...]:
    """Sentences about the speed: what was assumed, or what may be so.

    ``tracks`` and ``prediction`` are those of ``pose``; ``said`` is what the user said, ``used``
    the factor by which the film was taken to be slower.
    """
    if said is not None:
        return (f"Taken as {_times(said)}, as you said: times and speeds are those of life.",) * (
            said != 1
        )
    if used != 1:
        return (
            f"The file says that it plays {used:.3g} times slower than it was filmed: times and "
            "speeds are those of life.",
        )
    return tuple(_question(pose, tracks, prediction, classifier))


def _times(factor: float) -> str:
    return (
        f"{factor:.3g} times slower than life" if factor > 1 else f"{1 / factor:.3g} times faster"
    )


def _question(
    pose: PoseSequence, tracks: CleanTracks, prediction: Prediction, classifier: Classifier
) -> Iterator[str]:
    """Whether it may be slow motion: no exercise as filmed or very long repetitions, and a sure
    one with repetitions of a usual length at another speed."""
    lengths = _lengths(tracks)
    named = prediction.label not in (OTHER, UNKNOWN)
    if not lengths or (named and max(lengths) <= LONGEST_S):
        return
    for factor in TRIED:
        real = at_speed(pose, factor)
        faster = clean(real)
        times = _lengths(faster)
        found = classifier.predict(real, faster, assess(real, faster))
        fits = times and min(times) >= SHORTEST_S and max(times) <= LONGEST_S
        if fits and found.label not in (OTHER, UNKNOWN) and found.confidence >= SURE:
            yield (
                f"This may be slow motion: {factor:.0f} times as fast it would be "
                f"{name_of(found.label)} ({percent(found.confidence)}). If it is, say so under "
                f"Options, or with --slow-motion {factor:.0f}: times and speeds follow."
            )
            return


def _lengths(tracks: CleanTracks) -> list[float]:
    """Seconds that the repetitions of a clip take."""
    return [end - start for start, end in whole_repetitions(tracks)]
