"""What kind of file it is, told from its first bytes and never from its name.

FFmpeg is generous in guessing formats: it may take a text file for a playlist and open other files.
So the container is recognised here, and FFmpeg is told which one to expect.
"""

from __future__ import annotations

from dataclasses import dataclass

from gymform.errors import EmptyFileError, NotAVideoError

HEAD_BYTES = 4096
"""How many bytes from the start of a file :func:`sniff` needs."""

CONTAINERS = "MP4, MOV, WebM, MKV, AVI, AVCHD (MTS), or an animated GIF or WebP"
"""The supported containers, as error texts name them."""


@dataclass(frozen=True)
class FileKind:
    """A supported container: FFmpeg's demuxer for it and the suffix of a stored copy."""

    demuxer: str
    suffix: str


MP4 = FileKind("mov", ".mp4")
MOV = FileKind("mov", ".mov")
WEBM = FileKind("matroska", ".webm")
MKV = FileKind("matroska", ".mkv")
AVI = FileKind("avi", ".avi")
TS = FileKind("mpegts", ".ts")
AVCHD = FileKind("mpegts", ".mts")
GIF = FileKind("gif", ".gif")
WEBP = FileKind("webp", ".webp")

VIDEO_SUFFIXES = (
    ".mp4", ".mov", ".m4v", ".webm", ".avi", ".mkv", ".mts", ".m2ts", ".ts", ".gif", ".webp",
)  # fmt: skip
"""Suffixes of the containers that are read: what uploads offer, and how stored clips are named."""

ANY_VIDEO_SUFFIXES = (
    *VIDEO_SUFFIXES,
    ".qt", ".3gp", ".3g2", ".mpg", ".mpeg", ".wmv", ".flv", ".m2t",
)  # fmt: skip
"""Names that promise a video; whether it can be read is found out by its content."""

_ROOT_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp")
"""Types of the box that an ISO or QuickTime file may start with."""

_PHOTO_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif")
"""ISO brands of still pictures."""

_PACKETS = ((AVCHD, 192, 4), (TS, 188, 0), (TS, 204, 0))
"""Transport streams: what they are, bytes of a packet, where the first sync byte usually stands.
Camcorders put four bytes with a clock before each packet, broadcasts may put a checksum after."""

_SYNC = 0x47

_WEBP_ANIMATED = 0x02
"""Bit of the first byte of a WebP's VP8X chunk (WebP container specification)."""

_FEWEST_PACKETS = 3
"""So many sync bytes at least tell a transport stream that begins with a whole packet."""

_FEWEST_LATER_PACKETS = 12
"""The same for one that begins in the middle of a packet."""

_OTHER_FILES = (
    (0, b"\x89PNG", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (8, b"WAVE", "a WAV sound file"),
    (0, b"ID3", "an MP3 sound file"),
    (0, b"\xff\xfb", "an MP3 sound file"),
    (0, b"fLaC", "a FLAC sound file"),
    (0, b"OggS", "an Ogg file"),
    (0, b"FLV\x01", "a Flash video"),
    (0, b"\x30\x26\xb2\x75", "a Windows Media file"),
    (0, b"\x00\x00\x01\xba", "an MPEG programme stream"),
    (0, b"\x00\x00\x01\xb3", "an MPEG-2 video stream"),
    (0, b"\x00\x00\x00\x01", "a bare H.264 or HEVC stream"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"7z\xbc\xaf", "a 7z archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"%PDF", "a PDF document"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
    (0, b"BM", "a BMP picture"),
)
"""(offset, bytes found there, what to call the file): names what was given instead of a video."""

_TEXT_FILES = (
    ("#extm3u", "a playlist (M3U8)"),
    ("ffconcat", "a playlist (ffconcat)"),
    ("v=0", "a session description (SDP)"),
    ("<!doctype html", "a web page"),
    ("<html", "a web page"),
    ("<svg", "an SVG drawing"),
    ("<?xml", "an XML file"),
    ("<mpd", "a playlist (DASH)"),
)


def sniff(head: bytes) -> FileKind:
    """The container that ``head``, the file's first :data:`HEAD_BYTES` bytes, belongs to.

    Raises EmptyFileError for no bytes, and NotAVideoError for everything but ISO/QuickTime,
    Matroska/WebM, AVI, transport streams, GIF and animated WebP; its text says what the file is,
    where that is known.
    """
    if not head:
        raise EmptyFileError(
            f"The file is empty (0 bytes). Choose the clip again: {CONTAINERS} is expected."
        )
    kind = (
        _iso(head) or _matroska(head) or _avi(head) or _animation(head) or _transport_stream(head)
    )
    if kind is None:
        raise NotAVideoError(f"{_what(head)} Expected a video: {CONTAINERS}.")
    return kind


def _iso(head: bytes) -> FileKind | None:
    """MP4 or MOV when the file starts with an ISO or QuickTime box, unless it is a photo."""
    if head[4:8] not in _ROOT_BOXES:
        return None
    if head[4:8] != b"ftyp":
        return MOV
    brand = head[8:12]
    if brand in _PHOTO_BRANDS:
        return None
    return MOV if brand == b"qt  " else MP4


def _matroska(head: bytes) -> FileKind | None:
    """WebM or MKV when the file starts with an EBML header of that document type."""
    if not head.startswith(b"\x1a\x45\xdf\xa3"):
        return None
    if b"webm" in head[:64]:
        return WEBM
    return MKV if b"matroska" in head[:64] else None


def _avi(head: bytes) -> FileKind | None:
    return AVI if head[:4] == b"RIFF" and head[8:12] == b"AVI " else None


def _animation(head: bytes) -> FileKind | None:
    """GIF, or WebP that says it is animated. How many pictures there are is found out later."""
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return GIF
    is_webp = head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X"
    return WEBP if is_webp and len(head) > 20 and head[20] & _WEBP_ANIMATED else None


def _transport_stream(head: bytes) -> FileKind | None:
    """AVCHD or another transport stream, when sync bytes stand a packet's length apart."""
    for kind, size, usual in _PACKETS:
        for first in (usual, *range(size)):
            fewest = _FEWEST_PACKETS if first == usual else _FEWEST_LATER_PACKETS
            syncs = head[first::size]
            if len(syncs) >= fewest and syncs.count(_SYNC) == len(syncs):
                return kind
    return None


def _what(head: bytes) -> str:
    """A sentence that says what the file is instead of a video."""
    if head[4:8] == b"ftyp":
        return "This is a photo (HEIC or AVIF), not a video."
    for offset, magic, name in _OTHER_FILES:
        if head[offset : offset + len(magic)] == magic:
            return f"This is {name}, which gymform does not read."
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "This is a WebP picture: one picture, not a video."
    text = head.removeprefix(b"\xef\xbb\xbf").decode("latin-1").lstrip().lower()
    for start, name in _TEXT_FILES:
        if text.startswith(start):
            return f"This is {name}, not a video."
    if all(byte >= 32 or byte in b"\t\n\r\f\x1b" for byte in head):
        return "This is a text file, not a video."
    return "The content of this file is not a known video format."
