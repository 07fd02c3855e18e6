"""A clip is deleted from a data set with all that came of it, and restored within a minute.

Deleted are the copy of the clip, its keypoints, videos, thumbnails and decoded frames, its items
and what was decided about them. Finished trainings keep their weights, and reports that name it.
"""

from __future__ import annotations

from collections.abc import Sequence

from gymform.dataset.reviews import ReviewStore
from gymform.errors import DatasetError, GymformError
from gymform.in_use import alone
from gymform.roles import Role, only_for
from gymform.trash import FOR_GOOD_S, Trash

_BUSY = (
    "An import, an extraction, an export or a training is using this data set. Wait until it has "
    "ended, or stop it, and delete the clip then."
)


@only_for(Role.ADMIN, "To delete a clip")
def delete_clip(store: ReviewStore, sha256: str) -> str:
    """Delete a clip; the name under which :func:`restore_clip` brings it back.

    Raises DatasetError when it is not there or the disk refuses, BusyError while the data set is
    in use.
    """
    return delete_clips(store, [sha256])[0]


@only_for(Role.ADMIN, "To delete clips")
def delete_clips(store: ReviewStore, sha256s: Sequence[str]) -> list[str]:
    """Delete clips, all or none; the names under which :func:`restore_clip` brings them back.

    Raises like :func:`delete_clip`.
    """
    with alone(store.folder, _BUSY):
        return remove_clips(store, sha256s)


def remove_clips(store: ReviewStore, sha256s: Sequence[str]) -> list[str]:
    """The same for a caller that holds the data set's folder alone."""
    names: list[str] = []
    try:
        for sha256 in sha256s:
            names.append(_remove_clip(store, sha256))
    except GymformError:
        for name in reversed(names):
            restore_clip(store, name)
        raise
    return names


def _remove_clip(store: ReviewStore, sha256: str) -> str:
    files, trash = store.files, Trash(store.folder)
    clip = store.clip(sha256)
    paths = [files.clip(clip), files.poses(sha256), files.proxy(sha256), *files.all_frames(sha256)]
    paths.append(files.look(sha256))
    paths += [files.thumb(item_id) for item_id in store.items_of(sha256)]
    names: list[str] = []
    try:
        store.remove_clip(sha256, lambda rows: names.append(trash.put(paths, rows)))
    except BaseException as error:  # the store did not take it: the files go back
        for name in names:
            trash.take_back(name)
        if isinstance(error, OSError):
            reason = error.strerror or "the disk failed"
            raise DatasetError(f"The clip cannot be deleted: {reason}. Try again.") from error
        raise
    return names[0]


@only_for(Role.ADMIN, "To restore a clip")
def restore_clip(store: ReviewStore, name: str) -> None:
    """Bring a clip back: first its entries, then its files, as :func:`sweep_trash` expects.

    Raises OptionsError when it is too late, DatasetError when it was imported again meanwhile.
    """
    trash = Trash(store.folder)
    trash.check(name)
    rows = trash.details(name)
    store.put_back(rows)
    trash.take_back(name)
    _find_copies(store, {row["sha256"] for row in rows["clips"]})


def _find_copies(store: ReviewStore, back: set[str]) -> None:
    """Of which clips are these copies? Others may have been restored since they were deleted."""
    from gymform.dataset.duplicates import Fingerprints  # it imports what decodes videos

    prints = store.fingerprints()
    others = Fingerprints({sha256: one for sha256, one in prints.items() if sha256 not in back})
    for sha256 in back:
        store.add_copies(others.copies_of(sha256, prints[sha256]))


def sweep_trash(store: ReviewStore, older_than_s: float = FOR_GOOD_S) -> int:
    """Delete for good what was deleted before; how many clips these were.

    Files of a clip that is still in the store go back: its deletion was cut off in the middle, or
    its restoration.
    """
    trash = Trash(store.folder)

    def take_back() -> None:
        there = {(clip.sha256, clip.imported_at) for clip in store.clips()}
        for name in trash.names():
            rows = trash.details(name).get("clips", [])
            if there & {(row["sha256"], row["imported_at"]) for row in rows}:
                trash.take_back(name)

    store.while_unchanged(take_back)  # no deletion is under way
    return trash.sweep(older_than_s)
