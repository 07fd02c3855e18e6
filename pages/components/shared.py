"""What all sessions of the page Review share: open data sets, and the replies to widgets."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

from gymform.dataset.reviews import ReviewStore
from gymform.errors import DatasetError
from gymform.service.once import Once
from gymform.service.review_session import ReplyLog

_OPEN = 16
"""Most data sets that stay open; the least recently used one is closed."""


@Once
def reply_log() -> ReplyLog:
    """The replies to all widgets of this app."""
    return ReplyLog()


def open_store(folder: Path) -> ReviewStore:
    """The data set in ``folder``, open for all sessions. Raises DatasetError."""
    return _stores().get(folder, _written(folder))


def _written(folder: Path) -> int:
    """The inode of the database file, which changes when the file is replaced."""
    try:
        return (folder / "dataset.sqlite").stat().st_ino
    except OSError as error:
        raise DatasetError(f"The data set {folder.name} is gone: {error.strerror}.") from error


class _Stores:
    """Open data sets by folder and file."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: OrderedDict[tuple[Path, int], ReviewStore] = OrderedDict()

    def get(self, folder: Path, file: int) -> ReviewStore:
        with self._lock:
            key = (folder, file)
            if key not in self._open:
                self._open[key] = ReviewStore.open(folder)
            self._open.move_to_end(key)
            if len(self._open) > _OPEN:
                self._open.popitem(last=False)
            return self._open[key]


@Once
def _stores() -> _Stores:
    return _Stores()
