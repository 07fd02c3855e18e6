"""Results as a zip: out and in again, and what strangers' zips cost."""

from __future__ import annotations

import json
import shutil
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gymform import roles
from gymform.analysis_io import load, save
from gymform.errors import GymformError, NotAllowedError, OptionsError
from gymform.roles import Role, Visitor
from gymform.service import archive
from gymform.service.analysis_worker import PROXY, STEM
from gymform.service.archive import INDEX, export, import_zip
from gymform.service.history import DONE, History
from gymform.service.result_store import ResultStore
from gymform.service.summary import THUMBNAIL, summarise, write_summary
from gymform.storage import data_dir
from gymform.video.write import VideoWriter, transcode
from tests import fakes

KEY = "a" * 64


@pytest.fixture(name="history")
def _history():
    opened = History.open()
    yield opened
    opened.close()
    roles.ask_with(None)


@pytest.fixture(name="store")
def _store(tmp_path, history):
    """A store with one result, which the history knows."""
    store = ResultStore()
    analysis = fakes.make_analysis(30)
    clip = tmp_path / "clip.mp4"
    with VideoWriter(clip, width=360, height=480, fps=30) as writer:
        for time_s in analysis.pose.time_s:
            writer.write(np.full((480, 360, 3), 90, np.uint8), float(time_s))
    with store.new_folder(KEY) as folder:
        save(analysis, clip, folder, stem=STEM, video=False)
        transcode(clip, folder / PROXY)
        write_summary(analysis, folder, folder / PROXY)
        store.keep(KEY, folder)
    entry = history.add(
        KEY, name="my squat.mp4", path=clip, options={}, clip_sha256="c" * 64,
        summary=summarise(analysis),
    )  # fmt: skip
    history.edit(entry.address, lifter="Anna", load_kg=100, note="two\nlines", favourite=True,
                 reference=True, day="2026-02-03")  # fmt: skip
    return store


@pytest.fixture(name="zipped")
def _zipped(store, history):
    path = data_dir() / "out.zip"
    assert export(history.find()[0], store, path) == 1
    return path


def rewritten(source: Path, **members: bytes | None) -> Path:
    """A copy of a zip with other content for some members; None leaves one out."""
    target = source.with_name("other.zip")
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        given = {name.replace("__", "/").replace("_dot_", "."): data for name, data in
                 members.items()}  # fmt: skip
        for info in old.infolist():
            if info.filename not in given:
                new.writestr(info.filename, old.read(info))
        for name, data in given.items():
            if data is not None:
                new.writestr(name, data)
    return target


def folders(store: ResultStore) -> list[Path]:
    return sorted(one for one in store.root.iterdir() if one.name[0] != ".")


# -- out and in --------------------------------------------------------------------------------


def test_a_result_comes_back_with_its_notes_under_an_address_of_its_own(store, history, zipped):
    before = load(store.root / KEY, STEM)
    assert import_zip(zipped, store, history) == archive.Imported(1, ())
    entries, total = history.find()
    assert total == 2
    old = next(one for one in entries if one.key == KEY)
    new = next(one for one in entries if one.key != KEY)
    assert new.address != old.address
    assert new.state == DONE
    for name in ("name", "exercise", "lifter", "load_kg", "note", "favourite", "day", "found"):
        assert getattr(new, name) == getattr(old, name), name
    assert old.reference
    assert not new.reference  # it does not push one's own aside
    folder = store.find(new.key)
    again = load(folder, STEM)
    assert np.array_equal(again.pose.xy, before.pose.xy, equal_nan=True)
    assert again.prediction == before.prediction
    assert (folder / PROXY).is_file()
    assert (folder / THUMBNAIL).is_file()


def test_an_import_never_answers_for_a_clip_that_somebody_will_ask_for(store, history, zipped):
    """A stranger may know which key a clip leads to; a deletion by its content is not theirs."""
    import_zip(zipped, store, history)
    (new,) = (one for one in history.find()[0] if one.key != KEY)
    assert new.clip_sha256 == ""
    assert len(folders(store)) == 2


def test_what_does_not_fit_or_is_gone_is_left_out(store, history):
    path = data_dir() / "out.zip"
    assert export(history.find()[0], store, path, max_bytes=1000) == 0
    (store.root / KEY / PROXY).unlink()
    assert export(history.find()[0], store, path) == 0
    assert import_zip(path, store, history).count == 0


def test_a_visitor_of_a_network_imports_nothing(store, history, zipped):
    roles.ask_with(lambda: Visitor(Role.VISITOR, owner="browser:eve"))
    with pytest.raises(NotAllowedError):
        import_zip(zipped, store, history)
    roles.ask_with(lambda: Visitor(Role.CURATOR, owner="login:ben"))
    assert import_zip(zipped, store, history).count == 1
    (bens,) = history.find()[0]
    assert bens.owner == "login:ben"


