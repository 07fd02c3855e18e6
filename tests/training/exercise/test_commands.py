"""The commands train and evaluate: from options to a run, a table, an exit code."""

import argparse
from pathlib import Path

import pytest

from gymform import cli
from gymform.training.exercise import commands, deploy, experiment, records, runs
from gymform.training.exercise.records import TrainOptions
from tests.exercise.makers import make_dataset
from tests.made_runs import make_accepted, make_run

OPTIONS = TrainOptions("gru", folds=1, steps=2, views=12, width=4, threads=1)


def parse(command, *arguments):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(["lifts", *arguments])


def test_train_and_evaluate_at_the_terminal(tmp_path, capsys):
    dataset = make_dataset(tmp_path / "lifts", 3)
    out = runs.runs_dir(dataset) / "cli"
    arguments = ["train", str(dataset), "--out", str(out), *OPTIONS.arguments()]
    assert cli.main(arguments) == 0
    assert "| cli | gru | 2 | 2 |" in capsys.readouterr().out
    assert cli.main(["evaluate", str(dataset)]) == 0
    table = capsys.readouterr().out
    assert "| cli | gru |" in table
    assert table.strip() == (runs.runs_dir(dataset) / "comparison.md").read_text().strip()


def test_evaluate_says_that_there_is_nothing_to_compare(tmp_path, capsys):
    assert cli.main(["evaluate", str(make_dataset(tmp_path / "new", 1))]) == 1
    assert "No training on this data set is done yet" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--augmented-samples", "--views"])
def test_the_earlier_name_of_an_option_still_works(option):
    parser = argparse.ArgumentParser()
    commands.TRAIN.add_arguments(parser)
    values = vars(parser.parse_args(["lifts", option, "40"]))
    assert records.options_from(values).arguments() == ["--augmented-samples", "40"]


def test_every_option_of_a_training_can_be_given():
    options = TrainOptions("stgcn", ("squat", "other"), 3, 7, 5, 6, 40, 4, 64, True, 1)
    assert records.options_from(vars(parse(commands.TRAIN, *options.arguments()))) == options
    assert records.options_from(vars(parse(commands.TRAIN))) == TrainOptions()


@pytest.mark.parametrize(
    ("text", "names"), [("a,b", ("a", "b")), (" front squat , b,", ("front squat", "b")), ("", ())]
)
def test_classes_are_a_list_with_commas(text, names):
    assert parse(commands.TRAIN, "--classes", text).classes == names


def test_an_unknown_model_is_refused_with_those_there_are(capsys):
    with pytest.raises(SystemExit):
        parse(commands.TRAIN, "--model", "transformer")
    told = capsys.readouterr().err
    assert all(name in told for name in records.MODELS)


@pytest.mark.parametrize("out", [None, Path("elsewhere")])
def test_a_run_lies_where_it_was_asked_to_or_beside_the_data(tmp_path, monkeypatch, out):
    asked = []
    monkeypatch.setattr(experiment, "run_training", lambda *given: asked.append(given))
    options = parse(commands.TRAIN, "--model", "gru", *(["--out", str(out)] if out else []))
    options.dataset = str(tmp_path)
    commands.TRAIN.run(options)
    ((dataset, folder, chosen),) = asked
    assert dataset == tmp_path
    assert chosen.model == "gru"
    assert folder == (out or runs.runs_dir(tmp_path) / folder.name)
    assert out or folder.name.endswith("gru")


def test_a_stopped_training_says_how_it_goes_on(monkeypatch, capsys):
    monkeypatch.setattr(experiment, "run_training", lambda *given: None)
    assert commands.TRAIN.run(parse(commands.TRAIN)) == commands.FAILED
    assert "The same command with the same --out resumes" in capsys.readouterr().out


def test_trainings_that_are_not_done_are_not_compared(tmp_path, capsys):
    make_accepted(tmp_path)
    make_run(tmp_path, "half", records.STOPPED)
    assert cli.main(["evaluate", str(tmp_path)]) == commands.FAILED
    make_run(tmp_path, "whole")
    assert cli.main(["evaluate", str(tmp_path)]) == commands.OK
    table = capsys.readouterr().out
    assert "| whole |" in table
    assert "| half |" not in table


# --- deploy -------------------------------------------------------------------------------------


@pytest.fixture(name="lifts")
def _lifts(tmp_path):
    dataset = make_accepted(tmp_path / "lifts")
    make_run(dataset, "first", started_at="2026-11-24T10:00:00.000+00:00")
    make_run(dataset, "second", started_at="2026-11-25T10:00:00.000+00:00")
    make_run(dataset, "third", records.STOPPED, started_at="2026-11-26T10:00:00.000+00:00")
    return dataset


def test_the_latest_training_that_is_done_is_taken_into_use_and_back(lifts, capsys):
    assert cli.main(["deploy", str(lifts)]) == cli.OK
    assert "In use now: run-second" in capsys.readouterr().out
    assert cli.main(["deploy", str(lifts), "first"]) == cli.OK
    assert deploy.active_model().name == "run-first"
    assert cli.main(["deploy", "--default"]) == cli.OK
    assert deploy.active_model().embedded


def test_a_model_no_better_than_guessing_needs_to_be_asked_for_twice(lifts, capsys, monkeypatch):
    monkeypatch.setattr(deploy, "why_doubtful", lambda folder: "It is no better than guessing.")
    assert cli.main(["deploy", str(lifts)]) == cli.FAILED
    told = capsys.readouterr()
    assert "no better than guessing" in told.err
    assert "--even-if-doubtful" in told.out
    assert deploy.active_model().embedded
    assert cli.main(["deploy", str(lifts), "--even-if-doubtful"]) == cli.OK
    assert deploy.active_model().name == "run-second"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["third"], "Expected a training that is done (second, first), got third"),
        (["none"], "got none"),
    ],
)
def test_only_what_is_done_is_taken_into_use(lifts, capsys, words, told):
    assert cli.main(["deploy", str(lifts), *words]) == cli.FAILED
    assert told in capsys.readouterr().err


def test_deploy_needs_a_data_set(capsys):
    assert cli.main(["deploy"]) == cli.FAILED
    assert "Expected a DATASET" in capsys.readouterr().err


def test_a_training_says_beforehand_what_is_few_and_how_long_it_takes(tmp_path, capsys):
    dataset = make_dataset(tmp_path / "lifts", 3)
    commands._advise(dataset, OPTIONS)
    told = capsys.readouterr().err
    assert "squat: 3 repetitions of 3 people or sources are few" in told
    assert "it is likely to take about 1 min" in told


def test_the_estimate_follows_the_last_training_here(lifts):
    options = TrainOptions("tcn", folds=5, steps=300)
    # made-up runs took 154 s for 5 folds of 300 steps
    assert runs.estimate_s(lifts, options, 0) == pytest.approx(154 / 5 * 6)
    longer = TrainOptions("tcn", folds=5, steps=600)
    assert runs.estimate_s(lifts, longer, 0) == pytest.approx(2 * 154 / 5 * 6)
    other = TrainOptions("gru", folds=1)
    assert runs.estimate_s(lifts, other, 10) == pytest.approx(0.6 * 10 + 800 * 2 * 0.12)
