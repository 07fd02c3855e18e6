"""Jointed figures in space for the tests of form: what is true of them is known, then filmed."""

import numpy as np

from gymform import skeleton as sk
from gymform.motion.clean import clean
from gymform.training.exercise.synthesize import (
    ANKLE_HEIGHT,
    BAR_HEIGHT,
    STANDING,
    TORSO,
    Trunk,
    assemble,
)
from gymform.types import PoseSequence

SIZE_PX = 300.0


def once(fps: float, down_s: float = 1.2, hold_s: float = 0.4, up_s: float = 1.0) -> np.ndarray:
    """A phase (N,) from 0 to 1 and back, half a second of rest at both ends."""
    ends = np.cumsum([0, 0.5, down_s, hold_s, up_s, 0.5])
    times = np.arange(round(ends[-1] * fps) + 1) / fps
    line = np.interp(times, ends, [0, 0, 1, 1, 0, 0])
    return (1 - np.cos(np.pi * line)) / 2


def ankles(count: int, apart: float = 0.2):
    """Feet on the floor, (N, 3) each."""
    return tuple(np.tile([side * apart / 2, ANKLE_HEIGHT, 0.0], (count, 1)) for side in (1, -1))


def squat(u: np.ndarray, depth: float = 0.3, lean: float = 0.6, tip: float = 0.0, **how):
    """Points (N, 17, 3) in statures of a squat of ``depth`` with a bar on the back.

    ``lean`` radians at the bottom, ``tip`` more just after it.
    """
    rising = np.gradient(u) < -1e-9
    early = np.where(rising, np.exp(-((u - 0.75) ** 2) / 0.02), 0)
    leaned = 0.05 + (lean - 0.05) * u + tip * early
    pelvis = np.stack([0 * u, STANDING - depth * u, -0.1 * u], 1)
    trunk = Trunk(pelvis, leaned)
    hands = tuple(trunk.by_shoulder(side, 0.08, 0.0, -0.03) for side in (1, -1))
    return assemble(trunk, ankles(len(u)), hands, **how)


def deadlift(u: np.ndarray, soft: float = 0.0, before: float = 0.0):
    """Points of a lift from the floor (u = 0) to standing (u = 1).

    ``soft`` radians that the trunk still leans at the top, ``before`` statures that the hands are
    before the shoulders.
    """
    low = 0.32
    height = low + (STANDING - low) * u
    bent = np.arccos((BAR_HEIGHT + 0.33 - low) / TORSO)
    lean = bent + (soft - bent) * u
    trunk = Trunk(np.stack([0 * u, height, -0.17 * (1 - u)], 1), lean)
    hands = tuple(trunk.hanging(side) + np.array([0, 0, before]) for side in (1, -1))
    return assemble(trunk, ankles(len(u), 0.15), hands, 0.2)


def film(points: np.ndarray, degrees: float, fps: float = 30.0, score: float = 0.8):
    """(pose, its tracks): the figure from ``degrees`` beside its front, 300 px tall."""
    angle = np.radians(degrees)
    x = points[..., 0] * np.cos(angle) + points[..., 2] * np.sin(angle)
    xy = np.stack([x, points[..., 1]], -1) * SIZE_PX + [320, 400]
    xy[:, [k for k in range(17) if k not in (sk.NOSE, *sk.BODY)]] = np.nan
    there = np.isfinite(xy).all(-1)
    boxes = np.tile(np.float32([150, 50, 500, 410]), (len(xy), 1))
    pose = PoseSequence(
        np.where(there[..., None], xy, np.nan).astype(np.float32),
        np.where(there, score, 0).astype(np.float32),
        boxes,
        np.arange(len(xy)) / fps,
        (640, 480),
    )
    return pose, clean(pose)


def below_level(points: np.ndarray) -> np.ndarray:
    """Degrees (N,) by which the left thigh points below level, in space."""
    thigh = points[:, sk.LEFT_KNEE] - points[:, sk.LEFT_HIP]
    return np.degrees(np.arcsin(-thigh[:, 1] / np.linalg.norm(thigh, axis=1)))


def angle_at(points: np.ndarray, joint: int, one: int, other: int) -> np.ndarray:
    """Degrees (N,) at a joint, in space."""
    a, b = points[:, one] - points[:, joint], points[:, other] - points[:, joint]
    cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))
