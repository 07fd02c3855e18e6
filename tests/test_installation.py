"""Where files are, in a checkout and installed; and that nothing else is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gymform import installation, weights
from gymform.errors import WeightsError

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture
def _installed(tmp_path, monkeypatch):
    """This copy looks like an installed one, whose weights are gone."""
    (tmp_path / "gymform" / "_app").mkdir(parents=True)
    monkeypatch.setattr(installation, "PACKAGE", tmp_path / "gymform")


def test_a_checkout_has_app_and_weights_beside_the_package():
    assert not installation.installed()
    assert installation.app_script() == PROJECT / "serve.py"
    assert installation.weights_folder() == weights.embedded_dir() == PROJECT / "weights"
    assert (installation.app_script().parent / ".streamlit" / "config.toml").is_file()


@pytest.mark.usefixtures("_installed")
def test_an_installed_copy_has_them_within(tmp_path):
    package = tmp_path / "gymform"
    assert installation.installed()
    assert installation.app_script() == package / "_app" / "serve.py"
    assert installation.weights_folder() == weights.embedded_dir() == package / "_weights"


def test_other_weights_can_be_named(tmp_path, monkeypatch):
    monkeypatch.setenv("GYMFORM_WEIGHTS", str(tmp_path))
    assert weights.embedded_dir() == tmp_path


@pytest.mark.parametrize(
    ("started_as", "shown"),
    [
        ("/somewhere/bin/gymform", "gymform"),
        ("gymform.exe", "gymform"),
        ("/a/checkout/gymform/__main__.py", "python -m gymform"),
        ("", "python -m gymform"),
    ],
)
def test_messages_name_the_program_as_it_was_started(started_as, shown, monkeypatch):
    monkeypatch.setattr(sys, "argv", [started_as])
    assert installation.program() == shown


@pytest.mark.usefixtures("_installed")
def test_an_installed_copy_is_always_called_gymform(monkeypatch):
    """Its pages are Streamlit's process, and name the command all the same."""
    monkeypatch.setattr(sys, "argv", ["/somewhere/streamlit/__main__.py"])
    assert installation.program() == "gymform"


@pytest.mark.usefixtures("_installed")
def test_missing_weights_of_an_installed_copy_are_not_restored_from_a_repository():
    with pytest.raises(WeightsError, match=r"MANIFEST\.json is missing\. Install gymform again\."):
        weights.read_manifest()


def test_children_find_this_copy_from_any_folder_and_nothing_that_lies_there(tmp_path):
    for name in ("gymform", "random", "json"):
        (tmp_path / f"{name}.py").write_text('raise SystemExit("imported")\n')
    done = subprocess.run(
        [sys.executable, "-m", "gymform", "--version"],
        cwd=tmp_path,
        env=installation.child_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("gymform ")


def test_children_keep_the_environment(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    environment = installation.child_environment()
    assert environment["PYTHONPATH"] == f"{PROJECT}{os.pathsep}/elsewhere"
    assert environment["GYMFORM_HOME"] == os.environ["GYMFORM_HOME"]
    assert "PYTHONSAFEPATH" not in os.environ


@pytest.mark.usefixtures("_installed")
def test_children_of_an_installed_copy_need_no_path(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    assert installation.child_environment()["PYTHONPATH"] == "/elsewhere"
