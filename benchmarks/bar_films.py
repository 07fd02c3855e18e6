"""Films of a barbell of known metres: a drawn plate, a skeleton that holds it, and the truth.

The world has x along the lift, y up from the floor and z away from the camera, in metres. The bar
lies level; ``yaw`` turns the lifter, and so the bar, from a view straight from the side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from gymform.bar.carrier import Bar
from gymform.skeleton import ANKLES, ELBOWS, HIPS, KNEES, SHOULDERS, WRISTS
from gymform.types import PoseSequence
from gymform.video.write import VideoWriter

RADIUS = 0.225
WIDTH, HEIGHT = 480, 640
DISTANCE = 4.0
"""From the camera to the middle of the bar, metres."""
FOCAL = 900.0
EYE = 1.1
"""Height of the camera, metres."""
HALF_BAR = 0.75
"""From the middle of the bar to the outer face of a plate, metres."""
THICKNESS = 0.04
"""Of a plate, metres."""
DRAWN_TOO_FAR = 0.6
"""`cv2.fillPoly` fills so much more than the polygon, px: measured by the areas of discs."""
SUB_FRAMES = 5
SHUTTER = 0.4
"""Share of the time of a frame in which the shutter is open."""


@dataclass(frozen=True)
class Lift:
    """A film to be made: ``path`` gives x, y in metres (..., 2) at seconds; its repetitions."""

    name: str
    path: Callable[[np.ndarray], np.ndarray]
    repetitions: tuple[tuple[float, float], ...]
    concentric: tuple[tuple[float, float], ...]
    seconds: float


@dataclass(frozen=True)
class View:
    """How it is filmed: ``yaw`` degrees, frames a second, constant rate factor of the encoder."""

    yaw: float = 0.0
    fps: float = 30.0
    crf: int = 23


def _eased(share: np.ndarray) -> np.ndarray:
    """From 0 to 1 with speed and acceleration 0 at both ends."""
    s = np.clip(share, 0, 1)
    return np.asarray(s**3 * (10 - 15 * s + 6 * s * s))


def _through(times: tuple[float, ...], heights: tuple[float, ...], t: np.ndarray) -> np.ndarray:
    value = np.full(np.shape(t), heights[0], float)
    for i in range(len(times) - 1):
        share = (t - times[i]) / (times[i + 1] - times[i])
        value = value + (heights[i + 1] - heights[i]) * _eased(share)
    return value


def _snatch_path(t: np.ndarray) -> np.ndarray:
    y = _through((0.8, 1.9, 2.3, 3.0, 4.2), (0.225, 1.35, 1.22, 1.22, 1.95), t)
    x = 0.05 * np.sin(2 * np.pi * np.clip((t - 0.8) / 1.5, 0, 1))
    return np.stack([x, y], axis=-1)


def _squat_path(t: np.ndarray) -> np.ndarray:
    times = (0.6, 1.7, 2.5, 2.9, 4.0, 5.0, 5.4, 6.5, 7.8)
    heights = (1.45, 0.9, 1.45, 1.45, 0.88, 1.45, 1.45, 0.9, 1.45)
    y = _through(times, heights, t)
    return np.stack([0.03 * np.sin(1.3 * t), y], axis=-1)


def _deadlift_path(t: np.ndarray) -> np.ndarray:
    y = _through((0.7, 1.9, 2.5, 3.4, 4.0, 5.5, 6.0, 7.0), (0.225, 0.8, 0.8, 0.225) * 2, t)
    return np.stack([0.02 * np.sin(2 * t), y], axis=-1)


SNATCH = Lift("snatch", _snatch_path, ((0.8, 4.2),), ((0.8, 1.9),), 4.8)
SQUAT = Lift("squat", _squat_path, ((0.6, 2.5), (2.9, 5.0), (5.4, 7.8)),
             ((1.7, 2.5), (4.0, 5.0), (6.5, 7.8)), 8.2)  # fmt: skip
DEADLIFT = Lift("deadlift", _deadlift_path, ((0.7, 3.4), (4.0, 7.0)), ((0.7, 1.9), (4.0, 5.5)),
                7.5)  # fmt: skip
LIFTS = (SNATCH, SQUAT, DEADLIFT)


def seen_at(points: np.ndarray) -> np.ndarray:
    """px (..., 2) of points (..., 3) in metres."""
    depth = DISTANCE + points[..., 2]
    x = WIDTH / 2 + FOCAL * points[..., 0] / depth
    y = HEIGHT * 0.47 - FOCAL * (points[..., 1] - EYE) / depth
    return np.stack([x, y], axis=-1)


def along_bar(yaw: float) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors (3,) along the bar, towards the camera, and across it, level."""
    turn = np.radians(yaw)
    return np.array([np.sin(turn), 0, -np.cos(turn)]), np.array([np.cos(turn), 0, np.sin(turn)])


