"""The process that analyses clips for the app: one request at a time, with models kept loaded.

    python -m gymform.service.analysis_worker [MODULE:FUNCTION]

It reads requests from standard input and replies on standard output, one JSON object per line:

    in   {"id": 7, "do": "work", "request": {...}, "folder": "..."}     {"id": 7, "do": "cancel"}
    out  {"id": 7, "is": "progress", "stage": "pose", "done": 3, "total": 90}
         {"id": 7, "is": "done"}  {"id": 7, "is": "cancelled"}
         {"id": 7, "is": "failed", "kind": "NoPersonError", "text": "..."}

It is a process of its own so that a decoder which crashes or uses up all memory takes nothing else
down, and so that an analysis does not slow the pages down. It speaks JSON over pipes rather than
using `multiprocessing`, because Streamlit replaces ``__main__`` by the page's script, which a
spawned child would run again. When the app ends, standard input ends and so does the worker.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import json
import logging
import os
import queue
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from gymform.errors import Cancelled, GymformError
from gymform.timing import Progress
from gymform.video.memory import go_first, memory_limited, memory_of_analysis

if TYPE_CHECKING:
    from gymform.analysis import Analysis, Options

Work = Callable[[dict[str, Any], Path, Progress], None]
"""Fills an empty folder with the results of a request; reports progress, which may raise."""

CLIP_GONE = "The clip is no longer on disk. Please upload it again."
"""What is said of a request whose clip was deleted."""

Send = Callable[[dict[str, Any]], None]
"""Takes one message for the app."""

STEM = "clip"
"""The stem of the files in a result's folder; the clip's own name is used for downloads."""

PROXY = "proxy.mp4"
"""The clip as every browser can play it, with a key frame every few frames for exact stepping."""

PROXY_SIDE = 1280
"""Longer side of that copy, px, at most: no page shows more."""

FIRST = "first"
"""The folder, in that of the result, that holds the first answer until the last one is there; also
the stage that is reported as soon as it does."""

DEFAULT_WORK = "gymform.service.analysis_worker:analyse_clip"
_PROGRESS_INTERVAL_S = 0.1

_log = logging.getLogger(__name__)


def analyse_clip(request: dict[str, Any], folder: Path, progress: Progress) -> None:
    """Analyse the clip of a request and save everything that the page shows."""
    # Imported here, not above: the app also imports this module, and should not wait for PyTorch.
    from gymform.analysis import analyze
    from gymform.analysis_io import options_from_dict, save
    from gymform.service.summary import write_summary
    from gymform.video.write import transcode

    path, name = Path(request["path"]), request["name"]
    options = options_from_dict(request["options"])
    if "known" in request and judge_again(Path(request["known"]), path, folder, options):
        progress("classify", 1, 1)
        return

    def first(answer: Analysis) -> None:
        (folder / FIRST).mkdir()
        save(answer, path, folder / FIRST, stem=STEM, video=False)
        write_summary(answer, folder / FIRST, path, turn=answer.pose.provenance.turn)
        progress(FIRST, 1, 1)

    result = analyze(path, options, name=name, progress=progress, on_first=first)
    shutil.rmtree(folder / FIRST, ignore_errors=True)
    total = len(result.pose)
    with memory_limited(memory_of_analysis(*result.pose.image_size)):
        save(result, path, folder, stem=STEM, video=False)
        transcode(
            path,
            folder / PROXY,
            max_side=PROXY_SIDE,
            turn=result.pose.provenance.turn,
            progress=lambda done: progress("proxy", min(done, total), total),
        )
        write_summary(result, folder, folder / PROXY)


def judge_again(known: Path, source: Path, folder: Path, options: Options) -> bool:
    """Fill ``folder`` with the result in ``known``, judged by the exercise model in use now, and
    with the bar that the ``options`` ask for.

    Its keypoints are taken as they are, which makes seconds of minutes. False, and nothing is left
    in the folder, when the result cannot be read or the disk refuses.
    """
    from gymform.analysis import judge, with_its_bar
    from gymform.analysis_io import load, save
    from gymform.exercise.classifier import load_classifier
    from gymform.service.summary import write_summary

    try:
        before = load(known, STEM)
        classifier = load_classifier()
        tracks, quality, prediction, form = judge(before.pose, classifier, before.slow_motion)
        result = dataclasses.replace(
            before, tracks=tracks, quality=quality, prediction=prediction, form=form
        )
        result = with_its_bar(source, result, options)
        _link(known / PROXY, folder / PROXY)
        save(result, source, folder, stem=STEM, video=False)
        write_summary(result, folder, folder / PROXY)
    except (GymformError, OSError) as error:
        _log.warning("a known result is analysed anew: %s", type(error).__name__)
        for path in folder.iterdir():
            path.unlink()
        return False
    return True


def _link(old: Path, new: Path) -> None:
    """The same file under another name; a copy where the file system has no links."""
    try:
        os.link(old, new)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(old, new)


def annotated_video(result: Analysis, folder: Path) -> Path:
    """The annotated video of the ``result`` in ``folder``; drawn now, unless it was before.

    It is drawn into the browser's copy of the clip. Raises the kinds of VideoError.
    """
    from gymform.analysis_io import Artifacts, draw_copy

    path = Artifacts.of(folder, STEM).overlay
    if not path.is_file():
        draw_copy(result, folder / PROXY, path)
    return path


def serve(work: Work, requests: TextIO, replies: TextIO) -> None:
    """Handle the requests, one per line, until they end, and write what happens to ``replies``."""
    inbox = _Inbox(requests)

    def send(message: dict[str, Any]) -> None:
        replies.write(json.dumps(message) + "\n")
        replies.flush()

    while True:
        message = inbox.next_request()
        answer(work, message, send, functools.partial(inbox.is_cancelled, message["id"]))


def answer(
    work: Work, message: dict[str, Any], send: Send, is_cancelled: Callable[[], bool]
) -> None:
    """Have ``work`` fill the folder that the message names, and send what happens; raises nothing.

    ``is_cancelled`` is asked at each progress.
    """
    reply = _Replies(send, message["id"])
    try:
        work(message["request"], Path(message["folder"]), reply.progress_until(is_cancelled))
    except Cancelled:
        reply.send("cancelled")
    except GymformError as error:
        reply.send("failed", kind=type(error).__name__, text=str(error))
    except MemoryError:
        text = "There is not enough memory for this clip. Try a shorter or smaller one."
        reply.send("failed", kind="WorkerError", text=text)
    except Exception as error:  # noqa: BLE001 - whatever it is, the next clip needs a worker
        _log.exception("the analysis failed")
        text = (
            f"The analysis met an unexpected problem ({type(error).__name__}). "
            "Try again, or try another clip; the details are in the app's log."
        )
        reply.send("failed", kind="WorkerError", text=text)
    else:
        reply.send("done")


class _Inbox:
    """Requests in order, and which of them were cancelled in the meantime."""

    def __init__(self, lines: TextIO) -> None:
        self._requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        threading.Thread(target=self._read, args=(lines,), daemon=True).start()

    def next_request(self) -> dict[str, Any]:
        """The next request; waits for it."""
        return self._requests.get()

    def is_cancelled(self, number: int) -> bool:
        return number in self._cancelled

    def _read(self, lines: TextIO) -> None:
        try:
            for line in lines:
                message = json.loads(line)
                if message["do"] == "cancel":
                    self._cancelled.add(message["id"])
                else:
                    self._requests.put(message)
        except (ValueError, TypeError, KeyError):  # deaf, it would wait for ever
            _log.exception("what came is no request")
            os._exit(1)
        # The app is gone: stop at once, even in the middle of a clip.
        os._exit(0)


class _Replies:
    """Messages about one request."""

    def __init__(self, send: Send, number: int) -> None:
        self._send = send
        self._number = number

    def send(self, what: str, **fields: Any) -> None:
        self._send({"id": self._number, "is": what, **fields})

    def progress_until(self, is_cancelled: Callable[[], bool]) -> Progress:
        """A progress callback that sends at intervals, and raises Cancelled when the request is."""
        last: tuple[str, float] = ("", 0.0)

        def progress(stage: str, done: int, total: int) -> None:
            nonlocal last
            if is_cancelled():
                raise Cancelled("The analysis was cancelled.")
            now = time.monotonic()
            if stage != last[0] or done >= total or now - last[1] >= _PROGRESS_INTERVAL_S:
                last = (stage, now)
                self.send("progress", stage=stage, done=done, total=total)

        return progress


def resolve(name: str) -> Work:
    """The function that ``module:function`` names."""
    module, _, function = name.partition(":")
    work: Work = getattr(importlib.import_module(module), function)
    return work


def prepare() -> None:
    """Load what takes seconds before the first clip comes; at the very first start of all, measure
    what computes poses fastest here."""
    networks = importlib.import_module("gymform.pose.networks")
    importlib.import_module("gymform.analysis")
    try:
        networks.load_estimators()
    except GymformError as error:
        _log.warning("the pose network could not be loaded yet: %s", error)


def main() -> None:
    """Serve standard input and output until the app closes them."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C is for the app, which then stops this process
    go_first()
    # Native libraries may print to descriptor 1: point it to standard error instead.
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    name = sys.argv[1] if len(sys.argv) > 1 else DEFAULT_WORK
    if name == DEFAULT_WORK:
        prepare()
    serve(resolve(name), requests, replies)


if __name__ == "__main__":
    main()
