"""Corrections of keypoints in a data set: added, undone, and applied to what the network found.

They are decisions about a clip: only ever added, on disk when a call returns, and numbered, so that
the number of the last one is the version of the clip's keypoints. The file of the network's own
keypoints is never changed.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from gymform.dataset.items import CORRECTION
from gymform.dataset.reviews import ReviewStore
from gymform.errors import DatasetError
from gymform.pose.corrections import (
    Corrected,
    Correction,
    check_in_picture,
    corrected,
    from_plain,
)
from gymform.pose.files import load_poses
from gymform.storage import atomic_path
from gymform.types import PoseSequence

SCHEMA = 1
"""Version of the files of :func:`write_corrections`."""


def correct(
    store: ReviewStore, sha256: str, corrections: Sequence[Correction], *, reviewer: str
) -> int:
    """Add corrections of one clip, which one :func:`undo` takes back; the clip's new version.

    Raises OptionsError for what does not fit the clip, PoseFileError without keypoints.
    """
    pose = load_poses(store.files.poses(sha256))
    for one in corrections:
        check_in_picture(one, pose)
    values = [(sha256, one.as_plain()) for one in corrections]
    store.decide_on_clips(CORRECTION, values, reviewer=reviewer)
    return version_of(store, sha256)


def undo(
    store: ReviewStore, sha256: str, *, reviewer: str, own: Collection[int] | None = None
) -> int:
    """Take back the reviewer's last correction of a clip; how many went, 0 when there is none.

    Where ``own`` is given, only batches whose number is in it are taken back.
    """
    return len(store.undo_on_clips(CORRECTION, reviewer=reviewer, sha256=sha256, own=own))


def corrections_of(store: ReviewStore, sha256: str) -> tuple[Correction, ...]:
    """The corrections of a clip that are in force, the oldest first."""
    return tuple(from_plain(one.value) for one in store.clip_decisions(CORRECTION, sha256))


def all_corrections(store: ReviewStore) -> dict[str, tuple[Correction, ...]]:
    """The corrections in force by clip; clips without any are left out."""
    found: dict[str, list[Correction]] = {}
    for one in store.clip_decisions(CORRECTION):
        found.setdefault(one.clip_sha256, []).append(from_plain(one.value))
    return {sha256: tuple(given) for sha256, given in found.items()}


def version_of(store: ReviewStore, sha256: str) -> int:
    """The number of the last correction or undo of a clip, 0 before the first.

    It rises with every change, so that what was made from corrected keypoints can be told apart.
    """
    history = store.clip_history(sha256)
    made = {one.number for one in history if one.kind == CORRECTION}
    undone = {one.number for one in history if one.value.get("undoes") in made}
    return max(made | undone, default=0)


def corrected_poses(store: ReviewStore, sha256: str) -> Corrected:
    """A clip's keypoints with all corrections, and where each comes from. Raises PoseFileError."""
    return corrected(load_poses(store.files.poses(sha256)), corrections_of(store, sha256))


def load_corrected(path: Path, corrections: Sequence[Correction]) -> PoseSequence:
    """The keypoints in ``path`` with these corrections. Raises PoseFileError."""
    pose = load_poses(path)
    return corrected(pose, corrections).pose if corrections else pose


# --- files --------------------------------------------------------------------------------------


def write_corrections(store: ReviewStore, path: Path) -> int:
    """Write all corrections in force as JSON, whole or not at all; how many there are.

    Each clip has its version, the sha256s of the clip and its name, and who corrected it when.
    """
    clips: dict[str, dict[str, Any]] = {}
    names = {clip.sha256: clip.name for clip in store.clips()}
    count = 0
    for one in store.clip_decisions(CORRECTION):
        entry = clips.setdefault(
            one.clip_sha256,
            {
                "clip": names[one.clip_sha256],
                "version": version_of(store, one.clip_sha256),
                "corrections": [],
            },
        )
        entry["corrections"].append({**one.value, "reviewer": one.reviewer, "at": one.at})
        count += 1
    with atomic_path(path) as temporary:
        temporary.write_text(
            json.dumps({"schema": SCHEMA, "clips": clips}, indent=1) + "\n", encoding="utf-8"
        )
    return count


def read_corrections(path: Path) -> dict[str, tuple[Correction, ...]]:
    """The corrections by clip that :func:`write_corrections` wrote. Raises DatasetError."""
    try:
        content: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if content["schema"] != SCHEMA:
            raise ValueError
        return {
            str(sha256): tuple(from_plain(one) for one in entry["corrections"])
            for sha256, entry in content["clips"].items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DatasetError(
            f"{path.name}: expected corrections that gymform exported "
            f"({type(error).__name__}). Export them again."
        ) from error
