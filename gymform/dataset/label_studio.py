"""Keypoints to and from Label Studio: a list of tasks in JSON, one for each frame.

A task shows one picture, and proposes the lifter's 17 keypoints as a prediction; the places are in
percent of the picture's width and height, as Label Studio has them. The pictures are written beside
the file. What comes back (its export as JSON, not as JSON-MIN) is read from the annotation of each
task; a keypoint that is not in it any more is hidden in that frame.

Source: Label Studio's documentation, "Import pre-annotated data" and "KeyPointLabels".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from gymform.dataset.coco import MAX_BYTES, changes_in, clips_with_keypoints
from gymform.dataset.corrections import correct, corrected_poses
from gymform.dataset.items import ClipRecord
from gymform.dataset.reviews import ReviewStore
from gymform.errors import DatasetError
from gymform.in_use import holds
from gymform.pose.corrections import Corrected, Correction
from gymform.skeleton import KEYPOINTS, NUM_KEYPOINTS
from gymform.storage import atomic_path
from gymform.video.read import read_frames

FROM, TO = "keypoints", "picture"
"""Names of the tags in :data:`CONFIG`."""

CONFIG = (
    f'<View>\n  <Image name="{TO}" value="$image"/>\n  <KeyPointLabels name="{FROM}" '
    f'toName="{TO}">\n'
    + "".join(f'    <Label value="{name}"/>\n' for name in KEYPOINTS)
    + "  </KeyPointLabels>\n</View>\n"
)
"""The labelling interface that the tasks are made for."""

POINT_SHARE = 0.5
"""Size of a keypoint on the screen, percent of the picture's width."""

JPEG_QUALITY = 90


@holds("store")
def export_tasks(store: ReviewStore, folder: Path) -> list[Path]:
    """Write the tasks of each clip with keypoints, as corrected, its pictures, and the labelling
    interface into ``folder``; the files of the tasks.

    Raises DatasetError when no clip has keypoints, VideoError when one cannot be read.
    """
    clips = clips_with_keypoints(store)
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_path(folder / "interface.xml") as temporary:
        temporary.write_text(CONFIG, encoding="utf-8")
    return [write_tasks(store, clip, corrected_poses(store, clip.sha256), folder) for clip in clips]


def write_tasks(store: ReviewStore, clip: ClipRecord, found: Corrected, folder: Path) -> Path:
    """Write a clip's tasks, and its frames as pictures, into ``folder``; the file of the tasks.

    Raises VideoError when the clip cannot be read.
    """
    name, pose = clip.sha256[:16], found.pose
    pictures = folder / name
    pictures.mkdir(parents=True, exist_ok=True)
    rows = {round(float(moment), 6): row for row, moment in enumerate(pose.time_s)}
    path = store.files.clip(clip)
    with read_frames(
        path, keep=lambda _, time_s: round(time_s, 6) in rows, turn=pose.provenance.turn
    ) as frames:
        for frame in frames:
            _write_picture(pictures / _picture(rows[round(frame.time_s, 6)]), frame.rgb)
    tasks = [_task(clip, found, row) for row in range(len(pose))]
    file = folder / f"{name}.label-studio.json"
    with atomic_path(file) as temporary:
        temporary.write_text(json.dumps(tasks) + "\n", encoding="utf-8")
    return file


def _picture(row: int) -> str:
    return f"frame_{row:06d}.jpg"


def _write_picture(path: Path, rgb: np.ndarray) -> None:
    quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(rgb[..., ::-1]), quality)
    with atomic_path(path) as temporary:
        temporary.write_bytes(data.tobytes())


def _task(clip: ClipRecord, found: Corrected, row: int) -> dict[str, Any]:
    name, pose = clip.sha256[:16], found.pose
    known = np.flatnonzero(np.isfinite(pose.xy[row]).all(1))
    return {
        "data": {
            "image": f"/data/local-files/?d={name}/{_picture(row)}",
            "clip_sha256": clip.sha256,
            "frame": row,
        },
        "predictions": [
            {
                "model_version": pose.provenance.network,
                "score": round(float(pose.score[row][known].mean()), 4) if len(known) else 0.0,
                "result": [_point(pose.xy[row, k], pose.image_size, int(k)) for k in known],
            }
        ],
    }


def _point(xy: np.ndarray, size: tuple[int, int], keypoint: int) -> dict[str, Any]:
    width, height = size
    return {
        "id": KEYPOINTS[keypoint],
        "from_name": FROM,
        "to_name": TO,
        "type": "keypointlabels",
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": {
            "x": round(100 * float(xy[0]) / width, 5),
            "y": round(100 * float(xy[1]) / height, 5),
            "width": POINT_SHARE,
            "keypointlabels": [KEYPOINTS[keypoint]],
        },
    }


# --- back ---------------------------------------------------------------------------------------


def import_tasks(store: ReviewStore, path: Path, *, reviewer: str) -> int:
    """Take over what was changed in an export of Label Studio; how many corrections that made.

    One undo takes all of it back. Raises DatasetError, naming what is wrong, for a file that is no
    such one, or is of a clip that is not in this data set.
    """
    tasks = _read(path)
    sha256 = str(tasks[0]["data"]["clip_sha256"])
    if sha256 not in {clip.sha256 for clip in store.clips()}:
        raise DatasetError(f"{path.name}: its clip is not in the data set {store.folder.name}.")
    pose = corrected_poses(store, sha256).pose
    changes: list[Correction] = []
    try:
        for task in tasks:
            row, points = int(task["data"]["frame"]), _annotated(task, pose.image_size)
            if not 0 <= row < len(pose) or task["data"]["clip_sha256"] != sha256:
                raise ValueError
            if points is not None:
                changes += changes_in(points, pose.xy[row], float(pose.time_s[row]))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DatasetError(
            f"{path.name}: expected keypoints in percent of frames of one clip, 0 to "
            f"{len(pose) - 1} ({type(error).__name__}). Nothing was taken over."
        ) from error
    if changes:
        correct(store, sha256, changes, reviewer=reviewer)
    return len(changes)


def _read(path: Path) -> list[Any]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError
        tasks = list(json.loads(path.read_text(encoding="utf-8")))
        str(tasks[0]["data"]["clip_sha256"])
    except (OSError, ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        raise DatasetError(
            f"{path.name}: expected tasks as Label Studio exports them as JSON "
            f"({type(error).__name__}), each with clip_sha256 and frame in its data. Export the "
            "data set again, and change only keypoints."
        ) from error
    return tasks


def _annotated(task: Mapping[str, Any], size: tuple[int, int]) -> np.ndarray | None:
    """Keypoints (17, 3) as x, y in px of ``size``, and v, 2 or 0 where there is none; None for a
    task that nobody annotated. The latest annotation that was not cancelled counts."""
    done = [one for one in task.get("annotations", []) if not one.get("was_cancelled")]
    if not done:
        return None
    points = np.zeros((NUM_KEYPOINTS, 3))
    for one in done[-1]["result"]:
        if one["type"] == "keypointlabels":
            value = one["value"]
            (name,) = value["keypointlabels"]
            place = np.array([value["x"], value["y"]], float) / 100 * size
            if not np.isfinite(place).all():
                raise ValueError
            points[KEYPOINTS.index(name)] = [*place, 2]
    return points
