"""Uploads and results: deleted, restored, swept by age, never while somebody uses them."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time

import pytest

from gymform import roles
from gymform.dataset.deletion import delete_clip
from gymform.dataset.paths import datasets_dir
from gymform.dataset.reviews import ReviewStore
from gymform.errors import BusyError, GymformError, NotAllowedError, OptionsError
from gymform.in_use import held
from gymform.roles import Role, Visitor
from gymform.service import deletion
from gymform.service.deletion import (
    KEEP_DAYS,
    Swept,
    delete_results,
    keep_days,
    restore_results,
    sweep,
    uploads_dir,
)
from gymform.service.history import History
from gymform.service.result_store import ResultStore
from gymform.storage import data_dir, store_upload
from gymform.weights import sha256_of
from tests.dataset.makers import make_store

MP4 = b"\0\0\0\x18ftypmp42"


@pytest.fixture(name="clip")
def _clip():
    return store_upload(MP4 + b"mine", uploads_dir())


@pytest.fixture(name="store")
def _store(clip):
    """Two results of the clip, and one of another."""
    made = ResultStore()
    for number, sha256 in enumerate((sha256_of(clip), sha256_of(clip), "0" * 64)):
        folder = made.root / f"{number}".rjust(64, "a")
        folder.mkdir()
        text = json.dumps({"clip": {"sha256": sha256, "name": "mine.mp4"}})
        (folder / "clip.json").write_text(text)
    return made


def shown(folder):
    return [one for one in folder.iterdir() if one.name[0] != "."]


# -- deletion and undo -----------------------------------------------------------------------


def test_a_clip_goes_with_all_its_results_and_comes_back(store, clip):
    name = delete_results(store, clip)
    assert not clip.exists()
    assert len(shown(store.root)) == 1
    restore_results(name)
    assert clip.read_bytes() == MP4 + b"mine"
    assert len(store.of_clip(sha256_of(clip))) == 2


def test_the_history_forgets_what_is_deleted_and_knows_it_again(store, clip):
    with contextlib.closing(History.open()) as history:
        keys = sorted(one.name for one in shown(store.root))
        entries = [
            history.add(key, name="mine.mp4", path=clip, options={}, clip_sha256=sha256,
                        owner=owner, summary={"exercise": "squat"})
            for key, sha256, owner in zip(
                keys, (sha256_of(clip), sha256_of(clip), "0" * 64), ("", "login:anna", ""),
                strict=True)
        ]  # fmt: skip
        name = delete_results(store, clip, keys[0], history)
        assert [history.get(one.address) is None for one in entries] == [True, True, False]
        restore_results(name, history)
        assert [history.get(one.address) for one in entries] == entries


def test_results_of_a_clip_that_is_gone_are_deleted_by_its_content(store, clip):
    sha256 = sha256_of(clip)
    clip.unlink()
    delete_results(store, clip, sha256=sha256)
    assert len(shown(store.root)) == 1


def test_a_result_whose_film_is_all_that_is_left_of_its_clip_goes_alone(store):
    """It was imported: nothing says that whoever has it has the clip."""
    mine, *_ = shown(store.root)
    (mine / "proxy.mp4").write_bytes(MP4)
    delete_results(store, mine / "proxy.mp4", mine.name)
    assert not mine.exists()
    assert len(shown(store.root)) == 2


def test_a_sweep_forgets_rows_whose_files_are_gone(store):
    with contextlib.closing(History.open()) as history:
        kept, gone = (
            history.add(key, name="x", path=data_dir() / "x", options={}, clip_sha256="",
                        summary={"exercise": "squat"})
            for key in (shown(store.root)[0].name, "f" * 64)
        )  # fmt: skip
        sweep(data_dir())
        assert history.get(kept.address)
        assert history.get(gone.address) is None


def test_no_other_upload_of_the_clip_is_left(store, clip):
    again = store_upload(MP4 + b"mine", uploads_dir())
    another = store_upload(MP4 + b"hers", uploads_dir())
    name = delete_results(store, clip)
    assert [one / "clip.mp4" for one in shown(uploads_dir())] == [another]
    restore_results(name)
    assert again.exists()
    with held(again.parent):  # somebody else is having it analysed
        delete_results(store, clip)
    assert again.exists()
    assert not clip.exists()


def test_a_clip_that_lies_elsewhere_stays(store, tmp_path):
    path = tmp_path / "mine.mp4"
    path.write_bytes(b"x")
    key = "2".rjust(64, "a")
    delete_results(store, path, key)
    assert path.exists()
    assert store.find(key) is None


def test_a_result_can_be_deleted_when_its_clip_is_gone(store, clip):
    clip.unlink()
    key = "0".rjust(64, "a")
    delete_results(store, clip, key)
    assert store.find(key) is None


def test_a_clip_that_is_analysed_is_not_deleted(store, clip):
    with held(clip.parent), pytest.raises(BusyError, match="being analysed"):
        delete_results(store, clip)
    assert clip.exists()


def test_a_disk_that_refuses_is_said(store, clip, monkeypatch):
    def refusing(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("gymform.trash.os.rename", refusing)
    with pytest.raises(GymformError, match="Read-only"):
        delete_results(store, clip)
    assert clip.exists()


def test_who_may_not_analyse_may_not_delete(store, clip):
    roles.ask_with(lambda: Visitor(Role.NOBODY))
    try:
        with pytest.raises(NotAllowedError):
            delete_results(store, clip)
        with pytest.raises(NotAllowedError):
            restore_results("")
        roles.ask_with(lambda: Visitor(Role.VISITOR))
        restore_results(delete_results(store, clip))
    finally:
        roles.ask_with(None)
    assert clip.exists()


# -- what goes by itself ---------------------------------------------------------------------


def age(path, days):
    then = time.time() - days * 24 * 3600
    os.utime(path, (then, then))


def test_what_is_too_old_goes_unless_it_is_in_use(store, clip, monkeypatch):
    old = store.root / "0".rjust(64, "a")
    for folder in (old, clip.parent):
        age(folder, 8)
    monkeypatch.setenv(KEEP_DAYS, "7")
    with held(clip.parent), held(old):
        assert sweep(data_dir()) == Swept()
    assert clip.exists()
    assert sweep(data_dir()) == Swept(0, 1, 1)
    assert not clip.exists()
    assert not old.exists()
    assert len(store.of_clip("0" * 64)) == 1


def test_nothing_is_too_old_where_no_days_are_set(clip):
    age(clip.parent, 1000)
    assert sweep(data_dir()) == Swept()
    assert clip.exists()


def test_what_a_killed_app_left_goes_after_a_day(clip):
    names = ("import-1", ".0123-old", "import-2", "import-3")
    for name, days in zip(names, (2, 2, 0.5, 2), strict=True):
        (uploads_dir() / name).mkdir()
        age(uploads_dir() / name, days)
    age(clip.parent, 2)
    with held(uploads_dir() / "import-3"):
        sweep(data_dir())
    assert {one.name for one in uploads_dir().iterdir()} == {
        "import-2", "import-3", clip.parent.name
    }  # fmt: skip


def test_clips_deleted_from_data_sets_go_for_good_too():
    folder = make_store(datasets_dir() / "lifts", 2, files=False)
    (datasets_dir() / "broken").mkdir()
    (datasets_dir() / "broken" / "dataset.sqlite").write_text("no database")
    (datasets_dir() / "broken" / ".trash" / "0000000000001-0123456789abcdef").mkdir(parents=True)
    with ReviewStore.open(folder) as opened:
        delete_clip(opened, opened.clips()[0].sha256)
    assert sweep(data_dir()).deletions == 0
    assert sweep(data_dir(), 0.0).deletions == 1
    assert list((folder / ".trash").iterdir()) == []


@pytest.mark.parametrize("text", ["0", "-1", "soon", "nan", "inf"])
def test_days_that_are_none_are_said_after_the_rest_was_done(text, store, clip, monkeypatch):
    monkeypatch.setenv(KEEP_DAYS, text)
    with pytest.raises(OptionsError, match="expected a number of days"):
        keep_days()
    delete_results(store, clip)
    with pytest.raises(OptionsError):
        sweep(data_dir(), 0.0)
    assert list((data_dir() / ".trash").iterdir()) == []


def test_the_app_sweeps_while_it_runs_and_survives_what_goes_wrong(monkeypatch, caplog):
    third, calls = threading.Event(), []

    def failing(home):
        calls.append(home)
        if len(calls) == 3:
            third.set()
        raise OSError("the disk is gone")

    monkeypatch.setattr(deletion, "sweep", failing)
    with deletion.Sweeper(every_s=0.01):
        assert third.wait(10)
    assert set(calls) == {data_dir()}
    assert caplog.text.count("the disk is gone") == 1
