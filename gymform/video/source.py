"""A video file opened so that it can harm nobody: sniffed, capped, whitelisted.

Everything that FFmpeg is asked for input passes here. What cannot be used at all raises a
VideoError with a text for the user; what is wrong in places is skipped and counted.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import stat
import struct
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from gymform.errors import (
    DamagedVideoError,
    EmptyFileError,
    NotAVideoError,
    ReadingStoppedError,
    TooLargeError,
    TooLongError,
    TooSmallError,
    VideoError,
)
from gymform.limits import MAX_FRAMES, MAX_PIXELS, MAX_SECONDS, MAX_SIDE, MAX_UPLOAD_BYTES, MIN_SIDE
from gymform.sniff import CONTAINERS, HEAD_BYTES, FileKind, sniff
from gymform.video.clock import Clock, presentation_order, stated_rate
from gymform.video.gif import is_whole_gif
from gymform.video.streams import films, largest, moving_pictures, remarks
from gymform.video.tables import Retiming, check_tables, retimed_tracks

CODECS = ("h264", "hevc", "mpeg4", "mjpeg", "vp8", "vp9", "av1", "libdav1d", "gif")
"""Names of the decoders that are used. All others stay shut, whatever a file asks for."""

OPTIONS = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,gif",
    "protocol_whitelist": "file",
    "codec_whitelist": ",".join(CODECS),
    # a lying header may hide a larger picture: four times the cap is still decoded, to say so
    "max_pixels": str(4 * MAX_PIXELS),
}
"""Given to every av.open: no playlist, no network, no rare decoder, no boundless picture."""

TIMEOUT_S = 10.0
"""Longest wait for a file to open, and for each packet."""

MAX_THREADS = 4
"""Decoder threads. Each keeps a frame, so that memory stays bounded on machines of many cores."""

UNREADABLE = (av.FFmpegError, ValueError, OverflowError)
"""What PyAV raises on broken data. FFmpeg's own words name paths: they are never passed on."""

_SHOW_FRAME = 0x10
"""Bit of a VP8 frame's first byte (RFC 6386, 9.1): without it the frame is only a reference."""


