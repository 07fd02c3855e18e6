"""Synthetic lifters: calculated keypoints in space for exercises with few or no clips.

Of kettlebell swings, pull-ups, lateral raises and jumping jacks there are few clips, of power
snatches and sumo deadlifts there are none, and most exercises were filmed from one side only. Each
maker here returns the joints of a lifter over time, in body heights; ``augment.py`` projects them
from any side.

Axes until :func:`assemble`: x to the lifter's left, y up, z forward.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from gymform import skeleton as sk
from gymform.exercises import class_of
from gymform.training.exercise.augment import BASE_HZ, Sample
from gymform.types import OTHER

TORSO, THIGH, SHANK, UPPER_ARM, FOREARM = 0.288, 0.245, 0.246, 0.186, 0.146
HIP_BREADTH, SHOULDER_BREADTH, ANKLE_HEIGHT = 0.1, 0.23, 0.04
"""Lengths in body heights (Drillis & Contini 1966, as in ``motion/body_size.py``)."""

STANDING = ANKLE_HEIGHT + 0.985 * (THIGH + SHANK)
"""Height of the hips when standing."""

BAR_HEIGHT = 0.13
"""Height of the hands on a bar with large plates on the floor."""

Sides = tuple[np.ndarray, np.ndarray]
"""Points (N, 3) of the left and the right side."""


@dataclass(frozen=True, eq=False)
class Trunk:
    """Pelvis and torso over time: ``pelvis`` (N, 3), forward ``lean`` (N,) in radians."""

    pelvis: np.ndarray
    lean: np.ndarray

    @property
    def up(self) -> np.ndarray:
        """Unit vectors (N, 3) from hips to shoulders."""
        return np.stack([0 * self.lean, np.cos(self.lean), np.sin(self.lean)], 1)

    @property
    def front(self) -> np.ndarray:
        """Unit vectors (N, 3) in the direction that the chest faces."""
        return np.stack([0 * self.lean, -np.sin(self.lean), np.cos(self.lean)], 1)

    def hip(self, side: int) -> np.ndarray:
        """A hip joint (N, 3); ``side`` 1 is left, -1 right."""
        return np.asarray(self.pelvis + np.array([side * HIP_BREADTH / 2, 0, 0]))

    def shoulder(self, side: int) -> np.ndarray:
        """A shoulder joint (N, 3)."""
        aside = np.array([side * SHOULDER_BREADTH / 2, 0, 0])
        return np.asarray(self.pelvis + TORSO * self.up + aside)

    def by_shoulder(self, side: int, out: float, up: float, front: float) -> np.ndarray:
        """A point (N, 3) given relative to the shoulder in the torso's axes."""
        away = np.array([side * out, 0.0, 0.0])
        return np.asarray(self.shoulder(side) + away + up * self.up + front * self.front)

    def hanging(self, side: int, out: float = 0.03, length: float = 0.97) -> np.ndarray:
        """Where a hand (N, 3) hangs straight below the shoulder."""
        down = np.array([side * out, -length * (UPPER_ARM + FOREARM), 0.0])
        return np.asarray(self.shoulder(side) + down)


def two_bones(
    root: np.ndarray, end: np.ndarray, first: float, second: float, pole: np.ndarray
) -> Sides:
    """(middle joint, reached end), (N, 3) each, of two bones bent towards ``pole``.

    By the law of cosines; an end out of reach is moved within reach.
    """
    line = end - root
    length = np.linalg.norm(line, axis=1, keepdims=True)
    reach = np.clip(length, abs(first - second) + 1e-3, 0.999 * (first + second))
    line = line / np.maximum(length, 1e-6)
    along = (first**2 - second**2 + reach**2) / (2 * reach)
    aside = pole - (pole * line).sum(1, keepdims=True) * line
    aside = aside / np.maximum(np.linalg.norm(aside, axis=1, keepdims=True), 1e-6)
    height = np.sqrt(np.maximum(first**2 - along**2, 0))
    return root + along * line + height * aside, root + reach * line


def assemble(
    trunk: Trunk,
    ankles: Sides,
    wrists: Sides,
    knees_out: float = 0.35,
    elbows: tuple[float, float, float] = (0.6, -0.5, -0.6),
) -> np.ndarray:
    """Points (N, 17, 3) as in a Sample: x right, y down, z away from a camera in front.

    ``knees_out`` and ``elbows`` (out, up, front) are the directions in which knees and elbows
    point.
    """
    points = np.full((len(trunk.lean), sk.NUM_KEYPOINTS, 3), np.nan)
    points[:, sk.NOSE] = trunk.pelvis + (TORSO + 0.11) * trunk.up + 0.06 * trunk.front
    for i, side in enumerate((1, -1)):
        knee_pole = np.array([side * knees_out, 0.0, 1.0]) + 0 * trunk.pelvis
        elbow_pole = side * np.array([elbows[0], 0, 0]) + elbows[1] * trunk.up
        elbow_pole = elbow_pole + elbows[2] * trunk.front
        hip, shoulder = trunk.hip(side), trunk.shoulder(side)
        points[:, sk.LEFT_HIP + i], points[:, sk.LEFT_SHOULDER + i] = hip, shoulder
        knee, ankle = two_bones(hip, ankles[i], THIGH, SHANK, knee_pole)
        points[:, sk.LEFT_KNEE + i], points[:, sk.LEFT_ANKLE + i] = knee, ankle
        elbow, wrist = two_bones(shoulder, wrists[i], UPPER_ARM, FOREARM, elbow_pole)
        points[:, sk.LEFT_ELBOW + i], points[:, sk.LEFT_WRIST + i] = elbow, wrist
    return points * [1, -1, -1]


