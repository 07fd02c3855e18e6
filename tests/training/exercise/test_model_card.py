"""The model card of the exercise classifier: numbers by source, terms, limits."""

import hashlib
import math

import numpy as np
import pytest

from gymform.exercises import trained_exercises
from gymform.training.exercise import model_card
from gymform.training.exercise.model_card import Judged, headline
from gymform.training.exercise.samples import CLASSES
from gymform.training.exercise.tracks import LabelledPose
from gymform.types import OTHER
from gymform.weights import ModelEntry
from tests.motion.makers import squat_sequence


def item(label, action=None, group="g", source="clips"):
    return LabelledPose("x", label, action or label, group, source, squat_sequence(12.0, 1.0))


def sure_of(*labels, confidence=0.97):
    """Probabilities of predictions that say ``labels``."""
    rest = (1 - confidence) / (len(CLASSES) - 1)
    rows = np.full((len(labels), len(CLASSES)), rest)
    rows[np.arange(len(labels)), [CLASSES.index(label) for label in labels]] = confidence
    return rows


KNOWN = [name for name in CLASSES if name != OTHER]


def test_the_headline_of_perfect_answers():
    judged = Judged([item(name) for name in CLASSES], sure_of(*CLASSES))
    assert headline(judged) == pytest.approx({
        "all classes": 1, "known exercises": 1, "first three": 1, "lowest recall": 1,
        "calibration error": 0.03,
    })  # fmt: skip


def test_known_exercises_are_told_apart_among_themselves():
    """A squat taken for something else counts, if it is nearest to a squat among the known."""
    first, second = KNOWN[:2]
    row = sure_of(OTHER)
    row[0, CLASSES.index(second)] += 0.001
    judged = Judged([item(second), item(first)], np.concatenate([row, sure_of(second)]))
    numbers = headline(judged)
    assert numbers["all classes"] == 0
    assert numbers["known exercises"] == 0.5


def test_without_known_exercises_there_is_no_number_for_them():
    assert math.isnan(headline(Judged([item(OTHER)], sure_of(OTHER)))["known exercises"])


def card_of(folder, judged, command="python -m gymform train-exercise", taught=None):
    weights = folder / "tiny.safetensors"
    weights.write_bytes(b"weights")
    config = {"networks": 2, "channels": 16, "temperature": 1.25}
    entry = ModelEntry.of(
        weights, name="tiny", kind="exercise", licence="MIT", provenance="", config=config
    )
    model_card.write(folder / "tiny.md", entry, judged, {"folds": 3, "batch_size": 8}, command,
                     taught)  # fmt: skip
    return (folder / "tiny.md").read_text()


def test_the_card_counts_by_exercise_class_and_source(tmp_path):
    first = KNOWN[0]
    clips = Judged(
        [item(first, group="a"), item(first, group="b"), item(OTHER, "row", group="b")],
        sure_of(first, OTHER, first),
    )
    turned = Judged([item(first, source="snatch3d turned")], sure_of(first))
    text = card_of(tmp_path, {"clips": clips, "snatch3d turned": turned})
    for words in ("# tiny", "2 networks of 16 channels", "7 bytes", "Temperature 1.25",
                  hashlib.sha256(b"weights").hexdigest(), "### clips (3)",
                  f"| {first} | 2 | 1 | other 1 |", f"| row | 1 | 0 | {first} 1 |",
                  "3-fold cross-validation", "folds 3, batch size 8",
                  "```\npython -m gymform train-exercise\n```"):  # fmt: skip
        assert words in text
    counts = " | ".join(str({first: 2, OTHER: 1}.get(name, 0)) for name in CLASSES)
    assert f"| clips | {counts} | 2 |" in text
    assert "| snatch3d turned |" not in text  # the same tracks: not counted again
    assert "- **snatch3d turned**: The same tracks" in text


def test_no_exercise_is_forgotten(tmp_path):
    text = card_of(tmp_path, {"clips": Judged([item(OTHER)], sure_of(OTHER))})
    for exercise in trained_exercises():
        assert f"{exercise.article} {exercise.name}" in text.replace("\n", " ")


@pytest.mark.parametrize(("count", "word"), [(0, "no"), (4, "four"), (12, "twelve"), (13, "13")])
def test_small_numbers_are_words(count, word):
    assert model_card._number(count) == word


def test_the_card_says_what_candidates_and_thresholds_keep(tmp_path):
    first, second = KNOWN[:2]
    labels = [first, second, OTHER, first] * 10
    said = [first, second, first, first] * 10
    clips = Judged([item(name) for name in labels], sure_of(*said), fold=np.arange(40) % 4)
    text = " ".join(card_of(tmp_path, {"clips": clips}).split())
    assert "promised to hold the right class in 95% of the clips" in text
    assert "Of the clips of `other`, 100.0% are called an exercise with more than 80 %" in text


def test_the_card_names_classes_that_were_judged_on_few_people(tmp_path):
    many = [item(KNOWN[0], group=f"g{i}") for i in range(4)]
    clips = Judged([*many, item(KNOWN[1])], sure_of(*[KNOWN[0]] * 4, KNOWN[1]))
    text = " ".join(card_of(tmp_path, {"clips": clips}).split())
    few = text.split("fewer than four people or sources: ")[1].split(". ")[0]
    named = {one.key: one.name for one in trained_exercises()}
    assert f"{named[KNOWN[1]]} (1)" in few
    assert f"{named[KNOWN[0]]} (" not in few
    counts = "| class | precision | recall | F1 | clips | groups |"
    assert counts in text


def test_how_clips_were_filmed_is_counted(tmp_path):
    filmed = [{"view": "side"}, {"view": "side"}, {"view": "front"}]
    said = sure_of(KNOWN[0], OTHER, KNOWN[0])
    clips = Judged([item(KNOWN[0])] * 3, said, conditions=filmed)
    text = card_of(tmp_path, {"clips": clips})
    assert "| view | front | 1 | 1.000 |" in text
    assert "| view | side | 2 | 0.500 |" in text


def test_exercises_that_are_taught_but_not_named_are_listed_with_their_recall(tmp_path):
    classes = ("squat", OTHER)
    clips = Judged([item("squat"), item(OTHER, "row")], np.eye(2), classes)
    text = card_of(tmp_path, {"clips": clips}, taught={"squat": 0.9, "row": 0.514})
    words = " ".join(text.split())
    assert "are `other` in all answers and figures here: row (0.51)." in words
    assert "squat (0.9" not in words
    assert "| clips | 1 | 1 | 1 |" in text
    assert "All classes 1.000, exercises 1.000" in text


def test_where_all_that_is_taught_is_named_nothing_is_said(tmp_path):
    clips = Judged([item("squat"), item(OTHER)], np.eye(2), ("squat", OTHER))
    assert "were taught more" not in card_of(tmp_path, {"clips": clips}, taught={"squat": 0.9})


def test_how_often_the_nearest_clip_is_of_the_same_class_is_said(tmp_path):
    clips = Judged([item(KNOWN[0])] * 3, sure_of(*[KNOWN[0]] * 3), nearest=[True, True, False])
    assert "shows the same class in 2 of 3." in " ".join(
        card_of(tmp_path, {"clips": clips}).split()
    )
