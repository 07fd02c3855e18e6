"""Figures: the known cases come out as they should."""

import numpy as np
import pytest

from gymform.training.exercise.metrics import (
    as_markdown,
    calibration_error,
    fit_temperature,
    report,
)

CLASSES = ("snatch", "deadlift", "squat", "other")


def test_a_report_of_a_known_table():
    labels = np.array([0, 0, 1, 1, 1, 2])
    answers = np.array([0, 1, 1, 1, 1, 2])
    figures = report(labels, np.eye(4)[answers], CLASSES)
    assert figures.accuracy == pytest.approx(5 / 6)
    assert figures.recall == pytest.approx((0.5, 1, 1, 0))
    assert figures.precision == pytest.approx((1, 0.75, 1, 0))
    assert figures.support == (2, 3, 1, 0)
    assert figures.matrix[0].tolist() == [1, 1, 0, 0]
    assert "| snatch | 1.000 | 0.500 |" in as_markdown(figures)


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