def check_file(path: Path) -> tuple[FileKind, bool]:
    """The container of the file at ``path`` and whether the file seems whole, without decoding.

    Raises VideoError kinds: missing or no regular file, empty, over the cap of bytes, not a
    video, sample tables that are a memory bomb.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise NotAVideoError("Expected a video file, but this is a folder or a device.")
        check_bytes(status.st_size)
        with path.open("rb") as file:
            kind = sniff(file.read(HEAD_BYTES))
        is_whole = _check_structure(path, kind)
    except FileNotFoundError:
        raise VideoError(
            "Missing file: expected a video of this name, but there is none. Check the name, or "
            "choose the clip again."
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "the file name is not usable"
        raise VideoError(f"The video file cannot be read: {reason}.") from None
    return kind, is_whole


def _check_structure(path: Path, kind: FileKind) -> bool:
    """Whether the file is whole, as far as its structure tells; raises where it is a bomb."""
    if kind.demuxer == "mov":
        return check_tables(path)
    if kind.demuxer == "gif":
        with path.open("rb") as file:
            check_size(*struct.unpack("<6xHH", file.read(10).ljust(10, b"\0")))
        return is_whole_gif(path)
    return True


def check_bytes(count: int) -> None:
    """Raise EmptyFileError for no bytes, TooLargeError for more than the cap."""
    if count == 0:
        raise EmptyFileError(
            f"The file is empty (0 bytes). Choose the clip again: {CONTAINERS} is expected."
        )
    if count > MAX_UPLOAD_BYTES:
        megabyte = 1024 * 1024
        raise TooLargeError(
            f"The file has {math.ceil(10 * count / megabyte) / 10:,} MB, at most "
            f"{MAX_UPLOAD_BYTES // megabyte} MB are accepted. Trim the clip to one repetition, "
            "or record at 1080p."
        )


def check_size(width: int, height: int) -> None:
    """Raise TooLargeError or TooSmallError for a picture of ``width`` x ``height`` px."""
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise TooLargeError(
            f"The picture has {width} x {height} px, at most {MAX_PIXELS / 1e6:.1f} megapixels "
            "(4K) are accepted. Export the clip at 1080p."
        )
    if min(width, height) < MIN_SIDE:
        raise TooSmallError(
            f"The picture has {width} x {height} px, at least {MIN_SIDE} px on each side are "
            "needed, and 360 px or more to see a person well."
        )


def check_length(frames: int, time_s: float) -> None:
    """Raise TooLongError when the clip is over the cap of frames or seconds."""
    if time_s > MAX_SECONDS:
        raise TooLongError(
            f"The clip is longer than {MAX_SECONDS:g} s. Trim it to one repetition, or to a "
            "few: a repetition takes two to ten seconds."
        )
    if frames > MAX_FRAMES:
        raise TooLongError(
            f"The clip has more than {MAX_FRAMES:,} frames. Trim it to one repetition, or "
            "record at a lower frame rate."
        )


@contextlib.contextmanager
def open_source(
    path: Path, *, threads: int = MAX_THREADS, found: tuple[FileKind, bool] | None = None
) -> Iterator[Source]:
    """The video at ``path``, opened for reading, closed at the end of the block.

    ``found`` is what :func:`check_file` said of it, when it was asked. Raises VideoError kinds for
    whatever cannot be used.
    """
    kind, is_whole = found or check_file(path)
    retimed = retimed_tracks(path) if kind.demuxer == "mov" else {}
    options = {"ignore_editlist": "1"} if retimed else {}
    with contextlib.ExitStack() as stack:
        container = stack.enter_context(_opened(path, kind, options))
        streams = moving_pictures(container)
        candidates = films(streams, container)
        film = largest(candidates, CODECS)
        said, index = remarks(candidates, film, CODECS), film.index
        if len(streams) > 1:  # they were counted: back to the start
            container.close()
            container = stack.enter_context(_opened(path, kind, options))
            film = next(one for one in container.streams.video if one.index == index)
        if film.codec_context.width and film.codec_context.height:
            check_size(film.codec_context.width, film.codec_context.height)
        yield Source(container, film, kind, is_whole, threads, retimed.get(film.id), said)


class Source:
    """An opened file: its video packets, their decoding, and what went wrong on the way."""

    def __init__(
        self,
        container: InputContainer,
        stream: VideoStream,
        kind: FileKind,
        is_whole: bool,
        threads: int,
        retiming: Retiming | None = None,
        said: tuple[str, ...] = (),
    ) -> None:
        """``retiming``: the edit list's speeds, when it has any and was not obeyed on opening;
        ``said``: what to remark about the choice of this stream."""
        self.container = container
        self.stream = stream
        self.kind = kind
        self.first_frame: av.VideoFrame | None = None
        self._is_whole = is_whole
        self._retiming = retiming
        self._remarks = said
        self.rate = stated_rate(stream.guessed_rate)
        self._is_avi = kind.demuxer == "avi"
        # AVI numbers frames in decoding order: with B-frames that is not the order of showing
        self._reorders = self._is_avi and stream.codec_context.reorder_depth > 0
        self._packets = 0
        self._hidden = 0
        self._decoded = 0
        self._start_s = float("inf")
        self._end_s = 0.0
        threads = min(threads, os.cpu_count() or 1)
        self.is_serial = threads == 1
        self.stumbled = False
        context = stream.codec_context
        context.options = {key: OPTIONS[key] for key in ("codec_whitelist", "max_pixels")}
        context.thread_type = "AUTO"
        context.thread_count = threads

    @property
    def codec(self) -> str:
        """The codec's own name; a decoder may have another ("libdav1d" reads "av1")."""
        return str(self.stream.codec_context.codec.canonical_name)

    @property
    def pixel_aspect(self) -> Fraction | None:
        """Width of a stored pixel for its height; None when the file does not say."""
        stream = self.stream
        return stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio

    @property
    def tags(self) -> dict[str, str]:
        """What the file says of itself and of its film, by name."""
        return {**self.stream.metadata, **self.container.metadata}

    def stamps(self) -> Iterator[float | None]:
        """Time stamps in seconds of all frames, in the order of showing, by the packets alone.

        On the way the first frame is decoded and kept as ``first_frame``.
        """
        yield from presentation_order(self._packet_stamps())
        if self.first_frame is None:
            self.first_frame = next(iter(self.decode(None)), None)

    def _packet_stamps(self) -> Iterator[float | None]:
        for packet in self.packets():
            if self.first_frame is None:
                self.first_frame = next(iter(self.decode(packet)), None)
            if self.is_shown(packet):
                yield self.packet_stamp(packet)

    def packets(self) -> Iterator[av.Packet[Any]]:
        """Whole packets of the video in decoding order, up to the end or to where it breaks.

        Raises TooLongError when there are more than a clip may have frames, decodable or not.
        """
        # what cannot be demuxed ends the clip: problems() will find it too short
        with contextlib.suppress(*UNREADABLE):
            for packet in self.container.demux():
                if packet.size == 0 or packet.is_corrupt:  # flush marks; cut off by the file's end
                    continue
                self._note_span(packet)
                if packet.stream_index == self.stream.index:
                    self._packets += 1
                    self._hidden += not self.is_shown(packet)
                    check_length(max(self._packets - self._hidden, self._packets // 2), 0.0)
                    yield packet

    def is_shown(self, packet: av.Packet[Any]) -> bool:
        """Whether the packet becomes a frame: not cut by an edit list, no mere reference."""
        if packet.is_discard or not self._in_edits(packet.pts):
            return False
        is_vp8 = self.stream.codec_context.name == "vp8"
        return not is_vp8 or bool(memoryview(packet)[0] & _SHOW_FRAME)

    def packet_stamp(self, packet: av.Packet[Any]) -> float | None:
        """The packet's presentation time in seconds; for AVI its place in decoding order."""
        return self._seconds(packet.dts if self._is_avi else packet.pts)

    def decode(self, packet: av.Packet[Any] | None) -> list[av.VideoFrame]:
        """Undamaged frames that ``packet`` completes; None asks for all that still wait."""
        try:
            decoded = self.stream.codec_context.decode(packet)
        except UNREADABLE:
            self.stumbled = True
            return []
        decoded = [frame for frame in decoded if self._in_edits(frame.pts)]
        frames = [frame for frame in decoded if not frame.is_corrupt]
        self.stumbled |= len(frames) < len(decoded)
        self._decoded += len(frames)
        return frames

    def frames(self) -> Iterator[tuple[av.VideoFrame, float | None]]:
        """Undamaged frames in presentation order, each with its time stamp in seconds.

        With several threads it ends at the first damage and :attr:`stumbled` is set: decoding in
        parallel loses the sound frames that are under way, and not always the same ones.
        """
        order: deque[float | None] = deque()
        for packet in itertools.chain(self.packets(), (None,)):
            if self._reorders and packet is not None:
                order.append(self.packet_stamp(packet))
            frames = self.decode(packet)
            if packet is None:
                self.stumbled |= self._lost > 0
            if self.stumbled and not self.is_serial:
                return
            for frame in frames:
                yield frame, self._frame_stamp(frame, order)

    def problems(self, clock: Clock, *, decoded: bool) -> Iterator[str]:
        """What went wrong, in sentences, once all packets were read.

        ``decoded`` says whether all frames were decoded, so that missing ones can be told.
        """
        promised_s = self._promised_s()
        if promised_s - clock.duration_s > max(0.25, 2 * clock.step_s):
            yield (
                f"The clip ends early: {clock.duration_s:.1f} s of {promised_s:.1f} s "
                "could be read."
            )
        elif not self._is_whole:
            yield f"The file is cut off: {clock.duration_s:.1f} s could be read."
        if decoded and self._lost > 0:
            yield f"{self._lost} damaged frame{'s were' if self._lost > 1 else ' was'} left out."
        if self._is_avi:
            yield (
                "AVI files store no time stamps: the stated rate of "
                f"{self.rate:.4g} frames a second was used."
            )
        if self._retiming is not None:
            yield (
                f"In places the file asks for {_listed(self._retiming.speeds)} times its speed: "
                "every picture is used once, at the time at which it was filmed."
            )
        yield from self._remarks
        yield from clock.problems()

    @property
    def announced(self) -> int:
        """Frames that should come out of the packets so far."""
        return self._packets - self._hidden

    @property
    def _lost(self) -> int:
        """Frames that should have come out of the packets so far, once all were asked for."""
        return self.announced - self._decoded

    def _frame_stamp(self, frame: av.VideoFrame, order: deque[float | None]) -> float | None:
        if not self._reorders:
            return self._seconds(frame.pts)
        return order.popleft() if order else None

    def _in_edits(self, ticks: int | None) -> bool:
        """Whether an edit list with speeds shows what has that time stamp."""
        time_s = self._seconds(ticks)
        return self._retiming is None or time_s is None or self._retiming.shows(time_s)

    def _seconds(self, ticks: int | None) -> float | None:
        base = self.stream.time_base
        return None if ticks is None or not base else float(ticks * base)

    def _note_span(self, packet: av.Packet[Any]) -> None:
        """Remember from when to when packets of any stream reach."""
        ticks, base = packet.dts if packet.pts is None else packet.pts, packet.time_base
        if ticks is not None and base:
            self._start_s = min(self._start_s, float(ticks * base))
            self._end_s = max(self._end_s, float((ticks + (packet.duration or 0)) * base))

    def _promised_s(self) -> float:
        """Seconds that the header announces, 0 unless packets are missing from them."""
        announced = self.stream.frames
        if self.kind.demuxer != "matroska" and announced <= self._packets:
            return 0.0
        if self._is_avi:  # FFmpeg has adapted the duration to the size of the file
            return announced / self.rate
        promised_s = (self.container.duration or 0) / av.time_base
        span_s = self._end_s - self._start_s
        return promised_s if promised_s - span_s > 0.25 else 0.0


@contextlib.contextmanager
def _opened(path: Path, kind: FileKind, options: dict[str, str]) -> Iterator[InputContainer]:
    """FFmpeg's view of the file, forced to the container that was sniffed, with more ``options``.

    A fragmented MP4 that is cut inside a fragment opens only when FFmpeg does not look ahead.
    """
    ways = ({}, {"fflags": "ignidx"}) if kind.demuxer == "mov" else ({},)
    for more_options in ways:
        try:
            container = av.open(
                str(path.resolve()),  # absolute: a name like "concat:..." is then no protocol
                format=kind.demuxer,
                options=OPTIONS | options | more_options,
                metadata_errors="replace",
                timeout=TIMEOUT_S,
            )
            break
        except MemoryError:
            raise ReadingStoppedError(
                "The header of this file asks for more memory than any clip needs: it is damaged. "
                "Copy or export the clip again."
            ) from None
        except UNREADABLE:
            continue
    else:
        raise DamagedVideoError(
            "The file starts like a video but cannot be opened: it is cut off or damaged, and "
            "its index is missing. Copy or export the clip again."
        )
    with container:
        yield container


def _listed(speeds: tuple[float, ...]) -> str:
    """At most three speeds: "0.125, 0.5"."""
    shown = ", ".join(f"{speed:.4g}" for speed in speeds[:3])
    return f"{shown} ..." if len(speeds) > 3 else shown
