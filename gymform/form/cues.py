"""Cues: what the rules of an exercise say about its measures, in words.

A measure counts only when it is past the limit by more than its uncertainty; in between it is
called close, and nothing is concluded from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gymform.bar.figures import LOSS, track_of_hands
from gymform.bar.hands import hands_of
from gymform.exercises import (
    FRONT,
    WHOLE_BODY,
    Exercise,
    Rule,
    find_exercise,
    listed,
    name_of,
)
from gymform.form.body import Body, bodies_of, nearest_body
from gymform.form.metrics import measure, shows, why_missing
from gymform.form.pulls import CATCHES, with_pulls
from gymform.form.pulls import KEYS as PULL_KEYS
from gymform.form.quantities import EITHER_WAY
from gymform.form.set_speed import last_in_words, speed_of_lifter
from gymform.form.variants import variant_of
from gymform.motion.repetitions import Repetition, find_repetitions, signal_repetitions
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
    Rest,
    SetSpeed,
    Verdict,
    quality_level,
    whole_spans,
)

MIN_QUALITY = 0.45
"""Below this pose quality (see ``motion/quality.py``) nothing is concluded from the measures."""

SLOWING = "The set slows down"
"""Title of the remark that lifters tire."""

LEAST_SLOWING = 3
"""Repetitions that a set has at least, for a remark that it slows down."""

ONLY_CLEAR = (
    "the camera does not look from the side, and from elsewhere only what is far above or far "
    "below the limit can be told"
)
"""Why nothing is said of what is near to the limit, as a clause."""

SIDES = ("left", "right")
"""Names of the sides, by the number that a one-sided repetition has."""

LEGS_FROM_SIDE = (
    "Not seen from the side: the lean of the trunk and the angles of hips and knees cannot be "
    "measured, and depth only roughly. Turn the camera for those."
)
FROM_SIDE = (
    "Not seen from the side: the lean of the trunk, and angles of joints that move to the camera, "
    "cannot be measured. Turn the camera for those."
)
"""What another place of the camera would show."""


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
    bodies = bodies_of(pose, tracks, lying=exercise is not None and exercise.lying)
    if not bodies:
        return FormReport(prediction.label, float("nan"), notes=("Nobody was found to measure.",))
    found = repetitions_of(tracks, exercise)
    every = [_measured(bodies, exercise, rep, slow_motion) for rep in found]
    whole = [one for one in every if not one.form.cut_off_by]
    rules = exercise.rules if exercise else ()
    cues: list[Cue] = []
    forms = tuple(one.form for one in every)
    speed = None
    if quality.score >= MIN_QUALITY:
        cues = [cue for rule in rules if (cue := apply(rule, whole))]
        speed = speed_of_lifter(forms, pose, exercise, slow_motion, bodies[0].asked)
    notes = tuple(_notes(prediction.label, quality, every))
    pairs = [(one.body, one.form) for one in whole]
    variant = variant_of(exercise.key, pairs) if exercise else None
    view = _view(bodies, whole)
    report = FormReport(prediction.label, view, forms, tuple(cues), notes, variant)
    report = with_set_speed(_with_pulls(report, bodies, pose, slow_motion), speed)
    return replace(report, rests_on=_asked(bodies, slow_motion))


def _asked(bodies: Sequence[Body], slow_motion: float) -> tuple[Rest, ...]:
    """What figures of ``bodies`` were taken from, in the film's seconds."""
    asked = {rest for body in bodies for rest in body.asked}
    return tuple(
        (a * slow_motion, b * slow_motion, gap * slow_motion) for a, b, gap in sorted(asked)
    )


def _with_pulls(
    form: FormReport, bodies: Sequence[Body], pose: PoseSequence, slow_motion: float
) -> FormReport:
    """``form`` with the phases of a pull by the hands, where they are seen."""
    whole = [(a / slow_motion, b / slow_motion) for a, b in whole_spans(form.repetitions)]
    hands = hands_of(pose, whole) if form.exercise in CATCHES and whole else None
    if hands is None or hands.shoulders:
        return form
    return with_pulls(form, bodies, track_of_hands(hands), slow_motion=slow_motion)


