"""Files arrive whole or not at all."""

import os
from pathlib import Path

import pytest

from gymform.errors import OptionsError
from gymform.storage import atomic_path, data_dir, expanded


def test_atomic_path_replaces_only_when_the_block_ends_well(tmp_path):
    target = tmp_path / "new" / "result.json"
    with atomic_path(target) as temporary:
        assert temporary.parent == target.parent
        assert temporary.suffix == ".json"
        temporary.write_text("first")
        assert not target.exists()
    assert target.read_text() == "first"
    with atomic_path(target) as temporary:
        temporary.write_text("second")
        assert target.read_text() == "first"
    assert target.read_text() == "second"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_failed_block_leaves_the_older_file_and_nothing_else(tmp_path, error):
    target = tmp_path / "result.json"
    target.write_text("older")

    def write_half() -> None:
        with atomic_path(target) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        write_half()
    assert target.read_text() == "older"
    assert list(tmp_path.iterdir()) == [target]


def test_block_that_writes_nothing_is_an_error_not_an_empty_file(tmp_path):
    target = tmp_path / "result.json"
    with pytest.raises(FileNotFoundError), atomic_path(target):
        pass
    assert list(tmp_path.iterdir()) == []


def test_two_writers_do_not_share_a_temporary_file(tmp_path):
    target = tmp_path / "result.txt"
    with atomic_path(target) as one, atomic_path(target) as two:
        assert one != two
        one.write_text("one")
        two.write_text("two")
    assert target.read_text() == "one"


def test_bytes_and_folder_are_synced_before_return(tmp_path, monkeypatch):
    synced: list[Path] = []
    fsync = os.fsync

    def record(descriptor: int) -> None:
        synced.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", record)
    with atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("a")
    assert synced == [temporary, tmp_path]


def test_data_dir_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("GYMFORM_HOME", str(tmp_path / "mine"))
    assert data_dir() == tmp_path / "mine"
    assert data_dir().is_dir()
    monkeypatch.delenv("GYMFORM_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert data_dir() == tmp_path / "xdg" / "gymform"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_dir() == tmp_path / ".local" / "share" / "gymform"


def test_a_home_that_nobody_has_is_named(monkeypatch):
    assert expanded("~/lifts") == Path.home() / "lifts"
    monkeypatch.setenv("GYMFORM_HOME", "~nobody-of-this-name/x")
    with pytest.raises(OptionsError, match=r"~nobody-of-this-name/x: .*full path"):
        data_dir()
