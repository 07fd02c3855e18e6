"""On how many cores PyTorch computes."""

import pytest
import torch

from gymform.threads import one_core


@pytest.fixture
def two_cores():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_cores")
def test_one_core_is_for_a_while():
    with one_core():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_cores")
def test_errors_give_the_cores_back():
    with pytest.raises(ValueError, match="stop"), one_core():
        raise ValueError("stop")
    assert torch.get_num_threads() == 2
