"""Calculated lifters for the tests of exercises: as many repetitions as asked for, done one way.

``u`` (N,) is the progress of the movement, from 0 at rest to 1 at its other end and back. Points
are (N, 17, 3) in statures, as ``tests/form/figures.py`` films them.
"""

import numpy as np

from gymform.form.cues import assess_form, repetitions_of
from gymform.motion.quality import assess
from gymform.training.exercise.synthesize import (
    ANKLE_HEIGHT,
    STANDING,
    Trunk,
    assemble,
)
from gymform.types import Prediction
from tests.form.figures import ankles, film, once

ARM = 0.32
FLOOR = 0.05


def again(count: int, fps: float = 30.0, **how) -> np.ndarray:
    """``count`` repetitions with rests between them."""
    return np.concatenate([once(fps, **how) for _ in range(count)])


def level(count: int, height: float, forward: float = 0.0) -> np.ndarray:
    return np.tile([0.0, height, forward], (count, 1))


def both(of):
    return of(1), of(-1)


def standing(u, lean=0.0, dip=0.0):
    """Somebody who stands, leaning by ``lean`` radians and lower by ``dip``: numbers or (N,)."""
    trunk = Trunk(
        np.stack([0 * u, STANDING - dip + 0 * u, -0.3 * np.sin(lean + 0 * u)], 1), lean + 0 * u
    )
    return trunk, ankles(len(u), 0.16)


def lying(u, height=FLOOR):
    """Somebody on the back, head to the rear (z < 0), heels on the floor."""
    trunk = Trunk(level(len(u), height), np.full(len(u), -np.pi / 2))
    feet = both(lambda side: np.tile([side * 0.08, ANKLE_HEIGHT, 0.33], (len(u), 1)))
    return trunk, feet


def curl(u, sides=(1, 1), swing=0.0, short=0.0):
    """A curl; ``sides`` (left, right) do it or not, or are progresses of their own (N,).

    ``swing`` radians the trunk goes back with it; ``short`` of the way is left out at the bottom.
    """
    trunk, feet = standing(u, -swing * u)
    hands = []
    for side, does in zip((1, -1), sides, strict=True):
        bend = (short + (1 - short) * u * 1.0 if np.isscalar(does) else does) * (
            does if np.isscalar(does) else 1
        )
        angle = 2.4 * bend
        elbow = trunk.by_shoulder(side, 0.02, -0.185, 0.0)
        away = 0.146 * (-np.cos(angle)[:, None] * trunk.up + np.sin(angle)[:, None] * trunk.front)
        hands.append(elbow + away)
    return assemble(trunk, feet, tuple(hands), 0.1, (0.05, -1.0, -0.4))


def overhead_press(u, lean=0.0, short=0.0):
    """From the shoulders overhead; the trunk leans back by ``lean`` radians on the way."""
    trunk, feet = standing(u, -lean * np.sin(np.pi * u))
    top = 0.33 * (1 - short)
    hands = both(lambda side: trunk.shoulder(side) + np.stack(
        [side * (0.1 - 0.06 * u), 0.03 + (top - 0.03) * u, 0.08 * (1 - u)], 1))  # fmt: skip
    return assemble(trunk, feet, hands, 0.1, (0.6, -0.8, 0.3))


def lateral_raise(u, degrees=90.0, swing=0.0):
    """Straight arms sideways up to so many degrees from hanging."""
    trunk, feet = standing(u, swing * np.sin(np.pi * u))
    angle = np.radians(8 + (degrees - 8) * u)
    hands = both(lambda side: trunk.shoulder(side) + ARM * np.stack(
        [side * np.sin(angle), -np.cos(angle), 0 * u], 1))  # fmt: skip
    return assemble(trunk, feet, hands, 0.1)


