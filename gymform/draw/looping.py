"""Small moving skeletons as SVG: they need no script, and move wherever a picture can be shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gymform import skeleton as sk

SIZE, ROOM = 96, 8
"""The square picture and what stays free at its edges, px."""

NEAR, FAR = "#7c60ca", "#a99ad6"
"""Colours that can be told from a white and from a dark page (a contrast of 3 and more to both, but
for the second, of limbs on the other side)."""

STILL_STYLE = (
    "<style>.still{display:none}@media(prefers-reduced-motion:reduce)"
    "{.still{display:inline}.moving{display:none}}</style>"
)
"""Who asked their system for less motion sees the element ``still`` instead of ``moving``."""

TRUNK = (sk.LEFT_SHOULDER, sk.RIGHT_SHOULDER, sk.RIGHT_HIP, sk.LEFT_HIP, sk.LEFT_SHOULDER)
LIMBS = (
    ((sk.LEFT_SHOULDER, sk.LEFT_ELBOW, sk.LEFT_WRIST), FAR),
    ((sk.LEFT_HIP, sk.LEFT_KNEE, sk.LEFT_ANKLE), FAR),
    (TRUNK, NEAR),
    ((sk.RIGHT_SHOULDER, sk.RIGHT_ELBOW, sk.RIGHT_WRIST), NEAR),
    ((sk.RIGHT_HIP, sk.RIGHT_KNEE, sk.RIGHT_ANKLE), NEAR),
)
"""Chains of keypoints with their colour."""

HEAD = 0.055
"""Radius of the head, statures."""


def looping_skeleton(poses: np.ndarray, seconds: float) -> str:
    """An SVG of ``poses`` (P, 17, 2), y down, shown one after another within ``seconds``, again and
    again. A point that is missing (NaN) in any pose is left out with what hangs on it."""
    low, high = np.nanmin(poses, (0, 1)), np.nanmax(poses, (0, 1))
    scale = (SIZE - 2 * ROOM) / max(float((high - low).max()), 1e-6)
    body = (poses - (low + high) / 2) * scale + SIZE / 2
    moving = _figure(body, scale, seconds)
    still = _figure(body[len(body) // 2 :][:1], scale, seconds)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}">{STILL_STYLE}'
        '<g fill="none" stroke-linecap="round" stroke-linejoin="round" stroke-width="3">'
        f'<g class="moving">{moving}</g><g class="still">{still}</g></g></svg>'
    )


def _figure(body: np.ndarray, scale: float, seconds: float) -> str:
    """The limbs and the head of ``body`` (P, 17, 2) px."""
    known = np.isfinite(body).all((0, 2))
    parts = []
    for chain, colour in LIMBS:
        seen = [joint for joint in chain if known[joint]]
        if len(seen) > 1:
            parts.append(line(body[:, seen], f'stroke="{colour}"', seconds))
    if known[sk.NOSE]:
        parts.append(disc(body[:, sk.NOSE], HEAD * scale, f'fill="{NEAR}"', seconds))
    return "".join(parts)


def line(points: np.ndarray, look: str, seconds: float) -> str:
    """A line through ``points`` (P, J, 2) px, moving where there are several poses; ``look`` is its
    attributes."""
    poses = ["M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in pose) for pose in points]
    return _element("path", {"d": poses}, look, seconds)


def disc(points: np.ndarray, radius: float, look: str, seconds: float) -> str:
    """A circle at ``points`` (P, 2) px."""
    places = {axis: [f"{p[i]:.1f}" for p in points] for i, axis in enumerate(("cx", "cy"))}
    return _element("circle", places, f'r="{radius:.1f}" {look}', seconds)


def _element(tag: str, moving: Mapping[str, Sequence[str]], look: str, seconds: float) -> str:
    """An SVG element whose attributes ``moving`` take their values in turn, again and again."""
    first = " ".join(f'{name}="{values[0]}"' for name, values in moving.items())
    animated = "".join(
        f'<animate attributeName="{name}" dur="{seconds:.1f}s" repeatCount="indefinite" '
        f'values="{";".join(values)}"/>'
        for name, values in moving.items()
        if len(set(values)) > 1
    )
    return f"<{tag} {first} {look}>{animated}</{tag}>"
