"""The components' own files: HTML, style sheets and scripts beside this module, those of a
component in its folder."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent


def text(*names: str) -> str:
    """The content of the files ``names``, one after the other."""
    return "\n".join((_FOLDER / name).read_text(encoding="utf-8") for name in names)