# ---- shared by the makers ------------------------------------------------------------------


def _repeat(rng: np.random.Generator) -> np.ndarray:
    """Progress (N,) from 0 to 1 and back, one to three times, with rests."""
    times, phases = [0.0], [0.0]
    for _ in range(int(rng.integers(1, 4))):
        for phase in (1.0, 0.0):
            if rng.random() < 0.6:
                times.append(times[-1] + rng.uniform(0.1, 0.8))
                phases.append(phases[-1])
            times.append(times[-1] + rng.uniform(0.5, 1.8))
            phases.append(phase)
    return _through(times, phases)


def _through(times: list[float], values: list[float]) -> np.ndarray:
    """A smooth curve (N,) through the given points, without overshoot."""
    grid = np.arange(int(times[-1] * BASE_HZ) + 1) / BASE_HZ
    return np.asarray(PchipInterpolator(times, values)(grid))


def _stance(u: np.ndarray, apart: float, back: float = 0.0) -> Sides:
    """Two ankles (N, 3) on the floor."""
    left, right = (
        np.array([side * apart / 2, ANKLE_HEIGHT, back]) + np.zeros((len(u), 3)) for side in (1, -1)
    )
    return left, right


def _trunk(height: np.ndarray, forward: np.ndarray, lean: np.ndarray) -> Trunk:
    return Trunk(np.stack([0 * height, height, forward], 1), lean)


def _both(of: Callable[[int], np.ndarray]) -> Sides:
    return of(1), of(-1)


def _blend(start: Sides, end: Sides, u: np.ndarray) -> Sides:
    """From one place (u = 0) to another (u = 1) for both hands."""
    left, right = (a + (b - a) * u[:, None] for a, b in zip(start, end, strict=True))
    return left, right


def _legs_down(u: np.ndarray, rng: np.random.Generator) -> tuple[Trunk, Sides]:
    """A squat's trunk and ankles at depth ``u``."""
    depth, apart = rng.uniform(0.18, 0.36), rng.uniform(0.12, 0.3)
    lean = rng.uniform(0.02, 0.12) + rng.uniform(0.25, 0.75) * u
    back = rng.uniform(0.03, 0.14) * u
    return _trunk(STANDING - depth * u, -back, lean), _stance(u, apart)


def _stand_or_sit(rng: np.random.Generator, u: np.ndarray) -> tuple[Trunk, Sides]:
    """Trunk and ankles of somebody who stands, or sits with level thighs, and hardly moves."""
    wobble = 0.02 * rng.normal() * u
    lean = rng.uniform(-0.1, 0.15) + wobble
    if rng.random() < 0.3:
        height = 0 * u + ANKLE_HEIGHT + SHANK
        return _trunk(height, 0 * u - THIGH * 0.95, lean), _stance(u, rng.uniform(0.12, 0.3))
    return _trunk(STANDING - 0.01 * u, 0 * u, lean), _stance(u, rng.uniform(0.08, 0.25))


def _load(trunk: Trunk, rng: np.random.Generator) -> Sides:
    """Hands that hold a bar on the back or in front, a weight at the chest, on the hips, or low."""
    out, up, front = [
        (rng.uniform(0.03, 0.16), rng.uniform(-0.06, 0.05), -0.03),
        (rng.uniform(-0.04, 0.05), rng.uniform(-0.03, 0.05), 0.08),
        (-0.09, rng.uniform(-0.12, 0.0), 0.1),
        (rng.uniform(-0.08, 0.0), rng.uniform(-0.05, 0.05), 0.31),
        (0.02, -0.27, 0.0),
        (0.03, -0.21, 0.04),
    ][rng.integers(6)]
    return _both(lambda side: trunk.by_shoulder(side, out, up, front))


# ---- the exercises -------------------------------------------------------------------------


def squat(rng: np.random.Generator) -> np.ndarray:
    """Down and up again with any load, or with arms that swing to the front."""
    u = _repeat(rng)
    trunk, ankles = _legs_down(u, rng)
    wrists = _load(trunk, rng)
    if rng.random() < 0.3:
        up = rng.uniform(-0.05, 0.25)
        front = _both(lambda side: trunk.by_shoulder(side, -0.05, up, 0.25))
        wrists = _blend(_both(trunk.hanging), front, np.clip(1.5 * u, 0, 1))
    return assemble(trunk, ankles, wrists, rng.uniform(0.1, 0.8))


