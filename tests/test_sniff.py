"""Containers are recognised by content; other files are named where possible."""

import contextlib
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gymform.errors import EmptyFileError, NotAVideoError, VideoError
from gymform.sniff import (
    ANY_VIDEO_SUFFIXES,
    AVCHD,
    AVI,
    GIF,
    HEAD_BYTES,
    MKV,
    MOV,
    MP4,
    TS,
    VIDEO_SUFFIXES,
    WEBM,
    WEBP,
    FileKind,
    sniff,
)
from tests.corpus.animations import gif_bytes, webp_bytes
from tests.corpus.bad import BAD, PLAYLISTS, good_bytes


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("h264_mp4", MP4),
        ("fragmented", MP4),
        ("h264_mov", MOV),
        ("hevc_10bit_mov", MOV),
        ("h264_mkv", MKV),
        ("vp8_webm", WEBM),
        ("live_webm", WEBM),
        ("mpeg4_avi", AVI),
        ("h264_ts", TS),
        ("avchd", AVCHD),
    ],
)
def test_containers_are_known_by_content(name, kind):
    assert sniff(good_bytes(name)[:HEAD_BYTES]) == kind


def test_animations_are_known_by_content():
    assert sniff(gif_bytes(3)[:HEAD_BYTES]) == GIF
    assert sniff(gif_bytes(3).replace(b"GIF89a", b"GIF87a")) == GIF
    assert sniff(webp_bytes(3)[:HEAD_BYTES]) == WEBP


@pytest.mark.parametrize("lost", [0, 1, 4, 100, 191])
@pytest.mark.parametrize(("name", "kind"), [("h264_ts", TS), ("avchd", AVCHD)])
def test_transport_streams_may_begin_in_the_middle_of_a_packet(name, kind, lost):
    assert sniff((good_bytes(name) * 2)[lost : lost + HEAD_BYTES]) == kind


def test_a_transport_stream_with_checksums_is_one_too():
    packets = [good_bytes("h264_ts")[at : at + 188] + bytes(16) for at in range(0, 1880, 188)]
    assert sniff(b"".join(packets)) == TS


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_few_bytes_in_place_are_no_transport_stream(count):
    noise = bytearray(random.Random(count).randbytes(HEAD_BYTES))
    for packet in range(count):
        noise[192 * packet + 4] = 0x47
    with pytest.raises(NotAVideoError, match="not a known"):
        sniff(bytes(noise))


def test_every_kind_has_a_suffix_that_is_offered():
    for kind in (MP4, MOV, WEBM, MKV, AVI, TS, AVCHD, GIF, WEBP):
        assert kind.suffix in VIDEO_SUFFIXES
    assert set(VIDEO_SUFFIXES) < set(ANY_VIDEO_SUFFIXES)


@pytest.mark.parametrize("first", [b"moov", b"mdat", b"wide", b"free", b"skip"])
def test_old_quicktime_files_start_without_a_brand(first):
    assert sniff(b"\0\0\0\x08" + first + bytes(100)) == MOV


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("png", "a PNG picture"),
        ("jpeg", "a JPEG picture"),
        ("webp", "a WebP picture: one picture, not a video"),
        ("heic", "a photo"),
        ("zip", "a ZIP archive"),
        ("html", "a web page"),
        ("pdf", "a PDF document"),
        ("text", "a text file"),
        ("wav", "a WAV sound file"),
        ("mp3", "an MP3 sound file"),
        ("flash", "a Flash video"),
        ("random_bytes", "not a known video format"),
    ],
)
def test_other_files_are_called_by_their_name(tmp_path, name, said):
    head = BAD[name].make(tmp_path).read_bytes()[:HEAD_BYTES]
    with pytest.raises(NotAVideoError, match=said):
        sniff(head)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ffconcat", "ffconcat"),
        ("ffconcat_after_blanks", "ffconcat"),
        ("m3u8", "M3U8"),
        ("sdp", "SDP"),
        ("dash", "XML"),
    ],
)
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\r\n \t"])
def test_playlists_are_called_playlists(name, said, before):
    with pytest.raises(NotAVideoError, match=said):
        sniff(before + PLAYLISTS[name]("other.mp4"))


def test_nothing_is_an_empty_file():
    with pytest.raises(EmptyFileError, match="0 bytes"):
        sniff(b"")


@given(st.binary(max_size=300))
@example(b"RIFF")
@example(b"\x1a\x45\xdf\xa3")
@example(b"\0\0\0\x20ftyp")
def test_any_bytes_are_a_kind_or_a_typed_error(head):
    with contextlib.suppress(VideoError):
        assert isinstance(sniff(head), FileKind)
