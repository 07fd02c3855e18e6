"""Clips move from one data set to another, with their keypoints, items and decisions.

Files are copied first, then the other data set takes the clips in, then they leave this one. Killed
in between, a clip is in both data sets, never in none.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from gymform.dataset.deletion import remove_clips
from gymform.dataset.items import ClipRecord, DatasetFiles
from gymform.dataset.reviews import ReviewStore
from gymform.errors import DatasetError, OptionsError
from gymform.in_use import alone
from gymform.roles import Role, only_for
from gymform.storage import atomic_path
from gymform.trash import Trash

_BUSY = (
    "An import, an extraction, an export or a training is using one of the data sets. Wait until "
    "it has ended, or stop it, and move the clips then."
)


@only_for(Role.ADMIN, "To move clips to another data set")
def move_clips(store: ReviewStore, target: ReviewStore, sha256s: Sequence[str]) -> None:
    """Move clips to the data set ``target``; to undo it, move them back.

    Raises OptionsError when it is the same data set, DatasetError when the target has one of them
    already or the disk refuses, BusyError while one of the data sets is in use; nothing has then
    moved.
    """
    if store.folder.resolve() == target.folder.resolve():
        raise OptionsError("The clips are in this data set already: choose another one.")
    clips = [store.clip(sha256) for sha256 in sha256s]
    with alone(target.folder, _BUSY), alone(store.folder, _BUSY):
        _check_new(target, clips)
        _hand_over(store, target, clips)
        for name in remove_clips(store, sha256s):
            Trash(store.folder).remove(name)


def _check_new(target: ReviewStore, clips: Sequence[ClipRecord]) -> None:
    """Raise DatasetError when the target has one of the clips: its files must not be touched."""
    there = {clip.sha256 for clip in target.clips()}
    if again := [clip.name for clip in clips if clip.sha256 in there]:
        raise DatasetError(
            f"{again[0]} is in the data set {target.folder.name} already: delete it in one of them."
        )


def _hand_over(store: ReviewStore, target: ReviewStore, clips: Sequence[ClipRecord]) -> None:
    """Give the target the files and entries of the clips, all or none."""
    made: list[Path] = []
    try:
        for clip in clips:
            for old, new in _files_of(store, target.files, clip):
                made.append(new)
                _copy(old, new)
        target.take_in([store.rows_of(clip.sha256) for clip in clips])
    except BaseException as error:
        for path in made:
            path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            reason = error.strerror or "the disk failed"
            raise DatasetError(f"The clips cannot be moved: {reason}. Try again.") from error
        raise


def _files_of(
    store: ReviewStore, target: DatasetFiles, clip: ClipRecord
) -> list[tuple[Path, Path]]:
    """The files of a clip, and where they go; decoded frames stay, they are made anew."""
    source, sha256 = store.files, clip.sha256
    pairs = [
        (source.clip(clip), target.clip(clip)),
        (source.poses(sha256), target.poses(sha256)),
        (source.proxy(sha256), target.proxy(sha256)),
        (source.look(sha256), target.look(sha256)),
        *((source.thumb(item), target.thumb(item)) for item in store.items_of(sha256)),
    ]
    return [(old, new) for old, new in pairs if old.is_file()]


def _copy(old: Path, new: Path) -> None:
    """Files of data sets are replaced and never changed in place, so a hard link will do."""
    with atomic_path(new) as temporary:
        with contextlib.suppress(OSError):  # another file system
            os.link(old, temporary)
        if not temporary.exists():
            shutil.copyfile(old, temporary)