def deadlift(rng: np.random.Generator) -> np.ndarray:
    """From the floor to the hips and down: conventional or sumo, with a bar or dumbbells."""
    u = 1 - _repeat(rng) if rng.random() < 0.3 else _repeat(rng)
    low = rng.uniform(0.24, 0.38)  # height of the hips at the start
    sumo = rng.random() < 0.3
    height = low + (STANDING - low) * u
    lean = np.arccos(np.clip(
        (BAR_HEIGHT + 0.33 - low + rng.uniform(-0.03, 0.05)) / TORSO, 0.05, 0.85
    )) * (1 - u) ** rng.uniform(0.8, 1.4) + rng.uniform(-0.1, 0.05)  # fmt: skip
    trunk = _trunk(height, -rng.uniform(0.12, 0.2) * (1 - u), lean)
    ankles = _stance(u, rng.uniform(0.3, 0.5) if sumo else rng.uniform(0.1, 0.2), -0.03)
    wrists = _both(lambda side: trunk.hanging(side, rng.uniform(-0.03, 0.05)))
    return assemble(trunk, ankles, wrists, 0.9 if sumo else 0.2)


def snatch(rng: np.random.Generator) -> np.ndarray:
    """From the floor overhead in one pull: caught low or high, then stood up with."""
    wide = rng.uniform(0.1, 0.26)
    catch = STANDING - (rng.uniform(0.06, 0.18) if rng.random() < 0.5 else rng.uniform(0.2, 0.36))
    start, t = rng.uniform(0.26, 0.34), rng.uniform(0.2, 1.2)
    pull, drop_under, rise = rng.uniform(0.7, 1.2), rng.uniform(0.25, 0.45), rng.uniform(0.8, 1.8)
    times = [0.0, t, t + 0.55 * pull, t + pull, t + pull + drop_under]
    times += [times[-1] + rng.uniform(0.1, 0.6)]
    times += [times[-1] + rise, times[-1] + rise + rng.uniform(0.4, 1.5)]
    lean_low = rng.uniform(0.75, 1.05)
    height = _through(times, [start, start, 0.4, STANDING + 0.02, catch, catch, STANDING, STANDING])
    lean = _through(times, [lean_low, lean_low, lean_low, -0.1, 0.3, 0.3, 0.05, 0.05])
    back = _through(times, [-0.16, -0.16, -0.18, 0.0, -0.08, -0.08, 0.0, 0.0])
    trunk = _trunk(height, back, lean)
    over = _through(times, [0, 0, 0, 0.12, 1, 1, 1, 1])[:, None]
    lift = 0.98 * np.sqrt(0.332**2 - wide**2)
    hands = []
    for side in (1, -1):
        down = trunk.hanging(side, wide * 0.6, 0.93)
        up = trunk.shoulder(side) + np.array([side * wide, lift, -0.02])
        way = down + (up - down) * over
        # the bar passes in front of the face, not through it
        hands.append(way + np.array([0, 0, 0.12]) * (4 * over * (1 - over)))
    ankles = _stance(height, rng.uniform(0.14, 0.26), -0.03)
    return assemble(trunk, ankles, (hands[0], hands[1]), 0.6, (0.9, 0.3, -0.1))


def lunge(rng: np.random.Generator) -> np.ndarray:
    """A step forward or back into a kneeling split and out of it, or a split squat."""
    u = _repeat(rng)
    stays = rng.random() < 0.4
    stride, depth = rng.uniform(0.35, 0.55), rng.uniform(0.14, 0.24)
    split = np.ones_like(u) if stays else np.sqrt(np.clip(u, 0, 1))
    front_share = 0.5 if stays else rng.choice([0.0, 1.0])
    forward, backward = stride * front_share * split, stride * (1 - front_share) * split
    height = STANDING - 0.05 * split - depth * u
    trunk = _trunk(height, (forward - backward) / 2, rng.uniform(-0.05, 0.3) * u)
    apart = rng.uniform(0.08, 0.18)
    heel = ANKLE_HEIGHT + 0.09 * split
    near = np.stack([0 * u + apart / 2, 0 * u + ANKLE_HEIGHT, forward], 1)
    far = np.stack([0 * u - apart / 2, heel, -backward], 1)
    ankles = (near, far)
    if rng.random() < 0.5:
        ankles = (far * [-1, 1, 1], near * [-1, 1, 1])
    return assemble(trunk, ankles, _load(trunk, rng), 0.1)


