"""Work in the background of a page: progress, stopping, what went wrong; names of folders."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import pytest

from gymform.dataset.paths import datasets_dir
from gymform.dataset.reviews import ReviewStore
from gymform.errors import BusyError, Cancelled, DatasetError
from gymform.in_use import locked
from gymform.installation import child_environment
from gymform.service import dataset_tasks
from gymform.service.dataset_tasks import (
    EXTRACT,
    IMPORT,
    DatasetTask,
    DatasetTasks,
    dataset_folder,
    extract_in_process,
    plain_file_name,
    resume_extractions,
)
from tests.dataset.makers import clip_record, fill_store


@pytest.fixture(name="store")
def _store(tmp_path):
    with ReviewStore.open(tmp_path / "lifts", create=True) as store:
        fill_store(store, 2, files=False)
        store.add_clip(clip_record(50))
        yield store


def python(code: str) -> list[str]:
    """A command in place of the extraction; it gets ``--jobs 1``."""
    return [sys.executable, "-c", code]


def test_a_task_tells_how_far_it_is_and_what_came_of_it():
    go, told = threading.Event(), threading.Event()

    def work(progress):
        progress("import", 0, 4)
        progress("import", 1, 4)
        told.set()
        go.wait(30)
        return "report"

    task = DatasetTask(IMPORT, work)
    assert told.wait(30)
    assert task.running
    assert task.fraction == 0.25
    assert task.eta_s() >= 0
    go.set()
    task.join(30)
    assert (task.running, task.result, task.error) == (False, "report", None)


def test_a_task_stops_when_it_is_asked_to():
    go = threading.Event()

    def work(progress):
        go.wait(30)
        progress("import", 1, 4)

    task = DatasetTask(IMPORT, work)
    task.stop()
    go.set()
    task.join(30)
    assert isinstance(task.error, Cancelled)


@pytest.mark.parametrize("error", [DatasetError("no"), OSError(28, "No space left"), MemoryError()])
def test_a_task_that_fails_says_why(error):
    def work(progress):
        raise error

    task = DatasetTask(IMPORT, work)
    task.join(30)
    assert isinstance(task.error, DatasetError)
    assert str(task.error)


def test_one_task_at_a_time_in_a_data_set(tmp_path):
    go, tasks = threading.Event(), DatasetTasks()
    first = tasks.start(tmp_path / "a", IMPORT, lambda progress: go.wait(30))
    with pytest.raises(BusyError):
        tasks.start(tmp_path / "a", EXTRACT, lambda progress: None)
    tasks.forget(tmp_path / "a")
    assert tasks.of(tmp_path / "a") is first
    other = tasks.start(tmp_path / "b", EXTRACT, lambda progress: None)
    other.join(30)
    go.set()
    first.join(30)
    tasks.forget(tmp_path / "a")
    assert tasks.of(tmp_path / "a") is None


def test_an_extraction_counts_clips(store):
    heard = []
    extract_in_process(store, lambda *told: heard.append(told), command=python("pass"))
    assert heard[-1] == (EXTRACT, 2, 3)


def test_a_failed_extraction_gives_the_commands_own_words(store):
    code = "import sys; print('gymform: The weights are missing.', file=sys.stderr); sys.exit(1)"
    with pytest.raises(DatasetError, match=r"^The weights are missing\.$"):
        extract_in_process(store, lambda *_: None, command=python(code))


def test_an_extraction_that_dies_is_said_without_a_traceback(store):
    with pytest.raises(DatasetError, match="stopped in the middle"):
        extract_in_process(store, lambda *_: None, command=python("raise SystemError('boom')"))


def test_stopping_an_extraction_ends_its_process(store):
    def stop(*_):
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        extract_in_process(store, stop, command=python("import time; time.sleep(600)"))


def test_an_extraction_that_ends_or_is_stopped_leaves_no_order(store):
    order = store.files.extraction_order

    def look(*_):
        assert json.loads(order.read_text()) == {"jobs": 3}

    extract_in_process(store, look, jobs=3, command=python("pass"))
    assert not order.exists()

    def stop(*_):
        raise Cancelled("enough")

    with pytest.raises(Cancelled):
        extract_in_process(store, stop, command=python("pass"))
    assert not order.exists()
    with pytest.raises(DatasetError):
        extract_in_process(store, lambda *_: None, command=python("raise SystemExit(1)"))
    assert not order.exists()


LEAVES = """
import sys, threading
from pathlib import Path
from gymform.dataset.reviews import ReviewStore
from gymform.service.dataset_tasks import DatasetTask, extract_in_process
store = ReviewStore.open(Path(sys.argv[1]))
at_work = threading.Event()
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
DatasetTask("extract", lambda progress: extract_in_process(
    store, lambda *told: (at_work.set(), progress(*told)), jobs=2, command=sleep))
