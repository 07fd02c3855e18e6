"""Curls and raises: counted from any side, one arm or two, and what their rules say."""

import numpy as np
import pytest

from gymform.exercises import BICEP_CURL, LATERAL_RAISE
from gymform.form.cues import repetitions_of
from gymform.types import Verdict
from tests.exercises.movements import again, counted, curl, lateral_raise, mean, report, titles
from tests.form.figures import film


@pytest.mark.parametrize("degrees", [0, 30, 60, 90])
@pytest.mark.parametrize(
    ("make", "one"), [(curl, BICEP_CURL), (lateral_raise, LATERAL_RAISE)], ids=lambda x: str(x)[:12]
)
def test_as_many_as_there_are_from_any_side(make, one, degrees):
    assert [counted(make(again(n)), degrees, one) for n in (1, 3)] == [1, 3]


def test_arms_in_turns_count_each():
    u, rest = again(1), np.zeros(len(again(1)))
    left, right = np.concatenate([u, rest, u, rest]), np.concatenate([rest, u, rest, u])
    _, tracks = film(curl(np.ones(len(left)), (left, right)), 20)
    reps = repetitions_of(tracks, BICEP_CURL)
    assert [rep.side for rep in reps] == [0, 1, 0, 1]
    assert all(rep.cut_off_by is None for rep in reps)


def test_one_arm_alone_is_its_own_and_the_far_one_is_not_judged():
    form = report(curl(again(2), (0, 1)), 90, "bicep_curl")
    assert [rep.side for rep in form.repetitions] == ["right", "right"]
    near = "low_elbow" in {m.key for m in form.repetitions[0].measures}
    other = report(curl(again(2), (1, 0)), 90, "bicep_curl")
    far = "low_elbow" in {m.key for m in other.repetitions[0].measures}
    assert near != far
    hidden = form if far else other
    assert set(titles(hidden)) == {"The trunk stays still"}  # what the arm hides is not judged
    assert any("farther from the camera" in note for note in hidden.notes)


def test_a_strict_curl_and_one_with_the_whole_body():
    strict = report(curl(again(2)), 90, "bicep_curl")
    assert titles(strict) == dict.fromkeys(
        ("The elbows stay where they are", "The trunk stays still",
         "The arms stretch at the bottom"), Verdict.GOOD)  # fmt: skip
    swung = report(curl(again(2), swing=0.5), 90, "bicep_curl")
    assert titles(swung)["The trunk swings"] is Verdict.LOOK
    assert mean(swung, "trunk_swing") == pytest.approx(np.degrees(0.5), abs=3)
    half = report(curl(again(2), short=0.4), 90, "bicep_curl")
    assert titles(half)["The arms stay bent at the bottom"] is Verdict.LOOK


def test_arms_raised_to_level_and_only_half_way():
    level = titles(report(lateral_raise(again(2), 100), 0, "lateral_raise"))
    assert level["The arms come up to level"] is Verdict.GOOD
    half = titles(report(lateral_raise(again(2), 55), 0, "lateral_raise"))
    assert half["The arms stay below level"] is Verdict.LOOK
    aside = report(lateral_raise(again(2), 55), 90, "lateral_raise")
    assert "The arms stay below level" not in titles(aside)
    assert any("not measurable from here" in note for note in aside.notes)