def with_set_speed(form: FormReport, found: SetSpeed | None) -> FormReport:
    """``form`` with how its set slows down, and the remark on that where there is a reason."""
    cues = [cue for cue in form.cues if cue.title != SLOWING]
    if found is not None:
        cues += _slowing(form.repetitions, found)
    order = (Verdict.LOOK, Verdict.CLOSE, Verdict.GOOD)
    cues.sort(key=lambda cue: order.index(cue.verdict))
    return replace(form, cues=tuple(cues), set_speed=found)


def repetitions_of(tracks: CleanTracks, exercise: Exercise | None) -> list[Repetition]:
    """The repetitions of a clip, as the exercise shows them; of any movement where it is None."""
    if exercise is None:
        return find_repetitions(tracks, WHOLE_BODY)
    if exercise.signal is not None:
        return signal_repetitions(tracks, exercise.signal)
    return find_repetitions(tracks, exercise.moving, exercise.resting)


@dataclass(frozen=True)
class Seen:
    """The ``form`` of a repetition, and the lifter's ``body`` in the shot that shows it."""

    form: RepForm
    body: Body


def _view(bodies: Sequence[Body], seen: Sequence[Seen]) -> float:
    """How far the lifter faces away from the camera in most of what was seen, degrees."""
    shown = [one.body for one in seen] or list(bodies)
    shots = [body.time_s[0] for body in shown]
    most = max(shown, key=lambda body: (shots.count(body.time_s[0]), len(body.time_s)))
    return most.turned


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


def _measured(
    bodies: Sequence[Body], exercise: Exercise | None, found: Repetition, slow_motion: float
) -> Seen:
    """A repetition with its measures; without any where it is cut off."""
    body = nearest_body(bodies, (found.start_s + found.end_s) / 2)
    body = replace(body, only=found.side)
    form = RepForm(found.start_s, found.end_s, (), found.cut_off_by)
    if not found.cut_off_by:
        form = measure(body, exercise, found.start_s, found.end_s)
    form = replace(form, side=None if found.side is None else SIDES[found.side])
    return Seen(form.in_film(slow_motion), replace(body, slow_motion=slow_motion))


def apply(rule: Rule, seen: Sequence[Seen]) -> Cue | None:
    """What a rule says of all repetitions: of the worst one, and of how many it holds."""
    taken = [(one.body, found) for one in seen if (found := one.form.value(rule.key))]
    judged = [(body, found) for body, found in taken if _is_clear(rule, found, body)]
    if not judged:
        return None
    body, worst = min(judged, key=lambda one: one[1].value * (1 if rule.more else -1))
    each = [(found.value, _margin(rule, body)) for body, found in judged]
    verdicts = [rule.verdict(*one) for one in each]
    good = sum(rule.is_good(*one) for one in each)
    margin = _margin(rule, body)
    verdict = rule.verdict(worst.value, margin)
    text = rule.means.format(value=shown(worst))
    if len(judged) > 1:
        text += f" {_often(verdict, verdicts.count(verdict), len(judged))}"
    title = {
        Verdict.GOOD: rule.good,
        Verdict.LOOK: rule.look,
        Verdict.CLOSE: f"Too close to call: {rule.look[0].lower()}{rule.look[1:]}?",
    }[verdict]
    if rule.level and rule.is_level(worst.value, margin):
        title = rule.level
    title = rule.beside_level(worst.value, margin) or title
    if rule.is_good(worst.value, margin):
        verdict = Verdict.GOOD
    look = verdicts.count(Verdict.LOOK)
    return Cue(verdict, title, text, rule.basis, worst.at_s, rule.key, len(judged), good, look)


def _margin(rule: Rule, body: Body) -> float:
    """How uncertain the measure is from where the camera is."""
    return rule.margin if body.from_side or rule.oblique is None else rule.oblique


def _is_clear(rule: Rule, found: Measure, body: Body) -> bool:
    """Can a measure be judged from where the camera is? What may be level only from the side."""
    near = rule.verdict(found.value, _margin(rule, body)) is Verdict.CLOSE
    return body.from_side or rule.level is None or not near


def shown(measure: Measure) -> str:
    """A measure in words: 7°, 1.2 s, 0.61 m/s, 12 %, 5° above level, 3 % behind."""
    if measure.unit == "s":
        return f"{measure.value:.{2 if measure.key in PULL_KEYS else 1}f} s"
    if measure.unit == "m/s":
        return f"{measure.value:.2f} m/s"
    if measure.unit in EITHER_WAY:
        unit = EITHER_WAY[measure.unit][0 if measure.value >= 0 else 1]
        return f"{abs(measure.value):.0f}{unit}"
    value = f"{round(measure.value)}"
    return f"{value}{'' if measure.unit == '°' else ' '}{measure.unit}"


