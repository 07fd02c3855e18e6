"""The rate at which a camera recorded is read where the file says it, and only then."""

import struct

import av
import numpy as np
import pytest

from gymform.video.capture import capture_fps, stated_rate
from gymform.video.read import probe
from tests.corpus.bad import good_bytes, u32
from tests.corpus.clips import GOOD, H264, steady, write_clip
from tests.corpus.greedy import MOOV, box, inserted, meta

ANDROID = "com.android.capture.fps"
INTENT = "com.apple.quicktime.full-frame-rate-playback-intent"


def tagged(folder, name: str, value: str, suffix: str = ".mp4", recipe=H264):
    """A clip with that tag, written by FFmpeg."""
    plain = write_clip(folder / f"plain{recipe.suffix}", recipe)
    path = folder / f"clip{suffix}"
    options = {} if suffix == ".mkv" else {"movflags": "use_metadata_tags"}
    with av.open(str(plain)) as old, av.open(str(path), "w", options=options) as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        new.metadata[name] = value
        for packet in old.demux(video=0):
            if packet.size:
                packet.stream = stream
                new.mux(packet)
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize(("value", "rate"), [("240.000000", 240), ("120", 120), ("7.5", 7.5)])
def test_the_tag_of_android_is_read(tmp_path, suffix, value, rate):
    clip = probe(tagged(tmp_path, ANDROID, value, suffix))
    assert clip.capture_fps == rate
    assert clip.slow_motion == pytest.approx(rate / 30, rel=0.01)
    assert clip.duration_s == pytest.approx(0.4, abs=0.01), "times stay those of the file"


def keyed(kind: int, value: bytes, place: tuple[bytes, ...]) -> bytes:
    """A clip with the tag as phones write it, a number of that QuickTime type."""
    keys = box(b"keys", u32(0, 1) + box(b"mdta", ANDROID.encode()))
    item = box(b"ilst", box(u32(1), box(b"data", u32(kind, 0) + value)))
    new = meta(keys, item)
    new = box(b"udta", new) if place[1:] else new
    return inserted(good_bytes("h264_mp4"), MOOV, new)


@pytest.mark.parametrize("place", [MOOV, (*MOOV, b"udta")])
@pytest.mark.parametrize(
    ("kind", "value"), [(23, struct.pack(">f", 240)), (1, b"240.0"), (22, b"\xf0")]
)
def test_the_tag_is_read_as_any_type_of_number(tmp_path, place, kind, value):
    path = tmp_path / "clip.mp4"
    path.write_bytes(keyed(kind, value, place))
    assert probe(path).capture_fps == 240


@pytest.mark.parametrize("where", [MOOV, ()])
def test_what_cameras_of_sony_say_in_xml_is_read(tmp_path, where):
    xml = (
        b'<NonRealTimeMeta><VideoFrame captureFps="119.88p" formatFps="29.97p"/></NonRealTimeMeta>'
    )
    path = tmp_path / "clip.mp4"
    new = meta(box(b"xml ", u32(0) + xml), handler=b"nrtm")
    path.write_bytes(inserted(good_bytes("h264_mp4"), where, new))
    assert probe(path).capture_fps == 119.88


@pytest.mark.parametrize("name", ["h264_mp4", "slow_motion_240", "vp8_webm", "avchd", "mpeg4_avi"])
def test_nothing_is_said_where_the_file_says_nothing(tmp_path, name):
    path = tmp_path / f"clip{GOOD[name].suffix}"
    path.write_bytes(good_bytes(name))
    clip = probe(path)
    assert clip.capture_fps is None
    assert clip.slow_motion == 1.0


@pytest.mark.parametrize("value", ["0", "-240", "nan", "inf", "1e9", "", "fast", "1/0", "240/0"])
def test_a_senseless_rate_is_none(tmp_path, value):
    assert stated_rate({ANDROID: value}) is None


@pytest.mark.parametrize(
    ("name", "value", "rate"),
    [
        ("COM.ANDROID.CAPTURE.FPS", "240", 240),
        ("captureFps", "119.88p", 119.88),
        ("Capture Frame Rate", "120 fps", 120),
        ("capture_fps", "120000/1001", pytest.approx(119.88, abs=0.01)),
        ("fps", "240", None),
        ("com.android.version", "14", None),
        (INTENT, "1", None),
        (INTENT, "0", None),
    ],
)
def test_names_and_numbers_as_programs_write_them(name, value, rate):
    assert stated_rate({name: value}) == rate


@pytest.mark.parametrize(
    ("fps", "stated", "rate"),
    [(30, 240, 240), (30, 30, None), (29.97, 30, None), (30, 38, None), (30, 40, 40),
     (240, 240, None), (120, 240, 240), (30, 1, 1), (30, 24, None)],
)  # fmt: skip
def test_only_a_rate_that_differs_counts(fps, stated, rate):
    assert capture_fps(stated, np.array(steady(60, fps))) == rate


def test_a_clip_with_stretches_in_real_time_was_not_slowed_down():
    times = np.array(GOOD["slow_motion_in_part"].times)
    assert capture_fps(240, times) is None
    assert capture_fps(480, times) == 480


def test_a_240_frames_tag_on_240_frames_a_second_says_nothing_new(tmp_path):
    recipe = H264.but(times=steady(48, 240))
    assert probe(tagged(tmp_path, ANDROID, "240", recipe=recipe)).capture_fps is None
