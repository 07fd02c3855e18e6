"""A teacher's outputs for the crops of a pool, cached in one file.

The crops come again with other changes of their pixels (see :mod:`gymform.training.pose.batches`),
the teacher's outputs stay the same. On a CPU they are more than half of the work of a training.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gymform.errors import TrainingError
from gymform.pose.vitpose import ViTPoseConfig


class TeacherCache:
    """Features (C, 16, 12) and heatmaps (K, 64, 48) of each crop, float16, memory-mapped; larger
    for a ``config`` with larger crops.

    The file is sparse: 0.25 MB for each crop written, with a ViTPose-S.
    """

    def __init__(self, path: Path, count: int, config: ViTPoseConfig, new: bool) -> None:
        """Open the file of a training, or make it (``new``), for ``count`` crops.

        Raises TrainingError when it cannot be read or does not fit.
        """
        width, height = config.heatmap_size
        outputs = np.dtype([
            ("features", np.float16, (config.dim, *config.grid)),
            ("heatmaps", np.float16, (config.keypoints, height, width)),
        ])  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            mode = "w+" if new else "r+"
            self._outputs = np.lib.format.open_memmap(
                path, mode, outputs, (count,) if new else None
            )
        except (OSError, ValueError) as error:
            raise TrainingError(
                f"{path.name}: expected the teacher's outputs so far, beside the state of the "
                f"training; it cannot be read ({error}). Start again with another --work."
            ) from error
        if self._outputs.dtype != outputs or self._outputs.shape != (count,):
            raise TrainingError(
                f"{path.name}: expected the teacher's outputs for {count} crops, got "
                f"{len(self._outputs)} or ones of another shape. Start again with another --work."
            )

    def write(self, indices: Tensor, features: Tensor, heatmaps: Tensor) -> None:
        """Store the outputs (B, ...) for the crops at ``indices`` (B,)."""
        rows = indices.cpu().numpy()
        self._outputs["features"][rows] = features.cpu().numpy()
        self._outputs["heatmaps"][rows] = heatmaps.cpu().numpy()

    def read(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Features and heatmaps float32 (B, ...) for ``indices`` (B,), on the same device."""
        found = self._outputs[indices.cpu().numpy()]
        features, heatmaps = (
            torch.from_numpy(found[name].astype(np.float32)).to(indices.device)
            for name in ("features", "heatmaps")
        )
        return features, heatmaps

    def flush(self) -> None:
        """Write everything to disk, before a state that relies on it is saved."""
        self._outputs.flush()
