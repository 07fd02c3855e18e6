"""Options and records of a training, to JSON and back."""

import json
from dataclasses import asdict

import pytest

from gymform.errors import OptionsError
from gymform.training.exercise.records import (
    LogRow,
    RunInfo,
    TrainOptions,
    from_plain,
    options_from,
)
from tests.made_runs import make_part


def test_options_become_arguments_and_only_those_chosen():
    assert TrainOptions().arguments() == []
    options = TrainOptions("r2plus1d", ("a", "b"), learning_curve=True, size=64)
    assert options.arguments() == ["--model", "r2plus1d", "--classes", "a,b", "--size", "64",
                                   "--learning-curve"]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [({"model": "mlp"}, "--model: expected one of tcn"), ({"folds": 2}, "--folds"),
     ({"steps": 0}, "--steps"), ({"views": 0}, "--augmented-samples"),
     ({"frames": 1}, "--frames"), ({"seed": -1}, "--seed"),
     ({"start": "mine"}, "--start: expected 'shipped'"),
     ({"start": "shipped", "model": "gru"}, "--start: only a tcn")],
)  # fmt: skip
def test_options_out_of_range_are_refused(change, words):
    with pytest.raises(OptionsError, match=words):
        TrainOptions(**change)


def test_few_repetitions_and_a_start_that_knows_something_take_fewer_steps():
    usual, short, gru = TrainOptions(), TrainOptions(start="shipped"), TrainOptions("gru")
    assert short.arguments() == ["--start", "shipped"]
    assert short.steps_for(500) == usual.steps_for(49) == usual.steps_for(50) / 4
    assert gru.steps_for(10) == gru.steps_for(500)
    assert TrainOptions(start="shipped", steps=30).steps_for(10) == 30


def test_options_from_other_values():
    assert options_from({"model": "gru", "seed": 3, "dataset": "lifts"}) == TrainOptions(
        "gru", seed=3
    )


def test_records_come_back_from_json():
    info = RunInfo("one", "lifts", TrainOptions(classes=("a", "b")), "done", "2026-01-01T00:00:00Z",
                   clips={"a": 3})  # fmt: skip
    part = make_part(("squat", "lunge"), ("squat", "squat"), (0.9, 0.6))
    for one in (info, part, LogRow(1, 20, 0.5), LogRow(1, 20, 0.5, 0.6, 0.7)):
        assert from_plain(type(one), json.loads(json.dumps(asdict(one)))) == one
