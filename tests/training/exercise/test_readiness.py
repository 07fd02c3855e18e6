"""Whether a data set holds enough to train on."""

from __future__ import annotations

from gymform.training.exercise import readiness
from tests.made_runs import make_accepted


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


def test_few_clips_and_people_are_said_with_what_to_add():
    people = {"squat": frozenset("abcdefgh"), "row": frozenset("abc")}
    what = readiness.Contents({"squat": 40, "row": 12}, people, pending=0)
    assert readiness.advice(["squat", "row"], what) == [
        "row: 12 repetitions of 3 people or sources are few. Add 18 more repetitions and clips of "
        "5 more people."
    ]
    (line,) = readiness.advice(["squat"], what)
    assert line.startswith("other: 12 repetitions of 3 people")
    enough = readiness.Contents({"squat": 40}, {"squat": people["squat"]}, pending=0)
    assert readiness.advice(["squat"], enough) == []


def test_the_contents_of_a_data_set_are_counted(tmp_path):
    what = readiness.contents_of(make_accepted(tmp_path / "lifts", 7))
    assert (what.total, what.pending, what.unconfirmed, what.disputed) == (6, 1, 6, 0)
    assert set(what.accepted) <= {"squat", "deadlift", "snatch"}
