"""Draws the exercises: a calculated lifter doing one repetition of each, as a small moving SVG.

Nobody was filmed. The movements are those that the classifier is trained on besides clips
(``gymform/training/exercise/synthesize.py``), seen from the view that shows the exercise best::

    python scripts/draw_exercises.py

writes ``gymform/assets/exercises/KEY.svg``. Who asked their system for less motion sees two poses,
the start and the far end of the repetition.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gymform import skeleton as sk
from gymform.draw.looping import FAR, NEAR, ROOM, SIZE, STILL_STYLE, disc, line
from gymform.exercises import EXERCISES
from gymform.training.exercise import synthesize as make

FOLDER = Path(__file__).resolve().parent.parent / "gymform" / "assets" / "exercises"
LIFTER = 62  # px: the height of a body, where there is room for it
POSES = 18  # of one repetition
SECONDS = 2.8  # that one repetition takes in the picture

LOAD, FLOOR = "#8a8d96", "#8a8d96"
HEAD = 0.062  # radius, in body heights
PLATE = 0.13
DUMBBELL = 0.035

SIDES = (
    ((sk.LEFT_SHOULDER, sk.LEFT_ELBOW, sk.LEFT_WRIST), (sk.LEFT_HIP, sk.LEFT_KNEE, sk.LEFT_ANKLE)),
    (
        (sk.RIGHT_SHOULDER, sk.RIGHT_ELBOW, sk.RIGHT_WRIST),
        (sk.RIGHT_HIP, sk.RIGHT_KNEE, sk.RIGHT_ANKLE),
    ),
)


@dataclass(frozen=True)
class Shown:
    """How an exercise is drawn: by which maker and ``seed``, turned by ``turn`` degrees (0 from the
    front, 90 from the side), and with which load ("plate", "dumbbells", "kettlebell", "bar" to hang
    from, or none). ``whole``: to the end of the movement, since it does not return the way it came.
    ``bench``: the trunk lies on one.
    """

    maker: Callable[[np.random.Generator], np.ndarray]
    seed: int
    turn: float
    load: str = ""
    whole: bool = False
    bench: bool = False


SHOWN: dict[str, Shown] = {
    "snatch": Shown(make.snatch, 3, 65, "plate", whole=True),
    "clean_and_jerk": Shown(make.clean_and_jerk, 3, 65, "plate", whole=True),
    "deadlift": Shown(make.deadlift, 0, 70, "plate"),
    "romanian_deadlift": Shown(make.romanian_deadlift, 3, 75, "plate"),
    "squat": Shown(make.squat, 8, 70, "plate"),
    "lunge": Shown(make.lunge, 3, 75),
    "bench_press": Shown(make.bench_press, 0, 65, "plate", bench=True),
    "overhead_press": Shown(make.press, 8, 45, "dumbbells"),
    "push_up": Shown(make.push_up, 4, 75),
    "pull_up": Shown(make.pull_up, 3, 25, "bar"),
    "row": Shown(make.row, 9, 75, "dumbbells"),
    "bicep_curl": Shown(make.curl, 11, 50, "dumbbells"),
    "lateral_raise": Shown(make.lateral_raise, 3, 10, "dumbbells"),
    "sit_up": Shown(make.sit_up, 7, 80),
    "jumping_jack": Shown(make.jumping_jack, 3, 10),
    "kettlebell_swing": Shown(make.swing, 3, 70, "kettlebell"),
}


def projected(points: np.ndarray, turn: float) -> np.ndarray:
    """``points`` (N, 17, 3) seen from the front after a turn about the vertical: (N, 17, 2)."""
    angle = np.radians(turn)
    x = points[..., 0] * np.cos(angle) + points[..., 2] * np.sin(angle)
    return np.asarray(np.stack([x, points[..., 1]], -1))


def one_repetition(points: np.ndarray, whole: bool) -> np.ndarray:
    """:data:`POSES` poses of the first repetition: from rest to the far end and back to rest, or of
    the ``whole`` movement."""
    if whole:
        return np.asarray(points[np.linspace(0, len(points) - 1, POSES).round().astype(int)])
    away = np.linalg.norm(np.nan_to_num(points - points[0]), axis=-1).mean(1)
    far = away > 0.5 * away.max()
    left = int(np.argmax(far))
    back = left + int(np.argmax(~far[left:])) if (~far[left:]).any() else len(points) - 1
    still = away < 0.04 * away.max()
    start = max((i for i in range(left) if still[i]), default=0)
    end = next((i for i in range(back, len(points)) if still[i]), len(points) - 1)
    return np.asarray(points[np.linspace(start, end, POSES).round().astype(int)])


def in_picture(body: np.ndarray) -> tuple[np.ndarray, float]:
    """``body`` (N, 17, 2) moved and scaled into the picture, px, and px a body height."""
    low, high = np.nanmin(body, (0, 1)), np.nanmax(body, (0, 1))
    low, high = low - np.array([PLATE, HEAD]), high + np.array([PLATE, 0])
    scale = min(LIFTER, (SIZE - 2 * ROOM) / max(high - low))
    middle = (SIZE - scale * (high - low)) / 2
    middle[1] = SIZE - ROOM - scale * (high - low)[1]
    return (body - low) * scale + middle, float(scale)


def drawing(key: str) -> str:
    """The SVG of an exercise."""
    shown = SHOWN[key]
    points = one_repetition(shown.maker(np.random.default_rng(shown.seed)), shown.whole)
    near = 1 if shown.turn > 0 else 0
    body, scale = in_picture(projected(points, shown.turn))
    far = int(np.argmax(np.nanmean(np.linalg.norm(body - body[0], axis=-1), 1)))
    title = next(one.title for one in EXERCISES if one.key == key)
    still = "".join(
        f'<g opacity="{opacity}">{figure(body[i : i + 1], near, scale, shown.load)}</g>'
        for i, opacity in ((0, 0.4), (far, 1))
    )
    floor = SIZE - ROOM + 1
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}">'
        f"<title>{title}</title>"
        f"{STILL_STYLE}"
        f'<g fill="none" stroke-linecap="round" stroke-linejoin="round">'
        f'<path d="M4 {floor}H{SIZE - 4}" stroke="{FLOOR}" stroke-width="1"/>'
        f"{bench(body[0]) if shown.bench else ''}"
        f'<g class="moving">{figure(body, near, scale, shown.load)}</g>'
        f'<g class="still">{still}</g></g></svg>\n'
    )


def figure(body: np.ndarray, near: int, scale: float, load: str) -> str:
    """A lifter in the poses ``body`` (N, 17, 2): the far side, the trunk, the near side, a load."""
    arm, leg = SIDES[1 - near]
    near_arm, near_leg = SIDES[near]
    trunk = [
        (body[:, sk.LEFT_SHOULDER] + body[:, sk.RIGHT_SHOULDER]) / 2,
        (body[:, sk.LEFT_HIP] + body[:, sk.RIGHT_HIP]) / 2,
    ]
    edges = [sk.LEFT_SHOULDER, sk.RIGHT_SHOULDER, sk.RIGHT_HIP, sk.LEFT_HIP, sk.LEFT_SHOULDER]
    return "".join([
        limb(body[:, list(arm)], FAR, 3),
        limb(body[:, list(leg)], FAR, 3),
        limb(np.stack(trunk, 1), NEAR, 5),
        limb(body[:, edges], NEAR, 3),
        limb(body[:, list(near_leg)], NEAR, 3.4),
        ball(body[:, sk.NOSE], HEAD * scale, f'fill="{NEAR}"'),
        weight(body, near, scale, load),
        limb(body[:, list(near_arm)], NEAR, 3.4),
    ])  # fmt: skip


def bench(pose: np.ndarray) -> str:
    """A bench under the trunk of somebody who lies: ``pose`` (17, 2)."""
    trunk = pose[[*sk.SHOULDERS, *sk.HIPS]]
    left, right = trunk[:, 0].min() - 2, trunk[:, 0].max() + 8
    y, floor = trunk[:, 1].max() + 5, SIZE - ROOM
    return (
        f'<path d="M{left:.0f} {y:.0f}H{right:.0f}M{left + 6:.0f} {y:.0f}V{floor}'
        f'M{right - 6:.0f} {y:.0f}V{floor}" stroke="{FLOOR}" stroke-width="2.5"/>'
    )


def weight(body: np.ndarray, near: int, scale: float, load: str) -> str:
    """What is lifted, at the hands; a bar across the shoulders where these hold it."""
    wrists = body[:, [sk.LEFT_WRIST, sk.RIGHT_WRIST]]
    if load == "plate":
        ring = f'stroke="{LOAD}" stroke-width="2.5"'
        return ball(wrists.mean(1), PLATE * scale, ring)
    if load == "kettlebell":
        return ball(wrists.mean(1), 1.6 * DUMBBELL * scale, f'fill="{LOAD}"')
    if load == "dumbbells":
        return "".join(
            ball(wrists[:, i], DUMBBELL * scale, f'fill="{LOAD}"') for i in (1 - near, near)
        )
    if load == "bar":
        y = round(float(wrists[..., 1].min()) - 1, 1)
        return f'<path d="M10 {y}H{SIZE - 10}" stroke="{LOAD}" stroke-width="2.5"/>'
    return ""


def limb(points: np.ndarray, colour: str, width: float) -> str:
    """A line through ``points`` (N, P, 2)."""
    return line(points, f'stroke="{colour}" stroke-width="{width}"', SECONDS)


def ball(points: np.ndarray, radius: float, look: str) -> str:
    """A circle at ``points`` (N, 2)."""
    return disc(points, radius, look, SECONDS)


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw every exercise as a small moving SVG.")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder that the files go to")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for one in EXERCISES:
        (out / f"{one.key}.svg").write_text(drawing(one.key), encoding="utf-8")


if __name__ == "__main__":
    main()
