"""Where data sets are stored, and what they may be called."""

from __future__ import annotations

import os
from pathlib import Path

from gymform.dataset.items import DatasetFiles
from gymform.errors import OptionsError
from gymform.storage import data_dir, expanded

DEFAULT = "clips"
"""The name of the data set when none is given."""

MAX_NAME = 64


def datasets_dir() -> Path:
    """The folder of all data sets that are given by name; it may not exist yet."""
    return data_dir() / "datasets"


def data_sets() -> list[Path]:
    """The folders of the data sets in :func:`datasets_dir`, the latest used first."""
    found = datasets_dir().glob("*/dataset.sqlite")
    return [path.parent for path in sorted(found, key=lambda path: -path.stat().st_mtime)]


def dataset_dir(dataset: str = DEFAULT) -> Path:
    """The folder of ``dataset``, which is a path or a name.

    It is a path when it contains a separator or is a folder with a data set in it; anything else is
    the name of a folder in :func:`datasets_dir`. Raises OptionsError for what can be neither.
    """
    path = expanded(dataset)
    separators = {os.sep, os.altsep or os.sep}
    # os.path.isfile: a name too long for the file system, or an unreadable folder, is no error yet
    is_data_set = os.path.isfile(DatasetFiles(path).store)
    if any(separator in dataset for separator in separators) or is_data_set:
        return path
    if not 0 < len(dataset) <= MAX_NAME or not dataset.isprintable() or dataset.startswith("."):
        raise OptionsError(
            f"Expected the name of a data set, 1 to {MAX_NAME} characters that do not start with "
            f"a dot, or a folder; got {dataset[:MAX_NAME]!r}."
        )
    return datasets_dir() / dataset
