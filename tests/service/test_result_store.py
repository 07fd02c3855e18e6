"""Results on disk are complete, limited in size, and found only by key."""

import os
import shutil
from pathlib import Path

import pytest

from gymform import limits
from gymform.in_use import held
from gymform.service import result_store
from gymform.service.result_store import ResultStore, discard_oldest, size_of

KEYS = ["a" * 64, "b" * 64, "c" * 64]


def keep(store: ResultStore, key: str, size: int = 100) -> None:
    with store.new_folder(key) as folder:
        (folder / "data").write_bytes(b"x" * size)
        store.keep(key, folder)


def age(store: ResultStore, key: str, seconds: float) -> None:
    path = store.root / key
    stamp = path.stat().st_mtime - seconds
    os.utime(path, (stamp, stamp))


def test_a_result_appears_whole_and_only_when_kept(tmp_path):
    store = ResultStore(tmp_path)
    with store.new_folder(KEYS[0]) as folder:
        (folder / "data").write_text("half")
        assert store.find(KEYS[0]) is None
    assert list(tmp_path.iterdir()) == []
    keep(store, KEYS[0])
    assert store.find(KEYS[0]) == tmp_path / KEYS[0]


def test_a_forgotten_result_is_gone(tmp_path):
    store = ResultStore(tmp_path)
    keep(store, KEYS[0])
    store.forget(KEYS[0])
    store.forget(KEYS[1])
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_nothing(tmp_path):
    store = ResultStore(tmp_path)
    with pytest.raises(FileExistsError), store.new_folder(KEYS[0]) as folder:
        folder.mkdir()
    assert list(tmp_path.iterdir()) == []


def test_the_least_recently_used_goes_first(tmp_path):
    store = ResultStore(tmp_path, max_bytes=250)
    keep(store, KEYS[0])
    keep(store, KEYS[1])
    age(store, KEYS[0], 20)
    age(store, KEYS[1], 10)
    store.find(KEYS[0])  # using it makes it the most recent
    keep(store, KEYS[2])
    assert {path.name for path in tmp_path.iterdir()} == {KEYS[0], KEYS[2]}


def test_the_newest_stays_even_when_it_is_too_large(tmp_path):
    store = ResultStore(tmp_path, max_bytes=10)
    keep(store, KEYS[0])
    assert store.find(KEYS[0])


def test_another_app_was_faster(tmp_path):
    store = ResultStore(tmp_path)
    keep(store, KEYS[0], size=1)
    keep(store, KEYS[0], size=2)
    assert (tmp_path / KEYS[0] / "data").stat().st_size == 1
    assert [path.name for path in tmp_path.iterdir()] == [KEYS[0]]


def test_leftovers_of_a_killed_app_are_swept_after_a_day(tmp_path):
    old, young = tmp_path / ".old", tmp_path / ".young"
    for folder in (old, young):
        folder.mkdir()
    os.utime(old, (0, 0))
    ResultStore(tmp_path)
    assert not old.exists()
    assert young.exists()


@pytest.mark.parametrize("key", ["", "..", "../" + "a" * 61, "A" * 64, "a" * 63])
def test_nothing_but_a_key_becomes_a_path(tmp_path, key):
    with pytest.raises(ValueError, match="hexadecimal"):
        ResultStore(tmp_path).find(key)


def test_the_default_place_is_the_data_folder():
    assert ResultStore().root == Path(os.environ["GYMFORM_HOME"]) / "analyses"


def test_uploads_are_bounded_too_and_folders_being_filled_stay(tmp_path):
    for number, name in enumerate(("old", "new", ".filling")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "clip.mp4").write_bytes(b"x" * 100)
        os.utime(tmp_path / name, (number, number))
    discard_oldest(tmp_path, 150, spare="new")
    assert {path.name for path in tmp_path.iterdir()} == {"new", ".filling"}


def test_what_is_in_use_and_what_lies_about_stays(tmp_path):
    """The oldest are being analysed or imported; somebody's file manager was here, too."""
    for number, name in enumerate(("analysed", "import-1", "old", "new")):
        (tmp_path / name / "person").mkdir(parents=True)
        (tmp_path / name / "person" / "clip.mp4").write_bytes(b"x" * 100)
        os.utime(tmp_path / name, (number, number))
    (tmp_path / "old" / "person" / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / ".DS_Store").write_bytes(b"x" * 1000)
    (tmp_path / "stray.txt").write_bytes(b"x" * 1000)
    assert size_of(tmp_path / "old") == 100
    with held(tmp_path / "analysed"), held(tmp_path / "import-1"):
        discard_oldest(tmp_path, 150, spare="new")
    assert {path.name for path in tmp_path.iterdir()} == {
        "analysed", "import-1", "new", ".DS_Store", "stray.txt"
    }  # fmt: skip
    discard_oldest(tmp_path, 150, spare="new")
    assert {path.name for path in tmp_path.iterdir()} == {"new", ".DS_Store", "stray.txt"}
    discard_oldest(tmp_path / "nowhere", 0, spare="")


def test_what_vanishes_meanwhile_does_no_harm(tmp_path, monkeypatch):
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "data").write_bytes(b"x" * 100)
    listed = result_store.folders_in(tmp_path)
    shutil.rmtree(tmp_path / "b")
    monkeypatch.setattr(result_store, "folders_in", lambda root: listed)
    discard_oldest(tmp_path, 0, spare="c")
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_no_waiting_clip_is_thrown_away():
    most = limits.MAX_UPLOAD_BYTES * (limits.MAX_QUEUED_JOBS + 1)  # one is running
    assert most < limits.MAX_STORED_UPLOAD_BYTES


def test_favourites_make_way_last(tmp_path):
    store = ResultStore(tmp_path, max_bytes=250)
    store.favourites = lambda: {KEYS[0]}
    for number, key in enumerate(KEYS[:2]):
        keep(store, key)
        age(store, key, 100 - 10 * number)
    keep(store, KEYS[2])
    assert store.find(KEYS[0])  # the oldest of all
    assert store.find(KEYS[1]) is None
