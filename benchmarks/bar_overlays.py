"""Films of real lifters without a bar, over which a plate of known millimetres is laid.

The hands' own keypoints, smoothed, move the middle of a level bar in the lifter's plane; its metres
come from the lifter's height in the picture, taken for 1.75 m, and the camera's angle of view is
taken for a usual one. The plate sits on the end of the bar nearer to the camera, in perspective,
shaded, with a bevelled rim, letters that turn and blur of motion, and the film is encoded again.
The lifter's keypoints are those that were found in the clip, with all their errors.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from bar_films import (
    HALF_BAR,
    RADIUS,
    SHUTTER,
    SUB_FRAMES,
    THICKNESS,
    View,
    along_bar,
)
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from gymform.bar.carrier import Bar
from gymform.bar.hands import hands_of
from gymform.motion.body_size import TORSO
from gymform.types import PoseSequence
from gymform.video.read import read_frames
from gymform.video.write import VideoWriter

CLIPS = (
    "lunge/Ambaks_Nowva__lunge.mp4",
    "squat/Ambaks_Nowva__squats.mp4",
    "front_raise/Kshitij-19_BE-Project-Exercis__exercise_videos_Front_Raise.mp4",
    "deadlift/TBY66_Intelligent-Deadli__sample_0016h_1.mp4",
)
"""Clips in which no barbell is seen, and hands go up and down."""

SECONDS = 5.0
"""So much of each clip is used."""

HEIGHT_M = 1.75
ANGLE = 1.1
"""Focal length, in sides of the picture: about 50° of the longer side."""

SMOOTH_S = 0.12
"""Standard deviation of the smoothing of the hands' path."""

LEAST_RISE = 0.15
"""Metres by which a bar goes down and up between two repetitions."""


@dataclass(frozen=True, eq=False)
class Overlay:
    """A clip and the bar that is laid over it.

    ``path`` gives x and y (..., 2) metres of the bar's middle from the optical axis, y up, at
    seconds; ``focal`` px, ``middle`` (2,) px and ``depth`` m make the camera.
    """

    file: Path
    pose: PoseSequence
    path: CubicSpline
    focal: float
    middle: np.ndarray
    depth: float

    def seen_at(self, points: np.ndarray) -> np.ndarray:
        """px (..., 2) of points (..., 3) in metres, z from the lifter's plane away."""
        flat = self.focal * points[..., :2] / (self.depth + points[..., 2:])
        return np.asarray(self.middle + flat * np.array([1.0, -1.0]))

    def centre(self, t: float, yaw: float) -> np.ndarray:
        """The plate's centre (3,), metres."""
        bar, _ = along_bar(yaw)
        return np.asarray(np.append(self.path(t), 0.0) + HALF_BAR * bar)

    def repetitions(self) -> tuple[tuple[float, float], ...]:
        """(start, end) from each highest place of the bar to the next one."""
        times = self.pose.time_s
        tops, _ = find_peaks(self.path(times)[:, 1], prominence=LEAST_RISE)
        ends = times[np.concatenate([[0], tops, [len(times) - 1]])]
        return tuple(
            (float(a), float(b))
            for a, b in itertools.pairwise(ends)
            if b - a > 0.5 and self._rise(a, b) >= LEAST_RISE
        )

    def _rise(self, start: float, end: float) -> float:
        heights = self.path(np.linspace(start, end, 200))[:, 1]
        return float((heights - np.minimum.accumulate(heights)).max())


def overlay_of(file: Path, pose: PoseSequence, fps: float) -> Overlay:
    """The bar in the hands of a clip; ``pose`` at even steps of ``fps`` for `SECONDS`."""
    hands = hands_of(pose)
    assert hands is not None
    width, height = pose.image_size
    focal, middle = ANGLE * max(width, height), np.array([width, height]) / 2
    scale = hands.torso / TORSO / HEIGHT_M  # px for each metre
    known = np.isfinite(hands.xy[:, 0])
    xy = np.stack([np.interp(pose.time_s, pose.time_s[known], one[known])
                   for one in hands.xy.T], axis=-1)  # fmt: skip
    smooth = gaussian_filter1d(xy, SMOOTH_S * fps, axis=0, mode="nearest")
    metres = (smooth - middle) / scale * np.array([1.0, -1.0])
    return Overlay(file, pose, CubicSpline(pose.time_s, metres), focal, middle, focal / scale)


def at_rate(pose: PoseSequence, fps: float) -> PoseSequence:
    """The first `SECONDS` of keypoints at even steps, between frames interpolated."""
    seconds = min(SECONDS, float(pose.time_s[-1] - pose.time_s[0]))
    times = np.arange(int(seconds * fps)) / fps
    source = pose.time_s - pose.time_s[0]

    def stepped(values: np.ndarray) -> np.ndarray:
        flat = values.reshape(len(values), -1).astype(np.float64)
        columns = [np.interp(times, source, column) for column in flat.T]
        return np.stack(columns, -1).reshape(len(times), *values.shape[1:]).astype(np.float32)

    score = stepped(pose.score)
    xy = stepped(pose.xy)
    score[~np.isfinite(xy).all(-1)] = 0
    return PoseSequence(xy, score, stepped(pose.boxes), times, pose.image_size)


