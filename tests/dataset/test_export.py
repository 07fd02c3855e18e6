"""What leaves the data set is tied to bytes, split without leaks, and read by other tools."""

import csv
import json
import zipfile

import numpy as np
import pytest

from gymform import cli
from gymform.dataset import items as it
from gymform.dataset.export import examples, export, read_archive, read_manifest
from gymform.dataset.groups import confirm, merge
from gymform.dataset.reviews import ReviewStore
from gymform.errors import DatasetError, OptionsError
from gymform.pose.files import load_poses
from gymform.skeleton import KEYPOINTS
from gymform.weights import sha256_of
from tests.dataset.makers import fill_store, make_store


@pytest.fixture
def store(tmp_path):
    """Twelve clips: one pending, one rejected, ten accepted, one of them trimmed to 1-2 s."""
    with ReviewStore.open(tmp_path / "set", create=True) as opened:
        fill_store(opened, 12)
        ids = [judged.item.id for judged in opened.judged(it.Filter(order=it.NAME))]
        opened.decide_all(ids[1:], it.ACCEPTED, reviewer="ann")
        opened.decide(ids[11], it.REJECTED, reviewer="ann", reasons=("other",))
        opened.trim(ids[1], 1.0, 2.0, reviewer="ann")
        opened.relabel(ids[2], "lunge", reviewer="ann")
        yield opened


def test_the_manifest_says_what_was_accepted_and_is_tied_to_bytes(store, tmp_path):
    entries = export(store, tmp_path / "m.jsonl")
    assert read_manifest(tmp_path / "m.jsonl") == entries
    assert len(entries) == 10
    assert {entry.verdict for entry in entries} == {it.ACCEPTED}
    assert {entry.split for entry in entries} == {"train", "val", "test"}
    by_name = {entry.name: entry for entry in entries}
    trimmed = by_name["clip-0001.mp4"]
    assert (trimmed.start_s, trimmed.end_s) == (1.0, 2.0)
    assert by_name["clip-0002.mp4"].exercise == "lunge"
    for entry in entries:
        assert entry.poses_sha256 == sha256_of(store.files.poses(entry.clip_sha256))
    first = json.loads((tmp_path / "m.jsonl").read_text().splitlines()[0])
    assert set(first) >= {
        "clip_sha256", "poses_sha256", "exercise", "group", "start_s", "end_s", "verdict", "split",
    }  # fmt: skip


def test_the_same_data_set_gives_the_same_bytes(store, tmp_path):
    for name in ("a", "b"):
        export(store, tmp_path / f"{name}.jsonl", archive=tmp_path / f"{name}.npz", seed=1)
    for suffix in ("jsonl", "npz"):
        first, second = ((tmp_path / f"{name}.{suffix}").read_bytes() for name in ("a", "b"))
        assert first == second


def test_it_says_of_each_clip_whether_somebody_confirmed_who_is_in_it(store, tmp_path, capsys):
    assert not any(entry.group_confirmed for entry in export(store, tmp_path / "m.jsonl"))
    how = ["export", str(store.folder), "--to", str(tmp_path / "m.jsonl")]
    assert cli.main(how) == cli.OK
    assert "Nobody confirmed" in capsys.readouterr().out
    merge(store, [store.clips()[1].sha256], "Zoe", reviewer="ann")
    confirmed = [entry.group for entry in export(store, tmp_path / "m.jsonl")
                 if entry.group_confirmed]  # fmt: skip
    assert confirmed == ["Zoe"]
    confirm(store, reviewer="ann")
    assert cli.main(how) == cli.OK
    assert "Nobody confirmed" not in capsys.readouterr().out
    assert all(entry.group_confirmed for entry in read_manifest(tmp_path / "m.jsonl"))


def test_other_verdicts_come_without_a_split(store, tmp_path):
    entries = export(store, tmp_path / "m.jsonl", verdicts=(it.ACCEPTED, it.REJECTED))
    assert len(entries) == 11
    assert [entry.split for entry in entries if entry.verdict == it.REJECTED] == [""]


