"""How much a model would learn from each repetition of a data set, as it was last asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from gymform.dataset.items import DatasetFiles
from gymform.storage import atomic_path

VERSION = 1


@dataclass(frozen=True)
class Ranking:
    """How much is to be learned from each repetition, by its id, in [0, 1]; and which model,
    by the sha256 of its weights, was asked."""

    gains: Mapping[str, float]
    model_sha256: str


def read_ranking(files: DatasetFiles) -> Ranking | None:
    """The latest ranking of a data set; None without one that can be read."""
    try:
        kept = json.loads(files.ranking.read_text(encoding="utf-8"))
        gains = {str(name): float(gain) for name, gain in kept["gains"].items()}
        return Ranking(gains, str(kept["model"])) if kept["version"] == VERSION else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def write_ranking(files: DatasetFiles, ranking: Ranking) -> None:
    """Keep a ranking instead of the last one."""
    plain = {"version": VERSION, "model": ranking.model_sha256, "gains": dict(ranking.gains)}
    with atomic_path(files.ranking) as temporary:
        temporary.write_text(json.dumps(plain), encoding="utf-8")
