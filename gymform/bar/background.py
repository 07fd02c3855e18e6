"""How far the background has moved in the picture, so that the camera's motion can be taken out."""

from __future__ import annotations

import cv2
import numpy as np

from gymform.motion.camera import SIDE, background_mask, background_motion

STEP_S = 0.1
"""The background is compared in steps of at least so many seconds."""

STILL = 0.006
"""A camera that moves less than this, in picture diagonals a second, stands still: what is measured
then is noise."""

MOST_ZOOM = 2.0
"""A background that grows or shrinks by more from one step to the next was not recognised."""


class Background:
    """Hears frames one after the other and sums up how the background moves.

    ``boxes`` (T, 4) px xyxy hold the lifter at ``time_s`` (T,), NaN where nobody is.
    """

    def __init__(self, boxes: np.ndarray, time_s: np.ndarray) -> None:
        self._boxes, self._box_times = boxes, time_s
        self._last: tuple[float, np.ndarray, np.ndarray] | None = None
        self._times: list[float] = []
        self._steps: list[np.ndarray] = []
        self._size = (1.0, 1.0)

    def hear(self, grey: np.ndarray, frame_scale: float, time_s: float) -> None:
        """Take in a frame uint8 (h, w), ``frame_scale`` px for each px of the source."""
        if self._last is not None and time_s < self._last[0] + STEP_S - 1e-3:
            return
        small = SIDE / max(grey.shape)
        size = (round(grey.shape[1] * small), round(grey.shape[0] * small))
        picture = cv2.resize(grey, size, interpolation=cv2.INTER_AREA) if small < 1 else grey
        scale = frame_scale * min(small, 1.0)
        self._size = (picture.shape[1] / scale, picture.shape[0] / scale)
        box = self._boxes[int(np.abs(self._box_times - time_s).argmin())]
        mask = background_mask(picture.shape, box, scale)
        if self._last is not None:
            self._add(picture, mask, scale, time_s)
        self._last = (time_s, picture, mask)

    def _add(self, picture: np.ndarray, mask: np.ndarray, scale: float, time_s: float) -> None:
        assert self._last is not None
        matrix = background_motion(self._last[1], picture, self._last[2] & mask)
        if matrix is None or not 1 / MOST_ZOOM < np.hypot(*matrix[:, 0]) < MOST_ZOOM:
            matrix = np.eye(2, 3)
        matrix = matrix.copy()
        matrix[:, 2] /= scale
        if not self._times:
            self._times.append(self._last[0])
        self._times.append(time_s)
        self._steps.append(matrix)

    def speed(self) -> float:
        """Median speed of the picture's corners, in diagonals a second; 0 of too few frames."""
        if not self._steps:
            return 0.0
        width, height = self._size
        frame = np.array([[0, 0], [width, 0], [0, height], [width, height]])
        moved = [frame @ m[:, :2].T + m[:, 2] - frame for m in self._steps]
        far = np.linalg.norm(np.array(moved), axis=-1).mean(-1) / np.hypot(width, height)
        return float(np.median(far / np.diff(self._times)))

    def still(self, xy: np.ndarray, time_s: np.ndarray) -> np.ndarray:
        """Points (T, 2) px as a camera would see them that keeps looking as in the first frame.

        Unchanged where the camera stands still.
        """
        if self.speed() < STILL:
            return xy
        back = [np.eye(3)]
        for step in self._steps:
            back.append(back[-1] @ np.linalg.inv(np.vstack([step, [0, 0, 1]])))
        matrices = np.array(back).reshape(-1, 9)
        times = np.array(self._times)
        at = np.stack([np.interp(time_s, times, column) for column in matrices.T], axis=-1)
        whole = np.concatenate([xy, np.ones((len(xy), 1))], axis=1)
        return np.asarray(np.einsum("tij,tj->ti", at.reshape(-1, 3, 3), whole)[:, :2])
