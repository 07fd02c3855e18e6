"""Scenes of people as silhouettes, and an estimator that sees only what nobody stands before.

Like real networks it returns the person in a crop who is seen most clearly, and of each person the
joints that show. Whoever is painted over is not seen.
"""

from __future__ import annotations

import cv2
import numpy as np

from tests.pose.one_by_one import OneByOne
from tests.pose.painted import STANDING

SIZE = (640, 360)
WALL = 200


def person(x: float, feet: float, height: float, *, depth: float = 0.0) -> np.ndarray:
    """Keypoints (17, 2) px of somebody at ``x`` whose feet are at ``feet``, px; ``depth`` in
    [0, 1] is how far the person squats."""
    up = 1.0 - STANDING[:, 1]
    legs = np.minimum(up, 0.48) * (1 - 0.55 * depth)
    high = legs + np.maximum(up - 0.48, 0)
    return np.stack((x + (STANDING[:, 0] - 0.5) * height, feet - high * height), axis=1)


class SilhouetteEstimator(OneByOne):
    """Scenes are lists of (keypoints, score), from the farthest to the nearest person."""

    def __init__(self, *scenes: list[tuple[np.ndarray, float]]) -> None:
        self.scenes = scenes
        self.looks = 0

    def pictures(self) -> list[np.ndarray]:
        """One picture for each scene, its number in the first pixel."""
        return [self._draw(number, scene) for number, scene in enumerate(self.scenes)]

    @staticmethod
    def _draw(number: int, scene: list[tuple[np.ndarray, float]]) -> np.ndarray:
        picture = np.full((SIZE[1], SIZE[0], 3), WALL, np.uint8)
        for who, (xy, _) in enumerate(scene):
            (x0, y0), (x1, y1) = np.rint([xy.min(axis=0) - 4, xy.max(axis=0) + 4]).astype(int)
            cv2.rectangle(picture, (int(x0), int(y0)), (int(x1), int(y1)), (40, 40, 40 + who), -1)
        picture[0, 0] = number
        return picture

    def keypoints_in_frame(
        self, picture: np.ndarray, crops: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Keypoints (B, 17, 2) and scores (B, 17) of the clearest person in each crop."""
        self.looks += len(crops)
        found = [self._clearest(picture, crop) for crop in crops]
        return np.stack([xy for xy, _ in found]), np.stack([score for _, score in found])

    def _clearest(self, picture: np.ndarray, crop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        seen = [
            (xy, self._scores(picture, who, xy, score, crop))
            for who, (xy, score) in enumerate(self.scenes[picture[0, 0, 0]])
        ]
        empty = (np.full((17, 2), np.nan), np.zeros(17))
        return max([empty, *seen], key=lambda person: float(person[1].sum()))

    @staticmethod
    def _scores(
        picture: np.ndarray, who: int, xy: np.ndarray, score: float, crop: np.ndarray
    ) -> np.ndarray:
        x, y = np.rint(xy).astype(int).T
        inside = (x >= 0) & (x < SIZE[0]) & (y >= 0) & (y < SIZE[1])
        colour = picture[np.clip(y, 0, SIZE[1] - 1), np.clip(x, 0, SIZE[0] - 1)]
        shows = inside & (colour == (40, 40, 40 + who)).all(axis=1)
        return score * (shows & (np.abs(xy - crop[:2]) <= crop[2:] / 2).all(axis=1))