at_work.wait(30)
"""


def test_an_extraction_goes_on_when_the_app_was_closed_in_the_middle(tmp_path, monkeypatch):
    folder = datasets_dir() / "lifts"
    with ReviewStore.open(folder, create=True) as store:
        store.add_clip(clip_record(50))
    subprocess.run(
        [sys.executable, "-c", LEAVES, str(folder)],
        check=True, timeout=60, env=child_environment(), start_new_session=True,
    )  # fmt: skip
    ran = []
    monkeypatch.setattr(
        dataset_tasks, "_run_extraction", lambda _, __, command, ___: ran.append(command)
    )
    tasks = DatasetTasks()
    assert resume_extractions(tasks) == [folder]
    tasks.of(folder).join(30)
    assert [command[-3:] for command in ran] == [[str(folder), "--jobs", "2"]]
    assert resume_extractions(DatasetTasks()) == []  # it was finished


def test_nothing_is_resumed_where_nothing_waits():
    with ReviewStore.open(datasets_dir() / "lifts", create=True) as store:
        fill_store(store, 2, files=False)
        order = store.files.extraction_order
    order.write_text("{")
    assert resume_extractions(DatasetTasks()) == []
    assert not order.exists()


def test_an_extraction_waits_for_the_one_that_runs_already(store):
    counted = threading.Event()
    with locked(store.files.extraction_lock, ""):
        task = DatasetTask(
            EXTRACT,
            lambda progress: extract_in_process(
                store,
                lambda *told: (counted.set(), progress(*told)),
                command=python(f"open({str(store.folder / 'ran')!r}, 'w')"),
            ),
        )
        assert counted.wait(30)
        assert not (store.folder / "ran").exists()
    task.join(30)
    assert task.error is None
    assert (store.folder / "ran").exists()


@pytest.mark.parametrize("name", ["lifts", "my lifts 2", "a.b-c_d", "Übungen", "x" * 60])
def test_names_of_data_sets(tmp_path, name):
    assert dataset_folder(tmp_path, f" {name} ") == tmp_path / name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "a/b", "a\\b", "/etc", ".hidden", "a\0b", "x" * 61, "a.", "a\nb"],
)
def test_names_that_are_no_plain_folder_names_are_refused(tmp_path, name):
    with pytest.raises(DatasetError, match="letters, digits"):
        dataset_folder(tmp_path, name)


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("squat 01.MP4", "squat 01.mp4"),
        ("../../etc/passwd", "passwd.mp4"),
        ("C:\\videos\\lift.mov", "lift.mov"),
        ("a\0b%d\u202e.mp4", "a_b_d.mp4"),
        ("Dörte 2.mp4", "Dörte 2.mp4"),
        ("..mp4", "clip 7.mp4"),
        ("💪.mp4", "clip 7.mp4"),
        ("no suffix", "no suffix.mp4"),
        ("x" * 5000 + ".mp4", "x" * 60 + ".mp4"),
    ],
)
def test_an_uploads_name_is_never_a_path(name, ours):
    made = plain_file_name(name, 7)
    assert "/" not in made
    assert not made.startswith(".")
    assert made == ours