def side_lunge(rng: np.random.Generator) -> np.ndarray:
    """Feet far apart; the hips go down over one foot and back up."""
    u, apart = _repeat(rng), rng.uniform(0.5, 0.8)
    aside = rng.choice([-1, 1]) * apart * rng.uniform(0.2, 0.35) * u
    top = np.sqrt((STANDING - ANKLE_HEIGHT) ** 2 - (apart / 2 - 0.05) ** 2) + ANKLE_HEIGHT
    trunk = _trunk(top - rng.uniform(0.12, 0.32) * u, -0.08 * u, rng.uniform(0.2, 0.8) * u + 0.05)
    trunk = Trunk(trunk.pelvis + np.stack([aside, 0 * u, 0 * u], 1), trunk.lean)
    return assemble(trunk, _stance(u, apart), _load(trunk, rng), 0.6)


def burpee(rng: np.random.Generator) -> np.ndarray:
    """Hands to the floor, feet back to a plank, feet forward again, up with arms overhead."""
    steps = [0.3, 0.6, 0.4, rng.uniform(0.2, 1.0), 0.4, 0.6, rng.uniform(0.2, 0.6), 0.5]
    times = [0.0, *np.cumsum(np.array(steps) * rng.uniform(0.8, 1.6)).tolist()]
    low = rng.uniform(0.2, 0.3)
    height = _through(times, [STANDING, STANDING, low, 0.26, 0.26, low, STANDING, STANDING,
                              STANDING])  # fmt: skip
    lean = _through(times, [0, 0, 1.2, 1.35, 1.35, 1.2, 0, 0, 0])
    feet = _through(times, [0, 0, 0, -0.42, -0.42, 0, 0, 0, 0])
    over = _through(times, [0, 0, 0, 0, 0, 0, 0.6, 1, 0])
    trunk = _trunk(height, -0.1 * np.clip(lean, 0, 1), lean)
    up = _both(lambda side: trunk.by_shoulder(side, 0.05, 0.3, 0.0))
    wrists = _blend(_both(trunk.hanging), up, over)
    left, right = _stance(height, rng.uniform(0.1, 0.2))
    back = np.stack([0 * feet, 0 * feet, feet], 1)
    return assemble(trunk, (left + back, right + back), wrists, 0.2)


def row(rng: np.random.Generator) -> np.ndarray:
    """Bent over without moving; one or both arms pull a weight to the belly."""
    u = _repeat(rng)
    height = STANDING - rng.uniform(0.03, 0.12) - 0.01 * rng.normal() * u
    lean = rng.uniform(0.6, 1.5) - rng.uniform(0, 0.25) * u
    trunk = _trunk(height, 0 * u - rng.uniform(0.08, 0.16), lean)
    out, up = rng.uniform(-0.02, 0.12), rng.uniform(-0.26, -0.12)
    drawn = _both(lambda side: trunk.by_shoulder(side, out, up, 0.08))
    hanging = _both(lambda side: trunk.hanging(side, out))
    wrists = _blend(hanging, drawn, u)
    if rng.random() < 0.25:
        wrists = (wrists[0], hanging[1])
    return assemble(trunk, _stance(u, rng.uniform(0.1, 0.25)), wrists, 0.2, (0.2, -0.2, -1))


def curl(rng: np.random.Generator) -> np.ndarray:
    """Upper arms fixed, one or both hands to the shoulders."""
    u = _repeat(rng)
    trunk, ankles = _stand_or_sit(rng, u)
    out, front = rng.uniform(-0.04, 0.08), rng.uniform(0.02, 0.1)
    top = _both(lambda side: trunk.by_shoulder(side, out, rng.uniform(-0.08, 0), front))
    low = _both(lambda side: trunk.by_shoulder(side, out, -0.31, front))
    wrists = _blend(low, top, u)
    if rng.random() < 0.3:
        wrists = (wrists[0], low[1])
    return assemble(trunk, ankles, wrists, 0.1, (0.1, -1, -0.3))


def press(rng: np.random.Generator) -> np.ndarray:
    """From the shoulders overhead, standing or seated."""
    u = _repeat(rng)
    trunk, ankles = _stand_or_sit(rng, u)
    out, wide = rng.uniform(-0.02, 0.12), rng.uniform(-0.05, 0.1)
    low = _both(lambda side: trunk.by_shoulder(side, out, 0.03, 0.06))
    top = _both(lambda side: trunk.by_shoulder(side, wide, 0.31, 0.02))
    return assemble(trunk, ankles, _blend(low, top, u), 0.1, (0.8, -0.8, 0.2))


def lateral_raise(rng: np.random.Generator) -> np.ndarray:
    """Nearly straight arms raised sideways to about shoulder height."""
    return _arm_raise(rng, rng.uniform(1.1, 1.8), rng.uniform(0.85, 1.0))


def front_raise(rng: np.random.Generator) -> np.ndarray:
    """Nearly straight arms raised to the front, to shoulder height or higher."""
    return _arm_raise(rng, rng.uniform(1.2, 2.6), rng.uniform(0.0, 0.35))


