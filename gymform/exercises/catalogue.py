"""All exercises that are known, and how they are found and called."""

from __future__ import annotations

from collections.abc import Sequence

from gymform.exercises.arms import BICEP_CURL, LATERAL_RAISE
from gymform.exercises.definition import Exercise
from gymform.exercises.floor import JUMPING_JACK, SIT_UP
from gymform.exercises.hinges import DEADLIFT, KETTLEBELL_SWING, ROMANIAN_DEADLIFT
from gymform.exercises.legs import LUNGE, SQUAT
from gymform.exercises.olympic import CLEAN_AND_JERK, SNATCH
from gymform.exercises.presses import BENCH_PRESS, OVERHEAD_PRESS, PUSH_UP
from gymform.exercises.pulls import PULL_UP, ROW
from gymform.types import OTHER, UNKNOWN

EXERCISES: tuple[Exercise, ...] = (
    SNATCH,
    CLEAN_AND_JERK,
    DEADLIFT,
    ROMANIAN_DEADLIFT,
    SQUAT,
    LUNGE,
    BENCH_PRESS,
    OVERHEAD_PRESS,
    PUSH_UP,
    PULL_UP,
    ROW,
    BICEP_CURL,
    LATERAL_RAISE,
    SIT_UP,
    JUMPING_JACK,
    KETTLEBELL_SWING,
)
"""All that are known, in the order of the shipped classifier's classes. Margins of rules: see
``benchmarks/form.md``; those of the other exercises are no less than what a camera that does not
stand exactly at the side, or at the front, adds to calculated figures."""

OTHER_SHARE = 0.18
"""How much of the training of the shipped classifier shows none of its exercises."""


def find_exercise(name: str) -> Exercise | None:
    """The exercise that a class or a folder is named after, by key or alias; None when unknown.

    Capitals do not matter, nor whether words are joined by spaces, hyphens or underscores.
    """
    key = "_".join(name.lower().replace("-", " ").replace("_", " ").split())
    return next((one for one in EXERCISES if key == one.key or key in one.aliases), None)


_ANSWERS = {OTHER: "another exercise", UNKNOWN: "unknown exercise"}
"""What people read for the two answers that name no exercise; JSON and data have the keys."""


def title_of(name: str) -> str:
    """What people call the exercise that a class is named after: ``clean_and_jerk`` -> "Clean and
    jerk"; "Another exercise" and "Unknown exercise" for the answers that name none."""
    known = next((one for one in EXERCISES if one.key == name), None)
    words = known.title if known else name_of(name)
    return words[:1].upper() + words[1:]


def name_of(name: str) -> str:
    """The same inside a sentence: "clean and jerk", "another exercise"."""
    known = next((one for one in EXERCISES if one.key == name), None)
    if known:
        return known.name
    return _ANSWERS.get(name) or name.replace("_", " ").strip()


def trained_exercises() -> tuple[Exercise, ...]:
    """Those that the networks of the shipped classifier are taught, in the order of its classes.

    Those that it tells too seldom are `other` in its answers: see ``train-exercise``.
    """
    return tuple(one for one in EXERCISES if one.training_share is not None)


def trained_classes() -> tuple[str, ...]:
    """What the networks of the shipped classifier tell apart, in order; ``other`` last."""
    return (*(one.key for one in trained_exercises()), OTHER)


def class_of(name: str) -> str:
    """What the shipped classifier is taught of data that is called so, by key or alias: the
    exercise, or ``other``."""
    known = find_exercise(name)
    return known.key if known and known.training_share is not None else OTHER


def training_shares() -> dict[str, float]:
    """Share of each class in what the shipped classifier is trained on."""
    shares = {one.key: one.training_share or 0.0 for one in trained_exercises()}
    return {**shares, OTHER: OTHER_SHARE}


def listed(names: Sequence[str], last: str = "or") -> str:
    """Names as in a sentence: "a snatch, a deadlift or a squat" of names with their articles."""
    return f" {last} ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
