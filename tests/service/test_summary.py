"""What the history keeps of an analysis."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gymform.service.summary import (
    MAX_SUMMARY_BYTES,
    SUMMARY,
    THUMBNAIL,
    picture_of,
    read_summary,
    summarise,
    write_summary,
)
from gymform.video.write import VideoWriter
from tests import fakes


@pytest.fixture(name="clip")
def _clip(tmp_path):
    """A film as long as the fake analysis, all grey."""
    path = tmp_path / "clip.mp4"
    with VideoWriter(path, width=360, height=480, fps=30) as writer:
        for frame in range(90):
            writer.write(np.full((480, 360, 3), 90, np.uint8), frame / 30)
    return path


def test_figures_and_moments_of_every_repetition():
    found = summarise(fakes.make_analysis())
    assert found["exercise"] == "squat"
    assert found["verdict"] == "Squat, 1 repetition: above parallel."
    assert found["frames"] == 90
    (rep,) = found["repetitions"]
    assert rep["main"] == "bottom"
    assert rep["moments"]["bottom"] == pytest.approx(1.48, abs=0.1)
    assert rep["measures"] == {"thigh_below_level": -20.0}
    assert "asymmetry" not in rep["measures"]  # it was filmed from the side
    assert list(rep["moments"].values()) == sorted(rep["moments"].values())


def test_from_the_front_the_summary_says_how_even_both_sides_are():
    analysis = fakes.make_analysis()
    front = replace(analysis, form=replace(analysis.form, turned=10.0))
    assert summarise(front)["repetitions"][0]["measures"]["asymmetry"] > 0


def test_the_summary_has_the_loss_of_the_set():
    analysis = fakes.make_analysis()
    assert summarise(analysis)["set"] is None
    slower = replace(analysis, form=replace(analysis.form, set_speed=fakes.make_set_speed()))
    assert summarise(slower)["set"] == {"loss": 30.0, "by": "hands"}


def test_it_is_written_with_its_pictures_and_read_again(clip, tmp_path):
    analysis = fakes.make_analysis()
    written = write_summary(analysis, tmp_path, clip)
    assert read_summary(tmp_path) == written == summarise(analysis)
    for name in (THUMBNAIL, picture_of(0)):
        assert (tmp_path / name).read_bytes()[:3] == b"\xff\xd8\xff"


def test_a_film_that_cannot_be_read_costs_only_the_pictures(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"no film")
    write_summary(fakes.make_analysis(), tmp_path, tmp_path / "clip.mp4")
    assert read_summary(tmp_path)["exercise"] == "squat"
    assert not (tmp_path / THUMBNAIL).exists()


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b"{" + b" " * MAX_SUMMARY_BYTES + b"}"])
def test_what_is_no_summary_is_none(tmp_path, content):
    (tmp_path / SUMMARY).write_bytes(content)
    assert read_summary(tmp_path) == {}
    assert read_summary(tmp_path / "nowhere") == {}
