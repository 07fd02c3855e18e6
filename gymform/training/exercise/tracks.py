"""Ready-made keypoint tracks for training: Penn Action and the competition snatches.

The development data has its own layout: many tracks back to back in one array.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.ndimage import median_filter

from gymform import skeleton as sk
from gymform.errors import ModelDataError, PoseFileError
from gymform.exercises import class_of
from gymform.motion.body_size import midpoint
from gymform.pose.files import read_arrays
from gymform.types import PoseSequence, Provenance

PENN_FPS = 30.0
"""Penn Action's nominal rate; its frames carry no times."""

PENN_SCORE = np.array([0.0, 0.6, 0.9], np.float32)
"""Score given to an annotated keypoint: missing, occluded, visible."""

MIN_TRACK_SCORE = 0.4
"""Keypoints of the snatch tracks with a lower score are guesses of the tracker."""

CUT_FRAMES = 4
"""A change that lasts no longer than this many frames is a tracking error, not a cut."""


@dataclass(frozen=True, eq=False)
class LabelledPose:
    """A track with its labels: ``group`` is never split between training and test.

    ``depth`` float32 (T, 17) px, away from the camera and relative to the hips, or None. A track
    with depth can be rotated about the vertical axis.
    """

    name: str
    label: str
    action: str
    group: str
    source: str
    pose: PoseSequence
    depth: np.ndarray | None = None


def keypoint_digest(track: LabelledPose) -> str | None:
    """sha256 hex of a track's keypoints, equal for the same recording; None without keypoints."""
    xy = np.ascontiguousarray(track.pose.xy)
    return hashlib.sha256(xy.tobytes()).hexdigest() if np.isfinite(xy).any() else None


def load_penn_tracks(path: Path) -> list[LabelledPose]:
    """Penn Action's gym tracks (Zhang et al. 2013); an exercise that is no class is ``other``.


    Sequences from one video have consecutive numbers, so consecutive sequences of one action and
    one image size form a group.
    """
    data = _read(path, ("xy", "visibility", "offset", "name", "action", "image_wh"))
    groups = _run_ids(data["action"], data["image_wh"])
    tracks = []
    for i, (start, stop) in enumerate(zip(data["offset"][:-1], data["offset"][1:], strict=True)):
        action = str(data["action"][i])
        score = PENN_SCORE[data["visibility"][start:stop]]
        time_s = np.arange(stop - start) / PENN_FPS
        pose = _pose(data["xy"][start:stop], score, time_s, data["image_wh"][i], "penn-action")
        label = class_of(action)
        group = f"penn_{action}_{groups[i]:03d}"
        name = f"penn_{data['name'][i]}"
        tracks.append(LabelledPose(name, label, action, group, "penn", pose))
    return tracks


def load_snatch_tracks(path: Path) -> list[LabelledPose]:
    """Competition snatches with depth, each ended where the broadcast cuts to a close-up.

    Tracks in which less than three quarters of the keypoints were found (close-ups from the start)
    are left out.
    """
    data = _read(path, ("xy", "score", "xyz_m", "time_s", "offset", "name", "group", "image_wh"))
    tracks = []
    for i, (start, stop) in enumerate(zip(data["offset"][:-1], data["offset"][1:], strict=True)):
        xy, score = data["xy"][start:stop], data["score"][start:stop].astype(np.float32)
        end = _first_cut(xy)
        pose = _pose(xy[:end], score[:end], data["time_s"][start : start + end],
                     data["image_wh"][i], "mediapipe")  # fmt: skip
        if (pose.score[:, list(sk.BODY)] >= MIN_TRACK_SCORE).mean() < 0.75:
            continue
        depth = _depth_px(pose.xy, data["xyz_m"][start : start + end])
        name, group = str(data["name"][i]), f"snatch_{data['group'][i]}"
        tracks.append(LabelledPose(name, "snatch", "snatch", group, "snatch3d", pose, depth))
    return tracks


def rotate(track: LabelledPose, degrees: float, depth_scale: float = 1.2) -> LabelledPose:
    """``track`` rotated by ``degrees`` about the vertical axis (90: a side view).

    Vertical positions do not change. ``depth_scale`` makes up for the flat depth of single-camera
    trackers. Raises ValueError for a track without depth.
    """
    if track.depth is None:
        raise ValueError(f"{track.name}: expected a track with depth")
    angle, pose = np.radians(degrees), track.pose
    hips = midpoint(pose.xy, sk.HIPS)[:, None]
    known = np.isfinite(hips[:, 0, 0])
    steps = np.arange(len(pose))
    centre = np.interp(steps, steps[known], hips[known, 0, 0])[:, None]
    aside = np.cos(angle) * (pose.xy[..., 0] - centre)
    x = centre + aside + np.sin(angle) * depth_scale * track.depth
    xy = np.stack([x, pose.xy[..., 1]], -1)
    seen = _pose(xy, pose.score, pose.time_s, np.array(pose.image_size), "mediapipe")
    return replace(track, name=f"{track.name}_{degrees:g}", pose=seen, depth=None)


