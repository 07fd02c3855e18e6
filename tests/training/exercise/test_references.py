"""The clips that a trained model keeps: each as its networks see it, with a skeleton to look at."""

from dataclasses import replace

import numpy as np
import torch

from gymform.exercise import classifier as clf
from gymform.exercise.features import NUM_FEATURES
from gymform.exercise.nearest import POSES
from gymform.exercise.networks.tcn import TCN, TCNConfig
from gymform.motion.clean import clean
from gymform.training.exercise.references import make_bank, make_references
from tests.exercise.makers import made_up


def networks(count=2):
    torch.manual_seed(0)
    return [TCN(TCNConfig(NUM_FEATURES, 4, channels=16)).eval() for _ in range(count)]


def test_each_clip_is_its_own_nearest():
    clips, made = made_up(), networks()
    bank = make_bank(made, make_references(clips))
    assert len(bank.exercises) == len(clips)
    assert bank.embeddings.shape == (len(clips), 2 * 2 * 16)
    np.testing.assert_allclose(np.linalg.norm(bank.embeddings, axis=1), 1, atol=1e-5)
    for row, clip in enumerate(clips):
        seen = clf.look(made, clf.cut(clean(clip.pose)))[1]
        found = bank.nearest(seen)[0]
        assert found.likeness > 1 - 1e-5
        assert bank.embeddings[row] @ seen > 1 - 1e-5
        assert bank.exercises[row] == clip.action


def test_what_is_shown_is_a_repetition_in_statures():
    bank = make_bank(networks(), make_references(made_up()))
    assert bank.poses.shape[1:] == (POSES, 17, 2)
    assert np.nanmax(np.abs(bank.poses)) < 1.5
    assert (bank.seconds > 0.3).all()


def test_a_clip_in_which_little_is_seen_is_not_kept():
    clips = made_up()
    pose = clips[0].pose
    xy, score = pose.xy.copy(), pose.score.copy()
    xy[:, 9:], score[:, 9:] = np.nan, 0
    hidden = replace(pose, xy=xy, score=score)
    assert len(make_references([replace(clips[0], pose=hidden), *clips[1:]])) == len(clips) - 1


def test_nothing_to_keep_is_no_bank():
    assert make_bank(networks(), []) is None
