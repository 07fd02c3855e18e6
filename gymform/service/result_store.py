"""Finished analyses on disk: one complete folder per key, the least recently used deleted."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from gymform import limits
from gymform.storage import data_dir

_KEY = re.compile(r"[0-9a-f]{64}")
_STALE_AFTER_S = 24 * 3600.0


class ResultStore:
    """Folders of results under ``root``, by default ``data_dir()/analyses``.

    A folder is renamed to its key after everything in it was written. Unfinished ones have hidden
    names and are deleted when they are a day old.
    """

    def __init__(self, root: Path | None = None, max_bytes: int = limits.MAX_RESULT_BYTES) -> None:
        self.root = root or data_dir() / "analyses"
        self.root.mkdir(parents=True, exist_ok=True)
        self._max_bytes = max_bytes
        self._sweep()

    def find(self, key: str) -> Path | None:
        """The folder of a finished analysis, marked as just used; None when there is none."""
        if not _KEY.fullmatch(key):
            raise ValueError(f"ResultStore.find: expected 64 hexadecimal digits, got {key!r}")
        folder = self.root / key
        try:
            os.utime(folder)
        except FileNotFoundError:
            return None
        return folder

    def forget(self, key: str) -> None:
        """Delete the result of ``key``, if there is one."""
        if self.find(key):
            _remove(self.root / key)

    @contextlib.contextmanager
    def new_folder(self, key: str) -> Iterator[Path]:
        """An empty folder to fill for ``key``; deleted afterwards unless it was kept."""
        folder = self.root / f".{secrets.token_hex(8)}-{key[:8]}"
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def keep(self, key: str, folder: Path) -> None:
        """Make a filled folder the result of ``key``, and delete the oldest ones over the limit."""
        try:
            os.rename(folder, self.root / key)
        except OSError:
            if not (
                self.root / key
            ).is_dir():  # else another process was faster, with the same result
                raise
        discard_oldest(self.root, self._max_bytes, spare=key)

    def _sweep(self) -> None:
        """Delete what a killed app left unfinished."""
        for folder in self.root.glob(".*"):
            with contextlib.suppress(OSError):
                if time.time() - folder.stat().st_mtime > _STALE_AFTER_S:
                    shutil.rmtree(folder, ignore_errors=True)


def discard_oldest(root: Path, max_bytes: int, *, spare: str) -> None:
    """Delete the least recently used folders in ``root`` until the rest fits into ``max_bytes``.

    The one called ``spare`` stays whatever its size; hidden ones, still being filled, do not count.
    """
    with contextlib.suppress(FileNotFoundError):  # another process may delete the same one
        folders = [folder for folder in root.iterdir() if not folder.name.startswith(".")]
        folders.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
        total = 0
        for folder in folders:
            total += sum(file.stat().st_size for file in folder.iterdir())
            if total > max_bytes and folder.name != spare:
                _remove(folder)


def _remove(folder: Path) -> None:
    """Delete a folder in such a way that a half-empty one never has its name."""
    hidden = folder.with_name(f".{secrets.token_hex(8)}-old")
    with contextlib.suppress(OSError):
        os.rename(folder, hidden)
    shutil.rmtree(hidden, ignore_errors=True)
