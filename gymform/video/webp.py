"""Animated WebP: its pictures, one laid over the other, as frames with their times.

FFmpeg opens no animated WebP, but decodes each of its pictures. So the file is taken apart here.
Format: WebP Container Specification (developers.google.com/speed/webp/docs/riff_container).
"""

from __future__ import annotations

import contextlib
import mmap
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

import av
import numpy as np

from gymform.errors import DamagedVideoError
from gymform.sniff import WEBP, FileKind
from gymform.video.clock import Clock
from gymform.video.source import OPTIONS, UNREADABLE, check_length, check_size

UNSTATED_S = 0.1
"""A picture without a length is shown for so long, in browsers and by FFmpeg in GIFs."""

_ALPHA = 0x10
"""Bit of the first byte of a VP8X chunk."""

_NOT_BLENDED, _CLEARED = 0x02, 0x01
"""Bits of the last byte of an ANMF chunk's header: replace what is below; clear the place after."""

_HEADER = 16
"""Bytes of an ANMF chunk before its picture."""


_ROWS = 64
"""Rows that are blended at once: blending takes three times the memory of what it blends."""


@dataclass(frozen=True)
class Picture:
    """One picture of the animation: when, where on the canvas, and where its bytes lie.

    ``time_s`` seconds from the start; ``box`` x, y, width, height in px of the canvas; ``span``
    start and end in the file; ``blends`` over what is below it, ``clears`` its place when its time
    is over.
    """

    time_s: float
    box: tuple[int, int, int, int]
    span: tuple[int, int]
    blends: bool
    clears: bool


