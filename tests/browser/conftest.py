"""The app on a free port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="session")
def serve(tmp_path_factory) -> Iterator[Callable[..., str]]:
    """Start ``streamlit run SCRIPT`` with more environment; the address once it answers."""
    processes: list[subprocess.Popen] = []

    def start(script: Path, **environment: str) -> str:
        port = _free_port()
        log = tmp_path_factory.mktemp("log") / "streamlit.log"
        command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless=true"]
        options = [f"--server.port={port}", "--server.fileWatcherType=none"]
        home = {"GYMFORM_HOME": str(tmp_path_factory.mktemp("home")), "PYTHONPATH": str(PROJECT)}
        with log.open("w") as output:
            process = subprocess.Popen(
                command + options,
                cwd=PROJECT,
                env={**os.environ, **home, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        processes.append(process)
        address = f"http://localhost:{port}"
        _wait_for(address + "/_stcore/health", process, log)
        return address

    yield start
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait(timeout=20)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    """Return when ``url`` responds; fail with the server's output when it does not."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the app did not start:\n{log.read_text()[-2000:]}")
