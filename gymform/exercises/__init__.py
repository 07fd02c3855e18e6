"""What an exercise is, once: its name, how its repetitions are measured, and what good form is.

To add one that users train themselves, add an :class:`Exercise` to :data:`EXERCISES` in
``catalogue.py``: pages, terminal and cards know it from then on by its key, and by its aliases. To
add one to the shipped classifier, give it a ``training_share`` as well, and train (see
CONTRIBUTING.md). The exercises stand in one file for each family; ``definition.py`` says what they
are made of.
"""

from __future__ import annotations

from gymform.exercises.arms import BICEP_CURL, LATERAL_RAISE
from gymform.exercises.catalogue import (
    EXERCISES,
    OTHER_SHARE,
    class_of,
    find_exercise,
    listed,
    name_of,
    title_of,
    trained_classes,
    trained_exercises,
    training_shares,
)
from gymform.exercises.definition import (
    ANY,
    FRONT,
    SIDE,
    WHOLE_BODY,
    At,
    BlindSpot,
    Computed,
    Exercise,
    Measured,
    Most,
    Resting,
    Rule,
    Signal,
    Speed,
    Spread,
)
from gymform.exercises.floor import JUMPING_JACK, SIT_UP
from gymform.exercises.hinges import DEADLIFT, KETTLEBELL_SWING, ROMANIAN_DEADLIFT
from gymform.exercises.legs import LUNGE, SQUAT
from gymform.exercises.olympic import CLEAN_AND_JERK, SNATCH
from gymform.exercises.presses import BENCH_PRESS, OVERHEAD_PRESS, PUSH_UP
from gymform.exercises.pulls import PULL_UP, ROW

__all__ = [
    "ANY",
    "BENCH_PRESS",
    "BICEP_CURL",
    "CLEAN_AND_JERK",
    "DEADLIFT",
    "EXERCISES",
    "FRONT",
    "JUMPING_JACK",
    "KETTLEBELL_SWING",
    "LATERAL_RAISE",
    "LUNGE",
    "OTHER_SHARE",
    "OVERHEAD_PRESS",
    "PULL_UP",
    "PUSH_UP",
    "ROMANIAN_DEADLIFT",
    "ROW",
    "SIDE",
    "SIT_UP",
    "SNATCH",
    "SQUAT",
    "WHOLE_BODY",
    "At",
    "BlindSpot",
    "Computed",
    "Exercise",
    "Measured",
    "Most",
    "Resting",
    "Rule",
    "Signal",
    "Speed",
    "Spread",
    "class_of",
    "find_exercise",
    "listed",
    "name_of",
    "title_of",
    "trained_classes",
    "trained_exercises",
    "training_shares",
]
