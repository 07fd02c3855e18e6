"""Whether a data set holds enough to train on."""

from __future__ import annotations

from gymform.training.exercise import readiness


def test_the_rest_is_a_class_of_its_own():
    what = readiness.Contents(
        {"squat": 9, "row": 2, "plank": 2},
        {"squat": frozenset("abc"), "row": frozenset("ab"), "plank": frozenset("cd")},
        pending=0,
    )
    assert what.groups_of(["squat"]) == {"squat": 3, "other": 4}
    assert readiness.why_not(["squat"], what) == ""
    assert "plank (2), row (2)" in readiness.why_not(["squat", "plank", "row"], what)
    assert readiness.large_enough(what) == ["squat"]


def test_all_exercises_are_offered_where_the_rest_would_be_too_small():
    people = {"squat": frozenset("abc"), "row": frozenset("abd"), "plank": frozenset("cd")}
    what = readiness.Contents(dict.fromkeys(people, 3), people, pending=0)
    assert readiness.large_enough(what) == list(people)
