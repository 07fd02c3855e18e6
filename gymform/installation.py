"""Where this copy of gymform is, as a checkout or installed, and how its parts are started.

In a checkout the app's script, its pages and the weights are beside the package. A wheel has them
inside it, as ``_app`` and ``_weights``: in ``site-packages``, folders called ``pages`` and
``weights`` could belong to anything. ``pyproject.toml`` says what goes where.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
"""The folder of the package."""


def installed() -> bool:
    """Whether this copy is an installed package, not a checkout."""
    return (PACKAGE / "_app").is_dir()


def app_script() -> Path:
    """The script that Streamlit runs; app.py, pages and ``.streamlit`` are beside it."""
    return (PACKAGE / "_app" if installed() else PACKAGE.parent) / "serve.py"


def weights_folder() -> Path:
    """The folder of the models that come with gymform."""
    return PACKAGE / "_weights" if installed() else PACKAGE.parent / "weights"


def program() -> str:
    """The command that starts gymform: ``gymform``, in a checkout ``python -m gymform``."""
    started_as = Path(sys.argv[0]).stem
    return "gymform" if installed() or started_as == "gymform" else "python -m gymform"


def child_environment() -> dict[str, str]:
    """The environment for a Python process that imports this copy of gymform, from any folder.

    Files in the current folder are not imported.
    """
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    if not installed():
        paths = (str(PACKAGE.parent), os.environ.get("PYTHONPATH"))
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return environment
