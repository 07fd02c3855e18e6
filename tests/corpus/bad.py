"""Files that must be refused, each with the error that is due, and odd ones that may be read.

:data:`BAD` maps a name to a maker and an error class; :data:`ODD` holds files that either give
an error for the user or a clip that is usable in part. Playlists that point at a neighbouring
file are in :data:`PLAYLISTS`.
"""

from __future__ import annotations

import io
import os
import random
import struct
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import numpy as np

from gymform import errors, limits
from tests.corpus.animations import GOOD_ANIMATIONS, gif_bytes, webp_bytes
from tests.corpus.clips import GOOD, H264, MJPEG, Recipe, steady, write_clip

Maker = Callable[[Path], Path]


@dataclass(frozen=True)
class Bad:
    """A maker, which fills a folder and returns the file, and what opening it must raise."""

    make: Maker
    error: type[errors.VideoError]


@cache
def good_bytes(name: str) -> bytes:
    """The content of the clip ``name`` of `clips.GOOD` or `animations.GOOD_ANIMATIONS`."""
    if name in GOOD_ANIMATIONS:
        return GOOD_ANIMATIONS[name]()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"clip{GOOD[name].suffix}"
        return write_clip(path, GOOD[name]).read_bytes()


def named(content: bytes | Callable[[], bytes], name: str = "clip.mp4") -> Maker:
    """A maker of a file with that content; a function is asked only when the file is made."""

    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content() if callable(content) else content)
        return path

    return make


def recipe(clip: Recipe) -> Maker:
    """A maker of a clip."""
    return lambda folder: write_clip(folder / f"clip{clip.suffix}", clip)


# --- boxes of an MP4 ----------------------------------------------------------------------------


def patched(content: bytes, box: bytes, offset: int, value: bytes) -> bytes:
    """``content`` with ``value`` written ``offset`` bytes after the type of the first ``box``."""
    at = content.index(box) + 4 + offset
    return content[:at] + value + content[at + len(value) :]


def u32(*values: int) -> bytes:
    """Big-endian 32 bit integers."""
    return struct.pack(f">{len(values)}I", *values)


def box_span(content: bytes, kind: bytes) -> tuple[int, int]:
    """Start and end of the first box of that type."""
    at = content.index(kind) - 4
    return at, at + int.from_bytes(content[at : at + 4], "big")


def _without_moov() -> bytes:
    content = good_bytes("h264_mp4")
    start, end = box_span(content, b"moov")
    return content[:start] + content[end:]


def _garbage_pictures() -> bytes:
    content = good_bytes("moov_in_front")
    start, end = box_span(content, b"mdat")
    noise = random.Random(1).randbytes(end - start - 8)
    return content[: start + 8] + noise + content[end:]


def _sample_bomb() -> bytes:
    """A table of 50 million samples of one byte: 3.5 GB of index in FFmpeg."""
    count = 50_000_000
    content = patched(good_bytes("h264_no_b_frames"), b"stsz", 4, u32(1, count))
    content = patched(content, b"stts", 8, u32(count))
    return patched(content, b"stsc", 12, u32(count))


def _fragment_bomb() -> bytes:
    return patched(good_bytes("fragmented"), b"trun", 0, u32(0, 50_000_000))


def _misplaced_bomb() -> bytes:
    """The same table at the top level of the file, where FFmpeg finds it all the same."""
    return _without_moov() + u32(20) + b"stsz" + u32(0, 1, 50_000_000)


def _compressed_header() -> bytes:
    content = good_bytes("h264_mp4")
    start, end = box_span(content, b"moov")
    cmov = u32(8 + 12) + b"cmov" + u32(12) + b"dcom" + b"zlib"
    return content[:start] + u32(8 + len(cmov)) + b"moov" + cmov + content[end:]


def _cut_in_moov() -> bytes:
    content = good_bytes("h264_mp4")
    return content[: content.index(b"moov") + 60]


def _no_pictures() -> bytes:
    """A whole header with a video track whose tables are empty."""
    content = patched(good_bytes("h264_mp4"), b"stsz", 8, u32(0))
    for table in (b"stts", b"stsc", b"stco"):
        content = patched(content, table, 4, u32(0))
    return content