@contextlib.contextmanager
def open_webp(path: Path) -> Iterator[WebpSource]:
    """The animation at ``path``, opened for reading, closed at the end of the block.

    Raises DamagedVideoError for one without a canvas, TooLargeError, TooSmallError, TooLongError.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield WebpSource(data)


class WebpSource:
    """An opened animation, read as `source.Source` reads a video."""

    kind: FileKind = WEBP
    codec = "webp"
    pixel_aspect: Fraction | None = None
    tags: Mapping[str, str] = MappingProxyType({})
    is_serial = True
    stumbled = False

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._is_whole = True
        self._misplaced = self._lost = 0
        self._pictures = list(self._found())
        self.first_frame: av.VideoFrame | None = None
        self.rate = 1 / UNSTATED_S
        if len(self._pictures) > 1:
            self.rate = (len(self._pictures) - 1) / self._pictures[-1].time_s

    @property
    def announced(self) -> int:
        """Frames that should come out of the pictures."""
        return len(self._pictures)

    def stamps(self) -> Iterator[float | None]:
        """Each picture's second; the first picture that can be decoded is kept."""
        self.first_frame, _ = next(self.frames(), (None, None))
        yield from (picture.time_s for picture in self._pictures)

    def frames(self) -> Iterator[tuple[av.VideoFrame, float | None]]:
        """The canvas after each picture that can be decoded, with its second."""
        self._lost = 0
        canvas = np.zeros((self._height, self._width, 3), np.uint8)
        for picture in self._pictures:
            rgba = self._decoded(picture)
            if rgba is None:
                self._lost += 1
                continue
            place = _place(canvas, picture)
            if not picture.blends:
                place[:] = 0
            _lay_over(place, rgba)
            yield av.VideoFrame.from_ndarray(canvas, format="rgb24"), picture.time_s
            if picture.clears:
                place[:] = 0

    def problems(self, clock: Clock, *, decoded: bool) -> Iterator[str]:
        """What went wrong, in sentences, once all pictures were read."""
        if not self._is_whole:
            yield f"The file is cut off: {clock.duration_s:.1f} s could be read."
        lost = self._misplaced + (self._lost if decoded else 0)
        if lost:
            yield f"{lost} damaged frame{'s were' if lost > 1 else ' was'} left out."
        yield from clock.problems()

    def _found(self) -> Iterator[Picture]:
        """All pictures whose bytes are there; canvas and wholeness are noted on the way."""
        self._width = self._height = 0
        time_s, count = 0.0, 0
        for kind, start, end in self._chunks():
            if kind == b"VP8X" and end - start >= 10 and not self._width:
                sides = (int.from_bytes(self._data[at : at + 3], "little") + 1
                         for at in (start + 4, start + 7))  # fmt: skip
                self._width, self._height = sides
                check_size(self._width, self._height)
            if kind != b"ANMF" or end - start < _HEADER + 8 or not self._width:
                continue
            picture, length_s = self._picture(start, end, time_s)
            count += 1
            check_length(count, time_s)
            time_s += length_s
            if picture is not None:
                yield picture
        if not self._width:
            raise DamagedVideoError(
                "The file starts like an animated WebP, but the size of its picture is missing: it "
                "is cut off or damaged. Copy or export the clip again."
            )

    def _chunks(self) -> Iterator[tuple[bytes, int, int]]:
        """Type, start and end of the body of each chunk that is there in full."""
        at, end = 12, len(self._data)
        while at + 8 <= end:
            kind, size = struct.unpack("<4sI", self._data[at : at + 8])
            if size > end - at - 8:
                break
            yield kind, at + 8, at + 8 + size
            at += 8 + size + size % 2
        promised = 8 + int.from_bytes(self._data[4:8], "little")
        self._is_whole = at >= min(promised, max(at, end)) and promised <= end + 1

    def _picture(self, start: int, end: int, time_s: float) -> tuple[Picture | None, float]:
        """The picture of an ANMF chunk, None when it reaches out of the canvas; and its seconds."""
        header = self._data[start : start + _HEADER]
        numbers = [int.from_bytes(header[at : at + 3], "little") for at in range(0, 15, 3)]
        left, top, width, height = 2 * numbers[0], 2 * numbers[1], numbers[2] + 1, numbers[3] + 1
        length_s = numbers[4] / 1000 or UNSTATED_S
        if left + width > self._width or top + height > self._height:
            self._misplaced += 1
            return None, length_s
        flags = header[15]
        return Picture(
            time_s,
            (left, top, width, height),
            (start + _HEADER, end),
            blends=not flags & _NOT_BLENDED,
            clears=bool(flags & _CLEARED),
        ), length_s

    def _decoded(self, picture: Picture) -> np.ndarray | None:
        """The picture's pixels, uint8 (height, width, 4); None when they are damaged."""
        _, _, width, height = picture.box
        context = av.CodecContext.create("webp", "r")
        context.options = {"max_pixels": OPTIONS["max_pixels"]}
        context.thread_count = 1
        try:
            still = _still(self._data[slice(*picture.span)], width, height)
            (frame,) = context.decode(av.Packet(still))
            if frame.is_corrupt or (frame.width, frame.height) != (width, height):
                return None
            return frame.to_ndarray(format="rgba")
        except UNREADABLE:
            return None


def _still(body: bytes, width: int, height: int) -> bytes:
    """The chunks of one picture as a WebP file of their own, which FFmpeg's decoder takes."""
    header = b""
    if body.startswith(b"ALPH"):
        sides = b"".join((side - 1).to_bytes(3, "little") for side in (width, height))
        header = b"VP8X" + struct.pack("<IB3x", 10, _ALPHA) + sides
    content = b"WEBP" + header + body
    return b"RIFF" + struct.pack("<I", len(content)) + content


def _place(canvas: np.ndarray, picture: Picture) -> np.ndarray:
    """The part of the canvas that the picture covers, to be written to."""
    left, top, width, height = picture.box
    return canvas[top : top + height, left : left + width]


def _lay_over(place: np.ndarray, rgba: np.ndarray) -> None:
    """Lay ``rgba`` (h, w, 4) over the opaque pixels ``place`` (h, w, 3), a few rows at a time."""
    for top in range(0, len(place), _ROWS):
        above, below = rgba[top : top + _ROWS], place[top : top + _ROWS]
        alpha = above[..., 3:].astype(np.uint16)
        below[:] = (above[..., :3] * alpha + below * (255 - alpha) + 127) // 255
