"""The direction of the rooms: who may import whom, and who alone may do what is dangerous.

Imports are read from the source, so that those inside functions count as well.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]

TIERS: tuple[frozenset[str], ...] = (
    frozenset({"errors", "limits", "skeleton", "types", "storage", "timing", "sniff", "weights"}),
    frozenset({"video"}),
    frozenset({"pose", "motion"}),
    frozenset({"exercise", "form", "draw", "dataset"}),
    frozenset({"analysis", "live"}),
    frozenset({"results", "worker", "jobs", "training", "desk", "chores"}),
    frozenset({"cli", "__main__", "pages"}),
)
"""Rooms from the ground up: a room may import itself and whatever lies below."""

NEIGHBOURS = frozenset({0, 5, 6})
"""Tiers whose rooms may import each other; circles are refused everywhere."""

TRAINING = frozenset(
    {
        "gymform.pose.train",
        "gymform.pose.learning",
        "gymform.pose.batches",
        "gymform.pose.evaluate",
        "gymform.pose.pseudo",
        "gymform.pose.teaching",
        "gymform.pose.card",
        "gymform.exercise.train",
        "gymform.exercise.evaluate",
        "gymform.exercise.augment",
        "gymform.exercise.synthesize",
        "gymform.exercise.data",
        "gymform.exercise.card",
        "gymform.exercise.learning",
        "gymform.exercise.corpus",
        "gymform.exercise.tasks",
        "gymform.exercise.crossval",
        "gymform.exercise.pixels",
        "gymform.exercise.report",
        "gymform.exercise.experiment",
        "gymform.exercise.commands",
        "gymform.exercise.comparison",
        "gymform.dataset.extraction",
        "gymform.dataset.commands",
    }
)
"""Commands that make weights: they stand above the rooms whose folder they lie in."""

OWNERS: dict[str, tuple[str, ...]] = {
    "streamlit": ("app.py", "pages/"),
    "streamlit_webrtc": ("app.py", "pages/"),
    "sqlite3": ("gymform/dataset/reviews.py",),
    "av.open": ("gymform/video/",),
    "cv2.VideoCapture": (),
    "cv2.VideoWriter": (),
    "numpy.load": ("gymform/dataset/poses.py", "gymform/dataset/tracks.py"),
    "torch.load": ("gymform/pose/checkpoints.py",),
    "safetensors.safe_open": ("gymform/pose/checkpoints.py", "gymform/exercise/classifier.py"),
    "safetensors.torch.load": (),
    "safetensors.torch.load_file": (
        "gymform/pose/checkpoints.py",
        "gymform/exercise/classifier.py",
    ),
    "pickle": (),
    "joblib": (),
}
"""Modules and functions that only the files listed, or files in the folders listed, may use."""


def sources() -> dict[str, Path]:
    """Every module of the program by its dotted name; pages and app.py are ``pages.*``."""
    found = {}
    for path in sorted((PROJECT / "gymform").rglob("*.py")):
        parts = path.relative_to(PROJECT).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = path
    for path in [PROJECT / "app.py", *sorted((PROJECT / "pages").rglob("*.py"))]:
        if path.is_file():
            found[f"pages.{path.stem}"] = path
    return found


def imported(tree: ast.AST) -> Iterator[str]:
    """Dotted names of everything that is imported anywhere in ``tree``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "gymform imports by full name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def used(tree: ast.AST) -> Iterator[str]:
    """Dotted names of everything imported or reached through a module, in full: numpy.load."""
    aliases = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                aliases[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    yield from imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            first, *rest = ast.unparse(node).split(".")
            if first in aliases:
                yield ".".join([aliases[first], *rest])


def modules_imported(tree: ast.AST, known: dict[str, Path]) -> set[str]:
    """The modules of the program that ``tree`` imports."""
    found = set()
    for name in imported(tree):
        while name and name not in known:
            name = name.rpartition(".")[0]
        if name:
            found.add(name)
    # `from gymform import x` names the package only when x is defined in it, like __version__.
    return found - {"gymform"}


def room_of(module: str) -> str:
    if module in TRAINING:
        return "training"
    top, _, rest = module.partition(".")
    return "pages" if top == "pages" else rest.partition(".")[0]


def tier_of(module: str) -> int:
    for number, rooms in enumerate(TIERS):
        if room_of(module) in rooms:
            return number
    raise AssertionError(f"{module} belongs to no room: give it a place in TIERS")


def may_import(importer: str, target: str) -> bool:
    """Down is fine, up is not; sideways only within a room or a tier of neighbours."""
    above, below = tier_of(importer), tier_of(target)
    if above != below:
        return above > below
    return room_of(importer) == room_of(target) or above in NEIGHBOURS


def is_owner(path: str, name: str) -> bool:
    """May the file at ``path`` use ``name``? Yes unless it has another owner."""
    for owned, owners in OWNERS.items():
        if name == owned or name.startswith(owned + "."):
            return path.startswith(owners)
    return True


def circle_in(graph: dict[str, set[str]]) -> list[str]:
    """A circle of imports in ``graph``, or an empty list."""
    done: set[str] = set()

    def visit(module: str, way: list[str]) -> list[str]:
        if module in way:
            return [*way[way.index(module) :], module]
        if module in done:
            return []
        for target in sorted(graph.get(module, ())):
            if circle := visit(target, [*way, module]):
                return circle
        done.add(module)
        return []

    return next((circle for module in sorted(graph) if (circle := visit(module, []))), [])


SOURCES = sources()
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in SOURCES.items()}
GRAPH = {name: modules_imported(tree, SOURCES) - {name} for name, tree in TREES.items()}


