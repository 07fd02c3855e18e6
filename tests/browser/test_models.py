"""Page Models in a real browser: a small training from start to use, with two people watching.

The networks, the command and its process are the real ones; only the clips are made up.
Screenshots of every state go to ``out/screenshots``.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gymform.training.exercise import records, runs
from tests import made_runs

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

PROJECT = Path(__file__).resolve().parents[2]
SCREENSHOTS = PROJECT / "out" / "screenshots"
TRAINING_MS, PATIENCE_MS = 600_000, 120_000
"""A busy machine may take minutes for what takes seconds."""

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

CELL = """([truth, answer]) => {
  const plot = document.querySelector('[class*=st-key-confusion] .js-plotly-plot');
  const { xaxis, yaxis } = plot._fullLayout;
  const box = plot.getBoundingClientRect();
  return [
    box.left + xaxis._offset + xaxis.d2p(answer),
    box.top + yaxis._offset + yaxis.d2p(truth),
  ];
}"""


@pytest.fixture(name="home")
def _home(tmp_path) -> Iterator[Path]:
    """The server's data folder; no training outlives the test."""
    yield tmp_path / "home"
    for dataset in (tmp_path / "home" / "datasets").glob("*"):
        for info in runs.list_runs(dataset):
            if info.live and info.pid:
                os.kill(info.pid, signal.SIGTERM)


@pytest.fixture(name="open_page")
def _open_page(browser, serve, home):
    """Opens the page in a fresh session; afterwards no script may have failed."""
    contexts, errors = [], []
    address: list[str] = []

    def open_page(viewport=WIDE, scheme="light"):
        if not address:
            address.append(serve(PROJECT / "serve.py", GYMFORM_HOME=str(home)))
        context = browser.new_context(viewport=viewport, color_scheme=scheme)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address[0] + "/models")  # the first request to this server
        page.get_by_role("heading", name="Models", exact=True).wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


def settled(page) -> None:
    """Wait until nothing is loading any more."""
    page.wait_for_function(
        "() => !document.querySelector('[data-testid=stSkeleton]') && "
        "document.querySelector('[data-testid=stApp]').dataset.testScriptState !== 'running'"
    )


def photograph(page, name: str) -> None:
    """A screenshot of the whole page, however long: Streamlit scrolls inside the window."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    settled(page)
    size = page.viewport_size
    height = page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": min(height, 8000)})
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 500)))")
    page.screenshot(path=SCREENSHOTS / f"models-{name}.png")
    page.set_viewport_size(size)


def fits(page) -> bool:
    """Whether the page fits without scrolling sideways."""
    width = "e => e.scrollWidth <= e.clientWidth + 1"
    return page.locator("[data-testid=stMain]").evaluate(width)


def test_a_page_asked_for_first_is_inside_the_app(open_page):
    page = open_page()
    page.get_by_role("link", name="Analyze").wait_for()
    page.get_by_text("There is no data set yet").wait_for()
    photograph(page, "empty")


def test_from_a_data_set_to_a_model_in_use(open_page, home):
    dataset = made_runs.make_learnable(home / "datasets" / "tiny")
    page, other = open_page(), open_page(PHONE, "dark")
    page.get_by_text("16 accepted repetitions").wait_for()
    photograph(page, "before")
    _set(page, {"Steps": 100, "Augmented samples": 60})
    page.get_by_text("One split", exact=True).click()
    settled(page)
    page.get_by_role("button", name="Start training").click()
    page.locator(".st-key-curves .js-plotly-plot .trace").first.wait_for(timeout=TRAINING_MS)
    photograph(page, "training")
    for session in (page, other):  # the second person has touched nothing
        session.get_by_text("of people and sources it had never seen").wait_for(timeout=TRAINING_MS)
    _a_click_on_a_cell_shows_its_clips(page)
    photograph(page, "report")
    photograph(other, "phone-dark-report")
    assert fits(page)
    assert fits(other)
    _use_it_and_go_back(page)
    (info,) = runs.list_runs(dataset)
    assert info.state == records.DONE


def _set(page, numbers: dict[str, int]) -> None:
    """Open the options and fill in numbers by their labels."""
    page.get_by_text("Options", exact=True).click()
    for label, value in numbers.items():
        field = page.get_by_label(label, exact=True)
        field.fill(str(value))
        field.press("Enter")
        settled(page)


def _a_click_on_a_cell_shows_its_clips(page) -> None:
    page.locator("[class*=st-key-confusion] .js-plotly-plot .heatmaplayer").first.wait_for()
    settled(page)
    page.locator("[class*=st-key-confusion]").scroll_into_view_if_needed()
    page.mouse.click(*page.evaluate(CELL, ["Squat", "Squat"]))
    page.get_by_role("heading", name="Squat, recognised").or_(
        page.get_by_text("No clip is in this cell")
    ).first.wait_for()


def _use_it_and_go_back(page) -> None:
    page.get_by_role("button", name="Use this model").click()
    page.get_by_text("The app uses this model from now on").wait_for()
    photograph(page, "in-use")
    page.get_by_role("button", name="Back to the embedded model").click()
    page.get_by_text("The app uses the model that came with it again").wait_for()
    page.get_by_role("button", name="Use this model").wait_for()


def _press(page, name: str) -> None:
    """Press a button of the page; Streamlit's header may have one of the same name."""
    page.get_by_test_id("stMain").get_by_role("button", name=name).click()


def test_stop_and_go_on(open_page, home):
    dataset = made_runs.make_learnable(home / "datasets" / "tiny")
    page = open_page()
    _set(page, {"Steps": 100_000, "Augmented samples": 60})
    page.get_by_role("button", name="Start training").click()
    _press(page, "Stop")
    page.get_by_text("It was stopped before its end").wait_for(timeout=TRAINING_MS)
    photograph(page, "stopped")
    (info,) = runs.list_runs(dataset)
    assert info.state == records.STOPPED
    page.get_by_role("button", name="Continue").click()
    page.get_by_text("is being trained").wait_for()
    _press(page, "Stop")
    page.get_by_text("It was stopped before its end").wait_for(timeout=TRAINING_MS)
