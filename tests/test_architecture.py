"""The rules of the architecture: which modules may import which, and which may do dangerous things.

Rules are about rooms: a room is a subpackage, or a module beside them. Imports are read from the
source, so that those inside functions count too, and pages are known by their full path.
"""

import ast
import functools
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest

PROJECT = Path(__file__).resolve().parents[1]

LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"errors", "limits", "skeleton", "exercises", "movement_patterns", "types", "storage",
               "timing", "sniff", "roles", "text", "weights", "installation", "in_use", "trash",
               "ray_cluster", "threads"}),
    frozenset({"video"}),
    frozenset({"motion"}),
    frozenset({"pose"}),
    frozenset({"bar"}),
    frozenset({"exercise", "form", "draw"}),
    frozenset({"analysis", "compare", "live"}),
    frozenset({"dataset"}),
    frozenset({"training", "service"}),
    frozenset({"cli", "pages"}),
)  # fmt: skip
"""Rooms from the lowest layer up: a room may import itself and all lower layers."""

SAME_ROOM = {
    "analysis_io": "analysis",
    "analysis_report": "analysis",
    "__main__": "cli",
    "app": "pages",
    "serve": "pages",
}
"""Modules that belong to a room of another name."""

LOWEST_LAYER = 0
"""The one layer whose rooms may import each other."""

MAY_TRAIN = ("gymform.cli", "pages.models", "pages.components.training", "pages.components.report")
"""Modules outside gymform.training that may import it: the terminal, and the page that trains with
its components."""

COUNTING = frozenset({"numpy", "torch", "cv2", "av", "scipy", "sklearn"})
"""Pages do no numerical work and no loops over frames, so they import none of these."""

OWNERS: dict[str, tuple[str, ...]] = {
    "streamlit": ("app.py", "serve.py", "pages/"),
    "streamlit_webrtc": ("app.py", "pages/"),
    "sqlite3": ("gymform/dataset/reviews.py", "gymform/service/history.py"),
    "av.open": ("gymform/video/",),
    "cv2.VideoCapture": (),
    "cv2.VideoWriter": (),
    "numpy.load": ("gymform/pose/files.py", "gymform/training/exercise/tracks.py"),
    "torch.load": ("gymform/pose/checkpoints.py",),
    "safetensors.safe_open": (
        "gymform/pose/checkpoints.py",
        "gymform/exercise/classifier.py",
        "gymform/exercise/nearest.py",
    ),
    "safetensors.torch.load": (),
    "safetensors.torch.load_file": (
        "gymform/pose/checkpoints.py",
        "gymform/exercise/classifier.py",
    ),
    "ray": ("gymform/ray_cluster.py",),
    "pickle": (),
    "joblib": (),
}
"""Modules and functions that only the files listed, or files in the folders listed, may use."""

TESTED_ELSEWHERE = {
    "gymform/__main__.py": "it only calls cli.main, and tests/test_cli.py runs it as a program",
    "gymform/**/__init__.py": "a package's docstring and version: nothing that could go wrong",
}
"""Modules without a test file of their own name, each with the reason; ``*`` as in a shell."""


# ---- reading the source --------------------------------------------------------------------


@dataclass(frozen=True)
class Program:
    """The program's modules by dotted name: file, syntax tree and the modules that each imports."""

    root: Path
    files: dict[str, Path]
    trees: dict[str, ast.Module]
    graph: dict[str, set[str]]

    @classmethod
    def at(cls, root: Path) -> "Program":
        """The program with app.py, pages/ and gymform/ in ``root``."""
        paths = [root / "app.py", root / "serve.py", *sorted((root / "pages").rglob("*.py")),
                 *sorted((root / "gymform").rglob("*.py"))]  # fmt: skip
        files = {}
        for path in paths:
            parts = path.relative_to(root).with_suffix("").parts
            files[".".join(parts).removesuffix(".__init__")] = path
        trees = {name: parsed(path.read_text(encoding="utf-8")) for name, path in files.items()}
        graph = {name: modules_imported(tree, files) - {name} for name, tree in trees.items()}
        return cls(root, files, trees, graph)

    def path_of(self, module: str) -> str:
        """The path of the module, relative to the root."""
        return self.files[module].relative_to(self.root).as_posix()


parsed = functools.cache(ast.parse)
"""Most files of a copy are like those of the program: each text is parsed once, and each tree is
walked once."""


@functools.cache
def imported(tree: ast.AST) -> tuple[str, ...]:
    """Dotted names of everything that is imported anywhere in ``tree``."""
    return tuple(_imported(tree))


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "gymform imports by full name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@functools.cache
def used(tree: ast.AST) -> tuple[str, ...]:
    """Dotted names of everything imported or reached through a module, in full: numpy.load."""
    return tuple(_used(tree))


