"""Pseudo-labels for clips: what a teacher finds in all of several augmented crops.

Frames are cropped by the boxes in the clip's keypoint file. The teacher sees each person as they
are, mirrored, larger and smaller. A joint on which all predictions agree is labelled, any other is
missing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from gymform.errors import ModelDataError
from gymform.pose.checkpoints import LoadedPose
from gymform.pose.crops import box_to_crop, cut_crop, unmirror
from gymform.pose.estimator import PoseEstimator
from gymform.pose.files import load_poses
from gymform.sniff import VIDEO_SUFFIXES
from gymform.training.pose.metrics import torso_lengths
from gymform.training.pose.packs import (
    MARGIN,
    CropPack,
    make_pack,
    read_pack,
    standard_crop,
    write_pack,
)
from gymform.types import PoseSequence
from gymform.video.read import read_frames
from gymform.video.sparse import only

INTERVAL_S = 0.5
"""Seconds between frames that are used: neighbouring frames are nearly the same."""

MAX_FRAMES_A_CLIP = 24

VARIANTS = ((1.0, False), (1.0, True), (0.87, False), (1.2, False))
"""The augmented crops that the teacher sees: size over that of its standard crop, and whether
mirrored."""

MAX_SPREAD = 0.1
"""Predictions agree when all lie within this share of the torso of their mean."""

MIN_SCORE = 0.4
"""Least mean score of a labelled joint."""

MIN_JOINTS = 8
"""People with fewer labelled joints are left out."""

MAX_SIZE = (288, 384)
"""Largest width and height of a stored crop, px."""

_RULES = (INTERVAL_S, MAX_FRAMES_A_CLIP, VARIANTS, MAX_SPREAD, MIN_SCORE, MIN_JOINTS, MAX_SIZE)

DATASET = "clips"


def pseudo_labels(folder: Path, teacher: LoadedPose, work: Path) -> CropPack:
    """The people in the clips of ``folder`` as a pack, which is cached in ``work``.

    Clips without a keypoint file (``NAME.npz``) beside them are left out. Raises ModelDataError
    when there are no others, or when nobody is labelled.
    """
    clips = clips_with_poses(folder)
    names = [f"{clip.name} {clip.stat().st_size} {poses.stat().st_size}" for clip, poses in clips]
    padding = teacher.config.padding
    key = hashlib.sha256(json.dumps([teacher.sha256, padding, _RULES, names]).encode())
    kept = work / f"pseudo-{key.hexdigest()[:16]}.npz"
    if kept.is_file():
        return read_pack(kept)
    estimator = PoseEstimator(teacher, batch_size=16)
    pictures: list[np.ndarray] = []
    labels: list[np.ndarray] = []
    groups: list[str] = []
    for clip, poses in clips:
        pose = load_poses(poses)
        for picture in people_in(clip, *sample_crops(pose), turn=pose.provenance.turn):
            keypoints = agreed(picture, estimator)
            if (keypoints[:, 2] > 0).sum() >= MIN_JOINTS:
                pictures.append(picture)
                labels.append(keypoints)
                groups.append(f"{DATASET}/{clip.relative_to(folder).as_posix()}")
    if not pictures:
        raise ModelDataError(
            f"--unlabelled {folder.name}: the teacher's predictions agree for nobody in these "
            "clips. Use other clips or another teacher."
        )
    pack = make_pack(pictures, np.stack(labels), dataset=DATASET, groups=groups)
    write_pack(kept, pack)
    return pack


def clips_with_poses(folder: Path) -> list[tuple[Path, Path]]:
    """(clip, keypoint file) of every clip below ``folder`` that has both, by name."""
    found = [
        (clip, poses)
        for poses in sorted(folder.rglob("*.npz"))
        for clip in (poses.with_suffix(suffix) for suffix in VIDEO_SUFFIXES)
        if clip.is_file()
    ]
    if not found:
        raise ModelDataError(
            f"--unlabelled {folder.name}: expected clips with their keypoint files (NAME.npz) "
            "beside them, found none. `gymform analyze` writes such files."
        )
    return found


def sample_crops(pose: PoseSequence) -> tuple[np.ndarray, np.ndarray]:
    """Times (n,) of some frames of a clip, s, and the lifter's crops (n, 4) in them."""
    present = np.flatnonzero(np.isfinite(pose.boxes).all(1))
    if not len(present):
        return np.empty(0), np.empty((0, 4))
    wanted = np.arange(pose.time_s[present[0]], pose.time_s[present[-1]] + 1e-6, INTERVAL_S)
    nearest = present[np.searchsorted(pose.time_s[present], wanted - 1e-6)]
    rows = np.unique(nearest)
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), MAX_FRAMES_A_CLIP)).astype(int)]
    return pose.time_s[rows], box_to_crop(pose.boxes[rows])


def people_in(
    clip: Path, time_s: np.ndarray, crops: np.ndarray, *, turn: int = 0
) -> Iterator[np.ndarray]:
    """Stored crops uint8 (H, W, 3) of a person at ``time_s``; fewer when the clip ends early.

    ``turn`` is that of the keypoints' provenance.
    """
    if not len(time_s):
        return
    with read_frames(clip, keep=only(time_s), turn=turn) as frames:
        for frame, crop in zip(frames, crops, strict=False):
            yield cut_with_margin(frame.rgb, crop)


def cut_with_margin(rgb: np.ndarray, crop: np.ndarray) -> np.ndarray:
    """The crop with a margin, as stored in a pack: not enlarged, at most 288 x 384 px."""
    return cut_crop(rgb, np.concatenate((crop[:2], crop[2:] * MARGIN)), stored_size(crop))


def stored_size(crop: np.ndarray) -> tuple[int, int]:
    """Width and height of the stored picture of a ``crop`` (4,) of a frame, px."""
    width = int(np.clip(round(float(crop[2]) * MARGIN), 48, MAX_SIZE[0]))
    return width, round(width * MAX_SIZE[1] / MAX_SIZE[0])


def agreed(picture: np.ndarray, estimator: PoseEstimator) -> np.ndarray:
    """Keypoints (17, 3) in px of the picture; v 2 where the predictions for all variants agree,
    else 0."""
    height, width = picture.shape[:2]
    crop = standard_crop(width, height, estimator.padding)
    crops = np.array([[*crop[:2], *(crop[2:] * size)] for size, _ in VARIANTS])
    pixels = [estimator.cut(picture, crop) for crop in crops]
    pixels = [p[:, ::-1] if m else p for p, (_, m) in zip(pixels, VARIANTS, strict=True)]
    found, score = estimator.keypoints_in_crops([np.ascontiguousarray(p) for p in pixels], crops)
    flipped = [i for i, (_, mirrored) in enumerate(VARIANTS) if mirrored]
    found[flipped], score[flipped] = unmirror(found[flipped], score[flipped], crops[flipped])
    return consensus(found, score)


def consensus(found: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Keypoints (17, 3) from predictions (V, 17, 2) with scores (V, 17): the means, and v 2 where
    they agree, else 0."""
    mean = found.mean(0)
    visible = np.where(np.isfinite(mean).all(1), 2.0, 0.0)
    labels = np.column_stack((np.nan_to_num(mean), visible))
    torso = torso_lengths(labels[None])[0]
    apart = np.linalg.norm(found - mean, axis=-1).max(0)
    agree = (apart <= MAX_SPREAD * torso) & (score.mean(0) >= MIN_SCORE)  # False for NaN
    return np.where(agree[:, None], labels, 0.0).astype(np.float32)
