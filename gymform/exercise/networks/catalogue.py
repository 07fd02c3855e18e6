"""The network families that can be trained, as people read them; `registry` builds them.

This module is light: pages import it, PyTorch stays outside.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """The title of a family, what it is in a sentence, its usual number of training steps, how long
    such a step takes on two cores, s, and whether it looks at the picture."""

    title: str
    sentence: str
    steps: int
    step_s: float
    on_pixels: bool = False


CATALOGUE: dict[str, Entry] = {
    "tcn": Entry(
        "TCN",
        "Convolutions over time on joints, angles and speeds. Small, and the default.",
        steps=800,
        step_s=0.05,
    ),
    "stgcn": Entry(
        "ST-GCN",
        "Convolutions along the bones of the skeleton and over time.",
        steps=600,
        step_s=0.25,
    ),
    "gru": Entry(
        "GRU",
        "A recurrent network that reads the keypoints frame by frame.",
        steps=800,
        step_s=0.12,
    ),
    "frame-cnn": Entry(
        "Frame CNN",
        "Scores single pictures and averages them: sees bar and room, no movement. "
        "For comparison only.",
        steps=250,
        step_s=0.5,
        on_pixels=True,
    ),
    "r2plus1d": Entry(
        "R(2+1)D-18",
        "A video network: sees pictures and their movement, slow on a CPU. For comparison only.",
        steps=200,
        step_s=2.5,
        on_pixels=True,
    ),
    "vivit": Entry(
        "ViViT",
        "A video transformer that starts from the pose network, the slowest on a CPU. "
        "For comparison only.",
        steps=200,
        step_s=4.0,
        on_pixels=True,
    ),
}
"""By name; the first is the default."""