def _used(tree: ast.AST) -> Iterator[str]:
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
        found.add(name)
    # `from gymform import x` names the package only when x is defined in it, like __version__.
    return found - {"", "gymform", "pages", "pages.components"}


# ---- the rules -----------------------------------------------------------------------------


def room_of(module: str) -> str:
    """The room of a module: the folder or file below gymform, or the pages."""
    top, _, rest = module.partition(".")
    name = rest.partition(".")[0] if top == "gymform" else top
    return SAME_ROOM.get(name, name)


def layer_of(room: str) -> int:
    for number, rooms in enumerate(LAYERS):
        if room in rooms:
            return number
    raise AssertionError(f"{room!r} is no room: give it a place in LAYERS")


def may_import(importer: str, target: str) -> bool:
    """Imports go down, never up, and sideways only within a room or on the lowest layer.

    Training is above everything that analyses, and only :data:`MAY_TRAIN` may import it.
    """
    above, below = room_of(importer), room_of(target)
    if above == below:
        return True
    if below == "training":
        return importer in MAY_TRAIN
    if layer_of(above) == layer_of(below):
        return layer_of(above) == LOWEST_LAYER
    return layer_of(above) > layer_of(below)


def is_owner(path: str, name: str) -> bool:
    """Whether the file at ``path`` may use ``name``: yes unless other files own it."""
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


def faults(program: Program) -> list[str]:
    """Everything in the program that breaks a rule, in words."""
    found = [
        f"{importer} imports {target}"
        for importer, targets in program.graph.items()
        if importer != "gymform"
        for target in sorted(targets)
        if not may_import(importer, target)
    ]
    if circle := circle_in(program.graph):
        found.append("circle: " + " -> ".join(circle))
    for module, tree in program.trees.items():
        path = program.path_of(module)
        found += sorted({f"{path} uses {name}" for name in used(tree) if not is_owner(path, name)})
        if room_of(module) == "pages":
            names = {name.split(".")[0] for name in imported(tree)} & COUNTING
            found += [f"{path} imports {name}" for name in sorted(names)]
    return found


def path_of_tests(path: str) -> str:
    """Where the tests of a module lie: gymform/motion/clean.py -> tests/motion/test_clean.py."""
    parts = PurePosixPath(path).relative_to("gymform")
    return (PurePosixPath("tests") / parts.with_name(f"test_{parts.name}")).as_posix()


def untested(root: Path) -> list[str]:
    """Modules of gymform in ``root`` that have neither a test file of their name nor an excuse."""
    excused = {
        path.relative_to(root).as_posix() for one in TESTED_ELSEWHERE for path in root.glob(one)
    }
    paths = (path.relative_to(root).as_posix() for path in sorted(root.glob("gymform/**/*.py")))
    wanted = (path for path in paths if path not in excused)
    return [path for path in wanted if not (root / path_of_tests(path)).is_file()]


PROGRAM = Program.at(PROJECT)


def test_the_program_keeps_the_rules():
    assert faults(PROGRAM) == []


def test_functions_stay_short():
    """The longest has 60 lines, half of them 8 or fewer."""
    lengths = {
        f"{module}.{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for module, tree in PROGRAM.trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: length for name, length in lengths.items() if length > 60} == {}
    assert statistics.median(lengths.values()) <= 8


def test_every_module_has_its_test_file():
    assert untested(PROJECT) == []


@pytest.mark.parametrize("pattern", TESTED_ELSEWHERE)
def test_whoever_has_no_test_file_still_needs_none(pattern):
    """Such a module exists, has no test file, and defines no function or class."""
    paths = [path.relative_to(PROJECT).as_posix() for path in PROJECT.glob(pattern)]
    assert paths
    for path in paths:
        assert not (PROJECT / path_of_tests(path)).is_file()
        nodes = ast.walk(ast.parse((PROJECT / path).read_text(encoding="utf-8")))
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        assert not any(isinstance(node, kinds) for node in nodes), path


def test_every_test_file_holds_tests():
    """An empty one would count above as the tests of its module."""
    for path in sorted((PROJECT / "tests").rglob("test_*.py")):
        names = [node.name for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                 if isinstance(node, ast.FunctionDef)]  # fmt: skip
        assert any(name.startswith("test_") for name in names), path.relative_to(PROJECT)


# ---- the rules themselves -------------------------------------------------------------------


@pytest.fixture
def copy(tmp_path) -> Path:
    """A copy of the source, to put faults into."""
    for name in ("gymform", "pages"):
        ignored = shutil.ignore_patterns("__pycache__", "assets")
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=ignored)
    shutil.copy(PROJECT / "app.py", tmp_path)
    shutil.copy(PROJECT / "serve.py", tmp_path)
    assert faults(Program.at(tmp_path)) == []
    return tmp_path