def _arm_raise(rng: np.random.Generator, top: float, to_side: float) -> np.ndarray:
    """Arms raised by the angle ``top``; ``to_side`` 1 is sideways, 0 to the front."""
    u = _repeat(rng)
    trunk, ankles = _stand_or_sit(rng, u)
    angle = top * u
    reach = rng.uniform(0.88, 0.97) * (UPPER_ARM + FOREARM)
    aside, ahead = reach * np.sin(angle) * to_side, reach * np.sin(angle) * np.sqrt(1 - to_side**2)
    wrists = _both(lambda side: trunk.shoulder(side) + np.stack(
        [side * (0.03 + aside), -reach * np.cos(angle), 0.02 + ahead], 1))  # fmt: skip
    return assemble(trunk, ankles, wrists, 0.1)


def swing(rng: np.random.Generator) -> np.ndarray:
    """A kettlebell swung by the hips from between the legs to the front or overhead."""
    u = _repeat(rng)
    hinge = rng.uniform(0.7, 1.2) * (1 - u)
    trunk = _trunk(STANDING - rng.uniform(0.06, 0.14) * (1 - u), -0.13 * (1 - u), hinge)
    angle = rng.uniform(-0.9, -0.5) + (rng.uniform(2.0, 3.2)) * u  # from behind to the front
    reach = 0.95 * (UPPER_ARM + FOREARM)
    wrists = _both(lambda side: trunk.shoulder(side) + np.stack(
        [0 * u - side * 0.09, -reach * np.cos(angle), reach * np.sin(angle)], 1))  # fmt: skip
    return assemble(trunk, _stance(u, rng.uniform(0.2, 0.3)), wrists, 0.4)


def thruster(rng: np.random.Generator) -> np.ndarray:
    """A front squat that ends in an overhead press."""
    u = _repeat(rng)
    trunk, ankles = _legs_down(u, rng)
    out = rng.uniform(-0.03, 0.06)
    rack = _both(lambda side: trunk.by_shoulder(side, out, 0.02, 0.08))
    top = _both(lambda side: trunk.by_shoulder(side, out, 0.31, 0.02))
    wrists = _blend(rack, top, np.clip(1 - 3 * u, 0, 1))
    return assemble(trunk, ankles, wrists, 0.4, (0.6, -0.8, 0.5))


def overhead_squat(rng: np.random.Generator) -> np.ndarray:
    """A squat with straight arms overhead throughout."""
    trunk, ankles = _legs_down(_repeat(rng), rng)
    wide = rng.uniform(0.05, 0.25)
    height = np.sqrt(0.325**2 - wide**2)
    wrists = _both(lambda side: trunk.shoulder(side) + np.array([side * wide, height, -0.02]))
    return assemble(trunk, ankles, wrists, 0.5, (1, 0.2, 0))


def clean_and_jerk(rng: np.random.Generator) -> np.ndarray:
    """From the floor to the shoulders, up from a squat, and overhead after a pause."""
    t, pull = rng.uniform(0.2, 1.0), rng.uniform(0.7, 1.2)
    catch = STANDING - rng.uniform(0.08, 0.34)
    steps = [t, pull, rng.uniform(0.25, 0.45), rng.uniform(0.1, 0.5), rng.uniform(0.7, 1.6)]
    steps += [rng.uniform(0.6, 2.5), 0.3, 0.25, rng.uniform(0.3, 0.8), rng.uniform(0.4, 1.2)]
    times = [0.0, *np.cumsum(steps).tolist()]
    dip = STANDING - rng.uniform(0.06, 0.1)
    low = rng.uniform(0.26, 0.34)
    height = _through(times, [low, low, STANDING, catch, catch, STANDING, STANDING, dip,
                              dip + 0.03, STANDING, STANDING])  # fmt: skip
    lean = _through(times, [0.9, 0.9, -0.05, 0.15, 0.15, 0.05, 0, 0, 0, 0, 0])
    trunk = _trunk(height, -0.16 * np.clip(lean, 0, 1), lean)
    racked = _through(times, [0, 0, 0.1, 1, 1, 1, 1, 1, 0.5, 0, 0])[:, None]
    over = _through(times, [0, 0, 0, 0, 0, 0, 0, 0, 0.5, 1, 1])[:, None]
    out = rng.uniform(0.0, 0.08)
    wrists = _both(lambda side: trunk.hanging(side, out) * (1 - racked - over)
                   + trunk.by_shoulder(side, out, 0.02, 0.09) * racked
                   + trunk.by_shoulder(side, out, 0.31, 0.0) * over)  # fmt: skip
    return assemble(trunk, _stance(height, rng.uniform(0.12, 0.24), -0.03), wrists, 0.4)


