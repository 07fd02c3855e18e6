"""A film of a snatch with its keypoints and its truth, for all tests of the bar."""

from pathlib import Path

import pytest

from tests.bar.films import bar_films as bf

VIEW = bf.View(yaw=10.0)


@pytest.fixture(scope="session")
def snatch(tmp_path_factory) -> Path:
    """The path of the film."""
    path = tmp_path_factory.mktemp("bar") / "snatch.mp4"
    bf.make_film(path, bf.SNATCH, VIEW)
    return path


@pytest.fixture(scope="session")
def dumbbell(tmp_path_factory) -> Path:
    """The same film without a plate: nothing round moves with the hands."""
    path = tmp_path_factory.mktemp("bar") / "nothing.mp4"
    bf.make_film(path, bf.SNATCH, VIEW, plate=False)
    return path
