"""The accepted clips that a movement is most like, by the last layer of the networks.

A model's file holds, besides its networks, what these make of each clip that they were trained on,
and one repetition of it as a small skeleton to look at: no picture, no name, no place. Pages import
this module, so it must not import PyTorch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from gymform import skeleton as sk
from gymform.errors import WeightsError
from gymform.types import Neighbour

PREFIX = "nearest."
"""Keys in a model's file that belong to no network begin with this."""

POSES = 16
"""Poses of the repetition that is shown of each clip."""

SHOWN = 3
"""Number of clips that are named."""

REACH = 1.6
"""Points lie within so many statures of the middle of the movement; farther ones are not kept."""

MISSING = 255
"""Stands for a missing point among the levels 0 to 254 of a coordinate, 0.013 statures apart."""


@dataclass(frozen=True, eq=False)
class Bank:
    """Clips to compare with: R of them, each from a ``group`` (a person, or a source).

    ``embeddings`` float32 (R, E) have length 1; ``poses`` float32 (R, P, 17, 2) statures, NaN where
    missing, show one repetition that lasts ``seconds`` (R,).
    """

    exercises: tuple[str, ...]
    groups: tuple[str, ...]
    embeddings: np.ndarray
    poses: np.ndarray
    seconds: np.ndarray

    def nearest(self, embedding: np.ndarray, leave_out: str | None = None) -> list[Neighbour]:
        """The :data:`SHOWN` clips most like ``embedding`` (E,), one of a group, the likest first.

        The clips of the group ``leave_out`` do not count.
        """
        likeness = self.embeddings @ embedding
        found: list[Neighbour] = []
        taken = {leave_out}
        for i in np.argsort(-likeness).tolist():
            if self.groups[i] in taken:
                continue
            taken.add(self.groups[i])
            found.append(Neighbour(self.exercises[i], float(likeness[i]), i))
            if len(found) == SHOWN:
                break
        return found

    def as_tensors(self) -> dict[str, np.ndarray]:
        """The arrays as a model's file keeps them."""
        level = np.round((self.poses / REACH + 1) * 127)
        kept = np.isfinite(level).all(-1, keepdims=True) & (np.abs(level - 127) <= 127).all(
            -1, keepdims=True
        )
        text = json.dumps([self.exercises, self.groups], ensure_ascii=False)
        return {
            f"{PREFIX}embeddings": self.embeddings.astype(np.float16),
            f"{PREFIX}poses": np.where(kept, level, MISSING).astype(np.uint8),
            f"{PREFIX}seconds": self.seconds.astype(np.float32),
            f"{PREFIX}names": np.frombuffer(text.encode(), np.uint8).copy(),
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, np.ndarray]) -> Bank:
        """The inverse of :meth:`as_tensors`. Raises WeightsError where they do not fit together."""
        try:
            names = json.loads(tensors[f"{PREFIX}names"].tobytes().decode())
            exercises, groups = (tuple(map(str, one)) for one in names)
            level = tensors[f"{PREFIX}poses"].astype(np.float32)
            embeddings = tensors[f"{PREFIX}embeddings"].astype(np.float32)
            seconds = tensors[f"{PREFIX}seconds"].astype(np.float32)
        except (KeyError, ValueError, TypeError) as error:
            raise WeightsError(f"The clips to compare with cannot be read ({error}).") from None
        count = len(exercises)
        fits = (
            len(groups) == len(embeddings) == len(seconds) == count
            and embeddings.ndim == 2
            and level.shape == (count, POSES, sk.NUM_KEYPOINTS, 2)
            and np.isfinite(embeddings).all()
            and np.isfinite(seconds).all()
        )
        if not fits:
            raise WeightsError("The clips to compare with do not fit together.")
        poses = np.where(level == MISSING, np.nan, (level / 127 - 1) * REACH)
        return cls(exercises, groups, embeddings, poses.astype(np.float32), seconds)


def unit(embedding: np.ndarray) -> np.ndarray:
    """``embedding`` (E,) at length 1; zeros stay zeros."""
    return np.asarray(embedding / max(float(np.linalg.norm(embedding)), 1e-9))


def read_bank(path: Path) -> Bank | None:
    """The clips in a model's file; None where it has none. Raises WeightsError when damaged."""
    try:
        with safe_open(path, framework="np") as file:
            keys = [key for key in file.keys() if key.startswith(PREFIX)]  # noqa: SIM118
            tensors = {key: file.get_tensor(key) for key in keys}
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path.name}: not a safetensors file ({error}).") from None
    return Bank.from_tensors(tensors) if tensors else None


def shown_poses(xy: np.ndarray, time_s: np.ndarray, size: float) -> np.ndarray:
    """float32 (P, 17, 2) statures: :data:`POSES` poses of ``xy`` (T, 17, 2) px at even times, round
    the middle of the movement.

    ``time_s`` (T,) s rise; ``size`` is the stature, px. A point that is missing for a while is
    bridged; one that is missing throughout stays NaN.
    """
    grid = np.linspace(time_s[0], time_s[-1], POSES)
    out = np.full((POSES, sk.NUM_KEYPOINTS, 2), np.nan)
    for k in range(sk.NUM_KEYPOINTS):
        known = np.isfinite(xy[:, k]).all(-1)
        if known.mean() >= 0.5:
            for axis in range(2):
                out[:, k, axis] = np.interp(grid, time_s[known], xy[known, k, axis])
    middle = np.nan_to_num((np.nanmin(out, (0, 1)) + np.nanmax(out, (0, 1))) / 2)
    return np.asarray((out - middle) / size, np.float32)


def bank_of(parts: Sequence[tuple[str, str, np.ndarray, np.ndarray, float]]) -> Bank | None:
    """A bank of (exercise, group, embedding (E,), poses (P, 17, 2), seconds); None of no part."""
    if not parts:
        return None
    exercises, groups, embeddings, poses, seconds = zip(*parts, strict=True)
    return Bank(
        exercises, groups, np.stack(embeddings), np.stack(poses), np.asarray(seconds, np.float32)
    )
