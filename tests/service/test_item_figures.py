"""Figures of a repetition follow what people correct in its keypoints."""

import dataclasses

import numpy as np
import pytest

from gymform import skeleton as sk
from gymform.dataset.corrections import correct, undo
from gymform.dataset.reviews import ReviewStore
from gymform.errors import DatasetError, PoseFileError
from gymform.pose.corrections import POINT, Correction
from gymform.pose.files import save_poses
from gymform.service.item_figures import figures_of
from tests.dataset.makers import clip_record, item_of, quality_of
from tests.motion.makers import squat_sequence

RIGHT = squat_sequence(30.0, 4.0)
SPAN = np.arange(50, 70)
DRAGS = (50, 60, 69)


def wrong(joint):
    """The same squat with a joint far off in twenty frames."""
    xy = RIGHT.xy.copy()
    xy[SPAN, joint] += np.float32([70, -60])
    return dataclasses.replace(RIGHT, xy=xy)


@pytest.fixture
def store(tmp_path):
    with ReviewStore.open(tmp_path / "set", create=True) as opened:
        yield opened


def add(store, pose, number):
    clip = clip_record(number, duration_s=4.0)
    store.add_clip(clip)
    item = item_of(clip, end_s=4.0)
    store.set_extracted(clip.sha256, [item], [quality_of(number)])
    save_poses(store.files.poses(clip.sha256), pose)
    return clip.sha256, item.id


def drags(joint):
    return [
        Correction(POINT, float(RIGHT.time_s[row]), float(RIGHT.time_s[row]), (joint,),
                   *map(float, RIGHT.xy[row, joint]))
        for row in DRAGS
    ]  # fmt: skip


def apart(a, b):
    return float(np.abs(np.subtract(a.prediction.probabilities, b.prediction.probabilities)).max())


def measures(figures):
    return [[(m.key, round(m.value, 2)) for m in rep.measures] for rep in figures.form.repetitions]


@pytest.mark.parametrize("joint", [sk.LEFT_ELBOW, sk.LEFT_KNEE])
def test_three_drags_over_twenty_frames_bring_the_figures_back(store, joint):
    _, good = add(store, RIGHT, 1)
    sha256, bad = add(store, wrong(joint), 2)
    truth, before = figures_of(store, good), figures_of(store, bad)
    assert not before.corrected
    for one in drags(joint):
        correct(store, sha256, [one], reviewer="Ann")
    after = figures_of(store, bad)
    assert after.corrected
    assert apart(before, truth) > 1e-4
    assert apart(after, truth) < 0.05 * apart(before, truth) + 1e-4
    assert measures(after) == measures(truth)
    if joint == sk.LEFT_KNEE:
        assert measures(before) != measures(truth)
    for _ in DRAGS:
        undo(store, sha256, reviewer="Ann")
    assert apart(figures_of(store, bad), before) < 1e-6


def test_what_is_not_there_is_said(store):
    with pytest.raises(DatasetError):
        figures_of(store, "none")
    clip = clip_record(3)
    store.add_clip(clip, [item_of(clip)])
    with pytest.raises(PoseFileError):
        figures_of(store, item_of(clip).id)
