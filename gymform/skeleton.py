"""The COCO-17 skeleton as data: names, edges, sides, flip pairs.

Source: Lin et al., "Microsoft COCO: Common Objects in Context", 2014, person keypoints.
"Left" and "right" are the lifter's, not the viewer's.
"""

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

(
    NOSE,
    LEFT_EYE,
    RIGHT_EYE,
    LEFT_EAR,
    RIGHT_EAR,
    LEFT_SHOULDER,
    RIGHT_SHOULDER,
    LEFT_ELBOW,
    RIGHT_ELBOW,
    LEFT_WRIST,
    RIGHT_WRIST,
    LEFT_HIP,
    RIGHT_HIP,
    LEFT_KNEE,
    RIGHT_KNEE,
    LEFT_ANKLE,
    RIGHT_ANKLE,
) = range(NUM_KEYPOINTS)

FLIP_PAIRS: tuple[tuple[int, int], ...] = (
    (1, 2),
    (3, 4),
    (5, 6),
    (7, 8),
    (9, 10),
    (11, 12),
    (13, 14),
    (15, 16),
)


def _flip_order() -> tuple[int, ...]:
    order = list(range(NUM_KEYPOINTS))
    for left, right in FLIP_PAIRS:
        order[left], order[right] = right, left
    return tuple(order)


FLIP_ORDER: tuple[int, ...] = _flip_order()
"""Index that swaps left and right: ``mirrored = keypoints[..., FLIP_ORDER, :]``."""

BODY: tuple[int, ...] = tuple(range(LEFT_SHOULDER, NUM_KEYPOINTS))
"""The twelve keypoints below the head."""

HEAD: tuple[int, ...] = tuple(range(LEFT_SHOULDER))
"""Nose, eyes and ears."""

BODY_PAIRS: tuple[tuple[int, int], ...] = FLIP_PAIRS[2:]
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
