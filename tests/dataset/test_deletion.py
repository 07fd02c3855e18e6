"""A clip leaves a data set with all that came of it, and comes back as it was."""

import contextlib
import dataclasses
import sqlite3

import numpy as np
import pytest

from gymform import trash
from gymform.dataset import deletion
from gymform.dataset.clips import import_clips
from gymform.dataset.deletion import delete_clip, restore_clip, sweep_trash
from gymform.dataset.duplicates import SIDE
from gymform.dataset.export import export
from gymform.dataset.extraction import extract
from gymform.dataset.items import ACCEPTED, REJECTED, Copy
from gymform.dataset.reviews import ReviewStore
from gymform.errors import BusyError, Cancelled, DatasetError, OptionsError
from gymform.in_use import held, is_held
from gymform.trash import UNDO_S, Trash
from tests.dataset.makers import clip_record, fill_store, item_of


@pytest.fixture
def store(tmp_path):
    with ReviewStore.open(tmp_path / "set", create=True) as opened:
        clips = fill_store(opened, 3)
        opened.add_copies([Copy(clips[0].sha256, clips[1].sha256, False, 0.9)])
        for clip in clips[:2]:
            item = item_of(clip).id
            opened.decide(item, ACCEPTED, reviewer="Ann")
            opened.decide(item, REJECTED, reviewer="Ann", comment="dark")
            opened.undo("Ann")
        yield opened


def everything(store):
    clips = store.clips()
    return (
        clips,
        store.judged(),
        store.copies(),
        store.fingerprints(),
        [store.history(one.item.id) for one in store.judged()],
        sorted(
            (path.relative_to(store.folder).as_posix(), path.read_bytes())
            for kind in ("clips", "poses", "proxies", "thumbs")
            for path in (store.folder / kind).iterdir()
        ),
    )


def traces(store, clip):
    """Names of files that speak of a clip, the trash apart."""
    return [
        path
        for path in store.folder.rglob("*")
        if clip.sha256[:16] in path.name and ".trash" not in path.parts
    ]


def test_it_goes_with_everything_and_comes_back_as_it_was(store):
    clip, before = store.clips()[0], everything(store)
    assert traces(store, clip)
    name = delete_clip(store, clip.sha256)
    assert traces(store, clip) == []
    assert clip not in store.clips()
    assert all(one.item.clip_sha256 != clip.sha256 for one in store.judged())
    assert store.copies() == []
    restore_clip(store, name)
    assert everything(store) == before


def test_the_others_stay_and_decisions_are_still_only_added(store):
    first, second, _ = store.clips()
    delete_clip(store, first.sha256)
    assert store.get(item_of(second).id).verdict == ACCEPTED
    with (
        contextlib.closing(sqlite3.connect(store.files.store)) as db,
        pytest.raises(sqlite3.IntegrityError, match="only ever added"),
    ):
        db.execute("DELETE FROM decisions")
    assert store.history(item_of(second).id)


def test_after_the_sweep_it_is_gone_for_good(store):
    name = delete_clip(store, store.clips()[0].sha256)
    assert sweep_trash(store) == 0
    assert sweep_trash(store, older_than_s=0.0) == 1
    with pytest.raises(OptionsError, match="too late"):
        restore_clip(store, name)


def test_it_is_not_deleted_while_the_data_set_is_in_use(store):
    clip = store.clips()[0]
    with held(store.folder), pytest.raises(BusyError, match="is using this data set"):
        delete_clip(store, clip.sha256)
    assert clip in store.clips()
    delete_clip(store, clip.sha256)


def test_an_unknown_clip_is_said(store):
    with pytest.raises(DatasetError, match="no clip"):
        delete_clip(store, "0" * 64)


def test_a_deletion_that_the_store_refuses_changes_nothing(store, monkeypatch):
    before = everything(store)
    monkeypatch.setattr("gymform.dataset.reviews._REMAIN", "CREATE NONSENSE")
    with pytest.raises(DatasetError):
        delete_clip(store, store.clips()[0].sha256)
    assert everything(store) == before
    assert Trash(store.folder).names() == []


