"""The result in one line."""

from __future__ import annotations

import pytest

from gymform.form.verdict import verdict_line
from gymform.types import Cue, FormReport, RepForm, Verdict
from tests import fakes

REP = RepForm(0.0, 2.0, ())
CUT = RepForm(0.0, 1.0, (), "the start of the clip")


def cue(verdict: Verdict, title: str, key: str = "", judged: int = 3, good: int = 0, look: int = 0):
    return Cue(verdict, title, "", "", 0.0, key, judged, good, look)


DEEP = cue(Verdict.GOOD, "Deep: the hips go below the knees", "thigh_below_level", good=3)
HIGH = cue(Verdict.LOOK, "Above parallel", "thigh_below_level", look=3)
MIXED = cue(Verdict.LOOK, "Above parallel", "thigh_below_level", good=2, look=1)
TIP = cue(Verdict.GOOD, "Hips and shoulders rise together", "tip", good=3)
RISE = cue(Verdict.LOOK, "The hips rise before the shoulders", "tip", good=2, look=1)
NEAR = cue(Verdict.CLOSE, "About parallel or a little higher", "thigh_below_level")
UNSURE = cue(Verdict.CLOSE, "Too close to call: the hips rise before the shoulders?", "tip")


@pytest.mark.parametrize(
    ("form", "line"),
    [
        (FormReport("squat", 80, (REP,), (DEEP, TIP)),
         "Squat, 1 repetition: deep; hips and shoulders rise together."),
        (FormReport("squat", 80, (REP,) * 3, (MIXED, TIP)),
         "Squat, 3 repetitions: deep in 2 of 3; hips and shoulders rise together."),
        (FormReport("squat", 80, (REP,) * 3, (RISE, HIGH)),
         "Squat, 3 repetitions: the hips rise before the shoulders in 1 of 3; above parallel."),
        (FormReport("squat", 80, (REP, CUT), (NEAR, UNSURE)),
         "Squat, 1 repetition: about parallel or a little higher."),
        (FormReport("squat", 80, (REP, CUT), (UNSURE,)), "Squat, 1 repetition: too close to call."),
        (FormReport("other", 80, (REP,) * 2),
         "Another exercise, 2 repetitions: measured, not judged."),
        (FormReport("squat", 80, (CUT,)), "Squat: no whole repetition."),
        (FormReport("unknown", 80), "Unknown exercise: no whole repetition."),
    ],
)  # fmt: skip
def test_what_there_is_to_say_fits_into_a_line(form, line):
    assert verdict_line(form) == line


def test_another_title_may_stand_for_the_exercise():
    form = fakes.make_form("unknown")
    assert verdict_line(form, "A hinge: deadlift or row").startswith("A hinge: deadlift or row, 1 ")
