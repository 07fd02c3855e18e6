"""Results that stay, in a real browser: a link, a reload, a restart, the history, a comparison.

No network computes anything here: two analyses are put into the store as the worker leaves them.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from gymform.analysis_io import save
from gymform.service.analysis_worker import PROXY, STEM
from gymform.service.history import FAILED, History
from gymform.service.result_store import ResultStore
from gymform.service.summary import write_summary
from gymform.video.write import VideoWriter, transcode
from tests import fakes
from tests.browser.conftest import _free_port, _wait_for

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

PROJECT = Path(__file__).resolve().parents[2]
SAMPLE = PROJECT / "gymform" / "assets" / "sample_squat.mp4"
PATIENCE_MS = 120_000
ANALYSIS_S = 400
"""A busy machine may take minutes for what takes seconds."""
PHONE = {"width": 390, "height": 844}

CONNECTED = "[data-test-connection-state=CONNECTED][data-test-script-state=notRunning]"
"""The page while its server answers, and nothing is being computed."""

ROOT = (
    "[...document.querySelectorAll('*')].map(e => e.shadowRoot)"
    ".find(root => root?.querySelector('{0}'))"
)


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
    clip = tmp_path_factory.mktemp("clip") / "clip.mp4"
    analysis = fakes.make_analysis()
    with VideoWriter(clip, width=360, height=480, fps=30) as writer:
        for time_s in analysis.pose.time_s:
            writer.write(np.full((480, 360, 3), 90, np.uint8), float(time_s))
    store, found = ResultStore(server.home / "analyses"), []
    with contextlib.closing(History.open(server.home / "history.sqlite")) as history:
        for number, lifter in enumerate(("Anna", "Ben")):
            key = f"{number:064x}"
            with store.new_folder(key) as folder:
                save(analysis, clip, folder, stem=STEM, video=False)
                transcode(clip, folder / PROXY)
                summary = write_summary(analysis, folder, folder / PROXY)
                store.keep(key, folder)
            entry = history.add(
                key, name=f"{lifter}.mp4", path=clip, options={}, clip_sha256=f"{number}" * 64,
                summary=summary,
            )  # fmt: skip
            history.edit(entry.address, lifter=lifter)
            found.append(entry.address)
    return found


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


def heading(page, text: str):
    return page.get_by_role("heading", name=re.compile(text))


def test_a_link_leads_to_the_result_and_a_reload_and_a_restart_back_to_it(
    open_page, server, addresses
):
    page = open_page(f"/?result={addresses[0]}")
    heading(page, "Squat, 1 repetition").wait_for()
    page.reload()
    heading(page, "Squat, 1 repetition").wait_for()
    assert addresses[0] in page.url
    page.locator(".restart").wait_for(state="attached")
    page.locator(CONNECTED).wait_for()
    server.kill()
    server.start()
    page.locator(CONNECTED).wait_for()  # the open page connects again by itself
    page.get_by_role("button", name="Reload").click()
    page.get_by_role("button", name="Reload").wait_for(state="hidden")
    heading(page, "Squat, 1 repetition").wait_for()
    page.locator(CONNECTED).wait_for()
    page.get_by_role("button", name="Favourite").click()
    page.locator("[data-testid=stBaseButton-primary]", has_text="Favourite").first.wait_for()
    heading(page, "Squat, 1 repetition").wait_for()


def test_a_clip_goes_on_while_the_phone_is_locked_and_the_server_starts_again(open_page, server):
    page = open_page("/")
    page.locator("input[type=file]").set_input_files(SAMPLE)
    page.locator("[data-testid=stProgress]").wait_for()
    phone = page.context.new_cdp_session(page)
    phone.send("Page.setWebLifecycleState", {"state": "frozen"})
    server.kill()
    server.start()
    wait_until_done(server)  # with nobody looking
    phone.send("Page.setWebLifecycleState", {"state": "active"})
    # A page that was cut off in the middle of a run is run again by itself.
    reload, result = page.get_by_role("button", name="Reload"), heading(page, "Squat, 1 repetition")
    reload.or_(result).first.wait_for()
    if reload.is_visible():
        reload.click()
    result.wait_for()


def wait_until_done(server: Server) -> None:
    """Return when the one clip of the history that was waiting has its result."""
    deadline = time.monotonic() + ANALYSIS_S
    with contextlib.closing(History.open(server.home / "history.sqlite")) as history:
        while history.is_waiting():
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert not history.find(states=(FAILED,))[1]


def test_a_remark_plays_its_moment_again_and_again(open_page, addresses):
    page = open_page(f"/?result={addresses[0]}")
    page.get_by_role("button", name="See ").first.click()
    root = ROOT.format(".player")
    page.wait_for_function(
        f"""() => {{
          const root = {root};
          const video = root?.querySelector('video');
          return video && !video.paused && video.playbackRate === 0.25
            && !root.querySelector('.looping').hidden;
        }}"""
    )
    page.locator("button.end-loop").click()
    page.wait_for_function(f"() => {root}.querySelector('.looping').hidden")


def test_the_history_leads_to_a_result_and_its_notes_are_kept(open_page, addresses):
    page = open_page("/history")
    page.get_by_text("2 results").wait_for()
    page.get_by_role("button", name="Notes, delete").first.click()
    page.get_by_label("Load (kg)").fill("102.5")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("102.5 kg").wait_for()
    page.get_by_label("Search").fill("Anna")
    page.get_by_label("Search").press("Enter")
    page.get_by_text("1 result", exact=True).wait_for()
    page.locator("[data-testid=stPageLink] a").first.click()
    heading(page, "Squat, 1 repetition").wait_for()


def test_two_repetitions_stand_side_by_side_and_one_over_the_other(open_page, addresses):
    page = open_page(f"/compare?first={addresses[0]}&second={addresses[1]}")
    root = ROOT.format(".duo")
    page.wait_for_function(f"() => {root}?.querySelector('.message').hidden")
    frames = page.evaluate(
        f"() => [...{root}.querySelectorAll('.half')].map(one => one.dataset.frame)"
    )
    assert frames[0] == frames[1] != "0"  # both at the bottom
    page.locator(".duo button.ghost").click()
    feet = page.evaluate(
        f"""() => [...{root}.querySelectorAll('.stage')].map(one => {{
          const box = one.getBoundingClientRect();
          return [Math.round(box.left), Math.round(box.bottom)];
        }})"""
    )
    assert feet[0] == pytest.approx(feet[1], abs=2)


def test_on_a_phone_nothing_scrolls_sideways(open_page, addresses):
    agent = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130 Mobile Safari/537.36"
    look = {"viewport": PHONE, "user_agent": agent, "has_touch": True, "is_mobile": True}
    for path, end in (
        ("/history", "Export and import"), (f"/?result={addresses[0]}", "Details"),
        ("/compare", "Over weeks"),
    ):  # fmt: skip
        page = open_page(path, **look)
        page.get_by_text(end, exact=True).first.wait_for()
        main = page.locator("[data-testid=stMain]")
        assert main.evaluate("e => e.scrollWidth <= e.clientWidth + 1"), path


def test_a_result_is_deleted_and_comes_back(open_page, addresses):
    page = open_page("/history")
    page.get_by_role("button", name="Notes, delete").first.click()
    page.get_by_role("button", name="Delete this clip and its results").click()
    page.get_by_text("1 result", exact=True).wait_for()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("2 results")).to_be_visible(timeout=PATIENCE_MS)
