"""The model of a training in the app's use, and back to the embedded one."""

from dataclasses import replace

import pytest

from gymform.errors import WeightsError
from gymform.service.analysis_queue import Request
from gymform.training.exercise import deploy, records, runs
from gymform.training.exercise.records import TrainOptions
from gymform.weights import checked_path, manifest_entry
from tests import made_runs


@pytest.fixture
def folder(tmp_path):
    """A finished run."""
    dataset = tmp_path / "lifts"
    folder = runs.runs_dir(dataset) / "one"
    with runs.record(folder, dataset, TrainOptions("gru")):
        pass
    return folder


def test_a_run_becomes_the_active_model_and_the_keys_follow(folder, tmp_path):
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "model.json").write_text('{"classes": ["squat"]}')
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"clip")
    from gymform.analysis import Options

    request = Request(clip, "clip.mp4", Options())
    before, shipped = request.key(), deploy.active_model()
    entry = deploy.make_active(folder, even_if_doubtful=True)
    assert (entry.name, entry.embedded) == ("run-one", False)
    assert manifest_entry(None, "exercise").sha256 == entry.sha256
    assert deploy.is_active(folder)
    assert request.key() != before
    entry.path.unlink()
    with pytest.raises(WeightsError, match=r"run-one\.safetensors is missing\. Choose another"):
        checked_path(entry)
    assert deploy.make_default_active() == shipped
    assert request.key() == before
    assert not deploy.is_active(folder)


def test_a_family_on_pixels_cannot_be_active(tmp_path):
    folder = runs.runs_dir(tmp_path) / "pixels"
    with runs.record(folder, tmp_path, TrainOptions("frame-cnn")):
        pass
    with pytest.raises(WeightsError, match="keypoints only"):
        deploy.make_active(folder)


def test_a_run_without_a_model_cannot_be_active(folder):
    with pytest.raises(WeightsError, match="only one that is done"):
        deploy.make_active(folder)


# --- no better than guessing --------------------------------------------------------------------


def with_accuracy(dataset, name, right, of, largest):
    """A finished run that was right in ``right`` of ``of`` test clips, ``largest`` of one class."""
    folder = made_runs.make_run(dataset, name)
    report = made_runs.make_report(dataset, name)
    test = report.parts[records.TEST]
    first, *rest = test.rows
    rows = (replace(first, support=largest), *(replace(row, support=0) for row in rest))
    part = replace(test, clips=of, accuracy=right / max(1, of), rows=rows)
    made_runs.write_report(folder, replace(report, parts=report.parts | {records.TEST: part}))
    return folder


@pytest.mark.parametrize(
    ("right", "of", "largest", "words"),
    [
        (90, 100, 50, ""),
        (50, 100, 50, "no better than guessing: right in 50%"),
        (30, 100, 50, "no better than guessing: right in 30%"),
        (55, 100, 50, "may be no better than guessing"),
        (9, 10, 6, "may be no better than guessing"),
        (0, 0, 0, "No clip was left to test on"),
    ],
)
def test_a_model_is_held_against_always_naming_the_largest_class(
    tmp_path, right, of, largest, words
):
    dataset = made_runs.make_accepted(tmp_path / "lifts")
    folder = with_accuracy(dataset, "one", right, of, largest)
    doubt = deploy.why_doubtful(folder)
    assert bool(doubt) == bool(words)
    assert words in doubt


def test_a_doubtful_model_is_taken_into_use_only_when_somebody_insists(tmp_path):
    dataset = made_runs.make_accepted(tmp_path / "lifts")
    folder = with_accuracy(dataset, "one", 50, 100, 50)
    with pytest.raises(WeightsError, match="no better than guessing"):
        deploy.make_active(folder)
    assert not deploy.is_active(folder)
    deploy.make_active(folder, even_if_doubtful=True)
    assert deploy.is_active(folder)


def test_without_a_report_nothing_is_known(tmp_path):
    folder = made_runs.make_run(made_runs.make_accepted(tmp_path / "lifts"), "one")
    (folder / "report.json").unlink()
    assert "nothing is known" in deploy.why_doubtful(folder)
