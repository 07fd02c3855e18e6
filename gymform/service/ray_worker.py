"""The cluster's end of an analysis: one of these lives in a process of its own, as a Ray actor.

It shares no disk with the app. A clip comes as bytes and so do the results go, within the messages
that `analysis_worker.py` lists: "done" and the progress of the first answer carry ``files``.
"""

from __future__ import annotations

import queue
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gymform import __version__
from gymform.errors import WorkerError
from gymform.service.analysis_worker import DEFAULT_WORK, FIRST, Work, answer, prepare, resolve
from gymform.timing import Progress
from gymform.weights import manifest_entry

Files = dict[str, bytes]
"""Contents by name, of a folder without subfolders."""

Parcel = dict[str, Any]
"""A job on its way: its id, its request, the files of the ``known`` result that the request names,
and what it ``needs``."""


class Host:
    """Analyses one clip at a time, while other threads fetch its messages and may cancel."""

    def __init__(self, work: str = DEFAULT_WORK) -> None:
        if work == DEFAULT_WORK:
            prepare()
        self._work = resolve(work)
        self._messages: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._cancelled: set[int] = set()

    def work(self, parcel: Parcel, clip: bytes) -> None:
        """Do a job; all that is to be said of it comes through :meth:`messages`."""
        number = parcel["id"]
        with tempfile.TemporaryDirectory(prefix="gymform-") as name:
            folder = Path(name) / "result"

            def send(message: dict[str, Any]) -> None:
                self._messages.put(message | _files_with(message, folder))

            message = {"id": number, "request": parcel["request"], "folder": str(folder)}
            work = _unpacking(self._work, parcel, clip)
            answer(work, message, send, lambda: number in self._cancelled)

    def messages(self, wait_s: float) -> list[dict[str, Any]]:
        """What was said since the last call; waits up to ``wait_s`` for the first message."""
        found = []
        try:
            found.append(self._messages.get(timeout=wait_s))
            while True:
                found.append(self._messages.get_nowait())
        except queue.Empty:
            return found

    def cancel(self, number: int) -> None:
        """Stop job ``number`` at its next progress."""
        self._cancelled.add(number)


def _unpacking(work: Work, parcel: Parcel, clip: bytes) -> Work:
    """``work`` on the parcel's own copies: the clip, and the result to judge again."""

    def unpacked(request: dict[str, Any], folder: Path, progress: Progress) -> None:
        _check(parcel)
        folder.mkdir()
        path = folder.with_name("clip" + Path(request["path"]).suffix)
        path.write_bytes(clip)
        request = request | {"path": str(path)}
        if parcel["known"]:
            request["known"] = str(folder.with_name(Path(request["known"]).name))
            write_files(parcel["known"], Path(request["known"]))
        work(request, folder, progress)

    return unpacked


def parcel_of(number: int, request: Mapping[str, Any]) -> Parcel:
    """A job as it travels, without its clip. Raises WeightsError when a model is missing."""
    known = request.get("known")
    return {
        "id": number,
        "request": dict(request),
        "known": read_files(Path(known)) if known else {},
        "needs": needs_of(request),
    }


def needs_of(request: Mapping[str, Any]) -> dict[str, str]:
    """What must be the same on both machines for the same result: version, models.

    Raises WeightsError when a model is missing.
    """
    return {
        "version of gymform": __version__,
        "pose network": manifest_entry(request["options"]["pose_model"], "pose").sha256,
        "exercise model": manifest_entry(None, "exercise").sha256,
    }


def _check(parcel: Parcel) -> None:
    """Raise WorkerError unless the job finds here what it needs, WeightsError without a model."""
    own = needs_of(parcel["request"])
    for name, expected in parcel["needs"].items():
        if expected != own[name]:
            raise WorkerError(
                f"A machine of the cluster has another {name}: expected {expected[:12]}, got "
                f"{own[name][:12]}. Install the same there as here, with the same models."
            )


def _files_with(message: Mapping[str, Any], folder: Path) -> dict[str, Files]:
    """The files that travel with a message, as its field ``files``."""
    if message["is"] == "done":
        return {"files": read_files(folder)}
    if message["is"] == "progress" and message["stage"] == FIRST:
        return {"files": read_files(folder / FIRST)}
    return {}


def read_files(folder: Path) -> Files:
    """The contents of the files in ``folder``."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def write_files(files: Mapping[str, bytes], folder: Path) -> None:
    """The same files in ``folder``, which is made where it is missing. Raises OSError."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
