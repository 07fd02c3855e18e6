"""Which of a file's video streams is the film: the largest one that moves.

Files hold previews, covers and thumbnails beside the film, and the mark "default" may stand on any
of them.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Collection

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from gymform.errors import DamagedVideoError, NotAVideoError, NoVideoStreamError
from gymform.limits import MAX_FRAMES, MAX_PIXELS, MAX_SIDE

_PICTURES = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
"""Marks of streams that are no films."""

Remarks = tuple[str, ...]

FILM_SHARE = 0.1
"""A stream with a smaller share of the most frames in the file is a row of thumbnails."""


def moving_pictures(container: InputContainer) -> list[VideoStream]:
    """The video streams that are not marked as pictures, at least one.

    Raises DamagedVideoError where there is no stream at all, and NoVideoStreamError.
    """
    if not container.streams:
        raise DamagedVideoError(
            "The file holds neither picture nor sound: it is cut off or was never finished. "
            "Copy or export the clip again."
        )
    found = [stream for stream in container.streams.video if not stream.disposition & _PICTURES]
    if not found:
        raise NoVideoStreamError(
            "The file has no moving picture, only sound or a cover. Choose a clip with video."
        )
    return found


def films(streams: list[VideoStream], container: InputContainer) -> list[VideoStream]:
    """Those of ``streams`` with so many frames that they move; all if none has two.

    Reads the file to its end, or to a limit of frames; a single stream is not counted.
    """
    if len(streams) < 2:
        return streams
    counts = _packets(container)
    enough = FILM_SHARE * max(counts.values(), default=0)
    return [one for one in streams if counts[one.index] > max(1, enough)] or streams


def largest(candidates: list[VideoStream], codecs: Collection[str]) -> VideoStream:
    """The film of most pixels in one of ``codecs`` and of a size that is read.

    Of equal ones, the default. Raises NotAVideoError when no codec is read.
    """
    readable = [stream for stream in candidates if _codec(stream) in codecs]
    if not readable:
        raise NotAVideoError(
            f"The pictures in this file are compressed with {_codec(candidates[0])}, which is not "
            "read here. Export the clip as MP4 with H.264 or HEVC."
        )
    return max(readable, key=_rank)


def remarks(candidates: list[VideoStream], chosen: VideoStream, codecs: Collection[str]) -> Remarks:
    """What to say of the other films: one is marked as the default, or is larger but not read."""
    said = []
    others = [stream for stream in candidates if stream.index != chosen.index]
    marked = [stream for stream in others if _is_default(stream)]
    if marked and not _is_default(chosen):
        said.append(
            f"The file holds {len(candidates)} films: the largest one, {_words(chosen)}, is read, "
            f"though one of {_words(marked[0])} is marked as the default."
        )
    for stream in others:
        if _codec(stream) not in codecs and _pixels(stream) > _pixels(chosen):
            said.append(
                f"A larger film in this file, {_words(stream)}, is compressed with "
                f"{_codec(stream)}, which is not read here: one of {_words(chosen)} is used."
            )
    return tuple(said)


def _packets(container: InputContainer) -> Counter[int]:
    """Packets of each video stream, by its index."""
    counts: Counter[int] = Counter()
    with contextlib.suppress(av.FFmpegError, ValueError, OverflowError):
        for packet in container.demux(*container.streams.video):
            counts[packet.stream_index] += packet.size > 0
            if counts[packet.stream_index] > MAX_FRAMES:
                break
    return counts


def _rank(stream: VideoStream) -> tuple[bool, int, bool]:
    width, height = _size(stream)
    is_read = width * height <= MAX_PIXELS and max(width, height) <= MAX_SIDE
    return is_read, width * height, _is_default(stream)


def _is_default(stream: VideoStream) -> bool:
    return bool(stream.disposition & Disposition.default)


def _codec(stream: VideoStream) -> str:
    return stream.codec_context.name if stream.codec_context else "an unknown codec"


def _size(stream: VideoStream) -> tuple[int, int]:
    context = stream.codec_context
    return (context.width, context.height) if context else (0, 0)


def _pixels(stream: VideoStream) -> int:
    width, height = _size(stream)
    return width * height


def _words(stream: VideoStream) -> str:
    width, height = _size(stream)
    return f"{width} x {height} px"
