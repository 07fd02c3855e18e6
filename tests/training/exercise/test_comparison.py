"""Judging by a finished model: only on what it did not see, and in its own classes."""

from pathlib import Path

import pytest

from gymform.dataset.reviews import ReviewStore
from gymform.errors import ModelDataError, WeightsError
from gymform.text import csv_safe
from gymform.training.exercise import comparison, experiment, records, runs
from gymform.training.exercise.corpus import Example
from gymform.training.exercise.records import TrainOptions
from gymform.types import OTHER
from tests.exercise.makers import add_clip, make_dataset
from tests.made_runs import make_accepted, make_run

OPTIONS = TrainOptions("gru", folds=1, steps=2, views=12, width=4, threads=1)


def test_a_run_is_judged_on_what_it_did_not_see(tmp_path):
    dataset = make_dataset(tmp_path / "lifts", 3)
    experiment.run_training(dataset, runs.runs_dir(dataset) / "run", OPTIONS)
    with pytest.raises(ModelDataError, match="Nothing is left to judge run by: of 6"):
        comparison.judge(dataset, "run", 1)
    with ReviewStore.open(dataset) as store:
        add_clip(store, 77, "squat", "somebody new")
        add_clip(store, 78, "row", "somebody new")
        add_clip(store, 79, "squat", "person-0")
    text = comparison.judge(dataset, "run", 1)
    assert "8 of 9 accepted repetitions are left out" in text
    assert "| squat |" in text


def test_the_shipped_model_calls_what_it_does_not_know_other(tmp_path):
    dataset = make_dataset(tmp_path / "lifts", 3)
    text = comparison.judge(dataset, comparison.ACTIVE, 1)
    assert "0 of 6 accepted repetitions are left out" in text
    assert "| other |" in text


@pytest.mark.parametrize(
    ("exercise", "classes", "label"),
    [
        ("squat", ("squat", "other"), "squat"),
        ("front_squat", ("squat", "other"), "squat"),
        ("front_squat", ("front_squat", "squat"), "front_squat"),
        ("row", ("squat", "other"), OTHER),
        ("row", ("squat", "wave"), None),
        ("other", ("squat", "wave"), None),
    ],
)
def test_what_is_no_class_is_other_or_left_out(exercise, classes, label):
    assert comparison.label_for(example(exercise=exercise), classes) == label


def example(clip="c", group="g", exercise="squat"):
    return Example("i", clip, exercise, group, 0.0, 1.0, Path("x.npz"), Path("x.mp4"), name="x.mp4")


def split_of(folder, *rows):
    lines = [",".join(row) for row in (("item_id", "clip_sha256", "class", "group", "part"), *rows)]
    (folder / runs.SPLIT).write_text("\n".join(lines) + "\n")
    return folder


def test_seen_are_the_same_clip_and_the_same_group(tmp_path):
    run = split_of(tmp_path, ("i", "clip-1", "squat", "ann", "0"))
    new = example("clip-2", "bob")
    others = [example("clip-1", "bob"), example("clip-2", "ann"), example("clip-1", "ann")]
    assert comparison.unseen([*others, new], run) == [new]


def test_a_group_that_looks_like_a_formula_is_known_again(tmp_path):
    """A CSV file holds such a name with a mark before it."""
    run = split_of(tmp_path, ("i", "clip-1", "squat", csv_safe("=ann"), "0"))
    assert comparison.unseen([example("clip-2", "=ann")], run) == []


@pytest.mark.parametrize("content", [None, b"item_id\n1\n", b"\xff\xfe"])
def test_a_damaged_split_is_not_judged_by(tmp_path, content):
    if content is not None:
        (tmp_path / runs.SPLIT).write_bytes(content)
    with pytest.raises(ModelDataError, match=r"split\.csv of the run is missing or damaged"):
        comparison.unseen([example()], tmp_path)


def test_a_run_that_is_not_done_or_damaged_has_no_classifier(tmp_path):
    make_accepted(tmp_path)
    half = make_run(tmp_path, "half", records.STOPPED)
    with pytest.raises(WeightsError, match="This training is stopped"):
        comparison.load_run(half)
    whole = make_run(tmp_path, "whole")
    (whole / "model.json").write_text("no json")
    with pytest.raises(WeightsError, match=r"model\.json of the run is missing or damaged"):
        comparison.load_run(whole)
