"""What hides parts of a body in training crops: barbells, plates, racks, other limbs, cut-outs.

The labels of what is hidden stay: the network learns to infer it, and the loss makes it the less
sure the less can be inferred.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from gymform import skeleton as sk
from gymform.training.pose.metrics import torso_lengths

GREY = (114, 114, 114)

MAX_HIDDEN = 3
"""So many occluders are drawn at most over the joints of one person."""

BONES = (
    *((shoulder, hip) for shoulder, hip in zip(sk.SHOULDERS, sk.HIPS, strict=True)),
    *((hip, knee) for hip, knee in zip(sk.HIPS, sk.KNEES, strict=True)),
    *((knee, ankle) for knee, ankle in zip(sk.KNEES, sk.ANKLES, strict=True)),
    *((shoulder, elbow) for shoulder, elbow in zip(sk.SHOULDERS, sk.ELBOWS, strict=True)),
    *((elbow, wrist) for elbow, wrist in zip(sk.ELBOWS, sk.WRISTS, strict=True)),
)
"""Parts of a body that may lie before another part."""

USUAL_TORSO = 0.3
"""Length of the torso over the height of the labelled joints, where it is not labelled."""


# ---- joints that are hidden on purpose ---------------------------------------------------------


def hide_joints(pixels: np.ndarray, keypoints: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """``pixels`` uint8 (H, W, 3) in which something lies over one to three joints of the limbs.

    A plate, a rack, or a part of the same picture's body. ``keypoints`` (17, 3) are px and v; a
    person without a labelled joint in the picture stays as they are.
    """
    joints = _joints_inside(keypoints, pixels.shape[1::-1])
    size = body_size(keypoints)
    if not len(joints) or not size > 0:
        return pixels
    pixels = pixels.copy()
    count = min(len(joints), 1 + int(rng.choice(MAX_HIDDEN, p=(0.6, 0.3, 0.1))))
    for joint in rng.choice(joints, count, replace=False):
        hide = (_plate_over, _rack_over, _limb_over)[int(rng.choice(3, p=(0.45, 0.25, 0.3)))]
        hide(pixels, keypoints, int(joint), size, rng)
    return pixels


def body_size(keypoints: np.ndarray) -> float:
    """The length of the torso, px; NaN where hardly anything is labelled.

    A torso that points at the camera is longer than it looks.
    """
    labelled = keypoints[keypoints[:, 2] > 0, :2]
    if len(labelled) < 2:
        return float("nan")
    extent = USUAL_TORSO * float(np.ptp(labelled, axis=0).max())
    torso = float(torso_lengths(keypoints[None])[0])
    return max(torso, extent) if np.isfinite(torso) else extent


def _joints_inside(keypoints: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """The labelled joints of limbs that lie in a picture of ``size`` (W, H)."""
    body = np.array(sk.BODY)
    xy = keypoints[body, :2]
    inside = ((xy >= 0) & (xy < np.array(size))).all(1) & (keypoints[body, 2] > 0)
    return np.asarray(body[inside])


def _plate_over(
    pixels: np.ndarray,
    keypoints: np.ndarray,
    joint: int,
    size: float,
    rng: np.random.Generator,
) -> None:
    """A weight plate as wide as it is in a gym, 0.45 m at most, the torso being 0.5 m long."""
    radius = size * rng.uniform(0.25, 0.5)
    centre = keypoints[joint, :2] + rng.uniform(-0.6, 0.6, 2) * radius
    _plate(pixels, centre, (radius, radius * rng.uniform(0.7, 1.0)), rng)


def _rack_over(
    pixels: np.ndarray,
    keypoints: np.ndarray,
    joint: int,
    size: float,
    rng: np.random.Generator,
) -> None:
    """A post or a safety bar from one edge of the picture to the other, often with holes."""
    across = rng.random() < 0.4
    angle = rng.normal(0, 0.08) + (0.0 if across else math.pi / 2)
    along = np.array([math.cos(angle), math.sin(angle)])
    half = size * rng.uniform(0.07, 0.18)
    middle = keypoints[joint, :2] + rng.uniform(-0.5, 0.5) * half * along[::-1]
    reach = 2 * max(pixels.shape[:2]) * along
    tone = _metal(rng)
    cv2.line(pixels, _px(middle - reach), _px(middle + reach), tone, max(2, round(2 * half)))
    edge = tuple(int(value * 0.6) for value in tone)
    for side in (-1, 1):
        shift = side * half * np.array([-along[1], along[0]])
        cv2.line(pixels, _px(middle - reach + shift), _px(middle + reach + shift), edge, 1)
    if rng.random() < 0.5:
        _holes(pixels, middle, along, half, rng)


def _holes(
    pixels: np.ndarray,
    middle: np.ndarray,
    along: np.ndarray,
    half: float,
    rng: np.random.Generator,
) -> None:
    spacing = half * rng.uniform(1.5, 3.0)
    tone, radius = _grey_level(rng, 0, 60), max(1, round(0.3 * half))
    count = int(2 * max(pixels.shape[:2]) / spacing)
    for i in range(-count, count + 1):
        cv2.circle(pixels, _px(middle + i * spacing * along), radius, tone, -1, cv2.LINE_AA)


def _limb_over(
    pixels: np.ndarray,
    keypoints: np.ndarray,
    joint: int,
    size: float,
    rng: np.random.Generator,
) -> None:
    """A part of the body itself, or its mirror image, moved over the joint: skin and clothes lie
    where another limb, or somebody else's, might."""
    bones = [b for b in BONES if joint not in b and (keypoints[list(b), 2] > 0).all()]
    if not bones:
        _plate_over(pixels, keypoints, joint, size, rng)
        return
    ends = keypoints[list(bones[int(rng.integers(len(bones)))]), :2].astype(np.float64)
    height, width = pixels.shape[:2]
    picture = pixels
    if rng.random() < 0.5:
        picture, ends = pixels[:, ::-1], np.column_stack((width - 1 - ends[:, 0], ends[:, 1]))
    target = keypoints[joint, :2] + rng.uniform(-0.08, 0.08, 2) * size
    shift = target - (ends[0] + (ends[1] - ends[0]) * rng.uniform(0.3, 0.7))
    matrix = np.column_stack((np.eye(2), shift))
    moved = cv2.warpAffine(
        np.ascontiguousarray(picture), matrix, (width, height), borderMode=cv2.BORDER_REFLECT
    )
    mask = np.zeros((height, width), np.uint8)
    thick = max(3, round(2 * size * rng.uniform(0.1, 0.18)))
    cv2.line(mask, _px(ends[0] + shift), _px(ends[1] + shift), 255, thick)
    soft = cv2.GaussianBlur(mask, (0, 0), 1.0)[..., None].astype(np.float32) / 255
    pixels[:] = np.rint(soft * moved + (1 - soft) * pixels).astype(np.uint8)


