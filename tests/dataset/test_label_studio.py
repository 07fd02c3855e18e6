"""Label Studio's tasks: out and back without a change, and what somebody changed comes back."""

import json
import xml.etree.ElementTree as ET

import cv2
import numpy as np
import pytest

from gymform import skeleton as sk
from gymform.dataset.corrections import correct, corrected_poses, corrections_of, undo
from gymform.dataset.label_studio import export_tasks, import_tasks
from gymform.dataset.reviews import ReviewStore
from gymform.errors import DatasetError
from gymform.pose.corrections import HIDDEN, POINT, Correction
from tests.dataset.makers import SIZE, fill_store

ELBOW, NOSE, KNEE = sk.LEFT_ELBOW, sk.NOSE, sk.LEFT_KNEE


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
    return next(path for path in export_tasks(store, tmp_path / "tasks") if clip[:16] in path.name)


def annotate(path, changes=None, *, frames=(20, 21, 30)):
    """What Label Studio exports once somebody accepted the predictions of some frames, with
    ``changes``, functions that change a frame's result."""
    tasks = json.loads(path.read_text())
    for row in frames:
        result = json.loads(json.dumps(tasks[row]["predictions"][0]["result"]))
        result = (changes or {}).get(row, lambda found: found)(result)
        skipped = {"was_cancelled": True, "result": []}
        tasks[row]["annotations"] = [{"was_cancelled": False, "result": result}, skipped]
    path.write_text(json.dumps(tasks))


def put(keypoint, x, y):
    def change(result):
        (one,) = (
            one for one in result if one["value"]["keypointlabels"] == [sk.KEYPOINTS[keypoint]]
        )
        one["value"] |= {"x": 100 * x / SIZE[0], "y": 100 * y / SIZE[1]}
        return result

    return change


def without(keypoint):
    name = [sk.KEYPOINTS[keypoint]]
    return lambda result: [one for one in result if one["value"]["keypointlabels"] != name]


def test_what_nobody_changed_comes_back_as_nothing(store, clip, file):
    assert import_tasks(store, file, reviewer="Ben") == 0  # nobody annotated anything
    annotate(file)
    assert import_tasks(store, file, reviewer="Ben") == 0
    assert len(corrections_of(store, clip)) == 1


def test_what_was_changed_comes_back_as_corrections_that_one_undo_takes_back(store, clip, file):
    before = corrected_poses(store, clip).pose
    annotate(file, {20: put(KNEE, 50.25, 60.5), 21: without(NOSE)})
    assert import_tasks(store, file, reviewer="Ben") == 2
    after = corrected_poses(store, clip).pose
    assert after.xy[20, KNEE] == pytest.approx([50.25, 60.5], abs=1e-3)
    assert np.isnan(after.xy[21, NOSE]).all()
    assert after.xy[30, ELBOW].tolist() == [12.0, 34.0]
    assert [one.kind for one in corrections_of(store, clip)[1:]] == [POINT, HIDDEN]
    assert undo(store, clip, reviewer="Ben") == 2
    np.testing.assert_array_equal(corrected_poses(store, clip).pose.xy, before.xy)


def test_every_task_shows_its_frame_and_the_interface_knows_every_label(store, clip, file):
    tasks = json.loads(file.read_text())
    assert [task["data"]["frame"] for task in tasks] == list(range(90))
    for task in tasks[::30]:
        place = task["data"]["image"].partition("?d=")[2]
        picture = cv2.imread(str(file.parent / place))
        assert picture.shape == (SIZE[1], SIZE[0], 3)
    interface = ET.parse(file.parent / "interface.xml").getroot()
    names = [label.get("value") for label in interface.iter("Label")]
    assert names == list(sk.KEYPOINTS)
    (keypoints,) = interface.iter("KeyPointLabels")
    for one in tasks[0]["predictions"][0]["result"]:
        assert (one["from_name"], one["to_name"]) == (
            keypoints.get("name"),
            keypoints.get("toName"),
        )
        assert 0 <= one["value"]["x"] <= 100
        assert (one["original_width"], one["original_height"]) == SIZE


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "[1]", '[{"data": {}}]', "not json"],
)
def test_what_is_no_export_is_refused_in_words(store, file, text):
    file.write_text(text)
    with pytest.raises(DatasetError, match="expected tasks as Label Studio exports them"):
        import_tasks(store, file, reviewer="Ben")


@pytest.mark.parametrize(
    "broken",
    [
        lambda task: task["data"].update(frame=90),
        lambda task: task["data"].update(frame=-1),
        lambda task: task["data"].update(clip_sha256="0" * 64),
        lambda task: task["annotations"][0].update(result=[{"type": "keypointlabels"}]),
        lambda task: task["annotations"][0]["result"][0]["value"].update(x=float("nan")),
        lambda task: task["annotations"][0]["result"][0]["value"].update(keypointlabels=["tail"]),
        lambda task: task["annotations"].append(7),
    ],
)
def test_what_is_wrong_in_a_task_takes_nothing_over(store, clip, file, broken):
    annotate(file, {20: put(KNEE, 1.0, 1.0)})
    tasks = json.loads(file.read_text())
    broken(tasks[30])
    file.write_text(json.dumps(tasks))
    with pytest.raises(DatasetError, match="Nothing was taken over"):
        import_tasks(store, file, reviewer="Ben")
    assert len(corrections_of(store, clip)) == 1


def test_tasks_of_another_data_set_are_refused(file, tmp_path):
    with (
        ReviewStore.open(tmp_path / "other", create=True) as other,
        pytest.raises(DatasetError, match="not in the data set"),
    ):
        import_tasks(other, file, reviewer="Ben")


def test_a_data_set_without_keypoints_has_no_tasks(tmp_path):
    with (
        ReviewStore.open(tmp_path / "none", create=True) as none,
        pytest.raises(DatasetError, match="extract"),
    ):
        export_tasks(none, tmp_path / "tasks")