def centres(lift: Lift, view: View, t: np.ndarray) -> np.ndarray:
    """The near plate's centre (T, 3), metres."""
    bar, across = along_bar(view.yaw)
    path = lift.path(t)
    middle = path[..., :1] * across + path[..., 1:] * np.array([0, 1.0, 0])
    return np.asarray(middle + HALF_BAR * bar)


def truth_px(lift: Lift, view: View, t: np.ndarray) -> np.ndarray:
    """Centre and half height (T, 3) px of the near plate."""
    middle = centres(lift, view, t)
    up = np.array([0, RADIUS, 0])
    top, bottom = seen_at(middle + up), seen_at(middle - up)
    half = (bottom[..., 1] - top[..., 1]) / 2
    return np.concatenate([(top + bottom) / 2, half[..., None]], axis=-1)


def make_film(
    path: Path,
    lift: Lift,
    view: View,
    background: np.ndarray | None = None,
    *,
    plate: bool = True,
) -> None:
    """Write the film; ``background`` uint8 (HEIGHT, WIDTH, 3), None: a drawn gym.

    Without ``plate`` the lifter moves with empty hands.
    """
    rng = np.random.default_rng(7)
    scene = drawn_gym(rng) if background is None else background
    times = np.arange(round(lift.seconds * view.fps)) / view.fps
    with VideoWriter(path, width=WIDTH, height=HEIGHT, fps=view.fps, crf=view.crf) as writer:
        for t in times:
            moments = t + np.linspace(-0.5, 0.5, SUB_FRAMES) * SHUTTER / view.fps
            mean = np.mean([_drawn(scene, lift, view, m, plate) for m in moments], axis=0)
            noisy = mean + rng.normal(0, 3, mean.shape)
            writer.write(np.clip(noisy, 0, 255).astype(np.uint8), float(t))


