"""Labels for footage that has none: what a teacher says again and again, whatever the view.

A frame is cut as the clip's keypoint file says. The teacher sees the person as they are, mirrored,
nearer and farther; a joint on which all answers agree is taken for labelled, any other for missing.
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
from gymform.training.pose.packs import ROOM, CropPack, make_pack, read_pack, usual_view, write_pack
from gymform.types import PoseSequence
from gymform.video.read import read_frames
from gymform.video.sparse import only

INTERVAL_S = 0.5
"""Seconds between frames: neighbouring ones teach the same."""

MAX_FRAMES_A_CLIP = 24

VIEWS = ((1.0, False), (1.0, True), (0.87, False), (1.2, False))
"""Sizes of the views over the one that the teacher is most exact with, and whether mirrored."""

AGREE = 0.1
"""TeacherCache agree when all lie within this share of the torso of their mean."""

SURE = 0.4
"""Mean score above which a joint may be taken for labelled."""

LEAST_JOINTS = 8
"""A person with fewer joints agreed upon is left out."""

STORED = (288, 384)
"""Largest width and height of a crop, px."""

_RULES = (INTERVAL_S, MAX_FRAMES_A_CLIP, VIEWS, AGREE, SURE, LEAST_JOINTS, STORED)

DATASET = "clips"


def pseudo_labels(folder: Path, teacher: LoadedPose, work: Path) -> CropPack:
    """The people of the clips in ``folder`` as a pack, kept in ``work`` for the next time.

    A clip counts when its keypoint file (``NAME.npz``) lies beside it. Raises ModelDataError when
    there is none.
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
        for picture in people_in(clip, *views_of(load_poses(poses))):
            keypoints = agreed(picture, estimator)
            if (keypoints[:, 2] > 0).sum() >= LEAST_JOINTS:
                pictures.append(picture)
                labels.append(keypoints)
                groups.append(f"{DATASET}/{clip.relative_to(folder).as_posix()}")
    if not pictures:
        raise ModelDataError(f"--unlabelled {folder.name}: the teacher is sure of nobody there.")
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
            "beside them, found none. `gymform analyze` makes such files."
        )
    return found


def views_of(pose: PoseSequence) -> tuple[np.ndarray, np.ndarray]:
    """Seconds (n,) of a few frames of a clip, and the crops (n, 4) of the followed person there."""
    followed = np.flatnonzero(np.isfinite(pose.boxes).all(1))
    if not len(followed):
        return np.empty(0), np.empty((0, 4))
    wanted = np.arange(pose.time_s[followed[0]], pose.time_s[followed[-1]] + 1e-6, INTERVAL_S)
    nearest = followed[np.searchsorted(pose.time_s[followed], wanted - 1e-6)]
    rows = np.unique(nearest)
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), MAX_FRAMES_A_CLIP)).astype(int)]
    return pose.time_s[rows], box_to_crop(pose.boxes[rows])


def people_in(clip: Path, time_s: np.ndarray, crops: np.ndarray) -> Iterator[np.ndarray]:
    """Pictures uint8 (H, W, 3) of a person with room around; fewer when a clip ends early."""
    if not len(time_s):
        return
    with read_frames(clip, keep=only(time_s)) as frames:
        for frame, crop in zip(frames, crops, strict=False):
            yield cut_with_room(frame.rgb, crop)


def cut_with_room(rgb: np.ndarray, crop: np.ndarray) -> np.ndarray:
    """The crop and the room around it, not enlarged, at most 288 x 384 px."""
    room = crop[2:] * ROOM
    width = int(np.clip(round(room[0]), 48, STORED[0]))
    height = round(width * STORED[1] / STORED[0])
    return cut_crop(rgb, np.concatenate((crop[:2], room)), (width, height))


def agreed(picture: np.ndarray, estimator: PoseEstimator) -> np.ndarray:
    """Keypoints (17, 3) in px of the picture; v 2 where all views' answers agree, else 0."""
    height, width = picture.shape[:2]
    view = usual_view(width, height, estimator.padding)
    views = np.array([[*view[:2], *(view[2:] * size)] for size, _ in VIEWS])
    pixels = [estimator.cut(picture, view) for view in views]
    pixels = [p[:, ::-1] if m else p for p, (_, m) in zip(pixels, VIEWS, strict=True)]
    found, score = estimator.keypoints_in_crops([np.ascontiguousarray(p) for p in pixels], views)
    turned = [i for i, (_, mirrored) in enumerate(VIEWS) if mirrored]
    found[turned], score[turned] = unmirror(found[turned], score[turned], views[turned])
    return consensus(found, score)


def consensus(found: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Keypoints (17, 3) of answers (V, 17, 2) and scores (V, 17): means, v 2 where they agree."""
    mean = found.mean(0)
    visible = np.where(np.isfinite(mean).all(1), 2.0, 0.0)
    labels = np.column_stack((np.nan_to_num(mean), visible))
    torso = torso_lengths(labels[None])[0]
    apart = np.linalg.norm(found - mean, axis=-1).max(0)
    sure = (apart <= AGREE * torso) & (score.mean(0) >= SURE)  # NaN is never sure
    return np.where(sure[:, None], labels, 0.0).astype(np.float32)