def _sixteen_k() -> bytes:
    """JPEG pictures that claim 16384 x 16384 px: 400 MB each, were they decoded."""
    content, marker = good_bytes("mjpeg_mov"), b"\xff\xc0\x00\x11\x08"
    parts = content.split(marker)
    assert len(parts) > 10, "expected a start-of-frame marker in each JPEG"
    return parts[0] + b"".join(marker + u32(0x40004000) + part[4:] for part in parts[1:])


def _sized(content: bytes, width: int, height: int) -> bytes:
    """An H.264 MP4 whose header claims another size."""
    return patched(content, b"avc1", 24, struct.pack(">HH", width, height))


# --- clips that PyAV writes ---------------------------------------------------------------------


def _no_track(folder: Path) -> Path:
    path = folder / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        container.start_encoding()
    return path


def _sound_only(suffix: str, codec: str) -> Maker:
    def make(folder: Path) -> Path:
        path = folder / f"clip{suffix}"
        with av.open(str(path), "w") as container:
            _add_silence(container, codec)
        return path

    return make


def _add_silence(container: av.container.OutputContainer, codec: str) -> None:
    stream = container.add_stream(codec, rate=48_000)
    for i in range(50):
        samples = np.zeros((1, 2 * 960), np.int16)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
        frame.sample_rate, frame.pts = 48_000, i * 960
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _sound_with_cover(folder: Path) -> Path:
    """A song whose cover picture FFmpeg shows as a video stream."""
    path = _sound_only(".mp4", "aac")(folder)
    content = path.read_bytes()
    data = u32(13, 0) + _image("mjpeg", "yuvj420p")
    data = u32(8 + len(data)) + b"data" + data
    cover = u32(8 + len(data)) + b"covr" + data
    _, end = box_span(content, b"ilst")
    for kind in (b"moov", b"udta", b"meta", b"ilst"):
        start, old_end = box_span(content, kind)
        content = content[:start] + u32(old_end - start + len(cover)) + content[start + 4 :]
    path.write_bytes(content[:end] + cover + content[end:])
    return path


def _repeated(count: int) -> Maker:
    """A clip of ``count`` frames at 240 fps, made by writing one JPEG again and again."""

    def make(folder: Path) -> Path:
        one = write_clip(folder / "one.mov", MJPEG.but(size=(32, 32), times=(0.0,)))
        path = folder / "clip.mov"
        with av.open(str(one)) as source, av.open(str(path), "w") as target:
            packet = next(source.demux(video=0))
            stream = target.add_stream_from_template(source.streams.video[0])
            for i in range(count):
                again = av.Packet(bytes(packet))
                again.stream, again.time_base = stream, Fraction(1, 2400)
                again.pts = again.dts = i * 10
                again.duration = 10  # else the edit list ends before the last frame
                target.mux(again)
        return path

    return make


def _other_codec(codec: str, pix_fmt: str, suffix: str) -> Maker:
    return recipe(H264.but(encoder=codec, pix_fmt=pix_fmt, suffix=suffix, times=steady(3)))


def _huge(width: int, height: int) -> Recipe:
    return H264.but(
        size=(width, height), times=(0.0,), options=(("preset", "ultrafast"), ("bf", "0"))
    )


# --- not clips at all ---------------------------------------------------------------------------


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("clip.mp4", b"not really")
    return buffer.getvalue()


def _image(codec: str, pix_fmt: str) -> bytes:
    """A plain grey picture of 64 x 64 px."""
    grey = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 128, np.uint8), format="rgb24")
    context = av.CodecContext.create(codec, "w")
    context.width, context.height, context.pix_fmt = 64, 64, pix_fmt
    context.time_base = Fraction(1, 25)
    return b"".join(
        bytes(packet)
        for frame in (grey.reformat(format=pix_fmt), None)
        for packet in context.encode(frame)
    )


def _oversized(folder: Path) -> Path:
    """One byte over the cap, as a sparse file."""
    path = named(lambda: good_bytes("h264_mp4"))(folder)
    os.truncate(path, limits.MAX_UPLOAD_BYTES + 1)
    return path


