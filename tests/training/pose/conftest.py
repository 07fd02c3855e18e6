"""Fixtures of the tests of training: painted people, one thread, tiny networks."""

import pytest
import torch

from gymform.training.pose import train
from tests.pose.packs import small_pack
from tests.training.pose.makers import TINY


@pytest.fixture(scope="module")
def pack():
    return small_pack()


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def tiny_sizes(monkeypatch):
    monkeypatch.setattr(train, "SIZES", dict.fromkeys(train.SIZES, TINY))