def power_clean(rng: np.random.Generator) -> np.ndarray:
    """From the floor or from the thighs to the shoulders: caught low or high, then up."""
    hang = rng.random() < 0.5
    t, pull = rng.uniform(0.2, 1.0), rng.uniform(0.6, 1.2)
    catch = STANDING - rng.uniform(0.06, 0.34)
    low = rng.uniform(0.42, 0.5) if hang else rng.uniform(0.26, 0.34)
    lean_low = rng.uniform(0.4, 0.8) if hang else rng.uniform(0.75, 1.0)
    steps = [t, pull, rng.uniform(0.25, 0.45), rng.uniform(0.1, 0.5), rng.uniform(0.6, 1.4), 0.6]
    times = [0.0, *np.cumsum(steps).tolist()]
    height = _through(times, [low, low, STANDING, catch, catch, STANDING, STANDING])
    lean = _through(times, [lean_low, lean_low, -0.08, 0.15, 0.15, 0.03, 0.03])
    trunk = _trunk(height, -0.16 * np.clip(lean, 0, 1), lean)
    racked = _through(times, [0, 0, 0.1, 1, 1, 1, 1])
    out = rng.uniform(0.0, 0.08)
    hanging = _both(lambda side: trunk.hanging(side, out))
    rack = _both(lambda side: trunk.by_shoulder(side, out, 0.02, 0.09))
    ankles = _stance(height, rng.uniform(0.12, 0.24), -0.03)
    return assemble(trunk, ankles, _blend(hanging, rack, racked), 0.4, (0.6, -0.8, 0.4))


def romanian_deadlift(rng: np.random.Generator) -> np.ndarray:
    """From standing the hips go back and the hands to the shins; the knees hardly bend."""
    u = _repeat(rng)
    bend = rng.uniform(0.01, 0.07)
    height = STANDING - bend * u - 0.01
    trunk = _trunk(height, -rng.uniform(0.1, 0.2) * u, rng.uniform(0.8, 1.45) * u + 0.03)
    wrists = _both(lambda side: trunk.hanging(side, rng.uniform(-0.03, 0.04)))
    return assemble(trunk, _stance(u, rng.uniform(0.08, 0.22), -0.03), wrists, 0.15)


def good_morning(rng: np.random.Generator) -> np.ndarray:
    """The same hinge with the bar on the back."""
    u = _repeat(rng)
    height = STANDING - rng.uniform(0.01, 0.07) * u - 0.01
    trunk = _trunk(height, -rng.uniform(0.1, 0.2) * u, rng.uniform(0.8, 1.45) * u + 0.03)
    out, up = rng.uniform(0.03, 0.16), rng.uniform(-0.04, 0.04)
    wrists = _both(lambda side: trunk.by_shoulder(side, out, up, -0.03))
    return assemble(trunk, _stance(u, rng.uniform(0.1, 0.25), -0.03), wrists, 0.2)


def push_up(rng: np.random.Generator) -> np.ndarray:
    """A straight body over the floor; the arms lower and lift it. On the toes or on the knees."""
    u = _repeat(rng)
    return _plank(rng, u, rng.uniform(0.55, 0.85))


def plank(rng: np.random.Generator) -> np.ndarray:
    """The same pose held, with hardly any movement."""
    return _plank(rng, 0.08 * _repeat(rng), 1.0)


def _plank(rng: np.random.Generator, u: np.ndarray, depth: float) -> np.ndarray:
    """Straight arms and body at ``u`` 0, chest near the floor at 1; ``depth`` of the way."""
    arm, body = 0.96 * (UPPER_ARM + FOREARM), TORSO + 0.98 * (THIGH + SHANK)
    on_knees = rng.random() < 0.2
    reach = TORSO + THIGH if on_knees else body
    shoulder = 0.02 + arm * (1 - depth * u) + 0.05 * depth * u
    toes = 0.06
    lean = np.pi / 2 - np.arcsin(np.clip((shoulder - toes) / reach, -0.9, 0.9))
    sag = rng.normal(0, 0.015)
    height = shoulder - TORSO * np.cos(lean) + sag
    trunk = _trunk(height, 0 * u, lean)
    along = np.sqrt(np.maximum((reach - TORSO) ** 2 - (height - toes) ** 2, 0.01)) * 0.985
    left, right = _stance(u, rng.uniform(0.06, 0.2))
    back = np.stack([0 * u, 0 * u + toes - ANKLE_HEIGHT, -along], 1)
    if on_knees:  # the shanks are raised behind the knees
        back = back + np.array([0, rng.uniform(0.05, 0.2), -0.1])
    wide, ahead = rng.uniform(0.0, 0.12), TORSO + rng.uniform(-0.05, 0.05)
    wrists = _both(lambda side: np.stack(
        [0 * u + side * (SHOULDER_BREADTH / 2 + wide), 0 * u + 0.02,
         0 * u + ahead], 1))  # fmt: skip
    return assemble(trunk, (left + back, right + back), wrists, 0.05, (0.7, -0.7, -0.5))


def _lying(u: np.ndarray, lean: np.ndarray, height: float, rng: np.random.Generator) -> Trunk:
    """Somebody on the back: ``lean`` is -90 degrees when the trunk is level."""
    return _trunk(0 * u + height, 0 * u, lean)


