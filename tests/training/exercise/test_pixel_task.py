"""The task on pixels: classes come equally often, judging averages the mirror image."""

import copy
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gymform.exercise.networks.registry import family_of
from gymform.timing import ignore_progress
from gymform.training.exercise.corpus import read_corpus
from gymform.training.exercise.pixel_task import PixelTask
from gymform.training.exercise.records import TrainOptions
from tests.exercise.makers import make_dataset


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    corpus = read_corpus(make_dataset(tmp_path_factory.mktemp("lifts"), 3, video=True))
    options = TrainOptions("frame-cnn", steps=2, width=4, frames=2, size=32)
    return PixelTask(corpus, family_of("frame-cnn"), options, ignore_progress)


def network_of(task):
    torch.manual_seed(0)
    return task.build().eval().to(task.device)


def test_batches_hold_pictures_of_the_asked_size(task):
    batches = list(task.batches(network_of(task), np.arange(6), seed=0))
    assert len(batches) == 2
    for (clips,), labels in batches:
        assert clips.shape == (family_of("frame-cnn").batch, 3, 2, 32, 32)
        assert labels.dtype == torch.int64
        assert len(labels) == len(clips)


def test_another_seed_draws_other_batches(task):
    first, again, other = (
        next(task.batches(network_of(task), np.arange(6), seed))[0][0] for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_clip_and_its_mirror_image_are_judged_alike(task, monkeypatch):
    network = network_of(task)
    even = [pictures[:, :36, :36] for pictures in task._pictures]  # cropped to 32 in the middle
    monkeypatch.setattr(task, "_pictures", even)
    logits = task.logits([network], [0, 3])
    monkeypatch.setattr(task, "_pictures", [pictures[:, :, ::-1] for pictures in even])
    np.testing.assert_allclose(task.logits([network], [0, 3]), logits, atol=1e-5)


def test_an_ensemble_gives_the_mean_of_its_networks(task):
    one, other = network_of(task), task.build().eval().to(task.device)
    both = task.logits([one, other], [2])
    alone = [task.logits([network], [2]) for network in (one, other)]
    assert np.abs(alone[0] - alone[1]).max() > 1e-3
    np.testing.assert_allclose(both, np.mean(alone, 0), atol=1e-6)


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from("abc")), min_size=1, max_size=20))
def test_classes_are_drawn_equally_and_large_groups_less_often(task, items):
    drawn = copy.copy(task)
    drawn.labels = np.array([label for label, _ in items])
    drawn.groups = [group for _, group in items]
    weight = drawn._weight(np.arange(len(items)))
    assert weight.sum() == pytest.approx(1)
    classes = np.unique(drawn.labels)
    for label in classes:
        assert weight[drawn.labels == label].sum() == pytest.approx(1 / len(classes))
    count = Counter(items)
    for one, first in zip(items, weight, strict=True):
        for other, second in zip(items, weight, strict=True):
            if one[0] == other[0]:
                assert first / second == pytest.approx((count[other] / count[one]) ** 0.5)
