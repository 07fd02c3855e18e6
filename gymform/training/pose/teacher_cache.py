"""What a teacher answers to the views of a pool, kept in one file.

The views come again with other pixels (see :mod:`gymform.training.pose.batches`), what the teacher
says of them stays the same: on a processor that is more than half of the work of a training.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from gymform.errors import TrainingError
from gymform.pose.vitpose import ViTPoseConfig


class TeacherCache:
    """Features (C, 16, 12) and heatmaps (K, 64, 48) of each view, float16, memory-mapped; larger
    for a ``config`` with larger crops.

    The file takes as much of the disk as was written to it: 0.25 MB a view for a ViTPose-S.
    """

    def __init__(self, path: Path, views: int, config: ViTPoseConfig, new: bool) -> None:
        """Open the file of a training, or make it (``new``). Raises TrainingError."""
        width, height = config.heatmap_size
        answer = np.dtype([
            ("features", np.float16, (config.dim, *config.grid)),
            ("heatmaps", np.float16, (config.keypoints, height, width)),
        ])  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            mode = "w+" if new else "r+"
            self._kept = np.lib.format.open_memmap(path, mode, answer, (views,) if new else None)
        except (OSError, ValueError) as error:
            raise TrainingError(
                f"{path.name}: expected what the teacher answered so far, beside the state of the "
                f"training; it cannot be read ({error}). Start again with another --work."
            ) from error
        if self._kept.dtype != answer or self._kept.shape != (views,):
            raise TrainingError(
                f"{path.name}: expected {views} answers of the teacher, got {len(self._kept)} or "
                "ones of another shape. Start again with another --work."
            )

    def write(self, places: Tensor, features: Tensor, heatmaps: Tensor) -> None:
        """Keep the answers (B, ...) to the views at ``places`` (B,)."""
        rows = places.cpu().numpy()
        self._kept["features"][rows] = features.cpu().numpy()
        self._kept["heatmaps"][rows] = heatmaps.cpu().numpy()

    def read(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Features and heatmaps float32 (B, ...) of the views at ``places`` (B,), on its device."""
        found = self._kept[places.cpu().numpy()]
        features, heatmaps = (
            torch.from_numpy(found[name].astype(np.float32)).to(places.device)
            for name in ("features", "heatmaps")
        )
        return features, heatmaps

    def flush(self) -> None:
        """Bring everything to the disk; a state that relies on it may be saved then."""
        self._kept.flush()
