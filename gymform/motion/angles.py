"""Angles of the body in the picture, and the side from which the camera sees it.

An angle in the picture is the joint's angle only if the limb moves across the line of sight: a knee
filmed from the front looks straight however deep the squat. :func:`turned` tells how far angles can
be trusted. ``xy`` is (..., 17, 2) px, NaN where missing; angles are in degrees.
"""

from __future__ import annotations

import numpy as np

from gymform import skeleton as sk
from gymform.motion.body_size import midpoint
from gymform.skeleton import HIPS, SHOULDERS

ENDS: dict[int, tuple[int, int]] = {
    sk.LEFT_SHOULDER: (sk.LEFT_HIP, sk.LEFT_ELBOW),
    sk.RIGHT_SHOULDER: (sk.RIGHT_HIP, sk.RIGHT_ELBOW),
    sk.LEFT_ELBOW: (sk.LEFT_SHOULDER, sk.LEFT_WRIST),
    sk.RIGHT_ELBOW: (sk.RIGHT_SHOULDER, sk.RIGHT_WRIST),
    sk.LEFT_HIP: (sk.LEFT_SHOULDER, sk.LEFT_KNEE),
    sk.RIGHT_HIP: (sk.RIGHT_SHOULDER, sk.RIGHT_KNEE),
    sk.LEFT_KNEE: (sk.LEFT_HIP, sk.LEFT_ANKLE),
    sk.RIGHT_KNEE: (sk.RIGHT_HIP, sk.RIGHT_ANKLE),
}
"""For each joint, the two neighbours between which its angle is measured; 180 degrees is straight.
"""

WIDTHS: dict[tuple[int, int], float] = {SHOULDERS: 0.20, HIPS: 0.125}
"""Distance of a pair of keypoints seen from the front, as a share of the stature.

The ninth deciles of 616 people who stand upright in studio photographs with annotated keypoints.
These mark the joints' centres; breadths of the body are larger (0.259 and 0.191, Drillis & Contini
1966).
"""


def joint_angles(xy: np.ndarray) -> np.ndarray:
    """Degrees (..., 17) in [0, 180] at the joints of :data:`ENDS`, NaN at others."""
    out = np.full(xy.shape[:-1], np.nan)
    for joint, (one, other) in ENDS.items():
        a, b = xy[..., one, :] - xy[..., joint, :], xy[..., other, :] - xy[..., joint, :]
        cross = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
        out[..., joint] = np.degrees(np.arctan2(np.abs(cross), (a * b).sum(-1)))
    return out


def trunk_lean(xy: np.ndarray) -> np.ndarray:
    """Degrees (...) between trunk and vertical: 0 upright, 90 level, more with the head lower."""
    trunk = midpoint(xy, SHOULDERS) - midpoint(xy, HIPS)
    return np.asarray(np.degrees(np.arctan2(np.abs(trunk[..., 0]), -trunk[..., 1])))


def turned(xy: np.ndarray, size: float, *, lying: bool = False) -> float:
    """Degrees by which the lifter faces away from the camera: 0 front or back, 90 from the side.

    Estimated from how narrow shoulders and hips look in ``xy`` (T, 17, 2), given the stature
    ``size`` px; NaN if neither pair is seen. Of somebody ``lying`` it is told whether the camera
    looks across the body: shoulders that are above each other in the picture are seen from above.
    """
    shares = []
    for (left, right), width in WIDTHS.items():
        apart = xy[:, left] - xy[:, right]
        distance = np.linalg.norm(apart, axis=-1) if lying else np.abs(apart[:, 0])
        if np.isfinite(distance).any():
            shares.append(float(np.nanmedian(distance)) / (width * size))
    return float(np.degrees(np.arccos(np.clip(np.mean(shares), 0, 1)))) if shares else float("nan")