def row(u, swing=0.0, sides=(1, 1), lean=1.2):
    """Bent over; hands from below the shoulders to the belly."""
    trunk = Trunk(np.stack([0 * u, STANDING - 0.06 + 0 * u, -0.14 + 0 * u], 1), lean - swing * u)
    hands = []
    for side, does in zip((1, -1), sides, strict=True):
        low, high = trunk.hanging(side, 0.02), trunk.by_shoulder(side, 0.05, -0.22, 0.05)
        hands.append(low + (high - low) * (u * does)[:, None])
    return assemble(trunk, ankles(len(u), 0.16), tuple(hands), 0.2, (0.1, -0.3, -1))


def pull_up(u, top=0.06, hang=0.0):
    """A hang from a bar; at u = 1 the shoulders are ``top`` below the hands."""
    arm = 0.325 - hang
    height = 0.5 + (arm - top) * u
    trunk = Trunk(np.stack([0 * u, height, 0 * u], 1), 0 * u)
    bar = 0.5 + 0.288 + arm
    hands = both(lambda side: np.tile([side * 0.2, bar, 0.0], (len(u), 1)))
    feet = both(lambda side: trunk.hip(side) + np.array([0, -0.48, 0]))
    return assemble(trunk, feet, hands, 0.1, (1.0, -0.4, 0.0))


def bench_press(u, low=0.06, top=0.32):
    """On the back: hands from ``top`` over the shoulders to ``low`` (u = 1) over them."""
    trunk, feet = lying(u, 0.3)
    height = top + (low - top) * u
    hands = both(lambda side: trunk.shoulder(side) + np.stack(
        [side * (0.06 + 0.1 * u), height, 0.02 * u], 1))  # fmt: skip
    return assemble(trunk, feet, hands, 0.1, (0.9, -0.2, -0.6))


def push_up(u, low=0.06, sag=0.0):
    """Face down on hands and feet; at u = 1 the shoulders are ``low`` above the hands.

    ``sag`` radians by which the trunk falls below the line of the legs.
    """
    arm = 0.32 + (low - 0.32) * u
    shoulder = np.stack([0 * u, arm, 0.55 + 0.14 * u], 1)
    line = np.arctan2(arm - 0.07, 0.77 + 0.14 * u)
    lean = np.pi / 2 - line - sag
    pelvis = shoulder - 0.288 * np.stack([0 * u, np.cos(lean), np.sin(lean)], 1)
    trunk = Trunk(pelvis, lean)
    feet = both(lambda side: np.stack([side * 0.06 + 0 * u, 0.07 + 0 * u, -0.22 + 0 * u], 1))
    hands = both(lambda side: np.stack([side * 0.14 + 0 * u, 0 * u, 0.55 + 0 * u], 1))
    return assemble(trunk, feet, hands, 0.0, (0.3, -1.0, -0.7))


def sit_up(u, top=1.6):
    """From the back up to ``top`` radians from the floor, hands at the chest."""
    trunk = Trunk(level(len(u), FLOOR), -np.pi / 2 + top * u)
    feet = both(lambda side: np.tile([side * 0.08, ANKLE_HEIGHT, 0.3], (len(u), 1)))
    hands = both(lambda side: trunk.by_shoulder(side, -0.05, -0.08, 0.08))
    return assemble(trunk, feet, hands, 0.0)


def jumping_jack(u, wide=0.45, reach=2.8):
    """Feet ``wide`` apart and arms up by ``reach`` radians at u = 1."""
    trunk, _ = standing(u, 0.0, 0.05 * u)
    feet = both(lambda side: np.stack(
        [side * (0.04 + (wide / 2 - 0.04) * u), ANKLE_HEIGHT + 0 * u, 0 * u], 1))  # fmt: skip
    angle = 0.15 + (reach - 0.15) * u
    hands = both(lambda side: trunk.shoulder(side) + ARM * np.stack(
        [side * np.sin(angle), -np.cos(angle), 0 * u], 1))  # fmt: skip
    return assemble(trunk, feet, hands, 0.2)


def lunge(u, depth=0.24, lean=0.05):
    """A split squat, the left foot before the right one."""
    height = STANDING - 0.06 - depth * u
    trunk = Trunk(np.stack([0 * u, height, 0 * u], 1), lean * u)
    front = np.tile([0.05, ANKLE_HEIGHT, 0.22], (len(u), 1))
    rear = np.tile([-0.05, ANKLE_HEIGHT + 0.06, -0.25], (len(u), 1))
    hands = both(lambda side: trunk.by_shoulder(side, 0.03, -0.3, 0.0))
    return assemble(trunk, (front, rear), hands, 0.05)


