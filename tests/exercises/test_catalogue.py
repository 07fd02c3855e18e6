"""Exercises are defined in one place: one that is added there is known everywhere."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gymform import exercises as ex
from gymform.exercises import catalogue
from gymform.form.metrics import COMPUTED
from gymform.form.quantities import QUANTITIES, RESTS_ON
from gymform.motion.signals import SIGNALS
from gymform.training.exercise.model_card import _number

PROJECT = Path(__file__).resolve().parents[2]


def test_keys_and_aliases_name_one_exercise_each():
    names = [name for one in ex.EXERCISES for name in (one.key, *one.aliases)]
    assert len(names) == len(set(names))
    assert all(name == name.lower() and " " not in name for name in names)


@pytest.mark.parametrize("name", ["squat", "Squat", "back squat", "Back-Squat", "back_squat"])
def test_an_exercise_is_found_by_key_or_alias_however_it_is_written(name):
    assert ex.find_exercise(name) is ex.SQUAT


@pytest.mark.parametrize("name", ["", "other", "unknown", "squats everywhere"])
def test_what_is_not_known_is_not_found(name):
    assert ex.find_exercise(name) is None


@pytest.mark.parametrize("one", ex.EXERCISES, ids=lambda one: one.key)
def test_every_measure_can_be_taken_and_every_rule_has_its_measure(one):
    keys = set()
    for wanted in one.measures:
        if isinstance(wanted, ex.At | ex.Most | ex.Spread):
            assert wanted.quantity in QUANTITIES
            assert RESTS_ON[wanted.quantity]
            assert wanted.key not in keys
            keys.add(wanted.key)
        if isinstance(wanted, ex.At):
            assert wanted.moment in ("bottom", "top")
            assert one.has_phases
        elif isinstance(wanted, ex.Computed):
            assert wanted.name in COMPUTED
            keys.add(wanted.name)
    computed = {
        "overhead_catch": {"catch_elbow", "press_out", "catch_ahead"},
        "jerk": {"catch_elbow", "press_out", "catch_ahead"},
        "rack": {"rack_elbow"},
    }
    keys = keys.union(*(computed.get(name, set()) for name in keys))
    assert {rule.key for rule in one.rules} <= keys
    assert one.signal is None or one.signal.name in SIGNALS
    assert all(rule.basis and "{value}" in rule.means and rule.margin > 0 for rule in one.rules)


def test_the_trained_classes_have_their_shares():
    assert {"snatch", "deadlift", "squat"} <= set(ex.trained_classes())
    assert ex.trained_classes()[-1] == "other"
    assert list(ex.training_shares()) == list(ex.trained_classes())
    assert sum(ex.training_shares().values()) == pytest.approx(1)
    assert ex.class_of("squat") == ex.class_of("Front squat") == "squat"
    assert ex.class_of("burpee") == ex.class_of("other") == "other"


@pytest.mark.parametrize(
    ("variant", "exercise"),
    [
        ("overhead_squat", "squat"),
        ("clean", "clean_and_jerk"),
        ("split_squat", "lunge"),
        ("push_press", "overhead_press"),
        ("crunch", "sit_up"),
        ("pushup", "push_up"),
        ("pullup", "pull_up"),
        ("situp", "sit_up"),
        ("jumping_jacks", "jumping_jack"),
    ],
)
def test_a_variant_is_trained_as_its_exercise(variant, exercise):
    assert ex.find_exercise(variant).key == exercise
    assert ex.class_of(variant) in (exercise, "other")


def test_what_the_shipped_classifier_does_not_know_is_other(monkeypatch):
    unknown = replace(ex.SQUAT, training_share=None)
    monkeypatch.setattr(catalogue, "EXERCISES", (unknown,))
    assert ex.class_of("squat") == ex.class_of("back_squat") == "other"


def test_names_for_people():
    assert ex.title_of("clean_and_jerk") == "Clean and jerk"
    assert ex.title_of("other") == "Another exercise"
    assert ex.name_of("unknown") == "unknown exercise"
    assert ex.name_of("deadlift") == "deadlift"
    assert ex.name_of("romanian_deadlift") == "Romanian deadlift"
    assert ex.find_exercise("overhead press").article == "an"
    assert ex.listed(["a", "b", "c"]) == "a, b or c"
    assert ex.listed(["a", "b"], "and") == "a and b"
    assert ex.listed(["a"]) == "a"


MADE_UP = """
from gymform.exercises.definition import At, Computed, Rule

