"""The network families that can be trained, as people read them; `registry` builds them.

This module is light: pages import it, PyTorch stays outside.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """The title of a family, what it is in a sentence, and whether it looks at the picture."""

    title: str
    sentence: str
    on_pixels: bool = False


CATALOGUE: dict[str, Entry] = {
    "tcn": Entry(
        "TCN", "Convolutions over time on joints, angles and speeds. Small, and the default."
    ),
    "stgcn": Entry("ST-GCN", "Convolutions along the bones of the skeleton and over time."),
    "gru": Entry("GRU", "A recurrent network that reads the keypoints frame by frame."),
    "frame-cnn": Entry(
        "Frame CNN",
        "Scores single pictures and averages them: sees bar and room, no movement. "
        "For comparison only.",
        on_pixels=True,
    ),
    "r2plus1d": Entry(
        "R(2+1)D-18",
        "A video network: sees pictures and their movement, slow on a CPU. For comparison only.",
        on_pixels=True,
    ),
}
"""By name; the first is the default."""
