"""Trainings from end to end on a tiny data set: trained, stopped, resumed, made active."""

from dataclasses import replace

import pytest

from gymform.errors import ModelDataError, OptionsError
from gymform.exercise import classifier as clf
from gymform.training.exercise import deploy, experiment, records, runs
from gymform.training.exercise.records import TrainOptions
from tests.exercise.makers import make_dataset

OPTIONS = TrainOptions("gru", folds=1, steps=2, views=12, width=4, threads=1)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("data") / "lifts", 3)


@pytest.fixture(scope="module")
def run(dataset):
    """The folder of a finished training."""
    folder = runs.runs_dir(dataset) / "first"
    assert experiment.run_training(dataset, folder, OPTIONS)
    return folder


def test_a_run_writes_all_its_files(dataset, run):
    info = runs.read_run(run)
    assert (info.state, info.classes, info.fraction) == (records.DONE, ("squat", "wave"), 1.0)
    assert info.clips == info.groups == {"squat": 3, "wave": 3}
    report = runs.read_report(run)
    assert report.parts[records.TEST].clips == 2
    assert {answer.truth for answer in report.answers} == {"squat", "wave"}
    assert report.timing.ms_per_clip > 0
    assert report.parameters > 1000
    text = (run / "report.md").read_text()
    for words in ("# gru on lifts", "## Test (2)", "## Validation", "macro average", "## By how it",
                  "python -m gymform train DATASET --model gru"):  # fmt: skip
        assert words in text
    assert str(dataset.parent) not in text
    assert len((run / runs.SPLIT).read_text().splitlines()) == 7
    assert {row.fold for row in runs.read_log(run)} == {1, 2}


def test_the_same_seed_gives_the_same_numbers(dataset, run):
    again = runs.runs_dir(dataset) / "second"
    report = experiment.run_training(dataset, again, OPTIONS)
    first = runs.read_report(run)
    assert replace(report, run="", timing=first.timing) == replace(first, run="")
    log = [(folder / "log.csv").read_text() for folder in (run, again)]
    assert log[0] == log[1]


def test_a_training_may_start_from_the_model_that_came_with_gymform(dataset):
    folder = runs.runs_dir(dataset) / "started"
    options = TrainOptions(folds=1, steps=2, views=12, threads=1, start="shipped")
    report = experiment.run_training(dataset, folder, options)
    assert report.started_from == "exercise-tcn"
    assert runs.read_report(folder) == report
    assert "--start shipped" in report.command


def test_a_stop_leaves_a_readable_run_that_can_be_resumed(dataset, monkeypatch):
    folder = runs.runs_dir(dataset) / "stopped"
    begun = runs.Recorder.begin_fold

    def begin(recorder, fold):
        begun(recorder, fold)
        if fold == 2:
            (folder / "stop").touch()

    with monkeypatch.context() as patch:
        patch.setattr(runs.Recorder, "begin_fold", begin)
        assert experiment.run_training(dataset, folder, OPTIONS) is None
    info = runs.read_run(folder)
    assert (info.state, runs.has_report(folder)) == (records.STOPPED, False)
    assert {row.fold for row in runs.read_log(folder)} == {1, 2}
    experiment.run_training(dataset, folder, OPTIONS)
    assert runs.read_run(folder).state == records.DONE
    log = [(row.fold, row.step) for row in runs.read_log(folder)]
    assert len(log) == len(set(log))


def test_a_stop_counts_while_samples_are_augmented(dataset, monkeypatch):
    folder = runs.runs_dir(dataset) / "early"
    monkeypatch.setattr(runs.Recorder, "stop_requested", True)
    assert experiment.run_training(dataset, folder, replace(OPTIONS, seed=9)) is None
    info = runs.read_run(folder)
    assert (info.state, info.stage, runs.read_log(folder)) == (records.STOPPED, "", [])


def test_too_little_data_fails_with_a_message(dataset):
    folder = runs.runs_dir(dataset) / "refused"
    with pytest.raises(ModelDataError):
        experiment.run_training(dataset, folder, replace(OPTIONS, classes=("row",)))
    assert "got row." in runs.read_run(folder).message
    runs.delete_run(folder)


def test_a_run_on_keypoints_becomes_the_app_s_classifier(run):
    entry = deploy.make_active(run, even_if_doubtful=True)  # trained for a moment
    classifier = clf.load_classifier()
    assert (classifier.sha256, classifier.classes) == (entry.sha256, ("squat", "wave"))
    assert classifier.settings.family == "gru"
    deploy.make_default_active()
    assert clf.load_classifier().name != entry.name


def test_pixels_too_are_trained_and_judged(tmp_path):
    dataset = make_dataset(tmp_path / "lifts", 3, video=True)
    options = TrainOptions("frame-cnn", folds=1, steps=2, width=4, frames=2, size=32, threads=1)
    report = experiment.run_training(dataset, runs.runs_dir(dataset) / "pixels", options)
    assert report.model == "frame-cnn"
    assert report.timing.ms_per_clip > 0


def test_other_options_in_the_same_folder_are_refused(dataset, run):
    with pytest.raises(OptionsError, match="other options"):
        experiment.run_training(dataset, run, replace(OPTIONS, seed=1))
