"""A name for the code that makes a network, so that a finished one is used again only while that
code is the same.

What counts is the import closure of the modules that train: an edit to any of them gives another
digest. Only what is known not to decide is left out, by name and with its reason, so that a module
that is forgotten costs a training and never passes an old network off as a new one.
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

NOT_DECIDING = {
    "gymform.errors": "words",
    "gymform.limits": "refuses, does not change",
    "gymform.sniff": "refuses, does not change",
    "gymform.storage": "where files lie",
    "gymform.timing": "tells how far it is",
    "gymform.weights": "manifest and hashes",
    "gymform.dataset": "reads the data, which are in the key themselves",
    "gymform.pose.files": "reads the data, which are in the key themselves",
    "gymform.training.exercise.tracks": "reads the data, which are in the key themselves",
    "gymform.training.exercise.corpus": "reads the data, which are in the key themselves",
    "gymform.exercise.explain": "words about an answer",
    "gymform.exercise.networks.catalogue": "words",
    "gymform.exercise.networks.registry": "names all networks: the one that is built is a root of "
    "its own, and its numbers are in the key",
    "gymform.training.exercise.records": "options, which are in the key themselves",
}
"""Modules, and rooms with all that is in them, that do not decide what a network becomes."""


def source_digest(*roots: str, package: Path = PACKAGE) -> str:
    """64 hexadecimal digits for the source of the modules ``roots`` and of all that they import.

    ``roots`` are dotted names; those outside the package whose folder is ``package`` do not count.
    """
    digest = hashlib.sha256()
    for module in deciding_modules(*roots, package=package):
        source = _source(module, package)
        assert source is not None
        digest.update(f"{module}\n".encode() + source.read_bytes())
    return digest.hexdigest()


def deciding_modules(*roots: str, package: Path = PACKAGE) -> list[str]:
    """The import closure of ``roots``, sorted, without what does not decide."""
    found: set[str] = set()
    waiting = [root for root in roots if _source(root, package) is not None]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += [name for name in _imported(module, package) if not _left_out(name)]
    return sorted(found)


def roots_of(family: NetworkFamily) -> tuple[str, ...]:
    """The modules that make a network of ``family``: its batches, their fitting, the network."""
    task = pixel_task if family.on_pixels else keypoint_task
    network = family.build(2, family.width)
    return (task.__name__, fitting.__name__, type(network).__module__)


def _left_out(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in NOT_DECIDING)


def _imported(module: str, package: Path) -> Iterator[str]:
    """The modules of the package that ``module`` imports anywhere, also inside functions."""
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
    """The file of a module of the package; None for what is no module of it."""
    path = package.parent.joinpath(*module.split("."))
    if module.partition(".")[0] != package.name:
        return None
    files = (path.with_name(f"{path.name}.py"), path / "__init__.py")
    return next((file for file in files if file.is_file()), None)
