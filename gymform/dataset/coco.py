"""Keypoints to and from other tools: COCO keypoints in JSON, which CVAT and others exchange.

One file a clip. Its images are the frames that were analysed, by number, each with its time; an
annotation holds the lifter's 17 keypoints as x, y, v, with v 0 for missing and 2 for seen, and 1
where a person or the network put a point it is unsure of. Pixels are those of the upright frame.

What comes back changed becomes corrections: a keypoint that was moved is put there, one that was
deleted (v 0) is hidden in that frame. What was not touched comes back as nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gymform.dataset.corrections import correct, corrected_poses
from gymform.dataset.items import ClipRecord
from gymform.dataset.reviews import ReviewStore
from gymform.errors import DatasetError
from gymform.in_use import holds
from gymform.pose.corrections import HIDDEN, POINT, Corrected, Correction
from gymform.skeleton import EDGES, KEYPOINTS, NUM_KEYPOINTS
from gymform.storage import atomic_path

SURE = 0.5
"""A keypoint is written as seen (v 2) from this score on."""

MOVED_PX = 0.05
"""A keypoint counts as moved from this far on: coordinates are written with two decimals."""

MAX_BYTES = 256 * 1024**2
"""Largest file that is read."""


@holds("store")
def export_coco(store: ReviewStore, folder: Path) -> list[Path]:
    """Write ``<clip>.json`` of each clip with keypoints, as corrected, into ``folder``; the files.

    Raises DatasetError when no clip has keypoints.
    """
    written = []
    for clip in clips_with_keypoints(store):
        path = folder / f"{clip.sha256[:16]}.json"
        content = coco_of(clip, corrected_poses(store, clip.sha256))
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(content) + "\n", encoding="utf-8")
        written.append(path)
    return written


def clips_with_keypoints(store: ReviewStore) -> list[ClipRecord]:
    """The clips that can be exported. Raises DatasetError when there is none."""
    clips = [clip for clip in store.clips() if store.files.poses(clip.sha256).is_file()]
    if not clips:
        raise DatasetError("No clip has keypoints yet: extract the data set first.")
    return clips


def coco_of(clip: ClipRecord, found: Corrected) -> dict[str, Any]:
    """One clip's keypoints as COCO has them."""
    pose = found.pose
    width, height = pose.image_size
    return {
        "info": {"description": clip.name, "clip_sha256": clip.sha256, "version": "1.0"},
        "licenses": [],
        "categories": [
            {
                "id": 1,
                "name": "person",
                "supercategory": "person",
                "keypoints": list(KEYPOINTS),
                "skeleton": [[a + 1, b + 1] for a, b in EDGES],
            }
        ],
        "images": [
            {
                "id": row + 1,
                "file_name": f"frame_{row:06d}.PNG",
                "width": width,
                "height": height,
                "time_s": round(float(moment), 6),
            }
            for row, moment in enumerate(pose.time_s)
        ],
        "annotations": [
            one for row in range(len(pose)) if (one := _annotation(found, row)) is not None
        ],
    }


def _annotation(found: Corrected, row: int) -> dict[str, Any] | None:
    """The lifter in one frame; None where nobody is."""
    pose = found.pose
    xy, score = pose.xy[row], pose.score[row]
    known = np.isfinite(xy).all(1)
    if not known.any():
        return None
    seen = np.where(known, np.where(score >= SURE, 2, 1), 0)
    points = np.column_stack((np.round(np.nan_to_num(xy), 2), seen)).tolist()
    low, high = xy[known].min(0), xy[known].max(0)
    box = pose.boxes[row]
    if np.isfinite(box).all():
        low, high = box[:2], box[2:]
    x, y, w, h = (round(float(one), 2) for one in (*low, *(high - low)))
    return {
        "id": row + 1,
        "image_id": row + 1,
        "category_id": 1,
        "iscrowd": 0,
        "bbox": [x, y, w, h],
        "area": round(w * h, 2),
        "num_keypoints": int(known.sum()),
        "keypoints": [float(one) if place < 2 else int(one) for point in points
                      for place, one in enumerate(point)],
    }  # fmt: skip


