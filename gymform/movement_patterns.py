"""Movement patterns: the families of exercises, for an answer where the exercise is unsure.

A classifier that cannot tell a deadlift from a Romanian deadlift can still say that it saw a hinge.
The patterns are those by which coaches sort exercises. An exercise belongs to one at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gymform.exercises import find_exercise, listed, name_of, title_of
from gymform.types import UNKNOWN, Prediction


@dataclass(frozen=True)
class Pattern:
    """A family of exercises: ``exercises`` are their keys, ``title`` is its name with article."""

    key: str
    title: str
    exercises: tuple[str, ...]


PATTERNS: tuple[Pattern, ...] = (
    Pattern("olympic_lift", "an Olympic lift", ("snatch", "clean_and_jerk")),
    Pattern("hinge", "a hinge", ("deadlift", "romanian_deadlift", "kettlebell_swing")),
    Pattern("knee_bend", "a knee bend", ("squat", "lunge")),
    Pattern("press", "a press", ("bench_press", "overhead_press", "push_up")),
    Pattern("pull", "a pull", ("pull_up", "row")),
    Pattern("arm_exercise", "an arm exercise", ("bicep_curl", "lateral_raise")),
)
"""All patterns. A sit-up and a jumping jack have no relatives here."""


@dataclass(frozen=True)
class PartialAnswer:
    """What is sure of an unsure prediction: the ``pattern``, and the ``exercises`` (class names)
    that remain, the likeliest first."""

    pattern: Pattern
    exercises: tuple[str, ...]

    @property
    def title(self) -> str:
        """Such as "A hinge: deadlift or Romanian deadlift"."""
        title = self.pattern.title
        names = listed([name_of(name) for name in self.exercises])
        return f"{title[0].upper()}{title[1:]}: {names}"


def pattern_of(names: Sequence[str]) -> Pattern | None:
    """The pattern that all these classes belong to, by key or alias; None when there is none."""
    known = [find_exercise(name) for name in names]
    keys = {one.key if one else None for one in known}
    if not keys:
        return None
    return next((one for one in PATTERNS if keys <= set(one.exercises)), None)


def partial_answer(prediction: Prediction) -> PartialAnswer | None:
    """The partial answer of a prediction without a label; None where there is nothing to say.

    Its candidates hold the right class as often as the model's card says. So when all of them are
    of one pattern, so is the movement.
    """
    if prediction.label != UNKNOWN or len(prediction.candidates) < 2:
        return None
    pattern = pattern_of(prediction.candidates)
    return PartialAnswer(pattern, prediction.candidates) if pattern else None


def shown_title(prediction: Prediction) -> str:
    """What a prediction is called wherever it is shown: the exercise, or the partial answer."""
    partial = partial_answer(prediction)
    return partial.title if partial else title_of(prediction.label)
