"""Limits for naming a class, and candidates: they keep what they promise on new clips."""

import numpy as np
import pytest

from gymform.errors import ModelDataError
from gymform.exercise.classifier import MIN_CONFIDENCE
from gymform.training.exercise import decisions
from gymform.types import OTHER

CLASSES = ("squat", "lunge", OTHER)


def made_up(count: int, seed: int, blur: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Labels and calibrated probabilities: those of normal logits given the label."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(3, size=count)
    seen = np.eye(3)[labels] + rng.normal(0, blur / 2, (count, 3))
    likelihood = np.exp(seen / (blur / 2) ** 2)
    return labels, likelihood / likelihood.sum(1, keepdims=True)


def test_candidates_hold_the_right_class_as_often_as_promised():
    for seed in range(5):
        limits = decisions.fit_limits(*made_up(400, seed))
        labels, probabilities = made_up(4000, 100 + seed)
        held = limits.candidates(probabilities)
        covered = held[np.arange(len(labels)), labels].mean()
        assert decisions.COVERAGE - 0.025 < covered < 0.99
        assert held.any(1).all()
        assert 1 < held.sum(1).mean() < 3


def test_named_clips_are_right_as_often_as_wanted_where_that_is_possible():
    limits = decisions.fit_limits(*made_up(2000, 1, blur=1.0))
    labels, probabilities = made_up(4000, 2, blur=1.0)
    named = limits.named(probabilities)
    right = probabilities.argmax(1) == labels
    assert right.mean() < decisions.PRECISION - 0.02  # else the limits had nothing to do
    assert right[named].mean() > decisions.PRECISION - 0.02
    assert named.mean() > 0.5
    assert (limits.thresholds <= decisions.HIGHEST).all()


def test_a_class_that_is_never_seen_keeps_the_usual_threshold():
    labels, probabilities = np.zeros(20, int), np.tile([0.9, 0.05, 0.05], (20, 1))
    limits = decisions.fit_limits(labels, probabilities)
    assert limits.thresholds.tolist() == [MIN_CONFIDENCE] * 3
    assert limits.of(CLASSES) == {}


def test_what_is_hardly_ever_right_needs_the_highest_threshold():
    labels = np.array([0, 1] * 20)
    probabilities = np.tile([0.9, 0.05, 0.05], (40, 1))
    limits = decisions.fit_limits(labels, probabilities)
    assert limits.of(CLASSES) == {"squat": decisions.HIGHEST}


def test_with_few_clips_every_class_is_a_candidate():
    labels, probabilities = made_up(10, 3)
    assert decisions.fit_limits(labels, probabilities).candidates(probabilities).all()


def test_each_fold_is_judged_by_the_limits_of_the_others():
    labels, probabilities = made_up(900, 4)
    found = decisions.judge_limits(labels, probabilities, np.arange(900) % 5, CLASSES)
    assert found.covered == pytest.approx(decisions.COVERAGE, abs=0.03)
    assert 0 < found.named < 1
    assert found.right > (probabilities.argmax(1) == labels).mean()
    # the right answers of one fold, all wrong in the others: its limits know nothing of it
    probabilities = np.tile([0.02, 0.96, 0.02], (100, 1))
    labels = np.r_[np.ones(80, int), np.zeros(20, int)]
    found = decisions.judge_limits(labels, probabilities, np.r_[[0] * 80, [1] * 20], CLASSES)
    assert found.covered == pytest.approx(0.8 + 0.2 * 0)


def test_false_alarms_are_clips_of_other_that_are_surely_called_something():
    labels = np.array([2, 2, 2, 2, 0])
    rows = [[0.9, 0.05, 0.05], [0.7, 0.1, 0.2], [0.0, 0.1, 0.9], [0.1, 0.85, 0.05], [0.9, 0.1, 0]]
    assert decisions.false_alarms(labels, np.array(rows), CLASSES) == 0.5
    assert np.isnan(decisions.false_alarms(labels[4:], np.array(rows)[4:], CLASSES))
    assert np.isnan(decisions.false_alarms(labels, np.array(rows), ("a", "b", "c")))


# ---- which exercises are named


def said(*rows):
    """(labels, logits, groups) of (label, answer, group) in :data:`CLASSES`."""
    labels, answers, groups = zip(*rows, strict=True)
    index = [CLASSES.index(name) for name in labels]
    return np.array(index), np.eye(3)[[CLASSES.index(name) for name in answers]], list(groups)


def test_what_is_told_too_seldom_is_not_named():
    rows = [("squat", "squat", f"p{i}") for i in range(10)]
    rows += [("lunge", "lunge" if i < 7 else "squat", f"p{i}") for i in range(10)]
    assert decisions.recognised(*said(*rows), CLASSES, 0.8) == ("squat", OTHER)
    assert decisions.recognised(*said(*rows), CLASSES, 0.7) == CLASSES


def test_what_is_no_longer_told_when_others_have_no_name_has_none_either():
    outputs = ("squat", "row", OTHER)
    clear, unsure, something_else = [0.8, 0.1, 0.1], [0.4, 0.35, 0.25], [0.1, 0.1, 0.8]
    logits = np.log([clear] * 7 + [unsure] * 3 + [something_else] * 10)
    labels, groups = np.repeat([0, 2], 10), [f"p{i}" for i in range(20)]
    assert decisions.recognised(labels, logits, groups, outputs, 0.7) == ("squat", OTHER)
    with pytest.raises(ModelDataError, match="got none"):  # 3 of 10 are likelier one of the others
        decisions.recognised(labels, logits, groups, outputs, 0.8)


def test_few_people_have_to_be_told_more_often():
    rows = [("squat", "squat", f"p{i}") for i in range(10)]
    rows += [("lunge", "lunge" if i < 41 else OTHER, f"p{i % 3}") for i in range(50)]  # 0.82
    assert decisions.recognised(*said(*rows), CLASSES, 0.8) == ("squat", OTHER)
    more = [(label, answer, f"p{i % 4}") for i, (label, answer, _) in enumerate(rows)]
    assert decisions.recognised(*said(*more), CLASSES, 0.8) == CLASSES


def test_without_a_demand_everything_is_named_even_what_was_never_judged():
    assert decisions.recognised(*said(("squat", OTHER, "p")), CLASSES, 0.0) == CLASSES


def test_that_nothing_is_told_is_an_error():
    with pytest.raises(ModelDataError, match="--least-recall"):
        decisions.recognised(*said(("squat", OTHER, "p")), CLASSES, 0.8)


def test_recalls_are_by_class_of_those_that_there_are_clips_of():
    labels, predicted = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 0])
    found = decisions.recalls(labels, predicted, ("squat", "row", OTHER, "lunge"))
    assert found == {"squat": 0.5, "row": 1.0}


def test_a_name_that_is_wrong_more_often_than_right_is_not_given():
    rows = [("squat", "squat", f"p{i}") for i in range(10)]
    rows += [("lunge", "lunge", f"p{i}") for i in range(4)]
    false = [(OTHER, "lunge", f"q{i}") for i in range(5)]
    assert decisions.recognised(*said(*rows, *false), CLASSES, 0.8) == ("squat", OTHER)
    assert decisions.recognised(*said(*rows, *false[:4]), CLASSES, 0.8) == CLASSES