def drawn_gym(rng: np.random.Generator) -> np.ndarray:
    """A wall with posts, shelves and plates that hang on it, uint8 (HEIGHT, WIDTH, 3)."""
    coarse = rng.normal(120, 25, (20, 15, 3)).astype(np.float32)
    scene = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    for _ in range(14):
        x, y = rng.integers(0, WIDTH), rng.integers(0, HEIGHT)
        w, h = rng.integers(5, 90, 2)
        colour = rng.integers(40, 220, 3).tolist()
        cv2.rectangle(scene, (int(x), int(y)), (int(x + w), int(y + h)), colour, -1)
    for x, y, r in ((60, 200, 45), (420, 260, 38), (400, 430, 30)):
        cv2.circle(scene, (x, y), r, (30, 30, 34), -1, cv2.LINE_AA)
        cv2.circle(scene, (x, y), r // 5, (150, 150, 150), -1, cv2.LINE_AA)
    cv2.rectangle(scene, (0, 560), (WIDTH, HEIGHT), (90, 85, 80), -1)
    return np.clip(scene, 0, 255)


def _disc(middle: np.ndarray, across: np.ndarray, radius: float) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    up = np.array([0, 1.0, 0])
    rim = np.cos(angle)[:, None] * across + np.sin(angle)[:, None] * up
    return seen_at(middle + radius * rim)


def _fill(image: np.ndarray, points: np.ndarray, colour: tuple[int, int, int]) -> None:
    """Fill a disc's outline (n, 2) px, without the rim that OpenCV draws around what it fills."""
    out = points - points.mean(0)
    length = np.linalg.norm(out, axis=1, keepdims=True)
    inner = points - out / np.maximum(length, 1e-9) * np.minimum(DRAWN_TOO_FAR, 0.5 * length)
    cv2.fillPoly(image, [np.round(inner * 16).astype(np.int32)], colour, cv2.LINE_AA, 4)


def _drawn(scene: np.ndarray, lift: Lift, view: View, t: float, plate: bool) -> np.ndarray:
    image = scene.astype(np.uint8).copy()
    bar, across = along_bar(view.yaw)
    near = centres(lift, view, np.array(t))
    if plate:
        _fill(image, _disc(near - 2 * HALF_BAR * bar, across, RADIUS), (30, 32, 40))
    _draw_body(image, _joints(lift, view, np.array([t]))[0])
    if plate:
        _draw_plate(image, near, bar, across, t)
    return image


def _draw_plate(
    image: np.ndarray, near: np.ndarray, bar: np.ndarray, across: np.ndarray, t: float
) -> None:
    """A bumper plate, a groove in it, letters that turn, and the bar's end."""
    for back in np.linspace(THICKNESS, 0, 6)[:-1]:
        _fill(image, _disc(near - back * bar, across, RADIUS), (24, 24, 26))
    _fill(image, _disc(near, across, RADIUS), (38, 38, 44))
    _fill(image, _disc(near, across, 0.7 * RADIUS), (70, 70, 76))
    _fill(image, _disc(near, across, 0.62 * RADIUS), (42, 42, 48))
    for turn in (0.4, 2.4, 4.1):
        angle = turn + 0.8 * t
        up = np.array([0, 1.0, 0])
        at = near + 0.83 * RADIUS * (np.cos(angle) * across + np.sin(angle) * up)
        _fill(image, _disc(at, across, 0.08 * RADIUS), (200, 200, 190))
    _fill(image, _disc(near + 0.1 * bar, across, 0.03), (180, 180, 185))


def _draw_body(image: np.ndarray, joints: np.ndarray) -> None:
    skin = (170, 130, 110)
    limbs = [(11, 13, 26), (13, 15, 22), (12, 14, 26), (14, 16, 22), (5, 11, 34), (6, 12, 34),
             (5, 7, 16), (7, 9, 14), (6, 8, 16), (8, 10, 14)]  # fmt: skip
    for a, b, width in limbs:
        ends = [tuple(np.round(joints[j] * 16).astype(int).tolist()) for j in (a, b)]
        cv2.line(image, ends[0], ends[1], skin, width, cv2.LINE_AA, 4)
    head = tuple(np.round(joints[0] * 16).astype(int).tolist())
    cv2.circle(image, head, 24 * 16, skin, -1, cv2.LINE_AA, 4)


def _joints(lift: Lift, view: View, t: np.ndarray) -> np.ndarray:
    """px (T, 17, 2) of a plain lifter who stands by the bar, hands on it."""
    bar, across = along_bar(view.yaw)
    path = lift.path(t)
    up = np.array([0, 1.0, 0])

    def at(x: np.ndarray, y: np.ndarray, side: float) -> np.ndarray:
        return seen_at(x[:, None] * across + y[:, None] * up + side * bar)

    hand_y, hand_x = path[:, 1], path[:, 0]
    low = np.clip((1.0 - hand_y) / 0.8, 0, 1) if lift.name != "squat" else (1.45 - hand_y)
    hip_y = 0.95 - 0.45 * low
    shoulder_y = np.minimum(hip_y + 0.5 - 0.12 * low, 1.45)
    still = np.zeros(len(t))
    out = np.zeros((len(t), 17, 2))
    for i, side in ((0, 0.2), (1, -0.2)):
        out[:, WRISTS[i]] = at(hand_x, hand_y, 1.4 * side)
        out[:, SHOULDERS[i]] = at(still - 0.1 + 0.3 * low, shoulder_y, side)
        out[:, ELBOWS[i]] = (out[:, WRISTS[i]] + out[:, SHOULDERS[i]]) / 2
        out[:, HIPS[i]] = at(still - 0.1 - 0.3 * low, hip_y, 0.7 * side)
        out[:, KNEES[i]] = at(still - 0.02 + 0.3 * low, still + 0.5, 0.7 * side)
        out[:, ANKLES[i]] = at(still - 0.1, still + 0.09, 0.7 * side)
    out[:, :5] = at(still - 0.05 + 0.35 * low, shoulder_y + 0.22, 0)[:, None]
    return out


def skeleton(lift: Lift, view: View, noise_m: float = 0.015) -> PoseSequence:
    """The keypoints of the film's lifter, with noise that lasts about a fifth of a second."""
    times = np.arange(round(lift.seconds * view.fps)) / view.fps
    xy = _joints(lift, view, times)
    rng = np.random.default_rng(3)
    rough = rng.normal(0, 1, xy.shape)
    slow = gaussian_filter1d(rough, 0.1 * view.fps, axis=0)
    xy = xy + slow / slow.std() * noise_m * FOCAL / DISTANCE
    box = np.stack([xy[..., 0].min(1), xy[..., 1].min(1), xy[..., 0].max(1), xy[..., 1].max(1)], -1)
    return PoseSequence(
        xy.astype(np.float32), np.full(xy.shape[:2], 0.9, np.float32), box.astype(np.float32),
        times, (WIDTH, HEIGHT),
    )  # fmt: skip


def true_bar(lift: Lift, time_s: np.ndarray) -> Bar:
    """The bar as it really moves, in millimetres for px, with exact speeds."""
    step = 1e-4
    before, now, after = (1000 * lift.path(time_s + d) for d in (-step, 0.0, step))
    flip = np.array([1.0, -1.0])
    velocity = flip * (after - before) / (2 * step)
    seen = np.ones(len(time_s), bool)
    r = np.full(len(time_s), 1000 * RADIUS)
    return Bar(time_s, flip * now, r, seen, velocity, flip * now, seen, 1.0, 1.0, 2000 * RADIUS)
