"""The model of a training in the app's use, and back to the embedded one."""

import pytest

from gymform.errors import WeightsError
from gymform.service.analysis_queue import Request
from gymform.training.exercise import deploy, runs
from gymform.training.exercise.records import TrainOptions
from gymform.weights import checked_path, manifest_entry


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
    entry = deploy.make_active(folder)
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