# -- strangers' zips ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [b"", b"no zip", b"PK\x05\x06" + b"\0" * 18, b"PK\x05\x06" + b"\xff" * 18,
     struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65535, 65535, 2**31, 0, 0)],
)  # fmt: skip
def test_what_is_no_zip_of_results_is_refused_in_words(store, history, tmp_path, content):
    path = tmp_path / "x.zip"
    path.write_bytes(content)
    with pytest.raises(OptionsError, match="no zip of results") as caught:
        import_zip(path, store, history)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(
    "index",
    [b"", b"[]", b"{}", b'{"schema": 2, "results": []}', b'{"schema": 1, "results": [1]}',
     b'{"schema": 1, "results": {"a": 1}}', b"\xff\xfe", b"[" * 100_000],
)  # fmt: skip
def test_a_list_that_is_none_is_refused(store, history, zipped, index):
    with pytest.raises(OptionsError, match="no zip of results"):
        import_zip(rewritten(zipped, gymform_dot_json=index), store, history)
    assert len(folders(store)) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda answer: answer["clip"].update(width="wide"),
        lambda answer: answer["clip"].update(width=0),
        lambda answer: answer["clip"].update(codec=["h264"]),
        lambda answer: answer["clip"].update(evil=1),
        lambda answer: answer["prediction"].update(label="sudo"),
        lambda answer: answer["prediction"].update(reason=[1]),
        lambda answer: answer["prediction"]["probabilities"].update(squat=1e300),
        lambda answer: answer.update(slow_motion="fast"),
        lambda answer: answer.clear(),
    ],
)
def test_an_answer_that_no_analysis_gives_is_refused(store, tmp_path, change):
    """In the process that makes it anew; here without that process, for speed."""
    raw, made = tmp_path / "raw", tmp_path / "made"
    shutil.copytree(store.root / KEY, raw)
    made.mkdir()
    answer = json.loads((raw / f"{STEM}.json").read_text())
    change(answer)
    (raw / f"{STEM}.json").write_text(json.dumps(answer))
    with pytest.raises(GymformError):
        archive.rebuild(raw, made, "my squat.mp4")
    assert not list(made.iterdir())


@pytest.mark.parametrize(
    ("member", "content"),
    [
        (f"00001__{STEM}_dot_npz", b"no keypoints"),
        (f"00001__{STEM}_dot_npz", None),
        ("00001__proxy_dot_mp4", b"#EXTM3U\n/etc/passwd"),
        ("00001__proxy_dot_mp4", b"\0\0\0\x18ftypmp42" + b"\0" * 2000),
        ("00001__proxy_dot_mp4", None),
    ],
)
def test_one_damaged_result_is_said_and_leaves_nothing(store, history, zipped, member, content):
    found = import_zip(rewritten(zipped, **{member: content}), store, history)
    assert found.count == 0
    assert len(found.problems) == 1
    assert len(folders(store)) == 1


def test_a_bomb_is_not_unpacked(store, history, zipped, monkeypatch):
    """2 GB of zeros in 2 MB, and a member that says it is small."""
    monkeypatch.setitem(archive._MEMBERS, PROXY, 50_000_000)
    path = rewritten(zipped, **{"00001__proxy_dot_mp4": b"\0" * 60_000_000})
    assert path.stat().st_size < 1_000_000
    assert "more than" in import_zip(path, store, history).problems[0]
    data = path.read_bytes().replace(struct.pack("<L", 60_000_000), struct.pack("<L", 1000))
    path.write_bytes(data)
    found = import_zip(path, store, history)
    assert found.count == 0
    assert len(folders(store)) == 1


def test_paths_in_a_zip_lead_nowhere(store, history, zipped, tmp_path):
    with zipfile.ZipFile(zipped) as old:
        index = json.loads(old.read(INDEX))
    for folder in ("../../x", "/etc", "00001/..", "", "1" * 9):
        index["results"][0]["folder"] = folder
        data = json.dumps(index).encode()
        found = import_zip(rewritten(zipped, gymform_dot_json=data), store, history)
        assert found.count == 0
    assert len(folders(store)) == 1


def test_notes_of_a_stranger_are_made_safe(store, history, zipped):
    with zipfile.ZipFile(zipped) as old:
        index = json.loads(old.read(INDEX))
    index["results"][0] |= {"lifter": "An\x00na\u202e" * 100, "note": "\x1b[2J", "name": "a\nb"}
    data = json.dumps(index).encode()
    assert import_zip(rewritten(zipped, gymform_dot_json=data), store, history).count == 1
    (new,) = (one for one in history.find()[0] if one.key != KEY)
    assert len(new.lifter) == 80
    assert "\x00" not in new.lifter
    assert new.note == "[2J"
    assert new.name == "a b"
    index["results"][0]["load_kg"] = 1e9
    data = json.dumps(index).encode()
    assert (
        "Load" in import_zip(rewritten(zipped, gymform_dot_json=data), store, history).problems[0]
    )
