"""A digest of the code that makes a network: a finished network is reused only while that code is
the same.

The digest covers the import closure of the modules that train: an edit to any of them changes it.
Modules that are known to have no influence are left out, by name and with a reason. So a module
that is missing from that list costs a training, and an old network is never taken for a new one.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

from gymform.exercise.networks.registry import NetworkFamily
from gymform.training.exercise import fitting, keypoint_task, pixel_task

PACKAGE = Path(__file__).resolve().parents[2]
"""The folder of the package ``gymform``."""

NO_INFLUENCE = {
    "gymform.errors": "messages",
    "gymform.limits": "rejects data, does not change any",
    "gymform.sniff": "rejects data, does not change any",
    "gymform.storage": "where files lie",
    "gymform.timing": "progress",
    "gymform.weights": "manifest and hashes",
    "gymform.dataset": "reads data, whose content is in the key",
    "gymform.pose.files": "reads data, whose content is in the key",
    "gymform.training.exercise.tracks": "reads data, whose content is in the key",
    "gymform.training.exercise.corpus": "reads data, whose content is in the key",
    "gymform.exercise.explain": "explains predictions",
    "gymform.exercise.nearest": "explains predictions",
    "gymform.exercise.networks.catalogue": "names and messages",
    "gymform.exercise.networks.registry": "lists all networks: the module of the one that is built "
    "is a root, and its settings are in the key",
    "gymform.training.exercise.records": "options, which are in the key",
}
"""Modules, and packages with all their modules, that do not influence a network; and why."""


def source_digest(*roots: str, package: Path = PACKAGE) -> str:
    """sha256 hex of the source of the modules ``roots`` and of all that they import.

    ``roots`` are dotted names; modules outside the package in the folder ``package`` are ignored.
    """
    digest = hashlib.sha256()
    for module in import_closure(*roots, package=package):
        source = _source(module, package)
        assert source is not None
        digest.update(f"{module}\n".encode() + source.read_bytes())
    return digest.hexdigest()


def import_closure(*roots: str, package: Path = PACKAGE) -> list[str]:
    """``roots`` and all that they import, sorted, without :data:`NO_INFLUENCE`."""
    found: set[str] = set()
    waiting = [root for root in roots if _source(root, package) is not None]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += [name for name in _imported(module, package) if not _left_out(name)]
    return sorted(found)


def roots_of(family: NetworkFamily) -> tuple[str, ...]:
    """The modules of a network family's task, of its fitting, and of the network itself."""
    task = pixel_task if family.on_pixels else keypoint_task
    network = family.build(2, family.width)
    return (task.__name__, fitting.__name__, type(network).__module__)


def _left_out(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in NO_INFLUENCE)


def _imported(module: str, package: Path) -> Iterator[str]:
    """The modules of the package that ``module`` imports, also inside functions."""
    source = _source(module, package)
    assert source is not None
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            while name and _source(name, package) is None:
                name = name.rpartition(".")[0]
            if name and name != package.name:
                yield name


def _source(module: str, package: Path) -> Path | None:
    """The file of a module of the package; None when there is no such module."""
    path = package.parent.joinpath(*module.split("."))
    if module.partition(".")[0] != package.name:
        return None
    files = (path.with_name(f"{path.name}.py"), path / "__init__.py")
    return next((file for file in files if file.is_file()), None)
