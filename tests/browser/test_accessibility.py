"""All pages for everybody: rules of WCAG by axe-core, in light and dark, wide and on a phone.

axe-core finds about half of what hinders people; the rest is in the tests of the pages.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import TimeoutError as WaitedTooLong

from tests import made_runs
from tests.browser.conftest import ROOT_WITH
from tests.dataset.makers import make_store

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

PROJECT = Path(__file__).resolve().parents[2]
AXE = PROJECT / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")

PAGES = {
    "start": "/",
    "result": "/?result={0}",
    "history": "/history",
    "compare": "/compare?first={0}&second={1}",
    "webcam": "/webcam",
    "review": "/review",
    "models": "/models",
}

PHONE = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "user_agent": "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130 Mobile Safari/537",
}

READY = "[data-test-connection-state=CONNECTED][data-test-script-state=notRunning]"

FINGER = 44
"""px that a finger needs."""

TARGETS = """least => {
  const small = [];
  const visit = root => {
    const what = "button, summary, select, input[type=range], input[type=text], [role=combobox]";
    for (const one of root.querySelectorAll(what)) {
      const box = one.getBoundingClientRect();
      const style = getComputedStyle(one);
      const isHelp = (one.ariaLabel ?? "").startsWith("Help");
      const isPart = one.closest("[data-testid=stHeader], [data-testid=stSidebar]");
      const isShown = box.width && box.height && style.visibility !== "hidden";
      const tall = Math.max(box.height, one.parentElement?.getBoundingClientRect().height ?? 0);
      if (isShown && !isHelp && !isPart && !one.disabled && tall < least)
        small.push(`${one.tagName} ${one.ariaLabel ?? one.textContent} ${Math.round(box.height)}`);
    }
    for (const one of root.querySelectorAll("*")) if (one.shadowRoot) visit(one.shadowRoot);
  };
  visit(document);
  return small;
}"""


def opened(open_page, path: str, **look):
    page = open_page(path, **look)
    page.locator(".restart").wait_for(state="attached")  # the last that a page shows
    page.locator(READY).wait_for()
    page.wait_for_function("() => !document.querySelector('[data-testid=stSkeleton]')")
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(open_page, addresses, name, scheme):
    page = opened(open_page, PAGES[name].format(*addresses), color_scheme=scheme)
    assert seriously_wrong(page) == []


def seriously_wrong(page) -> list[tuple[str, list[tuple[str, str]]]]:
    """(rule, places) of what axe finds serious on a page."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: run `npm ci`")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
    assert found["passes"], "axe looked at nothing"
    return [
        (one["id"], [(node["html"][:200], node["failureSummary"][:300]) for node in one["nodes"]])
        for one in found["violations"] if one["impact"] in SERIOUS
    ]  # fmt: skip


@pytest.mark.parametrize("look", [{"color_scheme": "dark"}, PHONE], ids=["dark", "phone"])
def test_axe_finds_nothing_serious_where_a_bar_was_followed(open_page, barbell, look):
    page = opened(open_page, f"/?result={barbell}", **look)
    page.get_by_role("heading", name="Bar").wait_for()
    assert seriously_wrong(page) == []


@pytest.fixture(scope="module", name="filled")
def _filled(server) -> str:
    """The name of a data set with clips to review and a finished training, in the server's home."""
    dataset = made_runs.make_learnable(server.home / "datasets" / "filled")
    made_runs.make_run(dataset, "done")
    make_store(server.home / "datasets" / "pending", 6)
    return dataset.name


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/review?dataset=pending", "/review?dataset=filled", "/models"])
def test_axe_finds_nothing_serious_where_there_is_a_data_set(open_page, filled, path, scheme):
    assert seriously_wrong(opened(open_page, path, color_scheme=scheme)) == []


@pytest.mark.parametrize("name", ["start", "result", "history", "compare", "webcam"])
def test_a_finger_hits_what_is_there_to_press(open_page, addresses, name):
    page = opened(open_page, PAGES[name].format(*addresses), **PHONE)
    assert page.evaluate(TARGETS, FINGER - 0.5) == []


CUT_OFF = """() => [...document.querySelectorAll("[role=radiogroup]")]
  .filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.innerText)"""


@pytest.mark.parametrize("path", ["/review?dataset=filled", "/models?dataset=filled"])
def test_on_a_phone_no_choice_is_cut_off(open_page, filled, path):
    page = opened(open_page, path, **PHONE)
    page.locator("[role=radiogroup]").first.wait_for()
    assert page.evaluate(CUT_OFF) == []


def test_the_keyboard_alone_leads_from_the_history_to_a_result_and_through_its_player(
    open_page, addresses
):
    page = opened(open_page, "/history")
    press_tab_until(page, r"^open_in_full")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=re.compile("Squat, 1 repetition")).wait_for()
    page.locator(READY).wait_for()
    press_tab_until(page, r"^Frame$")
    page.keyboard.press("ArrowRight")
    page.locator(".player[data-frame='1']").wait_for()
    press_tab_until(page, r"^See ")
    page.keyboard.press("Enter")
    page.locator("button.end-loop").wait_for()


def test_the_keyboard_alone_uploads_a_clip(open_page, tmp_path):
    broken = tmp_path / "squat.mp4"
    broken.write_bytes(b"no video at all")
    page = opened(open_page, "/")
    press_tab_until(page, r"Upload")
    choose_by_key(page).set_files(broken)
    page.get_by_text(re.compile("not a video", re.IGNORECASE)).first.wait_for()


def choose_by_key(page):
    """The dialog that Enter opens; a key in the moment in which the page is drawn anew is lost."""
    for _ in range(8):
        try:
            with page.expect_file_chooser(timeout=10_000) as chooser:
                page.keyboard.press("Enter")
            return chooser.value
        except WaitedTooLong:
            continue
    pytest.fail("Enter opens no dialog")


def test_the_keyboard_alone_steps_through_a_comparison(open_page, addresses):
    page = opened(open_page, "/compare?first={}&second={}".format(*addresses))
    page.wait_for_function(f"() => {DUO}?.querySelector('.message').hidden")
    frames = f"() => [...{DUO}.querySelectorAll('.half')].map(one => Number(one.dataset.frame))"
    before = page.evaluate(frames)
    press_tab_until(page, r"^Two repetitions")
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        f"before => ({frames})().every((frame, i) => frame > before[i])", arg=before
    )
    press_tab_until(page, r"^Ghost$")
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => {DUO}.querySelector('.ghost').ariaPressed === 'true'")


DUO = ROOT_WITH.format(".duo")

FOCUSED = """() => {
  let one = document.activeElement;
  while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
  return (one?.ariaLabel || one?.textContent || "").trim();
}"""


def press_tab_until(page, words: str, most: int = 80) -> None:
    """Press Tab until what has the focus is called so."""
    seen = []
    for _ in range(most):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(FOCUSED)[:60])
        if re.search(words, seen[-1]):
            return
    pytest.fail(f"{words!r} is not reached: {seen}")