def _bent_legs(u: np.ndarray, forward: float, apart: float, height: float = 0.0) -> Sides:
    """Two feet on the floor (or ``height`` over it) before the hips of somebody who lies."""
    left, right = _stance(u, apart, forward)
    up = np.array([0.0, height, 0.0])
    return left + up, right + up


def bench_press(rng: np.random.Generator) -> np.ndarray:
    """On the back on a bench or on the floor: the hands go from over the chest to it and back."""
    u = _repeat(rng)
    incline = rng.uniform(0.3, 0.8) if rng.random() < 0.25 else rng.uniform(-0.1, 0.1)
    bench = rng.random() < 0.85
    trunk = _lying(u, 0 * u - np.pi / 2 + max(incline, 0.0), 0.26 if bench else 0.07, rng)
    out, low = rng.uniform(-0.02, 0.16), rng.uniform(0.06, 0.14)
    top = _both(lambda side: trunk.by_shoulder(side, out * 0.7, rng.uniform(-0.04, 0.0), 0.315))
    chest = _both(lambda side: trunk.by_shoulder(side, out, -0.1, low))
    legs = _bent_legs(u, rng.uniform(0.2, 0.3), rng.uniform(0.15, 0.35))
    return assemble(trunk, legs, _blend(top, chest, u), 0.4, (0.9, -0.4, -0.3))


def sit_up(rng: np.random.Generator) -> np.ndarray:
    """On the back with bent knees: the trunk rises to the knees, or the shoulders a little."""
    u = _repeat(rng)
    crunch = rng.random() < 0.3
    rise = rng.uniform(0.4, 0.8) if crunch else rng.uniform(1.2, 1.75)
    trunk = _lying(u, -np.pi / 2 + 0.02 + rise * u, 0.07, rng)
    by_head = _both(lambda side: trunk.by_shoulder(side, -0.02, 0.09, 0.02))
    chest = _both(lambda side: trunk.by_shoulder(side, -0.14, -0.08, 0.06))
    ahead = _both(lambda side: trunk.by_shoulder(side, -0.03, -0.05, 0.3))
    hands = [by_head, chest, ahead][rng.integers(3)]
    legs = _bent_legs(u, rng.uniform(0.26, 0.4), rng.uniform(0.06, 0.25))
    return assemble(trunk, legs, hands, 0.1, (0.9, 0.2, 0.3))


def hip_thrust(rng: np.random.Generator) -> np.ndarray:
    """Shoulders on a bench or on the floor, feet on the floor: the hips go up and down."""
    u = _repeat(rng)
    shoulder = rng.choice([0.06, 0.25])
    hips = 0.1 + (rng.uniform(0.26, 0.33) - 0.1) * u
    lean = -np.arccos(np.clip((shoulder - hips) / TORSO, -0.99, 0.99))
    trunk = _trunk(hips, 0 * u, lean)
    hands = _both(lambda side: trunk.by_shoulder(side, -0.02, -0.26, 0.06))
    legs = _bent_legs(u, rng.uniform(0.22, 0.3), rng.uniform(0.1, 0.25))
    return assemble(trunk, legs, hands, 0.3)


def pull_up(rng: np.random.Generator) -> np.ndarray:
    """Hanging from a bar: the body goes up until the chin is at the hands, and down again."""
    u = _repeat(rng)
    wide, arm = rng.uniform(-0.03, 0.14), 0.97 * (UPPER_ARM + FOREARM)
    bar = rng.uniform(1.15, 1.45)
    hang = np.sqrt(arm**2 - wide**2)
    below = hang - (hang - rng.uniform(-0.02, 0.08)) * u  # shoulders below the hands
    lean = rng.uniform(-0.25, 0.05) * u + rng.normal(0, 0.04)
    height = bar - below - TORSO * np.cos(lean)
    swing = rng.uniform(-0.06, 0.06) * u
    trunk = _trunk(height, swing - TORSO * np.sin(lean), lean)
    wrists = _both(lambda side: np.stack(
        [0 * u + side * (SHOULDER_BREADTH / 2 + wide), 0 * u + bar, 0 * u + 0.02], 1))  # fmt: skip
    tucked = rng.uniform(0.0, 0.35) if rng.random() < 0.5 else 0.0
    drop = (THIGH + SHANK) * (0.985 - 0.4 * tucked)
    ankles = _both(lambda side: np.stack(
        [0 * u + side * 0.05, height - drop, trunk.pelvis[:, 2] - tucked * 0.6], 1))  # fmt: skip
    return assemble(trunk, ankles, wrists, 0.1, (0.8, -0.6, 0.1))


def lat_pulldown(rng: np.random.Generator) -> np.ndarray:
    """Seated: the hands come down from overhead to the shoulders, the trunk stays."""
    u = _repeat(rng)
    lean = rng.uniform(-0.35, 0.0) - 0.05 * u
    trunk = _trunk(0 * u + ANKLE_HEIGHT + SHANK, 0 * u - THIGH * 0.95, lean)
    out = rng.uniform(0.02, 0.14)
    top = _both(lambda side: trunk.by_shoulder(side, out, 0.29, 0.04))
    low = _both(lambda side: trunk.by_shoulder(side, out + 0.03, 0.0, 0.08))
    return assemble(trunk, _stance(u, rng.uniform(0.12, 0.3)), _blend(top, low, u), 0.1)


