"""Wrong labels are found by networks that never saw them, and right ones are left alone."""

from dataclasses import replace

import numpy as np
import pytest

from gymform.training.exercise import records
from gymform.training.exercise.label_errors import label_errors
from tests.made_runs import make_accepted, make_report

CLASSES = ("deadlift", "snatch", "squat")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return make_report(make_accepted(tmp_path_factory.mktemp("lifts")), "first")


def predictions(labels, probabilities):
    return tuple(
        records.TestPrediction(
            item_id=f"{number:03d}-1", name=f"{number}.mp4", truth=CLASSES[label],
            answer=CLASSES[int(np.argmax(row))], confidence=float(max(row)),
            truth_probability=float(row[label]), probabilities=tuple(map(float, row)),
        )
        for number, (label, row) in enumerate(zip(labels, probabilities, strict=True))
    )  # fmt: skip


def test_swapped_labels_are_found_among_many(report):
    rng = np.random.default_rng(0)
    true = np.arange(90) % 3
    probabilities = np.stack([rng.dirichlet(1 + 12 * np.eye(3)[k]) for k in true])
    labels = true.copy()
    wrong = [4, 33, 71]
    probabilities[wrong] = 0.015 + 0.955 * np.eye(3)[true[wrong]]
    labels[wrong] = (true[wrong] + 1) % 3
    made = replace(report, classes=CLASSES, answers=predictions(labels, probabilities))
    found = label_errors(made)
    assert {int(error.item.item_id[:3]) for error in found} >= set(wrong)
    assert len(found) <= 5
    margins = [error.margin for error in found]
    assert margins == sorted(margins, reverse=True)
    by_number = {int(error.item.item_id[:3]): error.suggests for error in found}
    assert [by_number[number] for number in wrong] == [CLASSES[true[number]] for number in wrong]


def test_an_unsure_model_blames_no_label(report):
    labels = [0, 1, 2] * 5
    probabilities = np.full((15, 3), 1 / 3) + 0.05 * np.eye(3)[labels]
    assert (
        label_errors(replace(report, classes=CLASSES, answers=predictions(labels, probabilities)))
        == []
    )


def test_a_mistake_of_a_weak_class_is_not_blamed_on_its_label(report):
    """Squats are always half taken for deadlifts: the bar for a deadlift is what deadlifts get."""
    labels = [0] * 10 + [2] * 10
    probabilities = [[0.95, 0.0, 0.05]] * 10 + [[0.55, 0.0, 0.45]] * 10
    assert (
        label_errors(replace(report, classes=CLASSES, answers=predictions(labels, probabilities)))
        == []
    )


def test_reports_of_older_versions_have_none(report):
    assert label_errors(report) == []
