"""The worker's real work with a fake network: everything that a page shows is written."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from gymform import analysis, analysis_io
from gymform.errors import Cancelled
from gymform.service.analysis_worker import PROXY, STEM, analyse_clip
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

    def analyze(source, given, *, name, progress):
        request["asked"] = (source, given == options, name)
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
    assert {path.name for path in folder.iterdir()} == {
        path.name for path in [*named, folder / PROXY]
    }
    assert probe(folder / PROXY).frames == FRAMES
    with read_frames(folder / PROXY) as frames, read_frames(tmp_path / "clip.mp4") as source:
        assert [f.time_s for f in frames] == pytest.approx([f.time_s for f in source], abs=1e-4)
    assert [told[0] for told in heard if told[1] == told[2]] == ["pose", "draw", "proxy"]


@pytest.mark.parametrize("stage", ["pose", "draw", "proxy"])
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
