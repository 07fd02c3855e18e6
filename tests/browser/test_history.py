"""Results that stay, in a real browser: a link, a reload, a restart, the history, a comparison.

No network computes anything here: two analyses are put into the store as the worker leaves them.
"""

from __future__ import annotations

import contextlib
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from gymform.service.history import FAILED, History
from tests.browser.conftest import Server

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


def heading(page, text: str):
    return page.get_by_role("heading", name=re.compile(text))


def results(page) -> int:
    """How many results the history says that it holds; the tests before have added to them."""
    said = page.get_by_text(re.compile(r"^\d+ results?$"))
    said.wait_for()
    return int(said.inner_text().split()[0])


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
    assert results(page) >= 2
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
    before = results(page)
    page.get_by_role("button", name="Notes, delete").first.click()
    page.get_by_role("button", name="Delete this clip and its results").click()
    page.get_by_text(re.compile(rf"^{before - 1} results?$")).wait_for()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text(f"{before} results")).to_be_visible(timeout=PATIENCE_MS)
