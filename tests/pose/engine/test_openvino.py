"""OpenVINO, where it is installed."""

import pytest

from gymform.pose.engine.openvino import OpenVinoEngine
from tests.pose.engine.tolerances import assert_near

pytest.importorskip("openvino", reason="needs requirements-openvino.txt")


def test_keypoints_are_those_of_float32_within_tolerance(sample_crops):
    assert_near(
        "vitpose-s", lambda model: OpenVinoEngine(model.network, model.sha256), sample_crops
    )
