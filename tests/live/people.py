"""A network for tests that finds the people it is told of, whatever the frame shows.

It finds a person in the crops that hold the person's centre, and gives the keypoints of somebody
who stands there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gymform import skeleton as sk

FIGURE = np.zeros((sk.NUM_KEYPOINTS, 2))
"""Keypoints (17, 2) of somebody who stands, in units of their height: x from the middle, y down
from the top."""
for _part, _y, _half in (
    ("eye", 0.05, 0.02),
    ("ear", 0.06, 0.03),
    ("shoulder", 0.18, 0.1),
    ("elbow", 0.33, 0.13),
    ("wrist", 0.47, 0.14),
    ("hip", 0.5, 0.07),
    ("knee", 0.74, 0.07),
    ("ankle", 0.97, 0.07),
):
    FIGURE[sk.INDEX[f"left_{_part}"]] = (_half, _y)
    FIGURE[sk.INDEX[f"right_{_part}"]] = (-_half, _y)
FIGURE[sk.NOSE] = (0.0, 0.06)


@dataclass
class Person:
    """Somebody in the picture: centre and height px, and the score of their keypoints."""

    x: float
    y: float
    height: float
    score: float = 0.8

    @property
    def xy(self) -> np.ndarray:
        """Keypoints (17, 2) px."""
        return FIGURE * self.height + [self.x, self.y - self.height / 2]


@dataclass
class FakeNetwork:
    """Finds those of ``people`` whose centre is near that of a crop; counts the crops."""

    people: list[Person] = field(default_factory=list)
    crops: int = 0

    def keypoints_in_frame(
        self, rgb: np.ndarray, crops: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        seen = [self._detect(crop) for crop in crops]
        return np.stack([xy for xy, _ in seen]), np.stack([score for _, score in seen])

    def _detect(self, crop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.crops += 1
        x, y, width, height = crop
        inside = [
            person
            for person in self.people
            if abs(person.x - x) < width / 3 and abs(person.y - y) < height / 3
        ]
        if not inside:
            nothing = np.full((sk.NUM_KEYPOINTS, 2), np.nan, np.float32)
            return nothing, np.zeros(sk.NUM_KEYPOINTS, np.float32)
        nearest = min(inside, key=lambda person: np.hypot(person.x - x, person.y - y))
        score = np.full(sk.NUM_KEYPOINTS, nearest.score, np.float32)
        return nearest.xy.astype(np.float32), score
