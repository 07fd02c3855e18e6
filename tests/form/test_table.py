"""The best and the worst repetition."""

from __future__ import annotations

from gymform.form.table import BEST, WORST, rated
from gymform.types import FormReport, Measure, RepForm


def reps(key: str, *values: float, exercise: str = "squat") -> FormReport:
    made = [
        RepForm(n, n + 1, (Measure(key, key, value, "°", n),)) for n, value in enumerate(values)
    ]
    return FormReport(exercise, 80.0, tuple(made))


def test_the_rule_says_which_is_better():
    assert rated(reps("thigh_below_level", -5.0, 12.0, 3.0)) == {
        ("thigh_below_level", 2): BEST, ("thigh_below_level", 1): WORST
    }  # fmt: skip
    assert rated(reps("tip", 2.0, 12.0)) == {("tip", 1): BEST, ("tip", 2): WORST}
    assert rated(reps("speed", 30.0, 20.0)) == {("speed", 1): BEST, ("speed", 2): WORST}


def test_nothing_is_marked_without_a_rule_a_second_repetition_or_a_difference():
    assert rated(reps("lowering_s", 1.0, 2.0)) == {}
    assert rated(reps("tip", 4.0)) == {}
    assert rated(reps("speed", 30.0, 30.2)) == {}
    assert rated(reps("tip", 1.0, 9.0, exercise="other")) == {}
    assert rated(FormReport("squat", 80.0)) == {}
