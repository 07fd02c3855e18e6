"""Tasks: every family gets balanced batches and judges whole items."""

import numpy as np
import pytest
import torch

from gymform.exercise.networks.registry import family_of
from gymform.training.exercise.corpus import read_corpus
from gymform.training.exercise.records import TrainOptions
from gymform.training.exercise.tasks import make_task
from tests.exercise.makers import make_dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("lifts"), 3, video=True)


@pytest.fixture(scope="module")
def corpus(dataset):
    return read_corpus(dataset)


@pytest.mark.parametrize("model", ["tcn", "stgcn", "gru", "frame-cnn", "r2plus1d", "vivit"])
def test_batches_hold_both_classes_of_the_rows_and_judging_gives_a_row_each(corpus, model):
    options = TrainOptions(model, steps=8, views=40, width=4, frames=4, size=32)
    family = family_of(model)
    task = make_task(corpus, family, options)
    torch.manual_seed(0)
    network = family.build(2, 4)
    two = np.flatnonzero(np.isin(task.groups, ["person-0", "person-1"]))  # of three
    batches = list(task.batches(network, two, seed=0))
    assert len(batches) == 8
    labels = torch.cat([labels for _, labels in batches])
    assert set(labels.tolist()) == {0, 1}
    assert 0.2 < labels.double().mean() < 0.8
    again = list(task.batches(network, two, seed=0))
    assert all(torch.equal(a[0][0], b[0][0]) for a, b in zip(batches, again, strict=True))
    logits = task.logits([network.eval()], [0, 5])
    assert logits.shape == (2, 2)
    assert np.isfinite(logits).all()