def _riff(kind: bytes, *chunks: bytes) -> bytes:
    body = kind + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def avi_with_subtitle(script: bytes) -> bytes:
    """An AVI whose GAB2 subtitle is ``script``: FFmpeg once opened playlists found there."""
    header = struct.pack("<14I", 40_000, 0, 0, 0x10, 1, 0, 2, 0, 64, 64, 0, 0, 0, 0)
    video = struct.pack(
        "<4s4sI2H8I4h", b"vids", b"MJPG", 0, 0, 0, 0, 1, 25, 0, 1, 0, 0, 0, *[0] * 4
    )
    text = struct.pack(
        "<4s4sI2H8I4h", b"txts", b"\0" * 4, 0, 0, 0, 0, 1, 25, 0, 1, 0, 0, 0, *[0] * 4
    )
    bitmap = struct.pack("<IiiHH4sIiiII", 40, 64, 64, 1, 24, b"MJPG", 64 * 64 * 3, 0, 0, 0, 0)
    name = "sub".encode("utf-16-le") + b"\0\0"
    gab2 = (
        b"GAB2\0"
        + struct.pack("<HI", 2, len(name))
        + name
        + struct.pack("<HI", 4, len(script))
        + script
    )
    streams = (
        _chunk(b"LIST", b"strl" + _chunk(b"strh", video) + _chunk(b"strf", bitmap)),
        _chunk(b"LIST", b"strl" + _chunk(b"strh", text) + _chunk(b"strf", b"")),
    )
    movi = _chunk(b"01tx", gab2) + _chunk(b"00dc", _image("mjpeg", "yuvj420p"))
    return _riff(
        b"AVI ",
        _chunk(b"LIST", b"hdrl" + _chunk(b"avih", header) + b"".join(streams)),
        _chunk(b"LIST", b"movi" + movi),
    )


