"""Written videos keep their times, play everywhere, and appear whole or not at all."""

import contextlib
import errno
import resource
import signal
from collections.abc import Iterator

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gymform.errors import NotAVideoError, VideoWriteError
from gymform.video import write as write_module
from gymform.video.read import probe, read_frames
from gymform.video.write import TIME_BASE, VideoWriter, transcode
from tests.corpus.bad import BAD
from tests.corpus.clips import GOOD, UNEVEN, is_upright, make_good, picture, read_number, steady


def write(path, times=UNEVEN, size=(128, 96), **options):
    width, height = size
    with VideoWriter(path, width=width, height=height, fps=30, **options) as writer:
        for number, time_s in enumerate(times):
            writer.write(picture(number, size), time_s)
    return path


def frames_of(path):
    with read_frames(path) as frames:
        return list(frames)


def test_frames_and_times_come_back(tmp_path):
    path = write(tmp_path / "out.mp4")
    clip, frames = probe(path), frames_of(path)
    assert (clip.codec, clip.container, clip.problems) == ("h264", "mp4", ())
    assert [read_number(frame.rgb) for frame in frames] == list(range(len(UNEVEN)))
    assert [frame.time_s for frame in frames] == pytest.approx(UNEVEN, abs=float(TIME_BASE))
    assert list(tmp_path.iterdir()) == [path]


def test_colours_survive(tmp_path):
    frame = frames_of(write(tmp_path / "out.mp4", crf=10))[5]
    assert np.abs(frame.rgb.astype(int) - picture(5)).mean() < 4


def test_the_index_is_in_front_and_colours_are_named(tmp_path):
    path = write(tmp_path / "out.mp4")
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert context.pix_fmt == "yuv420p"
        assert (context.colorspace, context.color_primaries, context.color_trc) == (1, 1, 1)
        assert context.color_range == 1
        assert not context.has_b_frames


@pytest.mark.parametrize("keyint", [1, 5])
def test_key_frames_come_as_often_as_asked(tmp_path, keyint):
    path = write(tmp_path / "out.mp4", times=steady(20), keyint=keyint)
    with av.open(str(path)) as container:
        keys = [packet.is_keyframe for packet in container.demux(video=0) if packet.size]
    assert all(keys[::keyint])


@pytest.mark.parametrize("size", [(129, 97), (128, 97), (129, 96), (33, 17)])
def test_odd_sizes_grow_by_a_repeated_line(tmp_path, size):
    path = write(tmp_path / "out.mp4", size=size, crf=10)
    clip, frame = probe(path), frames_of(path)[3]
    assert (clip.width, clip.height) == (size[0] + size[0] % 2, size[1] + size[1] % 2)
    inside = frame.rgb[: size[1], : size[0]].astype(int)
    assert np.abs(inside - picture(3, size)).mean() < 8


rising = st.lists(st.floats(0.001, 3), min_size=2, max_size=12).map(
    lambda steps: np.cumsum(steps).tolist()
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rising)
def test_any_rising_times_come_back_from_zero(tmp_path, times):
    path = write(tmp_path / "out.mp4", times=times, size=(32, 32))
    read = [frame.time_s for frame in frames_of(path)]
    assert read == pytest.approx([time_s - times[0] for time_s in times], abs=2 * float(TIME_BASE))


def test_the_last_frame_is_shown_for_a_moment(tmp_path):
    path = write(tmp_path / "out.mp4", times=(0.0, 0.5))
    with av.open(str(path)) as container:
        assert container.duration / av.time_base == pytest.approx(0.5 + 1 / 30, abs=0.002)


# --- misuse and failure -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rgb", "time_s"),
    [
        (picture(0, (64, 96)), 1.0),
        (picture(0).astype(np.float32), 1.0),
        (picture(0)[..., 0], 1.0),
        (picture(0), 0.5),
        (picture(0), 0.25),
    ],
)
def test_wrong_frames_are_refused(tmp_path, rgb, time_s):
    def attempt() -> None:
        with VideoWriter(tmp_path / "out.mp4", width=128, height=96, fps=30) as writer:
            writer.write(picture(0), 0.5)
            writer.write(rgb, time_s)

    with pytest.raises(ValueError, match=r"VideoWriter\.write"):
        attempt()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, VideoWriteError])
@pytest.mark.parametrize("frames", [0, 1, 40])
def test_a_failed_block_leaves_the_older_file_and_nothing_else(tmp_path, error, frames):
    path = tmp_path / "out.mp4"
    path.write_bytes(b"older")

    def attempt() -> None:
        with VideoWriter(path, width=128, height=96, fps=30) as writer:
            for number in range(frames):
                writer.write(picture(number), number / 30)
            raise error("stop")

    with pytest.raises(error, match="stop"):
        attempt()
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


def test_a_video_without_frames_is_not_made(tmp_path):
    with (
        pytest.raises(VideoWriteError, match="no frame"),
        VideoWriter(tmp_path / "out.mp4", width=128, height=96, fps=30),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@contextlib.contextmanager
def small_disk(size: int) -> Iterator[None]:
    """A cap on the size of files in bytes: writes beyond it fail, as on a full disk.

    It holds for the whole process, so it is lifted before pytest writes anything itself.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("size", [500, 5_000, 40_000])
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, size):
    noise = np.random.default_rng(0).integers(0, 255, (30, 96, 128, 3), np.uint8)

    def attempt() -> None:
        with VideoWriter(tmp_path / "out.mp4", width=128, height=96, fps=30) as writer:
            for number, rgb in enumerate(noise):
                writer.write(rgb, number / 30)

    with small_disk(size), pytest.raises(VideoWriteError, match="disk is full") as caught:
        attempt()
    assert str(tmp_path) not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_is_no_folder_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(VideoWriteError) as caught:
        write(tmp_path / "file" / "out.mp4")
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "said"),
    [(errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only"), (errno.EIO, "could not")],
)
def test_the_reason_is_told(tmp_path, monkeypatch, code, said):
    def fail(path):
        raise OSError(code, "secret words", str(path))

    monkeypatch.setattr(write_module, "atomic_path", fail)
    with pytest.raises(VideoWriteError, match=said) as caught:
        write(tmp_path / "out.mp4")
    assert "secret" not in str(caught.value)


# --- transcode ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "hevc_rotated_90",
        "vp8_webm",
        "uneven_b_frames",
        "mpeg4_avi_b_frames",
        "odd_size",
        "mirrored",
    ],
)
def test_transcoded_clips_show_the_same_at_the_same_times(tmp_path, name):
    source, target = make_good(name, tmp_path), tmp_path / "proxy.mp4"
    transcode(source, target)
    old, new = frames_of(source), frames_of(target)
    assert probe(target).codec == "h264"
    assert probe(target).rotation == 0
    assert [read_number(frame.rgb) for frame in new] == list(range(len(GOOD[name].times)))
    assert all(is_upright(frame.rgb) for frame in new)
    assert [frame.time_s for frame in new] == pytest.approx(
        [frame.time_s for frame in old], abs=float(TIME_BASE)
    )


def test_transcoding_can_shrink(tmp_path):
    transcode(make_good("rotated_90", tmp_path), tmp_path / "small.mp4", max_side=64)
    clip = probe(tmp_path / "small.mp4")
    assert (clip.width, clip.height) == (64, 48)


def test_a_bad_source_leaves_no_target(tmp_path):
    source = BAD["text"].make(tmp_path)
    with pytest.raises(NotAVideoError):
        transcode(source, tmp_path / "proxy.mp4")
    assert list(tmp_path.iterdir()) == [source]
