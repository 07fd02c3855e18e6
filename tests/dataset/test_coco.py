"""COCO keypoints: out and back without a change, and what somebody changed comes back."""

import json

import numpy as np
import pytest

from gymform import skeleton as sk
from gymform.dataset.coco import export_coco, import_coco
from gymform.dataset.corrections import correct, corrected_poses, corrections_of, undo
from gymform.dataset.reviews import ReviewStore
from gymform.errors import DatasetError
from gymform.pose.corrections import HIDDEN, POINT, Correction
from tests.dataset.makers import clip_record, fill_store

ELBOW, NOSE = sk.LEFT_ELBOW, sk.NOSE


@pytest.fixture
def store(tmp_path):
    with ReviewStore.open(tmp_path / "set", create=True) as opened:
        fill_store(opened, 2)
        yield opened


@pytest.fixture
def clip(store):
    return store.clips()[0].sha256


@pytest.fixture
def file(store, clip, tmp_path):
    correct(store, clip, [Correction(POINT, 1.0, 1.0, (ELBOW,), 12.0, 34.0)], reviewer="Ann")
    return next(path for path in export_coco(store, tmp_path / "coco") if clip[:16] in path.name)


def change(path, row, keypoint, values):
    content = json.loads(path.read_text())
    (one,) = (one for one in content["annotations"] if one["image_id"] == row + 1)
    one["keypoints"][3 * keypoint : 3 * keypoint + 3] = values
    path.write_text(json.dumps(content))


def test_what_nobody_changed_comes_back_as_nothing(store, clip, file):
    assert import_coco(store, file, reviewer="Ben") == 0
    assert len(corrections_of(store, clip)) == 1


def test_what_was_changed_comes_back_as_corrections_that_one_undo_takes_back(store, clip, file):
    before = corrected_poses(store, clip).pose
    change(file, 20, sk.LEFT_KNEE, [50.25, 60.5, 2])
    change(file, 21, NOSE, [0, 0, 0])
    assert import_coco(store, file, reviewer="Ben") == 2
    after = corrected_poses(store, clip).pose
    assert after.xy[20, sk.LEFT_KNEE].tolist() == [50.25, 60.5]
    assert np.isnan(after.xy[21, NOSE]).all()
    assert after.xy[30, ELBOW].tolist() == [12.0, 34.0]
    assert import_coco(store, file, reviewer="Ben") == 0
    assert [one.kind for one in corrections_of(store, clip)[1:]] == [POINT, HIDDEN]
    assert undo(store, clip, reviewer="Ben") == 2
    np.testing.assert_array_equal(corrected_poses(store, clip).pose.xy, before.xy)


def test_the_file_is_as_coco_has_it(store, clip, file):
    content = json.loads(file.read_text())
    (category,) = content["categories"]
    assert category["keypoints"] == list(sk.KEYPOINTS)
    assert all(1 <= end <= 17 for bone in category["skeleton"] for end in bone)
    images = {image["id"]: image for image in content["images"]}
    assert len(images) == 90
    for one in content["annotations"]:
        assert len(one["keypoints"]) == 51
        assert one["num_keypoints"] == sum(v > 0 for v in one["keypoints"][2::3])
        assert one["image_id"] in images
        assert {"bbox", "area", "iscrowd", "category_id"} <= set(one)
    elbow = content["annotations"][30]["keypoints"][3 * ELBOW : 3 * ELBOW + 3]
    assert elbow == [12.0, 34.0, 2]


def test_a_tool_that_keeps_only_the_standard_fields_can_be_read(store, clip, file):
    content = json.loads(file.read_text())
    del content["info"]
    content["images"] = [
        {name: image[name] for name in ("id", "file_name", "width", "height")}
        for image in content["images"]
    ]
    file.write_text(json.dumps(content))
    change(file, 20, NOSE, [50, 60, 1])
    assert import_coco(store, file, reviewer="Ben") == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected COCO keypoints"),
        ("[]", "expected COCO keypoints"),
        ('{"categories": [{"keypoints": ["a"]}], "images": [], "annotations": []}', "17 joints"),
    ],
)
def test_another_file_is_refused(store, tmp_path, text, words):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DatasetError, match=words):
        import_coco(store, tmp_path / "a.json", reviewer="Ben")


@pytest.mark.parametrize("values", [[1, 2], ["a", 0, 2], [float("nan"), 0, 2], [1e300, 0, 2]])
def test_keypoints_that_are_none_change_nothing(store, clip, file, values):
    change(file, 20, NOSE, values)
    with pytest.raises(Exception, match="expected") as raised:
        import_coco(store, file, reviewer="Ben")
    assert str(file.parent) not in str(raised.value)
    assert len(corrections_of(store, clip)) == 1


def test_a_clip_of_another_data_set_is_refused(file, tmp_path):
    with ReviewStore.open(tmp_path / "other", create=True) as other:
        other.add_clip(clip_record(50))
        with pytest.raises(DatasetError, match="not in the data set other"):
            import_coco(other, file, reviewer="Ben")
        with pytest.raises(DatasetError, match="extract the data set first"):
            export_coco(other, tmp_path / "none")
