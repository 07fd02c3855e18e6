"""How the picture could be better, in words that a lifter reads from three metres away."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from enum import Enum

import numpy as np

from gymform import skeleton as sk
from gymform.pose.detection import Detection

SEEN = 0.3
"""Score from which on a joint counts as seen."""

SURE = 0.45
"""Score from which on an ankle or a knee is believed to be in the picture: networks place the
joints of a leg that was cut off somewhere above the edge, with scores below this."""

FOOT, SKULL, NECK = 0.2, 0.12, 0.5
"""What reaches beyond the ankles, beyond the topmost point of the face, and from the shoulders to
the top of the head, in lengths of the trunk. Figures of ``benchmarks/framing.md``."""

EDGE = 0.04
"""This near to the frame's edge, as a share of its height, something is cut off."""

FAR = 0.4
"""A lifter whose longer side is under this share of the frame's height is too small."""

OUTWARD = 0.2
"""Hips this near to the left or right edge, as a share of the width: arms and bar leave it."""

DARK = 45.0
"""Mean brightness, 0 to 255, under which joints are no longer found well."""

BACKLIT = 0.45
"""A lifter darker than this share of the picture around them stands against the light."""

TILT_DEG = 7.0
"""People stand upright within 3 degrees: more than this is the camera."""

STRAIGHT_DEG = 10.0
"""Trunk and legs of somebody who stands are in line within this angle."""

STEADY_S = 1.5
"""Advice counts when it held for most of the last so many seconds."""

STEADY_SHARE = 0.6


class Advice(Enum):
    """What to do, the most important first."""

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
    """One frame as far as framing goes.

    ``size`` is (width, height) px; ``light`` the mean brightness of the frame, ``light_on_lifter``
    that within the box, both 0 to 255; ``others`` the number of other people.
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
        """The lifter, where it is known that there is one."""
        assert self.lifter is not None
        return self.lifter


def advise(scene: Scene) -> tuple[Advice, ...]:
    """What to better in one frame, in the order of :class:`Advice`; empty when all is well."""
    dark = scene.light < DARK
    if scene.lifter is None:
        return (Advice.NOBODY, Advice.DARK) if dark else (Advice.NOBODY,)
    head_cut = _head_cut(scene)
    found = {
        Advice.FEET: _feet_cut(scene),
        Advice.HEAD: head_cut,
        Advice.ROOM: not head_cut and _no_room_above(scene),
        Advice.FAR: scene.lifter.size < FAR * scene.size[1],
        Advice.SIDE: _off_to_the_side(scene),
        Advice.DARK: dark,
        Advice.BACKLIT: not dark and scene.light_on_lifter < BACKLIT * scene.light,
        Advice.TILTED: abs(tilt_deg(scene.lifter)) > TILT_DEG,
        Advice.SEVERAL: scene.others > 0,
    }
    return tuple(advice for advice in Advice if found.get(advice))


class SteadyAdvice:
    """Advice that does not flicker: what most frames of the last moments agree on."""

    def __init__(self) -> None:
        self._recent: deque[tuple[float, tuple[Advice, ...]]] = deque()

    def add(self, now: float, advice: tuple[Advice, ...]) -> None:
        """Take note of one frame's advice at ``now`` seconds."""
        self._recent.append((now, advice))
        while self._recent[0][0] < now - STEADY_S:
            self._recent.popleft()

    def current(self) -> tuple[Advice, ...]:
        """The advice that holds, in the order of :class:`Advice`."""
        recent = list(self._recent)
        counts = Counter(advice for _, several in recent for advice in several)
        return tuple(a for a in Advice if counts[a] > STEADY_SHARE * len(recent))


def brightness(rgb: np.ndarray) -> float:
    """Mean brightness, 0 to 255, of every eighth pixel of ``rgb`` (H, W, 3); 0 without pixels."""
    sparse = rgb[::8, ::8]
    return float(sparse.mean()) if sparse.size else 0.0


def tilt_deg(lifter: Detection) -> float:
    """Degrees by which somebody who stands leans in the picture, clockwise; 0 when not standing."""
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
    """Are the feet below the frame, by the ankles, or where legs of usual length would end?"""
    trunk = _trunk(scene)
    ankles = _seen(scene.person, "ankles", SURE)
    if ankles:
        return bool(scene.person.xy[ankles, 1].max() + FOOT * trunk > scene.size[1])
    hips, knees = _middle(scene, "hips"), _middle(scene, "knees", SURE)
    thigh = float(np.linalg.norm(knees - hips))
    # a shin is as long as a thigh, and both are three quarters of a trunk
    expected = knees[1] + thigh if np.isfinite(thigh) else hips[1] + 1.5 * trunk
    return bool(expected > (1 - EDGE) * scene.size[1])


def _head_cut(scene: Scene) -> bool:
    """Is a part of the head above the frame, by face or shoulders of somebody upright?"""
    shoulders, trunk = _middle(scene, "shoulders"), _trunk(scene)
    across, down = np.abs(_middle(scene, "hips") - shoulders)
    if not down > across:  # bent over, lying or not seen: the head is beside the shoulders
        return False
    face = [scene.person.xy[k, 1] for k in sk.HEAD if scene.person.score[k] >= SEEN]
    if not face:
        return bool(shoulders[1] - NECK * trunk < EDGE * scene.size[1])
    return bool(shoulders[1] < NECK * trunk or min(face) < SKULL * trunk)


def _no_room_above(scene: Scene) -> bool:
    """Does the head touch the upper edge while the arms hang?"""
    arms_hang = bool(_middle(scene, "wrists")[1] > _middle(scene, "shoulders")[1])
    return arms_hang and _sees_any(scene, sk.HEAD) and scene.person.box[1] < EDGE * scene.size[1]


def _off_to_the_side(scene: Scene) -> bool:
    share = float(_middle(scene, "hips")[0]) / scene.size[0]
    return share < OUTWARD or share > 1 - OUTWARD


def _sees_any(scene: Scene, joints: tuple[int, ...]) -> bool:
    """Is any of ``joints`` seen within the frame?"""
    xy, score = scene.person.xy[list(joints)], scene.person.score[list(joints)]
    inside = ((xy >= 0) & (xy <= np.array(scene.size) - 1)).all(axis=1)
    return bool((inside & (score >= SEEN)).any())


def _trunk(scene: Scene) -> float:
    """Length of the trunk in the picture, px; NaN when shoulders or hips are not seen."""
    return float(np.linalg.norm(_middle(scene, "hips") - _middle(scene, "shoulders")))


def _middle(scene: Scene, joints: str, least: float = SEEN) -> np.ndarray:
    return middle(scene.person, joints, least)


def middle(lifter: Detection, joints: str, least: float = SEEN) -> np.ndarray:
    """The middle (2,) px of a pair of ``joints`` ("knees"), as far as their scores are ``least``;
    NaN when neither is seen."""
    seen = _seen(lifter, joints, least)
    return lifter.xy[seen].mean(axis=0) if seen else np.full(2, np.nan)


def _seen(lifter: Detection, joints: str, least: float) -> list[int]:
    name = joints.removesuffix("s")
    pair = (sk.INDEX[f"left_{name}"], sk.INDEX[f"right_{name}"])
    return [k for k in pair if lifter.score[k] >= least]


def _inside(rgb: np.ndarray, box: np.ndarray) -> np.ndarray:
    """The pixels of ``rgb`` within ``box`` xyxy px."""
    height, width = rgb.shape[:2]
    x1, y1, x2, y2 = np.clip(box, 0, [width, height, width, height]).astype(int)
    return rgb[y1:y2, x1:x2]
