"""The components' HTML, style sheets and scripts, in the folders beside this module.

Streamlit takes a component's script as one text, while ours are ES modules that import each other,
so that editors, the type checker, the linter and Node's test runner understand them.
:func:`script` joins them: a module comes after those that it imports, and its ``import`` lines and
the word ``export`` are removed, except for ``export default``. Hence three rules for scripts: they
import by name from a relative path (``import { made } from "../dom.js";``); they export at the
declaration; and no two scripts of a component declare the same name at top level. Types are
imported in comments (``@import``), so `payload.js`, which holds only types, never reaches a
browser.
"""

from __future__ import annotations

import re
from pathlib import Path

_FOLDER = Path(__file__).parent

_IMPORT = re.compile(r'^import \{\s*\w+(?:,\s*\w+)*,?\s*\} from "(\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async |class |const |function ))", re.MULTILINE)
_LEFT = re.compile(r"^(?:import\b.*|export (?!default).*)", re.MULTILINE)


def text(*names: str) -> str:
    """The content of the files ``names``, one after the other."""
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)


def script(name: str) -> str:
    """The module ``name`` and everything that it imports, as one module.

    Raises ValueError for an import or export that cannot be joined, and for circular imports.
    """
    return "\n".join(_joined(_FOLDER / name, [], {}).values())


def _joined(path: Path, importers: list[Path], joined: dict[Path, str]) -> dict[Path, str]:
    """``joined``, with the module at ``path`` added after those that it imports."""
    path = path.resolve()
    if path in importers:
        raise ValueError(f"{path.name} imports itself, by way of {importers[-1].name}")
    if path in joined:
        return joined
    code = path.read_text(encoding="utf-8")
    for imported in _IMPORT.findall(code):
        _joined(path.parent / imported, [*importers, path], joined)
    code = _EXPORT.sub("", _IMPORT.sub("", code))
    if left := _LEFT.search(code):
        raise ValueError(f"{path.name}: {left.group()!r} cannot be joined, see assets.py")
    joined[path] = code
    return joined
