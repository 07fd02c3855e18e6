"""`gymform data`: what is kept of clips is listed, and deleted for good."""

from __future__ import annotations

import json

import pytest

from gymform import cli
from gymform.dataset.paths import datasets_dir
from gymform.dataset.reviews import ReviewStore
from gymform.in_use import held
from gymform.service.deletion import KEEP_DAYS, delete_results, uploads_dir
from gymform.service.result_store import ResultStore
from gymform.storage import data_dir, store_upload
from gymform.weights import sha256_of
from tests.dataset.makers import make_store

MP4 = b"\0\0\0\x18ftypmp42"
OTHER = "0123456789abcdef" * 4


@pytest.fixture(name="clip", autouse=True)
def _clip():
    """A clip that was uploaded twice and analysed; the result of another; a data set of two."""
    clips = [store_upload(MP4 + b"mine", uploads_dir()) for _ in range(2)]
    for key, sha256 in (("a" * 64, sha256_of(clips[0])), ("b" * 64, OTHER)):
        folder = ResultStore().root / key
        folder.mkdir()
        text = json.dumps({"clip": {"sha256": sha256, "name": f"lift {key[0]}\x1b.mp4"}})
        (folder / "clip.json").write_text(text)
    make_store(datasets_dir() / "lifts", 2, files=False)
    return clips[0]


@pytest.fixture(name="gymform")
def _gymform(capsys):
    """Runs a command: exit code and what it said."""

    def run(*words):
        code = cli.main(["data", *words])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def test_everything_is_listed_once_by_clip(gymform, clip):
    code, text = gymform("list")
    assert code == cli.OK
    (line,) = [line for line in text.splitlines() if line.startswith(sha256_of(clip)[:16])]
    assert "2 uploads, 1 results" in line
    assert line.endswith("lift a.mp4")
    assert "0 uploads, 1 results" in text
    assert text.count("in the data set lifts") == 2
    assert str(data_dir()) not in text
    assert "until they fill their folder" in text


def test_the_age_limit_is_told(gymform, monkeypatch):
    monkeypatch.setenv(KEEP_DAYS, "7.5")
    assert "for 7.5 days" in gymform("list")[1]


def test_a_damaged_data_set_does_not_hide_the_others(gymform):
    (datasets_dir() / "broken").mkdir()
    (datasets_dir() / "broken" / "dataset.sqlite").write_text("no database")
    code, text = gymform("list")
    assert code == cli.FAILED
    assert "broken: dataset.sqlite is damaged" in text
    assert text.count("in the data set lifts") == 2


def test_what_cannot_be_read_can_be_deleted_by_its_folder(gymform):
    for folder in (ResultStore().root / ("c" * 64), uploads_dir() / "import-0123"):
        folder.mkdir()
        (folder / ".hidden").mkdir()
        assert folder.name[:16] in gymform("list")[1]
        assert gymform("delete", folder.name[:16])[0] == cli.OK
        assert not folder.exists()


def test_a_clip_is_deleted_for_good_with_its_results(gymform, clip):
    code, text = gymform("delete", sha256_of(clip)[:8].upper())
    assert code == cli.OK
    assert "2 uploads, 1 results" in text
    assert [*uploads_dir().iterdir()] == []
    assert [one.name for one in ResultStore().root.iterdir()] == ["b" * 64]
    assert [*(data_dir() / ".trash").iterdir()] == []


def test_a_clip_is_deleted_from_a_data_set(gymform):
    folder = datasets_dir() / "lifts"
    with ReviewStore.open(folder) as store:
        first, second = store.clips()
    assert gymform("delete", first.sha256[:8], "--dataset", "lifts")[0] == cli.OK
    with ReviewStore.open(folder) as store:
        assert store.clips() == [second]
    assert [*(folder / ".trash").iterdir()] == []
    code, text = gymform("delete", first.sha256[:8], "--dataset", "lifts")
    assert code == cli.FAILED
    assert "there is none" in text


def test_clips_move_to_another_data_set(gymform):
    with (
        ReviewStore.open(datasets_dir() / "lifts") as store,
        ReviewStore.open(datasets_dir() / "others", create=True) as others,
    ):
        first, second = store.clips()
        ids = [first.sha256[:16], second.sha256[:8]]
        code, text = gymform("move", *ids, "--dataset", "lifts", "--to", "others")
        assert code == cli.OK
        assert f"Moved to others: {first.name}" in text
        assert store.clips() == []
        assert others.clips() == [first, second]
    code, text = gymform("move", first.sha256[:7], "--dataset", "others", "--to", "lifts")
    assert code == cli.FAILED
    assert "at least 8 digits" in text


@pytest.mark.parametrize(
    ("id_", "words"),
    [("f" * 16, "there is none"), ("a", "at least 8 digits"), ("", "at least"),
     ("../../..", "none"), ("*" * 8, "none"), ("01234567" + "x", "none")],
)  # fmt: skip
def test_nothing_else_is_deleted(gymform, clip, id_, words):
    code, text = gymform("delete", id_)
    assert code == cli.FAILED
    assert words in text
    assert clip.exists()
    assert len([*ResultStore().root.iterdir()]) == 2


def test_what_is_in_use_is_not_deleted(gymform, clip):
    with held(clip.parent):
        code, text = gymform("delete", sha256_of(clip)[:16])
    assert code == cli.FAILED
    assert "in use" in text
    assert clip.exists()


def test_a_sweep_ends_the_time_to_undo(gymform, clip):
    delete_results(ResultStore(), clip)
    assert "1 deletions, 0 uploads, 0 results" in gymform("sweep")[1]
    assert [*(data_dir() / ".trash").iterdir()] == []


def test_days_that_are_none_are_said(gymform, monkeypatch):
    monkeypatch.setenv(KEEP_DAYS, "soon")
    for action in ("list", "sweep"):
        code, text = gymform(action)
        assert code == cli.FAILED
        assert "expected a number of days" in text


def test_results_go_out_and_come_in_as_a_zip(gymform, tmp_path):
    """Those without all their files are left out; what is no such zip is said."""
    code, text = gymform("export", str(tmp_path / "all.zip"))
    assert (code, text) == (cli.OK, "Written: 0 of 0 results\n")
    code, text = gymform("import", str(tmp_path / "all.zip"))
    assert (code, text) == (cli.OK, "Imported: 0 results\n")
    (tmp_path / "no.zip").write_bytes(b"no zip")
    code, text = gymform("import", str(tmp_path / "no.zip"))
    assert code == cli.FAILED
    assert "no zip of results" in text
