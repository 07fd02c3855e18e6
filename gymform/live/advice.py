"""Advice on how to stand before the camera, short enough to be read from three metres away."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from enum import Enum

import numpy as np

from gymform import skeleton as sk
from gymform.pose.detection import Detection

SEEN_SCORE = 0.3
"""A joint counts as seen from this score on."""

SURE_SCORE = 0.45
"""A knee or an ankle counts as inside the picture from this score on: networks place the joints of
a leg that is cut off somewhere above the edge, with lower scores."""

FOOT, SKULL, NECK = 0.2, 0.12, 0.5
"""Lengths from the ankles to the soles, from the topmost point of the face and from the shoulders
to the top of the head, as shares of the trunk's length. Measured in ``benchmarks/framing.md``."""

EDGE_MARGIN = 0.04
"""What is closer to the frame's edge than this share of its height counts as cut off."""

MIN_LIFTER_SIZE = 0.4
"""The longer side of the lifter's box should be at least this share of the frame's height."""

SIDE_MARGIN = 0.2
"""Hips closer to the left or right edge than this share of the width: arms and bar are cut off."""

MIN_LIGHT = 45.0
"""Mean brightness, 0 to 255, that joints need to be found well."""

BACKLIT_SHARE = 0.45
"""A lifter darker than this share of the picture's brightness stands against the light."""

TILT_DEG = 7.0
"""People stand upright within 3 degrees: if more than this, the camera is tilted."""

STRAIGHT_DEG = 10.0
"""Trunk and legs of somebody who stands are in line within this angle."""

STEADY_S = 1.5
STEADY_SHARE = 0.6
"""Advice is shown if this share of the frames of the last ``STEADY_S`` seconds gave it."""


class Advice(Enum):
    """What the lifter should do, the most important first."""

    NOBODY = "Step into the picture"
    FEET = "The feet are cut off: step back, or tilt the camera down"
    HEAD = "The head is cut off: step back, or tilt the camera up"
    ROOM = "Step back: raised arms need room above the head"
    FAR = "Come closer, or move the camera nearer"
    SIDE = "Step to the middle of the picture"
    DARK = "More light, please"
    BACKLIT = "The light is behind you: turn the camera or yourself"
    TILTED = "The camera is tilted: level it"
    SEVERAL = "Somebody else is in the picture: the lifter should be alone"


@dataclass(frozen=True, eq=False)
class Scene:
    """What framing advice depends on in one frame.

    ``size`` is (width, height) px; ``light`` is the mean brightness of the frame,
    ``light_on_lifter`` that within the lifter's box, both 0 to 255; ``others`` is the number of
    other people.
    """

    lifter: Detection | None
    size: tuple[int, int]
    light: float
    light_on_lifter: float
    others: int = 0

    @classmethod
    def of(cls, rgb: np.ndarray, lifter: Detection | None, others: int = 0) -> Scene:
        """The scene in a frame uint8 (H, W, 3)."""
        height, width = rgb.shape[:2]
        light = brightness(rgb)
        on_lifter = light if lifter is None else brightness(_inside(rgb, lifter.box))
        return cls(lifter, (width, height), light, on_lifter, others)

    @property
    def person(self) -> Detection:
        """The lifter, in a scene that has one."""
        assert self.lifter is not None
        return self.lifter


def advise(scene: Scene) -> tuple[Advice, ...]:
    """What to improve in one frame, in the order of :class:`Advice`; empty if nothing."""
    dark = scene.light < MIN_LIGHT
    if scene.lifter is None:
        return (Advice.NOBODY, Advice.DARK) if dark else (Advice.NOBODY,)
    head_cut = _head_cut(scene)
    found = {
        Advice.FEET: _feet_cut(scene),
        Advice.HEAD: head_cut,
        Advice.ROOM: not head_cut and _no_room_above(scene),
        Advice.FAR: scene.lifter.size < MIN_LIFTER_SIZE * scene.size[1],
        Advice.SIDE: _off_to_the_side(scene),
        Advice.DARK: dark,
        Advice.BACKLIT: not dark and scene.light_on_lifter < BACKLIT_SHARE * scene.light,
        Advice.TILTED: abs(tilt_deg(scene.lifter)) > TILT_DEG,
        Advice.SEVERAL: scene.others > 0,
    }
    return tuple(advice for advice in Advice if found.get(advice))


