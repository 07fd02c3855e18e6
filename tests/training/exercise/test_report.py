"""The report of a training: metrics, slices, predictions, and all of it as Markdown."""

import itertools
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from gymform.dataset.groups import confirm, merge
from gymform.dataset.reviews import ReviewStore
from gymform.training.exercise import records
from gymform.training.exercise import report as report_module
from gymform.training.exercise.corpus import read_corpus
from gymform.training.exercise.readiness import contents_of
from gymform.training.exercise.report import (
    TIMED_CLIPS,
    as_markdown,
    list_predictions,
    ms_per_clip,
    part_markdown,
    slice_accuracy,
)
from tests.exercise.makers import make_dataset
from tests.made_runs import make_accepted, make_report


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report of made-up numbers."""
    return make_report(make_accepted(tmp_path_factory.mktemp("lifts")), "first")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return read_corpus(make_dataset(tmp_path_factory.mktemp("waves"), 3))


def test_the_learning_curve_and_errors_are_told(report):
    wrong = records.TestPrediction("7-1", "a|b.mp4", "squat", "wave", 0.9, 0.1)
    point = records.CurvePoint(12, 1.0, 0.5, 4)
    text = as_markdown(replace(report, answers=(wrong,), learning_curve=(point,)))
    assert "| 7-1 | a\\|b.mp4 | squat | wave | 90% |" in text
    assert "| 12 | 1.000 | 0.500 |" in text
    assert "None on the test clips" in as_markdown(replace(report, answers=()))


def test_the_whole_report_is_told(report):
    text = as_markdown(report)
    for words in ("# tcn on ", "Run first.", "## Train (23)", "## Validation (23)", "## Test (23)",
                  "| view | side | 40 | 0.950 |", "## Learning curve",
                  "python -m gymform train DATASET --out RUN"):  # fmt: skip
        assert words in text
    assert text.count("| accuracy | | | ") == 3
    assert "## Learning curve" not in as_markdown(replace(report, learning_curve=()))


def test_where_the_networks_started_is_told_and_nobody_is_called_unseen(report):
    alone = replace(report, unconfirmed=0)
    started = replace(alone, started_from="exercise-tcn")
    assert "started from" not in as_markdown(alone)
    assert "The networks started from exercise-tcn: where clips" in as_markdown(started)
    assert alone.people_apart
    assert not started.people_apart


def test_labels_that_look_wrong_are_listed(report):
    sure = records.TestPrediction("9-1", "c.mp4", "squat", "squat", 0.9, 0.9, (0.05, 0.05, 0.9))
    others = tuple(
        replace(sure, item_id=f"{n}-1", truth=name, probabilities=p)
        for n, (name, p) in enumerate(
            [("deadlift", (0.8, 0.1, 0.1)), ("snatch", (0.1, 0.8, 0.1)), ("squat", (0.1, 0.1, 0.8))]
            * 4
        )
    )
    wrong = replace(sure, item_id="7-1", name="a|b.mp4", truth="snatch")
    made = replace(report, classes=("deadlift", "snatch", "squat"), answers=(*others, wrong))
    assert "| 7-1 | a\\|b.mp4 | snatch | squat |" in as_markdown(made)
    assert "None looks wrong" in as_markdown(report)


def test_groups_that_nobody_confirmed_are_said(report):
    assert "Nobody confirmed" not in as_markdown(report)
    assert "That is so for 7 of 23 repetitions" in as_markdown(replace(report, unconfirmed=7))
    assert "was not recorded" in as_markdown(replace(report, unconfirmed=None))


def test_what_reviewers_disagree_about_is_left_out_and_said(report, tmp_path):
    dataset = make_dataset(tmp_path / "waves", 4)
    before = len(read_corpus(dataset))
    with ReviewStore.open(dataset) as store:
        store.set_blind(True, reviewer="Ann")
        store.decide(store.judged()[0].item.id, "rejected", reviewer="Ben", reasons=("other",))
    corpus = read_corpus(dataset)
    assert (len(corpus), corpus.disputed) == (before - 1, 1)
    assert contents_of(dataset).disputed == 1
    assert "left out" not in as_markdown(report)
    assert "3 repetitions were left out" in as_markdown(replace(report, disputed=3))


def test_unconfirmed_groups_are_counted_by_repetition(tmp_path):
    dataset = make_dataset(tmp_path / "waves", 4)
    assert read_corpus(dataset).unconfirmed == 8
    with ReviewStore.open(dataset) as store:
        merge(store, [clip.sha256 for clip in store.clips()][:2], "Zoe", reviewer="Ann")
        assert store.clips()[0].group == "Zoe"
        confirm(store, reviewer="Ann")
    assert read_corpus(dataset).unconfirmed == 0


def test_names_cannot_change_the_tables(report):
    """Names of exercises and data sets are a user's: they may hold what Markdown reads."""
    rows = tuple(replace(row, name="a|b*c*") for row in report.parts[records.TEST].rows)
    part = replace(report.parts[records.TEST], rows=rows)
    lines = [line for line in part_markdown(part).splitlines() if "a" in line and "b" in line]
    assert sum(line.count("a\\|b\\*c\\*") for line in lines) == 3 * len(rows)
    assert not any("a|b" in line for line in lines)


def test_slices_count_right_and_wrong_by_condition(corpus):
    rows = np.arange(len(corpus))
    probabilities = np.eye(2)[corpus.labels]
    probabilities[0] = probabilities[0][::-1]  # one mistake
    slices = slice_accuracy(corpus, rows, probabilities)
    assert [(s.condition, s.value) for s in slices] == sorted(
        (s.condition, s.value) for s in slices
    )
    for condition in ("view", "camera", "coverage"):
        parts = [s for s in slices if s.condition == condition]
        assert sum(s.clips for s in parts) == len(corpus)
        assert sum(s.accuracy * s.clips for s in parts) == pytest.approx(len(corpus) - 1)


def test_predictions_name_item_truth_and_answer(corpus):
    rows = np.array([2, 0])
    right, wrong = corpus.labels[2], 1 - corpus.labels[0]
    probabilities = np.full((2, 2), 0.125)
    probabilities[0, right] = probabilities[1, wrong] = 0.875
    hit, miss = list_predictions(corpus, rows, probabilities)
    assert (hit.item_id, miss.item_id) == tuple(corpus.examples[row].item_id for row in rows)
    assert (hit.truth, miss.truth) == tuple(corpus.tracks[row].label for row in rows)
    assert (hit.answer, miss.answer) == (corpus.classes[right], corpus.classes[wrong])
    assert (hit.confidence, hit.truth_probability) == (0.875, 0.875)
    assert (miss.confidence, miss.truth_probability) == (0.875, 0.125)


def test_the_time_of_a_prediction_is_the_median_over_some_clips(monkeypatch):
    judged, clock = [], itertools.count()
    monkeypatch.setattr(report_module.time, "perf_counter", lambda: float(next(clock)))
    task = SimpleNamespace(
        labels=np.zeros(100), predict_uncached=lambda network, row: judged.append(row)
    )
    assert ms_per_clip(SimpleNamespace(task=task), None) == 1000
    assert judged == list(range(TIMED_CLIPS))
