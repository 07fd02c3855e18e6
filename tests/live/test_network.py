"""One small network, shared by all sessions."""

from __future__ import annotations

import gc
import json

import pytest
import torch

from gymform import weights
from gymform.live import network as live_network
from gymform.pose.networks import smallest_entry
from tests.pose.painted import dot_model


def manifest(folder, dims: dict[str, int], present: set[str], **more):
    models = []
    for name, dim in dims.items():
        models.append(
            {
                "name": name,
                "kind": "pose",
                "file": f"{name}.safetensors",
                "sha256": "a" * 64,
                "bytes": 1,
                "licence": "MIT",
                "provenance": "made up",
                "config": {"dim": dim, "depth": 12},
            }
        )
        if name in present:
            (folder / f"{name}.safetensors").touch()
    content = {"schema": 1, "default_pose": next(iter(dims)), "models": models, **more}
    (folder / weights.MANIFEST).write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("present", "more", "expected"),
    [
        ({"small", "tiny"}, {}, "tiny"),
        ({"small"}, {}, "small"),
        (set(), {}, "base"),
        ({"small", "tiny"}, {"default_live": "small"}, "small"),
    ],
)
def test_the_fastest_embedded_network_is_chosen(tmp_path, monkeypatch, present, more, expected):
    manifest(tmp_path, {"base": 768, "small": 384, "tiny": 192}, present, **more)
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(tmp_path))
    assert smallest_entry().name == expected


def test_a_loaded_network_leaves_a_processor_and_the_garbage_collector_alone(monkeypatch):
    threads = torch.get_num_threads()
    gc.unfreeze()
    monkeypatch.setattr(live_network, "load_pose_model", lambda name, device: dot_model())
    try:
        live_network.load_live_network()
        assert torch.get_num_threads() == 1
        assert gc.get_freeze_count() > 10_000  # what was imported is not scanned again
    finally:
        gc.unfreeze()
        torch.set_num_threads(threads)