# --- back ---------------------------------------------------------------------------------------


def import_coco(store: ReviewStore, path: Path, *, reviewer: str) -> int:
    """Take over what was changed in a file of :func:`export_coco`; how many corrections that made.

    One undo takes all of it back. Raises DatasetError, naming what is wrong, for a file that is no
    such one, or is of a clip that is not in this data set.
    """
    content = _read(path)
    clip = _clip_of(store, content, path)
    found = corrected_poses(store, clip.sha256)
    changes = list(_changes(content, found, path.name))
    if changes:
        correct(store, clip.sha256, changes, reviewer=reviewer)
    return len(changes)


def _read(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError
        content = json.loads(path.read_text(encoding="utf-8"))
        names = content["categories"][0]["keypoints"]
        if list(names) != list(KEYPOINTS):
            raise ValueError
        list(content["images"]), list(content["annotations"])
    except (OSError, ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise DatasetError(
            f"{path.name}: expected COCO keypoints of COCO's {NUM_KEYPOINTS} joints in JSON "
            f"({type(error).__name__}). Export the data set again, and change only keypoints."
        ) from error
    return dict(content)


def _clip_of(store: ReviewStore, content: Mapping[str, Any], path: Path) -> ClipRecord:
    """The clip that a file is about: by its sha256, else by the name of the file."""
    info = content.get("info")
    sha256 = str(info.get("clip_sha256", "")) if isinstance(info, Mapping) else ""
    for clip in store.clips():
        if clip.sha256 == sha256 or (not sha256 and clip.sha256.startswith(path.stem[:16] or "?")):
            return clip
    raise DatasetError(
        f"{path.name}: its clip is not in the data set {store.folder.name}. Keep the name of the "
        "file as it was exported: other tools leave out what else says which clip it is."
    )


def _changes(content: Mapping[str, Any], found: Corrected, name: str) -> Sequence[Correction]:
    """What is different from the keypoints as they are now."""
    pose = found.pose
    rows = {}
    try:
        for image in content["images"]:
            stem = str(image["file_name"]).rpartition("/")[2].rpartition(".")[0]
            rows[image["id"]] = int(stem.rpartition("_")[2])
        changes: list[Correction] = []
        for one in content["annotations"]:
            row = rows[one["image_id"]]
            points = np.array(one["keypoints"], float).reshape(NUM_KEYPOINTS, 3)
            if not 0 <= row < len(pose) or not np.isfinite(points).all():
                raise ValueError
            changes += changes_in(points, pose.xy[row], float(pose.time_s[row]))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DatasetError(
            f"{name}: expected annotations of {NUM_KEYPOINTS} keypoints (x, y, v) in frames of the "
            f"clip, 0 to {len(pose) - 1} ({type(error).__name__}). Nothing was taken over."
        ) from error
    return changes


def changes_in(points: np.ndarray, now: np.ndarray, time_s: float) -> Sequence[Correction]:
    """What makes ``points`` (17, 3), as x, y and v, of the keypoints ``now`` (17, 2), px, in the
    frame at ``time_s``."""
    there = points[:, 2] > 0
    known = np.isfinite(now).all(1)
    apart = np.linalg.norm(points[:, :2] - np.nan_to_num(now), axis=1)
    moved = there & (~known | (apart > MOVED_PX))
    changes = [
        Correction(POINT, time_s, time_s, (int(k),), float(points[k, 0]), float(points[k, 1]))
        for k in np.flatnonzero(moved)
    ]
    if gone := tuple(int(k) for k in np.flatnonzero(known & ~there)):
        changes.append(Correction(HIDDEN, time_s, time_s, gone))
    return changes
