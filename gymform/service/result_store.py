"""Finished analyses on disk: one complete folder per key, the least recently used deleted."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from gymform import limits
from gymform.errors import BusyError
from gymform.in_use import alone
from gymform.service.analysis_worker import STEM
from gymform.storage import data_dir

_KEY = re.compile(r"[0-9a-f]{64}")

POSE_KEY = "poses.key"
"""The file in a result's folder that says what its keypoints depend on."""

DAY_S = 24 * 3600.0

IMPORT_PREFIX = "import-"
"""Uploads that are being imported into a data set lie in a folder with such a name."""


class ResultStore:
    """Folders of results under ``root``, by default ``data_dir()/analyses``.

    A folder is renamed to its key after everything in it was written. Unfinished ones have hidden
    names and are deleted when they are a day old.
    """

    def __init__(self, root: Path | None = None, max_bytes: int = limits.MAX_RESULT_BYTES) -> None:
        self.root = root or data_dir() / "analyses"
        self.root.mkdir(parents=True, exist_ok=True)
        self._max_bytes = max_bytes
        self.favourites: Callable[[], Collection[str]] = tuple
        """Gives the keys of results that make way last when space is short."""
        discard_unfinished(self.root)

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
        discard_oldest(self.root, self._max_bytes, spare=key, last=self.favourites())

    def mark_poses(self, folder: Path, pose_key: str) -> None:
        """Note in a filled folder what its keypoints depend on, for :meth:`with_poses`."""
        (folder / POSE_KEY).write_text(pose_key, encoding="utf-8")

    def with_poses(self, pose_key: str) -> Path | None:
        """The folder of a result with these keypoints, whatever model judged them; None without."""
        for folder in folders_in(self.root):
            with contextlib.suppress(OSError, ValueError):
                if (folder / POSE_KEY).read_text(encoding="utf-8") == pose_key:
                    return folder
        return None

    def of_clip(self, clip_sha256: str) -> list[Path]:
        """The folders of all results of one clip, whatever the options were."""
        return [
            folder for folder in self.root.iterdir()
            if _KEY.fullmatch(folder.name) and clip_of(folder)[0] == clip_sha256
        ]  # fmt: skip


def clip_of(folder: Path) -> tuple[str, str]:
    """The sha256 and the name of a result's clip; "" where they cannot be read."""
    try:
        clip = json.loads((folder / f"{STEM}.json").read_text(encoding="utf-8"))["clip"]
        return str(clip["sha256"]), str(clip["name"])
    except (OSError, ValueError, KeyError, TypeError):
        return "", ""


def folders_in(root: Path) -> list[Path]:
    """The finished folders in ``root`` by name: none that are hidden, and no files that lie about.

    Empty when there is no ``root``.
    """
    with contextlib.suppress(OSError):
        return sorted(one for one in root.iterdir() if one.name[0] != "." and one.is_dir())
    return []


def discard_oldest(root: Path, max_bytes: int, *, spare: str, last: Collection[str] = ()) -> None:
    """Delete the least recently used folders in ``root`` until the rest fits into ``max_bytes``.

    The one called ``spare`` stays whatever its size, and so does what is in use; those called as in
    ``last`` go after all others. Hidden ones, still being filled, and files that lie about are
    neither counted nor deleted.
    """
    total = 0
    by_use = sorted(folders_in(root), key=last_used, reverse=True)
    for folder in sorted(by_use, key=lambda one: one.name not in last):
        total += size_of(folder)
        if total > max_bytes and folder.name != spare:
            discard(folder)


def discard_unused(root: Path, days: float) -> int:
    """Delete the folders in ``root`` that nobody has used for ``days``; how many these were."""
    limit = time.time() - days * DAY_S
    return sum(discard(folder) for folder in folders_in(root) if last_used(folder) < limit)


def discard_unfinished(root: Path) -> None:
    """Delete what a killed app left in ``root`` a day ago or earlier: hidden folders, imports."""
    for folder in (*root.glob(".*"), *root.glob(f"{IMPORT_PREFIX}*")):
        if folder.is_dir() and last_used(folder) < time.time() - DAY_S:
            discard(folder)


def discard(folder: Path) -> bool:
    """Delete a folder unless somebody is using it; whether it was deleted."""
    try:
        with alone(folder, "in use"):
            return _remove(folder)
    except (BusyError, OSError):
        return False


def last_used(folder: Path) -> float:
    """When a folder was last changed or marked as used; 0 for one that is gone."""
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0


def size_of(folder: Path) -> int:
    """Bytes of all files below ``folder``; what vanishes meanwhile does not count."""
    total = 0
    for file in folder.rglob("*"):
        with contextlib.suppress(OSError):
            status = file.lstat()
            total += status.st_size if stat.S_ISREG(status.st_mode) else 0
    return total


def _remove(folder: Path) -> bool:
    """Delete a folder in such a way that a half-empty one never has its name."""
    hidden = folder.with_name(f".{secrets.token_hex(8)}-old")
    try:
        os.rename(folder, hidden)
    except OSError:
        return False
    shutil.rmtree(hidden, ignore_errors=True)
    return True
