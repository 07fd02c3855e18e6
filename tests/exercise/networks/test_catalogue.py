"""The catalogue is what people read of the families: complete, light, and true."""

import subprocess
import sys

import pytest

from gymform.exercise.networks.catalogue import CATALOGUE
from gymform.exercise.networks.registry import FAMILIES
from gymform.training.exercise.records import MODELS, TrainOptions


def test_the_names_are_the_same_everywhere():
    assert list(FAMILIES) == list(CATALOGUE) == list(MODELS)
    for name, entry in CATALOGUE.items():
        assert FAMILIES[name].on_pixels == entry.on_pixels
        assert FAMILIES[name].steps == entry.steps


def test_the_first_is_the_default():
    assert TrainOptions().model == next(iter(CATALOGUE)) == "tcn"
    assert "the default" in CATALOGUE["tcn"].sentence
    assert sum("default" in entry.sentence for entry in CATALOGUE.values()) == 1


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_family_has_a_title_and_whole_sentences(name):
    entry = CATALOGUE[name]
    assert entry.title.strip()
    assert entry.sentence[0].isupper()
    assert entry.sentence.endswith(".")
    assert ("For comparison only." in entry.sentence) == entry.on_pixels
    assert len({one.title for one in CATALOGUE.values()}) == len(CATALOGUE)


def test_pages_can_import_it_without_pytorch():
    code = "import sys, gymform.exercise.networks.catalogue; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