BAD: dict[str, Bad] = {
    # nothing, or nothing that is a video
    "empty": Bad(named(b""), errors.EmptyFileError),
    "one_byte": Bad(named(b"\0"), errors.NotAVideoError),
    "zeros": Bad(named(bytes(5000)), errors.NotAVideoError),
    "random_bytes": Bad(named(random.Random(0).randbytes(5000)), errors.NotAVideoError),
    "text": Bad(named(b"Squat, three sets of five.\n"), errors.NotAVideoError),
    "html": Bad(
        named(b"\n <!DOCTYPE html><html><video src='x.mp4'></html>"), errors.NotAVideoError
    ),
    "svg": Bad(named(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), errors.NotAVideoError),
    "zip": Bad(named(_zip), errors.NotAVideoError),
    "gzip": Bad(named(b"\x1f\x8b\x08" + bytes(40)), errors.NotAVideoError),
    "pdf": Bad(named(b"%PDF-1.7\n" + bytes(40)), errors.NotAVideoError),
    "program": Bad(named(b"\x7fELF" + bytes(40)), errors.NotAVideoError),
    "png": Bad(named(lambda: _image("png", "rgb24")), errors.NotAVideoError),
    "jpeg": Bad(named(lambda: _image("mjpeg", "yuvj420p")), errors.NotAVideoError),
    "gif": Bad(named(lambda: gif_bytes(1), "clip.gif"), errors.NotAVideoError),
    "gif_of_nothing": Bad(named(b"GIF89a" + bytes(40)), errors.TooSmallError),
    "gif_header_only": Bad(named(lambda: gif_bytes(3)[:13]), errors.VideoError),
    "gif_of_64k": Bad(
        named(lambda: gif_bytes(3)[:6] + b"\xff" * 4 + gif_bytes(3)[10:]), errors.TooLargeError
    ),
    "webp": Bad(named(_riff(b"WEBP", _chunk(b"VP8 ", bytes(40)))), errors.NotAVideoError),
    "webp_of_one": Bad(named(lambda: webp_bytes(1), "clip.webp"), errors.NotAVideoError),
    "webp_of_16k": Bad(named(lambda: webp_bytes(3, b"\xff\x3f\0" * 2)), errors.TooLargeError),
    "webp_without_canvas": Bad(
        named(lambda: _riff(b"WEBP", _chunk(b"VP8X", b"\2"))), errors.DamagedVideoError
    ),
    "one_frame": Bad(recipe(H264.but(times=(0.0,))), errors.NotAVideoError),
    "one_frame_mkv": Bad(recipe(H264.but(times=(0.0,), suffix=".mkv")), errors.NotAVideoError),
    "one_frame_ts": Bad(recipe(H264.but(times=(0.0,), suffix=".ts")), errors.NotAVideoError),
    "heic": Bad(named(u32(24) + b"ftypheic" + bytes(12)), errors.NotAVideoError),
    "flash": Bad(named(b"FLV\x01" + bytes(40)), errors.NotAVideoError),
    "windows_media": Bad(named(b"\x30\x26\xb2\x75" + bytes(40)), errors.NotAVideoError),
    "empty_transport_stream": Bad(
        named((b"\x47" + bytes(187)) * 20, "clip.ts"), errors.DamagedVideoError
    ),
    "bare_h264": Bad(named(u32(1) + b"\x67\x42" + bytes(40)), errors.NotAVideoError),
    "other_ebml": Bad(
        named(lambda: good_bytes("vp8_webm").replace(b"webm", b"bmew", 1)), errors.NotAVideoError
    ),
    # sound
    "wav": Bad(_sound_only(".wav", "pcm_s16le"), errors.NotAVideoError),
    "mp3": Bad(_sound_only(".mp3", "libmp3lame"), errors.NotAVideoError),
    "flac": Bad(named(b"fLaC" + bytes(40)), errors.NotAVideoError),
    "ogg": Bad(_sound_only(".ogg", "libopus"), errors.NotAVideoError),
    "sound_mp4": Bad(_sound_only(".mp4", "aac"), errors.NoVideoStreamError),
    "sound_webm": Bad(_sound_only(".webm", "libopus"), errors.NoVideoStreamError),
    "sound_with_cover": Bad(_sound_with_cover, errors.NoVideoStreamError),
    # codecs that stay shut
    "ffv1_mkv": Bad(_other_codec("ffv1", "yuv420p", ".mkv"), errors.NotAVideoError),
    "prores_mov": Bad(_other_codec("prores_ks", "yuv422p10le", ".mov"), errors.NotAVideoError),
    "magicyuv_avi": Bad(_other_codec("magicyuv", "gbrp", ".avi"), errors.NotAVideoError),
    "raw_avi": Bad(_other_codec("rawvideo", "yuv420p", ".avi"), errors.NotAVideoError),
    # cut off or damaged beyond use
    "ftyp_only": Bad(named(u32(16) + b"ftypisom" + u32(512)), errors.DamagedVideoError),
    "no_moov": Bad(named(_without_moov), errors.DamagedVideoError),
    "cut_in_moov": Bad(named(_cut_in_moov), errors.DamagedVideoError),
    "webm_header_only": Bad(
        named(lambda: good_bytes("vp8_webm")[:45], "clip.webm"), errors.VideoError
    ),
    "avi_header_only": Bad(
        named(lambda: good_bytes("mpeg4_avi")[:100], "clip.avi"), errors.VideoError
    ),
    "compressed_header": Bad(named(_compressed_header, "clip.mov"), errors.DamagedVideoError),
    "no_track": Bad(_no_track, errors.DamagedVideoError),
    "no_pictures": Bad(named(_no_pictures), errors.NoFramesError),
    "garbage_pictures": Bad(named(_garbage_pictures), errors.NoFramesError),
    # over a cap
    "too_many_bytes": Bad(_oversized, errors.TooLargeError),
    "eight_k": Bad(recipe(_huge(7680, 4320)), errors.TooLargeError),
    "eight_k_hidden": Bad(
        lambda folder: named(
            _sized(recipe(_huge(7680, 4320))(folder).read_bytes(), 128, 96), "hidden.mp4"
        )(folder),
        errors.TooLargeError,
    ),
    "sixteen_k_jpeg": Bad(named(_sixteen_k, "clip.mov"), errors.VideoError),
    "long_strip": Bad(recipe(_huge(limits.MAX_SIDE + 2, 64)), errors.TooLargeError),
    "tiny_picture": Bad(recipe(MJPEG.but(size=(8, 8))), errors.TooSmallError),
    "too_long": Bad(
        recipe(H264.but(times=tuple(10.0 * i for i in range(15)))), errors.TooLongError
    ),
    "too_many_frames": Bad(_repeated(limits.MAX_FRAMES + 1), errors.TooLongError),
    "sample_bomb": Bad(named(_sample_bomb), errors.TooLongError),
    "fragment_bomb": Bad(named(_fragment_bomb), errors.TooLongError),
    "misplaced_bomb": Bad(named(_misplaced_bomb), errors.TooLongError),
}
"""Files that must be refused: name -> how to make them and the error that is due."""


