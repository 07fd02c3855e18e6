"""What a file costs the process that reads it: run in the sandbox, for tests and benchmarks."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gymform.errors import VideoError
from gymform.types import Clip
from gymform.video.read import probe, read_frames


def probed(path: Path) -> dict[str, Any]:
    """The cost of a probe: see :func:`_measured`; ``clip`` is what it found, or None."""
    return _measured(lambda: probe(path))


def decoded(path: Path) -> dict[str, Any]:
    """The cost of decoding all frames; there is no ``clip``."""
    return _measured(lambda: _decode(path))


def resident_bytes(field: str = "VmRSS") -> int:
    """Memory of this process now (VmRSS), or at most since it was last reset (VmHWM)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"the kernel tells no {field}")


def _decode(path: Path) -> None:
    with read_frames(path) as frames:
        for _ in frames:
            pass


def _measured(work: Callable[[], Clip | None]) -> dict[str, Any]:
    """How ``work`` ended (``kind``, ``text``), ``peak_bytes`` of memory and ``cpu_s``."""
    Path("/proc/self/clear_refs").write_text("5")
    start = time.process_time()
    clip, kind, text = None, "read", ""
    try:
        clip = work()
    except VideoError as error:
        kind, text = type(error).__name__, str(error)
    except MemoryError:
        kind = "ReadingStoppedError"
    return {
        "clip": clip,
        "kind": kind,
        "text": text,
        "peak_bytes": resident_bytes("VmHWM"),
        "cpu_s": time.process_time() - start,
    }
