"""Cues: what the rules of an exercise say about its measures, in words.

A measure counts only when it is past the limit by more than its uncertainty; in between it is
called close, and nothing is concluded from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median

from gymform.exercises import FRONT, WHOLE_BODY, Exercise, Rule, find_exercise, listed, name_of
from gymform.form.body import Body, body_of
from gymform.form.metrics import BEFORE, BELOW_LEVEL, measure, shows, why_missing
from gymform.motion.repetitions import Repetition, find_repetitions
from gymform.types import (
    OTHER,
    UNKNOWN,
    CleanTracks,
    Cue,
    FormReport,
    Measure,
    PoseQuality,
    PoseSequence,
    Prediction,
    QualityLevel,
    RepForm,
    Verdict,
    quality_level,
)

MIN_QUALITY = 0.45
"""Below this pose quality (see ``motion/quality.py``) nothing is concluded from the measures."""

SLOWER = 0.2
"""From this loss of speed within a set on, lifters are said to tire."""

WHOLE = 0.7
"""A repetition that rises less than this share of the highest one is partial: its speed does not
compare."""

OUTLIER = 1.7
"""A repetition this many times as fast as the median is a cut in the film."""


def assess_form(
    pose: PoseSequence,
    tracks: CleanTracks,
    quality: PoseQuality,
    prediction: Prediction,
    slow_motion: float = 1.0,
) -> FormReport:
    """How the repetitions of a clip were done, as far as the camera shows it.

    ``pose`` and ``tracks`` are at life's speed; moments in the report are those of a film that is
    ``slow_motion`` times slower.
    """
    exercise = find_exercise(prediction.label)
    body = body_of(pose, tracks)
    if body is None:
        return FormReport(prediction.label, float("nan"), notes=("Nobody was found to measure.",))
    found = find_repetitions(
        tracks,
        exercise.moving if exercise else WHOLE_BODY,
        exercise.resting if exercise else None,
    )
    every = [_measured(body, exercise, rep) for rep in found]
    every = [rep.in_film(slow_motion) for rep in every if rep.measures or rep.cut_off_by]
    reps = [rep for rep in every if not rep.cut_off_by]
    rules = exercise.rules if exercise else ()
    cues: list[Cue] = []
    if quality.score >= MIN_QUALITY:
        cues = [cue for rule in rules if (cue := apply(rule, body, reps))]
        cues += _slowing(reps)
    order = (Verdict.LOOK, Verdict.CLOSE, Verdict.GOOD)
    cues.sort(key=lambda cue: order.index(cue.verdict))
    body = replace(body, slow_motion=slow_motion)
    notes = tuple(_notes(body, prediction.label, quality, every, cues))
    return FormReport(prediction.label, body.turned, tuple(every), tuple(cues), notes)


def level_of(quality: PoseQuality, form: FormReport) -> QualityLevel:
    """What the skeleton is called beside its form: never good where nothing could be judged by it.

    So that a clip is not said to be seen well above, and too badly to judge below.
    """
    level = quality_level(quality.score)
    exercise = find_exercise(form.exercise)
    cut_off = bool(form.repetitions) and all(rep.cut_off_by for rep in form.repetitions)
    if level == "good" and exercise and exercise.rules and not form.cues and not cut_off:
        return "fair"
    return level


def _measured(body: Body, exercise: Exercise | None, found: Repetition) -> RepForm:
    """The measures of a repetition; none of one that is cut off."""
    if found.cut_off_by:
        return RepForm(found.start_s, found.end_s, (), found.cut_off_by)
    return measure(body, exercise, found.start_s, found.end_s)


def apply(rule: Rule, body: Body, reps: Sequence[RepForm]) -> Cue | None:
    """What a rule says of all repetitions: of the worst one, and of how many it holds."""
    margin = rule.margin if body.from_side or rule.oblique is None else rule.oblique
    taken = [found for rep in reps if (found := rep.value(rule.key))]
    if not taken:
        return None
    verdicts = [rule.verdict(found.value, margin) for found in taken]
    worst = min(taken, key=lambda found: found.value * (1 if rule.more else -1))
    verdict = rule.verdict(worst.value, margin)
    if verdict is Verdict.CLOSE and verdicts.count(Verdict.GOOD) > len(verdicts) / 2:
        verdict = Verdict.GOOD
    text = rule.means.format(value=shown(worst))
    if len(taken) > 1:
        text += f" {_often(verdict, verdicts.count(verdict), len(taken))}"
    title = {
        Verdict.GOOD: rule.good,
        Verdict.LOOK: rule.look,
        Verdict.CLOSE: f"Too close to call: {rule.look[0].lower()}{rule.look[1:]}?",
    }[verdict]
    return Cue(verdict, title, text, rule.basis, worst.at_s)


def shown(measure: Measure) -> str:
    """A measure in words: 7°, 1.2 s, 12 %, 5° above level, 3 % behind."""
    if measure.unit == "s":
        return f"{measure.value:.1f} s"
    if measure.unit == BELOW_LEVEL:
        side = "below" if measure.value >= 0 else "above"
        return f"{abs(measure.value):.0f}° {side} level"
    if measure.unit == BEFORE:
        return f"{abs(measure.value):.0f} % {'before' if measure.value >= 0 else 'behind'}"
    value = f"{round(measure.value)}"
    return f"{value}{'' if measure.unit == '°' else ' '}{measure.unit}"


def _often(verdict: Verdict, count: int, total: int) -> str:
    if verdict is Verdict.LOOK:
        return f"So in {count} of {total} repetitions; this is where it is most."
    return f"This is the least good of {total} repetitions."


def _slowing(reps: Sequence[RepForm]) -> Iterator[Cue]:
    """Whether the last repetition is slower than the fastest, in a set of at least three."""
    rises = [rise.value if (rise := rep.value("rise")) else 0.0 for rep in reps]
    whole = [rep for rep, rise in zip(reps, rises, strict=True) if rise >= WHOLE * max(rises)]
    speeds = [found for rep in whole if (found := rep.value("speed")) and found.value > 0]
    usual = median([found.value for found in speeds]) if speeds else 0.0
    speeds = [found for found in speeds if found.value < OUTLIER * usual]
    if len(speeds) < 3:
        return
    fastest = max(found.value for found in speeds)
    lost = 1 - speeds[-1].value / fastest
    if lost > SLOWER:
        yield Cue(
            Verdict.LOOK,
            "The set slows down",
            f"The last repetition rises {lost:.0%} slower than the fastest.".replace("%", " %"),
            "Velocity-based training takes a loss of a fifth or more within a set for tiring "
            "(Pareja-Blanco et al. 2017).",
            speeds[-1].at_s,
        )


def _cut_off(reps: Sequence[RepForm]) -> Iterator[str]:
    """A sentence about the repetitions that are cut off, if there are any."""
    hidden = [rep for rep in reps if rep.cut_off_by]
    for what in dict.fromkeys(rep.cut_off_by for rep in hidden):
        times = [f"{rep.start_s:.1f} to {rep.end_s:.1f} s" for rep in hidden
                 if rep.cut_off_by == what]  # fmt: skip
        one = len(times) == 1
        yield (
            f"The repetition{'' if one else 's'} from {listed(times, 'and')} "
            f"{'is' if one else 'are'} cut off by {what}: not judged."
        )


def _unjudged(body: Body, exercise: Exercise, reps: Sequence[RepForm]) -> Iterator[str]:
    """For each rule that could be judged from this side but was not, why not."""
    said: dict[str, list[str]] = {}
    for rule in exercise.rules:
        missing = [rep for rep in reps if rep.value(rule.key) is None]
        if not missing or not shows(body, exercise, rule.key):
            continue
        reason = why_missing(body, exercise, rule.key, missing[0])
        everywhere = len(missing) == len(reps)
        subject = rule.subject if everywhere else (
            f"{rule.subject} (in {len(missing)} of {len(reps)} repetitions)"
        )  # fmt: skip
        said.setdefault(reason or "too little of the movement is seen clearly", []).append(subject)
    for reason, subjects in said.items():
        names = listed([subjects[0], *(s[0].lower() + s[1:] for s in subjects[1:])], "and")
        yield f"{names}: not judged, since {reason}."


def _notes(
    body: Body,
    label: str,
    quality: PoseQuality,
    reps: Sequence[RepForm],
    cues: Sequence[Cue],
) -> Iterator[str]:
    """What could not be judged, and what would help."""
    yield from _cut_off(reps)
    reps = [rep for rep in reps if not rep.cut_off_by]
    if not reps:
        yield "No repetition could be measured: show one from start to end, feet in the picture."
        return
    exercise = find_exercise(label)
    if exercise is None or not exercise.rules:
        name = "a movement that is not known" if label in (UNKNOWN, OTHER) else name_of(label)
        yield f"There are figures, but no rules to judge {name} by."
        return
    if quality.score < MIN_QUALITY:
        yield "The skeleton is too uncertain to conclude anything from these figures."
    else:
        yield from _unjudged(body, exercise, reps)
    if not body.from_side:
        yield (
            "Not seen from the side: the lean of the trunk and the angles of hips and knees cannot "
            "be measured, and depth only roughly. Turn the camera for those."
        )
    for spot in exercise.blind_spots:
        if spot.seen_from != FRONT or not body.from_front:
            yield spot.text
