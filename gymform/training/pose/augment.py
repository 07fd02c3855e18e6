"""Augmentation of training crops by what happens to pictures in a gym.

First one warp (flip, scale, rotation, shift, half body), which moves pixels and keypoints together;
then changes of pixels only: occlusion, light, colour, blur, noise, compression. All randomness
comes from one generator, so that a crop and a seed always give the same picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from gymform import skeleton as sk
from gymform.pose.crops import PADDING, box_to_crop
from gymform.pose.vitpose import INPUT_SIZE
from gymform.training.pose.occluders import cut_out, draw_barbell, hide_joints

UPPER = tuple(range(sk.LEFT_HIP))
LOWER = tuple(range(sk.LEFT_HIP, sk.NUM_KEYPOINTS))
"""The joints of the upper and of the lower half of the body."""

MIN_LABELS = 4
"""With fewer labelled joints the place of a body is unknown."""

MAX_RESIZE = 1.5
"""The crop of a rotated person is at most this many times larger or smaller than the standard crop:
a stored picture shows no more."""


@dataclass(frozen=True)
class Augmentation:
    """Probabilities and strengths of all changes. With ``UNCHANGED`` nothing happens."""

    flip: float = 0.5
    scale: float = 0.3  # the crop is 1 - scale to 1 + scale times as large as usual
    rotate: float = 0.6
    rotation: float = 35.0  # standard deviation, degrees; at most 90
    tumble: float = 0.2  # probability of any angle instead: gymnasts are upside down
    shift: float = 0.08  # standard deviation, share of the crop; at most twice that
    half_body: float = 0.15
    barbell: float = 0.2
    cut_out: float = 0.3
    low_light: float = 0.15
    colour: float = 0.8
    grey: float = 0.05
    blur: float = 0.15
    motion_blur: float = 0.15
    noise: float = 0.15
    compression: float = 0.2
    occluders: float = 0.0  # probability that joints are hidden on purpose


UNCHANGED = Augmentation(*[0.0] * len(Augmentation.__dataclass_fields__))
"""No change: the network's standard crop."""

MILD = Augmentation(
    scale=0.15,
    rotate=0.5,
    rotation=25.0,
    tumble=0.2,
    shift=0.04,
    half_body=0.08,
    barbell=0.1,
    cut_out=0.1,
    low_light=0.05,
    colour=0.5,
    grey=0.02,
    blur=0.05,
    motion_blur=0.05,
    noise=0.05,
    compression=0.1,
)
"""Rarer and smaller changes for the end of a training, so that the network adapts to the pictures
that it will mostly see (as in YOLOX, Ge et al., 2021)."""


# ---- the warp ------------------------------------------------------------------------------


def warp(
    rgb: np.ndarray,
    keypoints: np.ndarray,
    crop: np.ndarray,
    rng: np.random.Generator,
    how: Augmentation,
    size: tuple[int, int] = INPUT_SIZE,
) -> tuple[np.ndarray, np.ndarray]:
    """A network input uint8 (H, W, 3) and its keypoints float32 (17, 3) in input px.

    ``rgb`` is a picture with a margin around the person, ``keypoints`` (17, 3) its px and v, and
    ``crop`` (4,) its standard crop: centre x, y, width, height px. ``size`` is (W, H).
    """
    flipped, degrees = rng.random() < how.flip, _angle(rng, how)
    rotated, standard = rotate_person(keypoints, crop, degrees)
    chosen = random_crop(rotated, standard, rng, how)
    chosen[:2] = crop[:2] + (chosen[:2] - crop[:2]) @ rotation(degrees).T
    matrix = input_to_picture(chosen, degrees, flipped, size)
    moved = move_keypoints(keypoints, matrix, flipped)
    # the matrix maps input pixels to picture pixels, hence WARP_INVERSE_MAP
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(rgb, matrix, size, flags=flags), moved


def rotate_person(
    keypoints: np.ndarray, crop: np.ndarray, degrees: float
) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints and standard crop after a rotation by ``degrees`` about the middle of the crop.

    Boxes are upright, so the crop changes with the box around the labelled joints: somebody who is
    rotated to lie is cropped like somebody who was found lying.
    """
    rotated = keypoints.copy()
    rotated[:, :2] = crop[:2] + (keypoints[:, :2] - crop[:2]) @ rotation(degrees)
    labelled = keypoints[:, 2] > 0
    if labelled.sum() < MIN_LABELS:
        return rotated, crop
    before, after = (_crop_around(points[labelled, :2]) for points in (keypoints, rotated))
    factor = float(np.clip(after[2] / before[2], 1 / MAX_RESIZE, MAX_RESIZE))
    middle = after[:2] + (crop[:2] - before[:2]) @ rotation(degrees)
    return rotated, np.concatenate((middle, factor * crop[2:]))


def _crop_around(points: np.ndarray, padding: float = PADDING) -> np.ndarray:
    return box_to_crop(np.concatenate((points.min(0), points.max(0))), padding)


def rotation(degrees: float) -> np.ndarray:
    """The matrix (2, 2) of a rotation by ``degrees`` from x towards y."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[cos, -sin], [sin, cos]])


def random_crop(
    keypoints: np.ndarray, crop: np.ndarray, rng: np.random.Generator, how: Augmentation
) -> np.ndarray:
    """A crop (4,) of the picture: the standard one or half a body, scaled and shifted."""
    if rng.random() < how.half_body:
        crop = _half_body(keypoints, crop, rng)
    scale = 1 + how.scale * rng.uniform(-1, 1)
    shift = np.clip(rng.normal(0, 1, 2), -2, 2) * how.shift * crop[2:]
    return np.concatenate((crop[:2] + shift, crop[2:] * scale))


