"""The app on a free port."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gymform.analysis_io import save
from gymform.service.analysis_worker import PROXY, STEM
from gymform.service.history import History
from gymform.service.result_store import ResultStore
from gymform.service.summary import write_summary
from gymform.video.write import VideoWriter, transcode
from tests import fakes

PATIENCE_MS = 120_000
PROJECT = Path(__file__).resolve().parent.parent.parent

ROOT_WITH = (
    "[...document.querySelectorAll('*')].map(e => e.shadowRoot)"
    ".find(root => root?.querySelector('{}'))"
)
"""In a page's script, for a CSS selector: the shadow root that has such an element."""


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


# -- an app with results that stay ----------------------------------------------------------------


class Server:
    """The app, which can be ended and started again under its address."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.port = _free_port()
        self.address = f"http://localhost:{self.port}"
        self.log = folder / "streamlit.log"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "streamlit", "run", str(PROJECT / "serve.py")]
        options = ["--server.headless=true", f"--server.port={self.port}"]
        with self.log.open("a") as output:
            self.process = subprocess.Popen(
                command + options,
                cwd=PROJECT,
                env={**os.environ, "GYMFORM_HOME": str(self.home), "PYTHONPATH": str(PROJECT)},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        _wait_for(f"{self.address}/_stcore/health", self.process, self.log)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=30)
        with contextlib.suppress(OSError), urllib.request.urlopen(self.address, timeout=2):
            pytest.fail("the server still answers")


@pytest.fixture(scope="module", name="server")
def _server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    server = Server(folder)
    yield server
    server.process.terminate()
    server.process.wait(timeout=30)


@pytest.fixture(scope="module", name="addresses")
def _addresses(server, tmp_path_factory) -> list[str]:
    """The addresses of two finished squats."""
    folder, analysis = tmp_path_factory.mktemp("clip"), fakes.make_analysis()
    return [keep(server, folder, analysis, *row) for row in enumerate(("Anna", "Ben"))]


@pytest.fixture(scope="module", name="barbell")
def _barbell(server, tmp_path_factory) -> str:
    """The address of a finished squat whose bar was followed."""
    analysis = fakes.make_analysis(bar=fakes.make_bar())
    return keep(server, tmp_path_factory.mktemp("clip"), analysis, 2, "Cleo")


def keep(server: Server, made_in: Path, analysis: Any, number: int, lifter: str) -> str:
    """Make ``analysis`` a result of the server, of a grey clip; its address."""
    clip, key = made_in / f"{lifter}.mp4", f"{number:064x}"
    with VideoWriter(clip, width=360, height=480, fps=30) as writer:
        for time_s in analysis.pose.time_s:
            writer.write(np.full((480, 360, 3), 90, np.uint8), float(time_s))
    store = ResultStore(server.home / "analyses")
    with store.new_folder(key) as folder:
        save(analysis, clip, folder, stem=STEM, video=False)
        transcode(clip, folder / PROXY)
        summary = write_summary(analysis, folder, folder / PROXY)
        store.keep(key, folder)
    with contextlib.closing(History.open(server.home / "history.sqlite")) as history:
        entry = history.add(
            key, name=clip.name, path=clip, options={}, clip_sha256=f"{number}" * 64,
            summary=summary,
        )  # fmt: skip
        history.edit(entry.address, lifter=lifter)
    return entry.address


@pytest.fixture(name="open_page")
def _open_page(browser, server):
    contexts = []

    def open_page(path: str, **look):
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | look))
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.goto(server.address + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