def make_overlay(path: Path, overlay: Overlay, view: View) -> None:
    """Write the film: the clip's frames, each as long as it lasts, with the plate over them."""
    width, height = overlay.pose.image_size
    width, height = width - width % 2, height - height % 2
    with VideoWriter(path, width=width, height=height, fps=view.fps, crf=view.crf) as writer:
        for t, rgb in _frames(overlay):
            moments = t + np.linspace(-0.5, 0.5, SUB_FRAMES) * SHUTTER / view.fps
            mean = np.mean([_laid(rgb, overlay, view, float(m)) for m in moments], axis=0)
            writer.write(np.clip(mean, 0, 255).astype(np.uint8)[:height, :width], float(t))


def _frames(overlay: Overlay) -> Iterator[tuple[float, np.ndarray]]:
    """The second and the picture of each frame of the film to be made."""
    times = overlay.pose.time_s
    with read_frames(overlay.file) as frames:
        began, now = None, 0
        for frame in frames:
            began = frame.time_s if began is None else began
            last = frame.rgb
            while now < len(times) and times[now] <= frame.time_s - began + 1e-6:
                yield float(times[now]), last
                now += 1
            if now == len(times):
                return


def _laid(rgb: np.ndarray, overlay: Overlay, view: View, t: float) -> np.ndarray:
    """A frame float32 (h, w, 3) with the plate."""
    bar, across = along_bar(view.yaw)
    image = rgb.astype(np.float32)
    near = overlay.centre(t, view.yaw)
    for back in np.linspace(THICKNESS, 0.0, 6)[:-1]:
        _fill(image, overlay, near - back * bar, across, RADIUS, 30.0, 12.0)
    for share, grey, shade in ((1.0, 74.0, 26.0), (0.965, 44.0, 22.0), (0.7, 66.0, 20.0),
                               (0.62, 46.0, 20.0)):  # fmt: skip
        _fill(image, overlay, near, across, share * RADIUS, grey, shade)
    for turn in (0.4, 2.4, 4.1):
        angle = turn + 0.8 * t
        out = np.cos(angle) * across + np.sin(angle) * np.array([0, 1.0, 0])
        _fill(image, overlay, near + 0.83 * RADIUS * out, across, 0.07 * RADIUS, 200.0, 0.0)
    _fill(image, overlay, near + 0.1 * bar, across, 0.03, 170.0, 40.0)
    return image


def _fill(
    image: np.ndarray,
    overlay: Overlay,
    centre: np.ndarray,
    across: np.ndarray,
    radius: float,
    grey: float,
    shade: float,
) -> None:
    """Lay a disc over an image, brighter by ``shade`` at its top than at its middle."""
    angle = np.linspace(0, 2 * np.pi, 96, endpoint=False)[:, None]
    rim = np.cos(angle) * across + np.sin(angle) * np.array([0, 1.0, 0])
    points = overlay.seen_at(centre + radius * rim)
    low = np.maximum(np.floor(points.min(0)).astype(int) - 2, 0)
    high = np.minimum(np.ceil(points.max(0)).astype(int) + 3, image.shape[1::-1])
    if (high <= low).any():
        return
    fine = 4
    size = tuple((fine * (high - low)).tolist())
    mask = np.zeros(size[::-1], np.uint8)
    cv2.fillPoly(mask, [np.round((points - low + 0.5) * fine - 0.5).astype(np.int32)], 255)
    alpha = cv2.resize(mask, None, fx=1 / fine, fy=1 / fine, interpolation=cv2.INTER_AREA) / 255
    rows = np.arange(low[1], high[1])
    middle = points[:, 1].mean()
    tone = grey + shade * (middle - rows) / max(np.ptp(points[:, 1]) / 2, 1)
    part = image[low[1] : high[1], low[0] : high[0]]
    part += alpha[..., None] * (tone[:, None, None] - part)


def true_plate(overlay: Overlay, view: View, time_s: np.ndarray) -> np.ndarray:
    """Centre and half height (T, 3) px of the plate's face."""
    middle = np.array([overlay.centre(float(t), view.yaw) for t in time_s])
    up = np.array([0, RADIUS, 0])
    top, bottom = overlay.seen_at(middle + up), overlay.seen_at(middle - up)
    return np.concatenate([(top + bottom) / 2, (bottom - top)[:, 1:] / 2], axis=-1)


def true_path(overlay: Overlay, time_s: np.ndarray) -> Bar:
    """The bar as it moves, in millimetres for px, with exact speeds."""
    flip = 1000 * np.array([1.0, -1.0])
    xy, velocity = flip * overlay.path(time_s), flip * overlay.path(time_s, 1)
    seen = np.ones(len(time_s), bool)
    r = np.full(len(time_s), 1000 * RADIUS)
    return Bar(time_s, xy, r, seen, velocity, xy, seen, 1.0, 1.0, 2000 * RADIUS)