def plant(root: Path, path: str, line: str) -> list[str]:
    """The faults of the program when ``line`` is appended to the file at ``path``."""
    with (root / path).open("a", encoding="utf-8") as file:
        file.write(f"\n\n{line}\n")
    return faults(Program.at(root))


def test_a_circle_of_page_components_is_found(copy):
    """Two components of similar names; one of them imports inside a function."""
    (found,) = plant(copy, "pages/components/text.py", "import pages.components.clips")
    assert found.startswith("circle: ")
    assert "pages.components.text -> pages.components.clips" in found


def test_a_circle_of_pages_is_found_inside_functions(copy):
    (found,) = plant(
        copy,
        "pages/components/player/player.py",
        "def later():\n    from pages.components import result\n    return result",
    )
    assert found.startswith("circle: ")
    assert "pages.components.player.player -> pages.components.result" in found


def test_a_module_without_tests_is_found(tmp_path):
    for path in ("gymform/motion/new.py", "gymform/new.py", "gymform/motion/__init__.py",
                 "gymform/motion/old.py", "tests/motion/test_old.py",
                 "tests/test_new.py", "tests/pose/test_new.py"):  # fmt: skip
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    assert untested(tmp_path) == ["gymform/motion/new.py"]


LABORATORY = sorted(name for name in PROGRAM.files if name.startswith("gymform.training."))
"""Every module of gymform.training, packages too, so that no list has to be maintained."""


@pytest.mark.parametrize(
    "importer",
    [
        "gymform.pose.estimator",
        "gymform.exercise.classifier",
        "gymform.analysis",
        "gymform.live.session",
        "gymform.dataset.extraction",
        "gymform.service.analysis_queue",
        "pages.analyze",
    ],
)
def test_no_way_leads_from_a_clip_s_way_into_the_training_code(importer):
    assert len(LABORATORY) > 30
    assert not [module for module in LABORATORY if may_import(importer, module)]


@pytest.mark.parametrize("module", ["muon", "narrowing", "initial_weights", "teacher_cache",
                                    "losses", "augment", "metrics"])  # fmt: skip
def test_inference_that_imports_the_training_code_is_found(copy, module):
    """Each of these was once beside inference code, and missing in a list kept by hand."""
    line = f"def later():\n    from gymform.training.pose import {module}\n    return {module}"
    found = plant(copy, "gymform/pose/heatmaps.py", line)
    assert f"gymform.pose.heatmaps imports gymform.training.pose.{module}" in found


def test_a_new_module_of_the_training_code_needs_no_list(copy):
    (copy / "gymform" / "training" / "pose" / "fresh.py").write_text("SHARE = 1\n")
    assert plant(
        copy, "gymform/pose/crops.py", "from gymform.training.pose.fresh import SHARE"
    ) == ["gymform.pose.crops imports gymform.training.pose.fresh"]


@pytest.mark.parametrize("path", ["pages/review.py", "pages/models.py",
                                  "pages/components/reviewer/reviewer.py",
                                  "pages/components/live/live.py"])  # fmt: skip
def test_a_page_that_counts_is_found_whatever_its_stem(copy, path):
    """Also when another page or component has the same name: neither hides the other."""
    (copy / "pages" / "components" / "review.py").write_text('"""A component."""\n')
    (copy / "pages" / "components" / "models.py").write_text('"""A component."""\n')
    found = plant(copy, path, "def later():\n    import numpy as np\n    return np")
    assert found == [f"{path} imports numpy"]


@pytest.mark.parametrize(
    ("path", "line", "fault"),
    [
        ("gymform/motion/clean.py", "import pickle", "gymform/motion/clean.py uses pickle"),
        ("gymform/video/read.py", "import gymform.pose.crops",
         "gymform.video.read imports gymform.pose.crops"),
        ("gymform/dataset/clips.py", "import streamlit", "gymform/dataset/clips.py uses streamlit"),
    ],
)  # fmt: skip
def test_other_faults_are_found(copy, path, line, fault):
    assert fault in plant(copy, path, line)


