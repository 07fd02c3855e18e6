"""Which clips benchmarks look at, and where the lifter is in their frames."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from gymform.types import PoseSequence


def one_a_group(folder: Path, index: Path, poses: Path, most: int) -> Iterator[tuple[Path, Path]]:
    """A clip of each of the first ``most`` groups, in a fixed random order, and its keypoint file.

    ``index`` is a CSV with the columns `file` and `group`; clips without a keypoint file are left
    out.
    """
    firsts = {row["group"]: row for row in reversed(shuffled_rows(index))}
    for row in list(firsts.values())[:most]:
        keypoints = (poses / row["file"]).with_suffix(".npz")
        if keypoints.is_file():
            yield folder / row["file"], keypoints


def shuffled_rows(index: Path) -> list[dict[str, str]]:
    """The rows of a CSV of clips in a fixed random order."""
    with index.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [rows[i] for i in np.random.default_rng(0).permutation(len(rows))]


def boxes_at(pose: PoseSequence, times: Sequence[float]) -> np.ndarray:
    """The followed person's boxes (T, 4) px at ``times`` s, between those that are known."""
    followed = np.isfinite(pose.boxes).all(1)
    sides = pose.boxes[followed].T
    return np.stack([np.interp(times, pose.time_s[followed], side) for side in sides], axis=-1)
