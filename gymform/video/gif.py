"""Whether a GIF is whole: a walk over its blocks, without decoding.

Format: GIF89a specification (W3C, Graphics Interchange Format, 1990).
"""

from __future__ import annotations

import mmap
from pathlib import Path

from gymform.limits import MAX_FRAMES

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B

_HEADER = 13
"""Bytes before the global table of colours."""


def is_whole_gif(path: Path) -> bool:
    """Whether the blocks of the GIF at ``path`` reach its trailer: it is not cut off.

    One of more pictures than a clip may have is not looked at to its end, and counts as whole.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if len(data) < _HEADER:
            return False
        at, images = _HEADER + _colours(data[10]), 0
        while at < len(data) and images <= MAX_FRAMES:
            kind = data[at]
            if kind == _TRAILER:
                return True
            if kind == _EXTENSION:
                at = _after_blocks(data, at + 2)
            elif kind == _IMAGE and at + 10 < len(data):  # its place, colours, code size, codes
                at = _after_blocks(data, at + 11 + _colours(data[at + 9]))
                images += 1
            else:
                return False
        return images > MAX_FRAMES


def _colours(flags: int) -> int:
    """Bytes of the table of colours that these flags announce."""
    return 3 * 2 ** (1 + (flags & 7)) if flags & 0x80 else 0


def _after_blocks(data: mmap.mmap, at: int) -> int:
    """Where the row of blocks that begins at ``at`` is over; the end of the file if it is not."""
    while at < len(data):
        size = data[at]
        at += 1 + size
        if size == 0:
            return at
    return len(data)
