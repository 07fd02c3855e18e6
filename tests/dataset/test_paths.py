"""Where data sets lie: names and folders, and what can be neither."""

import os

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gymform.dataset.items import DatasetFiles
from gymform.dataset.paths import DEFAULT, data_sets, dataset_dir, datasets_dir
from gymform.dataset.reviews import ReviewStore
from gymform.errors import OptionsError


def test_a_data_set_is_a_name_or_a_folder(tmp_path, monkeypatch):
    assert dataset_dir("gym").name == "gym"
    assert dataset_dir("gym").parent.name == "datasets"
    assert dataset_dir(str(tmp_path / "x")) == tmp_path / "x"
    ReviewStore.open(tmp_path / "here", create=True).close()
    monkeypatch.chdir(tmp_path)
    assert dataset_dir("here").resolve() == tmp_path / "here"


@pytest.mark.parametrize("name", ["", ".", "..", "a\nb", "x" * 100])
def test_names_that_are_none(name):
    with pytest.raises(OptionsError):
        dataset_dir(name)


def test_a_refused_name_is_quoted_and_says_what_is_expected():
    with pytest.raises(OptionsError, match=r"1 to 64 characters .* got '\.hidden'"):
        dataset_dir(".hidden")
    with pytest.raises(OptionsError) as caught:
        dataset_dir("x" * 10_000)
    assert len(str(caught.value)) < 250


def test_without_a_name_it_is_the_usual_one():
    assert dataset_dir() == datasets_dir() / DEFAULT


def test_a_folder_that_only_has_the_name_is_no_data_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gym").mkdir()
    assert dataset_dir("gym") == datasets_dir() / "gym"


def test_home_is_expanded(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert dataset_dir("~/lifts") == tmp_path / "lifts"


@given(st.text(max_size=80))
def test_a_name_never_leads_out_of_the_folder_of_data_sets(name):
    """A name without a separator is refused, or a folder right below."""
    assume(os.sep not in name and not name.startswith("~"))
    try:
        found = dataset_dir(name)
    except OptionsError:
        return
    assert found.parent == datasets_dir()
    assert found.name == name


def test_data_sets_are_listed_with_the_latest_first():
    assert data_sets() == []
    for age, name in enumerate(("new", "older", "oldest")):
        store = DatasetFiles(datasets_dir() / name).store
        store.parent.mkdir(parents=True)
        store.touch()
        os.utime(store, (1_000_000 - age, 1_000_000 - age))
    (datasets_dir() / "empty").mkdir()
    assert [folder.name for folder in data_sets()] == ["new", "older", "oldest"]
