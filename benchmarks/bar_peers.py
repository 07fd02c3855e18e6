"""OpenCV's trackers on frames that come over standard input: for `bar.py --peers PYTHON`.

    PYTHON benchmarks/bar_peers.py < FRAMES

Run by an interpreter that has opencv-contrib-python, which the project does not need: this file
imports nothing of it. The first line that comes in is ``width height x y w h`` (px, the box in the
first frame), then frames follow as uint8 RGB. Out goes a line for each further frame: for each of
:data:`TRACKERS` ``x,y`` of the box's middle, or ``-`` where the tracker gave up.

KCF: Henriques et al., PAMI 2015. CSRT: Lukezic et al., CVPR 2017. MOSSE: Bolme et al., CVPR 2010.
"""

from __future__ import annotations

import sys

import cv2
import numpy as np

TRACKERS = ("KCF", "CSRT", "MOSSE")


def main() -> int:
    """Read the header and the frames, answer each."""
    if sys.argv[1:] == ["--version"]:
        print(cv2.__version__)
        return 0
    source = sys.stdin.buffer
    width, height, *box = (int(word) for word in source.readline().split())
    first = frame_of(source.read(width * height * 3), width, height)
    trackers = {name: made(name) for name in TRACKERS}
    for one in trackers.values():
        one.init(first, tuple(box))
    while len(data := source.read(width * height * 3)) == width * height * 3:
        frame = frame_of(data, width, height)
        print(" ".join(said(one.update(frame)) for one in trackers.values()), flush=True)
    return 0


def made(name: str) -> cv2.Tracker:
    """A tracker by its name, wherever this OpenCV keeps it."""
    for place in (cv2, getattr(cv2, "legacy", cv2)):
        make = getattr(place, f"Tracker{name}_create", None)
        if make is not None:
            return make()
    raise SystemExit(f"OpenCV {cv2.__version__} of this interpreter has no {name}: it needs "
                     "opencv-contrib-python or opencv-contrib-python-headless")  # fmt: skip


def frame_of(data: bytes, width: int, height: int) -> np.ndarray:
    """uint8 (height, width, 3) BGR of RGB bytes."""
    rgb = np.frombuffer(data, np.uint8).reshape(height, width, 3)
    return np.ascontiguousarray(rgb[..., ::-1])


def said(answer: tuple[bool, tuple[float, float, float, float]]) -> str:
    """``x,y`` of the middle of the box, or ``-``."""
    ok, (left, top, width, height) = answer
    return f"{left + width / 2:.2f},{top + height / 2:.2f}" if ok else "-"


if __name__ == "__main__":
    sys.exit(main())
