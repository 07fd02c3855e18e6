"""What is said of slow motion: what was assumed, or a question."""

import numpy as np
import pytest

from gymform.analysis import judge
from gymform.exercise.classifier import load_classifier
from gymform.exercise.playback import speed_notes
from gymform.motion.clean import clean
from gymform.motion.quality import assess
from gymform.types import OTHER, UNKNOWN
from tests.form.figures import film, once, squat

LIFTS = np.concatenate([squat(once(240), 0.34), squat(once(240), 0.34)])


def slowed(factor: float):
    """Two squats filmed at 240 frames a second and shown ``factor`` times slower than life."""
    pose, _ = film(LIFTS, 80, fps=240 / factor)
    return pose


def notes(pose, said=None, used=1.0):
    judging = load_classifier()
    tracks = clean(pose)
    prediction = judging.predict(pose, tracks, assess(pose, tracks))
    return prediction, speed_notes(pose, tracks, prediction, judging, said=said, used=used)


def test_slow_motion_is_asked_about():
    prediction, said = notes(slowed(8.0))
    assert prediction.label in (OTHER, UNKNOWN, "squat")
    assert len(said) == 1
    assert "may be slow motion" in said[0]
    assert "squat" in said[0]
    assert "--slow-motion" in said[0]


def test_a_usual_film_is_not_asked_about():
    assert notes(slowed(1.0))[1] == ()


def test_what_the_user_or_the_file_says_is_repeated():
    pose = slowed(4.0)
    assert "as you said" in notes(pose, said=4.0, used=4.0)[1][0]
    assert "The file says" in notes(pose, used=4.0)[1][0]
    assert notes(pose, said=1.0)[1] == ()


@pytest.mark.parametrize("factor", [2.0, 4.0])
def test_figures_are_those_of_life_and_moments_those_of_the_film(factor):
    usual = judge(slowed(1.0), load_classifier())[3]
    slow = judge(slowed(factor), load_classifier(), factor)[3]
    assert slow.exercise == usual.exercise == "squat"
    for a, b in zip(usual.repetitions, slow.repetitions, strict=True):
        assert b.start_s == pytest.approx(factor * a.start_s, abs=0.1 * factor)
        for one in a.measures:
            other = b.value(one.key)
            assert other is not None
            assert other.value == pytest.approx(one.value, rel=0.06, abs=1.5)
            assert other.at_s == pytest.approx(factor * one.at_s, abs=0.2 * factor)
