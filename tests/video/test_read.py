"""Every kind of good clip is read in full, upright, with its own times."""

import hashlib
import os
import subprocess
import sys
import weakref
from fractions import Fraction

import av
import numpy as np
import pytest

from gymform import limits
from gymform.errors import TooLongError, VideoError
from gymform.video import clock as clock_module
from gymform.video import read
from gymform.video import source as source_module
from gymform.video.read import Frame, probe, read_frames
from tests.corpus.bad import long_bytes
from tests.corpus.clips import (
    CODEC_NAMES,
    GOOD,
    H264,
    MJPEG,
    MPEG4,
    VP8,
    is_upright,
    make_good,
    picture,
    read_number,
    steady,
    write_clip,
)
from tests.corpus.mutate import mutants

ROUNDING_S = 0.00051
"""WebM and MKV count whole milliseconds."""

CUT_BY_EDIT_LIST = {"starts_early": 3}
"""Clips whose edit list hides that many frames at the start."""


def everything(path, **options) -> tuple[list[Frame], tuple[str, ...]]:
    with read_frames(path, **options) as frames:
        return list(frames), frames.problems


@pytest.mark.parametrize("name", GOOD)
def test_good_clips_are_read_in_full(tmp_path, name):
    recipe, path = GOOD[name], make_good(name, tmp_path)
    clip = probe(path)
    frames, problems = everything(path)

    hidden = CUT_BY_EDIT_LIST.get(name, 0)
    numbers = list(range(hidden, len(recipe.times)))
    assert [read_number(frame.rgb) for frame in frames] == numbers
    assert [frame.index for frame in frames] == list(range(len(numbers)))
    assert all(is_upright(frame.rgb) for frame in frames)
    times = np.array([frame.time_s for frame in frames])
    assert times[0] == 0
    assert times == pytest.approx(np.array(recipe.times[hidden:]) - recipe.times[hidden], abs=1e-3)

    assert clip.codec == CODEC_NAMES[recipe.encoder]
    assert f".{clip.container}" == recipe.suffix
    assert clip.frames == len(frames)
    assert (clip.height, clip.width) == frames[0].rgb.shape[:2]
    assert clip.rotation == recipe.rotation
    step = times[-1] / (len(times) - 1) if len(times) > 1 else 1 / 30
    assert clip.duration_s == pytest.approx(times[-1] + step, abs=ROUNDING_S)
    assert clip.fps == pytest.approx(clip.frames / clip.duration_s)
    assert clip.problems == problems
    assert bool(problems) == (recipe.suffix == ".avi")


def test_probe_tells_file_and_name(tmp_path):
    path = make_good("h264_mp4", tmp_path)
    clip = probe(path)
    assert clip.name == "h264_mp4.mp4"
    assert probe(path, "My squat.MOV").name == "My squat.MOV"
    assert clip.bytes == path.stat().st_size
    assert clip.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_avi_says_that_its_times_are_made_up(tmp_path):
    clip = probe(make_good("mpeg4_avi_b_frames", tmp_path))
    assert clip.problems == (
        "AVI files store no time stamps: the stated rate of 30 frames a second was used.",
    )


def test_colours_survive(tmp_path):
    frames, _ = everything(make_good("hevc_10bit_mov", tmp_path))
    assert np.abs(frames[3].rgb.astype(int) - picture(3)).mean() < 6


# --- options ------------------------------------------------------------------------------------


@pytest.mark.parametrize("rotation", [0, 90])
def test_max_side_shrinks_at_once(tmp_path, rotation):
    path = write_clip(tmp_path / "clip.mp4", H264.but(rotation=rotation, size=(256, 192)))
    with read_frames(path, max_side=64) as frames:
        assert frames.scale == pytest.approx(0.25)
        assert (frames.width, frames.height) == (64, 48)
        assert frames.source_size == (256, 192)
        for number, frame in enumerate(frames):
            assert frame.rgb.shape == (48, 64, 3)
            assert frame.rgb.flags.c_contiguous
            assert read_number(frame.rgb) == number
            assert is_upright(frame.rgb)


def test_max_side_never_enlarges(tmp_path):
    with read_frames(make_good("h264_mp4", tmp_path), max_side=4000) as frames:
        assert frames.scale == 1
        assert next(frames).rgb.shape == (96, 128, 3)


def test_keep_is_asked_once_for_each_frame_and_obeyed(tmp_path):
    asked = []

    def keep(index: int, time_s: float) -> bool:
        asked.append((index, time_s))
        return index % 5 == 2

    frames, _ = everything(make_good("uneven_mp4", tmp_path), keep=keep)
    assert [frame.index for frame in frames] == [2, 7]
    assert [index for index, _ in asked] == list(range(10))
    assert [time_s for _, time_s in asked] == pytest.approx(GOOD["uneven_mp4"].times)
    assert [frame.time_s for frame in frames] == [asked[2][1], asked[7][1]]


