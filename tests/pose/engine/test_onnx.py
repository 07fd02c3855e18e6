"""ONNX Runtime with 8 bits: how near it comes to float32 on the shipped networks."""

import pytest
import torch

from gymform.pose.engine.onnx import OnnxEngine
from tests.pose.engine.tolerances import assert_near


@pytest.mark.parametrize("name", ["vitpose-ti", "vitpose-s"])
def test_keypoints_are_those_of_float32_within_tolerance(name, sample_crops):
    assert_near(name, lambda model: OnnxEngine(model.network, model.sha256), sample_crops)


def test_each_call_stays_in_its_thread(sample_crops):
    from gymform.pose.checkpoints import load_pose_model

    model = load_pose_model("vitpose-ti")
    engine = OnnxEngine(model.network, model.sha256)
    threads = torch.get_num_threads()
    engine.heatmaps(torch.zeros(1, 3, 256, 192))
    assert torch.get_num_threads() == threads
    assert engine._session.get_session_options().intra_op_num_threads == 1
