"""Which networks an analysis uses, and how."""

import pytest

from gymform.errors import WeightsError
from gymform.pose import networks
from gymform.pose.networks import load_estimators, smallest_entry
from gymform.weights import read_manifest


def test_the_small_network_goes_ahead_of_the_default():
    found = load_estimators(flip_test=True)
    assert found.main.model.name == "vitpose-s"
    assert found.scout is not None
    assert found.scout.model.name == "vitpose-ti"
    assert found.main.flip_test
    assert not found.scout.flip_test


def test_the_small_network_alone_has_none_ahead_of_it():
    found = load_estimators("vitpose-ti")
    assert found.main.model.name == "vitpose-ti"
    assert found.scout is None


def test_exact_is_one_network_in_float32():
    found = load_estimators(exact=True)
    assert found.scout is None
    assert found.main.engine.name == "torch-fp32"


def test_networks_and_engines_stay_loaded():
    first, second = load_estimators(), load_estimators()
    assert first.main.engine is second.main.engine
    assert first.scout.engine is second.scout.engine


def test_an_engine_named_in_the_environment_is_used(monkeypatch):
    monkeypatch.setenv("GYMFORM_POSE_ENGINE", "torch-fp32")
    networks.loaded.cache_clear()
    assert load_estimators().main.engine.name == "torch-fp32"
    networks.loaded.cache_clear()


def test_the_smallest_is_the_smallest():
    entry = smallest_entry()
    manifest = read_manifest()
    if manifest.default_live is None:
        sizes = {m.name: m.bytes for m in manifest.models if m.kind == "pose"}
        assert entry.name == min(sizes, key=sizes.get)


@pytest.mark.parametrize("config", [{}, {"depth": "many", "dim": 3}, {"depth": 12}])
def test_a_manifest_without_sizes_is_refused(config):
    with pytest.raises(WeightsError, match="depth and dim"):
        networks._work_of(config)
