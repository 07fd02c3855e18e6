"""Full disks, read-only homes, names that are too long: words for the user, no traceback."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from safetensors.torch import save_file

from gymform import cli
from gymform.analysis_io import Artifacts
from gymform.dataset.reviews import ReviewStore
from gymform.storage import disk_problem
from tests import made_runs
from tests.dataset import fake_poses
from tests.dataset.makers import clip_record, write_scene
from tests.pose.layouts import official, small_network

SIZE = 4 * 1024 * 1024
ROOMS = (0, 50_000)
"""Bytes that are left on a full disk: a command cannot even begin, or runs out of space."""


@pytest.fixture(name="disk", scope="module")
def _disk(tmp_path_factory) -> Iterator[Path]:
    """A small file system of its own."""
    place = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a file system can only be mounted by root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.fixture(name="home")
def _home(disk, monkeypatch, tmp_path) -> Iterator[Path]:
    """gymform's folder on that disk, with a data set to train on and a clip to extract."""
    home = disk / "home"
    dataset = made_runs.make_learnable(home / "datasets" / "clips", 3, 2)
    with ReviewStore.open(dataset) as store:
        store.add_clip(clip_record(99))
        write_scene(store.files.clip(clip_record(99)), 1, end_s=1.0)
    monkeypatch.setenv("GYMFORM_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    yield home
    shutil.rmtree(home)


@pytest.fixture(name="fill")
def _fill(home, disk) -> Iterator[Callable[[int], None]]:
    """Fills the disk but for so many bytes."""
    filler = disk / "filler"

    def fill(room: int) -> None:
        with filler.open("wb", buffering=0) as stream:
            with contextlib.suppress(OSError):
                while True:
                    stream.write(bytes(4096))
            stream.truncate(max(0, stream.tell() - room))

    yield fill
    filler.unlink(missing_ok=True)


@pytest.fixture(name="read_only")
def _read_only(home, disk) -> Iterator[Path]:
    """A home that cannot be written, not even by root."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    yield home
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)


@pytest.fixture(name="nowhere")
def _nowhere(tmp_path, monkeypatch) -> Path:
    """A home that cannot be made: a file is in the way."""
    (tmp_path / "file").write_text("here")
    monkeypatch.setenv("GYMFORM_HOME", str(tmp_path / "file" / "home"))
    return tmp_path


@pytest.fixture(name="clips", scope="module")
def _clips(tmp_path_factory) -> Path:
    """A clip to import or analyse, and a checkpoint to convert."""
    folder = tmp_path_factory.mktemp("clips")
    (folder / "squat").mkdir()
    write_scene(folder / "squat" / "a.mp4", 1, end_s=2.0)
    with (folder / "squat" / "a.mp4").open("ab") as stream:  # a box that nobody reads
        stream.write((200_000).to_bytes(4, "big") + b"free" + bytes(199_992))
    save_file(official(small_network()), folder / "network.safetensors")
    return folder


WRITING = ("import", "extract", "export", "train", "weights convert")
"""These write into the home; the others only read."""


def commands(clips: Path, home: Path) -> dict[str, list[str]]:
    """Every command that uses the home, with enough to do that it would write."""
    return {
        "import": ["import", str(clips), "--exercise", "squat"],
        "extract": ["extract"],
        "export": ["export", "--to", str(home / "out" / "manifest.jsonl")],
        "train": ["train", "clips", "--model", "gru", "--steps", "2", "--folds", "1",
                  "--width", "4", "--views", "2"],
        "weights convert": ["weights", "convert", str(clips / "network.safetensors"),
                            "--heads", "2"],
        "evaluate": ["evaluate", "clips"],
        "weights list": ["weights", "list"],
        "data list": ["data", "list"],
        "data sweep": ["data", "sweep"],
    }  # fmt: skip


NAMES = list(commands(Path(), Path()))


def run(words: list[str], capsys) -> tuple[int, str]:
    """Exit code and what the command said; a traceback would have been raised."""
    code = cli.main(words)
    said = capsys.readouterr()
    return code, said.err + said.out


def assert_in_words(text: str, home: Path) -> None:
    assert "Traceback" not in text
    assert str(home) not in text


@pytest.mark.parametrize("name", NAMES)
def test_a_home_that_cannot_be_made(name, nowhere, clips, capsys):
    code, text = run(commands(clips, nowhere / "file" / "home")[name], capsys)
    assert code == cli.FAILED
    assert "Not a directory" in text
    assert_in_words(text, nowhere)


@pytest.fixture(name="quick")
def _quick(monkeypatch) -> None:
    """Keypoints are made up, not found: what is tested is where they are written."""
    monkeypatch.setattr("gymform.dataset.extraction.estimate", fake_poses.estimate)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("name", NAMES)
def test_a_read_only_home(name, read_only, clips, capsys):
    code, text = run(commands(clips, read_only)[name], capsys)
    assert_in_words(text, read_only)
    if name in WRITING:
        assert code == cli.FAILED
        assert "read-only" in text.lower()


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk(name, room, home, fill, clips, capsys):
    fill(room)
    code, text = run(commands(clips, home)[name], capsys)
    if code != cli.OK:
        assert_in_words(text, home)
    if name in WRITING and (room == 0 or name != "export"):  # a manifest is small
        assert code == cli.FAILED
        assert "full" in text or "space" in text


@pytest.mark.usefixtures("quick")
def test_the_same_commands_succeed_where_there_is_room(home, clips, capsys):
    """So that what failed above failed for want of space alone."""
    for name in sorted(WRITING, reverse=True):  # clips that were imported would be judged first
        code, text = run(commands(clips, home)[name], capsys)
        assert code == cli.OK, (name, text)


@pytest.mark.parametrize("name", ["a" * 300, "п" * 150, "/tmp/" + "b" * 300, "🏋" * 70])
@pytest.mark.parametrize("command", ["import", "extract", "export", "train"])
def test_a_name_that_no_file_system_takes(command, name, clips, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = {
        "import": ["import", str(clips), "--to", name],
        "extract": ["extract", name],
        "export": ["export", "clips", "--to", name],
        "train": ["train", name],
    }[command]
    code, text = run(words, capsys)
    assert code == cli.FAILED
    assert_in_words(text, tmp_path)


def test_an_out_that_cannot_be_written_is_refused_before_the_analysis(
    read_only, clips, capsys, monkeypatch
):
    monkeypatch.setattr(cli, "_analyze_one", lambda *_: pytest.fail("it was analysed"))
    code, text = run(["analyze", str(clips / "squat" / "a.mp4"), "--out", str(read_only)], capsys)
    assert code == cli.USAGE
    assert "Read-only" in text


@pytest.mark.parametrize("stem", ["п" * 122, "🏋" * 61, "a" * 250])
def test_results_of_a_clip_with_a_long_name_are_kept(stem, tmp_path):
    first, second = cli.unique_stems([Path(f"a/{stem}.mp4"), Path(f"b/{stem}.mp4")])
    assert first != second
    for name in (first, second, stem):
        for path in vars(Artifacts.of(tmp_path, name)).values():
            path.write_bytes(b"x")
    assert len(list(tmp_path.iterdir())) >= 8


@pytest.mark.parametrize(
    ("number", "words"),
    [(28, "disk is full"), (30, "cannot be used"), (13, "cannot be used"), (36, "too long"),
     (5, "cannot be read or written"), (17, "File exists"), (2, "No such file")],
)  # fmt: skip
def test_what_the_system_refuses_is_said_without_a_path(number, words):
    text = disk_problem(OSError(number, "x", "/home/anna/secret/clip.mp4"))
    assert words in text
    assert "/home" not in text
    assert any(word in text for word in ("choose", "Choose", "Free")), "it says what to do"
    assert disk_problem(OSError("odd"))
