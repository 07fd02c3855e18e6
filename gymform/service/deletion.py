"""Deletion of a clip with its results, with a minute to undo it; and what goes by itself.

What visitors leave in gymform's folder (uploads, results) can be deleted at once, goes when nobody
has used it for ``GYMFORM_KEEP_DAYS`` days, and goes when the folder is too full.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from gymform.dataset.deletion import sweep_trash
from gymform.dataset.reviews import ReviewStore
from gymform.errors import GymformError, OptionsError
from gymform.in_use import alone, is_held
from gymform.roles import Role, only_for
from gymform.service.history import History
from gymform.service.result_store import (
    ResultStore,
    discard_unfinished,
    discard_unused,
    folders_in,
)
from gymform.storage import data_dir
from gymform.trash import FOR_GOOD_S, Trash
from gymform.weights import sha256_of

KEEP_DAYS = "GYMFORM_KEEP_DAYS"
"""The variable with the days for which uploads and results are kept; unset: until space is short.

They count from when an upload came, and from when a result was last looked at.
"""

HISTORY = "history"
"""Among the details of a deletion: the rows of the history that went with it."""

SWEEP_S = 20.0
"""How often the app deletes for good what is due."""

_BUSY = "The clip is being analysed. Cancel that first, or wait until it is done."

_log = logging.getLogger(__name__)


def uploads_dir() -> Path:
    """Where uploads and recordings lie, each in a folder of its own."""
    return data_dir() / "uploads"


@only_for(Role.VISITOR, "To delete a clip")
def delete_results(
    store: ResultStore,
    clip: Path,
    key: str | None = None,
    history: History | None = None,
    sha256: str = "",
) -> str:
    """Delete a clip with all results of its content; the name to restore them by.

    ``history`` forgets them too. ``sha256`` is the clip's content where that is known already: its
    results go even when the clip itself is gone.

    Whoever has a clip may have it deleted: other uploads of the same content go too, unless they
    are being analysed. ``key`` is a result that goes even when the clip can no longer be read. A
    clip that lies elsewhere stays. Raises BusyError while this clip is being analysed, GymformError
    when the disk does not allow it.
    """
    try:
        with contextlib.ExitStack() as stack:
            paths = []
            if clip.parent.parent == uploads_dir() and clip.parent.is_dir():
                stack.enter_context(alone(clip.parent, _BUSY))
                paths.append(clip.parent)
            if clip.is_file() and clip.parent.parent != store.root:
                sha256 = sha256_of(clip)
                paths += [one for one in _same(clip, sha256) if not is_held(one)]
            if sha256:
                paths += store.of_clip(sha256)
            if key and (folder := store.find(key)) and folder not in paths:
                paths.append(folder)
            return _put(paths, history, key or "", sha256)
    except OSError as error:
        reason = error.strerror or "the disk failed"
        raise GymformError(f"The clip cannot be deleted: {reason}. Try again.") from error


def _put(paths: list[Path], history: History | None, key: str, sha256: str) -> str:
    """Move files into the trash, and with them the rows of the history; the entry's name."""
    if history is None:
        return Trash(data_dir()).put(paths, {})
    rows = history.take(key=key, clip_sha256=sha256, keys=[one.name for one in paths])
    try:
        return Trash(data_dir()).put(paths, {HISTORY: rows})
    except OSError:
        history.put_back(rows)
        raise


def _same(clip: Path, sha256: str) -> list[Path]:
    """The folders of other uploads of the same content."""
    size, found = clip.stat().st_size, []
    for folder in folders_in(uploads_dir()):
        for file in folder.glob("clip.*"):
            with contextlib.suppress(OSError):  # it has just been deleted
                other = folder != clip.parent and file.stat().st_size == size
                if other and sha256_of(file) == sha256:
                    found.append(folder)
    return found


@only_for(Role.VISITOR, "To restore a clip")
def restore_results(name: str, history: History | None = None) -> None:
    """Undo a deletion. Raises OptionsError when it is too late."""
    trash = Trash(data_dir())
    rows = trash.details(name).get(HISTORY, [])
    trash.restore(name)
    if history is not None:
        history.put_back(rows)


# -- what goes by itself ---------------------------------------------------------------------


def keep_days() -> float | None:
    """How many days unused clips and results are kept; None for ever. Raises OptionsError."""
    text = os.environ.get(KEEP_DAYS, "").strip()
    if not text:
        return None
    with contextlib.suppress(ValueError):
        days = float(text)
        if math.isfinite(days) and days > 0:
            return days
    raise OptionsError(f"{KEEP_DAYS}: expected a number of days above 0, got {text[:20]!r}.")


@dataclass(frozen=True)
class Swept:
    """What went for good: deletions that can no longer be undone, uploads, and results."""

    deletions: int = 0
    uploads: int = 0
    results: int = 0


def sweep(home: Path, older_than_s: float = FOR_GOOD_S) -> Swept:
    """Delete for good what was deleted ``older_than_s`` ago, and what is too old to be kept.

    ``home`` is gymform's folder, see `gymform.storage.data_dir`. What is in use stays, and data
    sets do, whatever their age. Raises OptionsError for days that are no number, after the rest.
    """
    deletions = Trash(home).sweep(older_than_s)
    for file in (home / "datasets").glob("*/dataset.sqlite"):
        if Trash(file.parent).names():
            with contextlib.suppress(GymformError), ReviewStore.open(file.parent) as store:
                deletions += sweep_trash(store, older_than_s)
    for kind in ("uploads", "analyses"):
        discard_unfinished(home / kind)
    days = keep_days()
    uploads = results = 0
    if days is not None:
        uploads, results = (discard_unused(home / kind, days) for kind in ("uploads", "analyses"))
    _prune(home)
    return Swept(deletions, uploads, results)


def _prune(home: Path) -> None:
    """Have the history forget results whose files are gone."""
    file = home / "history.sqlite"
    if file.is_file():
        with contextlib.suppress(GymformError), contextlib.closing(History.open(file)) as history:
            history.prune({folder.name for folder in folders_in(home / "analyses")})


class Sweeper:
    """Sweeps in a thread of its own, at once and then again and again, within a ``with`` block."""

    def __init__(self, every_s: float = SWEEP_S) -> None:
        self._every_s = every_s
        self._problem = ""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gymform-sweeper", daemon=True)

    def __enter__(self) -> Sweeper:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                sweep(data_dir())
                self._problem = ""
            except (GymformError, OSError) as error:
                if str(error) != self._problem:  # said once, not every time
                    _log.warning("old files could not be deleted: %s", error)
                self._problem = str(error)
            if self._ended.wait(self._every_s):
                return
