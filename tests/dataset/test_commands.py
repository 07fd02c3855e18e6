"""The commands import, extract and export: what they hand on, what they say, how they end."""

import re
import shutil
from collections import Counter

import pytest

from gymform import cli
from gymform.analysis import Options
from gymform.dataset import extraction
from gymform.dataset.export import read_manifest
from gymform.dataset.extraction import ExtractionReport
from gymform.dataset.items import ACCEPTED, REJECTED
from gymform.dataset.paths import data_sets, dataset_dir
from gymform.dataset.reviews import ReviewStore
from tests.dataset.makers import make_store, write_scene


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """squat/ann/{1,2}.mp4, squat/bob.mp4 and row/ann.mp4."""
    folder = tmp_path_factory.mktemp("mine")
    for seed, name in enumerate(("squat/ann/1", "squat/ann/2", "squat/bob", "row/ann")):
        path = folder / f"{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_scene(path, seed, end_s=1.5)
    return folder


@pytest.fixture
def mine(originals, tmp_path):
    return shutil.copytree(originals, tmp_path / "mine")


def test_import(mine, capsys):
    (mine / "squat" / "empty.mp4").write_bytes(b"")
    assert cli.main(["import", str(mine), "--to", "gym"]) == cli.FAILED
    told = capsys.readouterr().out
    assert "4 clips added, of 3 people or sources" in told
    assert "squat/empty.mp4: not imported." in told
    assert [folder.name for folder in data_sets()] == ["gym"]
    (mine / "squat" / "empty.mp4").unlink()
    assert cli.main(["import", str(mine), "--to", "gym"]) == cli.OK
    assert "4 were imported before" in capsys.readouterr().out
    with ReviewStore.open(dataset_dir("gym")) as store:
        assert {clip.exercise for clip in store.clips()} == {"squat", "row"}


def test_import_says_what_does_not_fit(tmp_path, capsys):
    assert cli.main(["import", str(tmp_path / "none"), "--exercise", "squat"]) == cli.FAILED
    assert "no folder" in capsys.readouterr().err


def test_import_tells_of_duplicates(mine, capsys):
    shutil.copy(mine / "squat" / "bob.mp4", mine / "squat" / "zoe.mp4")
    write_scene(mine / "row" / "bob mirrored.mp4", 2, end_s=1.5, mirrored=True, crf=30)
    assert cli.main(["import", str(mine), "--to", "gym"]) == cli.OK
    told = capsys.readouterr().out
    assert "squat/zoe.mp4: left out, the same bytes as bob.mp4\n" in told
    assert re.search(
        r"squat/bob\.mp4: shows, mirrored, the same as bob mirrored\.mp4 \(likeness [01]\.\d\d\)",
        told,
    )
    assert "extract gym" in told  # what to do next


def test_import_hands_exercise_and_groups_on(mine):
    how = ["--exercise", "front squat", "--group-by", "regex:(ann|bob)"]
    assert cli.main(["import", str(mine), "--to", "gym", *how]) == cli.OK
    with ReviewStore.open(dataset_dir("gym")) as store:
        assert {(clip.exercise, clip.group) for clip in store.clips()} == {
            ("front squat", "ann"), ("front squat", "bob"),
        }  # fmt: skip


# --- extract ------------------------------------------------------------------------------------


@pytest.fixture
def dataset(tmp_path):
    return make_store(tmp_path / "set", 10)


def test_extract_hands_its_options_on(dataset, monkeypatch):
    asked = []

    def extract(store, **options):
        asked.append((store.folder, options))
        return ExtractionReport((), (), ())

    monkeypatch.setattr(extraction, "extract", extract)
    how = ["--jobs", "3", "--max-fps", "20", "--flip-test", "--again", "--pose-model", "vitpose-ti"]
    assert cli.main(["extract", str(dataset), *how]) == cli.OK
    ((folder, options),) = asked
    assert folder == dataset
    assert callable(options.pop("progress"))
    assert options == {
        "jobs": 3, "engine": "local", "address": None, "again": True,
        "options": Options(pose_model="vitpose-ti", flip_test=True, max_fps=20.0),
    }  # fmt: skip


def test_extract_names_what_failed_and_ends_with_an_error(dataset, monkeypatch, capsys):
    report = ExtractionReport(("a",), ("b", "c"), (("bad.mp4", "It is empty."),))
    monkeypatch.setattr(extraction, "extract", lambda store, **options: report)
    assert cli.main(["extract", str(dataset)]) == cli.FAILED
    told = capsys.readouterr().out.splitlines()
    assert told == [
        "1 clips extracted, 2 were extracted before",
        "  bad.mp4: not extracted. It is empty.",
        "10 repetitions to review",
    ]


def test_extract_of_nothing_says_what_is_missing(tmp_path, capsys):
    assert cli.main(["extract", str(tmp_path / "none")]) == cli.FAILED
    assert "import" in capsys.readouterr().err


# --- export -------------------------------------------------------------------------------------


@pytest.fixture
def reviewed(dataset):
    with ReviewStore.open(dataset) as store:
        names = [one.item.id for one in store.judged()]
        store.decide_all(names[:8], ACCEPTED, reviewer="ann")
        store.decide_all(names[8:], REJECTED, reviewer="ann")
    return dataset


def test_export_counts_items_and_people_of_each_part(reviewed, tmp_path, capsys):
    to = tmp_path / "m.jsonl"
    assert cli.main(["export", str(reviewed), "--to", str(to)]) == cli.OK
    first, *more = capsys.readouterr().out.splitlines()
    parts = [line for line in more if line.startswith("  ")]
    assert first.startswith("8 repetitions in ")
    counts = Counter(entry.split for entry in read_manifest(to))
    assert {(line.split(":")[0].strip(), int(line.split()[1])) for line in parts} == set(
        counts.items()
    )


def test_export_writes_what_is_asked_for(reviewed, tmp_path):
    paths = {name: tmp_path / name for name in ("m.jsonl", "k.npz", "k.csv", "trc")}
    how = ["--to", paths["m.jsonl"], "--archive", paths["k.npz"], "--csv", paths["k.csv"],
           "--trc", paths["trc"], "--verdicts", "rejected,", "--stature", "1.5"]  # fmt: skip
    assert cli.main(["export", str(reviewed), *map(str, how)]) == cli.OK
    assert all(path.exists() for path in paths.values())
    assert len(read_manifest(paths["m.jsonl"])) == 2
    assert len(list(paths["trc"].iterdir())) == 2


def test_export_needs_to_know_where_to(reviewed, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["export", str(reviewed)])
    assert ended.value.code == cli.USAGE
    assert "--to" in capsys.readouterr().err
