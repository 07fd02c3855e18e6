"""Patches far from the body are dropped in training, as they will be in use.

In use, a small network's answer tells a large one which patches of a crop it needs (see
``gymform/pose/pruning.py``). In training the teacher's answer for the whole crop does, moved a
little at random as a small network would err. Near and far differ from crop to crop, so that the
network learns to do without many patches and without few.
"""

from __future__ import annotations

import numpy as np

from gymform.pose.decoding import PEAKS
from gymform.pose.heatmaps import decode_peaks
from gymform.pose.pruning import RADIUS, like_counts, patch_distances
from gymform.pose.vitpose import ViTPoseConfig

RADII = (24.0, 56.0)
"""Patches stay that are nearer to the skeleton than something between these, px of the crop."""

ERROR = 6.0
"""Standard deviation of what moves each place of the skeleton, px of the crop."""

Parts = list[tuple[np.ndarray, np.ndarray | None]]
"""Rows of crops that are computed together, and the patches int64 (b, n) of each that are looked
at; None for all patches."""

BATCH = 8
"""Crops that need about as many patches are computed together, so many at once."""


def drop_patches(heatmaps: np.ndarray, config: ViTPoseConfig, rng: np.random.Generator) -> Parts:
    """The crops of a batch in parts, with the patches that remain of each.

    ``heatmaps`` (B, 17, H, W) are those of a teacher for the whole crops, ``config`` is that of the
    network that learns.
    """
    places, score = decode_peaks(heatmaps, PEAKS, smooth=True)
    unit = (np.array(config.input_size) - 1) / (np.array(config.heatmap_size) - 1)
    points = places * unit + rng.normal(scale=ERROR, size=places.shape)
    distances = patch_distances(points, score**config.score_power, config)
    radii = rng.uniform(*RADII, size=(len(heatmaps), 1))
    return list(like_counts((distances * (RADIUS / radii)).astype(np.float32), BATCH))