def romanian_deadlift(u, lean=1.25, bend=0.02):
    """The hips go back, the trunk leans by ``lean``; ``bend`` lowers the hips with it."""
    trunk = Trunk(np.stack([0 * u, STANDING - 0.02 - bend * u, -0.14 * u], 1), lean * u)
    hands = both(lambda side: trunk.hanging(side, 0.02))
    return assemble(trunk, ankles(len(u), 0.15), hands, 0.1)


def kettlebell_swing(u, low=0.06, top_lean=0.0):
    """From between the legs (u = 0) to the height of the shoulders (u = 1)."""
    lean = top_lean + (1.0 - top_lean) * (1 - u)
    trunk = Trunk(np.stack([0 * u, STANDING - low * (1 - u), -0.13 * (1 - u)], 1), lean)
    angle = -0.5 + 2.0 * u
    hands = both(lambda side: trunk.shoulder(side) + ARM * np.stack(
        [0 * u - side * 0.2, -np.cos(angle), np.sin(angle)], 1))  # fmt: skip
    return assemble(trunk, ankles(len(u), 0.25), hands, 0.3)


def clean_and_jerk(fps=30.0, elbow=0.31, late=0.31, falls=False):
    """Floor, rack, overhead; caught ``elbow`` over the shoulders, held at ``late``."""
    times = [0, 0.6, 1.4, 1.7, 2.0, 3.0, 4.0, 4.3, 4.55, 4.9, 5.6, 7.0]
    height = [0.3, 0.3, STANDING, 0.28, 0.28, STANDING, STANDING, 0.43, 0.4, 0.42, STANDING,
              STANDING]  # fmt: skip
    leans = [0.9, 0.9, 0.0, 0.15, 0.15, 0.05, 0, 0, 0, 0, 0, 0]
    racked = [0, 0, 0.1, 1, 1, 1, 1, 1, 0, 0, 0, 0]
    over = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1]
    lifts = [elbow] * 10 + [late] * 2
    grid = np.arange(round((times[-1] + 1.5 * falls) * fps) + 1) / fps
    at = lambda values: np.interp(grid, times, values)  # noqa: E731
    rack, up = at(racked)[:, None], at(over)[:, None]
    if falls:
        up = up * (1 - np.clip((grid - 7.0) / 0.8, 0, 1))[:, None]
    lean = at(leans) + falls * 0.9 * np.clip((grid - 7.0) / 0.8, 0, 1)
    trunk = Trunk(np.stack([0 * grid, at(height), -0.16 * np.clip(lean, 0, 1)], 1), lean)
    lift = at(lifts)[:, None] * trunk.up
    hands = both(lambda side: trunk.hanging(side, 0.04) * (1 - rack - up)
                 + trunk.by_shoulder(side, 0.04, 0.02, 0.06) * rack
                 + (trunk.shoulder(side) + lift) * up)  # fmt: skip
    return assemble(trunk, ankles(len(grid), 0.2), hands, 0.4)


def report(points, degrees, exercise):
    """The form of a figure, filmed from ``degrees`` beside its front."""
    pose, tracks = film(points, degrees)
    known = Prediction((exercise, "other"), (0.9, 0.1), exercise, None, "")
    return assess_form(pose, tracks, assess(pose, tracks), known)


def counted(points, degrees, exercise):
    """How many whole repetitions are found, by the exercise's signal."""
    _, tracks = film(points, degrees)
    return sum(rep.cut_off_by is None for rep in repetitions_of(tracks, exercise))


def titles(form):
    """Titles of the cues with their verdicts."""
    return {cue.title: cue.verdict for cue in form.cues}


def mean(form, key):
    """The mean of a measure over the repetitions that have it."""
    return float(np.mean([found.value for rep in form.repetitions if (found := rep.value(key))]))
