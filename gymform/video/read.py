"""Video in: what a clip is (:func:`probe`) and its frames with their times (:func:`read_frames`).

The only way by which frames enter gymform. Time comes from the presentation time stamps, counts
from packets and frames that were really there: headers lie.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from gymform.errors import NoFramesError, NotAVideoError
from gymform.sniff import WEBP
from gymform.types import Clip
from gymform.video.capture import capture_fps, stated_rate
from gymform.video.clock import Clock
from gymform.video.geometry import Geometry, fit, geometry_of, turned
from gymform.video.source import (
    MAX_THREADS,
    UNREADABLE,
    Source,
    check_file,
    check_length,
    check_size,
    open_source,
)
from gymform.video.webp import WebpSource, open_webp
from gymform.weights import sha256_of

Keep = Callable[[int, float], bool]

_KNOWN_COLORSPACES = (1, 2, 4, 5, 6, 7, 9, 10)
"""FFmpeg's matrix coefficients that swscale converts; a broken file may name any other."""

_UNSPECIFIED = 2


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame: its number in the clip, its second, and its pixels.

    ``index`` counts every frame of the clip, kept or not; ``time_s`` starts at 0; ``rgb`` is
    uint8 (H, W, 3), upright, with square pixels.
    """

    index: int
    time_s: float
    rgb: np.ndarray


def probe(path: Path, name: str | None = None) -> Clip:
    """What the video file at ``path`` holds, from its packets and its first frame.

    ``name`` is what to call it (the client's name of an upload), else the file's own name. Only
    one frame is decoded; sizes are of the upright frame. Raises VideoError kinds with a text for
    the user: see `gymform.errors`.
    """
    with _opened(path, threads=1) as source:
        clock, times, first_frame = _survey(source)
        geometry = _geometry(first_frame, source)
        width, height = geometry.size
        stated = stated_rate(source.tags, path if source.kind.demuxer == "mov" else None)
        return Clip(
            name=name or path.name,
            container=source.kind.suffix[1:],
            codec=source.codec,
            width=width,
            height=height,
            rotation=geometry.rotation,
            duration_s=clock.duration_s,
            fps=clock.frames / clock.duration_s,
            frames=clock.frames,
            bytes=path.stat().st_size,
            sha256=sha256_of(path),
            capture_fps=capture_fps(stated, times),
            problems=(
                *source.problems(clock, decoded=False),
                *_geometry_problems(geometry),
            ),
        )


def read_frames(
    path: Path, *, max_side: int | None = None, keep: Keep | None = None, turn: int = 0
) -> FrameStream:
    """The frames of the video at ``path``, upright, one after the other.

    ``max_side`` shrinks frames at once so that no side is longer (px); ``keep(index, time_s)``
    is asked once for each frame in order, and where it says False the frame is neither converted
    nor yielded. ``turn`` degrees (0, 90, 180, 270) more are frames turned counter-clockwise than
    the file says. Use it as a context manager. Raises VideoError kinds here and, where the header
    lied, while iterating.
    """
    return FrameStream(path, max_side=max_side, keep=keep, turn=turn)


class FrameStream:
    """An iterator of :class:`Frame`, to be gone through once, and closed by ``with``.

    Memory does not grow with the clip: a frame is held only by whoever iterates.
    """

    scale: float
    """Pixels of a yielded frame for each pixel of the upright source frame, at most 1."""

    width: int
    """Width of yielded frames, px."""

    height: int
    """Height of yielded frames, px."""

    source_size: tuple[int, int]
    """(width, height) px of the upright source frame."""

    fps: float
    """The stream's stated rate, frames a second: a nominal figure, time is in the frames."""

    def __init__(
        self,
        path: Path,
        *,
        max_side: int | None = None,
        keep: Keep | None = None,
        turn: int = 0,
    ):
        self._keep = keep
        self._turn = turn
        self._notes: list[str] = []
        self._problems: tuple[str, ...] = ()
        self._stack = contextlib.ExitStack()
        with contextlib.ExitStack() as failing:
            failing.push(self._stack)  # close again when there is no first frame
            self._source = self._stack.enter_context(_opened(path))
            self._clock = Clock(self._source.rate)
            frames = self._decoded(path)
            first = _first(frames)
            self._plan(first[0], max_side)
            second = next(frames, None)
            if second is None and self._source.announced == 1:
                raise _one_picture()
            self._frames = itertools.chain((first,), (second,) if second else (), frames)
            failing.pop_all()
        self._iterator = self._iterate()

    @property
    def problems(self) -> tuple[str, ...]:
        """What was not read as it should have been, in sentences; complete after iteration."""
        return self._problems or tuple(self._notes)

    def small(self, side: int) -> np.ndarray | None:
        """The frame that ``keep`` is being asked about, shrunk so that no side is over ``side`` px.

        uint8 (h, w, 3) RGB, upright; None where the frame has no known colours. It is scaled
        straight from the decoded frame, which costs a tenth of decoding it.
        """
        size, _ = fit(self._geometry.square, side)
        return self._converted(self._shrinker, self._current, size)

    def close(self) -> None:
        """Close the file; frames that were yielded stay valid."""
        self._iterator.close()
        self._stack.close()

    def __enter__(self) -> FrameStream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        return self._iterator

    def __next__(self) -> Frame:
        return next(self._iterator)

    def _plan(self, first: av.VideoFrame, max_side: int | None) -> None:
        """Settle from the first frame what every frame will look like."""
        self._geometry = _geometry(first, self._source)
        self._notes += _geometry_problems(self._geometry)
        self._stored_size = (first.width, first.height)
        self._converter, self._shrinker = VideoReformatter(), VideoReformatter()
        size = self._geometry.size
        self.source_size = size if self._turn % 180 == 0 else size[::-1]
        self._square, self.scale = fit(self._geometry.square, max_side)
        (self.width, self.height), _ = fit(self.source_size, max_side)
        self.fps = self._source.rate

    def _iterate(self) -> Generator[Frame, None, None]:
        for index, (frame, time_s) in enumerate(self._timed()):
            check_length(index + 1, time_s)
            self._watch_size(frame, time_s)
            self._current = frame
            if self._keep is not None and not self._keep(index, time_s):
                continue
            rgb = self._converted(self._converter, frame, self._square)
            if rgb is None:
                self._notes.append(f"The clip could be read up to {time_s:.1f} s only.")
                break
            yield Frame(index, time_s, rgb)
        self._problems = (*self._source.problems(self._clock, decoded=True), *self._notes)

    def _decoded(self, path: Path) -> Iterator[tuple[av.VideoFrame, float | None]]:
        """All frames with their stamps, decoded in parallel; past the first damage, serially.

        So a damaged clip gives the same frames on every machine.
        """
        given = 0
        for item in self._source.frames():
            yield item
            given += 1
        if self._source.stumbled and not self._source.is_serial:
            self._source = self._stack.enter_context(_opened(path, threads=1))
            yield from itertools.islice(self._source.frames(), given, None)

    def _timed(self) -> Iterator[tuple[av.VideoFrame, float]]:
        """Frames that have a moment of their own, with their seconds."""
        for frame, stamp_s in self._frames:
            time_s = self._clock.time(stamp_s)
            if time_s is not None:
                yield frame, time_s

    def _watch_size(self, frame: av.VideoFrame, time_s: float) -> None:
        """Note a change of size in mid-stream; the frame is then scaled to the first one's."""
        size = (frame.width, frame.height)
        if size == self._stored_size:
            return
        check_size(*size)
        self._stored_size = size
        self._notes.append(
            f"The picture changes to {size[0]} x {size[1]} px at {time_s:.1f} s: "
            f"scaled to {self.width} x {self.height} px."
        )

    def _converted(
        self, converter: VideoReformatter, frame: av.VideoFrame, size: tuple[int, int]
    ) -> np.ndarray | None:
        """The frame scaled to ``size`` and then turned upright, uint8 (height, width, 3).

        None where it has no known colours.
        """
        if frame.colorspace not in _KNOWN_COLORSPACES:
            frame.colorspace = _UNSPECIFIED
        width, height = size
        shrinks = width < frame.width
        try:
            picture = converter.reformat(
                frame,
                width=width,
                height=height,
                format="rgb24",
                interpolation=Interpolation.AREA if shrinks else Interpolation.BILINEAR,
                threads=1,
            )
        except UNREADABLE:
            return None
        return turned(self._geometry.upright(picture.to_ndarray()), self._turn)


@contextlib.contextmanager
def _opened(path: Path, *, threads: int = MAX_THREADS) -> Iterator[Source | WebpSource]:
    """The clip at ``path`` by whoever can read it. Raises VideoError kinds."""
    found = check_file(path)
    way = open_webp(path) if found[0] == WEBP else open_source(path, threads=threads, found=found)
    with way as source:
        yield source


def _survey(source: Source | WebpSource) -> tuple[Clock, np.ndarray, av.VideoFrame]:
    """A clock that has heard all frames, their seconds, and the first frame, from one pass.

    Raises TooLongError over a cap, NoFramesError when no frame can be decoded, NotAVideoError for
    a single picture.
    """
    clock, times = Clock(source.rate), []
    for stamp_s in source.stamps():
        time_s = clock.time(stamp_s)
        if time_s is not None:
            check_length(clock.frames, time_s)
            times.append(time_s)
    if source.first_frame is None or not clock.frames:
        raise _no_frames()
    if clock.frames == 1:
        raise _one_picture()
    return clock, np.array(times), source.first_frame


def _first(
    frames: Iterator[tuple[av.VideoFrame, float | None]],
) -> tuple[av.VideoFrame, float | None]:
    """The first frame and its stamp. Raises NoFramesError where there is none."""
    for frame in frames:
        return frame
    raise _no_frames()


def _no_frames() -> NoFramesError:
    return NoFramesError(
        "The file announces pictures, but not one of them can be decoded: it is damaged or "
        "incomplete. Copy or export the clip again."
    )


def _one_picture() -> NotAVideoError:
    return NotAVideoError(
        "The file holds one picture, not a film. Choose a clip that shows the whole movement."
    )


def _geometry(frame: av.VideoFrame, source: Source | WebpSource) -> Geometry:
    """The clip's geometry from its first frame, after the checks of its size."""
    check_size(frame.width, frame.height)
    geometry = geometry_of(frame, source.pixel_aspect)
    check_size(*geometry.size)
    return geometry


def _geometry_problems(geometry: Geometry) -> Iterator[str]:
    if geometry.skew > 1:
        yield (
            "The clip asks to be turned by an odd angle: "
            f"it was turned by {geometry.rotation} degrees only."
        )
