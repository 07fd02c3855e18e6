"""Variants that the skeleton tells, on jointed figures of which they are true."""

import numpy as np
import pytest

from gymform import skeleton as sk
from gymform.exercises import find_exercise
from gymform.form.body import body_of
from gymform.form.cues import assess_form
from gymform.form.variants import TELLS, variant_of
from gymform.training.exercise.synthesize import ANKLE_HEIGHT, SHANK, THIGH, Trunk, assemble
from gymform.types import Measure, Prediction, RepForm
from tests import fakes
from tests.form.figures import ankles, deadlift, film, once, squat

UP = 1 - once(30)


def seen(points, degrees, **values):
    pose, tracks = film(points, degrees)
    measures = tuple(Measure(key, key, value, "°", 1.0) for key, value in values.items())
    return body_of(pose, tracks), RepForm(0.3, float(pose.time_s[-1]) - 0.3, measures)


def wide(points, apart):
    """The same with the ankles ``apart``, in statures."""
    points = points.copy()
    points[:, sk.LEFT_ANKLE, 0], points[:, sk.RIGHT_ANKLE, 0] = apart / 2, -apart / 2
    return points


@pytest.mark.parametrize("degrees", [0, 20, 40])
@pytest.mark.parametrize(("apart", "title"), [(0.4, "Sumo"), (0.16, "Conventional"), (0.275, None)])
def test_the_stance_of_a_deadlift_shows_from_the_front(degrees, apart, title):
    rep = seen(wide(deadlift(UP), apart), degrees)
    assert variant_of("deadlift", [rep, rep]) == title


def test_and_not_from_the_side():
    assert variant_of("deadlift", [seen(wide(deadlift(UP), 0.4), 90)]) is None


@pytest.mark.parametrize(
    ("depth", "title"),
    [(20.0, "Full snatch"), (3.0, None), (-4.0, None), (-25.0, "Power snatch"),
     (-75.0, "Muscle snatch"), (None, None)],
)  # fmt: skip
def test_a_snatch_is_named_by_the_depth_of_its_catch(depth, title):
    values = {} if depth is None else {"thigh_below_level": depth}
    assert variant_of("snatch", [seen(squat(once(30)), 90, **values)]) == title


def seated_press(seated: bool):
    u = once(30)
    height = ANKLE_HEIGHT + SHANK + 0 * u if seated else 0.52 + 0 * u
    back = -0.95 * THIGH if seated else 0.0
    trunk = Trunk(np.stack([0 * u, height, back + 0 * u], 1), 0.05 + 0 * u)
    low, top = (
        tuple(trunk.by_shoulder(side, 0.03, up, 0.05) for side in (1, -1)) for up in (0.03, 0.31)
    )
    hands = tuple(a + (b - a) * u[:, None] for a, b in zip(low, top, strict=True))
    return assemble(trunk, ankles(len(u)), hands, 0.1, (0.8, -0.8, 0.2))


@pytest.mark.parametrize(("seated", "title"), [(True, "Seated"), (False, None)])
@pytest.mark.parametrize("degrees", [30, 90])
def test_a_press_may_be_seated(seated, title, degrees):
    assert variant_of("overhead_press", [seen(seated_press(seated), degrees)]) == title


@pytest.mark.parametrize(("lift", "title"), [(0.25, "On one leg"), (0.0, None)])
def test_a_squat_may_be_on_one_leg(lift, title):
    u = once(30)
    points = squat(u)
    points[:, sk.RIGHT_ANKLE, 1] -= lift * np.clip(2 * u, 0, 1)
    assert variant_of("squat", [seen(points, 90)]) == title


def test_a_variant_must_show_in_most_repetitions():
    full, power = (seen(squat(once(30)), 90, thigh_below_level=d) for d in (20.0, -20.0))
    assert variant_of("snatch", [full, full, power]) == "Full snatch"
    assert variant_of("snatch", [full, power]) is None
    assert variant_of("snatch", []) is None
    assert variant_of("burpee", [full]) is None


def test_variants_are_of_known_exercises():
    assert all(find_exercise(key).key == key for key in TELLS)


def test_the_report_names_the_variant():
    pose, tracks = film(wide(deadlift(UP), 0.42), 10)
    prediction = Prediction(("deadlift", "other"), (0.9, 0.1), "deadlift", None, "")
    report = assess_form(pose, tracks, fakes.make_quality(), prediction)
    assert report.variant == "Sumo"