def _metal(rng: np.random.Generator) -> tuple[int, int, int]:
    """The colour of a rack: mostly black, grey or white, else painted."""
    if rng.random() < 0.75:
        return _grey_level(rng, 10, 245)
    red, green, blue = rng.integers(20, 230, 3).tolist()
    return red, green, blue


# ---- barbells and cut-outs ---------------------------------------------------------------------


def draw_barbell(pixels: np.ndarray, keypoints: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a barbell in the hands, on the shoulders or anywhere, in a front or a side view.

    In front views it is a bar across the picture with narrow plates at its ends, in side views a
    single plate that hides what is behind it.
    """
    pixels = pixels.copy()
    height, width = pixels.shape[:2]
    centre = _barbell_centre(keypoints, rng, (width, height))
    radius = rng.uniform(0.06, 0.16) * height
    if rng.random() < 0.5:
        _plate(pixels, centre, (radius, radius * rng.uniform(0.6, 1.0)), rng)
        return pixels
    tilt = rng.normal(0, 0.12)
    reach = rng.uniform(0.3, 0.6) * width * np.array([math.cos(tilt), math.sin(tilt)])
    steel = _grey_level(rng, 60, 220)
    ends = [centre - reach, centre + reach]
    cv2.line(pixels, _px(ends[0]), _px(ends[1]), steel, int(rng.integers(2, 6)), cv2.LINE_AA)
    for end in ends:
        _plate(pixels, end, (radius, radius * rng.uniform(0.12, 0.35)), rng)
    return pixels


def _barbell_centre(
    keypoints: np.ndarray, rng: np.random.Generator, size: tuple[int, int]
) -> np.ndarray:
    """The middle of the barbell, px (2,): between the wrists or the shoulders, or anywhere."""
    pair = (sk.WRISTS, sk.SHOULDERS)
    joints = keypoints[list(pair[int(rng.random() < 0.3)])]
    anywhere = rng.uniform(0.1, 0.9, 2) * size
    return joints[:, :2].mean(0) if (joints[:, 2] > 0).all() and rng.random() < 0.7 else anywhere


def _plate(
    pixels: np.ndarray, centre: np.ndarray, radii: tuple[float, float], rng: np.random.Generator
) -> None:
    """Draw a weight plate with rim and hub; ``radii`` are half its height and half its width."""
    axes = int(radii[1]), int(radii[0])
    tone = (
        _grey_level(rng, 10, 90) if rng.random() < 0.6 else tuple(rng.integers(20, 230, 3).tolist())
    )
    cv2.ellipse(pixels, _px(centre), axes, 0, 0, 360, tone, -1, cv2.LINE_AA)
    cv2.ellipse(pixels, _px(centre), axes, 0, 0, 360, _grey_level(rng, 0, 160), 1, cv2.LINE_AA)
    hub = max(1, axes[0] // 5), max(1, axes[1] // 5)
    cv2.ellipse(pixels, _px(centre), hub, 0, 0, 360, _grey_level(rng, 90, 230), -1, cv2.LINE_AA)


def _grey_level(rng: np.random.Generator, low: int, high: int) -> tuple[int, int, int]:
    value = int(rng.integers(low, high))
    return value, value, value


def _px(point: np.ndarray) -> tuple[int, int]:
    x, y = np.clip(np.round(point), -2000, 2000)  # keeps joints far outside from overflowing
    return int(x), int(y)


def cut_out(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Fill one to three rectangles of the picture with grey, one colour or noise."""
    pixels = pixels.copy()
    height, width = pixels.shape[:2]
    for _ in range(int(rng.integers(1, 4))):
        w, h = (int(rng.uniform(0.08, 0.3) * side) for side in (width, height))
        x, y = int(rng.integers(0, width - w)), int(rng.integers(0, height - h))
        kind = rng.integers(0, 3)
        fill: np.ndarray | tuple[int, int, int] = GREY
        if kind == 1:
            fill = rng.integers(0, 256, 3).astype(np.uint8)
        elif kind == 2:
            fill = rng.integers(0, 256, (h, w, 3)).astype(np.uint8)
        pixels[y : y + h, x : x + w] = fill
    return pixels
