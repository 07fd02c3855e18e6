"""Pseudo-labels: kept where all augmented crops agree, and only there."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gymform.errors import ModelDataError
from gymform.pose.crops import cut_crop
from gymform.pose.estimator import PoseEstimator
from gymform.pose.files import save_poses
from gymform.skeleton import FLIP_ORDER, LEFT_WRIST, RIGHT_SHOULDER
from gymform.training.pose import pseudo_labels as pseudo
from gymform.training.pose.packs import standard_crop
from gymform.training.pose.pseudo_labels import (
    agreed,
    clips_with_poses,
    consensus,
    cut_with_margin,
    pseudo_labels,
)
from gymform.types import PoseSequence
from gymform.video.write import VideoWriter
from tests.pose.painted import dot_model, paint, person_at

FRAMES, FPS = 6, 6.0


def test_agreeing_predictions_become_labels():
    found = np.repeat(person_at(100, 50, 200)[None], 4, 0).astype(np.float32)
    score = np.full((4, 17), 0.8, np.float32)
    found[2, LEFT_WRIST] += 40  # one crop disagrees
    score[:, RIGHT_SHOULDER + 2] = 0.2  # all agree, with low scores
    found[1, 16] = np.nan
    labels = consensus(found, score)
    assert np.flatnonzero(labels[:, 2] == 0).tolist() == [RIGHT_SHOULDER + 2, LEFT_WRIST, 16]
    kept = labels[:, 2] > 0
    np.testing.assert_allclose(labels[kept, :2], found[0, kept], atol=1e-3)
    assert not labels[~kept].any()


def test_without_a_torso_nothing_is_known():
    found = np.repeat(person_at(100, 50, 200)[None], 4, 0)
    found[:, RIGHT_SHOULDER] = np.nan
    assert not consensus(found, np.ones((4, 17))).any()


class Ideal:
    """A perfect network: in mirrored crops, left joints are where right ones were."""

    padding = 1.1
    cut = staticmethod(cut_crop)

    def __init__(self, person, width):
        self.person, self.width = person, width

    def keypoints_in_crops(self, pixels, crops):
        self.crops = crops
        found = np.repeat(self.person[None], len(crops), 0).astype(np.float32)
        for i, (_, mirrored) in enumerate(pseudo.VARIANTS):
            if mirrored:
                assert (pixels[i] == pixels[0][:, ::-1]).all()
                found[i] = found[i][list(FLIP_ORDER)]
                found[i, :, 0] = self.width - 1 - found[i, :, 0]
        return found, np.ones((len(crops), 17), np.float32)


def test_mirrored_predictions_are_mirrored_back():
    person = person_at(130, 110, 190)
    labels = agreed(paint((288, 384), person), Ideal(person, 288))
    assert (labels[:, 2] == 2).all()
    np.testing.assert_allclose(labels[:, :2], person, atol=1e-3)


def test_a_teacher_sees_crops_of_its_own_padding():
    teacher = Ideal(person_at(130, 110, 190), 288)
    agreed(paint((288, 384), teacher.person), teacher)
    np.testing.assert_allclose(teacher.crops[0], standard_crop(288, 384, teacher.padding))


@pytest.fixture
def _no_mirror(monkeypatch):
    """The dots keep their colours, and so their names, in a mirror."""
    monkeypatch.setattr(pseudo, "VARIANTS", ((1.0, False), (0.87, False), (1.2, False)))


@pytest.mark.usefixtures("_no_mirror")
def test_a_person_of_dots_is_labelled_to_the_pixel():
    person = person_at(144, 110, 190)
    labels = agreed(paint((288, 384), person), PoseEstimator(dot_model()))
    body = labels[5:]
    assert (body[:, 2] > 0).all()
    assert np.abs(body[:, :2] - person[5:]).max() < 1.5


def test_a_network_that_ignores_its_input_labels_nothing():
    """It finds the same positions in every crop, so mirrored and scaled crops contradict."""

    class Stubborn(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.anchor = torch.nn.Parameter(torch.zeros(1))

        def forward(self, images, kept=None):
            maps = torch.zeros(len(images), 17, 64, 48)
            for k, (x, y) in enumerate(person_at(30, 8, 45).round().astype(int)):
                maps[:, k, y, x] = 1
            return maps

    model = replace(dot_model(), network=Stubborn().eval())
    labels = agreed(paint((288, 384)), PoseEstimator(model))
    assert (labels[:, 2] > 0).sum() < 3


def test_crops_are_cut_at_native_size_and_no_larger_than_stored():
    frame = paint((640, 480), person_at(320, 100, 280))
    small = cut_with_margin(frame, np.array([320, 240, 90.0, 120.0]))
    large = cut_with_margin(frame, np.array([320, 240, 300.0, 400.0]))
    assert small.shape == (180, 135, 3)
    assert large.shape == (384, 288, 3)


@pytest.fixture
def folder(tmp_path):
    """One clip of somebody who stands, with the keypoint file beside it."""
    person = person_at(160, 40, 170)
    (tmp_path / "squat").mkdir()
    with VideoWriter(tmp_path / "squat" / "one.mp4", width=320, height=240, fps=FPS) as writer:
        for i in range(FRAMES):
            writer.write(paint((320, 240), person), i / FPS)
    low, high = person.min(0) - 15, person.max(0) + 15
    pose = PoseSequence(
        xy=np.repeat(person[None], FRAMES, 0).astype(np.float32),
        score=np.ones((FRAMES, 17), np.float32),
        boxes=np.repeat(np.r_[low, high][None], FRAMES, 0).astype(np.float32),
        time_s=np.arange(FRAMES) / FPS,
        image_size=(320, 240),
    )
    save_poses(tmp_path / "squat" / "one.npz", pose)
    return tmp_path


@pytest.mark.usefixtures("_no_mirror")
def test_clips_become_a_pack_once(folder, tmp_path, monkeypatch):
    work = tmp_path / "work"
    work.mkdir()
    pack = pseudo_labels(folder, dot_model(), work)
    assert len(pack) == 2  # one second, a frame each half second
    assert set(pack.group) == {"clips/squat/one.mp4"}
    assert set(pack.dataset) == {"clips"}
    assert (pack.keypoints[:, 5:, 2] > 0).mean() > 0.9
    monkeypatch.setattr("gymform.training.pose.pseudo_labels.people_in", None)
    assert pseudo_labels(folder, dot_model(), work).digest() == pack.digest()


def test_a_folder_without_keypoint_files(folder):
    (folder / "squat" / "one.npz").unlink()
    with pytest.raises(ModelDataError, match="found none"):
        clips_with_poses(folder)