class SteadyAdvice:
    """Advice that does not flicker: what most of the latest frames agree on."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, tuple[Advice, ...]]] = deque()

    def add(self, now: float, advice: tuple[Advice, ...]) -> None:
        """Add the advice of the frame at ``now`` seconds."""
        self._recent.append((now, advice))
        while self._recent[0][0] < now - STEADY_S:
            self._recent.popleft()

    def current(self) -> tuple[Advice, ...]:
        """The advice to show, in the order of :class:`Advice`."""
        recent = list(self._recent)
        counts = Counter(one for _, advice in recent for one in advice)
        return tuple(a for a in Advice if counts[a] > STEADY_SHARE * len(recent))


def brightness(rgb: np.ndarray) -> float:
    """Mean brightness, 0 to 255, of ``rgb`` (H, W, 3), from every eighth pixel; 0 without any."""
    sparse = rgb[::8, ::8]
    return float(sparse.mean()) if sparse.size else 0.0


def tilt_deg(lifter: Detection) -> float:
    """Degrees, clockwise, by which a standing lifter leans in the picture; 0 if not standing."""
    shoulders, hips, knees, ankles = (
        middle(lifter, joints) for joints in ("shoulders", "hips", "knees", "ankles")
    )
    parts = np.array([hips - shoulders, knees - hips, ankles - knees])
    if not np.isfinite(parts).all() or np.linalg.norm(parts, axis=1).min() < 2:
        return 0.0
    angles = np.degrees(np.arctan2(-parts[:, 0], parts[:, 1]))
    if np.ptp(angles) > STRAIGHT_DEG:
        return 0.0
    whole = ankles - shoulders
    return float(np.degrees(np.arctan2(-whole[0], whole[1])))


def _feet_cut(scene: Scene) -> bool:
    """Are the feet below the frame, judged by the ankles or by legs of usual length?"""
    trunk = _trunk(scene)
    ankles = _seen(scene.person, "ankles", SURE_SCORE)
    if ankles:
        return bool(scene.person.xy[ankles, 1].max() + FOOT * trunk > scene.size[1])
    hips, knees = _middle(scene, "hips"), _middle(scene, "knees", SURE_SCORE)
    thigh = float(np.linalg.norm(knees - hips))
    # a shin is as long as a thigh, and each is three quarters of a trunk
    ankle_y = knees[1] + thigh if np.isfinite(thigh) else hips[1] + 1.5 * trunk
    return bool(ankle_y > (1 - EDGE_MARGIN) * scene.size[1])


def _head_cut(scene: Scene) -> bool:
    """Is part of the head above the frame, judged by the face or shoulders of an upright lifter?"""
    shoulders, trunk = _middle(scene, "shoulders"), _trunk(scene)
    across, down = np.abs(_middle(scene, "hips") - shoulders)
    if not down > across:  # bent over, lying or not seen: the head is beside the shoulders
        return False
    face = [scene.person.xy[k, 1] for k in sk.HEAD if scene.person.score[k] >= SEEN_SCORE]
    if not face:
        return bool(shoulders[1] - NECK * trunk < EDGE_MARGIN * scene.size[1])
    return bool(shoulders[1] < NECK * trunk or min(face) < SKULL * trunk)


def _no_room_above(scene: Scene) -> bool:
    """Does the head touch the upper edge while the arms hang down?"""
    arms_hang = bool(_middle(scene, "wrists")[1] > _middle(scene, "shoulders")[1])
    at_edge = bool(scene.person.box[1] < EDGE_MARGIN * scene.size[1])
    return arms_hang and _any_seen(scene, sk.HEAD) and at_edge


def _off_to_the_side(scene: Scene) -> bool:
    share = float(_middle(scene, "hips")[0]) / scene.size[0]
    return share < SIDE_MARGIN or share > 1 - SIDE_MARGIN


def _any_seen(scene: Scene, joints: tuple[int, ...]) -> bool:
    """Is any of ``joints`` seen inside the frame?"""
    xy, score = scene.person.xy[list(joints)], scene.person.score[list(joints)]
    inside = ((xy >= 0) & (xy <= np.array(scene.size) - 1)).all(axis=1)
    return bool((inside & (score >= SEEN_SCORE)).any())


def _trunk(scene: Scene) -> float:
    """Length of the trunk in the picture, px; NaN if shoulders or hips are not seen."""
    return float(np.linalg.norm(_middle(scene, "hips") - _middle(scene, "shoulders")))


def _middle(scene: Scene, joints: str, min_score: float = SEEN_SCORE) -> np.ndarray:
    return middle(scene.person, joints, min_score)


def middle(lifter: Detection, joints: str, min_score: float = SEEN_SCORE) -> np.ndarray:
    """The mean (2,) px of those of a pair of ``joints`` ("knees") that have ``min_score``; NaN if
    neither has."""
    seen = _seen(lifter, joints, min_score)
    return lifter.xy[seen].mean(axis=0) if seen else np.full(2, np.nan)


def _seen(lifter: Detection, joints: str, min_score: float) -> list[int]:
    name = joints.removesuffix("s")
    pair = (sk.INDEX[f"left_{name}"], sk.INDEX[f"right_{name}"])
    return [k for k in pair if lifter.score[k] >= min_score]


def _inside(rgb: np.ndarray, box: np.ndarray) -> np.ndarray:
    """The pixels of ``rgb`` within ``box`` xyxy px."""
    height, width = rgb.shape[:2]
    x1, y1, x2, y2 = np.clip(box, 0, [width, height, width, height]).astype(int)
    return rgb[y1:y2, x1:x2]
