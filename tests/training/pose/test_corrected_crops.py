"""Corrected frames become labels for a pose network: what a person put, and nothing doubtful."""

import numpy as np
import pytest

from gymform import skeleton as sk
from gymform.dataset.corrections import correct
from gymform.dataset.reviews import ReviewStore
from gymform.errors import DatasetError, ModelDataError
from gymform.pose.corrections import HIDDEN, POINT, Correction
from gymform.pose.crops import box_to_crop
from gymform.pose.files import load_poses
from gymform.training.pose.corrected_crops import DATASET, MAX_FRAMES, corrected_crops
from gymform.training.pose.packs import MARGIN, join, split
from gymform.training.pose.pseudo_labels import stored_size
from tests.dataset.makers import fill_store

ELBOW = sk.LEFT_ELBOW


@pytest.fixture
def store(tmp_path):
    with ReviewStore.open(tmp_path / "set", create=True) as opened:
        fill_store(opened, 2)
        yield opened


def drag(store, sha256, row, dx=4.0):
    pose = load_poses(store.files.poses(sha256))
    moment = float(pose.time_s[row])
    x, y = pose.xy[row, ELBOW].tolist()
    correct(store, sha256, [Correction(POINT, moment, moment, (ELBOW,), x + dx, y)], reviewer="Ann")
    return x + dx, y


def in_frame(pack, number, crop):
    """Keypoints of a picture of the pack in px of the film's frame."""
    width, height = stored_size(crop)
    size = crop[2:] * MARGIN
    return pack.keypoints[number, :, :2] / [width - 1, height - 1] * size + crop[:2] - size / 2


def test_a_placed_joint_is_a_label_where_it_was_put(store):
    sha256 = store.clips()[0].sha256
    x, y = drag(store, sha256, 30)
    pack = corrected_crops(store.folder)
    assert len(pack) == 1
    crop = box_to_crop(load_poses(store.files.poses(sha256)).boxes[[30]])[0]
    np.testing.assert_allclose(in_frame(pack, 0, crop)[ELBOW], [x, y], atol=0.01)
    assert pack.keypoints[0, ELBOW, 2] == 2
    assert pack.rgb(0).shape[:2] == stored_size(crop)[::-1]
    assert pack.dataset.tolist() == [DATASET]
    assert pack.group.tolist() == [f"{DATASET}/{store.clips()[0].group}"]


def test_frames_between_follow_and_are_not_too_many(store):
    sha256 = store.clips()[0].sha256
    for row in (10, 65):
        drag(store, sha256, row)
    assert len(corrected_crops(store.folder)) == MAX_FRAMES


def test_what_is_hidden_or_doubtful_is_no_label(store):
    sha256 = store.clips()[0].sha256
    drag(store, sha256, 30)
    correct(store, sha256, [Correction(HIDDEN, 0.9, 1.1, (sk.NOSE,))], reviewer="Ann")
    pack = corrected_crops(store.folder)
    assert (pack.keypoints[:, sk.NOSE, 2] == 0).all()
    pose = load_poses(store.files.poses(sha256))
    sure = (pose.score[30] >= 0.6).sum()
    assert (pack.keypoints[:, :, 2] == 2).sum(1).max() <= sure


def test_it_joins_a_pack_and_nobody_of_it_is_held_out(store):
    drag(store, store.clips()[0].sha256, 30)
    drag(store, store.clips()[1].sha256, 40)
    pack = corrected_crops(store.folder)
    rows, validation = split(join(pack, pack))
    assert len(rows) == 4
    assert validation == {}


def test_without_corrections_it_says_what_to_do(store, tmp_path):
    with pytest.raises(ModelDataError, match="nobody has corrected"):
        corrected_crops(store.folder)
    with pytest.raises(DatasetError, match="There is no data set"):
        corrected_crops(tmp_path / "none")
