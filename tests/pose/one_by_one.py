"""Estimators of tests that look at one picture at a time."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


class OneByOne:
    """Gives an estimator with `keypoints_in_frame` the other way to ask."""

    def keypoints_in_frames(
        self, places: Iterable[tuple[np.ndarray, np.ndarray]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """As `PoseEstimator.keypoints_in_frames`."""
        found = [self.keypoints_in_frame(picture, crop[None]) for picture, crop in places]
        if not found:
            return np.empty((0, 17, 2)), np.empty((0, 17))
        xy, score = zip(*found, strict=True)
        return np.concatenate(xy), np.concatenate(score)
