"""Which engine is chosen: by name, by measurement, and what happens when one does not work."""

import json
from dataclasses import replace

import pytest
import torch

from gymform.errors import OptionsError
from gymform.pose.checkpoints import LoadedPose
from gymform.pose.engine import choice
from gymform.pose.engine.choice import available_engines, chosen_engine, make_engine, measured
from gymform.pose.vitpose import ViTPose, ViTPoseConfig


@pytest.fixture(scope="module")
def model() -> LoadedPose:
    torch.manual_seed(0)
    config = replace(ViTPoseConfig(), dim=48, depth=2, heads=4)
    return LoadedPose(ViTPose(config).eval(), "small", "c" * 64, config)


@pytest.fixture(autouse=True)
def _unnamed(monkeypatch):
    monkeypatch.delenv(choice.VARIABLE, raising=False)


def pretend(monkeypatch, **ms: float) -> list[str]:
    """Let measuring give these times; the names that were measured."""
    asked: list[str] = []

    def milliseconds(engine, _model):
        asked.append(engine.name)
        return ms[engine.name]

    monkeypatch.setattr(choice, "_milliseconds", milliseconds)
    monkeypatch.setattr(choice, "available_engines", lambda: ("torch", "torch-fp32", *ms))
    return asked


def test_the_fastest_is_chosen_and_measured_once(model, monkeypatch):
    asked = pretend(monkeypatch, torch=20.0, onnxruntime=9.0)
    assert measured() is None
    assert chosen_engine(model).name == "onnxruntime"
    count = len(asked)
    assert set(asked) == {"torch", "onnxruntime"}  # the exact one is for comparison
    assert chosen_engine(model).name == "onnxruntime"
    assert len(asked) == count
    assert measured() == {"torch": 20.0, "onnxruntime": 9.0}


@pytest.mark.parametrize(("ms", "chosen"), [(17.0, "torch"), (15.0, "onnxruntime")])
def test_another_engine_has_to_be_worth_its_memory(model, monkeypatch, ms, chosen):
    pretend(monkeypatch, torch=20.0, onnxruntime=ms)
    assert chosen_engine(model).name == chosen


def test_measured_for_real_it_gives_times(model):
    times = choice.measure(model)
    assert {"torch", "onnxruntime"} <= set(times)
    assert all(ms > 0 for ms in times.values())


def test_another_machine_measures_anew(model, monkeypatch):
    pretend(monkeypatch, torch=20.0, onnxruntime=9.0)
    chosen_engine(model)
    monkeypatch.setattr(choice, "machine", lambda: {"processor": "another"})
    assert measured() is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"ms": 3}', '{"ms": {"torch": "x"}}'])
def test_a_damaged_record_counts_as_none(text):
    choice._record().write_text(text)
    assert measured() is None


def test_a_name_in_the_environment_counts_before_what_is_fastest(model, monkeypatch):
    asked = pretend(monkeypatch, torch=20.0, onnxruntime=9.0)
    monkeypatch.setenv(choice.VARIABLE, "torch-fp32")
    assert chosen_engine(model).name == "torch-fp32"
    assert chosen_engine(model, "onnxruntime").name == "onnxruntime"
    assert asked == []


def test_an_engine_that_fails_is_left_out_and_torch_remains(model, monkeypatch):
    def broken(engine, _model):
        if engine.name != "torch":
            raise RuntimeError("no such instruction")
        return 20.0

    monkeypatch.setattr(choice, "_milliseconds", broken)
    assert chosen_engine(model).name == "torch"
    assert set(measured()) == {"torch"}


def test_the_fastest_gives_way_when_it_no_longer_works(model, monkeypatch):
    pretend(monkeypatch, torch=20.0, onnxruntime=9.0)
    chosen_engine(model)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(choice, "OnnxEngine", full)
    assert chosen_engine(model).name == "torch"


def test_a_disk_that_takes_no_record_stops_nobody(model, monkeypatch):
    pretend(monkeypatch, torch=20.0)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(choice, "atomic_path", full)
    assert chosen_engine(model).name == "torch"


@pytest.mark.parametrize(
    ("name", "said"), [("tensorrt", "Expected an engine"), ("openvino", "not installed")]
)
def test_unknown_and_missing_engines_are_refused_in_words(model, monkeypatch, name, said):
    monkeypatch.setattr(choice, "available_engines", lambda: ("torch",))
    with pytest.raises(OptionsError, match=said):
        make_engine(name, model)


def test_what_is_installed_is_available():
    assert {"torch", "torch-fp32", "onnxruntime"} <= set(available_engines())


def test_the_record_says_on_what_it_was_measured(model, monkeypatch):
    pretend(monkeypatch, torch=20.0)
    chosen_engine(model)
    kept = json.loads(choice._record().read_text())
    assert kept["machine"]["versions"]["torch"] == torch.__version__
