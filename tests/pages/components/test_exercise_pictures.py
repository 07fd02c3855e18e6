"""The exercises by name and picture on the start page."""

import importlib.util
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from gymform.errors import WeightsError
from gymform.exercises import EXERCISES
from gymform.weights import ModelEntry
from pages.components import exercise_pictures
from pages.components.exercise_pictures import PICTURES

SVG = "{http://www.w3.org/2000/svg}"
SCRIPT = Path(__file__).parents[3] / "scripts" / "draw_exercises.py"


def page():
    from pages.components.exercise_pictures import show_exercises

    show_exercises()


def lists(app: AppTest) -> list[str]:
    return [one.proto.body for one in app.get("html") if "<ul" in one.proto.body]


def model(*classes: str) -> ModelEntry:
    return ModelEntry(
        "mine", "exercise", "mine.safetensors", "0" * 64, 1, "own", "made up",
        {"classes": list(classes)}, Path(),
    )  # fmt: skip


@pytest.mark.parametrize("key", [one.key for one in EXERCISES])
def test_every_exercise_has_a_picture_that_moves_and_stays_inside(key):
    root = ET.parse(PICTURES / f"{key}.svg").getroot()
    side = float(root.get("viewBox").split()[2])
    moving = root.findall(f".//{SVG}animate")
    assert len(moving) > 2
    numbers = [
        float(number)
        for one in moving
        for number in one.get("values")
        .replace("M", " ")
        .replace("L", " ")
        .replace(";", " ")
        .split()
    ]
    assert min(numbers) >= 0
    assert max(numbers) <= side
    assert "prefers-reduced-motion" in root.find(f"{SVG}style").text


@pytest.fixture
def script(monkeypatch):
    spec = importlib.util.spec_from_file_location("draw_exercises", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_the_pictures_are_what_the_script_draws(script):
    for key in ("squat", "snatch"):
        assert (PICTURES / f"{key}.svg").read_text(encoding="utf-8") == script.drawing(key)


def test_a_repetition_begins_and_ends_at_rest(script):
    for key, shown in script.SHOWN.items():
        poses = script.one_repetition(shown.maker(np.random.default_rng(shown.seed)), shown.whole)
        away = np.linalg.norm(np.nan_to_num(poses - poses[0]), axis=-1).mean(1)
        assert len(poses) == script.POSES
        assert shown.whole or away[-1] < 0.2 * away.max(), key


def test_what_the_model_names_stands_apart_from_what_has_to_be_chosen(monkeypatch):
    monkeypatch.setattr(
        exercise_pictures, "manifest_entry", lambda *_: model("squat", "my <b>lift", "other")
    )
    named, others = lists(AppTest.from_function(page).run())
    assert (named.count("<li>"), named.count("<img")) == (2, 1)
    assert "Squat" in named
    assert "<b>" not in named
    assert others.count("<li>") == len(EXERCISES) - 1
    assert "Squat<" not in others


def test_without_a_model_none_is_named_by_itself(monkeypatch):
    def missing(*_):
        raise WeightsError("no manifest")

    monkeypatch.setattr(exercise_pictures, "manifest_entry", missing)
    (others,) = lists(AppTest.from_function(page).run())
    assert others.count("<li>") == len(EXERCISES)
