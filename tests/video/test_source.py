"""A file is opened with caution: checked first, forced to what it is."""

import os
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gymform.errors import (
    DamagedVideoError,
    EmptyFileError,
    NotAVideoError,
    TooLargeError,
    TooLongError,
    TooSmallError,
    VideoError,
)
from gymform.limits import MAX_FRAMES, MAX_PIXELS, MAX_SECONDS, MAX_SIDE, MAX_UPLOAD_BYTES, MIN_SIDE
from gymform.sniff import MKV, MP4
from gymform.video import source
from gymform.video.source import (
    CODECS,
    MAX_THREADS,
    OPTIONS,
    check_bytes,
    check_file,
    check_length,
    check_size,
    open_source,
)
from tests.corpus.clips import H264, MJPEG, steady, write_clip

# --- what is checked before anything is decoded -------------------------------------------------


def refusal(check, *values):
    """The kind of error that a check raises; None when it lets the values pass."""
    try:
        check(*values)
    except VideoError as error:
        return type(error)
    return None


@given(st.integers(0, 2 * MAX_UPLOAD_BYTES))
def test_bytes_from_one_to_the_cap_pass(count):
    expected = EmptyFileError if count == 0 else TooLargeError if count > MAX_UPLOAD_BYTES else None
    assert refusal(check_bytes, count) is expected


def test_a_file_just_over_the_cap_is_not_said_to_have_just_the_cap():
    with pytest.raises(TooLargeError, match=r"has 500\.1 MB, at most 500 MB"):
        check_bytes(MAX_UPLOAD_BYTES + 1)


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_a_size_passes_whichever_way_up_it_is(width, height):
    large = width * height > MAX_PIXELS or max(width, height) > MAX_SIDE
    small = min(width, height) < MIN_SIDE
    expected = TooLargeError if large else TooSmallError if small else None
    assert refusal(check_size, width, height) is refusal(check_size, height, width) is expected


@pytest.mark.parametrize(
    ("frames", "seconds", "error"),
    [
        (MAX_FRAMES, MAX_SECONDS, None),
        (MAX_FRAMES + 1, 1.0, TooLongError),
        (1, MAX_SECONDS + 0.01, TooLongError),
    ],
)
def test_a_clip_as_long_as_the_caps_passes(frames, seconds, error):
    assert refusal(check_length, frames, seconds) is error


def test_a_file_is_what_its_bytes_say_and_not_its_name(tmp_path):
    clip = write_clip(tmp_path / "clip.mkv", H264.but(suffix=".mkv"))
    assert check_file(clip.rename(tmp_path / "clip.mp4")) == (MKV, True)


def test_a_file_without_its_end_is_not_whole(tmp_path):
    clip = write_clip(tmp_path / "a.mp4", H264.but(muxer=(("movflags", "faststart"),)))
    assert check_file(clip) == (MP4, True)
    clip.write_bytes(clip.read_bytes()[:-200])
    assert check_file(clip) == (MP4, False)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda path: None, VideoError, "Missing file"),
        (lambda path: path.mkdir(), NotAVideoError, "a folder or a device"),
        (lambda path: path.symlink_to(path), VideoError, "cannot be read"),
        (lambda path: os.mkfifo(path), NotAVideoError, "a folder or a device"),
        (lambda path: path.touch(), EmptyFileError, "is empty"),
    ],
    ids=["nothing", "folder", "loop", "pipe", "empty"],
)
def test_what_is_no_file_is_refused_without_naming_its_place(tmp_path, make, error, words):
    """... and a pipe without waiting for it to speak."""
    path = tmp_path / "clip.mp4"
    make(path)
    with pytest.raises(error, match=words) as caught:
        check_file(path)
    assert str(tmp_path) not in str(caught.value)


def test_a_name_that_no_system_has_is_refused():
    with pytest.raises(VideoError, match="cannot be read"):
        check_file(Path("a\0b.mp4"))


# --- opening ------------------------------------------------------------------------------------


@pytest.fixture
def opened(monkeypatch):
    """The arguments of every av.open from now on."""
    calls, original = [], av.open

    def watched(*args, **options):
        calls.append((args, options))
        return original(*args, **options)

    monkeypatch.setattr(av, "open", watched)
    return calls


