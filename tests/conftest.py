"""Fixtures shared by all rooms' tests."""

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The development data beside the project; the test is skipped where it is absent."""
    folder = Path(os.environ.get("GYMFORM_SHARED", PROJECT.parent / "shared" / "data"))
    if not (folder / "clips" / "index.csv").is_file():
        pytest.skip(f"needs the development data (clips, tracks, poses): no {folder.name}/clips")
    return folder


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory, monkeypatch):
    """No test touches the user's own results or fetched weights."""
    monkeypatch.setenv("GYMFORM_HOME", str(tmp_path_factory.mktemp("home")))
