"""What a benchmark ran on, how much memory it took, the models that were trained here, and the app
for benchmarks that drive it."""

from __future__ import annotations

import contextlib
import os
import platform
import resource
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
if str(PROJECT) not in sys.path:
    sys.path.insert(0, str(PROJECT))  # benchmarks are scripts; gymform is not installed

TRAINED = ("vitpose-s", "vitpose-ti")
"""Embedded pose networks whose cards `train-pose` wrote."""


def describe() -> str:
    """Processor, cores, Python and PyTorch in one line, and how busy the machine was otherwise."""
    import torch

    import gymform

    return (
        f"{_processor()}, {os.cpu_count()} cores, PyTorch {torch.__version__} with "
        f"{torch.get_num_threads()} threads, Python {platform.python_version()}, "
        f"gymform {gymform.__version__}; load average {os.getloadavg()[2]:.1f} over 15 minutes"
    )


def peak_mb() -> float:
    """Largest resident memory of this process so far, MB (10^6 bytes)."""
    with contextlib.suppress(OSError):  # what `getrusage` says may be of the process that began it
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table; all columns but the first are numbers."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if "model name" in line), "CPU")


@contextmanager
def serve(environment: dict[str, str]) -> Iterator[tuple[str, subprocess.Popen]]:
    """The app on a free port: its address and its process."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(PROJECT / "serve.py")]
    process = subprocess.Popen(
        [*command, "--server.headless=true", f"--server.port={port}"],
        cwd=PROJECT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://localhost:{port}"
    try:
        wait_for(f"{address}/_stcore/health")
        yield address, process
    finally:
        process.terminate()
        process.wait(timeout=30)


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str) -> None:
    """Return when ``url`` answers; TimeoutError after two minutes."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(f"no answer from {url}")