def _read(path: Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The named arrays of an ``.npz``; ModelDataError when the file or one of them is missing."""
    try:
        arrays = read_arrays(path)
        return {name: arrays[name] for name in names}
    except (PoseFileError, KeyError) as error:
        raise ModelDataError(
            f"{path.name}: expected a track file with {', '.join(names)}; it is missing, "
            "damaged or of another layout. Point --tracks to the folder that holds it."
        ) from error


def _pose(
    xy: np.ndarray, score: np.ndarray, time_s: np.ndarray, image_wh: np.ndarray, network: str
) -> PoseSequence:
    """A PoseSequence from arrays; keypoints that are NaN or of score 0 become both."""
    missing = ~np.isfinite(xy).all(-1) | (score <= 0)
    xy = np.where(missing[..., None], np.nan, xy).astype(np.float32)
    score = np.where(missing, 0, np.clip(score, 0, 1)).astype(np.float32)
    count = len(xy)
    boxes = np.full((count, 4), np.nan, np.float32)
    some = ~missing.all(1)
    if some.any():
        boxes[some] = np.c_[np.nanmin(xy[some], 1), np.nanmax(xy[some], 1)]
    time_s = np.asarray(time_s, np.float64)
    size = (int(image_wh[0]), int(image_wh[1]))
    return PoseSequence(xy, score, boxes, time_s - time_s[0], size, Provenance(network=network))


def _run_ids(action: np.ndarray, image_wh: np.ndarray) -> np.ndarray:
    """A number (n,) that rises whenever action or image size changes from one track to the next."""
    new = (action[1:] != action[:-1]) | (image_wh[1:] != image_wh[:-1]).any(-1)
    return np.asarray(np.r_[0, np.cumsum(new)])


def _first_cut(xy: np.ndarray) -> int:
    """Index of the first frame after a cut (the body jumps or grows to stay so), or the length."""
    breadth = _smooth(_breadth(xy))
    hips = _smooth(midpoint(xy, sk.HIPS))
    size = float(np.median(breadth))
    jump = np.linalg.norm(hips[CUT_FRAMES:] - hips[:-CUT_FRAMES], axis=-1)
    cut = np.zeros(len(xy), bool)
    cut[CUT_FRAMES:] = jump > 4 * size
    cut |= breadth > 1.6 * size
    cut[: len(cut) // 4] = False  # a shaky start is noise, not a cut
    hits = np.flatnonzero(cut)
    return int(hits[0]) if len(hits) else len(xy)


def _smooth(values: np.ndarray) -> np.ndarray:
    """``values`` (T, ...) with gaps filled and changes shorter than a cut removed."""
    columns = values.reshape(len(values), -1).astype(np.float64)
    steps = np.arange(len(columns))
    for i, column in enumerate(columns.T):
        known = np.isfinite(column)
        columns[:, i] = np.interp(steps, steps[known], column[known]) if known.any() else 0
    smooth = median_filter(columns, size=(2 * CUT_FRAMES + 1, 1), mode="nearest")
    return np.asarray(smooth.reshape(values.shape))


def _breadth(xy: np.ndarray) -> np.ndarray:
    """Shoulder breadth plus hip breadth (T,) in px: a measure of body size in front views."""
    pairs = (sk.SHOULDERS, sk.HIPS)
    return np.asarray(sum(np.linalg.norm(xy[:, a] - xy[:, b], axis=-1) for a, b in pairs))


def _depth_px(xy: np.ndarray, xyz_m: np.ndarray) -> np.ndarray:
    """Depth float32 (T, 17) in px: metres times the scale of the front view, px per metre."""
    body = list(sk.BODY)
    hips = midpoint(xy, sk.HIPS)[:, None]
    flat = xyz_m[:, body, :2] - xyz_m[:, [sk.LEFT_HIP, sk.RIGHT_HIP], :2].mean(1, keepdims=True)
    image = xy[:, body] - hips
    both = np.isfinite(image) & np.isfinite(flat)
    px_per_metre = np.abs(image[both]).sum() / max(np.abs(flat[both]).sum(), 1e-6)
    return np.asarray(xyz_m[..., 2] * px_per_metre, np.float32)