def test_frames_that_are_not_kept_are_not_converted(tmp_path, monkeypatch):
    path = make_good("h264_mp4", tmp_path)
    converted = []
    original = read.VideoReformatter

    class Counting:
        def __init__(self) -> None:
            self._reformatter = original()

        def reformat(self, frame, **options):
            converted.append(frame.pts)
            return self._reformatter.reformat(frame, **options)

    monkeypatch.setattr(read, "VideoReformatter", Counting)
    frames, _ = everything(path, keep=lambda index, _: index == 4)
    assert len(frames) == len(converted) == 1


def test_a_stream_left_early_closes_and_its_frames_stay(tmp_path):
    path = make_good("h264_mp4", tmp_path)
    with read_frames(path) as frames:
        first = next(frames)
    assert read_number(first.rgb) == 0
    assert list(frames) == []
    path.unlink()


# --- damage inside ------------------------------------------------------------------------------


def remuxed(source, target, change) -> None:
    """Copy the packets of ``source``; ``change(index, packet)`` may return others or None."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        template = old.streams.video[0]
        stream = new.add_stream_from_template(template)
        for index, packet in enumerate(old.demux(template)):
            if packet.size == 0:
                continue
            packet = change(index, packet)
            if packet is not None:
                packet.stream = stream
                new.mux(packet)


def with_content(packet: av.Packet, content: bytes) -> av.Packet:
    other = av.Packet(content)
    other.pts, other.dts, other.time_base = packet.pts, packet.dts, packet.time_base
    other.duration, other.is_keyframe = packet.duration, packet.is_keyframe
    return other


def test_damaged_frames_are_left_out_and_told(tmp_path):
    whole = write_clip(tmp_path / "whole.mov", MJPEG)
    broken = tmp_path / "broken.mov"

    def spoil(index, packet):
        return with_content(packet, b"\0" * packet.size) if index in {4, 5} else packet

    remuxed(whole, broken, spoil)
    frames, problems = everything(broken)
    assert [read_number(frame.rgb) for frame in frames] == [0, 1, 2, 3, 6, 7, 8, 9, 10, 11]
    assert [frame.time_s * 30 for frame in frames] == pytest.approx(
        [0, 1, 2, 3, 6, 7, 8, 9, 10, 11]
    )
    assert problems == ("2 damaged frames were left out.",)


def test_a_damaged_avi_keeps_the_times_of_the_frames_that_follow(tmp_path):
    whole = write_clip(tmp_path / "whole.avi", MJPEG.but(suffix=".avi"))
    broken = tmp_path / "broken.avi"
    remuxed(
        whole,
        broken,
        lambda index, packet: with_content(packet, bytes(packet.size)) if index == 4 else packet,
    )
    frames, problems = everything(broken)
    assert [read_number(frame.rgb) for frame in frames] == [0, 1, 2, 3, *range(5, 12)]
    assert [round(frame.time_s * 30) for frame in frames] == [0, 1, 2, 3, *range(5, 12)]
    assert problems[0] == "1 damaged frame was left out."


def test_damage_in_h264_does_not_end_the_clip(tmp_path):
    whole = write_clip(
        tmp_path / "whole.mp4", H264.but(times=steady(40), options=(("g", "8"), ("bf", "0")))
    )
    broken = tmp_path / "broken.mp4"

    def spoil(index, packet):
        content = bytearray(packet)
        content[6:] = bytes(len(content) - 6)
        return with_content(packet, bytes(content)) if index == 11 else packet

    remuxed(whole, broken, spoil)
    frames, problems = everything(broken)
    assert read_number(frames[-1].rgb) == 39
    assert frames[-1].time_s == pytest.approx(39 / 30)
    assert len(frames) < 40
    assert any("damaged" in problem for problem in problems)


def test_a_damaged_clip_gives_the_same_frames_on_any_machine(tmp_path, monkeypatch):
    """Decoding in parallel would lose sound frames near the damage, here up to 14 of 21."""
    path = tmp_path / "clip.mp4"

    def read_with(processors: int):
        monkeypatch.setattr(os, "cpu_count", lambda: processors)
        try:
            frames, problems = everything(path)
        except VideoError as error:
            return str(error)
        return [(frame.time_s, read_number(frame.rgb)) for frame in frames], problems

    for content in mutants(long_bytes("moov_in_front"), 40, seed=7):
        path.write_bytes(content)
        assert read_with(4) == read_with(1)


def test_a_cut_clip_is_used_as_far_as_it_goes(tmp_path):
    path = write_clip(
        tmp_path / "clip.mp4", H264.but(times=steady(90), muxer=(("movflags", "faststart"),))
    )
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 8 // 10])
    clip = probe(path)
    frames, problems = everything(path)
    assert 5 < len(frames) < 90
    assert all(read_number(frame.rgb) == round(frame.time_s * 30) for frame in frames)
    said = f"The clip ends early: {clip.duration_s:.1f} s of 3.0 s could be read."
    assert said in clip.problems
    assert any(problem.startswith("The clip ends early") for problem in problems)


def test_hidden_frames_are_no_frames(tmp_path):
    """A VP8 packet without its show bit is a reference that nobody sees."""
    whole = write_clip(tmp_path / "whole.webm", VP8)
    hidden = tmp_path / "hidden.webm"

    def hide(index, packet):
        content = bytearray(packet)
        content[0] &= ~0x10
        return with_content(packet, bytes(content)) if index == 6 else packet

    remuxed(whole, hidden, hide)
    frames, problems = everything(hidden)
    assert probe(hidden).frames == len(frames) == 11
    assert problems == ()


def test_a_change_of_size_is_scaled_to_the_first_and_told(tmp_path):
    """WebM from a phone call: the picture changes its size in mid-stream."""
    small = write_clip(tmp_path / "small.webm", VP8.but(size=(128, 96), times=steady(6)))
    large = write_clip(tmp_path / "large.webm", VP8.but(size=(192, 144), times=steady(6)))
    path = tmp_path / "both.webm"
    with av.open(str(path), "w") as target, av.open(str(small)) as one, av.open(str(large)) as two:
        stream = target.add_stream_from_template(one.streams.video[0])
        for number, source in enumerate((one, two)):
            for packet in source.demux(video=0):
                if packet.size:
                    packet.pts += number * 200
                    packet.dts = packet.pts
                    packet.stream = stream
                    target.mux(packet)
    frames, problems = everything(path)
    assert {frame.rgb.shape for frame in frames} == {(96, 128, 3)}
    assert [read_number(frame.rgb) for frame in frames] == [*range(6), *range(6)]
    assert problems == ("The picture changes to 192 x 144 px at 0.2 s: scaled to 128 x 96 px.",)


def test_repeated_stamps_are_left_out_alike_by_probe_and_decode(tmp_path):
    whole = write_clip(tmp_path / "whole.mkv", MPEG4.but(suffix=".mkv", times=steady(6, 10)))
    path = tmp_path / "clip.mkv"

    def repeat(index, packet):
        packet.pts = packet.dts = (0, 100, 100, 200, 200, 300)[index]
        return packet

    remuxed(whole, path, repeat)
    clip = probe(path)
    frames, problems = everything(path)
    assert [read_number(frame.rgb) for frame in frames] == [0, 1, 3, 5]
    assert clip.frames == 4
    assert clip.problems == problems
    assert problems == ("2 frames with a repeated or earlier time stamp: left out.",)


# --- caps while decoding ------------------------------------------------------------------------


def test_the_cap_of_frames_holds_while_decoding(tmp_path, monkeypatch):
    path = make_good("h264_mp4", tmp_path)
    monkeypatch.setattr(source_module, "MAX_FRAMES", 12)
    assert len(everything(path)[0]) == probe(path).frames == 12
    monkeypatch.setattr(source_module, "MAX_FRAMES", 11)
    with pytest.raises(TooLongError, match="more than 11 frames"):
        probe(path)
    with read_frames(path) as frames, pytest.raises(TooLongError):
        list(frames)


def test_the_cap_of_seconds_holds_while_decoding(tmp_path, monkeypatch):
    path = make_good("h264_mp4", tmp_path)
    monkeypatch.setattr(source_module, "MAX_SECONDS", 0.3)
    with pytest.raises(TooLongError, match=r"longer than 0\.3 s"):
        probe(path)
    with read_frames(path) as frames, pytest.raises(TooLongError):
        list(frames)


def test_a_clip_as_long_as_the_cap_is_not_taken_for_a_gap():
    assert clock_module.MAX_GAP_S < limits.MAX_SECONDS


# --- memory -------------------------------------------------------------------------------------


def test_the_stream_holds_on_to_no_frame(tmp_path):
    path = write_clip(tmp_path / "clip.mp4", MPEG4.but(times=steady(50)))
    seen: list[weakref.ref] = []
    with read_frames(path) as frames:
        for frame in frames:
            seen.append(weakref.ref(frame.rgb))
            assert sum(reference() is not None for reference in seen) <= 2
    assert len(seen) == 50


PEAKS = """
import resource, sys
from pathlib import Path
from gymform.video.read import probe, read_frames
for name in sys.argv[1:]:
    probe(Path(name))
    with read_frames(Path(name)) as frames:
        sum(1 for _ in frames)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_memory_does_not_grow_with_the_clip(tmp_path):
    """All frames of the longer clip would take 280 MB."""
    names = []
    for count in (30, 400):
        recipe = MPEG4.but(size=(640, 480), times=steady(count))
        names.append(str(write_clip(tmp_path / f"{count}.mp4", recipe)))
    short, long = map(int, subprocess.check_output([sys.executable, "-c", PEAKS, *names]).split())
    assert long - short < 50, "megabytes"


@pytest.mark.parametrize("size", [(128, 96), (130, 98)])
def test_frames_may_be_drawn_on(tmp_path, size):
    path = write_clip(tmp_path / "clip.mp4", H264.but(size=size))
    frames, _ = everything(path)
    before = frames[1].rgb.copy()
    frames[0].rgb[:] = 0
    assert np.array_equal(frames[1].rgb, before)


def test_aspect_of_pixels_is_read_from_either_header(tmp_path):
    for suffix in (".mp4", ".mkv"):
        recipe = H264.but(pixel_aspect=Fraction(2), suffix=suffix)
        assert probe(write_clip(tmp_path / f"clip{suffix}", recipe)).width == 256
