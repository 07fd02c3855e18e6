"""What a worker process does in tests instead of analysing: fast, and controlled by the test.

The request's name says what happens; a test lets a job continue by creating the file ``go`` beside
the clip, so that nothing here depends on timing.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

from gymform.errors import NoPersonError
from gymform.service.analysis_worker import FIRST, Progress


def scripted(request: dict[str, Any], folder: Path, progress: Progress) -> None:
    """Do as the first word of the request's name says, and write ``result.txt``."""
    order = request["name"].partition(" ")[0]
    progress("probe", 1, 1)
    if order == "wait":
        _wait_for(Path(request["path"]).parent / "go", progress)
    elif order == "first":  # an answer while the work goes on
        (folder / FIRST).mkdir()
        (folder / FIRST / "answer.txt").write_text("squat")
        progress(FIRST, 1, 1)
        _wait_for(Path(request["path"]).parent / "go", progress)
        shutil.rmtree(folder / FIRST)
    elif order == "hang":  # no progress, no cancelling
        signal.pause()
    elif order == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif order == "nobody":
        raise NoPersonError("Nobody was found in the clip.")
    elif order == "bug":
        raise ZeroDivisionError("a bug")
    elif order == "hungry":
        raise MemoryError
    elif order == "chatty":
        os.write(1, b"a native library prints\n")
    if known := request.get("known"):
        (folder / "known.txt").write_text(Path(known).name)
    (folder / "result.txt").write_text(f"{os.getpid()} {request['name']}")
    (folder / "large.bin").write_bytes(b"\0" * 1000)


def _wait_for(path: Path, progress: Progress) -> None:
    """Report progress until ``path`` is there; a cancelled job leaves through ``progress``."""
    for done in range(10_000):
        if path.exists():
            return
        progress("pose", min(done, 99), 100)
        time.sleep(0.01)
    raise TimeoutError(path.name)
