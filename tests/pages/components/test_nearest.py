"""The nearest clips below an answer: shown for the model in use, and for no other."""

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from gymform.exercise import classifier as clf
from gymform.exercise.nearest import POSES, Bank
from gymform.types import Neighbour, Prediction
from gymform.weights import ModelEntry, set_default, sha256_of, write_entry


@pytest.fixture
def sha256(tmp_path, monkeypatch):
    """The digest of the model in use, which holds two clips."""
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(tmp_path))
    path = tmp_path / "tcn.safetensors"
    poses = np.random.default_rng(0).uniform(-1, 1, (2, POSES, 17, 2)).astype(np.float32)
    bank = Bank(("squat", "<b>mine"), ("ann", "bob"), np.eye(2, 8), poses, np.ones(2))
    clf.write_networks(path, [torch.nn.Linear(1, 1)], bank)
    entry = ModelEntry("tcn", "exercise", path.name, sha256_of(path), path.stat().st_size, "MIT",
                       "made up", {}, tmp_path)  # fmt: skip
    write_entry(entry)
    set_default(entry)
    return entry.sha256


def show(sha256, label="squat", numbers=(0, 1)):
    def page(prediction):
        from pages.components.nearest import show_nearest

        show_nearest(prediction)

    nearest = tuple(Neighbour("squat", 0.9, number) for number in numbers)
    prediction = Prediction(("squat", "other"), (0.9, 0.1), label, None, sha256, nearest=nearest)
    app = AppTest.from_function(page, args=(prediction,), default_timeout=30).run()
    assert not app.exception
    return app


def body(app):
    return "".join(one.proto.body for one in app.get("html"))


def test_the_clips_are_shown_with_their_names(sha256):
    app = show(sha256)
    assert app.markdown[0].value == "Most like these:"
    assert body(app).count("<img") == 2


def test_names_are_text(sha256):
    assert "<b>" not in body(show(sha256))


@pytest.mark.parametrize("label", ["unknown", "other"])
def test_an_answer_that_names_none_says_what_it_is_near_to(sha256, label):
    assert "may be none of them" in show(sha256, label).markdown[0].value


def test_of_another_model_nothing_is_shown(sha256):
    assert not show("0" * 64).markdown


def test_a_number_that_the_model_does_not_have_is_left_out(sha256):
    assert body(show(sha256, numbers=(1, 7))).count("<img") == 1