def _half_body(keypoints: np.ndarray, crop: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A crop of the upper or the lower joints alone, at least half as wide as ``crop``."""
    half = np.array(UPPER if rng.random() < 0.6 else LOWER)
    points = keypoints[half][keypoints[half, 2] > 0, :2]
    if len(points) < MIN_LABELS:
        return crop
    smaller = _crop_around(points, padding=1.5)
    if smaller[2] < crop[2] / 2:
        smaller[2:] = crop[2:] / 2
    return smaller if smaller[2] < crop[2] else crop


def _angle(rng: np.random.Generator, how: Augmentation) -> float:
    """Degrees to rotate by."""
    chance = rng.random()
    if chance < how.tumble:
        return float(rng.uniform(-180, 180))
    rotated = chance < how.tumble + how.rotate
    return float(np.clip(rng.normal(0, how.rotation), -90, 90)) if rotated else 0.0


def input_to_picture(
    crop: np.ndarray, degrees: float, flipped: bool, size: tuple[int, int] = INPUT_SIZE
) -> np.ndarray:
    """The affine map (2, 3) from input px to picture px. As in UDP, a crop of 192 x 256 px spans
    191 x 255 units."""
    span = np.array(size, np.float64) - 1
    linear = rotation(degrees) * (crop[2:] / span)
    if flipped:
        linear[:, 0] *= -1  # about the middle
    return np.hstack((linear, (crop[:2] - linear @ (span / 2))[:, None]))


def move_keypoints(keypoints: np.ndarray, matrix: np.ndarray, flipped: bool) -> np.ndarray:
    """Keypoints float32 (17, 3) in input px; left and right are exchanged when ``flipped``."""
    xy = np.linalg.solve(matrix[:, :2], (keypoints[:, :2] - matrix[:, 2]).T).T
    moved = np.column_stack((xy, keypoints[:, 2])).astype(np.float32)
    return moved[list(sk.FLIP_ORDER)] if flipped else moved


# ---- pixels only: nothing here may move a joint --------------------------------------------


def occlude(
    pixels: np.ndarray, keypoints: np.ndarray, rng: np.random.Generator, how: Augmentation
) -> np.ndarray:
    """The input in which, with a probability, joints are hidden on purpose.

    They are drawn by a generator of their own, so that nothing else depends on them.
    """
    if not how.occluders:
        return pixels
    (own,) = rng.spawn(1)
    return hide_joints(pixels, keypoints, own) if own.random() < how.occluders else pixels


def change_pixels(
    pixels: np.ndarray, keypoints: np.ndarray, rng: np.random.Generator, how: Augmentation
) -> np.ndarray:
    """The input with occlusions, in other light, from a worse camera."""
    pixels = occlude(pixels, keypoints, rng, how)
    if rng.random() < how.barbell:
        pixels = draw_barbell(pixels, keypoints, rng)
    if rng.random() < how.cut_out:
        pixels = cut_out(pixels, rng)
    if rng.random() < how.colour:
        pixels = change_colours(pixels, rng)
    if rng.random() < how.grey:
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        pixels = cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
    if rng.random() < how.low_light:
        pixels = darken(pixels, rng)
    if rng.random() < how.motion_blur:
        pixels = cv2.filter2D(pixels, -1, motion_kernel(rng))
    if rng.random() < how.blur:
        pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.5, 2.5))
    if rng.random() < how.noise:
        pixels = add_noise(pixels, rng.uniform(2, 12), rng)
    if rng.random() < how.compression:
        pixels = compress(pixels, int(rng.integers(15, 60)))
    return pixels


def change_colours(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Change white balance, contrast, brightness and saturation."""
    values = pixels.astype(np.float32)
    grey = values.mean(axis=2, keepdims=True)
    values = grey + (values - grey) * rng.uniform(0.4, 1.5)
    values *= rng.uniform(0.85, 1.15, 3).astype(np.float32)
    mean = float(values.mean())
    values = mean + (values - mean) * rng.uniform(0.65, 1.35) + rng.uniform(-30, 30)
    return _bytes(values)


def darken(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Darken the picture and add the noise of a camera in dim light."""
    values = 255 * (pixels.astype(np.float32) / 255) ** rng.uniform(1.3, 2.5)
    return add_noise(_bytes(values * rng.uniform(0.5, 0.9)), rng.uniform(2, 8), rng)


def motion_kernel(rng: np.random.Generator) -> np.ndarray:
    """Kernel of a blur along a line of 3 to 13 px, symmetric, so that nothing moves."""
    length = int(rng.integers(1, 7))
    angle = rng.uniform(0, math.pi)
    side = 2 * length + 1
    kernel = np.zeros((side, side), np.float32)
    step = (length * math.cos(angle), length * math.sin(angle))
    start = round(length - step[0]), round(length - step[1])
    cv2.line(kernel, start, (2 * length - start[0], 2 * length - start[1]), 1.0)
    kernel += kernel[::-1, ::-1]  # a line of pixels need not be symmetric
    return np.asarray(kernel / kernel.sum())


def add_noise(pixels: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """Add Gaussian noise of ``sigma`` grey levels."""
    noise = rng.standard_normal(pixels.shape, np.float32)
    return _bytes(pixels + sigma * noise)


def compress(pixels: np.ndarray, quality: int) -> np.ndarray:
    """Compress as JPEG of this ``quality`` and decode again."""
    file = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR))


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(values, 0, 255), np.uint8)
