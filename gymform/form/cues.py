"""What stands out in the figures, in words: each cue with its number, its limit and its basis.

A figure counts only when it is past its limit by more than keypoints are uncertain; in between it
is called close, and nothing is concluded from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from gymform.form.body import Body, body_of
from gymform.form.metrics import BEFORE, BELOW_LEVEL, measure
from gymform.motion.repetitions import find_repetitions
from gymform.types import (
    UNKNOWN,
    CleanTracks,
    Cue,
    FormReport,
    Measure,
    PoseQuality,
    PoseSequence,
    Prediction,
    RepForm,
    Verdict,
)

MIN_QUALITY = 0.45
"""Below this pose quality (see ``motion/quality.py``) nothing is concluded from the figures."""

SLOWER = 0.2
"""A loss of speed within a set from which on lifters are said to tire."""

WHOLE = 0.7
"""A repetition that rises by less of the highest one is no whole one: its speed is another's."""

OUTLIER = 1.7
"""A repetition that is so many times as fast as usual is a cut in the film."""


@dataclass(frozen=True)
class Rule:
    """A limit of one measure.

    ``limit`` is where good ends; ``margin`` how uncertain the figure is from the side, ``oblique``
    from elsewhere (None: not taken there). ``more`` says whether more is better. ``good`` and
    ``look`` are titles, ``means`` says what the figure is, with ``{value}`` for it.
    """

    key: str
    limit: float
    margin: float
    more: bool
    good: str
    look: str
    means: str
    basis: str
    oblique: float | None = None

    def verdict(self, value: float, margin: float) -> Verdict:
        """Good, something to look at, or too close to the limit to say."""
        beyond = (value - self.limit) * (1 if self.more else -1)
        if abs(beyond) < margin:
            return Verdict.CLOSE
        return Verdict.GOOD if beyond > 0 else Verdict.LOOK


RULES: dict[str, tuple[Rule, ...]] = {
    "squat": (
        Rule(
            "thigh_below_level", -8.0, 9.0, True,
            "Deep: the hips go below the knees", "Above parallel",
            "At the bottom the thighs point {value}.",
            "Powerlifting rules (IPF) count a squat when the hips are lower than the tops of the "
            "knees. Many train higher on purpose.",
            oblique=15.0,
        ),
        Rule(
            "tip", 10.0, 4.0, False,
            "Hips and shoulders rise together", "The hips rise before the shoulders",
            "Early on the way up the trunk leans {value} more than at the bottom.",
            "Coaches call it a good-morning squat: the back takes over from the legs.",
        ),
        Rule(
            "knees_apart", 75.0, 10.0, True,
            "The knees stay over the feet", "The knees come inwards",
            "Early on the way up the knees are {value} as far apart as the ankles.",
            "Knee to ankle separation, as in jump tests (Barber-Westin et al. 2005: below 60 % is "
            "distinctly abnormal there).",
            oblique=10.0,
        ),
    ),
    "deadlift": (
        Rule(
            "tip", 8.0, 4.0, False,
            "Hips and shoulders rise together", "The hips rise before the bar",
            "Early on the way up the trunk leans {value} more than at the start.",
            "Coaches call it a stiff-legged pull: the legs are straight before they have helped.",
        ),
        Rule(
            "bar_ahead", 10.0, 4.0, False,
            "The bar stays over the feet", "The bar is far before the feet",
            "Where they are farthest, the hands are {value} the middle of the foot, measured in "
            "the lifter's height.",
            "A bar over the middle of the foot has the shortest lever to the hips.",
        ),
        Rule(
            "top_hip", 158.0, 9.0, True,
            "The hips are locked out", "The hips stay bent at the top",
            "At the top the hip angle is {value}.",
            "Powerlifting rules (IPF): at the end the lifter stands erect with locked knees.",
        ),
        Rule(
            "top_knee", 158.0, 9.0, True,
            "The knees are locked out", "The knees stay bent at the top",
            "At the top the knee angle is {value}.",
            "Powerlifting rules (IPF): at the end the lifter stands erect with locked knees.",
        ),
    ),
    "snatch": (
        Rule(
            "catch_elbow", 150.0, 10.0, True,
            "Caught on straight arms", "The arms are bent at the catch",
            "As the lifter is lowest under the bar, the elbow angle is {value}.",
            "Weightlifting rules (IWF): the bar goes overhead in one motion onto straight arms.",
            oblique=15.0,
        ),
        Rule(
            "press_out", 15.0, 8.0, False,
            "No press-out", "The arms straighten after the catch",
            "After the catch the elbows open by {value}.",
            "Weightlifting rules (IWF): to finish by pressing out is a fault.",
            oblique=12.0,
        ),
        Rule(
            "catch_ahead", 8.0, 5.0, False,
            "Caught over the feet", "Caught before the feet",
            "At the catch the hands are {value} the middle of the foot, measured in the lifter's "
            "height.",
            "A bar before the feet must be chased or is lost.",
        ),
    ),
}  # fmt: skip
"""By exercise. Margins: see ``benchmarks/form.md``."""


def assess_form(
    pose: PoseSequence, tracks: CleanTracks, quality: PoseQuality, prediction: Prediction
) -> FormReport:
    """How the repetitions of a clip were done, as far as it can be seen."""
    exercise = prediction.label
    body = body_of(pose, tracks)
    if body is None:
        return FormReport(exercise, float("nan"), notes=("Nobody was found to measure.",))
    reps = [measure(body, exercise, *span) for span in find_repetitions(tracks)]
    reps = [rep for rep in reps if rep.measures]
    cues: list[Cue] = []
    if quality.score >= MIN_QUALITY:
        cues = [cue for rule in RULES.get(exercise, ()) if (cue := apply(rule, body, reps))]
        cues += _slowing(reps)
    order = (Verdict.LOOK, Verdict.CLOSE, Verdict.GOOD)
    cues.sort(key=lambda cue: order.index(cue.verdict))
    notes = tuple(_notes(body, exercise, quality, reps, cues))
    return FormReport(exercise, body.turned, tuple(reps), tuple(cues), notes)


def apply(rule: Rule, body: Body, reps: Sequence[RepForm]) -> Cue | None:
    """What a rule says of all repetitions: of the worst one, and in how many it is so."""
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
    """A measure as people write it: 7°, 1.2 s, 12 %, 5° above level, 3 % behind."""
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
    """The last repetition against the fastest, where there are enough to tell."""
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


def _notes(
    body: Body,
    exercise: str,
    quality: PoseQuality,
    reps: Sequence[RepForm],
    cues: Sequence[Cue],
) -> Iterator[str]:
    """What could not be judged, and what would help."""
    if not reps:
        yield "No repetition could be measured: show one from start to end, feet in the picture."
        return
    if exercise not in RULES:
        name = "what is not known" if exercise == UNKNOWN else exercise.replace("_", " ")
        yield f"There are figures, but no rules to judge {name} by."
        return
    if quality.score < MIN_QUALITY:
        yield "The skeleton is too uncertain to conclude anything from these figures."
    elif not cues:
        yield "Too little of the lifter is seen surely enough to conclude anything."
    if not body.from_side:
        yield (
            "Not seen from the side: the lean of the trunk and the angles of hips and knees cannot "
            "be measured, and depth only roughly. Turn the camera for those."
        )
    if exercise == "squat" and not body.from_front:
        yield "Whether the knees come inwards shows from the front only."
    if exercise == "deadlift":
        yield "Whether the back is rounded cannot be told from keypoints of shoulders and hips."
