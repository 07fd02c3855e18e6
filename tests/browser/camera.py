"""A clip as the fake camera of Chromium: an uncompressed video, and the switches that play it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from gymform.video.read import read_frames

SIZE = (1280, 720)

FAKE = "--use-fake-device-for-media-stream"
"""There is a camera; without `ALLOW`, permission to use it is denied."""

ALLOW = "--use-fake-ui-for-media-stream"
"""Every page may use the camera."""


def camera_switches(film: Path) -> list[str]:
    """Chromium's switches: its camera plays ``film`` in a loop, and every page may use it."""
    return [
        ALLOW,
        FAKE,
        f"--use-file-for-fake-video-capture={film.resolve()}",
        "--autoplay-policy=no-user-gesture-required",
    ]


def write_film(
    clip: Path,
    film: Path,
    *,
    start_s: float = 0.0,
    seconds: float = 4.0,
    still_s: tuple[float, float] = (0.0, 0.0),
    fps: int = 30,
) -> None:
    """Write a stretch of ``clip`` as YUV4MPEG2 of 1280 x 720 px at ``fps``, in black bars.

    Its first and last pictures stand still for ``still_s`` seconds before and after.
    """
    width, height = SIZE
    with film.open("wb") as out:
        out.write(f"YUV4MPEG2 W{width} H{height} F{fps}:1 Ip A1:1 C420mpeg2\n".encode())
        picture = b""
        for number, picture in enumerate(_pictures(clip, start_s, seconds, fps)):
            repeat = 1 + (round(still_s[0] * fps) if number == 0 else 0)
            out.write(picture * repeat)
        out.write(picture * round(still_s[1] * fps))


def _pictures(clip: Path, start_s: float, seconds: float, fps: int) -> Iterator[bytes]:
    """Frames of a YUV4MPEG2 file, one for every 1/fps seconds of the stretch."""
    due, last = start_s, b""
    with read_frames(clip, keep=lambda _, time_s: start_s - 0.1 <= time_s) as frames:
        for frame in frames:
            while last and due < frame.time_s - 1e-6:
                if due >= start_s + seconds:
                    return
                yield last
                due += 1 / fps
            last = b"FRAME\n" + _planes(frame.rgb)
    yield last


def _planes(rgb: np.ndarray) -> bytes:
    """Y, U and V of ``rgb`` in the middle of a picture of :data:`SIZE`."""
    width, height = SIZE
    share = min(width / rgb.shape[1], height / rgb.shape[0])
    size = (2 * round(rgb.shape[1] * share / 2), 2 * round(rgb.shape[0] * share / 2))
    canvas = np.zeros((height, width, 3), np.uint8)
    x, y = (width - size[0]) // 2, (height - size[1]) // 2
    canvas[y : y + size[1], x : x + size[0]] = cv2.resize(rgb, size)
    return cv2.cvtColor(canvas, cv2.COLOR_RGB2YUV_I420).tobytes()


def place_in_film(x: float, y: float, clip_size: tuple[int, int]) -> tuple[float, float]:
    """The position in the video of a point of the clip, px."""
    width, height = SIZE
    share = min(width / clip_size[0], height / clip_size[1])
    return (
        x * share + (width - clip_size[0] * share) / 2,
        y * share + (height - clip_size[1] * share) / 2,
    )
