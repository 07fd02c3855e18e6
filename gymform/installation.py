"""Where this copy of gymform lies, as a checkout or installed, and how its parts are started.

In a checkout the app's script, its pages and the weights lie beside the package. A wheel keeps them
within it, as ``_app`` and ``_weights``: in ``site-packages``, folders called ``pages`` and
``weights`` could be anybody's. ``pyproject.toml`` says what goes where.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
"""The folder of the package."""


def installed() -> bool:
    """Was this copy installed as a package, rather than checked out?"""
    return (PACKAGE / "_app").is_dir()


def app_script() -> Path:
    """The script that Streamlit is given; app.py, pages and ``.streamlit`` lie beside it."""
    return (PACKAGE / "_app" if installed() else PACKAGE.parent) / "serve.py"


def weights_folder() -> Path:
    """The folder of the models that come with gymform."""
    return PACKAGE / "_weights" if installed() else PACKAGE.parent / "weights"


def program() -> str:
    """What people type to start gymform: ``gymform``, in a checkout ``python -m gymform``."""
    started_as = Path(sys.argv[0]).stem
    return "gymform" if installed() or started_as == "gymform" else "python -m gymform"


def child_environment() -> dict[str, str]:
    """The environment of a Python process that is to find this copy of gymform, from any folder.

    What lies in the folder where the user happens to be is not imported.
    """
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    if not installed():
        paths = (str(PACKAGE.parent), os.environ.get("PYTHONPATH"))
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    return environment
