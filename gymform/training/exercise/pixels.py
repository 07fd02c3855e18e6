"""Frames cropped to the lifter, for networks on pixels: decoded once, kept small, augmented.

Of each repetition twice as many frames are kept as a network sees, evenly spaced, all cropped to
one square that holds the lifter throughout. In training one frame of each pair is used, so that the
moments vary.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from gymform.dataset.items import DatasetFiles
from gymform.errors import ModelDataError, PoseFileError, VideoError
from gymform.pose.crops import cut_crop
from gymform.pose.files import read_arrays
from gymform.storage import atomic_path
from gymform.timing import Progress, ignore_progress
from gymform.training.exercise.corpus import Corpus, Example
from gymform.types import PoseSequence
from gymform.video.read import read_frames
from gymform.video.sparse import only

MARGIN = 8 / 7
"""Size of the kept pictures over that of a network's input, for crops at random."""

PADDING = 1.15
"""Side of the square over that of the box around all of the lifter's boxes."""

MAX_DECODED_SIDE = 640
"""Frames are reduced to this size before they are cropped, px."""

Pictures = list[np.ndarray]
"""uint8 (2 T, S, S, 3) RGB for each example."""


def load_pictures(
    corpus: Corpus, frames: int, size: int, progress: Progress = ignore_progress
) -> Pictures:
    """The pictures of all examples, for networks that see ``frames`` of ``size`` px of each.

    Raises ModelDataError, naming the clip, when one cannot be decoded.
    """
    pictures, files = [], DatasetFiles(corpus.folder)
    for row, (example, track) in enumerate(zip(corpus.examples, corpus.tracks, strict=True)):
        progress("decode", row, len(corpus))
        path = files.frames(example.clip_sha256, _key(example, track.pose, frames, size))
        if path.is_file():
            pictures.append(_read(path))
        else:
            pictures.append(_decode(example, track.pose, frames, size, path))
    return pictures


def centre_crop(pictures: np.ndarray, size: int) -> np.ndarray:
    """Input (3, T, size, size) to be judged: every other frame, cropped in the middle."""
    edge = (pictures.shape[1] - size) // 2
    return _as_input(pictures[::2, edge : edge + size, edge : edge + size])


def augment(pictures: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Input (3, T, size, size) to train on: other moments, shifted, mirrored, in other light.

    One frame of each pair; the crop and the colours are chosen at random, once for all frames.
    """
    count, side = len(pictures) // 2, pictures.shape[1]
    moments = 2 * np.arange(count) + rng.integers(0, 2, count)
    top, left = rng.integers(0, side - size + 1, 2)
    clip = _as_input(pictures[moments, top : top + size, left : left + size])
    if rng.random() < 0.5:
        clip = clip[..., ::-1]
    mean = clip.mean()
    clip = (clip - mean) * rng.uniform(0.7, 1.3) + mean + rng.uniform(-0.15, 0.15)
    clip = np.clip(clip * rng.uniform(0.9, 1.1, (3, 1, 1, 1)), 0, 1)
    return np.asarray(clip, np.float32)


def square_around(pose: PoseSequence) -> np.ndarray:
    """Crop (centre x, y, width, height px): a square that holds the lifter in nearly all frames."""
    boxes = pose.boxes[np.isfinite(pose.boxes).all(-1)]
    width, height = pose.image_size
    if len(boxes) == 0:
        side = min(width, height)
        return np.array([width / 2, height / 2, side, side], float)
    low, high = np.percentile(boxes[:, :2], 5, axis=0), np.percentile(boxes[:, 2:], 95, axis=0)
    side = max(*(high - low), 16.0) * PADDING
    return np.array([*((low + high) / 2), side, side])


def choose_times(pose: PoseSequence, count: int) -> np.ndarray:
    """Times (count,) of frames, s, evenly spaced over ``pose``; repeated where frames are few."""
    wanted = np.linspace(pose.time_s[0], pose.time_s[-1], count)
    nearest = np.abs(pose.time_s[None] - wanted[:, None]).argmin(1)
    return np.asarray(pose.time_s[nearest])


def _decode(example: Example, pose: PoseSequence, frames: int, size: int, path: Path) -> np.ndarray:
    """The pictures of one example, also written to ``path``, the cache."""
    times = choose_times(pose, 2 * frames)
    square = square_around(pose)
    side = round(size * MARGIN)
    found: dict[float, np.ndarray] = {}
    try:
        with read_frames(
            example.clip_path,
            max_side=MAX_DECODED_SIDE,
            keep=only(np.unique(times)),
            turn=pose.provenance.turn,
        ) as stream:
            for frame in stream:
                crop = square * stream.scale
                crop[:2] -= (1 - stream.scale) / 2  # pixel centres, not corners, are at whole px
                found[frame.time_s] = cut_crop(frame.rgb, crop, (side, side))
                if frame.time_s >= times[-1]:
                    break
    except VideoError as error:
        raise ModelDataError(f"{example.name}: {error}") from error
    if not found:
        raise ModelDataError(
            f"{example.name}: the clip has no frames at the times of its keypoints. Extract its "
            "keypoints again."
        )
    moments = np.array(sorted(found))
    nearest = [moments[np.abs(moments - time).argmin()] for time in times]
    pictures = np.stack([found[moment] for moment in nearest])
    with atomic_path(path) as temporary:
        np.savez(temporary, pictures=pictures)
    return pictures


def _read(path: Path) -> np.ndarray:
    try:
        pictures = read_arrays(path)["pictures"]
    except (PoseFileError, KeyError) as error:
        raise ModelDataError(
            f"{path.name}, a file of decoded frames, is damaged: delete the folder 'pixels' of "
            "the data set. It is made again."
        ) from error
    return pictures


def _key(example: Example, pose: PoseSequence, frames: int, size: int) -> str:
    digest = hashlib.sha256(f"{example.clip_sha256} {frames} {size}".encode())
    digest.update(np.ascontiguousarray(pose.boxes).tobytes())
    digest.update(np.ascontiguousarray(pose.time_s).tobytes())
    return digest.hexdigest()[:32]


def _as_input(pictures: np.ndarray) -> np.ndarray:
    """float32 (3, T, H, W) in [0, 1] of uint8 (T, H, W, 3)."""
    return np.asarray(np.ascontiguousarray(pictures.transpose(3, 0, 1, 2), np.float32) / 255)
