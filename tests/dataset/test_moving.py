"""Clips move to another data set with all that belongs to them, or not at all."""

import os
import shutil

import pytest

from gymform.dataset import moving
from gymform.dataset.items import ACCEPTED, GROUP, REJECTED, Copy
from gymform.dataset.moving import move_clips
from gymform.dataset.reviews import ReviewStore
from gymform.errors import BusyError, DatasetError, OptionsError
from gymform.in_use import held
from gymform.trash import Trash
from tests.dataset.makers import clip_record, fill_store, item_of


@pytest.fixture
def store(tmp_path):
    with ReviewStore.open(tmp_path / "set", create=True) as opened:
        clips = fill_store(opened, 4)
        opened.add_copies([Copy(clips[0].sha256, clips[1].sha256, False, 0.9)])
        for clip in clips:
            opened.decide(item_of(clip).id, ACCEPTED, reviewer="Ann")
        opened.decide(item_of(clips[0]).id, REJECTED, reviewer="Ann", comment="dark")
        opened.undo("Ann")
        opened.decide_all([item_of(clip).id for clip in clips[:2]], REJECTED, reviewer="Ben")
        both = [(clip.sha256, {"group": "Zoe"}) for clip in clips[:2]]
        opened.decide_on_clips(GROUP, both, reviewer="Ann")
        yield opened


@pytest.fixture
def target(tmp_path):
    with ReviewStore.open(tmp_path / "other", create=True) as opened:
        clip = clip_record(90)
        opened.add_clip(clip, [item_of(clip)])
        opened.decide(item_of(clip).id, ACCEPTED, reviewer="Carl")
        opened.decide_on_clips(GROUP, [(clip.sha256, {"group": "Yan"})], reviewer="Carl")
        yield opened


def state(store):
    """All that is known of a data set, without the numbers of decisions."""
    files = [
        (path.relative_to(store.folder).as_posix(), path.read_bytes())
        for kind in ("clips", "poses", "proxies", "thumbs")
        for path in sorted((store.folder / kind).glob("*"))
    ]
    judged = [
        (one.item, one.verdict, one.comment, one.reviewer, one.quality) for one in store.judged()
    ]
    return store.clips(), judged, store.copies(), files


def test_there_and_back_all_is_as_before(store, target):
    before, there = state(store), state(target)
    ids = [clip.sha256 for clip in store.clips()[:2]]
    moved = [one for one in before[1] if one[0].clip_sha256 in ids]
    history = [len(store.history(one[0].id)) for one in moved]
    move_clips(store, target, ids)
    assert [clip.sha256 for clip in store.clips()] == [c.sha256 for c in before[0][2:]]
    assert [one for one in state(target)[1] if one[0].clip_sha256 in ids] == moved
    assert [len(target.history(one[0].id)) for one in moved] == history
    assert target.copies() == before[2]
    assert {target.clip(sha256).group for sha256 in ids} == {"Zoe"}
    assert not [path for path in store.folder.rglob("*") if ids[0][:16] in path.name]
    move_clips(target, store, ids)
    assert (state(store), state(target)) == (before, there)


def test_what_was_decided_together_is_undone_together_there_too(store, target):
    ids = [clip.sha256 for clip in store.clips()[:2]]
    move_clips(store, target, ids)
    target.undo("Ben")
    assert {target.get(item_of(clip).id).verdict for clip in map(target.clip, ids)} == {ACCEPTED}
    assert len(target.undo_on_clips(GROUP, reviewer="Ann")) == 2
    assert "Zoe" not in {clip.group for clip in target.clips()}
    assert target.get(item_of(clip_record(90)).id).verdict == ACCEPTED  # Carl's own


def test_a_clip_that_is_there_already_is_left_in_both(store, target):
    clip = store.clips()[2]
    target.add_clip(clip)
    shutil.copytree(store.folder / "clips", target.folder / "clips")
    before, there = state(store), state(target)
    with pytest.raises(DatasetError, match="other already"):
        move_clips(store, target, [one.sha256 for one in store.clips()])
    assert (state(store), state(target)) == (before, there)


def test_a_disk_that_fails_leaves_all_as_it_was(store, target, monkeypatch):
    before, there = state(store), state(target)
    copies, copy = [], moving._copy

    def fail(old, new):
        copies.append(new)
        if len(copies) == 5:
            raise OSError(28, os.strerror(28))
        copy(old, new)

    monkeypatch.setattr(moving, "_copy", fail)
    with pytest.raises(DatasetError, match="No space left"):
        move_clips(store, target, [one.sha256 for one in store.clips()])
    assert len(copies) == 5
    assert (state(store), state(target)) == (before, there)
    assert not Trash(store.folder).names()


@pytest.mark.parametrize("busy", ["set", "other"])
def test_data_sets_in_use_keep_their_clips(store, target, tmp_path, busy):
    before = state(store)
    with held(tmp_path / busy), pytest.raises(BusyError, match="one of the data sets"):
        move_clips(store, target, [store.clips()[0].sha256])
    assert state(store) == before


def test_a_data_set_is_not_moved_into_itself(store):
    with ReviewStore.open(store.folder) as again, pytest.raises(OptionsError, match="already"):
        move_clips(store, again, [store.clips()[0].sha256])
