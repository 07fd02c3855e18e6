"""Which repetition is the best and which the worst, measure by measure."""

from __future__ import annotations

from typing import Literal

from gymform.exercises import find_exercise
from gymform.form.bar import BAR_SPEED
from gymform.types import FormReport

Mark = Literal["best", "worst"]
BEST: Mark = "best"
WORST: Mark = "worst"

SAME = 0.05
"""Values within this share of their size are taken for equal: nothing is then best or worst."""


def rated(form: FormReport) -> dict[tuple[str, int], Mark]:
    """The best and the worst repetition for each measure with a rule, by key and number from 1.

    Speed counts as well: faster is better within a set. Two repetitions at least must have the
    measure, and differ.
    """
    exercise = find_exercise(form.exercise)
    more = {rule.key: rule.more for rule in exercise.rules} if exercise else {}
    more |= {"speed": True, BAR_SPEED: True}
    marks: dict[tuple[str, int], Mark] = {}
    for key, is_more in more.items():
        values = {
            number: found.value * (1 if is_more else -1)
            for number, rep in enumerate(form.repetitions, start=1)
            if (found := rep.value(key))
        }
        if len(values) < 2:
            continue
        best, worst = max(values, key=values.__getitem__), min(values, key=values.__getitem__)
        if values[best] - values[worst] > SAME * max(map(abs, values.values())):
            marks |= {(key, best): BEST, (key, worst): WORST}
    return marks