@pytest.mark.parametrize(
    ("importer", "target", "allowed"),
    [
        ("gymform.analysis", "gymform.draw.overlay", True),
        ("gymform.analysis", "gymform.pose.files", True),
        ("gymform.analysis_io", "gymform.analysis", True),
        ("gymform.pose.tracking", "gymform.video.read", True),
        ("gymform.training.exercise.release", "gymform.pose.files", True),
        ("gymform.training.pose.batches", "gymform.pose.crops", True),
        ("gymform.types", "gymform.skeleton", True),
        ("pages.analyze", "gymform.service.analysis_queue", True),
        ("pages.models", "gymform.training.exercise.runs", True),
        ("gymform.cli", "gymform.training.pose.command", True),
        ("gymform.video.read", "gymform.pose.tracking", False),
        ("gymform.pose.tracking", "gymform.motion.clean", True),
        ("gymform.exercise.classifier", "gymform.form.cues", False),
        ("gymform.draw.charts", "gymform.analysis", False),
        ("gymform.analysis", "gymform.dataset.extraction", False),
        ("gymform.analysis", "gymform.cli", False),
        ("gymform.service.dataset_tasks", "gymform.training.exercise.runs", False),
        ("gymform.training.exercise.runs", "gymform.service.analysis_queue", False),
        ("gymform.types", "gymform.video.read", False),
        ("app", "gymform.training.exercise.runs", False),
        ("pages.analyze", "gymform.training.exercise.runs", False),
    ],
)
def test_the_rule_tells_up_from_down(importer, target, allowed):
    assert may_import(importer, target) is allowed


def test_a_room_without_a_place_is_refused():
    with pytest.raises(AssertionError, match="give it a place in LAYERS"):
        may_import("gymform.analysis", "gymform.cellar.wine")


@pytest.mark.parametrize(
    ("path", "code", "caught"),
    [
        ("gymform/draw/charts.py", "import streamlit as st", True),
        ("pages/analyze.py", "import streamlit as st", False),
        ("gymform/service/result_store.py", "import numpy as np\nnp.load('x')", True),
        ("gymform/pose/files.py", "import numpy as np\nnp.load('x')", False),
        ("gymform/service/result_store.py", "from numpy import load", True),
        (
            "gymform/service/result_store.py",
            "def f():\n    import av\n    return av.open('x')",
            True,
        ),
        ("gymform/service/result_store.py", "import torch.nn\ntorch.load('x')", True),
        ("gymform/training/exercise/release.py", "from safetensors.torch import save_file", False),
        ("gymform/training/exercise/release.py", "from safetensors.torch import load_file", True),
        ("gymform/training/exercise/tracks.py", "import sqlite3", True),
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


# ---- nothing happens at import -------------------------------------------------------------


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


@pytest.mark.parametrize(
    "module",
    [
        "gymform",
        "gymform.cli",
        "gymform.errors",
        "gymform.service.analysis_queue",
        "gymform.service.deletion",
    ],
)
def test_light_modules_stay_light(module):
    heavy = ("torch", "streamlit", "av", "cv2", "scipy", "sklearn", "plotly", "transformers")
    code = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    assert python(code) == "[]"


def test_importing_everything_touches_nothing(tmp_path):
    modules = [
        name for name in PROGRAM.files if name.startswith("gymform") and "__main__" not in name
    ]
    code = (
        "import importlib, logging, threading\n"
        f"for name in {modules}: importlib.import_module(name)\n"
        "print(logging.root.handlers, threading.active_count())"
    )
    assert python(code, GYMFORM_HOME=str(tmp_path / "home"), HOME=str(tmp_path)) == "[] 1"
    assert not (tmp_path / "home").exists()


def imports_before_the_project(script: Path, seen: set[str]) -> bool:
    """Does a benchmark import gymform before `machine.py`, which puts the project on the path?

    ``seen`` are the benchmarks that were imported before; those that this one imports are added.
    """
    for node in ast.parse(script.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Expr) and "sys.path." in ast.unparse(node):
            seen.add("machine")  # it does that itself
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names or [alias.name for alias in node.names]:
            if name.split(".")[0] == "gymform":
                return "machine" not in seen
            other = script.with_name(f"{name}.py")
            if other.is_file() and name not in seen:
                seen.add(name)
                if name != "machine" and imports_before_the_project(other, seen):
                    return True
    return False


def test_benchmarks_find_the_project_wherever_they_are_run():
    scripts = [
        script
        for script in (PROJECT / "benchmarks").glob("*.py")
        if "__main__" in script.read_text(encoding="utf-8")
    ]
    assert len(scripts) > 30
    assert [script.name for script in scripts if imports_before_the_project(script, set())] == []


def test_a_benchmark_that_does_not_find_the_project_is_found(tmp_path):
    (tmp_path / "machine.py").write_text("import sys\n")
    (tmp_path / "shared.py").write_text("from gymform.types import Clip\n")
    (tmp_path / "early.py").write_text("from shared import Clip\nfrom machine import sys\n")
    (tmp_path / "late.py").write_text("from machine import sys\nfrom shared import Clip\n")
    assert imports_before_the_project(tmp_path / "early.py", set())
    assert not imports_before_the_project(tmp_path / "late.py", set())
