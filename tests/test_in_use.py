"""What somebody is using is known to everybody, and to nobody any more when they end."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from gymform.errors import BusyError
from gymform.in_use import alone, held, hold, holds, is_held, is_locked, locked, release


def test_a_folder_is_held_by_many_and_deleted_by_none_of_them(tmp_path):
    assert not is_held(tmp_path)
    with held(tmp_path), held(tmp_path):
        assert is_held(tmp_path)
        with pytest.raises(BusyError, match="later"), alone(tmp_path, "later"):
            pass
    with alone(tmp_path, "later"):
        assert hold(tmp_path) is None
    assert not is_held(tmp_path)


def test_a_folder_that_is_not_there_is_not_held(tmp_path):
    assert hold(tmp_path / "gone") is None
    release(None)
    with held(tmp_path / "gone"):
        assert not is_held(tmp_path / "gone")
    with pytest.raises(FileNotFoundError), alone(tmp_path / "gone", ""):
        pass


@dataclass
class Store:
    folder: Path


def test_a_function_holds_its_data_set_however_it_is_called(tmp_path):
    @holds("store")
    def work(number: int, store: Store, fail: bool = False) -> bool:
        if fail:
            raise ValueError
        return is_held(store.folder)

    assert work(1, Store(tmp_path))
    assert work(1, store=Store(tmp_path))
    with pytest.raises(ValueError):  # noqa: PT011 - it is raised above
        work(1, Store(tmp_path), fail=True)
    assert not is_held(tmp_path)


HOLD = """
import sys; from pathlib import Path; from gymform.in_use import hold
hold(Path(sys.argv[1])); print("held", flush=True); input()
"""


def test_a_killed_process_holds_nothing(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"held\n"
        assert is_held(tmp_path)
        process.kill()
    assert not is_held(tmp_path)


def test_a_child_that_lives_on_holds_nothing(tmp_path):
    """A descriptor that a child inherited keeps no lock that its parent has given up."""
    descriptor = hold(tmp_path)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[descriptor]) as child:
        release(descriptor)
        assert not is_held(tmp_path)
        child.kill()


def test_a_lock_on_a_file_is_one_process_s_alone(tmp_path):
    file = tmp_path / "lock"
    assert not is_locked(file)
    assert not file.exists()
    with locked(file, "later"):
        assert is_locked(file)
        with pytest.raises(BusyError, match="later"), locked(file, "later"):
            pass
    assert not is_locked(file)
