"""Video out: H.264 that plays in browsers, with the times that its frames were given."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from gymform.errors import VideoWriteError
from gymform.storage import atomic_path
from gymform.video.read import read_frames

TIME_BASE = Fraction(1, 90_000)
"""Tick of the written time stamps: the usual video clock, exact for all common frame rates."""

CRF = 20
"""x264's constant rate factor: visually close to the source."""

KEYINT = 12
"""Frames between key frames of a viewing copy: a browser then seeks exactly and at once."""

MAX_PLANNED_FPS = 120.0
"""Browsers' recordings state up to 1000 frames a second; x264 would choose a level to match."""

_BT709 = 1
"""FFmpeg's number for BT.709 matrix, primaries and transfer."""


class VideoWriter:
    """Writes frames as an MP4 (H.264, yuv420p, moov in front) that appears whole or not at all.

    Use it as a context manager: the file takes its place when the block ends well, and nothing
    is left when it raises. Raises VideoWriteError when the disk does not take it.
    """

    def __init__(
        self,
        path: Path,
        *,
        width: int,
        height: int,
        fps: float,
        crf: int = CRF,
        keyint: int | None = None,
    ) -> None:
        """Plan a file of ``width`` x ``height`` px; odd sides grow by one repeated line.

        ``fps`` is nominal, for the encoder's planning: what counts is each frame's ``time_s``.
        ``keyint`` limits the frames between key frames (x264 decides when None).
        """
        if min(width, height) < 1:
            raise ValueError(f"VideoWriter: expected a size of at least 1 x 1, got {width, height}")
        self._path = path
        self._size = (width, height)
        self._fps = Fraction(fps).limit_denominator(1001)
        self._options = {"crf": str(crf), "preset": "veryfast"}
        if keyint is not None:
            self._options["g"] = str(keyint)
        self._stack = contextlib.ExitStack()
        self._last: av.VideoFrame | None = None
        self._last_ticks = 0

    def __enter__(self) -> VideoWriter:
        with contextlib.ExitStack() as opening, _writing():
            temporary = opening.enter_context(atomic_path(self._path))
            self._container = opening.enter_context(
                av.open(str(temporary.resolve()), "w", options={"movflags": "+faststart"})
            )
            self._stream = self._add_stream()
            self._converter = VideoReformatter()
            self._stack = opening.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            with _writing(), self._stack:
                self._finish()
        else:  # the file is given up: closing it may fail, and the temporary file goes
            with contextlib.suppress(av.FFmpegError):
                self._stack.__exit__(kind, error, traceback)

    def write(self, rgb: np.ndarray, time_s: float) -> None:
        """Append ``rgb`` uint8 (height, width, 3), shown from ``time_s`` seconds on.

        Times must rise by at least one tick (1/90000 s); ValueError otherwise.
        """
        width, height = self._size
        if rgb.shape != (height, width, 3) or rgb.dtype != np.uint8:
            raise ValueError(
                f"VideoWriter.write: expected uint8 ({height}, {width}, 3), "
                f"got {rgb.dtype} {rgb.shape}"
            )
        frame = self._converted(rgb)
        ticks = round(time_s / TIME_BASE)
        frame.pts, frame.time_base = ticks, TIME_BASE
        if self._last is not None:
            if ticks <= self._last_ticks:
                raise ValueError(f"VideoWriter.write: time {time_s} s does not rise")
            self._last.duration = ticks - self._last_ticks
            self._encode(self._last)
        self._last, self._last_ticks = frame, ticks  # held until its duration is known

    def _add_stream(self) -> av.VideoStream:
        stream = self._container.add_stream("libx264", rate=self._fps, options=self._options)
        stream.width, stream.height = (side + side % 2 for side in self._size)
        stream.pix_fmt = "yuv420p"
        stream.time_base = TIME_BASE
        context = stream.codec_context
        context.time_base = TIME_BASE
        context.max_b_frames = 0  # decoding order is showing order: exact seeking everywhere
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = ColorRange.MPEG
        return stream

    def _converted(self, rgb: np.ndarray) -> av.VideoFrame:
        height, width = rgb.shape[:2]
        if width % 2 or height % 2:
            rgb = np.pad(rgb, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        return self._converter.reformat(
            av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )

    def _finish(self) -> None:
        if self._last is None:
            raise VideoWriteError("There is no frame to write: the video was not made.")
        self._last.duration = max(1, round(1 / (self._fps * TIME_BASE)))
        self._encode(self._last)
        self._encode(None)

    def _encode(self, frame: av.VideoFrame | None) -> None:
        with _writing():
            self._container.mux(self._stream.encode(frame))


def transcode(
    source: Path,
    target: Path,
    *,
    max_side: int | None = None,
    keyint: int = KEYINT,
    turn: int = 0,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write the clip at ``source`` upright as an H.264 MP4 that every browser plays and seeks.

    Times stay; sound is left out. ``max_side`` shrinks the picture (px); ``turn`` turns it (degrees
    counter-clockwise) more than the file says; ``progress`` hears the number of frames written, and
    may raise. Raises VideoError kinds for the source, VideoWriteError for the target.
    """
    with (
        read_frames(source, max_side=max_side, turn=turn) as frames,
        VideoWriter(
            target,
            width=frames.width,
            height=frames.height,
            fps=min(frames.fps, MAX_PLANNED_FPS),
            keyint=keyint,
        ) as writer,
    ):
        for frame in frames:
            writer.write(frame.rgb, frame.time_s)
            if progress is not None:
                progress(frame.index + 1)


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    """Turn what the disk or FFmpeg's writer says into a VideoWriteError for the user."""
    try:
        yield
    except (OSError, av.FFmpegError) as error:
        raise VideoWriteError(_reason(getattr(error, "errno", None))) from None


def _reason(code: int | None) -> str:
    if code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "The video could not be written: the disk is full. Free some space and try again."
    if code in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "The video could not be written: the folder is read-only. Choose another one."
    return "The video could not be written. Check that the folder exists and has free space."
