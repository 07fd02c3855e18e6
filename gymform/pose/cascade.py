"""All frames of a clip through two networks: a small one first, then a large one near its answer.

The small network needs a fifth of the time. Its keypoints are the first answer, and tell the large
one which patches of each crop show the body. Where the large one is much less sure of a joint than
the small one was, the joint may lie outside those patches: there it looks at the whole crop.
Decoding runs in a thread of its own meanwhile, and crops that fit into memory are cut only once.

Where the body moves evenly the large network need not look at each frame: see `adaptive.py`.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gymform.pose.adaptive import (
    look_where_it_moves,
    now_and_then,
    runs_of,
    where_fast,
)
from gymform.pose.crops import box_to_crop
from gymform.pose.decoding import PEAKS
from gymform.pose.estimator import PoseEstimator
from gymform.pose.pruning import patch_distances
from gymform.skeleton import NUM_KEYPOINTS
from gymform.video.ahead import ahead
from gymform.video.read import read_frames
from gymform.video.sparse import SparseFrames, only

CHUNK = 32
"""So many crops are cut and computed together, enough to sort them by the patches they need."""

KEPT_CHUNK = 96
"""The same for crops that are in memory: no thread waits for the others in between."""

KEPT_BYTES = 96 * 1024**2
"""Crops are kept in memory up to this size; those beyond are cut again from the clip."""

COLLAPSED, ELSEWHERE = 0.2, 0.03
"""A joint may lie outside the patches where its score is lower by this than the small network's,
and its place another one, by this share of the crop's height. In 816 frames of 34 clips a joint was
less sure in 28 of 100 frames, and elsewhere too in 12 of 100. Where it was not elsewhere, a look at
the whole crop moved 6 in 1,000 joints by that much; it moves 3 in 1,000 in the other frames."""

BLOCK = 128
"""Crops beyond those are cut in blocks of so many, in each of which all that is needed is found."""

WHOLE_EVERY = 30
"""Each so many frames, the large network looks at the whole crop all the same."""

Done = Callable[[int], None]
"""Hears how many more crops are done; may raise to stop."""


@dataclass(eq=False)
class FollowedFrames:
    """The frames of a clip in which the lifter was followed: ``boxes`` (T, 4) px, NaN elsewhere."""

    path: Path
    frames: SparseFrames
    boxes: np.ndarray
    rows: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.rows = np.flatnonzero(np.isfinite(self.boxes).all(axis=1))

    def no_peaks(self) -> np.ndarray:
        """Peaks (T, 17, K, 3) of frames in which nothing was found yet: NaN, NaN, 0."""
        peaks = np.full((len(self.boxes), NUM_KEYPOINTS, PEAKS, 3), np.nan, dtype=np.float32)
        peaks[..., 2] = 0
        return peaks

    def runs(self, rows: np.ndarray) -> list[np.ndarray]:
        """Those of the frames ``rows`` (N,) that follow each other: see `adaptive.runs_of`."""
        inside = np.zeros(len(self.boxes), bool)
        inside[rows] = True
        return runs_of(inside, self.frames.frame_shots)

    def crops(self, estimator: PoseEstimator) -> np.ndarray:
        """What ``estimator`` looks at in each frame: centres and sizes (T, 4) px."""
        return box_to_crop(self.boxes, estimator.padding)

    def cut(
        self, rows: np.ndarray, estimators: Iterable[PoseEstimator]
    ) -> Generator[tuple[int, list[np.ndarray]]]:
        """Row by row, its crop for each of the ``estimators``."""
        wanted = [(estimator, self.crops(estimator)) for estimator in estimators]
        times = self.frames.time_s
        with read_frames(self.path, keep=only(times[rows]), turn=self.frames.turn) as frames:
            for frame in frames:
                row = int(np.searchsorted(times, frame.time_s - 1e-6))
                yield row, [estimator.cut(frame.rgb, crops[row]) for estimator, crops in wanted]


def by_one(clip: FollowedFrames, estimator: PoseEstimator, done: Done) -> np.ndarray:
    """The peaks (T, 17, K, 3) of one network that looks at whole crops."""
    peaks, crops = clip.no_peaks(), clip.crops(estimator)
    with ahead(lambda: _chunks(clip.cut(clip.rows, [estimator])), 2) as chunks:
        for rows, (pixels,) in chunks:
            peaks[rows] = _joined(estimator.peaks_in_crops(pixels, crops[rows], PEAKS))
            done(len(rows))
    return peaks


def scouted(
    clip: FollowedFrames,
    scout: PoseEstimator,
    estimator: PoseEstimator,
    done: Done,
    *,
    seldom: bool = False,
) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """The peaks of the small network, and the large one's crops as far as they are kept.

    With ``seldom`` it leaves out frames around which nobody moves fast: see `adaptive.py`.
    """
    peaks, crops = clip.no_peaks(), clip.crops(scout)
    kept: dict[int, np.ndarray] = {}
    room = KEPT_BYTES

    def look(rows: np.ndarray, pixels: list[np.ndarray], chosen: np.ndarray) -> None:
        some = [pixels[i] for i in np.flatnonzero(chosen)]
        peaks[rows[chosen]] = _joined(scout.peaks_in_crops(some, crops[rows[chosen]], PEAKS))

    with ahead(lambda: _chunks(clip.cut(clip.rows, [scout, estimator])), 2) as chunks:
        for rows, (small, large) in chunks:
            for chosen in _looks(clip, rows, peaks) if seldom else [np.ones(len(rows), bool)]:
                look(rows, small, chosen)
            for row, pixels in zip(rows, large, strict=True):
                if room >= pixels.nbytes:
                    kept[int(row)] = pixels
                    room -= pixels.nbytes
            done(len(rows))
    return peaks, kept


def _looks(clip: FollowedFrames, rows: np.ndarray, peaks: np.ndarray) -> Iterator[np.ndarray]:
    """Which of ``rows`` (N,) a small network looks at first, bool (N,), and which after that.

    ``peaks`` (T, 17, K, 3) are where it has put its answers by then.
    """
    times, runs = clip.frames.time_s, clip.runs(rows)
    looked = now_and_then(times, runs)
    if runs:  # where the picture stands still there are none
        yield looked[rows]
        more = where_fast(peaks[:, :, 0], times, runs, looked)[rows]
        if more.any():
            yield more


def where_it_moves(look: SecondLook) -> None:
    """Let the large network look where the body moves, and leave out the frames in between."""
    clip = look.clip

    def choose(rows: np.ndarray) -> None:
        runs, times = clip.runs(rows), clip.frames.time_s
        chosen = look_where_it_moves(look.at, look.scouts, times, runs)
        look.done(len(rows) - len(chosen))

    missing = np.setdiff1d(clip.rows, list(look.kept))
    choose(np.setdiff1d(clip.rows, missing))
    if len(missing):
        cut = clip.cut(missing, [look.estimator])
        with ahead(lambda: _chunks(cut, BLOCK), 1) as blocks:
            for rows, (pixels,) in blocks:
                look.keep(rows, pixels)
                choose(rows)
                look.forget_beyond(KEPT_BYTES)


@dataclass(eq=False)
class SecondLook:
    """The large network, which looks near the small one's ``scouts`` (T, 17, K, 3).

    ``peaks`` (T, 17, K, 3) are what it has found so far; ``kept`` are crops by their frame, until
    it has looked at them.
    """

    clip: FollowedFrames
    scouts: np.ndarray
    kept: dict[int, np.ndarray]
    estimator: PoseEstimator
    done: Done
    peaks: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.peaks = self.clip.no_peaks()
        self._crops = self.clip.crops(self.estimator)

    def at(self, rows: np.ndarray) -> np.ndarray:
        """Look at rising frames (N,): their peaks (N, 17, K, 3)."""
        for some, pixels in self._kept_or_cut(rows):
            whole = some % WHOLE_EVERY == 0
            found = near_scouts(self.estimator, pixels, self._crops[some], self.scouts[some], whole)
            self.peaks[some] = found
            self.done(len(some))
        return np.asarray(self.peaks[rows])

    def keep(self, rows: np.ndarray, pixels: list[np.ndarray]) -> None:
        """Keep the crops of frames (N,) until they are looked at."""
        self.kept.update(zip(rows.tolist(), pixels, strict=True))

    def forget_beyond(self, size: int) -> None:
        """Forget the last crops that are kept, until they take ``size`` bytes at most."""
        total = sum(pixels.nbytes for pixels in self.kept.values())
        while total > size:
            _, pixels = self.kept.popitem()
            total -= pixels.nbytes

    def _kept_or_cut(self, rows: np.ndarray) -> Iterator[tuple[np.ndarray, list[np.ndarray]]]:
        """Chunks of rows with their crops: from memory, which they leave, then from the clip."""
        here = np.isin(rows, list(self.kept))
        missing, known = rows[~here], rows[here]
        for first in range(0, len(known), KEPT_CHUNK):
            some = known[first : first + KEPT_CHUNK]
            yield some, [self.kept.pop(int(row)) for row in some]
        if len(missing):
            cut = self.clip.cut(missing, [self.estimator])
            with ahead(lambda: _chunks(cut), 2) as chunks:
                for some, (pixels,) in chunks:
                    yield some, pixels


def near_scouts(
    estimator: PoseEstimator,
    pixels: list[np.ndarray],
    crops: np.ndarray,
    scouts: np.ndarray,
    whole: np.ndarray | bool = False,
) -> np.ndarray:
    """The peaks (B, 17, K, 3) in ``crops`` (B, 4) of a network that looks near the peaks of another
    one, ``scouts``; at all of a crop where it is ``whole`` (B,), and where a joint was lost."""
    distances = _distances(scouts, crops, estimator)
    distances[whole] = 0
    peaks = _joined(estimator.peaks_in_crops(pixels, crops, PEAKS, distances))
    again = np.flatnonzero((distances > 0).any(axis=1) & _collapsed(peaks, scouts, crops))
    if len(again):
        some = [pixels[i] for i in again]
        peaks[again] = _joined(estimator.peaks_in_crops(some, crops[again], PEAKS))
    return peaks


def _distances(scouts: np.ndarray, crops: np.ndarray, estimator: PoseEstimator) -> np.ndarray:
    """How far the patches (B, N) are from the scouted skeletons; 0 where all are wanted."""
    config = estimator.model.config
    corner = crops[:, None, None, :2] - crops[:, None, None, 2:] / 2
    unit = (np.array(config.input_size) - 1) / crops[:, None, None, 2:]
    points = (scouts[..., :2] - corner) * unit
    return patch_distances(points, scouts[..., 2], config)


def _collapsed(peaks: np.ndarray, scouts: np.ndarray, crops: np.ndarray) -> np.ndarray:
    """Is some joint (B,) much less sure than for the small network, and not where that found it?"""
    unsure = scouts[:, :, 0, 2] - peaks[:, :, 0, 2] > COLLAPSED
    apart = np.linalg.norm(peaks[:, :, 0, :2] - scouts[:, :, 0, :2], axis=2)
    elsewhere = ~(apart <= ELSEWHERE * crops[:, 3:])  # a missing joint is elsewhere, too
    return np.asarray((unsure & elsewhere)[:, 5:].any(axis=1))


def _joined(found: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Places (B, 17, K, 2) and scores (B, 17, K) as peaks (B, 17, K, 3)."""
    return np.concatenate((found[0], found[1][..., None]), axis=-1)


def _chunks(
    cut: Generator[tuple[int, list[np.ndarray]]], count: int = CHUNK
) -> Generator[tuple[np.ndarray, list[list[np.ndarray]]]]:
    """Rows (B,) together, and their crops for each estimator."""
    with contextlib.closing(cut):
        while batch := list(itertools.islice(cut, count)):
            rows = np.array([row for row, _ in batch])
            yield rows, [list(crops) for crops in zip(*(crops for _, crops in batch), strict=True)]
