"""Where files go, and how they get there whole: temp file, fsync, rename."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path


def data_dir() -> Path:
    """gymform's own folder for results and fetched weights, made when first asked for.

    ``GYMFORM_HOME`` when set, else ``gymform`` in the XDG data directory.
    """
    home = os.environ.get("GYMFORM_HOME")
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    folder = Path(home).expanduser() if home else Path(base).expanduser() / "gymform"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path beside ``path`` that takes its place when the block ends well.

    The file's bytes and the folder's entry are on disk before the block returns; when it raises,
    nothing is left and an older ``path`` is untouched. The suffix is kept, since writers look
    at it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{secrets.token_hex(8)}{path.suffix}")
    try:
        yield temporary
        _sync(temporary)
        os.replace(temporary, path)
        _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Wait until ``path`` (a file or a folder) is on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
