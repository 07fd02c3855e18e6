"""A few frames of a clip, kept small, and the times of all the others.

Searching and following a person looks at some frames several times, in any order. They are kept
as JPEG, so that a minute of 1080p costs tens of megabytes and not two gigabytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from gymform.errors import NoFramesError
from gymform.video.read import read_frames

MAX_SIDE = 1280
"""Longer side of a kept frame, px."""

JPEG_QUALITY = 92

THUMBNAIL = (32, 32)

CUT = 0.85
"""Between two frames lies a cut when the share of colours they have in common and the correlation
of their thumbnails sum to less than this, and the former alone is less too: a panning camera keeps
its colours, a moving lifter the place of things. Seen: cuts 0.1 to 0.8, the rest from 1.0 up."""

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


@dataclass(frozen=True, eq=False)
class SparseFrames:
    """Sampled frames and the times of all chosen frames.

    ``time_s`` float64 (T,) of every frame that will be analysed; ``positions`` int (N,) says
    which of them are sampled; ``jpegs`` their pictures, ``scale`` kept px for each source px;
    ``size`` (width, height) px of the upright source frame; ``shots`` int (N,) numbers the
    stretches between cuts; ``problems`` what the reader had to say.
    """

    time_s: np.ndarray
    positions: np.ndarray
    jpegs: tuple[bytes, ...]
    scale: float
    size: tuple[int, int]
    shots: np.ndarray
    problems: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.jpegs)

    def picture(self, sample: int) -> np.ndarray:
        """The sampled frame, uint8 (h, w, 3) RGB in kept px."""
        jpeg = np.frombuffer(self.jpegs[sample], np.uint8)
        return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR_RGB))

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
    thumbnails: list[tuple[np.ndarray, np.ndarray]] = []
    sparse = every(interval_s)

    def keep(index: int, time_s: float) -> bool:
        if choose is not None and not choose(index, time_s):
            return False
        times.append(time_s)
        if not sparse(index, time_s):
            return False
        positions.append(len(times) - 1)
        return True

    with read_frames(path, max_side=MAX_SIDE, keep=keep) as frames:
        for frame in frames:
            jpegs.append(_encode(frame.rgb))
            thumbnails.append(_thumbnail(frame.rgb))
        problems, scale, size = frames.problems, frames.scale, frames.source_size
    if not jpegs:
        raise NoFramesError(
            "Expected a video with pictures, but not one frame could be decoded. "
            "Export the clip again as MP4 (H.264) and retry."
        )
    count = len(jpegs)  # a frame that was announced may still have failed to convert
    return SparseFrames(
        time_s=np.array(times, dtype=np.float64),
        positions=np.array(positions[:count], dtype=np.intp),
        jpegs=tuple(jpegs),
        scale=scale,
        size=size,
        shots=_shots(thumbnails),
        problems=problems,
    )


def _encode(rgb: np.ndarray) -> bytes:
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()


def _thumbnail(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A grey thumbnail, standardised, and an RGB histogram that sums to 1."""
    small = cv2.resize(rgb, THUMBNAIL, interpolation=cv2.INTER_AREA)
    grey = small.mean(axis=2).ravel()
    histogram = cv2.calcHist([small], [0, 1, 2], None, [6, 6, 6], [0, 256] * 3).ravel()
    return (grey - grey.mean()) / (grey.std() + 1e-6), histogram / histogram.sum()


def _shots(thumbnails: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Numbers int (N,) that rise by one at each cut."""
    shots = np.zeros(len(thumbnails), dtype=np.intp)
    for i in range(1, len(thumbnails)):
        (grey_a, colours_a), (grey_b, colours_b) = thumbnails[i - 1], thumbnails[i]
        common = float(np.minimum(colours_a, colours_b).sum())
        correlation = float((grey_a * grey_b).mean())
        cut = common < CUT and common + correlation < CUT
        shots[i] = shots[i - 1] + int(cut)
    return shots
