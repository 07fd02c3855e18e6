"""Files are written completely or not at all."""

import io
import os
from pathlib import Path

import pytest

from gymform import storage
from gymform.errors import EmptyFileError, NotAVideoError, OptionsError, TooLargeError, VideoError
from gymform.storage import atomic_path, data_dir, expanded, store_upload
from gymform.video.read import probe
from tests.corpus.bad import BAD, good_bytes


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


# ---- uploads

HOSTILE_NAMES = [
    *("../" * depth + "etc/passwd" for depth in range(1, 8)),
    *("..\\" * depth + "boot.ini" for depth in range(1, 8)),
    *(f"%2e%2e%2f{name}" for name in ("a.mp4", "b.mov", "c.webm")),
    *("/etc/shadow", "/dev/null", "/proc/self/mem", "/", "//", ".", "..", "...", "~", "~root/x"),
    *("C:\\x.mp4", "C:x.mp4", "\\\\server\\share\\x.mp4", "\\\\?\\C:\\x", "file:///etc/passwd"),
    *("CON", "NUL.mp4", "AUX", "COM1", "LPT1.txt", "PRN", "clip.mp4:stream", "clip.mp4::$DATA"),
    *("http://evil/x.mp4", "concat:a|b", "pipe:0", "data:video/mp4;base64,AA", "-i", "--help.mp4"),
    *("a\0.mp4", "\0", "\n.mp4", "\r\n", "\t", " ", "", "a" * 4096, "ä" * 2000, "\U0001f3cb" * 99),
    *("\u202egpm.4pm", "%d.mp4", "%s%n", "$(touch x)", "`id`", "'; drop", '"', "<script>", "*?"),
    *("clip.mp4/", ".mp4", "clip..mp4", ".bashrc", "a/b/c.mp4", "a\\b\\c.mp4", "\ud800.mp4"),
]


class Upload(io.BytesIO):
    """An upload as a page gets it: a stream with the client's file name."""

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__(content)
        self.name = name


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []


def test_hostile_names_change_nothing(tmp_path):
    assert len(HOSTILE_NAMES) >= 60
    folder, content = tmp_path / "uploads", good_bytes("h264_mp4")
    stored = [store_upload(Upload(content, name), folder) for name in HOSTILE_NAMES]
    assert len({path.parent for path in stored}) == len(HOSTILE_NAMES), "a folder for each"
    for path in stored:
        assert path.parent.parent == folder
        assert path.name == "clip.mp4"
        assert path.parent.name.isalnum()
    assert sorted(files_in(tmp_path)) == sorted(stored)


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("h264_mp4", ".mp4"), ("h264_mov", ".mov"), ("vp8_webm", ".webm"), ("mjpeg_mkv", ".mkv")],
)
@pytest.mark.parametrize("wrap", [bytes, bytearray, io.BytesIO])
def test_the_suffix_follows_the_content(tmp_path, name, suffix, wrap):
    path = store_upload(wrap(good_bytes(name)), tmp_path)
    assert path.suffix == suffix
    assert path.read_bytes() == good_bytes(name)
    assert probe(path, "squat.avi").name == "squat.avi"


def test_a_stream_is_read_from_its_start(tmp_path):
    stream = io.BytesIO(good_bytes("h264_mp4"))
    stream.read()
    assert store_upload(stream, tmp_path).read_bytes() == good_bytes("h264_mp4")


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", EmptyFileError),
        (b"ffconcat version 1.0\nfile /etc/passwd", NotAVideoError),
        (b"\x89PNG\r\n\x1a\n" + bytes(50), NotAVideoError),
    ],
)
def test_what_is_no_video_is_not_stored(tmp_path, content, error):
    with pytest.raises(error):
        store_upload(content, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_cap_holds_to_the_byte(tmp_path, monkeypatch):
    content = good_bytes("h264_mp4")
    monkeypatch.setattr(storage, "MAX_UPLOAD_BYTES", len(content))
    kept = store_upload(content, tmp_path)
    with pytest.raises(TooLargeError, match="more than"):
        store_upload(content + b"\0", tmp_path)
    assert list(tmp_path.iterdir()) == [kept.parent]


def test_an_endless_stream_is_cut_at_the_cap(tmp_path, monkeypatch):
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            assert size > 0, "an upload is read in pieces"
            self.given += size
            return (good_bytes("h264_mp4")[:40] + bytes(size))[:size]

    monkeypatch.setattr(storage, "MAX_UPLOAD_BYTES", 5_000_000)
    stream = Endless()
    with pytest.raises(TooLargeError):
        store_upload(stream, tmp_path)
    assert stream.given < 8_000_000
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_error_for_the_user(tmp_path, monkeypatch):
    def refuse(chunks, file) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device", str(tmp_path / "secret"))

    monkeypatch.setattr(storage, "_copy", refuse)
    with pytest.raises(VideoError, match="No space left") as caught:
        store_upload(good_bytes("h264_mp4"), tmp_path)
    assert str(tmp_path) not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_upload_leaves_nothing(tmp_path):
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 0:
                raise KeyboardInterrupt
            return super().read(size)

    with pytest.raises(KeyboardInterrupt):
        store_upload(Broken(good_bytes("h264_mp4")), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_playlists_never_reach_the_disk(tmp_path):
    for bad in (BAD["text"], BAD["html"]):
        content = bad.make(tmp_path).read_bytes()
        with pytest.raises(NotAVideoError):
            store_upload(content, tmp_path / "uploads")
    assert files_in(tmp_path / "uploads") == []