def test_every_import_goes_down():
    wrong = [
        f"{importer} imports {target}"
        for importer, targets in GRAPH.items()
        if importer != "gymform"
        for target in targets
        if not may_import(importer, target)
    ]
    assert not wrong


def test_no_circles():
    assert circle_in(GRAPH) == []


def test_dangerous_things_have_one_owner():
    wrong = {
        f"{path.relative_to(PROJECT)} uses {name}"
        for module, path in SOURCES.items()
        for name in used(TREES[module])
        if not is_owner(path.relative_to(PROJECT).as_posix(), name)
    }
    assert not wrong


def test_pages_count_nothing_and_loop_over_no_frames():
    wrong = [
        module
        for module, tree in TREES.items()
        if room_of(module) == "pages"
        for name in imported(tree)
        if name.split(".")[0] in {"numpy", "torch", "cv2", "av", "scipy"}
    ]
    assert not wrong


# --- the checks themselves ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("importer", "target", "allowed"),
    [
        ("gymform.analysis", "gymform.draw.overlay", True),
        ("gymform.pose.person", "gymform.video.read", True),
        ("gymform.exercise.train", "gymform.dataset.poses", True),
        ("pages.analyze", "gymform.jobs", True),
        ("gymform.video.read", "gymform.pose.person", False),
        ("gymform.pose.person", "gymform.motion.clean", False),
        ("gymform.exercise.classifier", "gymform.dataset.poses", False),
        ("gymform.exercise.classifier", "gymform.exercise.train", False),
        ("gymform.draw.charts", "gymform.analysis", False),
        ("gymform.analysis", "gymform.cli", False),
        ("gymform.types", "gymform.video.read", False),
    ],
)
def test_the_rule_tells_up_from_down(importer, target, allowed):
    assert may_import(importer, target) is allowed


@pytest.mark.parametrize(
    ("path", "code", "caught"),
    [
        ("gymform/draw/charts.py", "import streamlit as st", True),
        ("pages/analyze.py", "import streamlit as st", False),
        ("gymform/jobs.py", "import numpy as np\nnp.load('x')", True),
        ("gymform/dataset/poses.py", "import numpy as np\nnp.load('x')", False),
        ("gymform/jobs.py", "from numpy import load", True),
        ("gymform/jobs.py", "def f():\n    import av\n    return av.open('x')", True),
        ("gymform/jobs.py", "import torch.nn\ntorch.load('x')", True),
        ("gymform/exercise/train.py", "from safetensors.torch import save_file", False),
        ("gymform/exercise/train.py", "from safetensors.torch import load_file", True),
        ("gymform/dataset/tracks.py", "import sqlite3", True),
        ("gymform/motion/clean.py", "import pickle", True),
        ("gymform/motion/clean.py", "loader.load('x')", False),
    ],
)
def test_the_owner_rule_catches(path, code, caught):
    names = list(used(ast.parse(code)))
    assert any(not is_owner(path, name) for name in names) is caught


def test_the_circle_search_finds_one():
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c", "b"]
    assert circle_in({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


# --- nothing happens at import ------------------------------------------------------------------


def python(code: str, **environment: str) -> str:
    """What ``code`` prints in a fresh interpreter."""
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(PROJECT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize("module", ["gymform", "gymform.cli", "gymform.errors", "gymform.jobs"])
def test_light_modules_stay_light(module):
    heavy = ("torch", "streamlit", "av", "cv2", "scipy", "sklearn", "plotly", "transformers")
    code = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    assert python(code) == "[]"


def test_importing_everything_touches_nothing(tmp_path):
    modules = [name for name in SOURCES if name.startswith("gymform") and "__main__" not in name]
    code = (
        "import importlib, logging, threading\n"
        f"for name in {modules}: importlib.import_module(name)\n"
        "print(logging.root.handlers, threading.active_count())"
    )
    assert python(code, GYMFORM_HOME=str(tmp_path / "home"), HOME=str(tmp_path)) == "[] 1"
    assert not (tmp_path / "home").exists()
