"""Animated GIFs and WebPs: good ones, and ones that ask for more than they deserve."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from gymform.video.read import Frame, read_frames
from tests.corpus.clips import picture

UNEVEN_MS = (40, 80, 30, 250, 40, 1000, 20, 120)
"""How long each picture is shown."""


def animation(
    kind: str, durations: Sequence[int] = UNEVEN_MS, size: tuple[int, int] = (128, 96), **options
) -> bytes:
    """A GIF or WEBP that shows `clips.picture` with numbers from 0, each for so many ms."""
    pictures = [Image.fromarray(picture(number, size)) for number in range(len(durations))]
    return encoded(kind, pictures, durations, **options)


def written(folder: Path, content: bytes) -> Path:
    """A file of that content, with the suffix that belongs to it."""
    path = folder / ("clip.gif" if content.startswith(b"GIF") else "clip.webp")
    path.write_bytes(content)
    return path


def everything(path: Path) -> tuple[list[Frame], tuple[str, ...]]:
    """All frames of a clip, and what the reader had to say."""
    with read_frames(path) as frames:
        return list(frames), frames.problems


GOOD_ANIMATIONS: dict[str, Callable[[], bytes]] = {
    "gif": lambda: animation("GIF"),
    "webp": lambda: animation("WEBP", lossless=True),
    "webp_lossy": lambda: animation("WEBP", quality=80),
}
"""Animations that must be read in full: name -> how to make them."""


def encoded(kind: str, pictures: list[Image.Image], durations: Sequence[int], **options) -> bytes:
    """The pictures as GIF or WEBP."""
    buffer = io.BytesIO()
    pictures[0].save(
        buffer,
        kind,
        save_all=True,
        append_images=pictures[1:],
        duration=list(durations),
        loop=0,
        **options,
    )
    return buffer.getvalue()


def as_shown(path: Path) -> list[np.ndarray]:
    """What another program, Pillow, makes of an animation over black: uint8 (H, W, 3) each."""
    shown = []
    with Image.open(path) as animated:
        for number in range(animated.n_frames):
            animated.seek(number)
            rgba = np.asarray(animated.convert("RGBA")).astype(float)
            shown.append(np.rint(rgba[..., :3] * rgba[..., 3:] / 255).astype(np.uint8))
    return shown


def gif_bytes(count: int) -> bytes:
    """A small GIF of so many pictures, 100 ms each."""
    return animation("GIF", (100,) * count, (64, 48))


def webp_bytes(count: int, canvas: bytes = b"") -> bytes:
    """A small animated WebP of so many pictures; ``canvas`` are other bytes for its size."""
    content = animation("WEBP", (100,) * max(count, 2), (64, 48), lossless=True)
    start = content.index(b"ANMF")
    chunks = list(pieces(content[start:]))[:count]
    head = content[:24] + (canvas or content[24:30]) + content[30:start]
    return sized(head + b"".join(chunks))


def pieces(chunks: bytes):
    """A row of RIFF chunks, one by one, with their heads."""
    at = 0
    while at + 8 <= len(chunks):
        (size,) = struct.unpack("<I", chunks[at + 4 : at + 8])
        yield chunks[at : at + 8 + size + size % 2]
        at += 8 + size + size % 2


def sized(riff: bytes) -> bytes:
    """A RIFF file whose head states its real size."""
    return riff[:4] + struct.pack("<I", len(riff) - 8) + riff[8:]


def many_pictures(kind: str, count: int, delay: int) -> bytes:
    """A GIF or WEBP that shows its second picture so often, each for so many units of time."""
    if kind == "WEBP":
        content = webp_bytes(2)
        start = content.index(b"ANMF")
        first, again = pieces(content[start:])
        again = again[:20] + delay.to_bytes(3, "little") + again[23:]
        return sized(content[:start] + first + again * count)
    content = gif_bytes(3)
    starts = [at for at in range(len(content)) if content.startswith(b"\x21\xf9\x04", at)]
    again = content[starts[1] : starts[2]]
    again = again[:4] + delay.to_bytes(2, "little") + again[6:]
    return content[: starts[1]] + again * count + b"\x3b"
