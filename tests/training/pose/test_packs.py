"""Packs of crops: read as written, rejected when damaged, split without a leak."""

from dataclasses import replace

import numpy as np
import pytest

from gymform.errors import LeakError, ModelDataError
from gymform.training.pose.packs import check_split, join, make_pack, read_pack, split, write_pack
from tests.pose.packs import people, small_pack


def test_a_pack_comes_back_as_written(tmp_path):
    pack = small_pack()
    write_pack(tmp_path / "pack.npz", pack)
    again = read_pack(tmp_path / "pack.npz")
    assert again.digest() == pack.digest()
    assert (again.rgb(3) == pack.rgb(3)).all()


def test_a_damaged_picture_is_named():
    pack = small_pack()
    pack.image[pack.offset[2] : pack.offset[2] + 20] = 0
    with pytest.raises(ModelDataError, match="crop 2 is damaged"):
        pack.rgb(2)


@pytest.mark.parametrize("content", [None, b"", b"PK\5\6" + bytes(18)])
def test_files_that_are_no_pack(tmp_path, content):
    if content is not None:
        (tmp_path / "pack.npz").write_bytes(content)
    with pytest.raises(ModelDataError, match=r"pack\.npz: expected a pack"):
        read_pack(tmp_path / "pack.npz")


@pytest.mark.parametrize(
    "change",
    [
        lambda p: {"offset": p.offset[::-1].copy()},
        lambda p: {"keypoints": p.keypoints[:-1]},
        lambda p: {"keypoints": p.keypoints * np.nan},
        lambda p: {"keypoints": p.keypoints + np.array([0, 0, 3])},
        lambda p: {"image": p.image.astype(np.int32)},
        lambda p: {"size": p.size[:, :1]},
    ],
)
def test_arrays_that_do_not_fit_are_refused(change):
    pack = people(2, "lspet", ["a", "b"])
    with pytest.raises(ValueError, match="CropPack"):
        replace(pack, **change(pack))


def test_the_standard_crop_is_the_middle_two_thirds():
    pack = people(1, "lspet", ["a"])
    np.testing.assert_allclose(pack.crop(0), [71.5, 95.5, 143 / 1.5, 143 / 1.5 / 0.75])
    box = 143 / 1.5 / 1.25
    np.testing.assert_allclose(pack.crop(0, padding=1.1), [71.5, 95.5, 1.1 * box, 1.1 * box / 0.75])


def test_validation_groups_are_held_out_whole():
    lspet = people(60, "lspet", [f"g{i // 2}" for i in range(60)])
    pack = join(lspet, people(3, "coco_subset", ["x", "y", "z"], "val2017", seed=5))
    train, validation = split(pack)
    assert set(train.tolist()).isdisjoint(np.concatenate(list(validation.values())).tolist())
    assert pack.subset[validation["coco_val2017"]].tolist() == ["val2017"] * 3
    assert len(train) + sum(map(len, validation.values())) == len(pack)
    for rows in validation.values():
        assert not set(pack.group[rows]) & set(pack.group[train])


def test_leaks_are_refused():
    pack = join(people(2, "lspet", ["a", "b"]), people(1, "coco_subset", ["a"], "val2017", 7))
    with pytest.raises(LeakError, match="of one group"):
        check_split(pack, np.array([0, 1]), np.array([2]))
    twins = join(people(1, "lspet", ["a"]), people(1, "coco_subset", ["b"], "val2017"))
    with pytest.raises(LeakError, match="are the same picture"):
        check_split(twins, np.array([0]), np.array([1]))


def test_nothing_to_train_on():
    with pytest.raises(ModelDataError, match="nothing to train on"):
        split(people(1, "coco_subset", ["a"], "val2017"))


def test_an_empty_pack_can_be_joined():
    nobody = make_pack([], np.zeros((0, 17, 3)), dataset="clips", groups=[])
    assert join(nobody, small_pack()).digest() == small_pack().digest()


@pytest.mark.shared
def test_the_shared_pack(shared_data):
    pack = read_pack(shared_data / "pose" / "train_crops.npz")
    train, validation = split(pack)
    assert len(pack) == 11073
    assert len(validation["coco_val2017"]) == 187
    assert 150 < len(validation["lspet"]) < 400
    for row in train[:: len(train) // 20][:20].tolist():
        picture = pack.rgb(row)
        assert picture.shape == (*pack.size[row][::-1], 3)
        x, y, width, height = pack.crop(row)
        seen = pack.keypoints[row][pack.keypoints[row, :, 2] > 0, :2]
        inside = (np.abs(seen - [x, y]) <= [width / 2, height / 2]).all(1)
        assert inside.mean() > 0.6


def test_a_note_stays_with_the_pack_and_changes_no_training(tmp_path):
    plain = small_pack()
    noted = replace(plain, note="Corrected by hand.")
    write_pack(tmp_path / "noted.npz", noted)
    found = read_pack(tmp_path / "noted.npz")
    assert found.note == "Corrected by hand."
    assert join(plain, noted).note == "Corrected by hand."
    assert found.digest() == plain.digest()
