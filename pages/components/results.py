"""What all pages share about results: the queue that makes them, the history that keeps them."""

from __future__ import annotations

import importlib
import logging
import threading
from pathlib import Path

from gymform.errors import GymformError
from gymform.service import analysis_queue
from gymform.service.analysis_engine import Engine, engine_from
from gymform.service.analysis_queue import Ended, JobQueue, Request
from gymform.service.history import Entry, History
from gymform.service.once import Once
from gymform.service.summary import read_summary

RESULT = "result"
"""The parameter in the address of a page that names a result."""

STOPPED = "The analysis was cancelled, or nobody asked for it for an hour."

_log = logging.getLogger(__name__)


@Once
def history() -> History:
    """The history of this app. Raises GymformError when it cannot be read."""
    return History.open()


@Once
def analysis_engine() -> Engine:
    """What analyses the clips of this app. Raises OptionsError when its settings are invalid."""
    return engine_from()


@Once
def job_queue() -> JobQueue:
    """The one queue of this app, shared by all sessions; it goes on where the last one ended."""
    # Showing a result needs imports that take seconds: start while the first user picks a clip.
    load = threading.Thread(target=importlib.import_module, args=("gymform.analysis",), daemon=True)
    load.start()
    queue = analysis_queue.JobQueue(engine=analysis_engine())
    try:
        queue.store.favourites = history().favourite_keys
        queue.pace_s = history().pace()
        queue.listen(_note, history().begin)
        _take_up(queue)
    except GymformError as error:  # without a history clips are analysed all the same
        _log.warning("%s", error)
    return queue


def _note(ended: Ended) -> None:
    """Keep in the history how a job ended."""
    if ended.folder is not None:
        history().finish(ended.key, read_summary(ended.folder), ended.took_s)
    else:
        history().fail(ended.key, str(ended.error or STOPPED))


def _take_up(queue: JobQueue) -> None:
    """Begin again what was waiting or running when the app ended."""
    for entry in history().unfinished():
        try:
            queue.submit(request_of(entry), f"restart-{entry.address}")
            if folder := queue.store.find(entry.key):  # it was done, but not noted any more
                history().finish(entry.key, read_summary(folder), None)
        except GymformError as error:
            history().fail(entry.key, str(error))


def go_on() -> None:
    """Start the queue if there is anything to go on with; called when the server starts."""
    try:
        waits = history().is_waiting()
    except GymformError as error:
        _log.warning("%s", error)
        return
    if waits:
        job_queue()


def request_of(entry: Entry) -> Request:
    """What was asked for when the row was made."""
    from gymform.analysis_io import options_from_dict

    return Request(Path(entry.path), entry.name, options_from_dict(entry.options))
