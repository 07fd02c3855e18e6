"""A few frames of a clip, kept small, and the times of all the others.

Searching and following a person looks at some frames several times, in any order. They are kept
as JPEG, so that a minute of 1080p costs tens of megabytes and not two gigabytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from gymform.errors import NoFramesError
from gymform.video.geometry import turned
from gymform.video.read import read_frames
from gymform.video.shots import SIDE, find_shots, without_standing

MAX_SIDE = 1280
"""Longer side of a kept frame, px."""

JPEG_QUALITY = 92

FrameChoice = Callable[[int, float], bool]


def every(interval_s: float) -> FrameChoice:
    """A choice of frames: the first, then each that is ``interval_s`` after the last chosen.

    An interval of 0 takes all. The choice holds state: make a fresh one for each pass.
    """
    due = -np.inf

    def choose(index: int, time_s: float) -> bool:
        nonlocal due
        # half a millisecond of slack, since time stamps are rounded
        if time_s < due - 5e-4:
            return False
        # keep to the grid, so that rounding does not add up; start a new one after a gap
        due = due + interval_s if time_s < due + interval_s else time_s + interval_s
        return True

    return choose


def only(time_s: np.ndarray) -> FrameChoice:
    """A choice of the frames at exactly these rising seconds; holds state like :func:`every`."""
    following = iter(time_s)
    wanted = next(following, np.inf)

    def choose(index: int, moment: float) -> bool:
        nonlocal wanted
        while wanted < moment - 1e-6:
            wanted = next(following, np.inf)
        return bool(abs(wanted - moment) <= 1e-6)

    return choose


def first_to_last(samples: np.ndarray, count: int) -> list[int]:
    """``count`` of the ``samples`` (N,), evenly spread, first and last among them, rising; fewer of
    fewer."""
    spread = np.linspace(0, len(samples) - 1, count).round().astype(int)
    return [int(sample) for sample in np.unique(samples[spread])]


@dataclass(frozen=True, eq=False)
class SparseFrames:
    """Sampled frames and the times of all chosen frames.

    ``time_s`` float64 (T,) of every frame that will be analysed; ``positions`` int (N,) says
    which of them are sampled; ``jpegs`` their pictures, ``scale`` kept px for each source px;
    ``size`` (width, height) px of the upright source frame; ``frame_shots`` int32 (T,) numbers the
    stretches between cuts, -1 where the picture stands still; ``shots`` int32 (N,) those of the
    samples, where standing ones belong to the shot around them; ``problems`` what the reader had
    to say; ``turn`` by how many degrees pictures are turned counter-clockwise, as those that lie
    on their side.
    """

    time_s: np.ndarray
    positions: np.ndarray
    jpegs: tuple[bytes, ...]
    scale: float
    size: tuple[int, int]
    shots: np.ndarray
    frame_shots: np.ndarray
    problems: tuple[str, ...]
    turn: int = 0

    def __len__(self) -> int:
        return len(self.jpegs)

    def picture(self, sample: int) -> np.ndarray:
        """The sampled frame, uint8 (h, w, 3) RGB in kept px."""
        jpeg = np.frombuffer(self.jpegs[sample], np.uint8)
        return turned(np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR_RGB)), self.turn)

    def turned(self, degrees: int) -> SparseFrames:
        """The same frames, turned counter-clockwise by 0, 90, 180 or 270 degrees."""
        size = self.size if degrees % 180 == 0 else self.size[::-1]
        return replace(self, turn=(self.turn + degrees) % 360, size=size)

    def sample_times(self) -> np.ndarray:
        """Seconds (N,) of the sampled frames."""
        return np.asarray(self.time_s[self.positions])


def sample_frames(
    path: Path,
    interval_s: float,
    *,
    choose: FrameChoice | None = None,
) -> SparseFrames:
    """Decode the clip once and keep a frame each ``interval_s`` seconds.

    ``choose`` limits which frames count at all (see :func:`every`). Raises NoFramesError when
    nothing can be decoded, and what `read_frames` raises.
    """
    times: list[float] = []
    positions: list[int] = []
    jpegs: list[bytes] = []
    small: list[np.ndarray] = []
    sparse = every(interval_s)

    def keep(index: int, time_s: float) -> bool:
        if choose is not None and not choose(index, time_s):
            return False
        times.append(time_s)
        picture = frames.small(SIDE)
        if picture is None and small:  # its colours are not known
            picture = small[-1]
        if picture is not None:
            small.append(picture)
        if not sparse(index, time_s):
            return False
        positions.append(len(times) - 1)
        return True

    with read_frames(path, max_side=MAX_SIDE, keep=keep) as frames:
        for frame in frames:
            jpegs.append(_encode(frame.rgb))
        problems, scale, size = frames.problems, frames.scale, frames.source_size
    if not jpegs:
        raise NoFramesError(
            "Expected a video with pictures, but not one frame could be decoded. "
            "Export the clip again as MP4 (H.264) and retry."
        )
    time_of_all = np.array(times, dtype=np.float64)
    frame_shots = find_shots(small, time_of_all)
    count = len(jpegs)  # a frame that was announced may still have failed to convert
    return SparseFrames(
        time_s=time_of_all,
        positions=np.array(positions[:count], dtype=np.intp),
        jpegs=tuple(jpegs),
        scale=scale,
        size=size,
        shots=without_standing(frame_shots)[positions[:count]],
        frame_shots=frame_shots,
        problems=problems,
    )


def _encode(rgb: np.ndarray) -> bytes:
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()