def _often(verdict: Verdict, count: int, total: int) -> str:
    if verdict is Verdict.LOOK:
        return f"So in {count} of {total} repetitions; this is where it is most."
    return f"This is the least good of {total} repetitions."


def _slowing(reps: Sequence[RepForm], found: SetSpeed) -> Iterator[Cue]:
    """Whether the last repetition is slower than the fastest, in a set of at least three."""
    if found.count < LEAST_SLOWING or found.loss <= LOSS + found.unsure:
        return
    at_s = found.lifts_s[found.last - 1]
    last = last_in_words(found)
    yield Cue(
        Verdict.LOOK,
        SLOWING,
        f"{last[0].upper()}{last[1:]} rises {found.loss:.0f} % slower than the fastest, by the "
        f"path of {found.what}.",
        "Velocity-based training takes a loss of a fifth or more within a set for tiring "
        "(Pareja-Blanco et al. 2017).",
        reps[found.last - 1].start_s if at_s is None else at_s,
        key="speed",
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


def _unmeasured(reps: Sequence[RepForm]) -> Iterator[str]:
    """A sentence about whole repetitions of which nothing is measured, if there are any."""
    times = [f"{rep.start_s:.1f} to {rep.end_s:.1f} s" for rep in reps if not rep.measures]
    if times:
        which = "repetitions" if len(times) > 1 else "repetition"
        yield (
            f"Nothing is measured of the {which} from {listed(times, 'and')}: too little of the "
            "lifter is seen surely enough there."
        )


def _unjudged(exercise: Exercise, seen: Sequence[Seen]) -> Iterator[str]:
    """For each rule that could be judged from where the camera is but was not, why not."""
    said: dict[str, list[str]] = {}
    for rule in exercise.rules:
        reasons = [why for one in seen if (why := _why_not(rule, exercise, one))]
        if not reasons:
            continue
        everywhere = len(reasons) == len(seen)
        subject = rule.subject if everywhere else (
            f"{rule.subject} (in {len(reasons)} of {len(seen)} repetitions)"
        )  # fmt: skip
        said.setdefault(reasons[0], []).append(subject)
    for reason, subjects in said.items():
        names = listed([subjects[0], *(s[0].lower() + s[1:] for s in subjects[1:])], "and")
        yield f"{names}: not judged, since {reason}."


def _why_not(rule: Rule, exercise: Exercise, seen: Seen) -> str | None:
    """Why a rule says nothing of a repetition, as a clause; None where it does, or never could."""
    found = seen.form.value(rule.key)
    if found:
        return None if _is_clear(rule, found, seen.body) else ONLY_CLEAR
    if not shows(seen.body, exercise, rule.key):
        return None
    reason = why_missing(seen.body, exercise, rule.key, seen.form)
    return reason or "too little of the movement is seen clearly"


def _no_rules(label: str) -> str:
    """Why the movement was measured but not judged."""
    if label in (UNKNOWN, OTHER):
        return (
            "The movement was measured, but not judged: only an exercise that has a name has rules."
        )
    return f"The movement was measured, but not judged: gymform has no rules for {name_of(label)}."


def _notes(label: str, quality: PoseQuality, seen: Sequence[Seen]) -> Iterator[str]:
    """What could not be judged, and what would help."""
    yield from _cut_off([one.form for one in seen])
    seen = [one for one in seen if not one.form.cut_off_by]
    yield from _unmeasured([one.form for one in seen])
    if not seen:
        yield "No repetition could be measured: show one from start to end, feet in the picture."
        return
    exercise = find_exercise(label)
    if exercise is None or not exercise.rules:
        yield _no_rules(label)
        return
    if quality.score < MIN_QUALITY:
        yield "The skeleton is too uncertain to conclude anything from these figures."
    else:
        yield from _unjudged(exercise, seen)
    if not any(one.body.from_side for one in seen):
        yield LEGS_FROM_SIDE if exercise.signal is None else FROM_SIDE
    for spot in exercise.blind_spots:
        if spot.seen_from != FRONT or not any(one.body.from_front for one in seen):
            yield spot.text
