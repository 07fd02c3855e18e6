"""The COCO-17 skeleton as data: names, edges, sides, flip pairs.

Source: Lin et al., "Microsoft COCO: Common Objects in Context", 2014, person keypoints.
"Left" and "right" are the lifter's, not the viewer's.

To add keypoints, write their names behind the last of :data:`KEYPOINTS` and their constants behind
the last of :data:`OKS_SIGMAS`, and say in :data:`EDGES` what they are attached to. Pairs and the
order of a mirrored skeleton follow from the names. The rest of gymform then expects that number: a
pose network with as many heatmaps, and keypoint files and an exercise classifier made with it. To
use a network of more keypoints for the 17 that it shares with COCO, change nothing: ``weights
convert`` keeps them.
"""

from collections.abc import Sequence
from enum import Enum

KEYPOINTS: tuple[str, ...] = (
    "nose",
    "left_eye",
    "right_eye",
    "left_ear",
    "right_ear",
    "left_shoulder",
    "right_shoulder",
    "left_elbow",
    "right_elbow",
    "left_wrist",
    "right_wrist",
    "left_hip",
    "right_hip",
    "left_knee",
    "right_knee",
    "left_ankle",
    "right_ankle",
)
NUM_KEYPOINTS = len(KEYPOINTS)
INDEX: dict[str, int] = {name: i for i, name in enumerate(KEYPOINTS)}

NOSE = INDEX["nose"]
LEFT_EYE = INDEX["left_eye"]
RIGHT_EYE = INDEX["right_eye"]
LEFT_EAR = INDEX["left_ear"]
RIGHT_EAR = INDEX["right_ear"]
LEFT_SHOULDER = INDEX["left_shoulder"]
RIGHT_SHOULDER = INDEX["right_shoulder"]
LEFT_ELBOW = INDEX["left_elbow"]
RIGHT_ELBOW = INDEX["right_elbow"]
LEFT_WRIST = INDEX["left_wrist"]
RIGHT_WRIST = INDEX["right_wrist"]
LEFT_HIP = INDEX["left_hip"]
RIGHT_HIP = INDEX["right_hip"]
LEFT_KNEE = INDEX["left_knee"]
RIGHT_KNEE = INDEX["right_knee"]
LEFT_ANKLE = INDEX["left_ankle"]
RIGHT_ANKLE = INDEX["right_ankle"]


def flip_pairs(keypoints: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """(left, right) of all keypoints that have a side, by their names.

    Raises ValueError when a name stands twice or a side has no counterpart.
    """
    left, right = (
        {name.removeprefix(side): at for at, name in enumerate(keypoints) if name.startswith(side)}
        for side in ("left_", "right_")
    )
    alone = sorted(left.keys() ^ right.keys())
    if alone:
        raise ValueError(f"KEYPOINTS: {alone[0]!r} needs both a left and a right keypoint.")
    if len(set(keypoints)) < len(keypoints):
        raise ValueError("KEYPOINTS: expected every name once.")
    return tuple((at, right[joint]) for joint, at in left.items())


FLIP_PAIRS: tuple[tuple[int, int], ...] = flip_pairs(KEYPOINTS)


def _flip_order() -> tuple[int, ...]:
    order = list(range(NUM_KEYPOINTS))
    for left, right in FLIP_PAIRS:
        order[left], order[right] = right, left
    return tuple(order)


FLIP_ORDER: tuple[int, ...] = _flip_order()
"""Index that swaps left and right: ``mirrored = keypoints[..., FLIP_ORDER, :]``."""

BODY: tuple[int, ...] = tuple(range(LEFT_SHOULDER, RIGHT_ANKLE + 1))
"""The twelve keypoints below the head."""

HEAD: tuple[int, ...] = tuple(range(LEFT_SHOULDER))
"""Nose, eyes and ears."""

BODY_PAIRS: tuple[tuple[int, int], ...] = tuple(pair for pair in FLIP_PAIRS if pair[0] in BODY)
"""(left, right) of each pair of joints below the head."""

SHOULDERS, ELBOWS, WRISTS, HIPS, KNEES, ANKLES = BODY_PAIRS

EDGES: tuple[tuple[int, int], ...] = (
    (NOSE, LEFT_EYE),
    (NOSE, RIGHT_EYE),
    (LEFT_EYE, LEFT_EAR),
    (RIGHT_EYE, RIGHT_EAR),
    (LEFT_SHOULDER, RIGHT_SHOULDER),
    (LEFT_SHOULDER, LEFT_ELBOW),
    (LEFT_ELBOW, LEFT_WRIST),
    (RIGHT_SHOULDER, RIGHT_ELBOW),
    (RIGHT_ELBOW, RIGHT_WRIST),
    (LEFT_SHOULDER, LEFT_HIP),
    (RIGHT_SHOULDER, RIGHT_HIP),
    (LEFT_HIP, RIGHT_HIP),
    (LEFT_HIP, LEFT_KNEE),
    (LEFT_KNEE, LEFT_ANKLE),
    (RIGHT_HIP, RIGHT_KNEE),
    (RIGHT_KNEE, RIGHT_ANKLE),
)


class Side(Enum):
    """Which side of the body a keypoint or an edge belongs to."""

    LEFT = "left"
    RIGHT = "right"
    CENTRE = "centre"


def side_of(keypoint: int) -> Side:
    """The side that a keypoint is on."""
    name = KEYPOINTS[keypoint]
    if name.startswith("left_"):
        return Side.LEFT
    return Side.RIGHT if name.startswith("right_") else Side.CENTRE


def side_of_edge(edge: tuple[int, int]) -> Side:
    """Left or right where an end of the edge is on that side and none on the other, else centre."""
    first, second = side_of(edge[0]), side_of(edge[1])
    if first is second:
        return first
    if Side.CENTRE in (first, second):
        return second if first is Side.CENTRE else first
    return Side.CENTRE


COLOURS: dict[Side, str] = {
    Side.LEFT: "#0072B2",
    Side.RIGHT: "#E69F00",
    Side.CENTRE: "#009E73",
}
"""Okabe & Ito's palette (2008), distinct with every common form of colour blindness. sRGB hex."""

OKS_SIGMAS: tuple[float, ...] = (
    0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072,
    0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089,
)  # fmt: skip
"""Per-keypoint constants of COCO's object keypoint similarity (cocodataset.org, keypoints eval)."""

if len(OKS_SIGMAS) != NUM_KEYPOINTS:
    raise ValueError(
        f"OKS_SIGMAS: expected a constant for each of the {NUM_KEYPOINTS} keypoints, "
        f"got {len(OKS_SIGMAS)}."
    )