def jumping_jack(rng: np.random.Generator) -> np.ndarray:
    """Jumps that take feet apart and arms overhead, and back."""
    cycles, period = int(rng.integers(2, 7)), rng.uniform(0.7, 1.4)
    grid = np.arange(int(cycles * period * BASE_HZ) + 1) / BASE_HZ
    u = (1 - np.cos(2 * np.pi * grid / period)) / 2
    hop = rng.uniform(0.01, 0.05) * np.abs(np.sin(2 * np.pi * grid / period))
    closed, opened = rng.uniform(0.06, 0.14), rng.uniform(0.3, 0.5)
    apart = closed + (opened - closed) * u
    leg = 0.97 * (THIGH + SHANK)
    height = ANKLE_HEIGHT + np.sqrt(leg**2 - (apart / 2 - HIP_BREADTH / 2) ** 2) + hop
    trunk = _trunk(height, 0 * u, 0 * u + rng.uniform(-0.03, 0.1))
    ankles = _both(lambda side: np.stack([side * apart / 2, ANKLE_HEIGHT + hop, 0 * u], 1))
    angle = rng.uniform(0.05, 0.3) + rng.uniform(1.9, 2.8) * u
    reach = rng.uniform(0.85, 0.97) * (UPPER_ARM + FOREARM)
    wrists = _both(lambda side: trunk.shoulder(side) + np.stack(
        [side * reach * np.sin(angle), -reach * np.cos(angle), 0 * u + 0.02], 1))  # fmt: skip
    return assemble(trunk, ankles, wrists, 0.3, (0.3, -0.3, -0.4))


def walk(rng: np.random.Generator) -> np.ndarray:
    """Walking or running on the spot or ahead, arms swinging against the legs."""
    seconds, period = rng.uniform(3, 8), rng.uniform(0.6, 1.3)
    grid = np.arange(int(seconds * BASE_HZ)) / BASE_HZ
    swing = np.sin(2 * np.pi * grid / period)
    step, lift = rng.uniform(0.05, 0.2), rng.uniform(0.02, 0.2)
    ahead = rng.choice([0.0, rng.uniform(0.1, 0.5)]) * grid
    trunk = _trunk(STANDING - 0.02 + 0 * grid, ahead, 0 * grid + rng.uniform(-0.03, 0.2))

    def foot(side: int) -> np.ndarray:
        raised = lift * np.clip(side * np.cos(2 * np.pi * grid / period), 0, 1)
        return np.stack(
            [0 * grid + side * 0.05, ANKLE_HEIGHT + raised, ahead + side * step * swing], 1
        )

    def hand(side: int) -> np.ndarray:
        bend = rng.uniform(0.0, 0.12)
        return trunk.by_shoulder(side, 0.03, -0.3 + bend, 0.05) + np.stack(
            [0 * grid, 0 * grid, -side * 0.6 * step * swing], 1)  # fmt: skip

    return assemble(trunk, _both(foot), _both(hand), 0.1, (0.2, -0.5, -1))


MAKERS: dict[Callable[[np.random.Generator], np.ndarray], str] = {
    squat: "squat",
    deadlift: "deadlift",
    snatch: "snatch",
    lunge: "lunge",
    side_lunge: OTHER,
    burpee: OTHER,
    row: "row",
    curl: "bicep_curl",
    press: "overhead_press",
    lateral_raise: "lateral_raise",
    front_raise: OTHER,
    swing: "kettlebell_swing",
    thruster: OTHER,
    overhead_squat: "squat",
    clean_and_jerk: "clean_and_jerk",
    power_clean: "clean_and_jerk",
    romanian_deadlift: "romanian_deadlift",
    good_morning: OTHER,
    push_up: "push_up",
    plank: OTHER,
    bench_press: "bench_press",
    sit_up: "sit_up",
    hip_thrust: OTHER,
    pull_up: "pull_up",
    lat_pulldown: OTHER,
    jumping_jack: "jumping_jack",
    walk: OTHER,
}
"""Each maker with the exercise that it shows."""


def synthetic_lifters(count: int, seed: int) -> list[Sample]:
    """``count`` samples of every maker, with depth; for training only."""
    samples = []
    for number, (maker, exercise) in enumerate(MAKERS.items()):
        label = class_of(exercise)
        for i in range(count):
            points = maker(np.random.default_rng([seed, number, i]))
            name = f"{maker.__name__}_{i}"
            seconds = (len(points) - 1) / BASE_HZ
            samples.append(Sample(name, label, maker.__name__, f"made_{name}", "made", points,
                                  ((0.0, seconds),), has_depth=True))  # fmt: skip
    return samples