def test_ffmpeg_is_told_what_to_expect_and_what_not_to_touch(tmp_path, opened, monkeypatch):
    write_clip(tmp_path / "clip.mp4", H264)
    opened.clear()
    monkeypatch.chdir(tmp_path)
    with open_source(Path("clip.mp4")):
        pass
    (((name,), options),) = opened
    assert Path(name).is_absolute()  # so that no name is taken for a protocol
    assert options["format"] == "mov"
    assert options["options"]["protocol_whitelist"] == "file"
    assert options["options"].items() >= OPTIONS.items()
    assert options["timeout"] == source.TIMEOUT_S


def test_the_decoder_is_limited_too(tmp_path):
    with open_source(write_clip(tmp_path / "clip.mp4", H264)) as opened:
        assert opened.stream.codec_context.options == {
            "codec_whitelist": ",".join(CODECS), "max_pixels": str(4 * MAX_PIXELS),
        }  # fmt: skip


@pytest.mark.parametrize(
    ("processors", "asked", "used"), [(64, MAX_THREADS, 4), (1, 4, 1), (None, 4, 1), (64, 1, 1)]
)
def test_threads_are_few_whatever_the_machine(tmp_path, monkeypatch, processors, asked, used):
    path = write_clip(tmp_path / "clip.mp4", H264)
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    with open_source(path, threads=asked) as opened:
        assert opened.stream.codec_context.thread_count == used
        assert opened.is_serial == (used == 1)


def test_the_file_is_closed_also_after_an_error(tmp_path):
    def fail():
        with open_source(write_clip(tmp_path / "clip.mp4", H264)) as opened:
            kept.append(opened)
            raise KeyError("a bug")

    kept = []
    with pytest.raises(KeyError):
        fail()
    with pytest.raises(AssertionError, match="not open"):
        next(kept[0].container.demux())


def test_a_start_like_a_video_is_not_enough(tmp_path):
    path = write_clip(tmp_path / "clip.mp4", H264)
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"moov") + 60])
    with pytest.raises(DamagedVideoError) as caught, open_source(path):
        pass
    assert str(tmp_path) not in str(caught.value)


# --- packets and frames -------------------------------------------------------------------------


def test_all_packets_come_and_all_their_frames(tmp_path):
    recipe = H264.but(times=steady(30), options=(("bf", "3"), ("b_strategy", "0")), audio="aac")
    path = write_clip(tmp_path / "clip.mp4", recipe)
    with open_source(path) as opened:
        stamps = [opened.packet_stamp(packet) for packet in opened.packets()]
    assert stamps != sorted(stamps)  # in decoding order
    assert sorted(stamps) == pytest.approx(recipe.times)
    with open_source(path) as opened:
        shown = [stamp for _, stamp in opened.frames()]
    assert shown == pytest.approx(recipe.times)


def test_damage_ends_the_parallel_way_and_not_the_serial_one(tmp_path, monkeypatch):
    path = write_clip(tmp_path / "clip.mov", MJPEG)
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        place, size = packets[5].pos, packets[5].size
    content = bytearray(path.read_bytes())
    content[place : place + size] = bytes(size)
    path.write_bytes(content)
    with open_source(path, threads=1) as opened:
        assert len(list(opened.frames())) == 11
        assert opened.stumbled
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    with open_source(path, threads=2) as opened:
        assert len(list(opened.frames())) <= 5
        assert opened.stumbled


def test_packets_are_capped_even_when_none_is_shown(tmp_path, monkeypatch):
    """References that nobody sees cost time as well: they count for half."""
    monkeypatch.setattr(source, "MAX_FRAMES", 8)
    with open_source(write_clip(tmp_path / "clip.mp4", H264)) as opened:
        monkeypatch.setattr(opened, "is_shown", lambda packet: False)
        assert len(list(opened.packets())) == 12
    monkeypatch.setattr(source, "MAX_FRAMES", 5)
    with open_source(tmp_path / "clip.mp4") as opened:
        monkeypatch.setattr(opened, "is_shown", lambda packet: False)
        with pytest.raises(TooLongError):
            list(opened.packets())