MADE_UP = Exercise(
    "made_up_press",
    "Made-up press",
    aliases=("barbell_made_up_press",),
    moving=(5, 6, 7, 8, 9, 10),
    phases_by=(9, 10),
    measures=(
        At("low_elbow", "Elbow angle at the chest", "elbow", "bottom"),
        At("high_elbow", "Elbow angle at the top", "elbow", "top"),
        Computed("times"),
    ),
    rules=(
        Rule("low_elbow", 100.0, 10.0, False, "Down to the chest", "The bar stops high",
             "At the chest the elbow angle is {value}.", "Made up."),
        Rule("high_elbow", 155.0, 10.0, True, "The arms are locked out", "The arms stay bent",
             "At the top the elbow angle is {value}.", "Made up."),
    ),
    training_share=0.1,
)
"""

SEE_IT = """
import json, sys
from pathlib import Path
import numpy as np
from streamlit.testing.v1 import AppTest
from gymform import cli, exercises
from gymform.form.cues import assess_form
from gymform.form.metrics import measure
from gymform.types import Prediction
from gymform.training.exercise import model_card
from gymform.weights import ModelEntry
from tests import fakes
from tests.form.figures import film, once, squat
from tests.motion.makers import sequence

root, out = map(Path, sys.argv[1:])
assert Path(exercises.__file__).is_relative_to(root), exercises.__file__

# somebody in a squat whose arms go up and down beside it: elbows bend and stretch
u = once(30)
points = squat(u)
for side, (shoulder, elbow, wrist) in enumerate(((5, 7, 9), (6, 8, 10))):
    bend = np.radians(20 + 130 * u)
    arm = 0.17
    points[:, elbow] = points[:, shoulder] + arm * np.stack(
        [np.sin(bend / 2), 0 * bend, np.cos(bend / 2)], 1)
    points[:, wrist] = points[:, elbow] + arm * np.stack(
        [-np.sin(bend / 2), 0 * bend, np.cos(bend / 2)], 1)
pose, tracks = film(points, 90)
prediction = Prediction(("made_up_press", "other"), (0.9, 0.1), "made_up_press", None, "")
form = assess_form(pose, tracks, fakes.make_quality(), prediction)
analysis = fakes.make_analysis(12, prediction=prediction, form=form)

def page():
    import streamlit as st
    from pages.components.form import show_cues, show_measures
    from gymform.movement_patterns import shown_title
    analysis = st.session_state["analysis"]
    st.title(shown_title(analysis.prediction))
    show_cues(analysis.form, lambda cue: None)
    show_measures(analysis.form)

app = AppTest.from_function(page, default_timeout=60)
app.session_state["analysis"] = analysis
app.run()
start = AppTest.from_file(str(root / "app.py"), default_timeout=60).run()
read = lambda app: [*(str(e.value) for kind in (app.title, app.markdown) for e in kind),
                    *(e.proto.body for e in app.get("html"))]

entry = ModelEntry(name="m", kind="exercise", file="m.safetensors", sha256="ab" * 32, bytes=1,
    licence="", provenance="", folder=out, config={
    "networks": 1, "channels": 4, "temperature": 1.0})
model_card.write(out / "m.md", entry, {}, {"folds": 2}, "command")
print(json.dumps({
    "errors": [str(e.value) for a in (app, start) for e in a.exception],
    "cues": [cue.title for cue in form.cues],
    "page": read(app), "start": read(start),
    "terminal": cli._summary("a.mp4", analysis, out),
    "card": (out / "m.md").read_text(),
}))
"""


def test_an_exercise_that_is_added_in_one_file_is_known_in_page_terminal_and_card(tmp_path):
    """Nothing but the package of exercises is touched, in a copy of the source."""
    root, out = tmp_path / "copy", tmp_path / "out"
    out.mkdir()
    (tmp_path / "see_it.py").write_text(SEE_IT)
    for name in ("gymform", "pages", ".streamlit"):
        shutil.copytree(
            PROJECT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "*.mp4")
        )
    shutil.copy(PROJECT / "app.py", root)
    path = root / "gymform" / "exercises" / "catalogue.py"
    source = path.read_text()
    path.write_text(f"{source}\n{MADE_UP.strip()}\nEXERCISES += (MADE_UP,)\n")
    result = subprocess.run(
        [sys.executable, str(tmp_path / "see_it.py"), str(root), str(out)],
        cwd=root,
        env={**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{PROJECT}"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    seen = json.loads(result.stdout.splitlines()[-1])
    assert seen["errors"] == []
    assert "The arms are locked out" in seen["cues"]
    assert seen["page"][0] == "Made-up press"
    assert any("The arms are locked out" in text for text in seen["page"])
    assert any("<span>Made-up press</span>" in text for text in seen["start"])
    assert "a.mp4: made-up press" in seen["terminal"]
    assert "The arms are locked out. At the top the elbow angle is" in seen["terminal"]
    assert "a made-up press" in seen["card"]
    count = _number(len(ex.trained_exercises()) + 1)
    assert f"clips of the {count} that are named" in seen["card"]
    assert "| made_up_press | other |" in seen["card"]
