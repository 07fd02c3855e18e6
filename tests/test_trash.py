"""Deleted files come back for a minute."""

import pytest

from gymform import trash as tr
from gymform.errors import OptionsError
from gymform.trash import FOR_GOOD_S, UNDO_S, Trash


@pytest.fixture
def files(tmp_path):
    (tmp_path / "results" / "one").mkdir(parents=True)
    (tmp_path / "results" / "one" / "clip.json").write_text("{}")
    (tmp_path / "clip.mp4").write_bytes(b"clip")
    return [tmp_path / "results" / "one", tmp_path / "gone.mp4", tmp_path / "clip.mp4"]


def test_what_was_deleted_comes_back_whole(tmp_path, files):
    trash = Trash(tmp_path)
    name = trash.put(files, {"about": "x"})
    assert not any(path.exists() for path in files)
    assert trash.details(name) == {"about": "x"}
    trash.restore(name)
    assert (files[0] / "clip.json").read_text() == "{}"
    assert files[2].read_bytes() == b"clip"
    assert trash.names() == []


@pytest.mark.parametrize("seconds", [UNDO_S + 1, FOR_GOOD_S + 1])
def test_after_a_minute_it_is_gone_for_good(tmp_path, files, monkeypatch, seconds):
    """First it can no longer be restored, and only then it is deleted: never both at once."""
    trash = Trash(tmp_path)
    name = trash.put(files, {})
    assert trash.sweep() == 0
    now = tr.time.time()
    monkeypatch.setattr(tr.time, "time", lambda: now + seconds)
    with pytest.raises(OptionsError, match="too late"):
        trash.restore(name)
    assert trash.sweep() == (seconds > FOR_GOOD_S)
    assert len(trash.names()) == (seconds <= FOR_GOOD_S)


def test_what_is_there_again_stays_as_it_is(tmp_path, files):
    trash = Trash(tmp_path)
    name = trash.put(files, {})
    files[2].write_bytes(b"new")
    trash.restore(name)
    assert files[2].read_bytes() == b"new"
    assert files[0].is_dir()


def test_a_full_disk_leaves_everything_where_it_is(tmp_path, files, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tr.Path, "write_text", full)
    with pytest.raises(OSError, match="No space"):
        Trash(tmp_path).put(files, {})
    assert files[2].exists()
    assert Trash(tmp_path).names() == []


def test_an_entry_that_cannot_be_read_is_swept(tmp_path, files):
    trash = Trash(tmp_path)
    name = trash.put(files, {})
    (tmp_path / ".trash" / name / "entry.json").write_text("{")
    assert trash.details(name) == {}
    with pytest.raises(OptionsError):
        trash.restore(name)
    assert trash.sweep(0.0) == 1


def test_a_move_that_fails_moves_nothing(tmp_path, files, monkeypatch):
    trash = Trash(tmp_path)
    rename = tr.os.rename

    def failing(source, target):
        if source == files[2]:
            raise OSError(28, "No space left on device")
        rename(source, target)

    monkeypatch.setattr(tr.os, "rename", failing)
    with pytest.raises(OSError, match="No space"):
        trash.put(files, {})
    assert (files[0] / "clip.json").exists()
    assert files[2].exists()
    assert trash.names() == []


@pytest.mark.parametrize("name", ["", "..", "../..", "1-2", "0" * 13 + "-" + "g" * 16])
def test_only_entries_can_be_restored(tmp_path, files, name):
    with pytest.raises(OptionsError):
        Trash(tmp_path).restore(name)
    Trash(tmp_path).remove(name)
    assert files[2].exists()