def test_a_deletion_that_was_killed_before_it_counted_is_taken_back(store):
    """The files have moved, the transaction never ended: the sweep brings them back."""
    before, clip = everything(store), store.clips()[0]
    rows = {"clips": [{"sha256": clip.sha256, "imported_at": clip.imported_at}]}
    Trash(store.folder).put([store.files.clip(clip), store.files.poses(clip.sha256)], rows)
    assert deletion.sweep_trash(store, older_than_s=0.0) == 0
    assert everything(store) == before


def test_when_it_was_imported_again_the_old_one_stays_deleted(store):
    clip = store.clips()[0]
    name = delete_clip(store, clip.sha256)
    assert store.add_clip(dataclasses.replace(clip, imported_at="2026-02-02T00:00:00+00:00"))
    with pytest.raises(DatasetError, match="imported again"):
        restore_clip(store, name)
    assert sweep_trash(store) == 0
    assert not store.files.poses(clip.sha256).exists()
    assert store.items_of(clip.sha256) == []


def test_after_a_minute_it_cannot_be_restored(store, monkeypatch):
    name = delete_clip(store, store.clips()[0].sha256)
    now = trash.time.time()
    monkeypatch.setattr(trash.time, "time", lambda: now + UNDO_S + 1)
    with pytest.raises(OptionsError, match="too late"):
        restore_clip(store, name)
    assert len(store.clips()) == 2


def test_a_disk_that_refuses_is_said_and_nothing_changes(store, monkeypatch):
    before = everything(store)

    def refusing(*_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("gymform.trash.os.rename", refusing)
    with pytest.raises(DatasetError, match="Read-only"):
        delete_clip(store, store.clips()[0].sha256)
    assert everything(store) == before


def test_decoded_frames_of_trainings_go_too(store):
    clip, other = store.clips()[:2]
    files = store.files
    gone, kept = files.frames(clip.sha256, "k"), files.frames(other.sha256, "k")
    unnamed = gone.with_name("0123abcd.npz")  # as they were once called: of any clip
    gone.parent.mkdir()
    for path in (gone, kept, unnamed):
        path.touch()
    name = delete_clip(store, clip.sha256)
    assert list(gone.parent.iterdir()) == [kept]
    restore_clip(store, name)
    assert gone.exists()


def test_copies_are_linked_again_in_whatever_order_they_are_restored(store):
    """They must not be in two parts of a split, whichever of them was deleted first."""
    clips = [clip_record(number) for number in (7, 8)]
    picture = np.random.default_rng(0).integers(0, 255, 36 * SIDE * SIDE, np.uint8).tobytes()
    for clip in clips:
        store.add_clip(clip, fingerprint=picture)
    store.add_copies([Copy(clips[0].sha256, clips[1].sha256, False, 1.0)])
    first, second = (delete_clip(store, clip.sha256) for clip in clips)
    restore_clip(store, first)
    restore_clip(store, second)
    pairs = [{copy.clip, copy.of} for copy in store.copies()]
    assert {clip.sha256 for clip in clips} in pairs


def test_what_is_used_by_a_command_is_not_deleted(store, monkeypatch):
    """Import, extraction and export hold the data set while they run."""
    seen = []

    def look(*_: object, **__: object) -> None:
        seen.append(is_held(store.folder))
        raise Cancelled("seen")

    monkeypatch.setattr("gymform.dataset.clips.find_clips", look)
    monkeypatch.setattr(ReviewStore, "judged", look)
    monkeypatch.setattr(ReviewStore, "clips", look)
    for work in (
        lambda: import_clips(store.folder, store),
        lambda: extract(store),
        lambda: export(store, store.folder / "out.jsonl"),
    ):
        with pytest.raises(Cancelled):
            work()
    assert seen == [True] * 3
