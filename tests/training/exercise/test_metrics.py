"""Metrics against known cases."""

import numpy as np
import pytest

from gymform.training.exercise.metrics import (
    as_markdown,
    calibration_error,
    evaluate,
    fit_temperature,
)

CLASSES = ("snatch", "deadlift", "squat", "other")


def test_a_report_of_a_known_table():
    labels = np.array([0, 0, 1, 1, 1, 2])
    predicted = np.array([0, 1, 1, 1, 1, 2])
    part = evaluate(labels, np.eye(4)[predicted], CLASSES)
    assert part.accuracy == pytest.approx(5 / 6)
    assert [row.recall for row in part.rows] == pytest.approx((0.5, 1, 1, 0))
    assert [row.precision for row in part.rows] == pytest.approx((1, 0.75, 1, 0))
    assert [row.support for row in part.rows] == [2, 3, 1, 0]
    assert part.confusion[0] == (1, 1, 0, 0)
    assert "| snatch | 1.000 | 0.500 |" in as_markdown(part)


def test_calibration_error_of_known_confidence():
    labels = np.zeros(1000, int)
    labels[:250] = 1  # three in four are right
    for confidence in (0.75, 0.95):
        probabilities = np.tile([confidence, 1 - confidence], (1000, 1))
        assert calibration_error(labels, probabilities) == pytest.approx(abs(confidence - 0.75))


def test_the_temperature_mends_overconfidence():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (20_000, 4))
    powers = np.exp(logits)
    cumulative = (powers / powers.sum(1, keepdims=True)).cumsum(1)
    labels = (rng.random((20_000, 1)) > cumulative).sum(1).clip(max=3)
    assert fit_temperature(labels, 2.5 * logits) == pytest.approx(2.5, rel=0.05)


def test_averages_and_reliability_of_a_known_table():
    labels = np.array([0, 0, 0, 1])
    part = evaluate(labels, np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.3, 0.7]]), ("a", "b"))
    assert part.accuracy == 0.75
    assert part.confusion == ((2, 1), (0, 1))
    assert [row.recall for row in part.rows] == pytest.approx([2 / 3, 1])
    assert part.macro.recall == pytest.approx(5 / 6)
    assert part.weighted.recall == pytest.approx(0.75)
    assert part.lowest_recall == pytest.approx(2 / 3)
    assert part.reliability.counts == (1, 1, 1, 1)
    assert part.ece == pytest.approx((0.1 + 0.2 + 0.6 + 0.3) / 4)


def test_a_class_without_clips_does_not_count_in_the_mean():
    part = evaluate(np.array([0, 1]), np.eye(3)[[0, 1]], ("a", "b", "c"))
    assert part.rows[2].support == 0
    assert part.macro.f1 == part.lowest_recall == 1