EXTREMES = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""Values that header fields take in :data:`ODD`."""

HEADER_FIELDS = {
    "movie_time_scale": (b"mvhd", 12),
    "movie_duration": (b"mvhd", 16),
    "media_time_scale": (b"mdhd", 12),
    "media_duration": (b"mdhd", 16),
    "track_width": (b"tkhd", 76),
    "sample_duration": (b"stts", 12),
    "sample_count": (b"stts", 8),
    "first_size": (b"stsz", 12),
    "per_chunk": (b"stsc", 12),
    "chunk_offset": (b"stco", 8),
    "edit_duration": (b"elst", 8),
    "edit_start": (b"elst", 12),
}
"""32 bit fields of an MP4's header: box and offset after its type."""


def _extreme(box: bytes, offset: int, value: int) -> Maker:
    return named(lambda: patched(good_bytes("h264_mp4"), box, offset, u32(value)))


LONG = {
    name: GOOD[name].but(times=steady(90), options=(*GOOD[name].options, ("g", "10")))
    for name in ("moov_in_front", "fragmented", "vp8_webm", "h264_mkv", "mpeg4_avi", "mjpeg_mov")
}
"""Clips of three seconds, with key frames, to be cut off."""


@cache
def long_bytes(name: str) -> bytes:
    """The content of the clip ``name`` of :data:`LONG`."""
    with tempfile.TemporaryDirectory() as folder:
        return recipe(LONG[name])(Path(folder)).read_bytes()


def _cut(name: str, tenths: int) -> Maker:
    def content() -> bytes:
        whole = long_bytes(name)
        return whole[: len(whole) * tenths // 10]

    return named(content, f"clip{LONG[name].suffix}")


ODD: dict[str, Maker] = {
    **{
        f"{field}_{value:#x}": _extreme(box, offset, value)
        for field, (box, offset) in HEADER_FIELDS.items()
        for value in EXTREMES
    },
    **{f"{name}_cut_{tenths}": _cut(name, tenths) for name in LONG for tenths in range(1, 10)},
    "size_0_claimed": named(lambda: _sized(good_bytes("h264_mp4"), 0, 0)),
    "size_16k_claimed": named(lambda: _sized(good_bytes("h264_mp4"), 16_384, 16_384)),
    "size_lie": named(lambda: _sized(good_bytes("h264_mp4"), 640, 480)),
    "zip_at_the_end": named(lambda: good_bytes("h264_mp4") + _zip()),
    "html_in_a_free_box": named(
        lambda: u32(30) + b"free<html>hello</html>" + good_bytes("h264_mp4")
    ),
}
"""Files that give an error for the user or a clip that can be used in part."""


# --- playlists that want to open a neighbour ----------------------------------------------------

PLAYLISTS: dict[str, Callable[[str], bytes]] = {
    "ffconcat": lambda target: f"ffconcat version 1.0\nfile '{target}'\n".encode(),
    "ffconcat_after_blanks": lambda target: f"\n\nffconcat version 1.0\nfile {target}\n".encode(),
    "m3u8": lambda target: (
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXT-X-MEDIA-SEQUENCE:0\n"
        f"#EXTINF:10.0,\n{target}\n#EXT-X-ENDLIST\n"
    ).encode(),
    "m3u8_map": lambda target: (
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:10\n"
        f'#EXT-X-MAP:URI="{target}"\n#EXTINF:10.0,\n{target}\n#EXT-X-ENDLIST\n'
    ).encode(),
    "sdp": lambda target: (
        f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns={target}\nc=IN IP4 127.0.0.1\nt=0 0\n"
        "m=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n"
    ).encode(),
    "dash": lambda target: (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
        f"<Period><AdaptationSet><Representation id='1' mimeType='video/mp4'>"
        f"<BaseURL>{target}</BaseURL></Representation></AdaptationSet></Period></MPD>"
    ).encode(),
    "imf": lambda target: (
        '<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3">'
        f"<Id>{target}</Id></CompositionPlaylist>"
    ).encode(),
    "avi_subtitle_m3u8": lambda target: avi_with_subtitle(PLAYLISTS["m3u8"](target)),
    "avi_subtitle_ffconcat": lambda target: avi_with_subtitle(PLAYLISTS["ffconcat"](target)),
}
"""Scripts that name another file: kind -> content for that file's name or URL."""
