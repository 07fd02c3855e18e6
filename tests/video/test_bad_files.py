"""Whatever is no usable video gives the error that is due, with a text for the user."""

import os
import re
import time
from pathlib import Path

import pytest

from gymform.errors import GymformError, NotAVideoError, VideoError
from gymform.video.read import probe, read_frames
from tests.corpus.bad import BAD, ODD
from tests.corpus.clips import make_good

ENDS = re.compile(r"[.!]$")


def check_text(error: GymformError, folder) -> None:
    text = str(error)
    assert ENDS.search(text), "a sentence"
    assert 20 < len(text) < 250
    assert str(folder) not in text
    for foreign in ("Errno", "av_", "Traceback", "avcodec", "InvalidData", "Error"):
        assert foreign not in text


def test_there_are_enough_kinds():
    assert len(BAD) >= 20
    assert len(BAD) + len(ODD) >= 150


@pytest.mark.parametrize("name", BAD)
def test_bad_files_give_the_error_that_is_due(tmp_path, name, capfd):
    path = BAD[name].make(tmp_path)
    capfd.readouterr()
    start = time.perf_counter()
    with pytest.raises(BAD[name].error) as probed:
        probe(path)
    with pytest.raises(BAD[name].error) as decoded, read_frames(path) as frames:
        list(frames)
    assert time.perf_counter() - start < 10
    check_text(probed.value, tmp_path)
    assert str(probed.value) == str(decoded.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ODD)
def test_odd_files_give_an_error_or_a_clip_that_works(tmp_path, name, capfd):
    path = ODD[name](tmp_path)
    capfd.readouterr()
    start = time.perf_counter()
    try:
        clip = probe(path)
        with read_frames(path) as frames:
            decoded = [frame.rgb.shape for frame in frames]
    except VideoError as error:
        check_text(error, tmp_path)
    else:
        assert set(decoded) == {(clip.height, clip.width, 3)}
        assert len(decoded) <= clip.frames
        assert len(decoded) == clip.frames or frames.problems
    assert time.perf_counter() - start < 10
    assert capfd.readouterr() == ("", "")
    assert [found for found in tmp_path.iterdir() if found != path] == []


@pytest.mark.parametrize("tenths", range(1, 10))
@pytest.mark.parametrize(
    "name", ["moov_in_front", "fragmented", "vp8_webm", "h264_mkv", "mpeg4_avi"]
)
def test_a_cut_clip_says_that_it_is_cut(tmp_path, name, tenths):
    path = ODD[f"{name}_cut_{tenths}"](tmp_path)
    try:
        clip = probe(path)
    except VideoError:
        assert tenths <= 4, "the larger part should be usable"
    else:
        assert clip.frames < 90
        assert clip.duration_s < 3
        assert clip.duration_s > 2.7 or any(
            re.search("ends early|cut off", problem) for problem in clip.problems
        )


def test_a_missing_file_is_told_without_its_place(tmp_path):
    with pytest.raises(VideoError, match="Missing file") as caught:
        probe(tmp_path / "nothing.mp4")
    check_text(caught.value, tmp_path)


def test_a_folder_and_a_pipe_are_no_videos(tmp_path):
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    for path in (tmp_path, pipe):
        with pytest.raises(NotAVideoError, match="folder or a device"):
            probe(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read(tmp_path):
    path = make_good("h264_mp4", tmp_path)
    path.chmod(0)
    with pytest.raises(VideoError, match="cannot be read"):
        probe(path)


@pytest.mark.parametrize(
    "name",
    ["concat:a|b.mp4", "-i.mp4", "%03d.mp4", "http:x.mp4", "a b\nc.mp4", "\U0001f3cb.mp4", "x"],
)
def test_odd_names_are_only_names(tmp_path, monkeypatch, name):
    path = make_good("h264_mp4", tmp_path).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert probe(path).frames == probe(Path(name)).frames == 12


def test_a_name_with_a_nul_is_refused():
    with pytest.raises(VideoError):
        probe(Path("a\0b.mp4"))


def test_hostile_metadata_is_no_reason_to_fail(tmp_path):
    path = make_good("h264_mp4", tmp_path)
    content = path.read_bytes()
    assert b"Lavf" in content
    path.write_bytes(content.replace(b"Lavf", b"\xff\xfe\xff\xc0"))
    assert probe(path).frames == 12
