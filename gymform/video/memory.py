"""Limits on the memory of a process that decodes foreign media.

The sandbox reads a file within fixed limits before anything else does. Analyses and extractions
then decode the clip in their own process, beside the networks: there it may take what a sound clip
of its size needs, and no more.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

FRAMES_HELD = 60
"""Frames that decoder and encoder may hold at once, at 3 bytes a pixel. To decode a clip of
4096 x 2304 px (HEVC, 10 bits) took 400 MB in all on two cores, and to cut it 1,170 MB."""

FRAMES_A_CORE = 6
"""More of them for each core where the number of threads is not limited: the decoder and the
encoder hold one or two for each thread."""

BESIDE_BYTES = 2 * 1024**3
"""What an analysis may take beside frames once its networks are loaded: crops, activations."""

STACK_BYTES = 16 * 1024**2
"""Stacks of the threads that the libraries start, for each core."""


def memory_of_frames(width: int, height: int) -> int:
    """Bytes of the frames that are held while such a video is decoded, cut or drawn on."""
    return FRAMES_HELD * 3 * width * height


def memory_of_analysis(width: int, height: int) -> int:
    """Bytes that an analysis of such a video may take after its networks are loaded."""
    cores = os.cpu_count() or 1
    per_core = STACK_BYTES + FRAMES_A_CORE * 3 * width * height
    return BESIDE_BYTES + memory_of_frames(width, height) + cores * per_core


@contextlib.contextmanager
def memory_limited(bytes_more: int) -> Iterator[None]:
    """Within, this process may take ``bytes_more`` of memory on top of what it holds.

    Over that an allocation fails: MemoryError in Python, NumPy and FFmpeg, RuntimeError in
    PyTorch. Only Linux holds to such a limit; elsewhere nothing is limited.
    """
    held = _writable_bytes()
    if held is None:
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    lower(resource.RLIMIT_DATA, held + bytes_more)
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def lower(kind: int, value: int) -> None:
    """Set a soft limit of this process, as far as the hard one allows."""
    import resource

    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, hard))


def go_first() -> None:
    """Be the first process to be ended when the machine's memory runs out, before the app."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("500")


def _writable_bytes() -> int | None:
    """Memory of this process that it may write to, as RLIMIT_DATA counts it; None: not known."""
    if sys.platform != "linux":
        return None
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmData:"):
                return int(line.split()[1]) * 1024
    return None
