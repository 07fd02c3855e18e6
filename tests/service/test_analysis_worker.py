"""The worker's real work with a fake network: everything that a page shows is written."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from gymform import analysis, analysis_io
from gymform.errors import Cancelled
from gymform.installation import child_environment
from gymform.service.analysis_worker import FIRST, PROXY, STEM, analyse_clip, annotated_video
from gymform.service.summary import SUMMARY, THUMBNAIL, picture_of
from gymform.video import write
from gymform.video.read import probe, read_frames
from gymform.video.write import VideoWriter
from tests import fakes

FRAMES = 12


@pytest.fixture(name="request_")
def _request(tmp_path, monkeypatch) -> dict[str, Any]:
    """A request for a small clip; what the analysis was asked for is in its ``asked``."""
    path = tmp_path / "clip.mp4"
    made = fakes.make_analysis(FRAMES)
    width, height = made.pose.image_size
    with VideoWriter(path, width=width, height=height, fps=30) as writer:
        for time_s in made.pose.time_s:
            writer.write(np.zeros((height, width, 3), np.uint8), float(time_s))
    target = analysis.Target(0.1, box=(1.0, 2.0, 30.0, 40.0))
    options = fakes.make_options(flip_test=True, target=target)
    request: dict[str, Any] = {"path": str(path), "name": "lift.mp4"}
    request["options"] = dataclasses.asdict(options)

    def analyze(source, given, *, name, progress, on_first):
        request["asked"] = (source, given == options, name)
        on_first(made)
        progress("pose", 1, 1)
        return made

    monkeypatch.setattr(analysis, "analyze", analyze)
    return request


def test_everything_that_the_page_shows_is_there(request_, tmp_path):
    folder, heard = tmp_path / "result", []
    folder.mkdir()
    analyse_clip(request_, folder, lambda *told: heard.append(told))
    assert request_["asked"] == (tmp_path / "clip.mp4", True, "lift.mp4")
    files = analysis_io.Artifacts.of(folder, STEM)
    named = [getattr(files, field.name) for field in dataclasses.fields(files)]
    named.remove(files.overlay)  # drawn when somebody asks for it
    assert {path.name for path in folder.iterdir()} == {
        path.name for path in [*named, folder / PROXY]
    } | {SUMMARY, THUMBNAIL, picture_of(0)}
    assert probe(folder / PROXY).frames == FRAMES
    with read_frames(folder / PROXY) as frames, read_frames(tmp_path / "clip.mp4") as source:
        assert [f.time_s for f in frames] == pytest.approx([f.time_s for f in source], abs=1e-4)
    assert [told[0] for told in heard if told[1] == told[2]] == ["first", "pose", "proxy"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory")
@pytest.mark.parametrize("part", ["save", "transcode"])
def test_what_it_writes_is_limited_in_memory_too(request_, tmp_path, monkeypatch, part):
    module = {"save": analysis_io, "transcode": write}[part]
    real = getattr(module, part)

    def hungry(*arguments, **named):
        if FIRST in str(arguments[-1]):  # the first answer is not what is tried here
            return real(*arguments, **named)
        return np.empty(8 * 1024**3, np.uint8)

    monkeypatch.setattr(module, part, hungry)
    with pytest.raises(MemoryError):
        analyse_clip(request_, tmp_path, lambda *_: None)


@pytest.mark.parametrize("stage", ["pose", "proxy"])
def test_it_can_be_cancelled_in_every_stage(request_, tmp_path, stage):
    def progress(now: str, done: int, total: int) -> None:
        if now == stage:
            raise Cancelled("enough")

    folder = tmp_path / "result"
    folder.mkdir()
    with pytest.raises(Cancelled):
        analyse_clip(request_, folder, progress)
    assert not (folder / PROXY).exists()
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_the_first_answer_can_be_read_until_the_last_one_is_there(request_, tmp_path):
    folder, read = tmp_path / "result", []
    folder.mkdir()

    def progress(stage: str, _done: int, _total: int) -> None:
        if stage == FIRST:
            read.append(analysis_io.load(folder / FIRST, STEM))

    analyse_clip(request_, folder, progress)
    [first] = read
    assert first.prediction.label == analysis_io.load(folder, STEM).prediction.label
    assert not (folder / FIRST).exists()


def test_the_annotated_video_is_drawn_once_when_asked_for(request_, tmp_path):
    folder = tmp_path / "result"
    folder.mkdir()
    analyse_clip(request_, folder, lambda *_: None)
    result = analysis_io.load(folder, STEM)
    path = annotated_video(result, folder)
    assert probe(path).frames == len(result.pose)
    made = path.stat().st_mtime_ns
    assert annotated_video(result, folder) == path
    assert path.stat().st_mtime_ns == made


# --- known keypoints, another model --------------------------------------------------------------


@pytest.fixture(name="known")
def _known(request_, tmp_path):
    """A finished result."""
    folder = tmp_path / "known"
    folder.mkdir()
    analyse_clip(request_, folder, lambda *_: None)
    return folder


@pytest.fixture(name="other_model")
def _other_model(monkeypatch):
    """Another exercise model is in use: it calls everything a snatch."""
    prediction = fakes.make_prediction("snatch", 0.77, model_sha256="e" * 64)
    asked = []

    def judge(pose, model, slow_motion):
        asked.append(model)
        real = analysis.measure(pose, prediction, slow_motion)
        return real[0], real[1], prediction, real[2]

    monkeypatch.setattr(analysis, "judge", judge)
    monkeypatch.setattr("gymform.exercise.classifier.load_classifier", lambda: "the other")
    return asked


def test_known_keypoints_are_judged_by_the_new_model_without_an_analysis(
    request_, known, other_model, tmp_path, monkeypatch
):
    def analyze(*_, **__):
        raise AssertionError("the clip is analysed again")

    monkeypatch.setattr(analysis, "analyze", analyze)
    folder = tmp_path / "again"
    folder.mkdir()
    analyse_clip(request_ | {"known": str(known)}, folder, lambda *_: None)
    before, after = (analysis_io.load(one, STEM) for one in (known, folder))
    assert other_model == ["the other"]
    assert after.prediction.label == "snatch"
    assert before.prediction.label != "snatch"
    np.testing.assert_array_equal(after.pose.xy, before.pose.xy)
    pictures = {picture_of(number) for number in range(len(after.form.repetitions))}
    kept = {name for name in names(known) if not name.startswith("repetition-")}
    assert names(folder) == kept | pictures


def test_a_plate_that_was_shown_is_followed_without_an_analysis(
    request_, known, other_model, tmp_path, monkeypatch
):
    """Only the bar is looked for, and what it says is in the repetitions."""
    asked = []

    def follow_bar(path, pose, **how):
        asked.append(how["mark"])
        return fakes.make_bar(len(pose), time_s=pose.time_s, marked=True)

    monkeypatch.setattr(analysis, "analyze", lambda *_, **__: pytest.fail("analysed again"))
    monkeypatch.setattr(analysis, "follow_bar", follow_bar)
    plate = (0.2, 30.0, 40.0, 12.0)
    options = request_["options"] | {"plate": plate}
    folder = tmp_path / "again"
    folder.mkdir()
    analyse_clip(request_ | {"known": str(known), "options": options}, folder, lambda *_: None)
    assert asked == [plate]
    found = analysis_io.load(folder, STEM)
    assert found.bar is not None
    assert found.bar.marked


def names(folder):
    """The names of a folder's files."""
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("lost", ["clip.npz", "clip.json", PROXY])
def test_a_known_result_that_cannot_be_read_is_analysed_anew(
    request_, known, other_model, tmp_path, lost
):
    (known / lost).unlink()
    folder = tmp_path / "again"
    folder.mkdir()
    analyse_clip(request_ | {"known": str(known)}, folder, lambda *_: None)
    assert analysis_io.load(folder, STEM).prediction.label != "snatch"
    assert (folder / PROXY).is_file()


@pytest.mark.parametrize("said", [b"\n", b"not JSON\n", b"[]\n", b'{"do": "cancel"}\n', b"\xff\n"])
def test_a_worker_that_hears_no_request_ends(said):
    """It would be deaf, and wait for ever."""
    command = [sys.executable, "-m", "gymform.service.analysis_worker", "tests.work:scripted"]
    done = subprocess.run(
        command, input=said, capture_output=True, check=False, env=child_environment(), timeout=100
    )
    assert done.returncode == 1
    assert b"what came is no request" in done.stderr
