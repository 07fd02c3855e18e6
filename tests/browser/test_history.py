"""Results that stay, in a real browser: a link, a reload, a restart, the history, a comparison.

No network computes anything here: two analyses are put into the store as the worker leaves them.
"""

from __future__ import annotations

import contextlib
import re
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from gymform.service.history import FAILED, History
from tests.browser.conftest import ROOT_WITH, Server

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

PROJECT = Path(__file__).resolve().parents[2]
SAMPLE = PROJECT / "gymform" / "assets" / "sample_squat.mp4"
PATIENCE_MS = 120_000
ANALYSIS_S = 400
"""A busy machine may take minutes for what takes seconds."""
PHONE = {"width": 390, "height": 844}

CONNECTED = "[data-test-connection-state=CONNECTED][data-test-script-state=notRunning]"
"""The page while its server answers, and nothing is being computed."""


def settled(page, shown: str | re.Pattern[str]):
    """A page that shows what was asked for and rests.

    Streamlit takes back what is typed, and loses a click, while it draws a page anew.
    """
    page.get_by_text(shown).first.wait_for()
    page.locator(CONNECTED).wait_for()


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


def test_a_session_from_upload_to_deletion_with_a_lock_and_a_restart(
    open_page, server, addresses, tmp_path
):
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
    reload = page.get_by_role("button", name="Reload")
    result = heading(page, "Squat, 2 repetitions")
    reload.or_(result).first.wait_for()
    if reload.is_visible():
        reload.click()
    result.wait_for()
    page.reload()
    result.wait_for()

    with page.expect_download() as download:
        page.get_by_role("button", name="Report (HTML").click()
    report = page.context.new_page()
    report.goto(f"file://{_kept(download.value, tmp_path)}")
    report.get_by_role("heading", name="Squat, 2 repetitions").wait_for()
    report.wait_for_function("() => document.querySelector('video')?.readyState > 1")
    report.close()

    address = parse_qs(urlsplit(page.url).query)["result"][0]
    page.goto(f"{server.address}/compare?first={address}&second={addresses[0]}")
    page.wait_for_function(f"() => {ROOT_WITH.format('.duo')}?.querySelector('.message').hidden")

    page.get_by_role("link", name="History").first.click()
    before = results(page)
    page.get_by_label("Search").fill(SAMPLE.name)
    page.get_by_label("Search").press("Enter")
    settled(page, re.compile("^1 result$"))
    page.get_by_role("button", name="Notes, delete").first.click()
    page.get_by_role("button", name="Delete this clip and its results").click()
    settled(page, re.compile("^Deleted: "))
    page.get_by_label("Search").fill("")
    page.get_by_label("Search").press("Enter")
    page.get_by_text(re.compile(rf"^{before - 1} results?$")).wait_for()
    page.goto(f"{server.address}/?result={address}")
    page.get_by_text(re.compile("deleted|no such|not here", re.IGNORECASE)).first.wait_for()


def _kept(download, folder: Path) -> Path:
    """The file of a download."""
    path = folder / download.suggested_filename
    download.save_as(path)
    return path


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
    root = ROOT_WITH.format(".player")
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
    settled(page, re.compile(r"102\.5 kg"))
    page.get_by_label("Search").fill("Anna")
    page.get_by_label("Search").press("Enter")
    page.get_by_text("1 result", exact=True).wait_for()
    page.locator("[data-testid=stPageLink] a").first.click()
    heading(page, "Squat, 1 repetition").wait_for()


def test_two_repetitions_stand_side_by_side_and_one_over_the_other(open_page, addresses):
    page = open_page(f"/compare?first={addresses[0]}&second={addresses[1]}")
    root = ROOT_WITH.format(".duo")
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


def test_a_point_over_the_weeks_opens_its_result(open_page, server, addresses):
    with contextlib.closing(History.open(server.home / "history.sqlite")) as history:
        history.edit(addresses[0], lifter="")  # with those of the other tests: one line
        history.edit(addresses[1], lifter="", day="2026-01-05")
        page = open_page("/compare")
        heading(page, "Over weeks").wait_for()
        points = page.locator(".st-key-weeks .scatterlayer path.point")
        points.first.wait_for()
        page.locator(CONNECTED).wait_for()
        points.first.scroll_into_view_if_needed()
        box = points.first.bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        heading(page, "Squat, 1 repetition").wait_for()
        assert addresses[1] in page.url  # the oldest comes first
        history.edit(addresses[0], lifter="Anna")
        history.edit(addresses[1], lifter="Ben")


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
    settled(page, re.compile(rf"^{before - 1} results?$"))
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text(f"{before} results")).to_be_visible(timeout=PATIENCE_MS)
