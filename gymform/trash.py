"""What is deleted lies in a folder ``.trash`` for a minute, so that it can be restored.

A deletion moves whole files and folders within their file system; nothing is copied.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import secrets
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gymform.errors import OptionsError
from gymform.storage import atomic_path

UNDO_S = 60.0
"""How long a deletion can be undone, seconds."""

FOR_GOOD_S = UNDO_S + 10.0
"""When it is final, seconds after it: an undo in the last moment still ends before that."""

_ENTRY = re.compile(r"(\d{13})-[0-9a-f]{16}")


class Trash:
    """What was deleted below ``folder``; each deletion is an entry with a name of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / ".trash"

    def put(self, paths: Sequence[Path], details: Mapping[str, Any]) -> str:
        """Move ``paths`` here, with ``details`` to come back with them; the entry's name.

        Paths that do not exist are passed over. Raises OSError, and nothing has then moved.
        """
        name = f"{time.time_ns() // 1_000_000:013d}-{secrets.token_hex(8)}"
        entry = self._folder / name
        written = {"paths": [str(path.absolute()) for path in paths], "details": dict(details)}
        try:
            with atomic_path(entry / "entry.json") as temporary:
                temporary.write_text(json.dumps(written), encoding="utf-8")
            for number, path in enumerate(paths):
                with contextlib.suppress(FileNotFoundError):
                    os.rename(path, entry / str(number))
        except OSError:
            self.take_back(name)
            raise
        return name

    def details(self, name: str) -> dict[str, Any]:
        """What :meth:`put` was given; {} when the entry is gone or cannot be read."""
        read = self._read(name)
        return dict(read["details"]) if read else {}

    def check(self, name: str) -> None:
        """Raise OptionsError unless the entry can still be restored."""
        if self._read(name) is None or self._age_s(name) > UNDO_S:
            raise OptionsError(
                f"It is too late: what was deleted can be restored for {UNDO_S:.0f} seconds."
            )

    def restore(self, name: str) -> None:
        """Move everything back. Raises OptionsError when it is too late."""
        self.check(name)
        self.take_back(name)

    def take_back(self, name: str) -> None:
        """Move everything back, however old the entry is: its deletion was never finished.

        What is there again stays as it is; an entry that cannot be read any more is removed.
        """
        if not _ENTRY.fullmatch(name):
            return
        entry, read = self._folder / name, self._read(name)
        for number, path in enumerate(map(Path, read["paths"] if read else ())):
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                with contextlib.suppress(FileNotFoundError):
                    os.rename(entry / str(number), path)
        self.remove(name)

    def remove(self, name: str) -> None:
        """Delete an entry for good at once."""
        if _ENTRY.fullmatch(name):
            shutil.rmtree(self._folder / name, ignore_errors=True)

    def names(self) -> list[str]:
        """All entries, the oldest first."""
        try:
            return sorted(one.name for one in self._folder.iterdir() if _ENTRY.fullmatch(one.name))
        except OSError:
            return []

    def sweep(self, older_than_s: float = FOR_GOOD_S) -> int:
        """Delete the entries of at least ``older_than_s`` for good; how many these were."""
        old = [name for name in self.names() if self._age_s(name) >= older_than_s]
        for name in old:
            self.remove(name)
        return len(old)

    @staticmethod
    def _age_s(name: str) -> float:
        return time.time() - int(name[:13]) / 1000 if _ENTRY.fullmatch(name) else math.inf

    def _read(self, name: str) -> dict[str, Any] | None:
        if not _ENTRY.fullmatch(name):
            return None
        try:
            read: dict[str, Any] = json.loads((self._folder / name / "entry.json").read_text())
        except (OSError, ValueError):
            return None
        return read