def test_nothing_accepted_says_so(tmp_path):
    with ReviewStore.open(make_store(tmp_path / "new", 2)) as store:
        with pytest.raises(DatasetError, match="review the data set first"):
            export(store, tmp_path / "m.jsonl")
        with pytest.raises(OptionsError, match="Expected verdicts"):
            export(store, tmp_path / "m.jsonl", verdicts=("good",))
    assert not (tmp_path / "m.jsonl").exists()


def test_missing_keypoints_say_whose(store, tmp_path):
    store.files.poses(store.clips()[3].sha256).unlink()
    with pytest.raises(DatasetError, match=r"clip-0003\.mp4 are missing"):
        export(store, tmp_path / "m.jsonl")


@pytest.mark.parametrize("line", ["", "no json", "[]", "{}", '{"item_id": 3}'])
def test_a_manifest_that_is_none_is_refused_by_its_line(store, tmp_path, line):
    export(store, tmp_path / "m.jsonl")
    with (tmp_path / "m.jsonl").open("a") as stream:
        stream.write(line + "\n")
    with pytest.raises(DatasetError, match=r"m\.jsonl, line 11"):
        read_manifest(tmp_path / "m.jsonl")


def test_examples_point_to_files(store):
    found = examples(store)
    assert len(found) == 10
    assert all(one.pose_path.is_file() and one.clip_path.is_file() for one in found)
    assert len(examples(store, verdicts=(it.PENDING,))) == 1


def test_the_archive_is_what_pyskl_reads_and_holds_no_pickle(store, tmp_path):
    entries = export(store, tmp_path / "m.jsonl", archive=tmp_path / "a.npz")
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        assert not any("pkl" in name for name in archive.namelist())
    with np.load(tmp_path / "a.npz", allow_pickle=False) as arrays:
        meta = json.loads(arrays["meta"].item())
    data = read_archive(tmp_path / "a.npz")
    assert sum(map(len, data["split"].values())) == len(data["annotations"]) == 10
    for entry, one in zip(entries, data["annotations"], strict=True):
        pose = load_poses(store.files.poses(entry.clip_sha256))
        inside = (pose.time_s >= entry.start_s - 1e-6) & (pose.time_s <= entry.end_s + 1e-6)
        assert one["keypoint"].shape == (1, inside.sum(), 17, 2)
        np.testing.assert_array_equal(one["keypoint"][0], pose.xy[inside])
        np.testing.assert_array_equal(one["keypoint_score"][0], pose.score[inside])
        assert meta["classes"][one["label"]] == entry.exercise
        assert one["img_shape"] == pose.image_size[::-1]
        assert one["frame_dir"] in data["split"][entry.split]


def test_the_table_has_a_row_a_frame(store, tmp_path):
    entries = export(store, tmp_path / "m.jsonl", table=tmp_path / "t.csv")
    with (tmp_path / "t.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    first = [row for row in rows if row["item_id"] == entries[0].item_id]
    assert len(first) == 31  # trimmed to one second at 30 frames a second
    pose = load_poses(store.files.poses(entries[0].clip_sha256))
    assert float(first[0]["left_knee_x"]) == pytest.approx(pose.xy[30, 13, 0], abs=1e-3)


def test_trc_files_stand_upright_in_metres(store, tmp_path):
    entries = export(store, tmp_path / "m.jsonl", trc=tmp_path / "trc", stature_m=1.8)
    assert len(list((tmp_path / "trc").glob("*.trc"))) == 10
    lines = (tmp_path / "trc" / f"{entries[0].item_id}.trc").read_text().splitlines()
    values = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=True))
    assert (values["NumFrames"], values["NumMarkers"], values["Units"]) == ("31", "17", "m")
    assert float(values["DataRate"]) == pytest.approx(30)
    assert lines[3].split("\t")[2::3][:17] == list(KEYPOINTS)
    data = np.array([[float(cell) for cell in line.split("\t")] for line in lines[6:]])
    assert data.shape == (31, 2 + 17 * 3)
    points = data[:, 2:].reshape(31, 17, 3)
    assert (points[..., 2] == 0).all()
    height = points[:, 0, 1].max() - points[..., 1].min()
    assert 1.0 < height < 1.9  # the nose, above the floor
    assert (np.diff(data[:, 1]) > 0).all()
